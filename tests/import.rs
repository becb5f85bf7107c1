//! `sekisho import`, end to end: the real program against an API of this test's own.
#![expect(clippy::disallowed_types, reason = "these tests are the other side")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::resource::{UsageWho, getrusage};
use rcgen::DnType;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use support::certificates::{Key, authority, client, server};
use support::scratch::{Scratch, free_port};

#[path = "support"]
mod support {
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}

/// What nobody may ever see.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const COLUMNS: &str = "application=1,subject=2,mail=3,status=4";

/// What is answered to the request of this number: status line and headers, and a body.
type Answers = dyn Fn(usize, &Value) -> (String, String) + Send + Sync;

/// An API that takes down what it is sent.
struct Api {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Api {
    fn new(answers: impl Fn(usize, &Value) -> (String, String) + Send + Sync + 'static) -> Self {
        Self::start(None, answers)
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        answers: impl Fn(usize, &Value) -> (String, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let api = Self { url: format!("{scheme}://localhost:{port}"), heads: Arc::default(), bodies: Arc::default() };
        let (heads, bodies) = (Arc::clone(&api.heads), Arc::clone(&api.bodies));
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heads, bodies, answers) = (Arc::clone(&heads), Arc::clone(&bodies), Arc::clone(&answers));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => serve(stream, &heads, &bodies, &*answers),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        serve(StreamOwned::new(connection, stream), &heads, &bodies, &*answers);
                    }
                });
            }
        });
        api
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().expect("no panic").clone()
    }
}

/// One connection, to its end or to an answer that says it ends.
fn serve(stream: impl Read + Write, heads: &Mutex<Vec<String>>, bodies: &Mutex<Vec<Value>>, answers: &Answers) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let length = head
            .to_lowercase()
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split("\r\n").next()?.parse::<usize>().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).expect("a body");
        if head.starts_with("GET /api/v1/import-columns ") {
            // Of the reference.
            let told = r#"{"application":0,"subject":4,"mail":15,"serial":0,"authority":0,"status":0}"#;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{told}", told.len());
            if stream.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        heads.lock().expect("no panic").push(head);
        let number = {
            let mut bodies = bodies.lock().expect("no panic");
            bodies.push(body.clone());
            bodies.len()
        };
        let (head, body) = answers(number, &body);
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.get_mut().write_all(answer.as_bytes()).is_err() || stream.get_mut().flush().is_err() {
            return;
        }
        if head.contains("Connection: close") {
            return;
        }
    }
}

fn created(_: usize, _: &Value) -> (String, String) {
    ("201 Created".to_owned(), "{}".to_owned())
}

/// A folder with a token.
struct Desk(Scratch);

impl Desk {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.write("token", format!("{TOKEN}\n"));
        Self(scratch)
    }

    fn write(&self, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
        self.0.write(name, octets)
    }

    /// Runs the command in the folder; the token may show nowhere.
    fn import(&self, url: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.current_dir(self.0.path()).args(["import", "--api", url, "--token-file", "token"]).args(more);
        let output = command.output().expect("the program");
        assert!(!said(&output).contains(TOKEN), "the token shows");
        output
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn said(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

#[track_caller]
fn assert_exit(output: &Output, wanted: i32) {
    assert_eq!(output.status.code(), Some(wanted), "{}", said(output));
}

/// A list of so many lines.
fn list(lines: usize) -> String {
    (1..=lines)
        .map(|number| format!("{number},\"CN=Member {number},C=JP\",member{number}@campus.example,有効\n"))
        .collect()
}

#[test]
fn a_list_and_a_bundle_are_registered_and_counted() {
    let desk = Desk::new();
    desk.write("list.csv", list(20));
    let ca = authority("Campus CA", None);
    let params = client(&[(DnType::CommonName, "Member")], "member@campus.example");
    let member = params.signed_by(&Key::P256.make(), &ca).expect("a certificate").pem();
    desk.write("members.pem", ca.pem() + &member);
    let api = Api::new(|number, body| match body.get("pem") {
        None if number % 2 == 0 => ("200 OK".to_owned(), "{}".to_owned()),
        _ => created(number, body),
    });
    let output = desk.import(&api.url, &["--columns", COLUMNS, "list.csv", "members.pem"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output), "11 new, 10 known, 0 refused, 1 left out (certificates of authorities)\n");
    let bodies = api.bodies();
    assert_eq!(bodies.len(), 21);
    let wanted = json!({ "application": "7", "subject": "CN=Member 7,C=JP", "mail": "member7@campus.example", "status": "valid" });
    assert!(bodies.contains(&wanted));
    assert_eq!(bodies[20], json!({ "pem": member.replace("\r\n", "\n") }), "one file after the other");
    let heads = api.heads.lock().unwrap();
    for head in heads.iter() {
        let head = head.to_lowercase();
        assert!(head.starts_with("post /api/v1/certificates http/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nauthorization: bearer {TOKEN}\r\n")), "{head}");
        assert!(
            head.contains("\r\ncontent-type: application/json\r\n") && head.contains("\r\nhost: localhost:"),
            "{head}"
        );
    }
}

#[test]
fn refused_lines_are_told_with_number_and_reason_and_the_exit_code_is_1() {
    let desk = Desk::new();
    desk.write("list.csv", list(4) + "5,nobody,,\n" + "6,CN=F,,保留\u{1b}[2J\n");
    let api = Api::new(|number, body| match body["application"].as_str() {
        Some("3") => {
            let problem = json!({ "detail": "this can't be registered", "errors": [{ "field": "mail", "detail": "is\u{1b}[2J none" }] });
            ("422 Unprocessable Entity".to_owned(), problem.to_string())
        }
        _ => created(number, body),
    });
    let output = desk.import(&api.url, &["--columns", COLUMNS, "list.csv"]);
    assert_exit(&output, 1);
    assert_eq!(stdout(&output), "3 new, 0 known, 3 refused\n");
    let told = stderr(&output);
    for line in [
        "list.csv: UTF-8, parted by commas, columns application=1,subject=2,mail=3,status=4",
        "list.csv:3: refused: 422 Unprocessable Entity: this can't be registered; mail: is\\u{1b}[2J none",
        "list.csv:5: refused: column 2 is no subject: \"nobody\"",
        "list.csv:6: refused: the status holds characters that don't show: \"保留\\u{1b}[2J\"",
    ] {
        assert!(told.lines().any(|found| found == line), "{line}\n{told}");
    }
    let output = desk.import(&api.url, &["--columns", COLUMNS, "--json", "list.csv"]);
    assert_exit(&output, 1);
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.contains(&json!({ "file": "list.csv", "line": 5, "refused": "column 2 is no subject: \"nobody\"" })));
    let summary =
        json!({ "new": 3, "known": 0, "refused": 3, "left_out": 0, "unsent": 0, "dry_run": false, "stopped": null });
    assert_eq!(lines.last().unwrap()["summary"], summary);
}

