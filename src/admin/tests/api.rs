//! The areas of the API that stand on nothing else.

use serde_json::{Value, json};

use super::*;
use crate::admin::authorities::{Authority, Crl, Vanished};
use crate::support::certificates;

/// A made-up authority.
pub(super) fn authority(name: &str) -> Authority {
    let crl = Crl {
        source: "=cmd|' /C calc'!A0".into(),
        number: Some("2a".into()),
        this_update: Some(Time(NOW)),
        next_update: None,
        entries: Some(7),
        last_fetch: None,
        error: Some("no route, \"really\"".into()),
    };
    Authority {
        name: name.into(),
        issuers: vec!["CN=CA".into()],
        anchor_not_after: Time(NOW),
        revocation: "crl",
        distrust: None,
        crls: vec![crl],
        responders: Vec::new(),
        vanished: Vanished::default(),
        problems: Vec::new(),
    }
}

/// What was understood, as the answer.
pub(super) fn explained(question: Question) -> Result<Value, Unexplained> {
    match question.service.as_deref() {
        Some("none") => Err(Unexplained::NoService("there is no service \"none\"".into())),
        _ => Ok(
            json!({ "chain": question.chain.len(), "at": question.at.map(|at| at.0), "ja": question.lang == Some(Lang::Ja) }),
        ),
    }
}

