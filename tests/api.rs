//! The API of the real program: what it says is what the commands say, TLS and client certificates as configured, and schemathesis finds nothing.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "these tests are the client")]

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{DnType, SerialNumber};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use support::campus::{self, CAMPUS};
use support::certificates::{Authority, Key, client};
use support::process::{Place, Process, run};
use support::scratch::Scratch;

#[path = "support"]
mod support {
    pub(crate) mod campus;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod process;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}

const TOKEN: &str = "the token of these tests";
/// Nothing here takes nearly as long on a machine that works.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long schemathesis tries, and how long it may take at most: its imports are slow on a busy machine.
const TRYING: &str = "20";
const TRIED: Duration = Duration::from_secs(180);

/// A campus with its server.
struct Campus {
    scratch: Scratch,
    ca: Authority,
    process: Process,
    port: u16,
}

/// Somebody's certificate and key.
struct Member {
    der: CertificateDer<'static>,
    pem: String,
    key: Vec<u8>,
}

impl Campus {
    /// `admin`: more of `[admin]`.
    fn new(admin: &str) -> Self {
        let scratch = Scratch::new();
        let ca = campus::files(&scratch, "localhost", &[7]);
        campus::identity(&scratch, &ca, "other", "localhost");
        scratch.write("sekisho.toml", configuration(admin));
        let mut command = Place::Host.command(env!("CARGO_BIN_EXE_sekisho"));
        command.arg("serve").arg("--config").arg(scratch.path().join("sekisho.toml")).env_remove("NOTIFY_SOCKET");
        let mut process = Process::start("sekisho", &mut command, &scratch);
        process.wait_until("ready", |process| process.log().contains("ready\n"));
        let log = process.log();
        let listening = log.lines().find(|line| line.ends_with("(admin)")).expect("it says where");
        let port = listening.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).expect("a port");
        let port = port.parse().expect("a number");
        Self { scratch, ca, process, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn member(&self, serial: u64) -> Member {
        let subject = [(DnType::CommonName, "Member"), (DnType::OrganizationName, "Example University")];
        let mut params = client(&subject, "member@university.example");
        params.serial_number = Some(SerialNumber::from(serial));
        let key = Key::P256.make();
        let certificate = params.signed_by(&key, &self.ca).expect("a certificate");
        Member { der: certificate.der().clone(), pem: certificate.pem(), key: key.serialize_der() }
    }

    /// The answer's status and body, in the clear.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        answered(&mut stream, method, path, body).expect("an answer")
    }

    /// An answer as it came.
    fn ask_for_text(&self, path: &str, accept: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: {accept}");
        write!(stream, "{head}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n").expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text");
        text
    }

    /// The same in TLS, with somebody's certificate.
    fn ask_securely(&self, member: Option<&Member>, path: &str) -> io::Result<(u16, Value)> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der().clone()).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("known").with_root_certificates(roots);
        let config = match member {
            Some(Member { der, key, .. }) => builder
                .with_client_auth_cert(vec![der.clone()], PrivatePkcs8KeyDer::from(key.clone()).into())
                .expect("a good pair"),
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let mut stream = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", self.port))?);
        answered(&mut stream, "GET", path, None)
    }

    fn reload(&self) {
        let status = Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status();
        assert!(status.expect("kill is part of every system").success());
    }
}

fn configuration(admin: &str) -> String {
    let hash = data_encoding::HEXLOWER.encode(&sekisho::admin::hash_token(TOKEN.as_bytes()));
    format!(
        r#"
[server]
state-dir = "state"
[otp]
seal-key = "a key that is long enough"
[registry]
[listen]
auth = ["127.0.0.1:0"]
admin = ["127.0.0.1:0"]
{CAMPUS}vlan = "120"
[admin]
{admin}
[[admin.token]]
name = "tests"
sha256 = "{hash}"
role = "operator"
"#
    )
}

