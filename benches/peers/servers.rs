//! The servers, each as its expert would set it up for EAP-TLS alone, and pinned to one core.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::campus::Campus;
use crate::pem;

pub(crate) const SECRET: &str = "a-long-secret-of-the-bench";
/// Octets of TLS data in one fragment, for all of them.
const FRAGMENT: u16 = 1_200;
/// How long a session may be resumed, in seconds, for all of them.
const RESUMPTION: u32 = 28_800;
/// FreeRADIUS takes a while to read a million entries.
const START: Duration = Duration::from_secs(120);

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Sekisho,
    FreeRadius,
    Hostapd,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Sekisho, Self::FreeRadius, Self::Hostapd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sekisho => "Sekisho",
            Self::FreeRadius => "FreeRADIUS",
            Self::Hostapd => "hostapd",
        }
    }

    /// The name and version that the program itself tells.
    pub(crate) fn version(self, sekisho: &Path) -> String {
        let (program, argument) = match self {
            Self::Sekisho => (sekisho.to_owned(), "--version"),
            Self::FreeRadius => (locate("freeradius"), "-v"),
            Self::Hostapd => (locate("hostapd"), "-v"),
        };
        let output = Command::new(&program).arg(argument).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().next().unwrap_or_default();
        line.split(", ").next().unwrap_or_default().replace("radiusd: ", "").replace("Version ", "")
    }
}

/// Where a program is, which may be in `/usr/sbin`.
pub(crate) fn locate(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places
        .map(|place| place.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed; benches/peers/run installs what is needed"))
}

/// The files of a campus, below a directory of their own.
pub(crate) struct Files {
    pub(crate) dir: PathBuf,
}

impl Files {
    /// Certificates, keys and CRL; the members for `sekisho load` are in `users`, their anchor of the server in `server-root.pem`.
    pub(crate) fn write(dir: PathBuf, campus: &Campus) -> Self {
        let files = Self { dir };
        let chain: String = campus.server_chain.iter().map(|one| pem::certificate(one)).collect();
        files.file("server.pem", &chain);
        files.file("server.key", &pem::key(campus.server_key.expose()));
        files.file("server-root.pem", &pem::certificate(&campus.server_root));
        let (anchor, crl) = (pem::certificate(&campus.anchor()), pem::labelled("X509 CRL", &campus.crl));
        files.file("members.pem", &anchor);
        files.file("members.crl", &crl);
        // FreeRADIUS and hostapd take the CRL from the file of the authorities.
        files.file("members-and-crl.pem", &(anchor + &crl));
        for number in 0..campus.members() {
            files.file(&format!("users/{number}.pem"), &pem::certificate(campus.member(number)));
            files.file(&format!("users/{number}.key"), &pem::key(campus.member_key.expose()));
        }
        files
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().expect("below the directory")).expect("a directory for the bench");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let secret = path.extension().is_some_and(|extension| extension == "key");
        let mode = if secret { 0o600 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its own file");
        path
    }
}

/// A server that runs; it ends with this.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    child: Child,
    /// How long it took until it could be asked.
    pub(crate) started: Duration,
    /// Octets, before the first login.
    pub(crate) idle: u64,
}

impl Server {
    pub(crate) fn start(kind: Kind, files: &Files, sekisho: &Path, core: usize) -> Self {
        let port = free_port();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()]);
        match kind {
            Kind::Sekisho => {
                command.arg(sekisho).arg("serve").arg("--config").arg(files.file("sekisho.toml", &toml(port)));
            }
            Kind::FreeRadius => {
                let dir = files.dir.display().to_string();
                files.file("radiusd.conf", &radiusd(&dir, port));
                fs::create_dir_all(files.dir.join("tlscache")).expect("a directory for the bench");
                command.arg(locate("freeradius")).args(["-f", "-n", "radiusd", "-d", &dir]);
                command.args(["-l", &format!("{dir}/freeradius.log")]);
            }
            Kind::Hostapd => {
                let dir = files.dir.display().to_string();
                files.file("hostapd.users", "* TLS\n");
                files.file("hostapd.clients", &format!("127.0.0.1/32 {SECRET}\n"));
                command.arg(locate("hostapd")).arg(files.file("hostapd.conf", &hostapd(&dir, port)));
            }
        }
        let log = |name: &str| {
            File::create(files.dir.join(format!("{}.{name}", kind.name().to_lowercase()))).expect("a log of the bench")
        };
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(log("out")).stderr(log("err")).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Self { kind, port, child, started: Duration::ZERO, idle: 0 };
        server.wait_until_bound(&files.dir);
        server.started = begun.elapsed();
        thread::sleep(Duration::from_millis(300));
        server.idle = server.resident();
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident octets.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is no kernel thread");
        line.split_whitespace().next().and_then(|kibibytes| kibibytes.parse::<u64>().ok()).expect("a number") * 1_024
    }

    fn wait_until_bound(&mut self, dir: &Path) {
        let wanted = format!(":{:04X} ", self.port);
        let begun = Instant::now();
        loop {
            let table = fs::read_to_string(format!("/proc/{}/net/udp", self.id())).unwrap_or_default();
            let local = |line: &str| line.split_whitespace().nth(1).map(|local| format!("{local} "));
            if table.lines().filter_map(local).any(|local| local.ends_with(&wanted)) {
                return;
            }
            let ended = self.child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "{} has ended: see its log in {}", self.kind.name(), dir.display());
            assert!(begun.elapsed() < START, "{} does not start: see {}", self.kind.name(), dir.display());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a free port on loopback");
    socket.local_addr().expect("it is bound").port()
}

