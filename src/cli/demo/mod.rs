//! `sekisho demo`: on a machine with nothing set up, a look-alike campus, the real server, and logins over real UDP.

mod campus;
mod cases;
mod files;
mod plain;
mod server;
mod table;

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::campus::Campus;
use self::cases::{Before, Case};
use self::files::{COMMON, COMMON_FILE, Ports, SECRET, TOKEN};
use self::plain::CONCENTRATOR;
use self::server::{Ending, Server};
use super::credentials;
use super::nas::Nas;
use crate::admin;
use crate::event::{Method, Reason, TlsVersion};
use crate::exchange::Asker;
use crate::otp::{self, Key};
use crate::radius::Attributes;
use crate::secret::Secret;
use crate::supplicant::{Report, Settings, Station, Supplicant};

/// Arguments of `sekisho demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where certificates, configuration and eapol_test files go; without it a new directory below the system's temporary one
    #[arg(long)]
    dir: Option<PathBuf>,
    /// End after the logins; 0 if every decision was the right one
    #[arg(long)]
    once: bool,
    /// One JSON object a login on stdout, and one with the server's doors
    #[arg(long)]
    json: bool,
}

/// How long one login may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Why the demo could not go on, in words.
#[derive(Debug)]
pub(super) struct Error(pub(super) String);