fn json_of(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").expect("an answer").1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

impl Here {
    fn post(&self, path: &str, body: &str) -> String {
        let host = self.address;
        let head = "Authorization: Bearer looks\r\nContent-Type: application/json\r\nConnection: close";
        self.send(
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                .as_bytes(),
        )
    }
}

#[test]
fn authorities_are_a_list_in_pages() {
    let here = door(true, true);
    let (mut path, mut names) = ("/api/v1/authorities?limit=2".to_owned(), Vec::new());
    loop {
        let page = json_of(&here.get(&path, Some("looks")));
        names.extend(
            page["items"].as_array().expect("items").iter().map(|one| one["name"].as_str().expect("a name").to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/authorities?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["ca1", "ca2", "ca3"]);
    let wrong = here.get("/api/v1/authorities?limit=many", Some("looks"));
    assert_eq!((status(&wrong), &json_of(&wrong)["instance"]), (400, &json!("/api/v1/authorities")));
}

#[test]
fn authorities_are_a_table_without_formulas_for_who_wants_csv() {
    let here = door(true, true);
    let answer = here.ask("GET", "/api/v1/authorities", "Authorization: Bearer looks\r\nAccept: text/csv\r\n");
    assert!(answer.contains("content-type: text/csv"), "{answer}");
    let line = "ca1,'=cmd|' /C calc'!A0,2a,2027-01-15T08:00:00Z,,7,,\"no route, \"\"really\"\"\"";
    assert_eq!(answer.lines().skip_while(|line| !line.starts_with("authority,")).nth(1), Some(line));
}

#[test]
fn what_is_known_already_is_not_sent_again() {
    let here = door(true, true);
    let answer = here.get("/api/v1/authorities", Some("looks"));
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a version");
    let again =
        here.ask("GET", "/api/v1/authorities", &format!("Authorization: Bearer looks\r\nIf-None-Match: {tag}\r\n"));
    assert_eq!(status(&again), 304);
}

#[test]
fn a_certificate_is_explained() {
    let here = door(true, true);
    let ca = certificates::authority("CA", None);
    let pem = ca.pem();
    let asked =
        json!({ "pem": pem.clone() + &pem, "service": "JAIST", "at": "2027-03-31T23:59:59+09:00", "lang": "ja" });
    let answer = here.post("/api/v1/explain", &asked.to_string());
    assert_eq!(json_of(&answer), json!({ "chain": 2, "at": 1_806_505_199, "ja": true }), "{answer}");
    for (asked, code, field) in [
        (json!({ "pem": "x" }), 422, "pem"),
        (json!({ "pem": "-----BEGIN CERTIFICATE-----\n" }), 422, "pem"),
        (json!({ "pem": pem.repeat(7) }), 422, "pem"),
        (json!({ "pem": pem, "service": "none" }), 422, "service"),
        (json!({ "pem": pem, "at": "noon" }), 422, "at"),
        (json!({ "pem": pem, "lang": "de" }), 422, "lang"),
        (json!({ "pem": pem, "servce": "JAIST" }), 422, "servce"),
        (json!({}), 422, "."),
    ] {
        let answer = here.post("/api/v1/explain", &asked.to_string());
        assert_eq!((status(&answer), json_of(&answer)["errors"][0]["field"].as_str()), (code, Some(field)), "{answer}");
    }
    assert_eq!(status(&here.post("/api/v1/explain", "{")), 400);
    assert_eq!(status(&here.post("/api/v1/explain?x=y", &json!({ "pem": pem }).to_string())), 200);
}

#[test]
fn a01_who_may_only_ask_for_a_status_sees_neither() {
    let here = door(true, true);
    let answer = here.get("/api/v1/authorities", Some("sso"));
    assert_eq!(status(&answer), 403);
    assert!(json_of(&answer)["detail"].as_str().is_some_and(|detail| detail.contains("viewer")), "{answer}");
}

#[test]
fn every_body_of_the_description_denies_what_it_does_not_know() {
    let document = openapi::document(&routes::table());
    for route in routes::table() {
        let Some(body) = &route.body else { continue };
        let place = body["$ref"].as_str().expect("a reference").trim_start_matches('#');
        assert_eq!(document.pointer(place).expect("a schema")["additionalProperties"], json!(false), "{place}");
    }
}

#[test]
fn axums_own_refusals_are_problems() {
    let here = door(true, true);
    let long = here.post("/api/v1/explain", &"x".repeat((1 << 20) + 1));
    let chunked = {
        let host = here.address;
        let head = format!(
            "POST /api/v1/explain HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer looks\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let piece = format!("40000\r\n{}\r\n", "x".repeat(0x40000));
        here.send((head + &piece.repeat(5) + "0\r\n\r\n").as_bytes())
    };
    let method = here.ask("DELETE", "/api/v1/explain", "Authorization: Bearer looks\r\n");
    for (answer, code) in [(long, 413), (chunked, 413), (method, 405)] {
        assert_eq!(status(&answer), code, "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert_eq!(json_of(&answer)["instance"], "/api/v1/explain");
    }
}

#[test]
fn a04_a_body_that_never_ends_is_not_waited_for() {
    let here = door(true, true);
    let head = "Authorization: Bearer looks\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n";
    let answer = here.ask("POST", "/api/v1/explain", head);
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[test]
fn a07_no_answer_holds_a_token_or_its_hash() {
    let here = door(true, true);
    let secrets: Vec<String> =
        here.shared.settings().tokens.iter().map(|token| data_encoding::HEXLOWER.encode(&token.sha256)).collect();
    for route in routes::table() {
        let answer = here.get(&filled(route.path), Some("looks"));
        assert!(!secrets.iter().any(|secret| answer.contains(secret)), "{}: {answer}", route.path);
        assert!(!answer.contains("Bearer looks"), "{}: {answer}", route.path);
    }
}

/// Keeps what it is told, or can't.
#[derive(Default)]
struct Book {
    is_full: bool,
    lines: Mutex<Vec<Entry>>,
}

impl Audit for Book {
    fn record(&self, entry: Entry) -> Later<'_, Result<(), Unwritten>> {
        self.lines.lock().expect("no panic").push(entry);
        Box::pin(std::future::ready(if self.is_full { Err(Unwritten) } else { Ok(()) }))
    }
}

#[test]
fn a01_what_cannot_be_audited_is_not_answered_as_done() {
    let caller = Caller { name: "desk".into(), role: Role::Operator, certificate: Some("op@campus.example".into()) };
    for is_full in [false, true] {
        let book = Arc::new(Book { is_full, ..Book::default() });
        let here = door(true, true);
        let shared = here.shared.clone().with_audit(Arc::clone(&book) as Arc<dyn Audit>);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let audited =
            runtime.block_on(shared.audit(&caller, "block-user", "x@campus.example", json!({ "reason": "" })));
        assert_eq!(audited.is_ok(), !is_full);
        let line = book.lines.lock().expect("no panic").pop().expect("it was told");
        assert_eq!((line.at, line.caller, line.action), (NOW, caller.clone(), "block-user"));
    }
}
