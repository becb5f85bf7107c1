//! OpenSSL's responder.

use std::net::{Ipv4Addr, TcpListener};

use super::process::{Place, Process};
use super::scratch::Scratch;

/// OpenSSL's responder: it answers from the folder's `index` for the CA of `ca.pem` and `ca.key`.
pub(crate) struct Responder {
    pub(crate) port: u16,
    _process: Process,
}

impl Responder {
    pub(crate) fn start(folder: &Scratch, port: u16) -> Self {
        let mut command = Place::Host.command("openssl");
        command.args(["ocsp", "-ignore_err", "-nmin", "5", "-port", &port.to_string()]);
        for (option, file) in [("-index", "index"), ("-CA", "ca.pem"), ("-rsigner", "ca.pem"), ("-rkey", "ca.key")] {
            command.arg(option).arg(folder.path().join(file));
        }
        let mut process = Process::start("openssl", &mut command, folder);
        // It answers one at a time: somebody who only tries whether it listens could keep it busy.
        process.wait_until("listening", |process| process.log().contains("waiting for OCSP client"));
        Self { port, _process: process }
    }
}

/// What the CA says: a line for each certificate.
pub(crate) fn publish(folder: &Scratch, index: &str) {
    folder.write("index", index);
    folder.write("index.attr", "unique_subject = no\n");
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}
