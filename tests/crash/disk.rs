//! A disk that is full, and a file that somebody writes into: logins go on, nobody is told that anything was kept which wasn't, and it says so; with room again everything goes on by itself.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::database::{assert_sound, count};
use super::nas::{Nas, Record, Status, now};
use super::place::{Campus, Serving, is_let_in};

/// A disk of 2 MiB.
pub(crate) struct Disk(PathBuf);

impl Disk {
    pub(crate) fn mount(at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).expect("a directory");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&at).status();
        assert!(mount.expect("mount is part of every system").success(), "this test wants root");
        Self(at)
    }

    /// No page is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).expect("there is room");
        while file.write_all(&[0; 4_096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("ours");
    }

    pub(crate) fn remount(&self, how: &str) {
        let mount = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status();
        assert!(mount.expect("mount is part of every system").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

pub(crate) fn record(status: Status, session: &str, octets: u32) -> Record {
    Record { status, session: session.into(), octets, happened: now(), stamp: None }
}

/// Longer than a record waits to be written.
const LONG: Duration = Duration::from_millis(2_500);
const QUICK: Duration = Duration::from_millis(200);

fn degraded(serving: &Serving) -> String {
    let said = serving.ask("GET", "/readyz", None);
    assert_eq!(said.status, 200, "it decides: {}", said.text);
    said.text
}

/// Sends records until the disk takes no more; how many were acknowledged.
fn account_until_full(nas: &mut Nas) -> u32 {
    (1..5_000)
        .find(|octets| !nas.once(&record(Status::Interim, "filler", *octets), LONG).expect("loopback"))
        .expect("full")
        - 1
}

#[test]
fn on_a_full_disk_no_record_is_acknowledged_and_with_room_each_is_and_counts() {
    let campus = Campus::new();
    let disk = Disk::mount(campus.path("state"));
    campus.issue("hanako", 0x77);
    let mut serving = campus.start();
    let mut nas = Nas::new(1, serving.listening("accounting"));
    for session in ["stopped", "going", "filler"] {
        assert!(nas.once(&record(Status::Start, session, 0), LONG).expect("loopback"));
    }
    let mut other = Nas::new(2, serving.listening("accounting"));
    assert!(other.once(&record(Status::Start, "before", 0), LONG).expect("loopback"));
    disk.fill();
    let acknowledged = account_until_full(&mut nas);
    let (stop, start, off) =
        (record(Status::Stop, "stopped", 0), record(Status::Start, "late", 0), record(Status::Off, "off", 0));
    for record in [&stop, &start] {
        assert!(!nas.once(record, QUICK).expect("loopback"), "{record:?} can't be on the disk");
    }
    assert!(!other.once(&off, QUICK).expect("loopback"), "that can't be on the disk");
    assert!(is_let_in(&campus, &serving, "hanako"), "logins go on");
    let said = serving.ask("POST", "/api/v1/users/taro@example.ac.jp/block", Some(json!({})));
    assert_eq!(said.status, 503, "{}", said.text);
    assert!(degraded(&serving).contains("the registry can't be used"), "{}", degraded(&serving));
    serving.wait_for_metric("sekisho_registry_up 0");
    disk.make_room();
    serving.wait_for_metric("sekisho_registry_up 1");
    // The same records in new packets, as a NAS asks again.
    for record in [&stop, &start] {
        assert!(nas.once(record, LONG).expect("loopback"), "{record:?} has room");
    }
    assert!(other.once(&off, LONG).expect("loopback"), "that has room");
    serving.ask("POST", "/api/v1/users/taro@example.ac.jp/block", Some(json!({}))).good();
    let serving_again = {
        serving.kill();
        campus.start()
    };
    let file = campus.registry();
    assert_sound(&file);
    assert!(count(&file, "SELECT count(*) FROM accounting WHERE status = 3") >= i64::from(acknowledged));
    assert_eq!(count(&file, "SELECT count(*) FROM accounting WHERE status <> 3"), 7);
    let live = "SELECT count(*) FROM session WHERE ended IS NULL AND acct_session IN ('going', 'filler', 'late')";
    assert_eq!(count(&file, live), 3);
    let gone = "SELECT count(*) FROM session WHERE ended IS NULL AND acct_session IN ('stopped', 'before')";
    assert_eq!(count(&file, gone), 0, "what was stopped while the disk was full has ended all the same");
    assert_eq!(serving_again.end(), Some(0));
}

/// Garbage over most of the file.
fn damage(file: &Path) {
    let mut file = OpenOptions::new().write(true).open(file).expect("it is there");
    let pages = file.metadata().expect("ours").len() / 4_096;
    for page in 1..pages {
        file.seek(SeekFrom::Start(page * 4_096)).expect("a file");
        file.write_all(&[0xa5; 4_096]).expect("there is room");
    }
}

#[test]
fn a_file_that_is_damaged_while_it_is_used_stops_no_login_and_is_told() {
    let campus = Campus::new();
    let pem = campus.issue("hanako", 0x77);
    let mut serving = campus.start();
    let mut nas = Nas::new(1, serving.listening("accounting"));
    assert!(nas.once(&record(Status::Start, "a", 0), LONG).expect("loopback"));
    let id = serving.ask("POST", "/api/v1/certificates", Some(json!({ "pem": pem }))).good()["id"].clone();
    let path = format!("/api/v1/certificates/{}/revocation", id.as_str().expect("an id"));
    serving.ask("POST", &path, Some(json!({}))).good();
    assert!(!is_let_in(&campus, &serving, "hanako"));
    // What is in the main file only is read from it. The log beside it is emptied by a clean end.
    assert_eq!(serving.end(), Some(0));
    serving = campus.start();
    damage(&campus.registry());
    let mut nas = Nas::new(1, serving.listening("accounting"));
    let answered = nas.once(&record(Status::Stop, "a", 0), LONG).expect("loopback");
    let said = serving.ask("POST", &path, Some(json!({ "note": "again" })));
    assert_eq!((answered, said.status), (false, 503), "{}", said.text);
    assert!(degraded(&serving).contains("the registry can't be used"), "{}", degraded(&serving));
    serving.wait_for_metric("sekisho_registry_up 0");
    // What was blocked stays blocked, and others come in.
    assert!(!is_let_in(&campus, &serving, "hanako"));
    campus.issue("taro", 0x78);
    assert!(is_let_in(&campus, &serving, "taro"));
    assert_eq!(serving.end(), Some(0));
}
