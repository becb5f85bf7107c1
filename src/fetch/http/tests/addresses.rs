//! Where redirects and names lead, and where they must not.

use std::net::IpAddr;

use super::server::Server;
use super::{FetchError, Settings, body, client, get, get_with, prefix, settings, through};
use crate::fetch::http::address::may_connect;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n")
}

const FOUND: &str = "HTTP/1.1 200 OK\r\n\r\nCRL";

#[tokio::test]
async fn r13_three_redirects_are_followed_and_no_fourth() {
    let three = [&*redirect("/1"), &redirect("2"), &redirect("?3"), FOUND];
    let server = Server::answering(&three).await;
    assert_eq!(get(&server).await, body("CRL"));
    let asked: Vec<String> =
        server.heads().iter().map(|head| head.split(' ').nth(1).expect("a target").to_owned()).collect();
    assert_eq!(asked, ["/ca.crl", "/1", "/2", "/2?3"]);
    let four = [&*redirect("/1"), &redirect("/2"), &redirect("/3"), &redirect("/4"), FOUND];
    assert_eq!(get(&Server::answering(&four).await).await, Err(FetchError::TooManyRedirects));
}

#[tokio::test]
async fn r13_every_status_that_redirects_does() {
    for status in [301, 302, 303, 307, 308] {
        let there = format!("HTTP/1.1 {status} X\r\nLocation: /there#fragment\r\n\r\n");
        let server = Server::answering(&[&there, FOUND]).await;
        assert_eq!(get(&server).await, body("CRL"));
        assert!(server.heads()[1].starts_with("GET /there HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn r13_a_loop_ends_by_the_count() {
    let server = Server::answering(&[&redirect("/ca.crl")]).await;
    assert_eq!(get(&server).await, Err(FetchError::TooManyRedirects));
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn r13_no_redirect_leads_out_of_http() {
    for to in ["file:///etc/passwd", "ftp://crl.test/", "gopher:x", "data:,x", "http://a@crl.test/", "http:///"] {
        let found = get(&Server::answering(&[&redirect(to), FOUND]).await).await;
        assert!(matches!(found, Err(FetchError::ForbiddenRedirect(_))), "{to}: {found:?}");
    }
    let nowhere = "HTTP/1.1 302 Found\r\n\r\n";
    let found = get(&Server::answering(&[nowhere]).await).await;
    assert!(matches!(found, Err(FetchError::ForbiddenRedirect(_))), "{found:?}");
}

#[tokio::test]
async fn r13_a_redirect_to_an_address_that_is_not_allowed_is_not_followed() {
    for to in ["169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:169.254.169.254]", "0.0.0.0"] {
        let server = Server::answering(&[&redirect(&format!("http://{to}/latest/meta-data/"))]).await;
        let found = get(&server).await;
        assert_eq!(found, Err(FetchError::Forbidden(ip(to.trim_matches(['[', ']'])))), "{to}");
    }
}

#[tokio::test]
async fn r13_loopback_must_be_allowed_however_it_is_written() {
    let server = Server::answering(&[FOUND]).await;
    let strict = client(Settings { allow: Vec::new(), ..settings() });
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::1]"] {
        let found = get_with(&strict, &format!("http://{host}:{}/", server.port)).await;
        assert!(matches!(found, Err(FetchError::Forbidden(_))), "{host}: {found:?}");
    }
    assert_eq!(server.heads(), [""; 0]);
    assert_eq!(get_with(&client(settings()), &format!("http://localhost:{}/", server.port)).await, body("CRL"));
}

#[tokio::test]
async fn r13_an_address_in_the_url_is_checked_before_a_proxy_is_asked() {
    let proxy = Server::answering(&[FOUND]).await;
    let proxied = client(Settings { proxy: through(&proxy), ..settings() });
    let found = get_with(&proxied, "http://169.254.169.254/").await;
    assert_eq!(found, Err(FetchError::Forbidden(ip("169.254.169.254"))));
    assert_eq!(proxy.heads(), [""; 0]);
}

#[test]
fn r13_addresses_that_are_not_public() {
    let not_public = [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    ];
    for address in not_public {
        assert!(!may_connect(ip(address), &[]), "{address}");
        let all = [prefix("0.0.0.0/0"), prefix("::/0")];
        assert!(may_connect(ip(address), &all), "{address} if everything is allowed");
    }
}

#[test]
fn r13_addresses_that_are_public() {
    let public = [
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.0.0.1",
        "128.0.0.1",
        "150.65.1.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "223.255.255.254",
        "2001:200::1",
        "2a00::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ];
    for address in public {
        assert!(may_connect(ip(address), &[]), "{address}");
    }
}

#[test]
fn r13_what_is_allowed_is_the_network_and_no_more() {
    let allow = [prefix("10.1.0.0/16"), prefix("fd00:1::/32")];
    for (address, allowed) in [
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("::ffff:10.1.2.3", true),
        ("64:ff9b::10.1.2.3", true),
        ("64:ff9b::10.2.0.1", false),
        ("fd00:1::5", true),
        ("fd00:2::5", false),
        ("127.0.0.1", false),
    ] {
        assert_eq!(may_connect(ip(address), &allow), allowed, "{address}");
    }
}
