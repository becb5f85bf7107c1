//! strongSwan's IKE daemon, as gateway and as roadwarrior: each in a network namespace, with a `/run` and a configuration of its own.
//!
//! It does ESP by itself, over a tun device: the kernel may have none.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::pki::Credential;
use crate::process::{Place, Process, must, run};
use crate::scratch::Scratch;

/// Where `tests/run` puts it: a root with nothing else.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/strongswan");
/// What names another.
const ANOTHER_ROOT: &str = "STRONGSWAN";
/// In a mount namespace of its own, which `ip netns exec` makes: its process id and its socket lie in /run, at places that no setting changes.
const BEGIN: &str = "for host in dev proc; do mount --bind /$host $1/$host || exit; done\n\
                     mount -t tmpfs none $1/run && mount --bind $2 $1/srv && exec chroot $1 /usr/lib/ipsec/charon";
/// Where it sees its scratch directory.
const HERE: &str = "/srv";
/// Plugins of both sides; one that a version has not is left out. `kernel-libipsec` comes before `kernel-netlink`, which would leave ESP to the kernel.
const PLUGINS: &str = "random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints kdf drbg eap-identity vici kernel-libipsec kernel-netlink socket-default";
/// Its stdout, opened as a file: to the stream itself it doesn't write line by line.
const LOG: &str = "/proc/self/fd/1";
/// For a whole login, on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Charon {
    // Declared before the directory, so that the process ends first.
    process: Process,
    scratch: Scratch,
}

impl Charon {
    /// Starts one; `plugins` beside those that both sides have, `settings` in the section `charon` of `strongswan.conf`.
    pub(crate) fn start(namespace: &str, plugins: &str, settings: &str) -> Self {
        let scratch = Scratch::new();
        let configuration = format!(
            "charon {{\n load = {PLUGINS} {plugins}\n\
             filelog {{\n log {{\n path = {LOG}\n default = 1\n flush_line = yes\n }}\n }}\n\
             {settings}\n}}\n"
        );
        scratch.write("strongswan.conf", configuration);
        let root = env::var_os(ANOTHER_ROOT).map_or_else(|| ROOT.into(), PathBuf::from);
        let charon = root.join("usr/lib/ipsec/charon");
        assert!(charon.is_file(), "{} is missing: this test talks to it. tests/run downloads it", charon.display());
        let mut command = Place::Namespace(namespace).command("sh");
        command.args(["-c", BEGIN, "sh"]).arg(root).arg(scratch.path());
        command.env("STRONGSWAN_CONF", Self::path("strongswan.conf"));
        let mut process = Process::start("charon", &mut command, &scratch);
        process.wait_until("listening to swanctl", |charon| charon.stdout().contains("[JOB] spawning"));
        Self { process, scratch }
    }

    /// Where it sees a file of its scratch directory.
    pub(crate) fn path(name: &str) -> String {
        format!("{HERE}/{name}")
    }

    /// Gives it a file; where it sees that.
    pub(crate) fn has(&self, name: &str, contents: &str) -> String {
        self.scratch.write(name, contents);
        Self::path(name)
    }

    /// Gives it a certificate, and the key, which it finds by itself; where it sees the certificate.
    pub(crate) fn has_certificate(&self, name: &str, credential: &Credential) -> String {
        self.has(&format!("private/{name}.key"), &credential.key);
        self.has(&format!("{name}.pem"), &credential.chain)
    }

    /// What it has written to a file; empty: there is none.
    pub(crate) fn wrote(&self, name: &str) -> String {
        std::fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default()
    }

    /// Has it load these connections instead of any other, and its keys.
    pub(crate) fn load(&self, connections: &str) {
        self.scratch.write("swanctl.conf", connections);
        must(self.swanctl("--load-all").arg("--clear"));
    }

    /// Its tunnels, as swanctl lists them.
    pub(crate) fn tunnels(&self) -> String {
        must(&mut self.swanctl("--list-sas"))
    }

    /// Waits until they are as wanted.
    pub(crate) fn wait_connected(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let mut command = self.swanctl("--list-sas");
        self.process.wait_until(what, |_| wanted(&must(&mut command)));
    }

    /// Begins a connection by its child; what swanctl says of that.
    pub(crate) fn initiate(&self, child: &str) -> String {
        let output = run(self.swanctl("--initiate").args(["--timeout", "20", "--child", child]), PATIENCE);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Begins a connection anew, with a login: the new IKE_SA stands before the old one goes.
    pub(crate) fn reauthenticate(&self, connection: &str) {
        must(self.swanctl("--rekey").args(["--reauth", "--ike", connection]));
    }

    /// Ends a connection.
    pub(crate) fn terminate(&self, connection: &str) {
        must(self.swanctl("--terminate").args(["--ike", connection]));
    }

    /// How much it has logged.
    pub(crate) fn mark(&self) -> usize {
        self.process.stdout().len()
    }

    /// What it has logged since a mark.
    pub(crate) fn since(&self, mark: usize) -> String {
        self.process.stdout()[mark..].to_owned()
    }

    /// Runs where the daemon is, since that sees other files.
    fn swanctl(&self, what: &str) -> Command {
        let mut command = Place::Host.command("nsenter");
        command.args(["--mount", "--root", "--target", &self.process.id().to_string(), "/usr/sbin/swanctl", what]);
        command.env("SWANCTL_DIR", HERE);
        command
    }
}
