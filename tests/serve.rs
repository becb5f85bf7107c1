//! The real program as its supervisor sees it: exit codes, signals, notifications, HTTP.
#![expect(clippy::disallowed_types, reason = "these tests are the other side")]

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use support::campus::{self, CAMPUS};
use support::certificates::{Authority, authority};
use support::http::get;
use support::process::{Place, Process};
use support::scratch::Scratch;

#[path = "serve/accounting.rs"]
mod accounting;
#[path = "serve/afar.rs"]
mod afar;
#[path = "serve/calls.rs"]
mod calls;
#[path = "serve/contract.rs"]
mod contract;
#[path = "serve/hostile.rs"]
mod hostile;
#[path = "serve/learned.rs"]
mod learned;
#[path = "serve/nas.rs"]
mod nas;
#[path = "serve/ocsp.rs"]
mod ocsp;
#[path = "serve/otp.rs"]
mod otp;
#[path = "serve/registry.rs"]
mod registry;
#[path = "serve/registry_damaged.rs"]
mod registry_damaged;
#[path = "serve/registry_import.rs"]
mod registry_import;
#[path = "serve/seal.rs"]
mod seal;
#[path = "serve/sessions.rs"]
mod sessions;
#[path = "serve/staple.rs"]
mod staple;
#[path = "serve/vanished.rs"]
mod vanished;
#[path = "serve/vpn.rs"]
mod vpn;
#[path = "support"]
mod support {
    pub(crate) mod campus;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod host;
    pub(crate) mod http;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod process;
    pub(crate) mod responder;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}

/// Nothing here takes nearly as long on a machine that works.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with everything that a configuration names.
struct Campus {
    scratch: Scratch,
    ca: Authority,
}

impl Campus {
    fn new() -> Self {
        let scratch = Scratch::new();
        let ca = campus::files(&scratch, "radius.test", &[1]);
        let campus = Self { scratch, ca };
        campus.configure("120");
        campus
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.scratch.write(name, text);
    }

    fn publish(&self, number: u64, entries: u64) {
        self.scratch.write("ca.crl", campus::list(&self.ca, number, 1..=entries));
    }

    fn configure(&self, vlan: &str) {
        let text = format!(
            r#"
[server]
state-dir = "."
[listen]
auth = ["127.0.0.1:0", "[::1]:0"]
admin = ["127.0.0.1:0"]
{CAMPUS}vlan = "{vlan}"
"#
        );
        self.write("sekisho.toml", &text);
    }

    fn command(&self) -> Command {
        let mut command = Place::Host.command(env!("CARGO_BIN_EXE_sekisho"));
        command.arg("serve").arg("--config").arg(self.path("sekisho.toml")).env_remove("NOTIFY_SOCKET");
        command
    }

    /// Starts the server and waits for its READY=1.
    fn start(&self) -> Serving {
        // It may be a restart.
        let _ = fs::remove_file(self.path("notify"));
        let notified = UnixDatagram::bind(self.path("notify")).expect("a socket in the folder");
        notified.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        let mut command = self.command();
        command.env("NOTIFY_SOCKET", self.path("notify")).env("WATCHDOG_USEC", "200000");
        let process = Process::start("sekisho", &mut command, &self.scratch);
        let mut serving = Serving { process, notified, seen: VecDeque::new(), admin: 0 };
        serving.wait_for("READY=1");
        serving.admin = serving.listening("admin");
        serving
    }
}

/// A server that runs.
struct Serving {
    process: Process,
    notified: UnixDatagram,
    seen: VecDeque<String>,
    /// The admin door's port on loopback.
    admin: u16,
}

impl Serving {
    /// The next line of a notification, watchdog's aside.
    fn notification(&mut self) -> String {
        loop {
            match self.seen.pop_front() {
                Some(line) if line != "WATCHDOG=1" => return line,
                Some(_) => {}
                None => self.receive(),
            }
        }
    }

    fn receive(&mut self) {
        let mut octets = [0; 4_096];
        let length = self.notified.recv(&mut octets).unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        self.seen.extend(String::from_utf8_lossy(&octets[..length]).lines().map(str::to_owned));
    }

