//! `sekisho load` against the server, and against those of others.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::certificates::Key;
use crate::eapol::SECRET;
use crate::peers;
use crate::pki::{Credential, pki};
use crate::process::{Place, Process, must, run};
use crate::scratch::{Scratch, free_port};
use crate::server::{SEKISHO, Server};

/// Longer than any load here takes, even beside a compiler.
const PATIENCE: Duration = Duration::from_secs(90);

fn load(port: u16, users: &[&Credential], options: &[&str], scratch: &Scratch) -> Command {
    for (number, user) in users.iter().enumerate() {
        scratch.write(&format!("user{number}.pem"), &user.chain);
        scratch.write(&format!("user{number}.key"), &user.key);
    }
    let mut command = Place::Host.command(SEKISHO);
    command.args(["load", "--json", "--server", &format!("127.0.0.1:{port}"), "--secret", SECRET]);
    command.arg("--users").arg(scratch.path()).arg("--ca").arg(authority().0);
    command.args(["--identity", "anonymous@jaist.ac.jp", "--ssid", "JAIST"]).args(options);
    command
}

/// The authority of servers, in a file outside of the users' directory.
fn authority() -> (std::path::PathBuf, &'static Scratch) {
    use std::sync::LazyLock;
    static FOLDER: LazyLock<Scratch> = LazyLock::new(Scratch::new);
    (FOLDER.write("ca", pki().server_ca.pem()), &FOLDER)
}

fn figures(output: &Output, exit: i32) -> Value {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "exit code\n{out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}{err}"))
}

fn number(figures: &Value, path: &str) -> f64 {
    figures.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {figures}"))
}

#[test]
fn load_logs_everybody_in_and_tells_what_it_cost_the_server() {
    let server = Server::start();
    let id = server.id().to_string();
    let pki = pki();
    for tls in ["1.2", "1.3"] {
        let scratch = Scratch::new();
        let more =
            ["--tls", tls, "--logins", "80", "--concurrency", "8", "--resume", "0.5", "--threads", "2", "--pid", &id];
        let users = [&pki.member_rsa, &pki.member_p256];
        let figures = figures(&run(&mut load(server.port, &users, &more, &scratch), PATIENCE), 0);
        let (full, resumed) = (number(&figures, "/full/logins"), number(&figures, "/resumed/logins"));
        assert!(full + resumed == 80.0 && (30.0..=40.0).contains(&resumed), "{figures}");
        assert!(number(&figures, "/full/requests_per_login") > number(&figures, "/resumed/requests_per_login"));
        assert!(number(&figures, "/server/cpu_ms_per_login") > 0.0 && number(&figures, "/own/cpu_ms_per_login") > 0.0);
        assert!(number(&figures, "/server/rss") > 1e6, "{figures}");
        let latency = |of: &str| number(&figures, &format!("/all/latency_ms/{of}"));
        assert!(latency("p50") <= latency("p99") && latency("p99") <= latency("max") && latency("p50") > 0.0);
        assert_eq!(number(&figures, "/failed"), 0.0);
    }
}

#[test]
fn load_counts_failures_by_their_reason() {
    let server = Server::start();
    let (scratch, pki) = (Scratch::new(), pki());
    let users = [&pki.member_p256, &pki.revoked, &pki.expired];
    let options = ["--tls", "1.3", "--logins", "30", "--concurrency", "3"];
    let figures = figures(&run(&mut load(server.port, &users, &options, &scratch), PATIENCE), 1);
    let failures = figures["failures"].as_object().expect("reasons");
    let reasons: Vec<&str> = failures.keys().map(String::as_str).collect();
    let wanted = ["refused with TLS alert 44 certificate_revoked", "refused with TLS alert 45 certificate_expired"];
    assert_eq!(reasons, wanted, "{figures}");
    assert_eq!(number(&figures, "/full/logins") + number(&figures, "/failed"), 30.0);
}