macro_rules! errors {
    ($($of:ty),+) => { $(impl From<$of> for Error { fn from(error: $of) -> Self { Self(error.to_string()) } })+ };
}
errors!(rcgen::Error, jiff::Error, std::io::Error, String);

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match demo(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("sekisho demo: not every decision was the right one");
            ExitCode::FAILURE
        }
        Err(Error(text)) => {
            eprintln!("sekisho demo: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every decision was the right one.
fn demo(args: &Args) -> Result<bool, Error> {
    let dir = directory(args.dir.as_deref())?;
    eprintln!("Making a look-alike campus in {} …", dir.display());
    let campus = Campus::make(Timestamp::now(), progress)?;
    let mut stage = Stage::set(&dir, campus)?;
    let mut table = table::Table::default();
    let mut all_right = true;
    for (number, case) in cases::all().iter().enumerate() {
        let outcome = stage.play(number, case)?;
        all_right &= outcome.right;
        if args.json {
            println!("{}", outcome.json(case));
        }
        table.add(case, &outcome);
    }
    eprintln!();
    if !args.json {
        print!("{table}");
    }
    if args.once {
        drop(stage);
        if args.dir.is_none() && all_right {
            fs::remove_dir_all(&dir)?;
        }
        return Ok(all_right);
    }
    stage.leave_running(args.json)?;
    Ok(all_right)
}

/// The directory that was named, or a new one that nobody else may look into.
fn directory(named: Option<&Path>) -> Result<PathBuf, Error> {
    let dir = match named {
        Some(dir) => {
            fs::create_dir_all(dir)?;
            dir.to_owned()
        }
        None => {
            let dir = std::env::temp_dir().join(format!("sekisho-demo-{}", std::process::id()));
            fs::DirBuilder::new()
                .mode(0o700)
                .create(&dir)
                .map_err(|error| Error(format!("{}: {error}", dir.display())))?;
            dir
        }
    };
    Ok(dir.canonicalize()?)
}

fn progress(what: &str) {
    eprintln!("  {what}");
}

/// The directory, the running server, and those who log in.
struct Stage {
    dir: PathBuf,
    campus: Campus,
    certified: cases::Certified,
    ports: Ports,
    /// An operator's.
    token: Zeroizing<String>,
    server: Server,
    /// By credential, TLS version and outer identity, so that a second login can resume the first.
    supplicants: HashMap<(&'static str, TlsVersion, String), Supplicant>,
    /// The one-time password that was shown last.
    code: Option<Secret>,
}

/// What a client has seen.
struct Seen {
    accepted: bool,
    resumed: bool,
    requests: u32,
    /// That the server sent, by number.
    alert: Option<u8>,
}

/// What came of a case.
struct Outcome {
    seen: Seen,
    /// The server's log line of the decision.
    logged: Option<Value>,
    right: bool,
}

impl Stage {
    fn set(dir: &Path, mut campus: Campus) -> Result<Self, Error> {
        let ports = server::free_ports()?;
        let token = admin::make_token().ok_or_else(|| "the system has no randomness".to_owned())?;
        // It consists of hexadecimal digits.
        let token = Zeroizing::new(String::from_utf8_lossy(token.expose()).into_owned());
        let configuration = files::write_server(dir, &mut campus, ports, &token)?;
        let certified = cases::certify(dir, &mut campus, progress)?;
        files::write(dir, "pki/ca16.crl", &campus.crl(&campus.ca16, 2, &[&certified.revoked])?)?;
        eprintln!("Starting the server: sekisho serve --config {}", configuration.display());
        let server = Server::start(&configuration, ports)?;
        eprintln!("Logging in over UDP to 127.0.0.1:{} …", ports.radius);
        Ok(Self {
            dir: dir.to_owned(),
            campus,
            certified,
            ports,
            token,
            server,
            supplicants: HashMap::new(),
            code: None,
        })
    }

    fn play(&mut self, number: usize, case: &Case) -> Result<Outcome, Error> {
        if case.resumes {
            let first = self.log_in(case, &format!("02:00:00:00:01:{number:02x}"), false)?;
            if !first.accepted {
                return Err(Error(format!("{}: the login to be resumed failed", case.who)));
            }
        }
        self.happens(case)?;
        let mac = format!("02:00:00:00:00:{number:02x}");
        let seen = match case.method {
            Method::EapTls => self.log_in(case, &mac, case.resumes)?,
            _ => self.ask(case, &mac)?,
        };
        let logged = self.server.decision_for(&mac);
        let said = |name: &str| logged.as_ref().and_then(|line| line.get(name)?.as_str());
        let accepts = case.expected == Reason::Ok;
        let right = said("reason") == Some(case.expected.name())
            && said("method") == Some(case.method.name())
            && seen.accepted == accepts
            && seen.alert == case.alert
            && seen.resumed == (case.resumes && accepts);
        Ok(Outcome { seen, logged, right })
    }

    /// What comes before a login counts when this returns.
    fn happens(&mut self, case: &Case) -> Result<(), Error> {
        let path = || {
            let serial = HEXLOWER.encode(&self.certified.to_be_blocked);
            format!("/api/v1/certificates/ca16:{serial}/revocation")
        };
        match case.before {
            Before::Nothing => Ok(()),
            Before::Revoked => {
                let revoked: [&[u8]; 2] = [&self.certified.revoked, &self.certified.to_be_revoked];
                files::write(&self.dir, "pki/ca16.crl", &self.campus.crl(&self.campus.ca16, 3, &revoked)?)?;
                self.server.wait_for_crl("ca16", 3)
            }
            Before::Blocked => {
                let why = json!({ "reason": "keyCompromise", "note": "laptop left on the train" });
                self.server.ask(&self.token, "POST", &path(), &why.to_string()).map(drop)
            }
            Before::Lifted => self.server.ask(&self.token, "DELETE", &path(), "").map(drop),
            Before::Listed => {
                let line = json!({ "authority": "ca16", "serial": "5ec0ffee", "mail": case.user(), "subject": "CN=Kuro Wada,C=JP" });
                self.server.ask(&self.token, "POST", "/api/v1/certificates", &line.to_string()).map(drop)
            }
            Before::Enrolled => self.enrol(&case.user()),
        }
    }

    /// The user's app has shown a code when this returns.
    fn enrol(&mut self, user: &str) -> Result<(), Error> {
        let path = format!("/api/v1/users/{}/otp", otp::escaped(user));
        let told = self.server.ask(&self.token, "POST", &path, "{}")?;
        let told: Value = serde_json::from_str(&told).map_err(|error| Error(format!("{path}: {error}")))?;
        let app = told.get("uri").and_then(Value::as_str).and_then(Key::read);
        let app = app.ok_or_else(|| Error(format!("{path}: no URI that an app reads")))?;
        self.code = Some(Secret::new(app.shown(SystemTime::now().into())));
        Ok(())
    }

    /// The concentrator asks, without EAP.
    fn ask(&self, case: &Case, mac: &str) -> Result<Seen, Error> {
        let common = Secret::new(COMMON);
        let password = match case.method {
            Method::Otp => self.code.as_ref().ok_or_else(|| Error(format!("{}: no code was shown", case.who)))?,
            _ => &common,
        };
        let accepted = plain::ask(self.address(), &case.user(), password, mac)?;
        Ok(Seen { accepted, resumed: false, requests: 1, alert: None })
    }

    /// Of RADIUS.
    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.radius).into()
    }

    fn log_in(&mut self, case: &Case, mac: &str, resume: bool) -> Result<Seen, Error> {
        let address = self.address();
        // A VPN knows its users by the outer identity; the Wi-Fi need not.
        let identity = if case.by_vpn() { case.user() } else { "@jaist.ac.jp".to_owned() };
        let supplicant = match self.supplicants.entry((case.credential, case.tls, identity)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let supplicant = supplicant(&self.dir, case, &new.key().2)?;
                new.insert(supplicant)
            }
        };
        let source = if case.by_vpn() { CONCENTRATOR } else { Ipv4Addr::LOCALHOST };
        let station = Station {
            ssid: (!case.by_vpn()).then(|| case.service.to_owned()),
            mac: mac.to_owned(),
            framed_mtu: None,
            nas_identifier: Some("demo".to_owned()),
            attributes: Attributes::default(),
        };
        let asker = Arc::new(Asker::new(Secret::new(SECRET.as_bytes())));
        let mut nas = Nas::connect(source.into(), address, LIMIT)?;
        let answer = nas.log_in(|now| supplicant.login(asker, station, resume, now))?;
        let report = answer.report.ok_or_else(|| Error(format!("{}: no answer", case.who)))?;
        Ok(report.as_ref().into())
    }

    /// Tells how to reach the server, and waits until somebody ends it.
    fn leave_running(&mut self, as_json: bool) -> Result<(), Error> {
        // Whoever reads that it runs may end it at once.
        let ending = Ending::new()?;
        let mut written = Vec::new();
        for (name, ssid, tls) in [("eapol_test.conf", "JAIST", "1.3"), ("eapol_test-tls12.conf", "eduroam", "1.2")] {
            written.push(files::write_eapol_test(&self.dir, name, ssid, tls)?.display().to_string());
        }
        let Ports { radius, admin } = self.ports;
        eprintln!("\nThe server keeps running; Ctrl-C ends it.");
        eprintln!("  RADIUS   127.0.0.1:{radius}, secret {SECRET}");
        eprintln!("  admin    http://127.0.0.1:{admin}/  (/metrics, /readyz, /openapi.json)");
        eprintln!(
            "  try      eapol_test -c {} -a 127.0.0.1 -p {radius} -s {SECRET} -N30:s:02-00-00-00-00-01:JAIST",
            written[0]
        );
        let certs = |file: &str| self.dir.join(file).display().to_string();
        eprintln!(
            "           curl -H \"Authorization: Bearer $(cat {})\" http://127.0.0.1:{admin}/api/v1/certificates",
            certs(TOKEN)
        );
        eprintln!(
            "           sekisho login --server 127.0.0.1:{radius} --secret {SECRET} --cert {} --key {} --ca {} --ssid JAIST",
            certs("certs/hanako.pem"),
            certs("certs/hanako.key"),
            certs("tls/campus-server-ca.pem"),
        );
        eprintln!(
            "           sekisho explain --config {} --cert {}",
            certs("sekisho.toml"),
            certs("certs/revoked.pem")
        );
        eprintln!(
            "           printf 'Packet-Src-IP-Address=%s,Message-Authenticator=0x00,User-Name=%s,User-Password=\"%s\"\\n' {CONCENTRATOR} hanako@jaist.ac.jp \"$(cat {})\" | radclient -x 127.0.0.1:{radius} auth {SECRET}",
            certs(COMMON_FILE)
        );
        eprintln!(
            "           sekisho otp enrol --api http://127.0.0.1:{admin} --token-file {} taro@jaist.ac.jp",
            certs(TOKEN)
        );
        if as_json {
            let listening = json!({ "radius": format!("127.0.0.1:{radius}"), "secret": SECRET, "admin": format!("127.0.0.1:{admin}"), "token-file": certs(TOKEN) });
            println!(
                "{}",
                json!({ "listening": listening, "eapol_test": written, "dir": self.dir.display().to_string() })
            );
        }
        std::io::stdout().flush()?;
        self.server.wait(ending)
    }
}

