//! A folder with all that a server needs, and the real server in it.
#![expect(clippy::disallowed_types, reason = "who measures is the other side")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sekisho::supplicant::{Next, Supplicant};
use serde_json::Value;

use crate::campus::{Campus, wall};
use crate::pem;
use crate::world::{SECRET, asker, station};

const TOKEN: &str = "the token of this bench";
/// Nothing takes nearly as long; a question that does is slow, and is told so.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);

/// The folder.
pub(crate) struct House {
    folder: PathBuf,
    stays: bool,
}

impl House {
    /// Below `target/tmp`; `stays`: it is there when this has ended, and is taken up as it is.
    pub(crate) fn new(campus: &Campus, stays: bool) -> Self {
        let name = if stays { "registry-bench".to_owned() } else { format!("registry-bench-{}", std::process::id()) };
        let house = Self { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), stays };
        fs::create_dir_all(house.folder.join("state")).expect("a folder below target/tmp");
        let chain: String = campus.server_chain.iter().map(|der| pem::certificate(der)).collect();
        house.write("server.pem", chain);
        house.write("server.key", pem::key(campus.server_key.expose()));
        fs::set_permissions(house.folder.join("server.key"), PermissionsExt::from_mode(0o600)).expect("ours");
        house.write("campus.pem", pem::certificate(&campus.anchor()));
        house.write("old.pem", pem::certificate(campus.server_root()));
        house.write("campus.crl", &campus.crl);
        house.write("sekisho.toml", configuration());
        house
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.folder.join(name), contents).expect("there is room below target/tmp");
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.state().join(sekisho::store::FILE)
    }

    /// Octets of the file and of what stands beside it.
    pub(crate) fn octets(&self) -> u64 {
        let entries = fs::read_dir(self.state()).expect("the folder").filter_map(Result::ok);
        entries.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
    }

    /// Has the system forget what it holds of the file, so that the next look comes from the disk.
    pub(crate) fn cool(&self) {
        let file = format!("if={}", self.file().display());
        let mut command = Command::new("dd");
        let _ = command.args([&file, "iflag=nocache", "count=0"]).stderr(Stdio::null()).status();
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&self) -> Serving {
        let log = self.folder.join("log");
        let file = File::create(&log).expect("a log");
        // It ends with this process, however that ends.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_sekisho"), "serve", "--config"]);
        command.arg(self.folder.join("sekisho.toml")).env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
        let begun = Instant::now();
        let command = command.stdout(file.try_clone().expect("a file")).stderr(file);
        let child = command.spawn().expect("setpriv, of util-linux");
        let mut serving = Serving { child, log, took: Duration::ZERO, auth: 0, admin: 0 };
        serving.wait("ready\n");
        serving.took = begun.elapsed();
        (serving.auth, serving.admin) = (serving.port("auth"), serving.port("admin"));
        serving
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !self.stays {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A server that runs.
pub(crate) struct Serving {
    child: Child,
    log: PathBuf,
    /// From its start until it was ready.
    pub(crate) took: Duration,
    auth: u16,
    admin: u16,
}

/// What a thread has used.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) processor: Duration,
    /// How often the processor was given to it.
    pub(crate) switches: u64,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) octets: usize,
    pub(crate) body: Value,
}

impl Serving {
    fn wait(&mut self, what: &str) {
        let begun = Instant::now();
        while !self.read_log().contains(what) {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it is not {what}: {}", self.read_log());
            thread::sleep(POLL);
        }
    }