#[test]
fn load_keeps_the_pace_that_was_asked_for() {
    let server = Server::start();
    let scratch = Scratch::new();
    let options = ["--rate", "40", "--duration", "2s", "--tls", "1.3"];
    let figures = figures(&run(&mut load(server.port, &[&pki().member_p256], &options, &scratch), PATIENCE), 0);
    assert!((79.0..=81.0).contains(&number(&figures, "/begun")), "{figures}");
    assert_eq!(number(&figures, "/full/logins"), number(&figures, "/begun"));
}

#[test]
fn load_runs_at_freeradius_full_and_resumed() {
    let server = peers::freeradius(Key::Rsa);
    // Of TLS 1.3 it resumes every second.
    for (tls, resumed) in [("1.2", 30.0..=36.0), ("1.3", 10.0..=20.0)] {
        let scratch = Scratch::new();
        let options = ["--tls", tls, "--logins", "40", "--concurrency", "4", "--resume", "1"];
        let figures = figures(&run(&mut load(server.port, &[&pki().member_rsa], &options, &scratch), PATIENCE), 0);
        assert!(resumed.contains(&number(&figures, "/resumed/logins")), "{figures}");
    }
}

#[test]
fn load_runs_at_hostapd_full_and_resumed() {
    let server = peers::hostapd(Key::P256);
    // Of TLS 1.3 it resumes every second: a resumed handshake brings no new ticket.
    for (tls, at_least) in [("1.2", 30.0), ("1.3", 10.0)] {
        let scratch = Scratch::new();
        let options = ["--tls", tls, "--logins", "40", "--concurrency", "4", "--resume", "1", "--unprotected-success"];
        let figures = figures(&run(&mut load(server.port, &[&pki().member_p256], &options, &scratch), PATIENCE), 0);
        assert!(number(&figures, "/resumed/logins") >= at_least, "{figures}");
    }
}

#[test]
fn load_says_that_nobody_answers() {
    let scratch = Scratch::new();
    let options = ["--logins", "3", "--timeout", "3"];
    let figures = figures(&run(&mut load(free_port(), &[&pki().member_p256], &options, &scratch), PATIENCE), 1);
    assert_eq!(figures["failures"], serde_json::json!({ "no answer": 3 }), "{figures}");
    assert!(number(&figures, "/repeats") >= 3.0);
}

#[test]
fn load_that_is_interrupted_tells_what_it_has() {
    let server = Server::start();
    let scratch = Scratch::new();
    let mut command = load(server.port, &[&pki().member_p256], &["--duration", "1h", "--warm-up", "100ms"], &scratch);
    let mut process = Process::start("load", &mut command, &scratch);
    process.wait_until("on its way", |process| process.log().contains("logins"));
    must(Command::new("sh").args(["-c", &format!("kill -s INT {}", process.id())]));
    let status = process.wait(PATIENCE);
    let figures: Value = serde_json::from_str(&process.stdout()).expect("figures");
    assert_eq!((status.code(), &figures["interrupted"]), (Some(0), &Value::Bool(true)), "{figures}");
    assert!(number(&figures, "/logins") > 10.0 && number(&figures, "/seconds") < 60.0, "{figures}");
}

#[test]
fn load_refuses_what_it_can_not_use_in_a_sentence() {
    let scratch = Scratch::new();
    for (options, sentence) in
        [(&["--pid", "0"][..], "--pid: there is no such process"), (&["--users", "/nowhere"], "/nowhere: ")]
    {
        let mut command = Place::Host.command(SEKISHO);
        command.args(["load", "--server", "127.0.0.1:1", "--secret", SECRET, "--ca"]).arg(authority().0);
        scratch.write("user.pem", &pki().member_p256.chain);
        scratch.write("user.key", &pki().member_p256.key);
        if !options.contains(&"--users") {
            command.arg("--users").arg(scratch.path());
        }
        let output = run(command.args(options), PATIENCE);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.starts_with("sekisho load: ") && said.contains(sentence), "{said}");
    }
}