fn answered(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> io::Result<(u16, Value)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}");
    let kind = if body.is_empty() { "" } else { "\r\nContent-Type: application/json" };
    write!(stream, "{head}{kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).map_err(io::Error::other)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other(answer.clone()))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

#[test]
fn the_api_explains_as_the_command_does() {
    let campus = Campus::new("");
    for (serial, reason) in [(1, "ok"), (7, "revoked")] {
        let member = campus.member(serial);
        let file = campus.scratch.write("member.pem", &member.pem);
        let mut command = Place::Host.command(env!("CARGO_BIN_EXE_sekisho"));
        command.arg("explain").arg("--config").arg(campus.path("sekisho.toml")).arg("--cert").arg(file);
        command.args(["--at", "2027-03-31T23:59:59+09:00", "--lang", "en", "--json"]);
        let said: Value = serde_json::from_slice(&run(&mut command, PATIENCE).stdout).expect("one object");
        let asked = json!({ "pem": member.pem, "at": "2027-03-31T23:59:59+09:00", "lang": "en" });
        let (status, explained) = campus.ask("POST", "/api/v1/explain", Some(&asked));
        assert_eq!((status, &explained), (200, &said));
        assert_eq!(explained["decisions"][0]["reason"], reason);
        let (_, in_japanese) =
            campus.ask("POST", "/api/v1/explain", Some(&json!({ "pem": member.pem, "service": "campus" })));
        assert_ne!(in_japanese["decisions"][0]["summary"], explained["decisions"][0]["summary"]);
    }
    let (status, problem) =
        campus.ask("POST", "/api/v1/explain", Some(&json!({ "pem": campus.member(1).pem, "service": "x" })));
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("service")), "{problem}");
}

#[test]
fn authorities_are_told_with_what_is_known_of_their_crls() {
    let campus = Campus::new("");
    let authority = || campus.ask("GET", "/api/v1/authorities", None).1["items"][0].clone();
    let before = authority();
    assert_eq!((&before["name"], &before["revocation"]), (&json!("ca"), &json!("crl")));
    let crl = &before["crls"][0];
    assert_eq!((&crl["number"], &crl["entries"], &crl["error"]), (&json!("01"), &json!(1), &Value::Null), "{before}");
    assert_eq!(crl["this_update"], "2026-01-02T00:00:00Z");
    campus.scratch.replace("ca.crl", campus::list(&campus.ca, 2, []));
    let vanished = until(authority, |authority| authority["vanished"]["count"] == 1);
    assert_eq!(vanished["vanished"]["first"][0]["serial"], "07", "{vanished}");
    campus.scratch.replace("ca.crl", "nonsense");
    let bad = until(authority, |authority| authority["crls"][0]["error"].is_string());
    assert_eq!(bad["crls"][0]["number"], "02", "what was good goes on counting: {bad}");
}

#[test]
fn a06_client_certificates_are_judged_by_what_is_known_now() {
    let campus = Campus::new("chain = \"server.pem\"\nkey = \"server.key\"\nclient-authorities = [\"ca\"]");
    let (good, revoked) = (campus.member(1), campus.member(7));
    assert_eq!(campus.ask_securely(Some(&good), "/api/v1/authorities").expect("an answer").0, 200);
    for (who, alert) in [(Some(&revoked), "CertificateRevoked"), (None, "CertificateRequired")] {
        let error = campus.ask_securely(who, "/healthz").expect_err("refused").to_string();
        assert!(error.contains(alert), "{alert}: {error}");
    }
    campus.scratch.replace("ca.crl", campus::list(&campus.ca, 2, [1, 7]));
    let answer = until(|| campus.ask_securely(Some(&good), "/healthz"), Result::is_err);
    assert!(answer.expect_err("refused").to_string().contains("CertificateRevoked"));
}

#[test]
fn a_reload_shows_another_certificate() {
    let campus = Campus::new("chain = \"server.pem\"\nkey = \"server.key\"");
    let metrics = campus.ask_securely(None, "/healthz").expect("an answer");
    assert_eq!(metrics.0, 200);
    // Any that is wrong is refused, and the one before goes on.
    campus.scratch.write("sekisho.toml", configuration("chain = \"other.pem\"\nkey = \"server.key\""));
    campus.reload();
    until(|| campus.process.log(), |log| log.contains("not reloaded"));
    assert_eq!(campus.ask_securely(None, "/healthz").expect("an answer").0, 200);
    campus.scratch.write("sekisho.toml", configuration("chain = \"other.pem\"\nkey = \"other.key\""));
    campus.reload();
    until(|| campus.process.log(), |log| log.contains("configuration reloaded"));
    assert_eq!(campus.ask_securely(None, "/healthz").expect("an answer").0, 200);
}

