//! The real server, in a folder of its own, on one processor.

use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;

use crate::campus::Campus;
use crate::pem;
use crate::stations;
use crate::world::SECRET;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    /// Until the first login has gone well.
    pub(crate) ready_after: Duration,
}

/// CPU so far, and how often threads have waited.
#[derive(Default)]
pub(crate) struct Threads {
    pub(crate) hall: Duration,
    pub(crate) helpers: Duration,
    /// The registry's, SQLite's included.
    pub(crate) store: Duration,
    pub(crate) log: Duration,
    pub(crate) others: Duration,
    pub(crate) waits: u64,
    pub(crate) hall_waits: u64,
}

impl Threads {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            hall: self.hall.saturating_sub(before.hall),
            helpers: self.helpers.saturating_sub(before.helpers),
            store: self.store.saturating_sub(before.store),
            log: self.log.saturating_sub(before.log),
            others: self.others.saturating_sub(before.others),
            waits: self.waits.saturating_sub(before.waits),
            hall_waits: self.hall_waits.saturating_sub(before.hall_waits),
        }
    }
}

impl Server {
    pub(crate) fn start(campus: &Campus, program: &Path) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sockets-{}", std::process::id()));
        let address = free_address();
        write(campus, &folder, address);
        let begun = Instant::now();
        let process = Command::new("taskset")
            .args(["-c", "0", &program.display().to_string(), "serve", "--config", "sekisho.toml"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).expect("a log"))
            .spawn()
            .expect("taskset");
        let mut server = Self { process, folder, address, ready_after: Duration::ZERO };
        let supplicant = campus.supplicant(0, TlsVersion::Tls13);
        while !stations::log_in_once(&supplicant, address) {
            assert!(begun.elapsed() < PATIENCE, "no answer: {}", server.log());
        }
        server.ready_after = begun.elapsed();
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).expect("Linux")
    }

    /// KiB in memory: all, and what of it isn't the program's own file and its libraries.
    pub(crate) fn resident(&self) -> (u64, u64) {
        let status = self.proc("status");
        (field(&status, "VmRSS:"), field(&status, "RssAnon:"))
    }

    /// Each thread's folder in /proc, and its name.
    fn tasks(&self) -> Vec<(PathBuf, String)> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("Linux").flatten();
        tasks.map(|task| (task.path(), fs::read_to_string(task.path().join("comm")).unwrap_or_default())).collect()
    }

    pub(crate) fn threads(&self) -> Threads {
        let mut threads = Threads::default();
        for (task, name) in self.tasks() {
            let read = |file| fs::read_to_string(task.join(file)).unwrap_or_default();
            let spent = read("schedstat").split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0);
            let spent = Duration::from_nanos(spent);
            let waits = field(&read("status"), "voluntary_ctxt_switches:");
            threads.waits += waits;
            match name.trim() {
                "hall" => {
                    threads.hall += spent;
                    threads.hall_waits += waits;
                }
                name if name.starts_with("helper-") => threads.helpers += spent,
                name if name == "store" || name.starts_with("sqlx-") => threads.store += spent,
                "log" => threads.log += spent,
                _ => threads.others += spent,
            }
        }
        threads
    }

    /// How often the hall makes each system call for an answer that it sends, as strace counts for a while.
    pub(crate) fn calls(&self, time: Duration) -> String {
        let hall = self.tasks().into_iter().find(|(_, name)| name.trim() == "hall").expect("a hall").0;
        let hall = hall.file_name().expect("its number").to_owned();
        let file = self.folder.join("calls");
        let mut strace = Command::new("timeout");
        strace.arg(time.as_secs_f64().to_string()).args(["strace", "-qq", "-c", "-o"]).arg(&file).arg("-p").arg(hall);
        if strace.stderr(Stdio::null()).status().is_err() {
            return "timeout isn't there".into();
        }
        let counts = fs::read_to_string(&file).unwrap_or_default();
        let counts: Vec<(&str, f64)> = counts.lines().filter_map(count).collect();
        let Some((_, answers)) = counts.iter().find(|(name, _)| *name == "sendmsg") else {
            return "strace isn't there".into();
        };
        counts.iter().map(|(name, count)| format!("{name} {:.2} ", count / answers)).collect()
    }
}

/// A line of strace's table: its name, how often. The last column may be preceded by a number of errors.
fn count(line: &str) -> Option<(&str, f64)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let name = columns.last().filter(|name| **name != "total")?;
    Some((name, columns.get(3)?.parse().ok()?))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("loopback")
}

fn write(campus: &Campus, folder: &Path, address: SocketAddr) {
    let put = |name: &str, octets: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, octets).expect("a folder of our own");
        path
    };
    fs::create_dir_all(folder.join("state")).expect("a folder of our own");
    let chain: String = campus.server_chain.iter().map(|der| pem::certificate(der)).collect();
    put("server.pem", chain.as_bytes());
    put("anchor.pem", pem::certificate(&campus.anchor()).as_bytes());
    put("campus.crl", &campus.crl);
    let secrets = [put("server.key", pem::key(campus.server_key.expose()).as_bytes()), put("secret", SECRET)];
    for path in secrets {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
    }
    put("sekisho.toml", configuration(address).as_bytes());
}

fn configuration(address: SocketAddr) -> String {
    format!(
        r#"
[server]
name = "bench"
state-dir = "state"

[listen]
auth = ["{address}"]

[[identity]]
name = "server"
chain = "server.pem"
key = "server.key"

[[authority]]
name = "campus"
certificate = "anchor.pem"
subject = {{ C = "JP" }}
revocation = "crl"
crl = ["campus.crl"]

[[nas]]
name = "ap"
address = ["127.0.0.0/8"]
secret-file = "secret"

[[service]]
name = "campus"
match = {{ ssid = ["JAIST"] }}
authorities = ["campus"]
vlan = "120"
"#
    )
}
