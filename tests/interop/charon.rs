//! strongSwan's IKE daemon, as gateway and as roadwarrior: each in a network namespace, with a `/run` and a configuration of its own.
//!
//! It does ESP by itself, over a tun device: the kernel may have none.

use std::process::Command;
use std::time::Duration;

use crate::pki::Credential;
use crate::process::{Process, must, run};
use crate::root::{HERE, Root, beside, seen};
use crate::scratch::Scratch;

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
        let root = Root::new("strongswan", "STRONGSWAN");
        let mut command = root.command(namespace, &scratch, "/usr/lib/ipsec/charon");
        command.env("STRONGSWAN_CONF", seen("strongswan.conf"));
        let mut process = Process::start("charon", &mut command, &scratch);
        process.wait_until("listening to swanctl", |charon| charon.stdout().contains("[JOB] spawning"));
        Self { process, scratch }
    }

    /// Gives it a file; where it sees that.
    pub(crate) fn has(&self, name: &str, contents: &str) -> String {
        self.scratch.write(name, contents);
        seen(name)
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
        let mut command = beside(&self.process, "/usr/sbin/swanctl");
        command.arg(what);
        command.env("SWANCTL_DIR", HERE);
        command
    }
}