    fn read_log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn port(&self, door: &str) -> u16 {
        let (log, end) = (self.read_log(), format!("({door})"));
        let line = log.lines().find(|line| line.ends_with(&end)).expect("it says where it listens");
        let port = line.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next());
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "application/json", None)
    }

    pub(crate) fn csv(&self, path: &str) -> Answer {
        self.ask("GET", path, "text/csv", None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "application/json", Some(body))
    }

    fn ask(&self, method: &str, path: &str, accept: &str, body: Option<&Value>) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin)).expect("the door is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        let body = body.map(Value::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: {accept}\r\n");
        let more = format!("Authorization: Bearer {TOKEN}\r\n{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all((head + &more).as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Answer { status, octets: answer.len(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    /// A login over UDP, from the first request to the last answer.
    pub(crate) fn log_in(&self, supplicant: &Supplicant, member: u32, resume: bool) -> (Duration, bool) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(("127.0.0.1", self.auth)).expect("it is bound");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        let mut login = supplicant.login(asker(), station(member), resume, wall());
        let mut buffer = [0; 4_096];
        let begun = Instant::now();
        let mut request = login.begin();
        loop {
            socket.send(&request).expect("sent");
            let length = socket.recv(&mut buffer).expect("an answer");
            match login.handle(&buffer[..length], wall()) {
                Next::Send(next) => request = next,
                Next::Done(report) => return (begun.elapsed(), report.logged_in),
                Next::Ignored => panic!("an answer that isn't ours"),
            }
        }
    }

    /// MiB in memory, and the most so far.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = self.proc("status");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux");
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// Waits until it does nothing any more; how much of the processor that took it, since its start.
    pub(crate) fn settle(&self) -> Duration {
        const IDLE: u64 = 2;
        let (mut before, mut used) = (u64::MAX, 0_u64);
        while used.abs_diff(before) > IDLE {
            thread::sleep(Duration::from_millis(500));
            (before, used) = (used, self.ticks());
        }
        Duration::from_millis(used * 10)
    }

    /// What it has had of the processor since its start, in hundredths of a second.
    pub(crate) fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
        [11, 12].iter().filter_map(|field| fields.get(*field)?.parse::<u64>().ok()).sum()
    }

    /// How often the threads of logins have called read and write so far, and for how many octets. Datagrams don't count as that, but what wakes another thread does, with eight octets.
    pub(crate) fn file_calls(&self) -> (u64, u64) {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux");
        let tasks = tasks.filter_map(Result::ok).map(|task| task.path());
        let read = |task: &Path, name| fs::read_to_string(task.join(name)).unwrap_or_default();
        let is_of_logins = |name: &str| name.trim() == "hall" || name.starts_with("helper-");
        let tasks: Vec<_> = tasks.filter(|task| is_of_logins(&read(task, "comm"))).collect();
        assert!(tasks.len() > 1, "the hall and its helpers");
        let io: Vec<_> = tasks.into_iter().map(|task| read(&task, "io")).collect();
        let sum = |names: [&str; 2]| -> u64 {
            let of = |line: &str| names.iter().find_map(|name| line.strip_prefix(name)?.trim().parse::<u64>().ok());
            io.iter().flat_map(|io| io.lines()).filter_map(of).sum()
        };
        (sum(["syscr:", "syscw:"]), sum(["rchar:", "wchar:"]))
    }

    /// What each of its threads has used so far; those of one kind together.
    pub(crate) fn threads(&self) -> BTreeMap<String, Spent> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux");
        let mut threads: BTreeMap<String, Spent> = BTreeMap::new();
        for task in tasks.filter_map(Result::ok).map(|task| task.path()) {
            // One may end meanwhile.
            let read = |name| fs::read_to_string(task.join(name)).unwrap_or_default();
            let (name, times, status) = (read("comm"), read("schedstat"), read("status"));
            let number = |text: &str| text.trim().parse::<u64>().unwrap_or_default();
            let spent = threads.entry(kind(name.trim()).to_owned()).or_default();
            spent.processor += Duration::from_nanos(times.split(' ').next().map(number).unwrap_or_default());
            let switches = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
            spent.switches += switches.map(|(_, count)| number(count)).sum::<u64>();
        }
        threads
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).expect("it runs")
    }

    /// Has it read configuration, files and CRLs again.
    pub(crate) fn read_again(&self) {
        let _ = Command::new("kill").args(["-s", "HUP", &self.child.id().to_string()]).status();
    }

    /// Has it end as its supervisor would.
    pub(crate) fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a thread is for.
fn kind(name: &str) -> &str {
    match name {
        "store" => "registry",
        // The kernel cuts their names off.
        name if name.starts_with("sqlx-sqlite") => "registry",
        name if name.starts_with("helper-") => "helpers",
        "sekisho" => "daemon",
        "hall" | "log" => name,
        _ => "others",
    }
}

fn configuration() -> String {
    let hash = HEXLOWER.encode(&sekisho::admin::hash_token(TOKEN.as_bytes()));
    let secret = String::from_utf8_lossy(SECRET);
    format!(
        r#"
[server]
state-dir = "state"
[registry]
[listen]
auth = ["127.0.0.1:0"]
admin = ["127.0.0.1:0"]
[[identity]]
name = "server"
chain = "server.pem"
key = "server.key"
[[authority]]
name = "campus"
certificate = "campus.pem"
subject = {{ C = "JP" }}
revocation = "crl"
crl = ["campus.crl"]
[[authority]]
name = "old"
certificate = "old.pem"
subject = {{ C = "JP" }}
revocation = "off"
distrust = {{ from = 2024-01-01T00:00:00+09:00 }}
[[nas]]
name = "ap"
address = ["127.0.0.0/8"]
secret = "{secret}"
[[service]]
name = "campus"
match = {{ ssid = ["JAIST"] }}
authorities = ["campus"]
vlan = "120"
[[admin.token]]
name = "bench"
sha256 = "{hash}"
role = "operator"
"#
    )
}
