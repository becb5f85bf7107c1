//! https.

use std::sync::Arc;

use rcgen::SanType;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::server::{Server, send};
use super::{Client, FetchError, Settings, body, client, get_with, settings, through};
use crate::support::certificates::{self, Authority, Key, authority};

const FOUND: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nCRL";

/// For `crl.test` and 127.0.0.1.
fn acceptor(ca: &Authority) -> TlsAcceptor {
    let mut params = certificates::server("crl.test");
    params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let own = certificates::certified(params, Key::P256, Some(ca));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key().serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key)
        .expect("its certificate");
    TlsAcceptor::from(Arc::new(config))
}

/// Answers under TLS.
async fn secure(ca: &Authority, answer: &'static str) -> Server {
    let acceptor = acceptor(ca);
    Server::raw(move |stream| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = [0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            assert!(read.is_ok_and(|length| request[..length].starts_with(b"GET /")));
            send(&mut stream, answer.as_bytes()).await;
            drop(tokio::io::AsyncWriteExt::shutdown(&mut stream).await);
        })
    })
    .await
}

/// Answers CONNECT and leads every tunnel to one port, whatever it was asked for.
async fn tunnelling(to: u16) -> Server {
    Server::handling(move |mut stream, _, _| {
        Box::pin(async move {
            send(&mut stream, b"HTTP/1.1 200 Connection established\r\n\r\n").await;
            let mut there = TcpStream::connect(("127.0.0.1", to)).await.expect("it listens");
            drop(copy_bidirectional(&mut stream, &mut there).await);
        })
    })
    .await
}

fn rooted(ca: &Authority, settings: Settings) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).expect("a root");
    Client::with_roots(settings, roots).expect("TLS")
}

/// A client with a root, of somebody.
pub(super) fn trusting(settings: Settings) -> Client {
    rooted(&authority("Somebody", None), settings)
}

fn at(server: &Server) -> String {
    format!("https://127.0.0.1:{}/ca.crl", server.port)
}

fn is_tls_error(found: &Result<super::Fetched, FetchError>, word: &str) -> bool {
    matches!(found, Err(FetchError::Tls(why)) if why.contains(word))
}

#[tokio::test]
async fn a_body_comes_under_tls() {
    let ca = authority("Web CA", None);
    let server = secure(&ca, FOUND).await;
    assert_eq!(get_with(&rooted(&ca, settings()), &at(&server)).await, body("CRL"));
}

#[tokio::test]
async fn a_server_of_an_unknown_ca_is_not_asked() {
    let server = secure(&authority("Web CA", None), FOUND).await;
    let found = get_with(&trusting(settings()), &at(&server)).await;
    assert!(is_tls_error(&found, "no root"), "{found:?}");
}

#[tokio::test]
async fn a_server_for_another_name_is_not_asked() {
    let ca = authority("Web CA", None);
    let server = secure(&ca, FOUND).await;
    let text = format!("https://localhost:{}/", server.port);
    let found = get_with(&rooted(&ca, settings()), &text).await;
    assert!(is_tls_error(&found, "another host"), "{found:?}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_not_asked() {
    let server =
        Server::raw(|mut stream| Box::pin(async move { send(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await }))
            .await;
    let found = get_with(&trusting(settings()), &at(&server)).await;
    assert!(is_tls_error(&found, ""), "{found:?}");
}

#[tokio::test]
async fn without_roots_http_works_and_https_does_not() {
    let ca = authority("Web CA", None);
    let found = get_with(&client(settings()), &at(&secure(&ca, FOUND).await)).await;
    assert_eq!(found, Err(FetchError::NoRoots));
    assert_eq!(super::got(FOUND).await, body("CRL"));
}

#[tokio::test]
async fn r13_a_redirect_from_https_to_http_is_not_followed() {
    let ca = authority("Web CA", None);
    let server = secure(&ca, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n").await;
    let found = get_with(&rooted(&ca, settings()), &at(&server)).await;
    assert!(matches!(found, Err(FetchError::ForbiddenRedirect(_))), "{found:?}");
}

#[tokio::test]
async fn r11_a_body_cut_off_under_tls_is_not_whole() {
    let ca = authority("Web CA", None);
    let acceptor = acceptor(&ca);
    let server = Server::raw(move |stream| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            let mut stream = acceptor.accept(stream).await.expect("it trusts us");
            send(&mut stream, b"HTTP/1.1 200 OK\r\n\r\nCR").await;
            // No close_notify: anybody on the way could have done this.
        })
    })
    .await;
    assert_eq!(get_with(&rooted(&ca, settings()), &at(&server)).await, Err(FetchError::Protocol));
}

#[tokio::test]
async fn a_proxy_leads_to_https_without_a_look_inside() {
    let ca = authority("Web CA", None);
    let server = secure(&ca, FOUND).await;
    let proxy = tunnelling(server.port).await;
    let proxied = rooted(&ca, Settings { proxy: through(&proxy), allow: Vec::new(), ..settings() });
    assert_eq!(get_with(&proxied, "https://crl.test/ca.crl").await, body("CRL"));
    let head = &proxy.heads()[0];
    assert!(head.starts_with("CONNECT crl.test:443 HTTP/1.1\r\nhost: crl.test:443\r\n"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_leads_no_further_is_told_from_a_server_that_does_not() {
    let proxy = Server::answering(&["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"]).await;
    let proxied = trusting(Settings { proxy: through(&proxy), ..settings() });
    assert_eq!(get_with(&proxied, "https://crl.test/").await, Err(FetchError::Proxy(407)));
}
