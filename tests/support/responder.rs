//! OpenSSL's responder, and certificates that name it.

use std::net::{Ipv4Addr, TcpListener};

use rcgen::CustomExtension;

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

/// authorityInfoAccess with id-ad-ocsp (RFC 5280 section 4.2.2.1).
pub(crate) fn names_responder(url: &str) -> CustomExtension {
    const ID_AD_OCSP: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let element = |tag: u8, content: &[u8]| -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("a short URL");
        [&[tag, length], content].concat()
    };
    let place = element(0x30, &[ID_AD_OCSP.as_slice(), &element(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, &place))
}