    fn wait_for(&mut self, wanted: &str) {
        while self.notification() != wanted {}
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(status.expect("kill is part of every system").success());
    }

    fn get(&self, path: &str) -> String {
        get(self.admin, path).expect("the admin door answers in text")
    }

    /// Asks for the metrics until a line of them is there.
    fn wait_for_metric(&mut self, line: &str) {
        let admin = self.admin;
        let metrics = || get(admin, "/metrics").expect("the admin door answers in text");
        let what = format!("at the metric {line}");
        self.process.wait_until(&what, |_| metrics().lines().any(|one| one.starts_with(line)));
    }

    /// The port that the log names for a door.
    fn listening(&self, door: &str) -> u16 {
        let log = self.log();
        let mut lines =
            log.lines().filter_map(|line| line.split_once("listening on ")?.1.strip_suffix(&format!(" ({door})")));
        lines
            .next_back()
            .and_then(|address| address.rsplit_once(':')?.1.parse().ok())
            .unwrap_or_else(|| panic!("no {door} in {log}"))
    }

    fn log(&self) -> String {
        self.process.log()
    }

    /// SIGTERM; the exit code.
    fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait_for("STOPPING=1");
        self.process.wait(PATIENCE).code()
    }
}

fn said(output: &Output) -> String {
    [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat()
}

#[test]
fn a_bad_configuration_ends_with_78_and_says_why() {
    let campus = Campus::new();
    campus.write("sekisho.toml", "[listen]\nauht = []\n");
    let output = campus.command().output().expect("the program was built");
    assert_eq!(output.status.code(), Some(78));
    assert!(said(&output).contains("auht") && said(&output).contains("sekisho.toml:2"), "{}", said(&output));
}

#[test]
fn an_address_that_is_taken_ends_with_1_and_names_it() {
    let campus = Campus::new();
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("127.0.0.1:0", &address));
    let output = campus.command().output().expect("the program was built");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&format!("cannot listen on {address}")), "{}", said(&output));
}

#[test]
fn a_group_whose_members_are_not_known_ends_with_78() {
    let campus = Campus::new();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &format!("{text}[[group]]\nname = \"suspended\"\nfile = \"missing\"\n"));
    let output = campus.command().output().expect("the program was built");
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
}