/// All as it comes but for what names this campus; its log, a line for each login, is on.
fn toml(port: u16) -> String {
    format!(
        r#"[server]
name = "bench"
state-dir = "state"

[listen]
auth = ["127.0.0.1:{port}"]

[[identity]]
name = "server"
chain = "server.pem"
key = "server.key"

[eap]
fragment-size = {FRAGMENT}

[tls]
resumption = "8h"

[[authority]]
name = "members"
certificate = "members.pem"
revocation = "crl"
crl = ["members.crl"]

[[nas]]
name = "access-points"
address = ["127.0.0.1"]
secret = "{SECRET}"
services = ["campus"]

[[service]]
name = "campus"
match = {{ nas = ["access-points"] }}
authorities = ["members"]
realms = ["jaist.ac.jp"]
"#
    )
}

/// EAP and nothing else: no other module, no SQL, no line for a login; threads. Sessions in files, without which 3.2.1 resumes none.
fn radiusd(dir: &str, port: u16) -> String {
    format!(
        r#"prefix = /usr
name = freeradius
libdir = /usr/lib/freeradius
logdir = {dir}
raddbdir = {dir}
run_dir = {dir}
pidfile = {dir}/freeradius.pid
max_requests = 65536
max_request_time = 30
cleanup_delay = 5
hostname_lookups = no
log {{
    auth = no
}}
security {{
    reject_delay = 0
    status_server = yes
    allow_vulnerable_openssl = yes
}}
thread pool {{
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 3
    max_requests_per_server = 0
    max_queue_size = 65536
}}
client access-points {{
    ipaddr = 127.0.0.1
    secret = "{SECRET}"
    require_message_authenticator = yes
}}
modules {{
    eap {{
        default_eap_type = tls
        timer_expire = 60
        max_sessions = 65536
        tls-config common {{
            certificate_file = {dir}/server.pem
            private_key_file = {dir}/server.key
            ca_file = {dir}/members-and-crl.pem
            auto_chain = no
            check_crl = yes
            check_all_crl = no
            cipher_list = "DEFAULT@SECLEVEL=2"
            cipher_server_preference = no
            ecdh_curve = "X25519:prime256v1"
            tls_min_version = "1.2"
            tls_max_version = "1.3"
            fragment_size = {FRAGMENT}
            include_length = no
            cache {{
                enable = yes
                lifetime = 8
                name = "bench"
                persist_dir = "{dir}/tlscache"
            }}
        }}
        tls {{
            tls = common
        }}
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        eap {{
            ok = return
        }}
    }}
    authenticate {{
        eap
    }}
}}
"#
    )
}

fn hostapd(dir: &str, port: u16) -> String {
    format!(
        "driver=none\ninterface=any\nlogger_syslog=0\nlogger_stdout=0\nieee8021x=1\neap_server=1\n\
         eap_user_file={dir}/hostapd.users\nradius_server_clients={dir}/hostapd.clients\nradius_server_auth_port={port}\n\
         ca_cert={dir}/members-and-crl.pem\nserver_cert={dir}/server.pem\nprivate_key={dir}/server.key\ncheck_crl=1\n\
         tls_session_lifetime={RESUMPTION}\ntls_flags=[ENABLE-TLSv1.3]\nfragment_size={FRAGMENT}\n"
    )
}
