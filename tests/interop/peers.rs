//! The programs of others: RADIUS servers to compare with, proxies, authenticators.

use std::path::PathBuf;
use std::process::Command;

use crate::certificates::Key;
use crate::eapol::SECRET;
use crate::pki::{Credential, pki};
use crate::process::{Place, Process};
use crate::scratch::{Scratch, free_port};

/// A foreign program that answers RADIUS on a port of 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Peer {
    // Declared before the directory, so that the process ends first.
    process: Process,
    _scratch: Scratch,
    pub(crate) port: u16,
}

impl Peer {
    fn start(name: &str, command: &mut Command, scratch: Scratch, port: u16) -> Self {
        let mut process = Process::start(name, command, &scratch);
        process.wait_bound(port);
        Self { process, _scratch: scratch, port }
    }

    /// What it has logged, once this stands there, and behind it that.
    pub(crate) fn wait_for(&mut self, this: &str, that: &str) -> String {
        let behind = |log: &str| log.split_once(this).is_some_and(|(_, behind)| behind.contains(that));
        self.process.wait_until(&format!("logging {this:?} and {that:?}"), |process| behind(&process.log()));
        self.process.log()
    }
}

/// The campus' certificates for a foreign server: its own certificate, its key, the CA of members.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    members: PathBuf,
}

impl Files {
    fn write(scratch: &Scratch, key: Key) -> Self {
        let identity: &Credential = match key {
            Key::Rsa => &pki().server_rsa,
            Key::P256 => &pki().server_p256,
        };
        Self {
            certificate: scratch.write("server.pem", &identity.chain),
            key: scratch.write("server.key", &identity.key),
            members: scratch.write("members.pem", pki().ca16.pem()),
        }
    }
}

/// FreeRADIUS with nothing of Debian's configuration, and this of ours.
fn radiusd(scratch: Scratch, port: u16, secret: &str, configuration: &str) -> Peer {
    let directory = scratch.path().display();
    let configuration = format!(
        r#"
prefix = /usr
name = freeradius
libdir = /usr/lib/freeradius
logdir = {directory}
raddbdir = {directory}
run_dir = {directory}
pidfile = {directory}/pid
security {{
    allow_vulnerable_openssl = yes
}}
client nas {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
}}
{configuration}"#
    );
    scratch.write("radiusd.conf", configuration);
    let mut command = Place::Host.command("freeradius");
    command.args(["-X", "-n", "radiusd", "-d"]).arg(scratch.path());
    Peer::start("freeradius", &mut command, scratch, port)
}

/// FreeRADIUS as a NAS on this address that is told to end sessions, and says that it has.
pub(crate) fn freeradius_for_disconnects(address: &str, secret: &str) -> Peer {
    let port = free_port();
    let configuration = format!(
        r#"
modules {{
    always ok {{
        rcode = ok
    }}
}}
server default {{
    listen {{
        type = coa
        ipaddr = {address}
        port = {port}
    }}
    recv-coa {{
        ok
    }}
    send-coa {{
        ok
    }}
}}
"#
    );
    radiusd(Scratch::new(), port, secret, &configuration)
}

/// FreeRADIUS as EAP-TLS server.
pub(crate) fn freeradius(key: Key) -> Peer {
    let scratch = Scratch::new();
    let files = Files::write(&scratch, key);
    let port = free_port();
    let directory = scratch.path().display();
    let configuration = format!(
        r#"
modules {{
    eap {{
        default_eap_type = tls
        tls-config common {{
            certificate_file = {certificate}
            private_key_file = {key}
            ca_file = {members}
            tls_min_version = "1.2"
            tls_max_version = "1.3"
            fragment_size = 1024
            cache {{
                enable = yes
                name = "interop"
                persist_dir = "{directory}/tlscache"
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
        eap
    }}
    authenticate {{
        eap
    }}
}}
"#,
        certificate = files.certificate.display(),
        key = files.key.display(),
        members = files.members.display(),
    );
    // Without it 3.2.1 resumes nothing.
    std::fs::create_dir(scratch.path().join("tlscache")).expect("a directory in the scratch directory");
    radiusd(scratch, port, SECRET, &configuration)
}

/// hostapd as EAP-TLS server alone, without any radio.
pub(crate) fn hostapd(key: Key) -> Peer {
    let scratch = Scratch::new();
    let files = Files::write(&scratch, key);
    let port = free_port();
    let configuration = format!(
        "driver=none\ninterface=any\nieee8021x=1\neap_server=1\neap_user_file={users}\nradius_server_clients={clients}\n\
         radius_server_auth_port={port}\nca_cert={members}\nserver_cert={certificate}\nprivate_key={key}\n\
         tls_session_lifetime=3600\ntls_flags=[ENABLE-TLSv1.3]\n",
        users = scratch.write("users", "* TLS\n").display(),
        clients = scratch.write("clients", format!("127.0.0.1/32 {SECRET}\n")).display(),
        members = files.members.display(),
        certificate = files.certificate.display(),
        key = files.key.display(),
    );
    let configuration = scratch.write("hostapd.conf", configuration);
    let mut command = Place::Host.command_by_lines("hostapd");
    command.arg("-dd").arg(configuration);
    Peer::start("hostapd", &mut command, scratch, port)
}

/// radsecproxy in front of the server on `upstream`, UDP on both sides.
pub(crate) fn radsecproxy(upstream: u16) -> Peer {
    let scratch = Scratch::new();
    let port = free_port();
    let configuration = format!(
        "ListenUDP 127.0.0.1:{port}\nSourceUDP 127.0.0.1:*\nLogLevel 2\nLoopPrevention Off\n\
         client nas {{\n host 127.0.0.1\n type udp\n secret \"{SECRET}\"\n}}\n\
         server campus {{\n host 127.0.0.1:{upstream}\n type udp\n secret \"{SECRET}\"\n}}\n\
         realm * {{\n server campus\n}}\n"
    );
    let configuration = scratch.write("radsecproxy.conf", configuration);
    let mut command = Place::Host.command("radsecproxy");
    command.args(["-f", "-d", "2", "-c"]).arg(configuration);
    Peer::start("radsecproxy", &mut command, scratch, port)
}
