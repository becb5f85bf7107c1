//! What servers answer, and how they don't.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::server::{Server, send};
use super::{
    Conditions, FetchError, Fetched, IMPATIENCE, MAX_SIZE, Settings, body, client, get, get_with, got, impatient,
    settings, through, url,
};

#[tokio::test]
async fn a_body_comes_with_its_tags() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"v1\"\r\nLast-Modified: Wed, 01 Jul 2026 00:00:00 GMT\r\nContent-Encoding: identity\r\n\r\nCRL";
    let expected = Fetched::Body {
        octets: b"CRL".to_vec(),
        etag: Some("\"v1\"".into()),
        last_modified: Some("Wed, 01 Jul 2026 00:00:00 GMT".into()),
    };
    assert_eq!(got(answer).await, Ok(expected));
}

#[tokio::test]
async fn a_body_comes_in_chunks_or_up_to_the_end_of_the_connection() {
    assert_eq!(
        got("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nCR\r\n1\r\nL\r\n0\r\n\r\n").await,
        body("CRL")
    );
    assert_eq!(got("HTTP/1.0 200 OK\r\n\r\nCRL").await, body("CRL"));
}

#[tokio::test]
async fn the_request_says_what_it_must_and_no_more() {
    let server = Server::answering(&["HTTP/1.1 200 OK\r\n\r\n"]).await;
    let text = format!("http://127.0.0.1:{}/a/ca.crl?x=1", server.port);
    assert_eq!(get_with(&client(settings()), &text).await, body(""));
    let expected = format!(
        "GET /a/ca.crl?x=1 HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nuser-agent: sekisho/{}\r\naccept-encoding: identity\r\nconnection: close\r\n\r\n",
        server.port,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(server.heads(), [expected]);
}

#[tokio::test]
async fn what_is_here_already_is_not_sent_again() {
    let server = Server::answering(&["HTTP/1.1 304 Not Modified\r\n\r\n"]).await;
    let conditions = Conditions { etag: Some("\"v1\"".into()), last_modified: Some("yesterday".into()) };
    let found = client(settings()).get(&url(&server.url()), &conditions).await;
    assert_eq!(found, Ok(Fetched::NotModified));
    let head = &server.heads()[0];
    assert!(head.contains("if-none-match: \"v1\"\r\nif-modified-since: yesterday\r\n"), "{head}");
}

#[tokio::test]
async fn not_modified_is_no_answer_to_who_has_nothing() {
    assert_eq!(got("HTTP/1.1 304 Not Modified\r\n\r\n").await, Err(FetchError::Status(304)));
}

#[tokio::test]
async fn a_tag_that_no_header_can_hold_is_not_sent() {
    let server = Server::answering(&["HTTP/1.1 200 OK\r\n\r\nCRL"]).await;
    let conditions = Conditions { etag: Some("a\r\nHost: b".into()), last_modified: None };
    assert_eq!(client(settings()).get(&url(&server.url()), &conditions).await, body("CRL"));
    assert!(!server.heads()[0].contains("if-none-match"));
}

#[tokio::test]
async fn a_tag_too_long_to_keep_is_not_kept() {
    let tag = "x".repeat(2000);
    assert_eq!(got(&format!("HTTP/1.1 200 OK\r\nETag: \"{tag}\"\r\n\r\nCRL")).await, body("CRL"));
}

#[tokio::test]
async fn statuses_that_bring_nothing_are_told() {
    for status in [204, 206, 300, 404, 429, 503] {
        assert_eq!(got(&format!("HTTP/1.1 {status} X\r\n\r\n")).await, Err(FetchError::Status(status)));
    }
}

#[tokio::test]
async fn r11_a_body_may_be_as_long_as_the_cap_and_no_longer() {
    let fits = "x".repeat(MAX_SIZE as usize);
    let over = "x".repeat(MAX_SIZE as usize + 1);
    for (long, expected) in [(&fits, body(&fits)), (&over, Err(FetchError::TooLong))] {
        let size = long.len();
        assert_eq!(got(&format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{long}")).await, expected);
        assert_eq!(got(&format!("HTTP/1.1 200 OK\r\n\r\n{long}")).await, expected);
        let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{long}\r\n0\r\n\r\n");
        assert_eq!(got(&chunked).await, expected);
    }
}

#[tokio::test]
async fn r11_a_body_without_end_is_cut_at_the_cap() {
    let plain = Server::endless("HTTP/1.1 200 OK\r\n\r\n", &[0; 64]).await;
    assert_eq!(get(&plain).await, Err(FetchError::TooLong));
    let chunked = Server::endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nabcde\r\n").await;
    assert_eq!(get(&chunked).await, Err(FetchError::TooLong));
}

#[tokio::test]
async fn r11_a_length_that_lies_is_not_believed() {
    let promised = |length: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nCRL");
    assert_eq!(got(&promised("900")).await, Err(FetchError::Protocol), "broke off");
    assert_eq!(got(&promised("2")).await, body("CR"), "the rest is not the body's");
    assert_eq!(got(&promised("10000000000")).await, Err(FetchError::TooLong), "before any of it has come");
    for none in ["99999999999999999999999", "-1", "3, 4", "three"] {
        assert_eq!(got(&promised(none)).await, Err(FetchError::Protocol), "{none}");
    }
}

#[tokio::test]
async fn r11_nothing_is_unpacked() {
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n\x1f");
        assert_eq!(got(&answer).await, Err(FetchError::Encoded), "{coding}");
    }
    let twice = "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n";
    assert_eq!(got(twice).await, Err(FetchError::Encoded));
}

#[tokio::test]
async fn r11_a_head_is_bounded() {
    let one_long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\nCRL", "x".repeat(100 << 10));
    assert_eq!(got(&one_long).await, Err(FetchError::Protocol));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\nCRL", "X: x\r\n".repeat(200));
    assert_eq!(got(&many).await, Err(FetchError::Protocol));
    let endless = Server::endless("HTTP/1.1 200 OK\r\n", b"X: x\r\n").await;
    assert_eq!(get(&endless).await, Err(FetchError::Protocol));
}

#[tokio::test]
async fn r12_who_accepts_and_is_silent_costs_no_more_than_the_deadline() {
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            let _open = stream;
            std::future::pending().await
        })
    })
    .await;
    let url = silent.url();
    assert_eq!(get_with(&impatient(), &url).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn r12_who_never_ends_a_tls_handshake_or_a_tunnel_costs_no_more_than_the_deadline() {
    let silent = Server::raw(|stream| {
        Box::pin(async move {
            let _open = stream;
            std::future::pending().await
        })
    })
    .await;
    let text = format!("https://127.0.0.1:{}/", silent.port);
    let timeout = IMPATIENCE;
    let direct = super::secure::trusting(Settings { timeout, ..settings() });
    assert_eq!(get_with(&direct, &text).await, Err(FetchError::Timeout));
    let tunnelled = super::secure::trusting(Settings { timeout, proxy: through(&silent), ..settings() });
    assert_eq!(get_with(&tunnelled, "https://crl.test/").await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn r12_each_octet_in_time_is_not_the_whole_in_time() {
    let dripping = Server::handling(|mut stream, _, _| {
        Box::pin(async move {
            send(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await;
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                send(&mut stream, b"x").await;
            }
        })
    })
    .await;
    assert_eq!(get_with(&impatient(), &dripping.url()).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn r12_a_deadline_is_for_all_redirects_together() {
    let slow = Server::handling(|mut stream, _, _| {
        Box::pin(async move {
            tokio::time::sleep(IMPATIENCE * 2 / 3).await;
            send(&mut stream, b"HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n").await;
        })
    })
    .await;
    assert_eq!(get_with(&impatient(), &slow.url()).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn r12_who_has_given_up_holds_no_connection() {
    let (sender, mut closed) = tokio::sync::mpsc::channel(1);
    let silent = Server::handling(move |mut stream, _, _| {
        let sender = sender.clone();
        Box::pin(async move {
            let ended = stream.read_u8().await.is_err();
            sender.send(ended).await.expect("the test waits for it");
        })
    })
    .await;
    assert_eq!(get_with(&impatient(), &silent.url()).await, Err(FetchError::Timeout));
    assert_eq!(closed.recv().await, Some(true));
}

#[tokio::test]
async fn an_endless_row_of_interim_answers_ends_with_the_deadline() {
    let interim = Server::endless("", b"HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(get_with(&impatient(), &interim.url()).await, Err(FetchError::Timeout));
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for answer in ["", "\0\x01\x02", "<html>", "HTTP/1.1 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX"]
    {
        assert_eq!(got(answer).await, Err(FetchError::Protocol), "{answer:?}");
    }
    let bad_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nCRL\r\n0\r\n\r\n";
    assert_eq!(got(bad_chunk).await, Err(FetchError::Protocol));
    let no_last_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nCRL\r\n";
    assert_eq!(got(no_last_chunk).await, Err(FetchError::Protocol));
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_no_answer() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    assert!(got(answer).await.is_err());
}

#[tokio::test]
async fn who_takes_no_connection_is_told_from_who_is_silent() {
    // Bound, so nobody else listens there.
    let deaf = tokio::net::TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
    let text = format!("http://{}/", deaf.local_addr().expect("it is bound"));
    assert_eq!(get_with(&client(settings()), &text).await, Err(FetchError::Connect));
    let proxy = super::Proxy::parse(&text).ok();
    let proxied = client(Settings { proxy, ..settings() });
    assert_eq!(get_with(&proxied, "http://crl.test/").await, Err(FetchError::NoProxy));
}

#[tokio::test]
async fn a_name_that_can_not_be_one_has_no_address() {
    // A label is at most 63 octets long: the resolver asks nobody.
    let text = format!("http://{}.test/", "x".repeat(64));
    assert_eq!(get_with(&client(settings()), &text).await, Err(FetchError::Name));
}

#[tokio::test]
async fn whatever_roots_the_system_has_http_works() {
    let server = Server::answering(&["HTTP/1.1 200 OK\r\n\r\nCRL"]).await;
    let client = super::Client::new(settings()).expect("TLS can be set up");
    assert_eq!(get_with(&client, &server.url()).await, body("CRL"));
}

#[test]
fn what_an_error_says_and_is_counted_as() {
    assert_eq!(FetchError::Status(404).to_string(), "the server answers 404");
    assert_eq!(FetchError::Status(404).label(), "status");
    let forbidden = FetchError::Forbidden([10, 0, 0, 1].into());
    assert!(forbidden.to_string().contains("10.0.0.1"));
    assert_eq!(forbidden.label(), "forbidden-address");
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_whole_url_and_the_name_is_not_looked_up() {
    let proxy = Server::answering(&["HTTP/1.1 200 OK\r\n\r\nCRL"]).await;
    // The proxy's own address is the administrator's: nothing is allowed here.
    let proxied = client(Settings { proxy: through(&proxy), allow: Vec::new(), ..settings() });
    // Nobody can look up a label of 64 octets.
    let name = format!("{}.test", "x".repeat(64));
    assert_eq!(get_with(&proxied, &format!("http://{name}/ca.crl?x")).await, body("CRL"));
    let head = &proxy.heads()[0];
    assert!(head.starts_with(&format!("GET http://{name}/ca.crl?x HTTP/1.1\r\nhost: {name}\r\n")), "{head}");
}

#[tokio::test]
async fn a_proxy_is_led_by_redirects_too() {
    let answers = ["HTTP/1.1 302 Found\r\nLocation: http://other.test/b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nCRL"];
    let proxy = Server::answering(&answers).await;
    let proxied = client(Settings { proxy: through(&proxy), ..settings() });
    assert_eq!(get_with(&proxied, "http://crl.test/a").await, body("CRL"));
    assert!(proxy.heads()[1].starts_with("GET http://other.test/b HTTP/1.1\r\n"));
}
