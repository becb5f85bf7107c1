//! The registry through the API, on the real program: what an operator asks for is in force when he is answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::afar::{login, member};
use super::support::certificates::{Key, client, crl, day};
use super::{Campus, PATIENCE, Serving, said};

use rcgen::DnType;

const ROLES: [&str; 4] = ["status", "viewer", "registrar", "operator"];

/// With a token for each role, which is its name.
pub(super) fn campus() -> Campus {
    campus_with("")
}

pub(super) fn campus_with(lines: &str) -> Campus {
    let campus = Campus::new();
    member(&campus);
    let mut text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    text = text.replace(", \"[::1]:0\"", "");
    if !lines.is_empty() {
        text.push_str("\n[registry]\n");
        text.push_str(lines);
    }
    text.push_str("\n[log]\nlanguage = \"en\"\n");
    for role in ROLES {
        let hash = HEXLOWER.encode(digest(&SHA256, role.as_bytes()).as_ref());
        text.push_str(&format!("\n[[admin.token]]\nname = \"{role}1\"\nsha256 = \"{hash}\"\nrole = \"{role}\"\n"));
    }
    campus.write("sekisho.toml", &text);
    campus
}

/// Status and body of an answer.
pub(super) struct Said(pub(super) u16, pub(super) Value, pub(super) String);

pub(super) fn ask(serving: &Serving, role: &str, method: &str, path: &str, body: Option<Value>) -> Said {
    ask_with(serving, role, method, path, body, "")
}

/// Without a body, and with patience for so many seconds.
pub(super) fn ask_within(serving: &Serving, role: &str, method: &str, path: &str, seconds: u64) -> Said {
    said_within(serving, role, method, path, None, "", Duration::from_secs(seconds))
}

pub(super) fn ask_with(
    serving: &Serving,
    role: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
    headers: &str,
) -> Said {
    said_within(serving, role, method, path, body, headers, PATIENCE)
}

fn said_within(
    serving: &Serving,
    role: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
    headers: &str,
    patience: Duration,
) -> Said {
    let mut stream = TcpStream::connect(("127.0.0.1", serving.admin)).expect("the door is open");
    stream.set_read_timeout(Some(patience)).expect("a time-out can be set");
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {role}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Said(status, serde_json::from_str(body).unwrap_or(Value::Null), answer.clone())
}

/// A good answer's body.
pub(super) fn good(said: Said) -> Value {
    assert!((200..300).contains(&said.0), "{}", said.2);
    said.1
}

pub(super) fn pem(campus: &Campus) -> String {
    std::fs::read_to_string(campus.path("member.pem")).expect("it was written")
}

pub(super) fn register(campus: &Campus, serving: &Serving) -> Value {
    good(ask(serving, "registrar", "POST", "/api/v1/certificates", Some(json!({ "pem": pem(campus) }))))
}

pub(super) fn refused(output: &Output, reason: &str, serving: &mut Serving) {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    let what = format!("saying that it refused for {reason}");
    // Lines are written after the answer.
    serving.process.wait_until(&what, |process| {
        let log = process.log();
        let last = log.lines().rfind(|line| line.contains(" reject ") || line.contains(" accept "));
        last.is_some_and(|last| last.contains(&format!(" reject {reason} ")))
    });
}

pub(super) fn let_in(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
}

/// Asks until what is answered is as wanted.
pub(super) fn wait_for(serving: &mut Serving, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) {
    let admin = serving.admin;
    serving.process.wait_until(what, |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", admin)).expect("the door is open");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer operator\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer in text");
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        wanted(&serde_json::from_str(body).unwrap_or(Value::Null))
    });
}