impl From<&Report> for Seen {
    fn from(report: &Report) -> Self {
        let Report { logged_in, resumed, requests, alert_received, .. } = *report;
        Self { accepted: logged_in, resumed, requests, alert: alert_received }
    }
}

fn supplicant(dir: &Path, case: &Case, identity: &str) -> Result<Supplicant, Error> {
    let path = |suffix: &str| dir.join(format!("certs/{}.{suffix}", case.credential));
    let credential = credentials::read(&path("pem"), Some(&path("key")), None)?;
    let settings = Settings {
        identity: identity.to_owned(),
        chain: credential.chain,
        key: Some(credential.key),
        anchors: credentials::read_certificates(&dir.join("tls/campus-server-ca.pem"))?,
        version: Some(case.tls),
        fragment_size: 1_200,
        always_length: false,
        server_names: Vec::new(),
    };
    Ok(Supplicant::new(settings)?)
}

impl Outcome {
    /// The login as one JSON object.
    fn json(&self, case: &Case) -> Value {
        json!({
            "who": case.who,
            "service": case.service,
            "method": case.method.name(),
            "tls": (case.method == Method::EapTls).then(|| case.tls.name()),
            "resumed": self.seen.resumed,
            "accepted": self.seen.accepted,
            "requests": self.seen.requests,
            "alert": self.seen.alert,
            "reason": self.field("reason"),
            "expected": case.expected.name(),
            "explanation": self.field("explanation"),
            "right": self.right,
        })
    }

    /// A text in the server's log line.
    fn field(&self, name: &str) -> Option<&str> {
        self.logged.as_ref()?.get(name)?.as_str()
    }
}
