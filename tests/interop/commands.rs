//! The commands that speak EAP-TLS themselves, against the programs of others.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::certificates::Key;
use crate::eapol::{Alert, SECRET, Supplicant};
use crate::http::get_with;
use crate::peers;
use crate::pki::{Credential, pki};
use crate::process::{Place, Process, must, run};
use crate::scratch::{Scratch, free_port};
use crate::server::SEKISHO;

/// `sekisho login`: exit codes of CONTRACT.md.
const ACCEPTED: i32 = 0;
const REJECTED: i32 = 1;
const NO_ANSWER: i32 = 2;
const BAD_SERVER: i32 = 3;

pub(crate) fn login(port: u16, credential: &Credential, ca: &str, options: &[&str]) -> Output {
    let scratch = Scratch::new();
    let mut command = Place::Host.command(SEKISHO);
    command.args(["login", "--server", &format!("127.0.0.1:{port}"), "--secret", SECRET]);
    command.arg("--cert").arg(scratch.write("member.pem", &credential.chain));
    command.arg("--key").arg(scratch.write("member.key", &credential.key));
    command.arg("--ca").arg(scratch.write("ca.pem", ca)).args(["--identity", "anonymous@jaist.ac.jp"]).args(options);
    run(&mut command, Duration::from_secs(60))
}

#[track_caller]
fn assert_exit(output: &Output, wanted: i32) {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(wanted), "exit code\n{out}{err}");
}

/// The supplicant is right for itself, not only against our own server.
fn login_succeeds_at(port: u16, tls: &str, resumptions: &str) {
    let pki = pki();
    let ca = pki.server_ca.pem();
    for member in [&pki.member_rsa, &pki.member_p256] {
        assert_exit(&login(port, member, &ca, &["--tls", tls, "--resume", resumptions]), ACCEPTED);
    }
    let small = ["--tls", tls, "--fragment-size", "200"];
    assert_exit(&login(port, &pki.member_rsa, &ca, &small), ACCEPTED);
    assert_exit(&login(port, &pki.stranger, &ca, &["--tls", tls]), REJECTED);
    assert_exit(&login(port, &pki.member_rsa, &pki.silent.pem(), &["--tls", tls]), BAD_SERVER);
}

#[test]
fn login_succeeds_at_freeradius() {
    for key in [Key::Rsa, Key::P256] {
        let server = peers::freeradius(key);
        login_succeeds_at(server.port, "1.2", "1");
        login_succeeds_at(server.port, "1.3", "1");
    }
}

#[test]
fn login_succeeds_at_hostapd() {
    for key in [Key::Rsa, Key::P256] {
        let server = peers::hostapd(key);
        login_succeeds_at(server.port, "1.2", "1");
        login_succeeds_at(server.port, "1.3", "0");
    }
}

/// hostapd 2.10 ends a resumed TLS 1.3 session without the octet of RFC 9190 section 2.5; no peer may take that for
/// a success.
#[test]
fn login_refuses_a_resumption_without_protected_success() {
    let server = peers::hostapd(Key::P256);
    let output = login(server.port, &pki().member_p256, &pki().server_ca.pem(), &["--tls", "1.3", "--resume", "1"]);
    assert_exit(&output, REJECTED);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("protected success"), "login says what was missing:\n{said}");
}

#[test]
fn login_says_that_nobody_answers() {
    let silent = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
    for port in [silent.local_addr().expect("bound").port(), free_port()] {
        let output = login(port, &pki().member_rsa, &pki().server_ca.pem(), &["--timeout", "3"]);
        assert_exit(&output, NO_ANSWER);
    }
}

/// What `demo --json` says when it listens: `{"listening": {…}, "eapol_test": […]}`.
struct Listening {
    port: u16,
    secret: String,
    eapol_test: Vec<String>,
    admin: u16,
    token_file: String,
}

impl Listening {
    fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let listening = value.get("listening")?;
        let (_, port) = listening.get("radius")?.as_str()?.rsplit_once(':')?;
        let (_, admin) = listening.get("admin")?.as_str()?.rsplit_once(':')?;
        let files = value.get("eapol_test")?.as_array()?;
        Some(Self {
            port: port.parse().ok()?,
            secret: listening.get("secret")?.as_str()?.to_owned(),
            admin: admin.parse().ok()?,
            token_file: listening.get("token-file")?.as_str()?.to_owned(),
            eapol_test: files.iter().filter_map(|file| Some(file.as_str()?.to_owned())).collect(),
        })
    }
}

#[test]
fn demo_once_decides_every_login_rightly() {
    let scratch = Scratch::new();
    let mut command = Place::Host.command(SEKISHO);
    command.args(["demo", "--once", "--dir"]).arg(scratch.path().join("demo"));
    let output = run(&mut command, Duration::from_secs(60));
    assert_exit(&output, 0);
    let table = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let by_certificate =
        ["revoked", "expired", "wrong-purpose", "wrong-organisation", "distrusted-authority", "blocked"];
    for reason in by_certificate.into_iter().chain(["no-good-certificate", "otp-wrong"]) {
        assert!(table.contains(reason), "the table names {reason}:\n{table}");
    }
    let widest = String::from_utf8_lossy(&output.stdout).lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "a terminal has 80 columns:\n{table}");
}

#[test]
fn demo_leaves_a_server_that_lets_eapol_test_in() {
    let scratch = Scratch::new();
    let mut command = Place::Host.command(SEKISHO);
    command.args(["demo", "--json", "--dir"]).arg(scratch.path().join("demo"));
    let mut demo = Process::start("demo", &mut command, &scratch);
    let mut listening = None;
    demo.wait_until("listening, and has said so", |process| {
        listening = process.stdout().lines().find_map(Listening::read);
        listening.is_some()
    });
    let listening = listening.expect("what demo said");
    assert!(!listening.eapol_test.is_empty(), "demo names no configuration for eapol_test");

    let ssid = ["-N30:s:02-00-00-00-00-01:JAIST".to_owned()];
    for file in &listening.eapol_test {
        let supplicant = Supplicant::start(Path::new(file), listening.port, &listening.secret, &ssid, &scratch);
        let outcome = supplicant.finish();
        if file.contains("revoked") {
            outcome.assert_refused(Alert::CertificateRevoked);
        } else {
            outcome.assert_accepted(1);
        }
    }
    // And its concentrator's road, as the screen says.
    let screen = demo.log();
    let command = screen.lines().find(|line| line.contains("| radclient")).expect("a line for radclient");
    let said = must(Place::Host.command("sh").args(["-c", command]));
    assert!(said.contains("Received Access-Accept") && said.contains("hanako@jaist.ac.jp"), "{said}");
    // Its API is reached as the screen says.
    let token = std::fs::read_to_string(&listening.token_file).expect("the file that demo names");
    let header = format!("Authorization: Bearer {}\r\n", token.trim_end());
    let said = get_with(listening.admin, "/api/v1/certificates?q=hachiro", &header).expect("an answer");
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("hachiro@jaist.ac.jp"), "{said}");
}
