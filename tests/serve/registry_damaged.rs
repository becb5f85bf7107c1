//! The registry's file is damaged, gone or can't be written: logins go on, and who was blocked stays blocked.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::DnType;
use serde_json::json;

use super::afar::{explain, login};
use super::registry::{Disk, Said, ask, campus, campus_with, good, let_in, pem, refused, register};
use super::support::certificates::{Key, client};
use super::support::process::Process;
use super::{Campus, PATIENCE, Serving, said};

/// Somebody of her own, with a certificate of her own, comes from now on.
fn comes(campus: &Campus, mail: &str, serial: u64) {
    let key = Key::P256.make();
    let mut params = client(&[(DnType::OrganizationName, "Example University")], mail);
    params.serial_number = Some(serial.into());
    let certificate = params.signed_by(&key, &campus.ca).expect("a certificate").pem();
    campus.write(&format!("{mail}.pem"), &certificate);
    campus.write(&format!("{mail}.key"), &key.serialize_pem());
    again(campus, mail);
}

/// Whoever has come before comes again.
fn again(campus: &Campus, mail: &str) {
    for kind in ["pem", "key"] {
        fs::copy(campus.path(&format!("{mail}.{kind}")), campus.path(&format!("member.{kind}"))).expect("a copy");
    }
}

/// A server that has blocked a certificate, a serial and a person, and has ended.
fn after_blocks() -> Campus {
    let campus = campus();
    let serving = campus.start();
    comes(&campus, "certificate@example.ac.jp", 21);
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    let block = |path: String| good(ask(&serving, "operator", "POST", &path, Some(json!({}))));
    block(format!("/api/v1/certificates/{id}/revocation"));
    comes(&campus, "serial@example.ac.jp", 22);
    block("/api/v1/certificates/ca:16/revocation".into());
    comes(&campus, "person@example.ac.jp", 23);
    block("/api/v1/users/person@example.ac.jp/block".into());
    comes(&campus, "nobody@example.ac.jp", 24);
    let_in(&login(&campus, &serving));
    assert_eq!(serving.end(), Some(0));
    campus
}

const BLOCKED: [(&str, &str); 3] = [
    ("certificate@example.ac.jp", "blocked"),
    ("serial@example.ac.jp", "blocked"),
    ("person@example.ac.jp", "user-blocked"),
];

fn all_blocks_hold(campus: &Campus, serving: &mut Serving) {
    for (mail, reason) in BLOCKED {
        again(campus, mail);
        refused(&login(campus, serving), reason, serving);
    }
    again(campus, "nobody@example.ac.jp");
    let_in(&login(campus, serving));
}

fn remove_database(campus: &Campus) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(campus.path(&format!("registry.sqlite{suffix}")));
    }
}

#[test]
fn without_a_section_there_is_a_registry_and_who_wants_none_is_told_so() {
    let campus = campus();
    let serving = campus.start();
    register(&campus, &serving);
    assert_eq!(serving.end(), Some(0));
    let campus = campus_with("database = \"none\"");
    let serving = campus.start();
    let_in(&login(&campus, &serving));
    let Said(status, _, text) = ask(&serving, "viewer", "GET", "/api/v1/certificates", None);
    assert!(status == 503 && text.contains("database = \\\"none\\\""), "{text}");
    assert!(!campus.path("registry.sqlite").exists() && !campus.path("blocks").exists());
    assert_eq!(serving.end(), Some(0));
}

/// Does something to a file.
type Damage = fn(&Path);

#[test]
fn a_block_holds_whatever_was_done_to_the_database_while_the_server_was_down() {
    let damages: [(&str, Damage); 4] = [
        ("file is not a database", |file| fs::write(file, vec![7; 40_000]).expect("ours")),
        ("malformed", |file| truncate(file, 2)),
        ("malformed", |file| {
            let mut octets = fs::read(file).expect("ours");
            octets.iter_mut().skip(100).step_by(3).for_each(|octet| *octet = 0x55);
            fs::write(file, octets).expect("ours");
        }),
        ("permission denied or is a folder", |file| {
            fs::remove_file(file).expect("ours");
            fs::create_dir(file).expect("ours");
        }),
    ];
    for (what, damage) in damages {
        let campus = after_blocks();
        damage(&campus.path("registry.sqlite"));
        let mut serving = campus.start();
        all_blocks_hold(&campus, &mut serving);
        let ready = serving.get("/readyz");
        assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("the registry can't be used"), "{what}: {ready}");
        assert!(ready.contains("who is blocked stays so") && ready.contains("move registry.sqlite* away"), "{ready}");
        assert!(serving.log().contains("who was blocked stays blocked, by "), "{what}: {}", serving.log());
        let one_more = Some(json!({}));
        assert_eq!(ask(&serving, "operator", "POST", "/api/v1/certificates/ca:18/revocation", one_more).0, 503);
        assert_eq!(serving.end(), Some(0), "{what}");
    }
}

