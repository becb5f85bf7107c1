//! The API as CONTRACT.md has it, word by word, as somebody meets it who has read nothing else.

use rcgen::DnType;
use serde_json::{Value, json};

use super::afar::login;
use super::registry::{Said, ask, ask_with, campus, campus_with, good, let_in, register, wait_for};
use super::support::certificates::{Key, client, crl, day};
use super::{Campus, Serving};

const CERTIFICATES: &str = "/api/v1/certificates";

fn id(certificate: &Value) -> String {
    certificate["id"].as_str().expect("an id").to_owned()
}

fn status(serving: &Serving, role: &str, method: &str, path: &str, body: Option<Value>) -> u16 {
    ask(serving, role, method, path, body).0
}

/// With colons, as `openssl x509 -fingerprint` prints it.
fn apart(hex: &str) -> String {
    hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect::<Vec<_>>().join(":")
}

#[test]
fn ids_are_taken_as_people_paste_them() {
    let campus = campus();
    let serving = campus.start();
    let id = id(&register(&campus, &serving));
    let record = json!({ "application": "2026:15", "authority": "ca", "serial": "00:C3:0A:ff" });
    assert_eq!(good(ask(&serving, "registrar", "POST", CERTIFICATES, Some(record)))["id"], "ca:c30aff");
    let written = [
        (id.clone(), &*id),
        (id.to_uppercase(), &*id),
        (apart(&id), &*id),
        ("ca:5".into(), &*id),
        ("ca:05".into(), &*id),
        ("ca:0x05".into(), &*id),
        ("ca%3A05".into(), &*id),
        ("ca:C3:0A:FF".into(), "ca:c30aff"),
        ("ca:00c30aff".into(), "ca:c30aff"),
        ("application:2026:15".into(), "ca:c30aff"),
        ("application%3A2026%3A15".into(), "ca:c30aff"),
    ];
    for (text, wanted) in &written {
        for more in ["", "/status"] {
            let said = good(ask(&serving, "viewer", "GET", &format!("{CERTIFICATES}/{text}{more}"), None));
            assert_eq!(said["id"], *wanted, "{text}{more}");
        }
        assert_eq!(status(&serving, "viewer", "GET", &format!("{CERTIFICATES}/{text}/authentications"), None), 200);
    }
    for (text, code) in [
        ("0".repeat(64), 404),
        ("ca:06".into(), 404),
        ("nobody:05".into(), 404),
        ("application:1".into(), 404),
        ("5".into(), 400),
        ("ca:".into(), 400),
        (":05".into(), 400),
        ("ca:5g".into(), 400),
        ("application:".into(), 400),
        ("%FF".into(), 400),
        ("x".repeat(2_000), 400),
    ] {
        assert_eq!(status(&serving, "viewer", "GET", &format!("{CERTIFICATES}/{text}"), None), code, "{text}");
    }
    for beginning in ["HANAKO@", "hokuriku", "05", "c30a", "C3:0A", "00:c3", "0xc3"] {
        let said = good(ask(&serving, "viewer", "GET", &format!("{CERTIFICATES}?q={beginning}"), None));
        let found = said["items"].as_array().map_or(0, Vec::len);
        assert_eq!(found, usize::from(beginning != "hokuriku"), "{beginning}");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn every_query_is_read_or_refused_with_the_field_that_is_wrong() {
    let campus = campus();
    let serving = campus.start();
    register(&campus, &serving);
    let good_ones = [
        "certificates?status=revoked&q=&authority=ca&expiring-within=30d&limit=1000",
        "certificates?expiring-within=30",
        "certificates?expiring-within=12h",
        "certificates?expiring-within=0",
        "authentications?user=x&mac=AA-BB-CC-DD-EE-FF&outcome=reject&reason=blocked&since=2026-01-01T00:00:00%2B09:00",
        "authentications?mac=aabb.ccdd.eeff&since=2026-01-01T00:00:00Z",
        "authentications?outcome=challenge",
        "reports/expiring?days=0&limit=1",
        "reports/old-authority",
        "reports/unused",
        "reports/unconfirmed?days=36500",
        "authorities?limit=1",
        "users/blocked?limit=1",
        "audit?limit=1",
    ];
    for path in good_ones {
        let said = good(ask(&serving, "operator", "GET", &format!("/api/v1/{path}"), None));
        assert!(said["items"].is_array() && said.get("next").is_some(), "{path}: {said}");
    }
    for (path, field) in [
        ("certificates?limit=0", "limit"),
        ("certificates?limit=1001", "limit"),
        ("certificates?limit=-1", "limit"),
        ("certificates?limit=abc", "limit"),
        ("certificates?limit=", "limit"),
        ("certificates?cursor=abc", "cursor"),
        ("certificates?cursor=", "cursor"),
        ("certificates?status=lost", "status"),
        ("certificates?expiring-within=soon", "expiring-within"),
        ("certificates?expiring-within=-1", "expiring-within"),
        ("certificates?expiring-within=99999999999999999999d", "expiring-within"),
        ("certificates?expiring_within=1", "expiring_within"),
        ("authentications?outcome=lost", "outcome"),
        ("authentications?reason=lost", "reason"),
        ("authentications?since=yesterday", "since"),
        ("authentications?since=2026-01-01", "since"),
        ("reports/expiring?days=-1", "days"),
        ("reports/unconfirmed?days=36501", "days"),
        ("reports/unused?days=1", "days"),
        ("audit?user=x", "user"),
    ] {
        let Said(code, problem, text) = ask(&serving, "operator", "GET", &format!("/api/v1/{path}"), None);
        assert_eq!((code, problem["errors"][0]["field"].as_str()), (400, Some(field)), "{path}: {text}");
        assert!(text.contains("application/problem+json") && problem["status"] == 400, "{path}: {text}");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a01_each_route_wants_the_role_that_the_contract_gives_it() {
    let campus = campus();
    let old = data_encoding::HEXLOWER.encode(&sekisho::admin::hash_token(b"old"));
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let expired = format!(
        "{text}\n[[admin.token]]\nname = \"old\"\nsha256 = \"{old}\"\nrole = \"operator\"\nexpires = 2020-01-01T00:00:00Z\n"
    );
    campus.write("sekisho.toml", &expired);
    let serving = campus.start();
    // What is asked for is nothing that there is, or that can be done.
    let routes = [
        ("GET", "certificates", 1),
        ("GET", "certificates/ca:77", 1),
        ("GET", "certificates/ca:77/status", 0),
        ("POST", "certificates", 2),
        ("POST", "certificates/nobody:77/revocation", 2),
        ("DELETE", "certificates/ca:77/revocation", 3),
        ("POST", "users/%20/block", 3),
        ("DELETE", "users/nobody/block", 3),
        ("GET", "users/nobody/block", 1),
        ("DELETE", "users/nobody/otp", 3),
        ("GET", "users/blocked", 1),
        ("GET", "certificates/ca:77/authentications", 1),
        ("GET", "authentications", 1),
        ("GET", "authorities", 1),
        ("GET", "reports/expiring", 1),
        ("GET", "reports/old-authority", 1),
        ("GET", "reports/unused", 1),
        ("GET", "reports/unconfirmed", 1),
        ("GET", "audit", 3),
        ("POST", "explain", 1),
    ];
    for (method, path, least) in routes {
        let body = || (method == "POST").then(|| json!({}));
        for (rank, role) in ["status", "viewer", "registrar", "operator"].into_iter().enumerate() {
            let code = status(&serving, role, method, &format!("/api/v1/{path}"), body());
            assert_eq!(code == 403, rank < least, "{method} {path} {role}: {code}");
            assert!(matches!(code, 200 | 400 | 403 | 404 | 422), "{method} {path} {role}: {code}");
        }
    }
    for token in ["old", "wrong", ""] {
        let said = ask(&serving, token, "DELETE", "/api/v1/users/nobody/block", None);
        assert_eq!(said.0, 401, "{token}: {}", said.2);
        assert!(said.2.contains("www-authenticate: Bearer"), "{}", said.2);
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn names_of_people_stand_in_paths_however_they_are_encoded() {
    let campus = campus();
    let serving = campus.start();
    for (path, name) in [
        ("hanako@example.ac.jp", "hanako@example.ac.jp"),
        ("HANAKO%40Example.ac.jp", "hanako@example.ac.jp"),
        ("a%2Fb", "a/b"),
        ("%E8%8A%B1%E5%AD%90", "花子"),
        ("a%20b", "a b"),
    ] {
        let path = format!("/api/v1/users/{path}/block");
        let said = good(ask(&serving, "operator", "POST", &path, Some(json!({ "reason": "", "until": null }))));
        assert_eq!(said["user"], name);
        assert_eq!(good(ask(&serving, "viewer", "GET", &path, None)), said);
        let again = good(ask(&serving, "operator", "POST", &path, None));
        assert_eq!(again["since"], said["since"]);
        let listed = good(ask(&serving, "viewer", "GET", "/api/v1/users/blocked", None));
        assert_eq!(listed["items"][0]["user"], name);
        let Said(code, _, text) = ask(&serving, "operator", "DELETE", &path, None);
        assert!(code == 204 && text.ends_with("\r\n\r\n"), "{text}");
        assert_eq!(status(&serving, "operator", "DELETE", &path, None), 404);
        assert_eq!(status(&serving, "viewer", "GET", &path, None), 404);
    }
    for path in ["%20", "%00", "%E2%80%AE", "%FF"] {
        let path = format!("/api/v1/users/{path}/block");
        assert_eq!(status(&serving, "operator", "POST", &path, Some(json!({}))), 400, "{path}");
    }
    for (body, field) in [
        (json!({ "reason": "x".repeat(1_025) }), "reason"),
        (json!({ "reason": "\u{202e}x" }), "reason"),
        (json!({ "until": "2001-01-01T00:00:00Z" }), "until"),
        (json!({ "until": "tomorrow" }), "until"),
        (json!({ "untill": null }), "untill"),
    ] {
        let said = ask(&serving, "operator", "POST", "/api/v1/users/x/block", Some(body));
        assert_eq!((said.0, said.1["errors"][0]["field"].as_str()), (422, Some(field)), "{}", said.2);
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn only_an_operators_delete_takes_a_block_back() {
    let campus = campus();
    let serving = campus.start();
    let path = format!("{CERTIFICATES}/{}/revocation", id(&register(&campus, &serving)));
    let blocked = good(ask(&serving, "registrar", "POST", &path, None));
    assert_eq!(blocked["blocked"]["reason"], "unspecified");
    for role in ["registrar", "operator"] {
        assert_eq!(status(&serving, role, "POST", &path, Some(json!({ "block": false }))), 409);
    }
    let again = good(ask(&serving, "operator", "POST", &path, Some(json!({ "reason": "keyCompromise" }))));
    assert_eq!(again["blocked"]["since"], blocked["blocked"]["since"]);
    assert_eq!(again["blocked"]["by"], "registrar1");
    assert_eq!(again["blocked"]["reason"], "keyCompromise");
    // Nor does a list that names another serial.
    let of = |serial: &str| json!({ "application": "A1", "authority": "ca", "serial": serial });
    good(ask(&serving, "registrar", "POST", CERTIFICATES, Some(of("05"))));
    let said = ask(&serving, "registrar", "POST", CERTIFICATES, Some(of("06")));
    assert_eq!(said.0, 409, "{}", said.2);
    for (body, field) in [
        (json!({ "reason": "stolen" }), "reason"),
        (json!({ "note": "x".repeat(4_097) }), "note"),
        (json!({ "blocks": true }), "blocks"),
        (json!({ "block": "yes" }), "block"),
    ] {
        let said = ask(&serving, "registrar", "POST", &path, Some(body));
        assert_eq!((said.0, said.1["errors"][0]["field"].as_str()), (422, Some(field)), "{}", said.2);
    }
    assert_eq!(
        (status(&serving, "operator", "DELETE", &path, None), status(&serving, "operator", "DELETE", &path, None)),
        (200, 409)
    );
    assert_eq!(serving.end(), Some(0));
}

/// Hanako's certificate of a serial, from one day to another.
fn certificate(campus: &Campus, serial: u64, from: i32, to: i32) -> String {
    let mut params = client(&[(DnType::OrganizationName, "Example University")], "hanako@example.ac.jp");
    params.serial_number = Some(serial.into());
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(to, 1, 1));
    let key = Key::P256.make();
    let certificate = params.signed_by(&key, &campus.ca).expect("a certificate");
    campus.write("member.pem", &certificate.pem());
    campus.write("member.key", &key.serialize_pem());
    certificate.pem()
}

#[test]
fn whoever_has_renewed_and_still_uses_the_old_certificate_is_told_on_which_device() {
    let campus = campus();
    let newer = certificate(&campus, 6, 2021, 2048);
    let newer_key = std::fs::read_to_string(campus.path("member.key")).expect("it was written");
    let old = certificate(&campus, 5, 2020, 2047);
    let mut serving = campus.start();
    let report = "/api/v1/reports/expiring?days=36500";
    good(ask(&serving, "registrar", "POST", CERTIFICATES, Some(json!({ "pem": old }))));
    let shown = good(ask(&serving, "viewer", "GET", report, None));
    assert_eq!((&shown["items"][0]["renewed"], &shown["items"][0]["renewed_as"]), (&json!(false), &Value::Null));
    assert!(
        shown["items"][0]["note"]
            .as_str()
            .is_some_and(|note| note.contains("A new certificate is needed before 2047-01-01")),
        "{shown}"
    );
    let newer_id = id(&good(ask(&serving, "registrar", "POST", CERTIFICATES, Some(json!({ "pem": newer.clone() })))));
    let_in(&login(&campus, &serving));
    wait_for(&mut serving, report, "the old one is still used", |it| {
        it["items"][0]["still_used_by"].as_array().is_some_and(|devices| devices.len() == 1)
    });
    let shown = good(ask(&serving, "viewer", "GET", report, None));
    let first = &shown["items"][0];
    assert_eq!(
        (&first["serial"], &first["renewed"], &first["renewed_as"]),
        (&json!("05"), &json!(true), &json!(newer_id))
    );
    let device = first["still_used_by"][0].as_str().expect("an address");
    assert_eq!(first["devices"][0]["mac"], device);
    assert!(
        first["note"].as_str().is_some_and(|note| note.contains("still use the old one") && note.contains(device)),
        "{first}"
    );
    assert_eq!(shown["items"][1]["renewed"], false, "the newest is no successor of itself");
    let table = ask_with(&serving, "viewer", "GET", report, None, "Accept: text/csv\r\n").2;
    assert!(table.contains(&format!(",true,{newer_id},{device},")), "{table}");
    // The device changes.
    campus.write("member.pem", &newer);
    campus.write("member.key", &newer_key);
    let_in(&login(&campus, &serving));
    wait_for(&mut serving, report, "the new one is used", |it| it["items"][0]["still_used_by"] == json!([]));
    let shown = good(ask(&serving, "viewer", "GET", report, None));
    assert!(
        shown["items"][0]["note"].as_str().is_some_and(|note| note.contains("The new certificate is used")),
        "{shown}"
    );
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_block_that_its_authority_does_not_follow_is_an_alarm_until_it_does() {
    let campus = campus_with("unconfirmed-after = \"0s\"");
    let mut serving = campus.start();
    register(&campus, &serving);
    serving.wait_for_metric("sekisho_certificates{status=\"valid\"} 1");
    good(ask(&serving, "registrar", "POST", &format!("{CERTIFICATES}/ca:05/revocation"), None));
    serving.wait_for_metric("sekisho_unconfirmed_blocks_overdue 1");
    serving.wait_for_metric("sekisho_certificates{status=\"revocation-requested\"} 1");
    let ready = serving.get("/readyz");
    assert!(
        ready.contains("HTTP/1.1 200") && ready.contains("1 certificate is blocked here for more than 0s"),
        "{ready}"
    );
    assert!(serving.log().contains("1 certificate is blocked here for more than 0s"), "{}", serving.log());
    campus.scratch.write("ca.crl", crl(&campus.ca, 2, [1, 5], day(2026, 1, 3)..day(2038, 1, 1)).der());
    serving.wait_for_metric("sekisho_unconfirmed_blocks_overdue 0");
    serving.wait_for_metric("sekisho_certificates{status=\"revoked\"} 1");
    assert!(!serving.get("/readyz").contains("is blocked here"), "{}", serving.get("/readyz"));
    assert_eq!(serving.end(), Some(0));
}

/// Whether a character shows nothing or moves others, as far as these tests write any.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}')
}

#[test]
fn o01_what_people_write_comes_back_as_it_was_and_moves_nothing() {
    let campus = campus();
    let serving = campus.start();
    let nasty = "a\n\r\t\u{1b}[31m\u{0}\u{202e}\u{2028}\u{feff}\"<script>";
    let note = format!("{nasty}{}", "x".repeat(4_096 - nasty.len()));
    let path = format!("{CERTIFICATES}/{}/revocation", id(&register(&campus, &serving)));
    good(ask(&serving, "registrar", "POST", &path, Some(json!({ "note": note }))));
    let record =
        json!({ "authority": "ca", "serial": "77", "subject": "=cmd|' /C calc'!A0", "mail": "@SUM(A1),\"x\"" });
    good(ask(&serving, "registrar", "POST", CERTIFICATES, Some(record)));
    let looks = ["certificates/ca:05", "certificates", "reports/unconfirmed", "audit"];
    for path in looks {
        let Said(code, said, text) = ask(&serving, "operator", "GET", &format!("/api/v1/{path}"), None);
        let body = text.split_once("\r\n\r\n").expect("a body").1;
        assert!(code == 200 && !body.contains(is_hidden), "{path}: {body:?}");
        assert!(
            said.to_string().contains(&Value::from(nasty).to_string().trim_matches('"').to_owned()),
            "{path}: {said}"
        );
    }
    for accept in ["text/csv", "application/json"] {
        let header = format!("Accept: {accept}\r\n");
        let text = ask_with(&serving, "viewer", "GET", "/api/v1/reports/unused", None, &header).2;
        let is_escaped = text.contains(",'=cmd|' /C calc'!A0,\"'@SUM(A1),\"\"x\"\"\",");
        assert_eq!(is_escaped, accept == "text/csv", "{text}");
    }
    assert!(!serving.log().replace('\n', "").contains(is_hidden), "{:?}", serving.log());
    for (record, field) in [
        (json!({ "application": "1", "mail": "x".repeat(1_025) }), "mail"),
        (json!({ "application": "x".repeat(257) }), "application"),
        (json!({ "application": "1", "subject": nasty }), "subject"),
    ] {
        let said = ask(&serving, "registrar", "POST", CERTIFICATES, Some(record));
        assert_eq!((said.0, said.1["errors"][0]["field"].as_str()), (422, Some(field)), "{}", said.2);
    }
    assert_eq!(serving.end(), Some(0));
}

fn tag(said: &Said) -> String {
    said.2.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a version").to_owned()
}

#[test]
fn a_version_is_of_what_people_change_and_what_is_shown_is_told_apart_too() {
    let campus = campus();
    let serving = campus.start();
    register(&campus, &serving);
    let path = format!("{CERTIFICATES}/ca:05");
    let look = |known: &str| ask_with(&serving, "viewer", "GET", &path, None, &format!("If-None-Match: {known}\r\n"));
    let first = tag(&ask(&serving, "viewer", "GET", &path, None));
    assert_eq!(look(&first).0, 304);
    // Somebody blocks the owner: the certificate is the same, and what is shown of it isn't.
    let person = "/api/v1/users/hanako@example.ac.jp/block";
    let blocked = ask(&serving, "operator", "POST", person, None);
    assert_eq!(look(&first).0, 200);
    let ask_for = |known: &str, method: &str, path: &str| {
        let header = format!("If-Match: {known}\r\n");
        ask_with(&serving, "operator", method, path, (method == "POST").then(|| json!({})), &header)
    };
    let revocation = format!("{path}/revocation");
    let asked = ask_for(&first, "POST", &revocation);
    assert_eq!(asked.0, 200, "{}", asked.2);
    assert_eq!(ask_for(&first, "DELETE", &revocation).0, 412, "somebody was quicker");
    assert_eq!(ask_for(&tag(&asked), "DELETE", &revocation).0, 200);
    assert_eq!(ask_for("nonsense", "POST", &revocation).0, 400);
    assert_eq!(ask_for("*", "POST", &format!("{CERTIFICATES}/ca:99/revocation")).0, 412, "there is nothing yet");
    // The same of people.
    assert_eq!(ask_for("\"x\"", "DELETE", person).0, 412);
    let changed = ask_with(&serving, "operator", "POST", person, Some(json!({ "reason": "left" })), "");
    assert_eq!(ask_for(&tag(&blocked), "DELETE", person).0, 412);
    assert_eq!(ask_for(&tag(&changed), "DELETE", person).0, 204);
    assert_eq!(serving.end(), Some(0));
}