#[test]
fn a07_nothing_that_is_shown_holds_a_secret() {
    let campus = Campus::new("");
    let member = campus.member(1);
    assert_eq!(campus.ask("POST", "/api/v1/certificates", Some(&json!({ "pem": member.pem }))).0, 201);
    let hash = data_encoding::HEXLOWER.encode(&sekisho::admin::hash_token(TOKEN.as_bytes()));
    let key = fs::read_to_string(campus.path("server.key")).expect("it was written");
    let key: String = key.lines().filter(|line| !line.starts_with("-----")).collect();
    let secrets = [TOKEN, "a secret that is long enough", &hash, &key[40..80], "PRIVATE KEY", "BEGIN CERTIFICATE"];
    let (_, description) = campus.ask("GET", "/openapi.json", None);
    let paths = description["paths"].as_object().expect("paths");
    let asked = paths.iter().filter(|(_, operations)| operations.get("get").is_some()).map(|(path, _)| path);
    for path in asked {
        let path = path.replace("{id}", "ca:01").replace("{name}", "member@university.example");
        for accept in ["application/json", "text/csv"] {
            let text = campus.ask_for_text(&path, accept);
            assert!(text.starts_with("HTTP/1.1 ") && !text.contains(" 500 "), "{path}: {text}");
            for secret in secrets {
                assert!(!text.contains(secret), "{path}: {secret}: {text}");
            }
        }
    }
}

#[test]
fn a11_what_cannot_be_loaded_changes_nothing_and_the_last_of_several_at_once_counts() {
    let campus = Campus::new("");
    let loaded = || campus.process.log().matches("configuration reloaded").count();
    let works = || campus.ask("GET", "/api/v1/audit", None).0;
    for bad in ["", "[admin]\n", "not TOML at all [", "[server]\nstate-dir = \"state\"\n[sever]\n"] {
        let refused = || campus.process.log().matches("not reloaded").count();
        let before = refused();
        campus.scratch.replace("sekisho.toml", bad);
        campus.reload();
        until(refused, |now| *now > before);
        assert_eq!(works(), 200, "{bad}: the token of before counts");
        assert!(campus.ask_for_text("/metrics", "*/*").contains("sekisho_config_last_reload_successful 0"), "{bad}");
    }
    assert_eq!(loaded(), 0);
    // Half of it, then the rest: whoever reads sees one or the other file.
    let good = configuration("");
    for number in 0..10 {
        let text = if number % 2 == 0 { good[..good.len() / 2].to_owned() } else { good.clone() };
        campus.scratch.replace("sekisho.toml", text);
        campus.reload();
    }
    until(loaded, |times| *times > 0);
    let is_good = |text: &String| text.contains("sekisho_config_last_reload_successful 1");
    until(|| campus.ask_for_text("/metrics", "*/*"), is_good);
    assert_eq!(works(), 200);
}

/// Looks until it is so.
fn until<T>(look: impl Fn() -> T, is_so: impl Fn(&T) -> bool) -> T {
    for _ in 0..PATIENCE.as_millis() / 50 {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("not so after {PATIENCE:?}")
}

/// Requests of every shape that the description allows, and of shapes that it doesn't: none is answered with what it doesn't say, with a fault of ours, or without its token.
#[test]
fn schemathesis_finds_nothing() {
    let folder = std::env::var_os("SCHEMATHESIS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis"), PathBuf::from);
    assert!(folder.is_dir(), "schemathesis isn't at {}: tests/run --setup installs it", folder.display());
    let campus = Campus::new("open-metrics = false");
    let mut command = Place::Host.command("python3");
    command.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(campus.scratch.path());
    command.args([
        "-c",
        "from schemathesis.cli import schemathesis; schemathesis()",
        "run",
        "--no-color",
        "--generation-deterministic",
    ]);
    command.args(["--max-time", TRYING, "--max-examples", "50", "--warnings", "off"]);
    // Not every string is a certificate, or a cursor that we gave.
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    command.args(["--header", &format!("Authorization: Bearer {TOKEN}")]);
    command.arg(format!("http://127.0.0.1:{}/openapi.json", campus.port));
    let output = run(&mut command, TRIED);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Operations:"), "{said}");
}
