//! The server under test: a campus' configuration, and the process.

use std::fmt::Write as _;
use std::io;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eapol::SECRET;
use crate::http::ask;
use crate::inside::connect;
use crate::pki::{CAMPUS, Credential, crl, pki, stale_crl};
use crate::process::{Place, Process, must};
use crate::scratch::{Scratch, free_port};

/// The binary under test.
pub(crate) const SEKISHO: &str = env!("CARGO_BIN_EXE_sekisho");

/// It ends sooner on any machine that works.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; its only NAS is 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Server {
    /// The network namespace that it lives in, if it isn't the host's.
    namespace: Option<String>,
    // Declared before the directory, so that the process ends first.
    process: Process,
    command: Command,
    pub(crate) scratch: Scratch,
    /// Of RADIUS.
    pub(crate) port: u16,
    admin: u16,
}

impl Server {
    /// The campus of `pki`, with services that tests choose by the SSID.
    pub(crate) fn start() -> Self {
        Self::start_in(Place::Host, "")
    }

    /// The same with more in the section `[eap]`.
    pub(crate) fn with_eap(lines: &str) -> Self {
        Self::start_in(Place::Host, lines)
    }

    pub(crate) fn start_in(place: Place<'_>, eap: &str) -> Self {
        Self::start_with(place, |_, port, admin| configuration(port, admin, eap))
    }

    /// The same with another configuration; `change` may write files that it names.
    pub(crate) fn changed(change: impl FnOnce(&Scratch, String) -> String) -> Self {
        Self::start_with(Place::Host, |scratch, port, admin| change(scratch, configuration(port, admin, "")))
    }

    /// The same in a network namespace.
    pub(crate) fn changed_in(place: Place<'_>, change: impl FnOnce(String) -> String) -> Self {
        Self::start_with(place, |_, port, admin| change(configuration(port, admin, "")))
    }

    fn start_with(place: Place<'_>, configure: impl FnOnce(&Scratch, u16, u16) -> String) -> Self {
        let scratch = Scratch::new();
        let (port, admin) = (free_port(), free_port());
        write_files(&scratch);
        let configuration = scratch.write("sekisho.toml", configure(&scratch, port, admin));
        let mut command = place.command(SEKISHO);
        command.arg("serve").arg("--config").arg(configuration);
        let mut process = Process::start("sekisho", &mut command, &scratch);
        process.wait_until("ready (/readyz)", |_| ready(place, admin));
        process.wait_bound(port);
        let namespace = match place {
            Place::Host => None,
            Place::Namespace(name) => Some(name.to_owned()),
        };
        Self { namespace, process, command, scratch, port, admin }
    }

