//! openconnect on a device at home, with Debian's vpnc-script: it types what it is told to, line by line.

use std::fs::File;
use std::time::Duration;

use crate::home::Home;
use crate::pki::{Credential, pki};
use crate::process::{Place, Process, must};
use crate::root::{Root, seen};
use crate::scratch::Scratch;
use crate::vpn::NAME;

/// For a whole login, on a machine that compiles beside, and for the gateway to throw somebody off.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device.
#[derive(Debug)]
pub(crate) struct Openconnect {
    /// Of the last try to connect. Declared before its directory, so that the process ends first.
    process: Option<(Process, Scratch)>,
    pub(crate) place: Home,
}

impl Openconnect {
    pub(crate) fn new(place: Home) -> Self {
        Self { process: None, place }
    }

    /// It connects; what it has shown.
    pub(crate) fn connects(&mut self, user: &str, credential: Option<&Credential>, typed: &[&str]) -> String {
        self.start(user, credential, typed);
        let (process, _scratch) = self.process.as_mut().expect("it was started just now");
        // vpnc-script gives the tunnel its routes.
        process.wait_until("connected", |process| process.log().contains("Configured as") && self.place.pings());
        process.log()
    }

    /// It tries to, and isn't let in; what it has shown.
    pub(crate) fn is_refused(&mut self, user: &str, credential: Option<&Credential>, typed: &[&str]) -> String {
        let process = self.start(user, credential, typed);
        let status = process.wait(PATIENCE);
        let said = process.log();
        assert!(!status.success() && !said.contains("Configured as") && !self.place.pings(), "{said}");
        said
    }

    /// It logs off.
    pub(crate) fn leaves(&mut self) {
        let (process, _scratch) = self.process.as_mut().expect("it is connected");
        must(Place::Host.command("kill").args(["-INT", &process.id().to_string()]));
        process.wait(PATIENCE);
    }

    /// It has been thrown off, and isn't taken back for what it was given at its login.
    pub(crate) fn wait_disconnected(&mut self) {
        let (process, _scratch) = self.process.as_mut().expect("it is connected");
        process.wait(PATIENCE);
        assert!(!self.place.pings());
    }

    fn start(&mut self, user: &str, credential: Option<&Credential>, typed: &[&str]) -> &mut Process {
        // The one before has ended, or ends now.
        self.process = None;
        let scratch = Scratch::new();
        scratch.write("server-ca.pem", pki().server_ca.pem());
        let typed: String = typed.iter().map(|line| format!("{line}\n")).collect();
        let typed = scratch.write("typed", typed);
        let root = Root::new("ocserv", "OCSERV");
        let mut command = root.command(self.place.name(), &scratch, "/usr/sbin/openconnect");
        command.arg(format!("--cafile={}", seen("server-ca.pem"))).arg("--no-system-trust");
        command.arg(format!("--resolve={NAME}:{}", self.place.gateway));
        command.args(["--protocol=anyconnect", "--reconnect-timeout=5", "--user", user]);
        if let Some(credential) = credential {
            scratch.write("member.pem", &credential.chain);
            scratch.write("member.key", &credential.key);
            command.args([format!("--certificate={}", seen("member.pem")), format!("--sslkey={}", seen("member.key"))]);
        }
        command.arg(format!("https://{NAME}")).env("LC_ALL", "C");
        command.stdin(File::open(typed).expect("it was written just now"));
        let process = Process::start("openconnect", &mut command, &scratch);
        &mut self.process.insert((process, scratch)).0
    }
}
