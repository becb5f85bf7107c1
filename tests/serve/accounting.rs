//! Accounting by a client of others, and what is on disk of it.

use std::io::Write;
use std::process::Stdio;

use super::support::process::Place;
use super::{Campus, Serving};

const SECRET: &str = "a secret that is long enough";

/// A campus with an accounting door and a registry.
fn campus() -> Campus {
    let campus = Campus::new();
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let text = text.replace("admin = [", "accounting = [\"127.0.0.1:0\"]\nadmin = [");
    campus.write("sekisho.toml", &(text + "[registry]\nretain-sessions = \"30d\"\n[log]\nlevel = \"debug\"\n"));
    campus
}

/// Sends what these lines say of FreeRADIUS' attributes; whether an Accounting-Response came.
fn radclient(serving: &Serving, command: &str, secret: &str, lines: &str) -> bool {
    let server = format!("127.0.0.1:{}", serving.listening("accounting"));
    let mut radclient = Place::Host.command("radclient");
    radclient.args(["-x", "-r", "1", "-t", "2", &server, command, secret]);
    let mut child = radclient
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("freeradius-utils");
    child.stdin.take().expect("it was piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = super::said(&output);
    assert!(said.contains("Sent "), "{said}");
    said.contains("Received Accounting-Response")
}

fn account(serving: &Serving, status: &str, name: &str, more: &str) -> bool {
    let lines = format!(
        "Acct-Status-Type = {status}\nAcct-Session-Id = \"{name}\"\nCalling-Station-Id = \"02-00-00-00-00-01\"\nUser-Name = \"hanako\"\n{more}"
    );
    radclient(serving, "acct", SECRET, &lines)
}

/// What the registry holds.
fn count(campus: &Campus, table: &str) -> i64 {
    let script = "import sqlite3,sys; print(sqlite3.connect('file:'+sys.argv[1]+'?mode=ro', uri=True).execute(sys.argv[2]).fetchone()[0])";
    let sql = format!("SELECT count(*) FROM {table}");
    let mut python = Place::Host.command("python3");
    let output = python.args(["-c", script]).arg(campus.path("registry.sqlite")).arg(sql).output().expect("python3");
    super::said(&output).trim().parse().unwrap_or_else(|_| panic!("{}", super::said(&output)))
}

#[test]
fn start_interim_and_stop_are_answered_when_they_are_on_disk() {
    let campus = campus();
    let mut serving = campus.start();
    assert!(account(&serving, "Start", "A", ""));
    assert_eq!((count(&campus, "accounting"), count(&campus, "session WHERE ended IS NULL")), (1, 1));
    serving.wait_for_metric("sekisho_sessions{service=\"none\"} 1");
    // Another packet, the same record.
    assert!(account(&serving, "Start", "A", "Acct-Delay-Time = 1\n"));
    assert_eq!(count(&campus, "accounting"), 1);
    for octets in [1_000, 2_000] {
        let more = format!("Acct-Input-Octets = {octets}\nAcct-Input-Gigawords = 1\nAcct-Session-Time = {octets}\n");
        assert!(account(&serving, "Interim-Update", "A", &more));
    }
    assert_eq!(count(&campus, "session WHERE octets_in = 4294969296 AND ended IS NULL"), 1);
    assert!(account(&serving, "Stop", "A", "Acct-Terminate-Cause = User-Request\n"));
    assert_eq!((count(&campus, "accounting"), count(&campus, "session WHERE ended IS NULL")), (4, 0));
    serving.wait_for_metric("sekisho_sessions{service=\"none\"} 0");
    serving.wait_for_metric(
        "sekisho_requests_total{code=\"accounting-request\",listener=\"accounting\",outcome=\"accept\"} 5",
    );
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_wrong_secret_and_nothing_at_all_are_not_answered_and_status_server_is() {
    let campus = campus();
    let mut serving = campus.start();
    assert!(!radclient(
        &serving,
        "acct",
        "another secret of some length",
        "Acct-Status-Type = Start\nAcct-Session-Id = A\n"
    ));
    assert!(!radclient(&serving, "acct", SECRET, "User-Name = hanako\n"));
    assert_eq!(count(&campus, "accounting"), 0);
    assert!(radclient(&serving, "status", SECRET, "Message-Authenticator = 0x00\n"));
    serving.wait_for_metric("sekisho_drops_total{reason=\"bad-authenticator\"} 1");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_nas_that_restarts_has_no_sessions() {
    let campus = campus();
    let serving = campus.start();
    for name in ["A", "B"] {
        let lines = format!("Acct-Status-Type = Start\nAcct-Session-Id = {name}\nCalling-Station-Id = {name}\n");
        assert!(radclient(&serving, "acct", SECRET, &lines));
    }
    assert_eq!(count(&campus, "session WHERE ended IS NULL"), 2);
    assert!(radclient(&serving, "acct", SECRET, "Acct-Status-Type = Accounting-Off\n"));
    assert_eq!(count(&campus, "session WHERE end = 'restart'"), 2);
    assert!(radclient(&serving, "acct", SECRET, "Acct-Status-Type = Accounting-On\n"));
    assert_eq!((count(&campus, "accounting"), serving.end()), (4, Some(0)));
}

#[test]
fn what_was_answered_survives_kill_9_and_who_was_online_still_is() {
    let campus = campus();
    let serving = campus.start();
    assert!(account(&serving, "Start", "A", ""));
    serving.signal("KILL");
    drop(serving);
    let mut again = campus.start();
    again.wait_for_metric("sekisho_sessions{service=\"none\"} 1");
    // The NAS has not heard our answer.
    assert!(account(&again, "Start", "A", "Acct-Delay-Time = 1\n"));
    assert_eq!((count(&campus, "accounting"), count(&campus, "session")), (1, 1));
    assert!(account(&again, "Stop", "A", ""));
    assert_eq!(count(&campus, "session WHERE ended IS NULL"), 0);
    assert_eq!(again.end(), Some(0));
}

#[test]
fn accounting_wants_no_section_but_where_nothing_is_kept_there_is_none() {
    let campus = campus();
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("[registry]\nretain-sessions = \"30d\"\n", ""));
    let serving = campus.start();
    assert!(account(&serving, "Start", "A", ""));
    assert_eq!(serving.end(), Some(0));
    campus.write("sekisho.toml", &text.replace("retain-sessions = \"30d\"", "database = \"none\""));
    let output = campus.command().output().expect("the program was built");
    assert_eq!(output.status.code(), Some(78));
    assert!(super::said(&output).contains("[listen].accounting is open"), "{}", super::said(&output));
}
