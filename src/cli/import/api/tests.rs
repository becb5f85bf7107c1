use std::time::Duration;

use hyper::StatusCode;

use super::answer::{Answer, Verdict};
use super::{Api, Connector, Registered, Target};
use crate::secret::Secret;

#[test]
fn an_api_is_where_a_url_says() {
    for (url, wanted) in [
        ("http://127.0.0.1:9812", "http://127.0.0.1:9812"),
        ("http://localhost/", "http://localhost"),
        ("https://radius1.campus.example:9812/", "https://radius1.campus.example:9812"),
        ("https://[2001:db8::1]:443/sekisho/api/v1", "https://[2001:db8::1]"),
    ] {
        assert_eq!(Target::parse(url).unwrap().to_string(), wanted);
    }
    for url in [
        "",
        "radius1",
        "ftp://x",
        "http://",
        "http:///x",
        "http://u:secret@h/",
        "http://h/?x",
        "http://h/#x",
        "http://h:99999",
    ] {
        let error = Target::parse(url).unwrap_err();
        assert!(!error.contains("secret"), "{url}: {error}");
    }
}

#[test]
fn what_is_no_token_is_refused_and_not_repeated() {
    for token in ["", "two words", "sēcret", "line\u{7}"] {
        let connector = Connector::new(Target::parse("http://127.0.0.1:1").unwrap(), None).unwrap();
        let error = Api::new(connector, &Secret::new(token)).err().unwrap();
        assert!(token.is_empty() || !error.contains(token), "{error}");
    }
}

#[test]
fn each_answer_has_one_meaning() {
    let judged = |status: u16, body: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, retry_after: Some(Duration::from_secs(7)), body: body.to_owned().into() }.verdict()
    };
    assert_eq!(judged(201, "{}"), Verdict::Done(Registered::New));
    assert_eq!(judged(200, "{}"), Verdict::Done(Registered::Known));
    let problem =
        r#"{"title":"x","detail":"this can't be registered","errors":[{"field":"mail","detail":"is \u001b[2Jnone"}]}"#;
    let Verdict::Done(Registered::Refused(why)) = judged(422, problem) else { panic!() };
    assert_eq!(why, "422 Unprocessable Entity: this can't be registered; mail: is \\u{1b}[2Jnone");
    for status in [429, 503, 502, 500, 408] {
        assert!(matches!(judged(status, "busy"), Verdict::Later { after: Some(after), .. } if after.as_secs() == 7));
    }
    for status in [401, 403, 404, 405, 301, 421] {
        assert!(matches!(judged(status, "<html>"), Verdict::Stop(_)), "{status}");
    }
}