#[test]
fn a_busy_api_is_asked_again_and_closed_connections_are_opened_again() {
    let desk = Desk::new();
    desk.write("list.csv", list(10));
    let api = Api::new(|number, body| match number % 4 {
        1 => ("503 Service Unavailable\r\nRetry-After: 0".to_owned(), String::new()),
        2 => ("429 Too Many Requests\r\nRetry-After: 0\r\nConnection: close".to_owned(), String::new()),
        3 => ("201 Created\r\nConnection: close".to_owned(), "{}".to_owned()),
        _ => created(number, body),
    });
    let output = desk.import(&api.url, &["--columns", COLUMNS, "list.csv"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output), "10 new, 0 known, 0 refused\n");
}

#[test]
fn an_api_that_stays_busy_is_given_up() {
    let desk = Desk::new();
    desk.write("list.csv", list(100));
    let api = Api::new(|_, _| {
        ("503 Service Unavailable\r\nRetry-After: 0".to_owned(), r#"{"detail":"the disk is full"}"#.to_owned())
    });
    let output = desk.import(&api.url, &["--columns", COLUMNS, "--concurrency", "1", "list.csv"]);
    assert_exit(&output, 1);
    assert!(
        stderr(&output).contains("stopped: the API can't at the moment: 503 Service Unavailable: the disk is full")
    );
    assert!(
        stdout(&output).starts_with("0 new, 0 known, 0 refused, ") && stdout(&output).ends_with(" read and not sent\n")
    );
    assert_eq!(api.bodies().len(), 8);
}

#[test]
fn a_token_that_is_not_good_ends_it_at_once() {
    let desk = Desk::new();
    desk.write("list.csv", list(1_000));
    for (status, wanted) in [
        ("401 Unauthorized", "the API doesn't know the token, or it has expired: 401 Unauthorized"),
        ("403 Forbidden", "wants the role \"registrar\": 403 Forbidden"),
        ("404 Not Found", "there is no registry's API: 404 Not Found"),
    ] {
        let api = Api::new(move |_, _| (status.to_owned(), String::new()));
        let output = desk.import(&api.url, &["--columns", COLUMNS, "--json", "list.csv", "list.csv"]);
        assert_exit(&output, 1);
        assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
        assert!(api.bodies().len() <= 4, "each under way is answered, and nothing follows");
        let summary: Value = serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
        assert!(summary["summary"]["stopped"].as_str().unwrap().contains(wanted));
        assert_eq!(summary["summary"]["refused"], 0);
    }
}

#[test]
fn dry_run_needs_no_api_and_says_what_would_be_sent() {
    let desk = Desk::new();
    desk.write("list.csv", list(2) + "3,nobody,,\n");
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        let arguments = ["import", "--dry-run", "--columns", COLUMNS, "list.csv"];
        command.current_dir(desk.0.path()).args(arguments).args(more).output().expect("the program")
    };
    let output = run(&[]);
    assert_exit(&output, 1);
    assert_eq!(stdout(&output), "2 would be sent, 1 refused\n");
    let output = run(&["--json"]);
    let first: Value = serde_json::from_str(stdout(&output).lines().next().unwrap()).unwrap();
    assert_eq!((&first["line"], &first["would_send"]["application"]), (&json!(1), &json!("1")));
    desk.write("list.csv", list(2));
    assert_exit(&run(&[]), 0);
}

