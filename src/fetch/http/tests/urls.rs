//! URLs.

use super::{FetchError, Proxy, Url, url};

fn shown(text: &str) -> String {
    url(text).to_string()
}

#[test]
fn urls_that_mean_the_same_are_the_same() {
    for text in ["http://crl.test", "HTTP://CRL.test/", "http://crl.test:80/", "http://crl.test:/"] {
        assert_eq!(url(text), url("http://crl.test/"), "{text}");
        assert_eq!(shown(text), "http://crl.test/");
    }
    assert_ne!(url("http://crl.test/"), url("https://crl.test/"));
    assert_ne!(url("http://crl.test/"), url("http://crl.test:8080/"));
    assert_ne!(url("http://crl.test/a"), url("http://crl.test/A"));
}

#[test]
fn urls_are_shown_as_they_are_fetched() {
    for text in [
        "https://crl.test/a/b.crl?c=d&e",
        "http://crl.test:8080/a%20b.crl",
        "http://[2001:db8::1]:81/",
        "http://[2001:db8::1]/",
        "http://192.0.2.1/x",
        "https://crl.test:80/",
    ] {
        assert_eq!(shown(text), text);
    }
    assert_eq!(shown("http://crl.test?x"), "http://crl.test/?x");
}

#[test]
fn r13_what_is_not_an_http_url_is_none() {
    let long = format!("http://crl.test/{}", "x".repeat(3000));
    let long_name = format!("http://{}/", "x.".repeat(200));
    for text in [
        "",
        "crl.test",
        "crl.test:80",
        "/ca.crl",
        "//crl.test/",
        "*",
        "http://",
        "http:///x",
        "http://:80/",
        "file:///etc/passwd",
        "ftp://crl.test/",
        "ldap://crl.test/cn=x",
        "javascript:x",
        "unix:/run/x",
        "http://a@crl.test/",
        "http://a:b@crl.test/",
        "http://crl.test/#a",
        "http://crl.test:0/",
        "http://crl.test:65536/",
        "http://crl.test:x/",
        "http://[::1",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://a b/",
        "http://crl.test/a b",
        "http://crl.test/\r\nX: y",
        "http://crl.test/\0",
        "http://crl.te\u{301}st/",
        "http://crl.test/\u{202e}x",
        "http://cr%6c.test/",
        "http://crl,test/",
        // What a resolver or a proxy takes for an address that we haven't seen.
        "http://2130706433/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://0X7F.1/",
        "http://127.0.0.0x1/",
        "http://0177.0.0.01/",
        "http://127.0.0.1./",
        "http://crl.test.0x/",
        "http://.../",
        " http://crl.test/",
        &long,
        &long_name,
    ] {
        assert!(matches!(Url::parse(text), Err(FetchError::BadUrl(_))), "{text}: {:?}", Url::parse(text));
    }
}

#[test]
fn references_are_made_absolute() {
    let from = url("http://crl.test:81/a/b?c");
    for (reference, to) in [
        ("https://other.test/x", "https://other.test/x"),
        ("HTTP://other.test", "http://other.test/"),
        ("//other.test/x", "http://other.test/x"),
        ("/x", "http://crl.test:81/x"),
        ("x/y", "http://crl.test:81/a/x/y"),
        ("x?y=a:b", "http://crl.test:81/a/x?y=a:b"),
        ("?x", "http://crl.test:81/a/b?x"),
        ("", "http://crl.test:81/a/b?c"),
        ("#x", "http://crl.test:81/a/b?c"),
    ] {
        assert_eq!(from.redirected(reference).as_ref().map(ToString::to_string), Ok(to.to_owned()), "{reference}");
    }
}

#[test]
fn r13_https_never_becomes_http() {
    let from = url("https://crl.test/");
    assert!(matches!(from.redirected("http://crl.test/"), Err(FetchError::ForbiddenRedirect(_))));
    assert_eq!(from.redirected("//other.test/"), Ok(url("https://other.test/")));
    assert_eq!(url("http://crl.test/").redirected("https://crl.test/"), Ok(from));
}

#[test]
fn a_proxy_is_a_host_and_a_port() {
    assert!(Proxy::parse("http://proxy.test:3128").is_ok());
    assert!(Proxy::parse("http://[2001:db8::1]:3128/").is_ok());
    for text in ["proxy.test:3128", "https://proxy.test:3128", "socks5://proxy.test", "http://proxy.test/x", ""] {
        assert!(Proxy::parse(text).is_err(), "{text}");
    }
}