    /// Where it lives.
    pub(crate) fn place(&self) -> Place<'_> {
        self.namespace.as_deref().map_or(Place::Host, Place::Namespace)
    }

    /// Ends it and starts it anew, with what it has left in its folder.
    pub(crate) fn restart(&mut self) {
        self.signal("TERM");
        self.start_again();
    }

    /// Kills it as a power failure would.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.process.wait(PATIENCE);
    }

    /// Starts it anew once it has ended.
    pub(crate) fn start_again(&mut self) {
        self.process.wait(PATIENCE);
        self.process = Process::start("sekisho", &mut self.command, &self.scratch);
        let (namespace, admin) = (self.namespace.clone(), self.admin);
        let place = namespace.as_deref().map_or(Place::Host, Place::Namespace);
        self.process.wait_until("ready (/readyz)", |_| ready(place, admin));
        self.process.wait_bound(self.port);
    }

    /// Of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn signal(&self, name: &str) {
        must(Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]));
    }

    /// Waits until a line of the metrics begins like this and ends in something else than 0.
    pub(crate) fn wait_for_metric(&mut self, line: &str) {
        let (namespace, admin) = (self.namespace.clone(), self.admin);
        let place = namespace.as_deref().map_or(Place::Host, Place::Namespace);
        let metrics = || get_in(place, admin, "/metrics", "").expect("an answer from /metrics");
        let what = format!("at the metric {line}");
        let is_there = |one: &str| one.starts_with(line) && !one.ends_with(" 0");
        self.process.wait_until(&what, |_| metrics().lines().any(is_there));
    }

    /// What a series of the metrics has come to; 0 where there is none.
    pub(crate) fn count(&self, series: &str) -> usize {
        let metrics = self.get("/metrics", "");
        let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        value.unwrap_or_default()
    }

    /// What it has logged of the decisions about a user, in order, once there are so many: the log is written behind the
    /// answers.
    pub(crate) fn decisions(&self, user: &str, at_least: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let log = self.process.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let decisions: Vec<Value> =
                lines.filter(|line| line["user"] == user && line["outcome"].is_string()).collect();
            if decisions.len() >= at_least {
                return decisions;
            }
            assert!(begun.elapsed() < PATIENCE, "{at_least} decisions about {user}: {decisions:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// `sekisho` with this command, on the server's own configuration.
    pub(crate) fn ask(&self, command: &str) -> Command {
        let mut sekisho = Place::Host.command(SEKISHO);
        sekisho.args([command, "--json", "--config"]).arg(self.scratch.path().join("sekisho.toml"));
        sekisho
    }

    /// So many logins were rejected for this reason, as the metrics have it: they are counted behind the answers.
    #[track_caller]
    pub(crate) fn assert_rejections(&self, reason: &str, wanted: usize) {
        let begun = Instant::now();
        while self.rejections(reason) < wanted && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.rejections(reason), wanted, "rejections by {reason} in /metrics");
    }

    /// Accounting requests so far.
    pub(crate) fn accounted(&self) -> usize {
        let metrics = self.get("/metrics", "");
        let samples = metrics.lines().filter(|line| line.starts_with("sekisho_requests_total{"));
        let accounting = samples.filter(|line| line.contains("listener=\"accounting\""));
        accounting.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
    }

    fn rejections(&self, reason: &str) -> usize {
        let metrics = self.get("/metrics", "");
        let labels = [r#"outcome="reject""#.to_owned(), format!("reason=\"{reason}\"")];
        let samples = metrics.lines().filter(|line| line.starts_with("sekisho_authentications_total{"));
        let wanted = samples.filter(|line| labels.iter().all(|label| line.contains(label)));
        wanted.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
    }

    /// The log, once it holds `last`.
    pub(crate) fn log_with(&mut self, last: &str) -> String {
        self.process.wait_until(&format!("logging {last}"), |process| process.log().contains(last));
        self.process.log()
    }

    /// Has everything read again.
    pub(crate) fn reload(&self) {
        must(Place::Host.command("kill").args(["-HUP", &self.process.id().to_string()]));
    }

    /// The port of its admin door.
    pub(crate) fn admin(&self) -> u16 {
        self.admin
    }

    /// The whole answer to a GET at the admin door.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        get_in(self.place(), self.admin, path, headers).expect("an answer from the admin door")
    }

    /// Of the admin door, for programs that ask there themselves.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin)
    }

    /// A connection to the admin door.
    pub(crate) fn door(&self) -> TcpStream {
        connect(self.place(), self.admin).expect("the admin door is open")
    }

    /// Replaces the CRL of CA16 on disk; `number` has to grow.
    pub(crate) fn publish_ca16(&self, number: u64, revoked: &[&Credential]) {
        self.scratch.replace("ca16.crl", crl(&pki().ca16, number, revoked));
    }
}