#[test]
fn https_wants_a_certificate_that_is_known() {
    let desk = Desk::new();
    let ca = authority("Door CA", None);
    let key = Key::P256.make();
    let certificate = server("localhost").signed_by(&key, &ca).expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a pair");
    let api = Api::start(Some(Arc::new(config)), created);
    desk.write("ca.pem", ca.pem());
    desk.write("other.pem", authority("Other CA", None).pem());
    desk.write("list.csv", list(3));
    let output = desk.import(&api.url, &["--ca", "ca.pem", "--columns", COLUMNS, "list.csv"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output), "3 new, 0 known, 0 refused\n");
    for more in [&["--ca", "other.pem"][..], &[]] {
        let output = desk.import(&api.url, &[more, &["--columns", COLUMNS, "list.csv"]].concat());
        assert_exit(&output, 1);
        assert!(stderr(&output).contains("--ca FILE names who issued its certificate"), "{}", stderr(&output));
    }
    assert_eq!(api.bodies().len(), 3, "the token went nowhere else");
}

#[test]
fn the_token_never_crosses_a_network_in_clear() {
    let desk = Desk::new();
    desk.write("list.csv", list(1));
    let output = desk.import("http://192.0.2.1:9812", &["--columns", COLUMNS, "list.csv"]);
    assert_exit(&output, 1);
    assert!(stderr(&output).contains("the token would cross the network in clear; use https"));
}

#[test]
fn what_cannot_be_used_is_said_with_exit_78_and_what_cannot_be_read_with_1() {
    let desk = Desk::new();
    desk.write("list.csv", list(1));
    desk.write("empty", "\n");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.current_dir(desk.0.path()).arg("import").args(arguments).output().expect("the program")
    };
    for arguments in [
        &["--api", "http://127.0.0.1:1", "--token-file", "absent", "list.csv"][..],
        &["--api", "http://127.0.0.1:1", "--token-file", "empty", "list.csv"],
        &["--api", "http://user@127.0.0.1:1", "--token-file", "token", "list.csv"],
        &["--api", "https://127.0.0.1:1", "--ca", "list.csv", "--token-file", "token", "list.csv"],
    ] {
        assert_exit(&run(arguments), 78);
    }
    assert_exit(&run(&["list.csv"]), 64);
    let port = free_port();
    let nobody = desk.import(&format!("http://127.0.0.1:{port}"), &["--columns", COLUMNS, "list.csv"]);
    assert_exit(&nobody, 1);
    assert!(stderr(&nobody).contains("stopped: http://127.0.0.1:"), "{}", stderr(&nobody));
    let api = Api::new(created);
    let absent = desk.import(&api.url, &["--columns", COLUMNS, "absent.csv", "list.csv"]);
    assert_exit(&absent, 1);
    assert!(stderr(&absent).contains("absent.csv: refused: No such file"), "{}", stderr(&absent));
    assert_eq!(stdout(&absent), "1 new, 0 known, 1 refused\n", "the others are imported all the same");
}

/// A list much larger than what any process of these tests ever had in memory.
#[test]
fn a_large_list_needs_little_memory() {
    const MIB: usize = 1 << 20;
    let desk = Desk::new();
    let memo = "x".repeat(60_000);
    let row = format!("1,CN=A,a@campus.example,,{memo}\n");
    let mut list = std::fs::File::create(desk.0.path().join("list.csv")).expect("ours");
    for _ in 0..200 * MIB / row.len() {
        list.write_all(row.as_bytes()).expect("there is room");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(desk.0.path()).args(["import", "--dry-run", "--columns", "application=1,subject=2,mail=3"]);
    let output = command.arg("list.csv").output().expect("the program");
    assert_exit(&output, 0);
    let most = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux").max_rss();
    assert!(most < 100 * 1_024, "{most} KiB");
    assert_eq!(stdout(&output), format!("{} would be sent, 0 refused\n", 200 * MIB / row.len()));
}

#[test]
fn help_shows_an_example() {
    let output = Command::new(env!("CARGO_BIN_EXE_sekisho")).args(["import", "--help"]).output().expect("the program");
    let text = stdout(&output);
    assert!(text.contains("sekisho import --api http://127.0.0.1:9812 --token-file"), "{text}");
    assert!(text.contains("失効申請中") && text.contains("Exit code:"), "{text}");
}
