//! ocserv as gateway beside the server, set up as `deploy/ocserv` says: who may in is PAM's business, which asks the server for a code.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::api;
use crate::eapol::SECRET;
use crate::home::{self, Home};
use crate::openconnect::Openconnect;
use crate::pki::{Credential, pki};
use crate::process::{Namespace, Place, Process, must};
use crate::root::{Root, beside, seen};
use crate::scratch::{Scratch, free_port};
use crate::server::Server;
use crate::vpn;

/// What PAM's module and the accounting of ocserv can read.
const SHARED: &str = "letters-and-1-digit";
/// What opens the door for `disconnect`.
const HEADER: &str = "Authorization: Bearer viewer";
/// How Debian's pam-auth-update writes it.
const COMMON_AUTH: &str =
    "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
const COMMON_ACCOUNT: &str = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n";
/// Those who have a password on the gateway's host.
pub(crate) const USERS: [&str; 2] = ["hanako@jaist.ac.jp", "taro@jaist.ac.jp"];
/// It is.
pub(crate) const PASSWORD: &str = "correct horse 7";

/// What ocserv itself looks at before a code is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Password,
    Certificate,
}

/// A server and the gateway that asks it.
#[derive(Debug)]
pub(crate) struct Site {
    // Declared before their place, so that they end first.
    pub(crate) server: Server,
    ocserv: Process,
    scratch: Scratch,
    namespace: Namespace,
}

/// Somebody's authenticator app.
#[derive(Debug)]
pub(crate) struct App(Vec<String>);

impl Site {
    pub(crate) fn new(first: First) -> Self {
        Self::changed(first, |text| text, |text| text)
    }

    /// With other settings of the server, and of the gateway.
    pub(crate) fn changed(
        first: First,
        of_server: impl FnOnce(String) -> String,
        of_gateway: impl FnOnce(String) -> String,
    ) -> Self {
        let (namespace, accounting) = (home::site(), free_port());
        let change = |text: String| of_server(configuration(&text, accounting, first));
        let server = Server::changed_in(Place::Namespace(namespace.name()), change);
        let scratch = Scratch::new();
        write_files(&scratch, first, &server, accounting, of_gateway);
        let root = Root::new("ocserv", "OCSERV");
        let mut command = root.command(namespace.name(), &scratch, "/usr/sbin/ocserv");
        command.args(["--foreground", "--debug", "3", "--config", "/etc/ocserv/ocserv.conf"]);
        let mut ocserv = Process::start("ocserv", &mut command, &scratch);
        ocserv.wait_until("waiting for clients", |ocserv| ocserv.log().contains("sec-mod initialized"));
        Self { server, ocserv, scratch, namespace }
    }

    /// A device that has a way to the gateway.
    pub(crate) fn device(&self) -> Openconnect {
        Openconnect::new(Home::new(&self.namespace))
    }

    /// An operator enrols somebody for one-time passwords.
    pub(crate) fn enrol(&self, user: &str) -> App {
        let told = self.server.api("POST", &format!("users/{user}/otp"), None);
        let uri = told["uri"].as_str().expect("what an app reads");
        let secret = uri.split(['?', '&']).find_map(|pair| pair.strip_prefix("secret=")).expect("a key");
        let codes = must(Place::Host.command("oathtool").args(["--totp", "--base32", "--window", "8", secret]));
        let codes: Vec<_> = codes.lines().map(str::to_owned).collect();
        App(codes)
    }

    /// The registry has seen this certificate.
    pub(crate) fn register(&self, credential: &Credential) {
        self.server.api("POST", "certificates", Some(json!({ "pem": credential.chain })));
    }

    /// Those that are online.
    pub(crate) fn online(&self, count: usize) -> Vec<Value> {
        let listed = |it: &Value| it["items"].as_array().is_some_and(|items| items.len() == count);
        let seen = self.server.look_until("sessions", listed);
        seen["items"].as_array().cloned().unwrap_or_default()
    }

