//! What befalls a state directory in the field.

use std::os::unix::fs::{PermissionsExt, chown};

use serde_json::json;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::PATIENCE;
use super::database::{assert_sound, count};
use super::disk::{Disk, record};
use super::nas::{Nas, Status};
use super::place::{Campus, Serving, is_let_in};

const BLOCK: &str = "/api/v1/users/hanako@example.ac.jp/block";

/// Nothing can be kept; logins go on, and it says so.
fn is_without_registry(campus: &Campus, serving: &Serving, why: &str) {
    assert!(is_let_in(campus, serving, "taro"));
    let ready = serving.ask("GET", "/readyz", None);
    assert!(
        ready.status == 200 && ready.text.contains("the registry can't be used") && ready.text.contains(why),
        "{}",
        ready.text
    );
    assert_eq!(serving.ask("POST", BLOCK, Some(json!({}))).status, 503);
    let mut nas = Nas::new(1, serving.listening("accounting"));
    let answered = nas.once(&record(Status::Start, "a", 0), std::time::Duration::from_millis(400));
    assert!(!answered.expect("loopback"), "nothing is acknowledged");
}

#[test]
fn a_second_server_in_the_same_directory_ends_at_once_and_says_why() {
    let campus = Campus::new();
    campus.issue("hanako", 0x77);
    let first = campus.start();
    first.ask("POST", BLOCK, Some(json!({}))).good();
    let second = campus.command(&[]).output().expect("the program was built");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another server") && said.contains("state-dir"), "{said}");
    assert!(!is_let_in(&campus, &first, "hanako"), "the first knows what it knew");
    first.ask("DELETE", BLOCK, None).good();
    // Whatever becomes of the first, the directory is free.
    first.kill();
    let next = campus.start();
    assert!(is_let_in(&campus, &next, "hanako"));
    assert_eq!(next.end(), Some(0));
}

#[test]
fn a_directory_that_cannot_be_written_stops_no_login_and_is_used_as_soon_as_it_can() {
    let campus = Campus::new();
    campus.issue("hanako", 0x77);
    campus.issue("taro", 0x78);
    let disk = Disk::mount(campus.path("state"));
    disk.remount("ro");
    let mut serving = campus.start();
    is_without_registry(&campus, &serving, "Read-only");
    disk.remount("rw");
    serving.wait_for_metric("sekisho_registry_up 1");
    serving.ask("POST", BLOCK, Some(json!({}))).good();
    assert!(!is_let_in(&campus, &serving, "hanako"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_directory_of_somebody_else_is_told() {
    let campus = Campus::new();
    campus.issue("taro", 0x78);
    let state = campus.path("state");
    std::fs::create_dir(&state).expect("a directory");
    chown(&state, Some(65_534), Some(65_534)).expect("this test wants root");
    let allow = |mode| std::fs::set_permissions(&state, PermissionsExt::from_mode(mode)).expect("ours");
    // Root as it is in a service's unit: without what lets root open everybody's files.
    let bare = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"];
    // It can't even be seen whether there is something that has to stay revoked.
    allow(0o700);
    let output = campus.command(&bare).output().expect("the program was built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("Permission denied") && said.contains("server.state-dir"), "{said}");
    allow(0o755);
    let serving = campus.start_by(&bare);
    is_without_registry(&campus, &serving, "Permission denied");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn without_the_log_of_its_last_changes_it_starts_with_a_sound_file() {
    let campus = Campus::new();
    campus.issue("hanako", 0x77);
    let serving = campus.start();
    serving.ask("POST", BLOCK, Some(json!({}))).good();
    assert_eq!(serving.end(), Some(0));
    let serving = campus.start();
    serving.ask("POST", "/api/v1/users/taro@example.ac.jp/block", Some(json!({}))).good();
    serving.kill();
    // Against every advice. What was only in there is gone; what is in the file isn't.
    std::fs::remove_file(campus.path("state/registry.sqlite-wal")).expect("it was killed");
    let serving = campus.start();
    assert_sound(&campus.registry());
    assert!(!is_let_in(&campus, &serving, "hanako"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_server_that_ends_leaves_all_in_one_file() {
    let campus = Campus::new();
    let serving = campus.start();
    serving.ask("POST", BLOCK, Some(json!({}))).good();
    assert_eq!(serving.end(), Some(0));
    // What a backup copies.
    assert!(!campus.path("state/registry.sqlite-wal").exists());
    assert_eq!(count(&campus.registry(), "SELECT count(*) FROM person"), 1);
}

#[test]
fn a_session_whose_time_has_passed_while_nobody_served_has_ended() {
    let campus = Campus::new();
    let serving = campus.start();
    let mut nas = Nas::new(1, serving.listening("accounting"));
    for session in ["old", "new"] {
        assert!(nas.once(&record(Status::Start, session, 0), PATIENCE).expect("loopback"));
    }
    assert_eq!(serving.end(), Some(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(campus.registry());
        let mut connection = SqliteConnection::connect_with(&options).await.expect("nobody has it");
        let past = "UPDATE session SET until = 1 WHERE acct_session = 'old'";
        sqlx::query(past).execute(&mut connection).await.expect("a table");
        connection.close().await.expect("closed");
    });
    let mut serving = campus.start();
    serving.wait_for_metric("sekisho_sessions{service=\"none\"} 1");
    // Whatever is written next, that is written too.
    let mut nas = Nas::new(1, serving.listening("accounting"));
    assert!(nas.once(&record(Status::Start, "newer", 0), PATIENCE).expect("loopback"));
    assert_eq!(count(&campus.registry(), "SELECT count(*) FROM session WHERE ended IS NULL"), 2);
    assert_eq!(count(&campus.registry(), "SELECT count(*) FROM session WHERE end = 'silent'"), 1);
    assert_eq!(serving.end(), Some(0));
}