/// Whether the server says on its admin port that it is ready.
fn ready(place: Place<'_>, admin: u16) -> bool {
    get_in(place, admin, "/readyz", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn get_in(place: Place<'_>, admin: u16, path: &str, headers: &str) -> io::Result<String> {
    ask(connect(place, admin)?, "GET", path, headers, "")
}

fn write_files(scratch: &Scratch) {
    let pki = pki();
    for (name, identity) in [("rsa", &pki.server_rsa), ("p256", &pki.server_p256)] {
        scratch.write(&format!("{name}.pem"), &identity.chain);
        scratch.write(&format!("{name}.key"), &identity.key);
    }
    // Every server of the tests is a node of one campus.
    scratch.write("ticket.keys", "0a".repeat(32));
    let cas = [
        ("ca16", &pki.ca16),
        ("root-ca2", &pki.root_ca2),
        ("pub-ca8", &pki.pub_ca8),
        ("retired", &pki.retired),
        ("stale", &pki.stale),
        ("silent", &pki.silent),
    ];
    for (name, ca) in cas {
        scratch.write(&format!("{name}.pem"), ca.pem());
    }
    scratch.write("ca16.crl", crl(&pki.ca16, 1, &[&pki.revoked]));
    scratch.write("root-ca2.crl", crl(&pki.root_ca2, 1, &[]));
    scratch.write("pub-ca8.crl", crl(&pki.pub_ca8, 1, &[&pki.revoked_pub_ca8]));
    scratch.write("retired.crl", crl(&pki.retired, 1, &[]));
    scratch.write("stale.crl", stale_crl(&pki.stale));
}

fn configuration(port: u16, admin: u16, eap: &str) -> String {
    let mut toml = format!(
        r#"
[server]
name = "radius1.campus.example"
state-dir = "state"
[listen]
auth = ["127.0.0.1:{port}"]
admin = ["127.0.0.1:{admin}"]
[[identity]]
name = "p256"
chain = "p256.pem"
key = "p256.key"
[[identity]]
name = "rsa"
chain = "rsa.pem"
key = "rsa.key"
[tls]
versions = ["1.3", "1.2"]
ticket-key-file = "ticket.keys"
[eap]
{eap}
[federation]
cui-key = "a key of every node"
operator-name = "1jaist.ac.jp"
[[nas]]
name = "access-points"
address = ["127.0.0.1"]
secret = "{SECRET}"
[log]
level = "debug"
"#
    );
    toml.push_str(&authority("ca16", "", &["ca16"], ""));
    toml.push_str(&authority("pub-ca8", "root-ca2", &["root-ca2", "pub-ca8"], ""));
    let distrust = "distrust = { from = 2022-01-17T00:00:00+09:00, issued-before = 2020-12-25T00:00:00+09:00 }";
    toml.push_str(&authority("retired", "root-ca2", &["root-ca2", "retired"], distrust));
    toml.push_str(&authority("stale", "", &["stale"], ""));
    toml.push_str(&authority("silent", "", &[], ""));
    toml.push_str(&service("JAIST", r#"match = { ssid = ["JAIST"] }"#, "120", r#"["p256", "rsa"]"#));
    toml.push_str(&service("eduroam", r#"match = { ssid = ["eduroam"] }"#, "200", r#"["p256", "rsa"]"#));
    toml.push_str(&service("rsa", r#"match = { ssid = ["by RSA"] }"#, "120", r#"["rsa"]"#));
    toml.push_str(&service("p256", r#"match = { ssid = ["by P-256"] }"#, "120", r#"["p256"]"#));
    toml.push_str(&service("wired", r#"match = { nas-identifier = ["switch"] }"#, "110", r#"["rsa"]"#));
    toml
}

/// An `[[authority]]`: below `root`, or a root itself if that is empty; `crls` by the names of their issuers.
fn authority(name: &str, root: &str, crls: &[&str], more: &str) -> String {
    let trust = match root {
        "" => format!("certificate = \"{name}.pem\""),
        _ => format!("certificate = \"{root}.pem\"\nintermediates = [\"{name}.pem\"]"),
    };
    let mut crl = String::new();
    for issuer in crls {
        let _ = write!(crl, "\"{issuer}.crl\", ");
    }
    format!(
        "[[authority]]\nname = \"{name}\"\n{trust}\nsubject = {{ C = \"JP\", O = \"{CAMPUS}\" }}\n\
         revocation = \"crl\"\ncrl = [{crl}]\ngrace = \"0s\"\n{more}\n"
    )
}

fn service(name: &str, matched: &str, vlan: &str, identity: &str) -> String {
    format!(
        "[[service]]\nname = \"{name}\"\n{matched}\n\
         authorities = [\"ca16\", \"pub-ca8\", \"retired\", \"stale\", \"silent\"]\nidentity = {identity}\n\
         realms = [\"jaist.ac.jp\", \"\"]\nreply-username = \"certificate\"\nsession-timeout = \"8h\"\n\
         vlan = \"{vlan}\"\n"
    )
}
