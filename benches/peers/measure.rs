//! One measurement: `sekisho load` against one server, for a while.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sekisho::event::TlsVersion;
use serde_json::Value;

use crate::servers::{Files, Kind, SECRET, Server};

/// How many logins hostapd takes before it must be started anew: it has room for 1,000 and keeps each for some seconds after its end.
const HOSTAPD_LOGINS: u64 = 850;

/// Every device has logged in once by then, and not too many of the few logins are spent on it.
const HOSTAPD_WARM_UP: Duration = Duration::from_millis(80);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) version: TlsVersion,
    pub(crate) resume: bool,
    /// Logins a second; `None`: as many as it can.
    pub(crate) rate: Option<f64>,
    pub(crate) at_once: u32,
    /// Without the warm-up.
    pub(crate) time: Duration,
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Milliseconds of the server's CPU for a login.
    pub(crate) cpu: f64,
    /// The same for a full login, if some were full that should have been resumed: `cpu` is without them then.
    pub(crate) full: f64,
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) requests: f64,
    /// The part that was resumed, of those to be.
    pub(crate) resumed: f64,
    /// The part that failed.
    pub(crate) failed: f64,
    /// The server's part of its core.
    pub(crate) busy: f64,
    /// Milliseconds of the generator's CPU.
    pub(crate) own: f64,
    pub(crate) resident: f64,
}

/// Who drives it: the program, and the cores it may use.
pub(crate) struct Generator<'a> {
    pub(crate) sekisho: &'a Path,
    pub(crate) cores: &'a [usize],
}

impl Generator<'_> {
    pub(crate) fn run(&self, server: &Server, files: &Files, load: Load) -> Seen {
        let output = self.command(server, files, load).stdin(Stdio::null()).stderr(Stdio::null()).output();
        let output = output.expect("sekisho load");
        let text = String::from_utf8_lossy(&output.stdout);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("sekisho load: {error}: {text}"));
        read(&value, load)
    }

    fn command(&self, server: &Server, files: &Files, load: Load) -> Command {
        let cores: Vec<String> = self.cores.iter().map(usize::to_string).collect();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "-c", &cores.join(",")]);
        command.arg(self.sekisho).args(["load", "--json", "--secret", SECRET]);
        command.args(["--server", &format!("127.0.0.1:{}", server.port), "--pid", &server.id().to_string()]);
        command.arg("--users").arg(files.dir.join("users")).arg("--ca").arg(files.dir.join("server-root.pem"));
        command.args(["--tls", load.version.name(), "--resume", if load.resume { "1" } else { "0" }]);
        command.args(["--threads", &self.cores.len().to_string(), "--timeout", "10"]);
        let at_once = if load.rate.is_some() { 512 } else { load.at_once };
        command.args(["--concurrency", &at_once.to_string()]);
        if let Some(rate) = load.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let warm_up = if server.kind == Kind::Hostapd { HOSTAPD_WARM_UP } else { Duration::from_secs(1) };
        let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
        command.args(["--warm-up", &milliseconds(warm_up)]);
        if server.kind == Kind::Hostapd {
            let logins = load.rate.map_or(HOSTAPD_LOGINS, |rate| (rate * load.time.as_secs_f64()) as u64);
            command.args(["--logins", &logins.clamp(1, HOSTAPD_LOGINS).to_string()]);
            // It ends a resumed handshake of TLS 1.3 without it.
            command.arg("--unprotected-success");
        } else {
            command.args(["--duration", &milliseconds(warm_up + load.time)]);
        }
        command
    }
}

fn read(value: &Value, load: Load) -> Seen {
    let number = |path: &str| value.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    let kind = if load.resume && number("/resumed/logins") > 0.0 { "resumed" } else { "full" };
    let (full, resumed) = (number("/full/logins"), number("/resumed/logins"));
    Seen {
        cpu: number("/server/cpu_ms_per_login"),
        rate: number("/logins_per_second"),
        p50: number("/all/latency_ms/p50"),
        p99: number("/all/latency_ms/p99"),
        requests: number(&format!("/{kind}/requests_per_login")),
        resumed: if load.resume { resumed / (full + resumed).max(1.0) } else { 0.0 },
        failed: number("/failed") / number("/begun").max(1.0),
        busy: number("/server/cores"),
        own: number("/own/cpu_ms_per_login"),
        resident: number("/server/rss"),
        full: 0.0,
    }
}

impl Seen {
    /// A server that gives no ticket with a resumed login resumes every second one. What a full one costs is known: taken out, what is left is what resuming costs.
    pub(crate) fn set_apart(&mut self, full: f64) {
        if self.resumed > 0.05 && self.resumed < 0.99 && full > 0.0 {
            self.cpu = (self.cpu - (1.0 - self.resumed) * full) / self.resumed;
            self.full = full;
        }
    }

    /// Of each figure the median.
    pub(crate) fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(all.iter().map(figure).collect());
        Self {
            cpu: of(|seen| seen.cpu),
            rate: of(|seen| seen.rate),
            p50: of(|seen| seen.p50),
            p99: of(|seen| seen.p99),
            requests: of(|seen| seen.requests),
            resumed: of(|seen| seen.resumed),
            failed: of(|seen| seen.failed),
            busy: of(|seen| seen.busy),
            own: of(|seen| seen.own),
            resident: of(|seen| seen.resident),
            full: of(|seen| seen.full),
        }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
