//! OCSP's requests, by POST and in the URL.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::server::{Server, send};
use super::{Client, FetchError, IMPATIENCE, PATIENCE, Settings, client, settings, through, url};
use crate::fetch::http::{MAX_OCSP, Method};

const FOUND: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\nanswer";

/// Its Base64 has every character that a URL can't have.
const REQUEST: &[u8] = &[0xfb, 0xff, 0xfe, 0x01];

async fn ask(client: &Client, to: &str, method: Method) -> Result<Vec<u8>, FetchError> {
    client.ocsp(&url(to), method, REQUEST, PATIENCE).await
}

async fn post(server: &Server) -> Result<Vec<u8>, FetchError> {
    ask(&client(settings()), &server.url(), Method::Post).await
}

/// Answers like the others, after a request with a body as long as ours, which it shows.
async fn reading(answers: &[&str]) -> (Server, tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>) {
    let (bodies, seen) = tokio::sync::mpsc::unbounded_channel();
    let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let server = Server::handling(move |mut stream, head, number| {
        let (bodies, answer) = (bodies.clone(), answers[number.min(answers.len() - 1)].clone());
        Box::pin(async move {
            let mut body = vec![0; if head.starts_with("POST") { REQUEST.len() } else { 0 }];
            stream.read_exact(&mut body).await.expect("it has its body");
            drop(bodies.send(body));
            send(&mut stream, answer.as_bytes()).await;
        })
    });
    (server.await, seen)
}

fn first_line(head: &str) -> &str {
    head.lines().next().expect("a request")
}