#[test]
fn it_is_ready_and_ends_well() {
    let campus = Campus::new();
    let mut serving = campus.start();
    let ready = serving.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.ends_with(r#"{"degraded":[],"ready":true}"#), "{ready}");
    serving.wait_for_metric(r#"sekisho_crl_entries{authority="ca""#);
    serving.wait_for_metric(r#"sekisho_identity_not_after_seconds{identity="server"}"#);
    serving.wait_for_metric("process_");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn the_watchdog_is_fed() {
    let campus = Campus::new();
    let mut serving = campus.start();
    while !serving.seen.contains(&"WATCHDOG=1".to_owned()) {
        serving.receive();
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn sighup_reloads_and_says_so_to_the_supervisor() {
    let campus = Campus::new();
    let mut serving = campus.start();
    campus.configure("130");
    serving.signal("HUP");
    assert_eq!(serving.notification(), "RELOADING=1");
    assert!(serving.notification().starts_with("MONOTONIC_USEC="));
    assert_eq!(serving.notification(), "READY=1");
    assert!(serving.log().contains("configuration reloaded"), "{}", serving.log());
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_bad_configuration_at_sighup_changes_nothing() {
    let campus = Campus::new();
    let mut serving = campus.start();
    campus.write("sekisho.toml", "[server]\nnmae = 1\n");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    assert!(serving.log().contains("not reloaded") && serving.log().contains("nmae"), "{}", serving.log());
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
    serving.wait_for_metric("sekisho_config_last_reload_successful 0");
    campus.configure("120");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    serving.wait_for_metric("sekisho_config_last_reload_successful 1");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn what_a_reload_cannot_change_says_so() {
    let campus = Campus::new();
    let mut serving = campus.start();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace(r#", "[::1]:0""#, ""));
    serving.signal("HUP");
    serving.wait_for("READY=1");
    assert!(serving.log().contains("[listen].auth has changed, which needs a restart"), "{}", serving.log());
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_crl_that_changes_is_noticed_and_a_broken_one_degrades() {
    let campus = Campus::new();
    let mut serving = campus.start();
    campus.publish(2, 5);
    let entries = format!(r#"sekisho_crl_entries{{authority="ca",crl="{}"}} 5"#, campus.path("ca.crl").display());
    serving.wait_for_metric(&entries);
    campus.write("ca.crl", "broken");
    let admin = serving.admin;
    let readiness = || get(admin, "/readyz").expect("the admin door answers in text");
    serving.process.wait_until("degraded", |_| !readiness().ends_with(r#"{"degraded":[],"ready":true}"#));
    let ready = readiness();
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("goes on counting"), "{ready} {}", serving.log());
    serving.wait_for_metric(&entries);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r04_without_any_crl_it_runs_and_is_not_ready() {
    let campus = Campus::new();
    fs::remove_file(campus.path("ca.crl")).expect("it was there");
    let serving = campus.start();
    let ready = serving.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("authority ca: no CRL"), "{ready}");
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r04_a_crl_of_another_ca_makes_nothing_ready() {
    let campus = Campus::new();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let other = authority("Example CA", None);
    campus.write("other.pem", &other.pem());
    let more = "[[authority]]\nname = \"other\"\ncertificate = \"other.pem\"\ncrl = [\"ca.crl\"]\n";
    let text =
        text.replace("crl = [\"ca.crl\"]", "crl = []").replace("authorities = [\"ca\"]", "authorities = [\"other\"]");
    campus.write("sekisho.toml", &format!("{text}{more}"));
    let serving = campus.start();
    let ready = serving.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("authority other: no CRL of CN=Example CA"), "{ready}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_token_is_printed_with_the_table_that_knows_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["token", "--name", "help \"desk\"", "--role", "operator", "--json"])
        .output()
        .expect("the program was built");
    assert!(output.status.success());
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let token = made["token"].as_str().expect("a text");
    let sha256 =
        sekisho::admin::hash_token(token.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    assert_eq!(made["sha256"], sha256.as_str());
    let table: toml::Table = made["toml"].as_str().expect("a text").parse().expect("it is TOML");
    let first = &table["admin"]["token"][0];
    assert_eq!(first["name"].as_str(), Some("help \"desk\""));
    assert_eq!(first["role"].as_str(), Some("operator"));
    assert_eq!(first["sha256"].as_str(), Some(sha256.as_str()));
}

#[test]
fn on_a_leash_it_ends_with_whoever_started_it() {
    let campus = Campus::new();
    let mut command = campus.command();
    let mut child = command.arg("--leash").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built");
    let mut log = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("its log is text"), 0, "it ended before it was ready");
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Starts a demo, ends it by a signal, and waits until nobody listens where its server did; the demo's exit code.
fn demo_ended_by(signal: &str) -> Option<i32> {
    let campus = Campus::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["demo", "--json", "--dir"]).arg(campus.path("demo")).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut demo = command.spawn().expect("the program was built");
    let lines = BufReader::new(demo.stdout.take().expect("it was piped")).lines();
    let admin = lines.map_while(Result::ok).find_map(|line| {
        let value: serde_json::Value = serde_json::from_str(&line).ok()?;
        value.pointer("/listening/admin")?.as_str().map(str::to_owned)
    });
    let admin = admin.expect("it says where its server listens");
    TcpStream::connect(&admin).expect("its server listens");
    let sent = Command::new("kill").args([&format!("-{signal}"), &demo.id().to_string()]).status();
    assert!(sent.expect("kill is part of every system").success());
    let code = demo.wait().expect("it ends").code();
    let gone = (0..300).any(|_| TcpStream::connect(&admin).is_err() || pause());
    assert!(gone, "the demo's server has outlived it");
    code
}

#[expect(clippy::disallowed_methods, reason = "the world outside takes its time")]
fn pause() -> bool {
    std::thread::sleep(Duration::from_millis(100));
    false
}

#[test]
fn a_demo_that_is_told_to_end_takes_its_server_along() {
    assert_eq!(demo_ended_by("TERM"), Some(0));
}

#[test]
fn a_demo_that_is_killed_takes_its_server_along() {
    assert_eq!(demo_ended_by("KILL"), None);
}