    /// Reasons of the decisions about somebody, once there are so many, the newest first.
    pub(crate) fn reasons(&self, user: &str, count: usize) -> Vec<String> {
        let path = format!("authentications?user={user}");
        let listed = |it: &Value| it["items"].as_array().is_some_and(|items| items.len() >= count);
        let seen = self.server.look_until(&path, listed);
        let items = seen["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The script that ends what the server can't.
    pub(crate) fn disconnects(&self) -> Process {
        let script = self.scratch.write("disconnect", deployed("disconnect"));
        must(Command::new("chmod").arg("+x").arg(script));
        self.scratch.write("header", HEADER);
        let mut command = beside(&self.ocserv, &seen("disconnect"));
        command.arg(format!("http://127.0.0.1:{}/api/v1", self.server.admin())).args([&seen("header"), "ocserv"]);
        Process::start("disconnect", &mut command, &self.scratch)
    }
}

impl App {
    /// The next code that it shows: each is another one.
    pub(crate) fn code(&mut self) -> String {
        self.0.remove(0)
    }

    /// Six digits that it never shows.
    pub(crate) fn wrong(&self) -> String {
        (0..).map(|number| format!("{number:06}")).find(|code| !self.0.contains(code)).expect("there are enough")
    }
}

/// A file of `deploy/ocserv`.
fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/ocserv").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The same, with each of these changed; none may be gone.
fn changed(name: &str, changes: &[(&str, &str)]) -> String {
    let change = |text: String, (from, to): &(&str, &str)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    };
    changes.iter().fold(deployed(name), change)
}

/// The campus' own, with what `deploy/ocserv` adds; ocserv is the only NAS.
fn configuration(text: &str, accounting: u16, first: First) -> String {
    let access_points =
        format!("[[nas]]\nname = \"access-points\"\naddress = [\"127.0.0.1\"]\nsecret = \"{SECRET}\"\n");
    assert!(text.contains(&access_points), "{text}");
    let doors = format!("accounting = [\"127.0.0.1:{accounting}\"]\nauth = [");
    let after = match first {
        First::Password => "after = \"nas-password\" }",
        First::Certificate => "after = \"certificate\" }",
    };
    let added = changed(
        "sekisho.toml",
        &[
            ("10.2.0.20", "127.0.0.1"),
            ("secret-file = \"secrets/ocserv\"", &format!("secret = \"{SHARED}\"")),
            ("seal-key-file = \"secrets/otp\"", "seal-key = \"of the tests, and of nobody else\"\nwindow = 10"),
            ("[\"members\"]", "[\"ca16\"]"),
            ("after = \"nas-password\" }", after),
        ],
    );
    text.replace(&access_points, "").replace("auth = [", &doors) + &added + api::configuration()
}

fn write_files(
    scratch: &Scratch,
    first: First,
    server: &Server,
    accounting: u16,
    change: impl FnOnce(String) -> String,
) {
    let certificate = vpn::certificate();
    scratch.write("etc/ocserv/server.pem", certificate.chain);
    scratch.write("etc/ocserv/server.key", certificate.key);
    scratch.write("etc/ocserv/members.pem", pki().ca16.pem());
    let gateway = match first {
        First::Password => deployed("ocserv.conf"),
        First::Certificate => {
            let keys = ["auth = \"certificate\"", "ca-cert", "cert-user-oid"];
            let begun = keys.map(|key| (format!("\n#{key}"), format!("\n{key}")));
            changed("ocserv.conf", &begun.each_ref().map(|(from, to)| (from.as_str(), to.as_str())))
        }
    };
    scratch.write("etc/ocserv/ocserv.conf", change(gateway));
    let pam = match first {
        First::Password => "pam-password",
        First::Certificate => "pam-certificate",
    };
    scratch.write("etc/pam.d/ocserv", deployed(pam));
    scratch.write("etc/pam.d/common-auth", COMMON_AUTH);
    scratch.write("etc/pam.d/common-account", COMMON_ACCOUNT);
    let (auth, acct) = (format!("127.0.0.1:{}", server.port), format!("127.0.0.1:{accounting}"));
    let secret = ("SECRET", SHARED);
    let of_pam = changed("pam_radius_auth.conf", &[("10.2.0.1:1812", &auth), secret]);
    scratch.write("etc/pam_radius_auth.conf", of_pam);
    let of_radcli = changed("radiusclient.conf", &[("10.2.0.1:1812", &auth), ("10.2.0.1:1813", &acct)]);
    scratch.write("etc/radcli/radiusclient.conf", of_radcli);
    scratch.write("etc/radcli/servers", changed("servers", &[("10.2.0.1", "127.0.0.1"), secret]));
    write_people(scratch);
}

/// Those whom the gateway's host knows.
fn write_people(scratch: &Scratch) {
    let hash = must(Place::Host.command("openssl").args(["passwd", "-6", PASSWORD]));
    let mut passwd = "root:x:0:0::/:/bin/false\nocserv:x:64000:64000::/:/bin/false\n".to_owned();
    let mut shadow = String::new();
    for (user, id) in USERS.iter().zip(64_001..) {
        passwd.push_str(&format!("{user}:x:{id}:{id}::/:/bin/false\n"));
        shadow.push_str(&format!("{user}:{}:19000::::::\n", hash.trim()));
    }
    scratch.write("etc/passwd", passwd);
    scratch.write("etc/shadow", shadow);
    scratch.write("etc/group", "root:x:0:\nocserv:x:64000:\n");
}