/// A help desk that has the device in its hands doesn't wait.
#[test]
fn who_has_just_been_let_in_is_found_and_can_be_blocked_at_once() {
    let campus = campus();
    let mut serving = campus.start();
    for number in 1..=3 {
        let_in(&login(&campus, &serving));
        let decisions = good(ask(&serving, "viewer", "GET", "/api/v1/authentications", None));
        assert_eq!(decisions["items"].as_array().map(Vec::len), Some(number), "{decisions}");
        let certificate = decisions["items"][0]["certificate"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/certificates/{certificate}");
        assert_eq!(good(ask(&serving, "viewer", "GET", &path, None))["devices"].as_array().map(Vec::len), Some(1));
        if number == 3 {
            good(ask(&serving, "registrar", "POST", &format!("{path}/revocation"), Some(json!({}))));
        }
    }
    refused(&login(&campus, &serving), "blocked", &mut serving);
    // Nobody has seen it before the login.
    let other = self::campus();
    let serving = other.start();
    let_in(&login(&other, &serving));
    let id = HEXLOWER.encode(&sha256(&other));
    good(ask(&serving, "registrar", "POST", &format!("/api/v1/certificates/{id}/revocation"), Some(json!({}))));
}

fn sha256(campus: &Campus) -> Vec<u8> {
    let der = x509_parser::pem::parse_x509_pem(pem(campus).as_bytes()).expect("a certificate").1.contents;
    digest(&SHA256, &der).as_ref().to_vec()
}

#[test]
fn a_block_refuses_from_the_answer_on_and_when_it_is_lifted_lets_in_again() {
    let campus = campus();
    let mut serving = campus.start();
    let certificate = register(&campus, &serving);
    let id = certificate["id"].as_str().expect("an id").to_owned();
    assert_eq!((certificate["status"].as_str(), certificate["blocked"].is_null()), (Some("valid"), true));
    assert_eq!(certificate["user"], "hanako@example.ac.jp");
    let_in(&login(&campus, &serving));

    let path = format!("/api/v1/certificates/{id}/revocation");
    let reason = json!({ "reason": "keyCompromise", "note": "laptop stolen" });
    assert_eq!(ask(&serving, "viewer", "POST", &path, Some(reason.clone())).0, 403);
    let blocked = good(ask(&serving, "registrar", "POST", &path, Some(reason)));
    assert_eq!(blocked["status"], "revocation-requested");
    assert_eq!(blocked["blocked"]["by"], "registrar1");
    assert_eq!(blocked["revoked"], Value::Null);
    let output = login(&campus, &serving);
    refused(&output, "blocked", &mut serving);
    assert!(said(&output).contains("44"), "{}", said(&output));
    assert!(serving.log().contains("Blocked by registrar1"), "{}", serving.log());

    assert_eq!(ask(&serving, "registrar", "DELETE", &path, None).0, 403);
    let lifted = good(ask(&serving, "operator", "DELETE", &path, None));
    assert_eq!((lifted["status"].as_str(), lifted["blocked"].is_null()), (Some("valid"), true));
    let_in(&login(&campus, &serving));
    assert_eq!(ask(&serving, "operator", "DELETE", &path, None).0, 409, "there is nothing to lift any more");

    // Every decision is kept, and every change and look is in the audit.
    let history = format!("/api/v1/certificates/{id}/authentications");
    wait_for(&mut serving, &history, "three decisions", |it| it["items"].as_array().is_some_and(|it| it.len() == 3));
    let decisions =
        good(ask(&serving, "viewer", "GET", "/api/v1/authentications?user=HANAKO@example.ac.jp&reason=blocked", None));
    let decision = &decisions["items"][0];
    assert_eq!((decision["outcome"].as_str(), decision["service"].as_str()), (Some("reject"), Some("campus")));
    assert!(decision["explanation"].as_str().is_some_and(|text| text.contains("Blocked by registrar1")), "{decision}");
    assert_eq!(decision["certificate"], id.as_str());
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let actions: Vec<_> =
        audit["items"].as_array().expect("a list").iter().map(|it| it["action"].as_str().unwrap_or_default()).collect();
    for action in ["register-certificate", "request-revocation", "lift-revocation", "look-into-history"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
    let seen = good(ask(&serving, "viewer", "GET", &format!("/api/v1/certificates/{id}"), None));
    assert!(seen["first_seen"].is_string() && seen["last_seen"].is_string(), "{seen}");
    assert_eq!(seen["devices"][0]["service"], "campus");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_block_survives_kill_minus_nine_and_a_request_without_one_refuses_nobody() {
    let campus = campus();
    let serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/certificates/{id}/revocation");
    let shown = good(ask(&serving, "registrar", "POST", &path, Some(json!({ "block": false }))));
    assert_eq!((shown["status"].as_str(), shown["blocked"].is_null()), (Some("revocation-requested"), true));
    assert_eq!(shown["requested"]["by"], "registrar1");
    let_in(&login(&campus, &serving));
    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    serving.signal("KILL");
    drop(serving);
    let mut serving = campus.start();
    refused(&login(&campus, &serving), "blocked", &mut serving);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_serial_that_nobody_has_seen_is_refused_when_it_comes() {
    let campus = campus();
    let mut serving = campus.start();
    let serial = "/api/v1/certificates/ca:05/revocation";
    let said = good(ask(&serving, "registrar", "POST", serial, Some(json!({ "reason": "cessationOfOperation" }))));
    assert_eq!((said["id"].as_str(), said["status"].as_str()), (Some("ca:05"), Some("revocation-requested")));
    refused(&login(&campus, &serving), "blocked", &mut serving);
    assert_eq!(ask(&serving, "registrar", "POST", "/api/v1/certificates/nobody:05/revocation", Some(json!({}))).0, 404);
    good(ask(&serving, "operator", "DELETE", serial, None));
    let_in(&login(&campus, &serving));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_person_is_blocked_with_every_certificate_until_the_end_that_was_said() {
    let campus = campus();
    let mut serving = campus.start();
    let path = "/api/v1/users/Hanako@EXAMPLE.ac.jp/block";
    let asked = json!({ "reason": "left", "until": "2199-01-01T00:00:00+09:00" });
    assert_eq!(ask(&serving, "registrar", "POST", path, Some(asked.clone())).0, 403);
    let blocked = good(ask(&serving, "operator", "POST", path, Some(asked)));
    assert_eq!((blocked["user"].as_str(), blocked["by"].as_str()), (Some("hanako@example.ac.jp"), Some("operator1")));
    refused(&login(&campus, &serving), "user-blocked", &mut serving);
    // Another certificate of hers, which nobody has seen before.
    another_member(&campus, 6);
    refused(&login(&campus, &serving), "user-blocked", &mut serving);
    good(ask(&serving, "operator", "DELETE", path, None));
    let_in(&login(&campus, &serving));
    assert_eq!(ask(&serving, "operator", "DELETE", path, None).0, 404);
    assert_eq!(ask(&serving, "operator", "POST", path, Some(json!({ "until": "2001-01-01T00:00:00Z" }))).0, 422);
    assert_eq!(serving.end(), Some(0));
}

/// The member gets another certificate.
fn another_member(campus: &Campus, serial: u64) {
    let key = Key::P256.make();
    let mut params = client(
        &[(DnType::OrganizationName, "Example University"), (DnType::CommonName, "Hokuriku Hanako")],
        "hanako@example.ac.jp",
    );
    params.serial_number = Some(serial.into());
    campus.write("member.pem", &params.signed_by(&key, &campus.ca).expect("a certificate").pem());
    campus.write("member.key", &key.serialize_pem());
}

#[test]
fn what_the_authority_revokes_shows_without_a_login_and_is_not_lifted_here() {
    let campus = campus();
    let mut serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/certificates/{id}");
    good(ask(&serving, "registrar", "POST", &format!("{path}/revocation"), Some(json!({}))));
    let unconfirmed = good(ask(&serving, "viewer", "GET", "/api/v1/reports/unconfirmed", None));
    assert_eq!(unconfirmed["items"][0]["id"], id.as_str());
    let crl = crl(&campus.ca, 2, [1, 5], day(2026, 1, 3)..day(2038, 1, 1));
    campus.scratch.write("ca.crl", crl.der());
    wait_for(&mut serving, &path, "revoked", |it| it["status"] == "revoked");
    let revoked = good(ask(&serving, "viewer", "GET", &path, None));
    assert_eq!(revoked["revoked"]["reason"], "keyCompromise");
    assert_eq!(revoked["status_ja"], "失効済");
    wait_for(&mut serving, "/api/v1/certificates?status=revoked", "listed", |it| it["items"][0]["id"] == id.as_str());
    wait_for(&mut serving, "/api/v1/reports/unconfirmed", "confirmed", |it| it["items"] == json!([]));
    refused(&login(&campus, &serving), "revoked", &mut serving);
    let lifted = good(ask(&serving, "operator", "DELETE", &format!("{path}/revocation"), None));
    assert_eq!((lifted["status"].as_str(), lifted["blocked"].is_null()), (Some("revoked"), true));
    refused(&login(&campus, &serving), "revoked", &mut serving);
    let status = good(ask(&serving, "status", "GET", &format!("{path}/status"), None));
    assert_eq!(status, json!({ "id": id, "status": "revoked", "since": status["since"] }));
    assert_eq!(ask(&serving, "status", "GET", &path, None).0, 403, "a status alone is what it may ask for");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn records_of_a_list_are_found_page_by_page_and_open_nothing() {
    let campus = campus_with("requested = \"block\"");
    let mut serving = campus.start();
    for number in 0..5 {
        let record = json!({ "application": format!("A{number}"), "subject": format!("CN=Student {number}"), "mail": format!("s{number}@jaist.ac.jp") });
        assert_eq!(ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(record)).0, 201);
    }
    let first = good(ask(&serving, "viewer", "GET", "/api/v1/certificates?q=S&status=applied&limit=3", None));
    assert_eq!(first["items"].as_array().map(Vec::len), Some(3));
    let next = first["next"].as_str().expect("it goes on");
    let second = good(ask(
        &serving,
        "viewer",
        "GET",
        &format!("/api/v1/certificates?q=S&status=applied&limit=3&cursor={next}"),
        None,
    ));
    assert_eq!(second["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(second["next"], Value::Null);
    // It is issued, and the CA's list says that its revocation is asked for.
    let record = json!({ "application": "A0", "authority": "ca", "serial": "05", "status": "失効申請中" });
    let said = good(ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(record)));
    assert_eq!((said["id"].as_str(), said["status"].as_str()), (Some("ca:05"), Some("revocation-requested")));
    assert_eq!(said["mail"], "s0@jaist.ac.jp", "what was known stays known");
    refused(&login(&campus, &serving), "blocked", &mut serving);
    for (record, field) in [
        (json!({ "mail": "a@b" }), "application"),
        (json!({ "application": "1", "status": "lost" }), "status"),
        (json!({ "serial": "05" }), "serial"),
        (json!({ "serial": "05", "authority": "nobody" }), "authority"),
        (json!({ "pem": "nothing" }), "pem"),
        (json!({ "pem": std::fs::read_to_string(campus.path("member.key")).expect("written") }), "pem"),
        (json!({ "pem": pem(&campus), "mail": "a@b" }), "pem"),
    ] {
        let Said(status, body, text) = ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(record));
        assert_eq!((status, body["errors"][0]["field"].as_str()), (422, Some(field)), "{text}");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_stranger_is_not_registered_and_reports_come_as_tables() {
    let campus = campus();
    let serving = campus.start();
    let own = std::fs::read_to_string(campus.path("server.pem")).expect("it was written");
    let said = ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(json!({ "pem": own })));
    assert_eq!(said.0, 422, "another organisation's, or none's: {}", said.2);
    register(&campus, &serving);
    let table = ask_with(&serving, "viewer", "GET", "/api/v1/reports/unused", None, "Accept: text/csv\r\n").2;
    assert!(table.contains("text/csv") && table.contains("hanako@example.ac.jp"), "{table}");
    assert!(table.contains("id,authority,serial,subject,mail,user"), "{table}");
    let none = good(ask(&serving, "viewer", "GET", "/api/v1/reports/expiring?days=1", None));
    assert_eq!(none["items"], json!([]));
    let ends = good(ask(&serving, "viewer", "GET", "/api/v1/reports/expiring?days=36500", None));
    assert_eq!(ends["items"][0]["renewed"], false);
    assert_eq!(ask(&serving, "viewer", "GET", "/api/v1/reports/expiring?days=-1", None).0, 400);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn two_who_change_the_same_at_once_do_not_lose_each_other() {
    let campus = campus();
    let serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/certificates/{id}");
    let shown = ask(&serving, "viewer", "GET", &path, None).2;
    let tag = shown.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a version").to_owned();
    let header = format!("If-Match: {tag}\r\n");
    let change = || ask_with(&serving, "registrar", "POST", &format!("{path}/revocation"), Some(json!({})), &header).0;
    assert_eq!((change(), change()), (200, 412));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_damaged_registry_stops_no_login_and_says_so() {
    let campus = campus();
    campus.scratch.write("registry.sqlite", vec![7_u8; 40_000]);
    let serving = campus.start();
    let_in(&login(&campus, &serving));
    let ready = serving.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("the registry can't be used"), "{ready}");
    let said = ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(json!({ "pem": pem(&campus) })));
    assert_eq!(said.0, 503, "{}", said.2);
    assert!(serving.get("/metrics").contains("sekisho_registry_up 0"));
    assert_eq!(serving.end(), Some(0));
}

/// A disk of 2 MiB.
pub(super) struct Disk(std::path::PathBuf);

impl Disk {
    pub(super) fn mount(at: std::path::PathBuf) -> Self {
        std::fs::create_dir_all(&at).expect("a directory");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&at).status();
        assert!(mount.expect("mount is part of every system").success(), "this test wants root");
        Self(at)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_no_login_and_when_there_is_room_again_it_goes_on() {
    let campus = campus();
    let disk = Disk::mount(campus.path("small"));
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("state-dir = \".\"", "state-dir = \"small\""));
    let mut serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    let ballast = disk.0.join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("there is room");
    while file.write_all(&[0; 4_096]).is_ok() {}
    drop(file);
    let_in(&login(&campus, &serving));
    let path = format!("/api/v1/certificates/{id}/revocation");
    // The file beside the database has room of its own at first.
    let full = (0..2_000)
        .any(|_| ask(&serving, "registrar", "POST", &path, Some(json!({ "note": "x".repeat(4_000) }))).0 == 503);
    assert!(full, "{}", serving.log());
    assert!(serving.get("/readyz").contains("the registry can't be used"), "{}", serving.get("/readyz"));
    std::fs::remove_file(&ballast).expect("ours");
    serving.wait_for_metric("sekisho_registry_up 1");
    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    refused(&login(&campus, &serving), "blocked", &mut serving);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn every_change_is_on_the_disk_before_it_is_told() {
    let campus = campus();
    let serving = campus.start();
    let trace = campus.path("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "64", "-e", "trace=fsync,fdatasync,write,sendto,writev"]);
    let strace = strace.arg("-o").arg(&trace).args(["-p", &serving.process.id().to_string()]).spawn();
    let mut strace = strace.expect("strace is there");
    // It begins to look at some time: what it hasn't seen says nothing.
    let told = |number: u32| {
        let record = json!({ "application": number.to_string() });
        assert_eq!(ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(record)).0, 201);
        std::fs::read_to_string(&trace).unwrap_or_default().matches("201 Created").count()
    };
    assert!((0..5_000).any(|number| told(number) >= 5), "strace sees nothing");
    assert_eq!(serving.end(), Some(0));
    let _ = strace.wait();
    let seen = std::fs::read_to_string(&trace).expect("it was written");
    let mut synced = 0;
    let mut answers = 0;
    for line in seen.lines() {
        if (line.contains("sync(") || line.contains("sync resumed")) && line.ends_with("= 0") {
            synced += 1;
        } else if line.contains("201 Created") {
            answers += 1;
            // It may have begun to look in the middle of the first.
            assert!(synced > 0 || answers == 1, "answer {answers} before its change was on the disk:\n{seen}");
            synced = 0;
        }
    }
    assert!(answers >= 5, "{seen}");
}
