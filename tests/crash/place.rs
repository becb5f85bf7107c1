//! A folder with everything that a server wants, and the server in it: ended, killed and started again.

use std::path::PathBuf;
use std::process::{Command, Output};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use rcgen::DnType;

use super::PATIENCE;
use super::api::{Api, Said};
use super::support::campus::{self, CAMPUS};
use super::support::certificates::{Authority, Key, client};
use super::support::process::{Place, Process};
use super::support::scratch::{Scratch, unique};

/// What every simulated NAS shares with the server.
pub(crate) const SECRET: &str = "a secret that is long enough";

const ROLES: [&str; 3] = ["viewer", "registrar", "operator"];

/// Beside what small campuses have in common.
const HEAD: &str = r#"
[server]
state-dir = "state"
[listen]
auth = ["127.0.0.1:0"]
accounting = ["127.0.0.1:0"]
admin = ["127.0.0.1:0"]
[registry]
retain-sessions = "30d"
[otp]
seal-key = "a key of the tests that seals others"
[disconnect]
at-most = 0
[log]
language = "en"
# Where logins come from; those that account are access points.
[[nas]]
name = "switch"
address = ["127.0.0.1"]
secret = "a secret that is long enough"
disconnect = { port = 9 }
"#;

/// A folder with everything that a configuration names.
pub(crate) struct Campus {
    pub(crate) scratch: Scratch,
    ca: Authority,
}

impl Campus {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let ca = campus::files(&scratch, "radius.test", &[1]);
        let tokens = ROLES.map(|role| {
            let hash = HEXLOWER.encode(digest(&SHA256, role.as_bytes()).as_ref());
            format!("[[admin.token]]\nname = \"{role}1\"\nsha256 = \"{hash}\"\nrole = \"{role}\"\n")
        });
        campus::private(&scratch, "sekisho.toml", &(HEAD.to_owned() + CAMPUS + &tokens.concat()));
        Self { scratch, ca }
    }

    /// The CA revokes these.
    pub(crate) fn publish(&self, number: u64, serials: &[u64]) {
        self.scratch.replace("ca.crl", campus::list(&self.ca, number, serials.iter().copied()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The registry's file.
    pub(crate) fn registry(&self) -> PathBuf {
        self.path("state/registry.sqlite")
    }

    /// Issues a certificate: `NAME.pem` and `NAME.key`; the former's text.
    pub(crate) fn issue(&self, name: &str, serial: u64) -> String {
        let key = Key::P256.make();
        let subject = [(DnType::OrganizationName, "Example University"), (DnType::CommonName, name)];
        let mut params = client(&subject, &format!("{name}@example.ac.jp"));
        params.serial_number = Some(serial.into());
        let pem = params.signed_by(&key, &self.ca).expect("a certificate").pem();
        self.scratch.write(&format!("{name}.pem"), &pem);
        campus::private(&self.scratch, &format!("{name}.key"), &key.serialize_pem());
        pem
    }

    /// The server as it is started: what stands before it runs it.
    pub(crate) fn command(&self, before: &[&str]) -> Command {
        let words = before.iter().copied().chain([env!("CARGO_BIN_EXE_sekisho")]).collect::<Vec<_>>();
        let mut command = Place::Host.command(words[0]);
        command.args(&words[1..]).args(["serve", "--config"]).arg(self.path("sekisho.toml"));
        command.env_remove("NOTIFY_SOCKET");
        command
    }

    /// Starts the server, and waits until it is ready.
    pub(crate) fn start(&self) -> Serving {
        self.start_by(&[])
    }

    pub(crate) fn start_by(&self, before: &[&str]) -> Serving {
        let mut serving = self.spawn(before);
        serving.process.wait_until("ready", |process| process.log().lines().any(|line| line.ends_with(" ready")));
        serving.admin = serving.listening("admin");
        serving
    }

    /// Starts it and doesn't wait.
    pub(crate) fn spawn(&self, before: &[&str]) -> Serving {
        Serving { process: Process::start("sekisho", &mut self.command(before), &self.scratch), admin: 0 }
    }
}

/// A server that runs.
pub(crate) struct Serving {
    pub(crate) process: Process,
    /// The admin door's port on loopback.
    admin: u16,
}

impl Serving {
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.expect("kill is part of every system").success());
    }

    /// SIGKILL, to the process and to nobody else.
    pub(crate) fn kill(mut self) {
        self.signal("KILL");
        let _ = self.process.wait(PATIENCE);
    }

    /// SIGTERM; the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.process.wait(PATIENCE).code()
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The port that the log names for a door.
    pub(crate) fn listening(&self, door: &str) -> u16 {
        let (log, end) = (self.log(), format!(" ({door})"));
        let mut lines = log.lines().filter_map(|line| line.split_once("listening on ")?.1.strip_suffix(&end));
        let port = lines.next_back().and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        port.unwrap_or_else(|| panic!("no {door} in {log}"))
    }

    /// A connection of its own to the API, with everything allowed.
    pub(crate) fn api(&self) -> Api {
        Api::new(self.admin)
    }

    /// An answer that comes in any case.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<serde_json::Value>) -> Said {
        self.api().ask(method, path, body, "").expect("it answers")
    }

    /// Asks for the metrics until a line of them is there.
    pub(crate) fn wait_for_metric(&mut self, line: &str) {
        let admin = self.admin;
        self.process.wait_until(&format!("at the metric {line}"), |_| {
            let said = Api::new(admin).ask("GET", "/metrics", None, "").expect("it answers");
            said.text.lines().any(|one| one.starts_with(line))
        });
    }
}

/// A login of whom [`Campus::issue`] has made a certificate for.
pub(crate) fn login(campus: &Campus, serving: &Serving, name: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["login", "--server", &format!("127.0.0.1:{}", serving.listening("auth"))]);
    // Each from a station of its own.
    let mac = format!("02:00:00:00:{:02x}:{:02x}", unique() / 256 % 256, unique() % 256);
    command.args(["--secret", SECRET, "--ssid", "campus", "--mac", &mac]);
    for (option, file) in
        [("--cert", format!("{name}.pem")), ("--key", format!("{name}.key")), ("--ca", "ca.pem".into())]
    {
        command.arg(option).arg(campus.path(&file));
    }
    command.output().expect("the program was built")
}

/// Whether that login was let in.
pub(crate) fn is_let_in(campus: &Campus, serving: &Serving, name: &str) -> bool {
    let output = login(campus, serving, name);
    let said = [output.stdout, output.stderr].concat();
    match output.status.code() {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("{}", String::from_utf8_lossy(&said)),
    }
}