#[tokio::test]
async fn a_request_is_posted_as_what_it_is() {
    let (server, mut bodies) = reading(&[FOUND]).await;
    assert_eq!(post(&server).await, Ok(b"answer".to_vec()));
    let expected = format!(
        "POST /ca.crl HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nuser-agent: sekisho/{}\r\naccept-encoding: identity\r\nconnection: close\r\naccept: application/ocsp-response\r\ncontent-type: application/ocsp-request\r\ncontent-length: 4\r\n\r\n",
        server.port,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(server.heads(), [expected]);
    assert_eq!(bodies.recv().await.as_deref(), Some(REQUEST));
}

#[tokio::test]
async fn a_request_goes_into_the_url_as_appendix_a_of_rfc_6960_says() {
    let server = Server::answering(&[FOUND]).await;
    for (base, path) in
        [("", "/%2B%2F%2F%2BAQ%3D%3D"), ("/", "/%2B%2F%2F%2BAQ%3D%3D"), ("/a/b", "/a/b/%2B%2F%2F%2BAQ%3D%3D")]
    {
        let to = format!("http://127.0.0.1:{}{base}", server.port);
        assert_eq!(ask(&client(settings()), &to, Method::Get).await, Ok(b"answer".to_vec()));
        let head = server.heads().pop().expect("it was asked");
        assert_eq!(first_line(&head), format!("GET {path} HTTP/1.1"));
        assert!(head.contains("accept: application/ocsp-response\r\n") && !head.contains("content-"), "{head}");
    }
}

#[tokio::test]
async fn a_url_with_a_query_or_a_long_one_takes_no_request() {
    let long = format!("http://ocsp.test/{}", "x".repeat(230));
    assert!(url("http://ocsp.test/").takes_ocsp(&[0; 100]));
    assert!(!url("http://ocsp.test/").takes_ocsp(&[0; 200]));
    for bad in ["http://ocsp.test/?ca=1", &long] {
        assert!(!url(bad).takes_ocsp(REQUEST), "{bad}");
    }
    let found = ask(&client(settings()), "http://127.0.0.1:1/?ca=1", Method::Get).await;
    assert!(matches!(found, Err(FetchError::BadUrl(_))), "{found:?}");
}

#[tokio::test]
async fn r13_a_post_is_repeated_where_it_is_sent_on_and_got_where_it_is_to_be_seen() {
    for (status, method) in [(301, "POST"), (302, "POST"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let there = format!("HTTP/1.1 {status} X\r\nLocation: /there\r\n\r\n");
        let (server, mut bodies) = reading(&[&there, FOUND]).await;
        assert_eq!(post(&server).await, Ok(b"answer".to_vec()), "{status}");
        assert_eq!(first_line(&server.heads()[1]), format!("{method} /there HTTP/1.1"));
        bodies.recv().await.expect("the first");
        let expected: &[u8] = if method == "POST" { REQUEST } else { &[] };
        assert_eq!(bodies.recv().await.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn r13_a_post_goes_nowhere_where_a_get_would_not() {
    for (to, forbidden) in
        [("http://169.254.169.254/", true), ("http://10.0.0.1/", true), ("file:///etc/passwd", false)]
    {
        let (server, _bodies) = reading(&[&format!("HTTP/1.1 307 X\r\nLocation: {to}\r\n\r\n")]).await;
        let found = post(&server).await;
        match forbidden {
            true => assert!(matches!(found, Err(FetchError::Forbidden(_))), "{to}: {found:?}"),
            false => assert!(matches!(found, Err(FetchError::ForbiddenRedirect(_))), "{to}: {found:?}"),
        }
    }
    let (server, _bodies) = reading(&["HTTP/1.1 307 X\r\nLocation: /again\r\n\r\n"]).await;
    assert_eq!(post(&server).await, Err(FetchError::TooManyRedirects));
    assert_eq!(server.heads().len(), 4);
    let strict = client(Settings { allow: Vec::new(), ..settings() });
    let found = ask(&strict, &server.url(), Method::Post).await;
    assert!(matches!(found, Err(FetchError::Forbidden(_))), "{found:?}");
}

#[tokio::test]
async fn a_post_goes_through_the_proxy() {
    let (proxy, mut bodies) = reading(&[FOUND]).await;
    let proxied = client(Settings { proxy: through(&proxy), ..settings() });
    assert_eq!(ask(&proxied, "http://ocsp.test/x", Method::Post).await, Ok(b"answer".to_vec()));
    assert_eq!(first_line(&proxy.heads()[0]), "POST http://ocsp.test/x HTTP/1.1");
    assert_eq!(bodies.recv().await.as_deref(), Some(REQUEST));
}

#[tokio::test]
async fn r11_an_answer_has_a_bound_of_its_own() {
    let of = |length: u64| "x".repeat(usize::try_from(length).expect("it is small"));
    let (fits, _bodies) = reading(&[&format!("HTTP/1.1 200 OK\r\n\r\n{}", of(MAX_OCSP))]).await;
    assert_eq!(post(&fits).await.map(|answer| answer.len() as u64), Ok(MAX_OCSP));
    let (over, _bodies) = reading(&[&format!("HTTP/1.1 200 OK\r\n\r\n{}", of(MAX_OCSP + 1))]).await;
    assert_eq!(post(&over).await, Err(FetchError::TooLong));
    let endless = Server::endless("HTTP/1.1 200 OK\r\n\r\n", &[0; 4096]).await;
    assert_eq!(post(&endless).await, Err(FetchError::TooLong));
    let (lies, _bodies) = reading(&["HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nx"]).await;
    assert_eq!(post(&lies).await, Err(FetchError::TooLong));
    let (packed, _bodies) = reading(&["HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx"]).await;
    assert_eq!(post(&packed).await, Err(FetchError::Encoded));
}

#[tokio::test]
async fn r12_silence_ends_by_what_the_caller_says_or_by_the_timeout_whichever_is_less() {
    let silent = Server::handling(|stream, _, _| {
        Box::pin(async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let drip = Server::endless_slowly("HTTP/1.1 200 OK\r\n\r\n", b"x", Duration::from_millis(20)).await;
    for server in [&silent, &drip] {
        for (timeout, within) in [(IMPATIENCE, PATIENCE), (PATIENCE, IMPATIENCE)] {
            let client = client(Settings { timeout, ..settings() });
            let found = client.ocsp(&url(&server.url()), Method::Post, REQUEST, within).await;
            assert_eq!(found, Err(FetchError::Timeout));
        }
    }
}