fn truncate(file: &Path, into: u64) {
    let length = fs::metadata(file).expect("ours").len();
    fs::OpenOptions::new().write(true).open(file).and_then(|it| it.set_len(length / into)).expect("ours");
}

/// What `/readyz` and the README tell an operator to do.
#[test]
fn a_damaged_database_is_moved_away_under_way_and_blocks_are_in_the_new_one() {
    let campus = after_blocks();
    fs::write(campus.path("registry.sqlite"), vec![7; 40_000]).expect("ours");
    let mut serving = campus.start();
    for name in ["registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm"] {
        let _ = fs::rename(campus.path(name), campus.path(&format!("damaged-{name}")));
    }
    serving.wait_for_metric("sekisho_registry_up 1");
    // It is asked for at once, before anything else has been read.
    let lifted = good(ask(&serving, "operator", "DELETE", "/api/v1/certificates/ca:16/revocation", None));
    assert_eq!(lifted["status"], "valid");
    again(&campus, "serial@example.ac.jp");
    let_in(&login(&campus, &serving));
    again(&campus, "certificate@example.ac.jp");
    refused(&login(&campus, &serving), "blocked", &mut serving);
    assert!(serving.get("/readyz").contains("registry.sqlite was gone or empty and is begun anew"));
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let adopted = audit["items"].as_array().and_then(|it| it.iter().find(|it| it["action"] == "adopt-blocks")).cloned();
    assert_eq!(adopted.expect("a line")["detail"], json!({ "certificates": 2, "people": 1 }));
    assert_eq!(serving.end(), Some(0));
    let mut serving = campus.start();
    assert!(serving.get("/readyz").ends_with(r#"{"degraded":[],"ready":true}"#), "{}", serving.get("/readyz"));
    again(&campus, "person@example.ac.jp");
    refused(&login(&campus, &serving), "user-blocked", &mut serving);
    assert_eq!(serving.end(), Some(0));
}

/// The other thing that they are told to do.
#[test]
fn a_backup_that_is_put_in_its_place_under_way_is_taken_up() {
    let campus = after_blocks();
    fs::copy(campus.path("registry.sqlite"), campus.path("backup")).expect("it was closed");
    fs::write(campus.path("registry.sqlite"), vec![7; 40_000]).expect("ours");
    let mut serving = campus.start();
    for name in ["registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm"] {
        let _ = fs::rename(campus.path(name), campus.path(&format!("damaged-{name}")));
    }
    fs::rename(campus.path("backup"), campus.path("registry.sqlite")).expect("ours");
    serving.wait_for_metric("sekisho_registry_up 1");
    all_blocks_hold(&campus, &mut serving);
    let known = good(ask(&serving, "viewer", "GET", "/api/v1/certificates?status=valid", None));
    assert!(known["items"].as_array().is_some_and(|it| !it.is_empty()), "what was seen before: {known}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_database_that_is_gone_empty_or_from_an_old_backup_lets_nobody_in_who_was_blocked() {
    let gone: fn(&Campus) = remove_database;
    let empty: fn(&Campus) = |campus| {
        remove_database(campus);
        campus.write("registry.sqlite", "");
    };
    for lose in [gone, empty] {
        let campus = after_blocks();
        lose(&campus);
        let mut serving = campus.start();
        all_blocks_hold(&campus, &mut serving);
        assert!(serving.get("/readyz").contains("registry.sqlite was gone or empty and is begun anew"));
        assert_eq!(serving.end(), Some(0));
    }
    let campus = after_blocks();
    let old = super::registry::campus();
    assert_eq!(old.start().end(), Some(0));
    remove_database(&campus);
    fs::copy(old.path("registry.sqlite"), campus.path("registry.sqlite")).expect("a copy");
    let mut serving = campus.start();
    all_blocks_hold(&campus, &mut serving);
    assert!(serving.log().contains("were blocked by blocks alone"), "{}", serving.log());
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn where_neither_tells_who_is_blocked_nothing_starts() {
    let damage = |campus: &Campus| {
        let mut list = fs::read(campus.path("blocks")).expect("it was written");
        *list.last_mut().expect("it holds something") = b'x';
        fs::write(campus.path("blocks"), list).expect("ours");
    };
    let campus = after_blocks();
    damage(&campus);
    // Either alone does.
    let mut serving = campus.start();
    all_blocks_hold(&campus, &mut serving);
    assert!(serving.log().contains("it is written anew from registry.sqlite"), "{}", serving.log());
    assert_eq!(serving.end(), Some(0));
    for lose in [remove_database, |campus: &Campus| campus.write("registry.sqlite", &"x".repeat(40_000))] {
        damage(&campus);
        remove_database(&campus);
        lose(&campus);
        // Not even when it is tried again.
        for _ in 0..2 {
            let mut command = campus.command();
            let output = Process::start("sekisho", &mut command, &campus.scratch).wait(PATIENCE);
            let log = fs::read_to_string(campus.path("sekisho.err")).expect("it says why");
            assert_eq!(output.code(), Some(78), "{log}");
            assert!(log.contains("nobody knows who is blocked"), "{log}");
        }
        let explained = explain(&campus);
        assert_eq!(explained.status.code(), Some(78), "{}", said(&explained));
    }
    fs::remove_file(campus.path("blocks")).expect("as the sentence says");
    let serving = campus.start();
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_block_that_can_be_kept_in_one_place_only_is_not_acknowledged() {
    let campus = campus();
    let mut serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    // It is written at the start too.
    serving.process.wait_until("the file", |_| campus.path("blocks").exists() && !campus.path("blocks.new").exists());
    // Nothing can be written under the name of the file to be.
    fs::create_dir(campus.path("blocks.new")).expect("a folder");
    let path = format!("/api/v1/certificates/{id}/revocation");
    let Said(status, _, text) = ask(&serving, "registrar", "POST", &path, Some(json!({})));
    assert!(status == 503 && text.contains("/blocks: "), "{text}");
    refused(&login(&campus, &serving), "blocked", &mut serving);
    assert!(serving.get("/readyz").contains("/blocks: "), "{}", serving.get("/readyz"));
    serving.wait_for_metric("sekisho_registry_up 0");
    fs::remove_dir(campus.path("blocks.new")).expect("ours");
    serving.wait_for_metric("sekisho_registry_up 1");
    assert!(fs::read_to_string(campus.path("blocks")).expect("it is tried again").contains("\"certificate\""));
    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn what_is_blocked_is_explained_by_the_command_too() {
    let campus = campus();
    let serving = campus.start();
    let id = register(&campus, &serving)["id"].as_str().expect("an id").to_owned();
    assert_eq!(explain(&campus).status.code(), Some(0));
    good(ask(&serving, "operator", "POST", &format!("/api/v1/certificates/{id}/revocation"), Some(json!({}))));
    let explained = explain(&campus);
    assert_eq!(explained.status.code(), Some(1), "{}", said(&explained));
    assert!(said(&explained).contains("\"blocked\""), "{}", said(&explained));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_state_dir_that_cannot_be_written_stops_no_login_and_is_told() {
    let campus = campus();
    let disk = Disk::mount(campus.path("small"));
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("state-dir = \".\"", "state-dir = \"small\""));
    let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(campus.path("small")).status();
    assert!(remount.expect("mount is part of every system").success(), "this test wants root");
    let serving = campus.start();
    let_in(&login(&campus, &serving));
    let log = serving.log();
    assert!(log.contains("server.state-dir: can't write into ") && log.contains("the registry can't be used"), "{log}");
    let ready = serving.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("the registry can't be used"), "{ready}");
    let said = ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(json!({ "pem": pem(&campus) })));
    assert_eq!(said.0, 503, "{}", said.2);
    assert_eq!(serving.end(), Some(0));
    drop(disk);
}
