//! Logins from the command line, over a real socket.
#![expect(clippy::disallowed_types, reason = "these tests are the server")]

use std::net::UdpSocket;
use std::thread::JoinHandle;

use clap::Parser;

use super::*;
use crate::cli::credentials::tests::files;
use crate::event::TlsVersion;
use crate::radius::{Attributes, Type};
use crate::supplicant;
use crate::supplicant::tests::server::{Fault, Pki, SECRET, Server};
use crate::support::scratch::Scratch;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

/// The arguments of a login of a PKI's client.
fn args(pki: &Pki, server: &str, more: &[&str]) -> (Args, Scratch) {
    let (folder, paths) = files(pki);
    let secret = std::str::from_utf8(SECRET).unwrap();
    let [cert, ca] = paths.map(|path| path.display().to_string());
    let fixed = ["login", "--server", server, "--secret", secret, "--cert", &cert, "--ca", &ca];
    (Command::parse_from(fixed.iter().chain(more)).args, folder)
}

/// A server on loopback that ends with what holds it.
struct Running {
    address: String,
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(mut server: Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, served) = (socket.local_addr().unwrap().to_string(), socket.try_clone().unwrap());
        let thread = std::thread::spawn(move || {
            let mut datagram = [0; 4096];
            while let Ok((length @ 1.., from)) = served.recv_from(&mut datagram) {
                served.send_to(&server.handle(&datagram[..length]), from).unwrap();
            }
        });
        Self { address, socket, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.socket.send_to(&[], &self.address).unwrap();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn an_accept_and_its_resumption_over_real_udp() {
    let pki = Pki::new();
    for version in ["1.2", "1.3"] {
        let server = Running::new(Server::new(&pki, Fault::Nothing));
        let (args, _folder) = args(&pki, &server.address, &["--tls", version, "--resume", "2", "--json"]);
        assert_eq!(logins(&args), Ok(Outcome::Accept));
    }
}

/// What a login with these attributes in its Accept came to.
fn granted(push: impl FnOnce(&mut Attributes)) -> Answer {
    let pki = Pki::new();
    let mut server = Server::new(&pki, Fault::Nothing);
    push(&mut server.road.grant);
    let supplicant = Supplicant::new(pki.settings(TlsVersion::Tls13)).unwrap();
    let report = supplicant::tests::log_in(&mut server, &supplicant, false);
    Answer { report: Some(Box::new(report)), took: Duration::from_millis(12), repeats: 1, hint: None }
}

#[test]
fn the_line_and_the_object_say_what_was_granted() {
    let answer = granted(|grant| {
        grant.push_vlan("120").unwrap();
        grant.push(Type::SESSION_TIMEOUT, &3600_u32.to_be_bytes()).unwrap();
        grant.push(Type::USER_NAME, b"taro@example.ac.jp").unwrap();
    });
    let line = render::line(Outcome::Accept, &answer);
    assert!(line.starts_with("accept  TLS 1.3  full handshake  "), "{line}");
    let rest = "12.0 ms  1 sent again  Tunnel-Private-Group-ID=120  Session-Timeout=3600  User-Name=taro@example.ac.jp";
    assert!(line.ends_with(rest), "{line}");
    let object = render::json(3, Outcome::Accept, &answer);
    assert_eq!((&object["login"], &object["outcome"], &object["tls"]), (&3.into(), &"accept".into(), &"1.3".into()));
    assert_eq!((&object["keys_agree"], &object["protected_success"]), (&true.into(), &true.into()));
    assert_eq!(object["attributes"][2]["value"], "taro@example.ac.jp");
    assert!(render::explain(&answer).is_empty());
}

#[test]
fn the_line_and_the_object_say_whether_an_ocsp_answer_was_stapled() {
    let pki = Pki::new();
    let supplicant = Supplicant::new(pki.settings(TlsVersion::Tls13)).unwrap();
    let told = |mut server: Server, resume| {
        let report = supplicant::tests::log_in(&mut server, &supplicant, resume);
        let answer = Answer { report: Some(Box::new(report)), took: Duration::from_millis(12), repeats: 0, hint: None };
        let object = render::json(0, Outcome::Accept, &answer);
        (render::line(Outcome::Accept, &answer), object["ocsp_stapled"].clone(), object["ocsp_stapled_octets"].clone())
    };
    let (line, stapled, octets) = told(Server::stapling(&pki), false);
    assert!(line.contains("  OCSP answer of 471 octets stapled  "), "{line}");
    assert_eq!((stapled, octets), (true.into(), 471.into()));
    let (line, stapled, octets) = told(Server::new(&pki, Fault::Nothing), false);
    assert!(line.contains("  no OCSP answer stapled  "), "{line}");
    assert_eq!((stapled, octets), (false.into(), 0.into()));
}

#[test]
fn o01_a_servers_text_can_not_write_to_the_terminal() {
    let answer =
        granted(|grant| grant.push(Type::REPLY_MESSAGE, "\x1b[2J\nforged line\0\u{202e}\u{2028}".as_bytes()).unwrap());
    let line = render::line(Outcome::Accept, &answer);
    assert!(line.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{line:?}");
    assert!(line.contains("forged line"));
}

#[test]
fn o02_sealed_keys_and_authenticators_are_not_shown() {
    let answer = granted(|_| {});
    assert_eq!(render::json(0, Outcome::Accept, &answer)["attributes"], serde_json::json!([]));
}

#[test]
fn each_end_has_its_outcome_and_exit_code() {
    let pki = Pki::new();
    let other = Pki::of("Another Authority");
    let reject = Running::new(Server::new(&pki, Fault::BareReject));
    let (reject_args, _folder) = args(&pki, &reject.address, &[]);
    assert_eq!(logins(&reject_args), Ok(Outcome::Reject));
    let stranger = Running::new(Server::new(&other, Fault::Nothing));
    let (stranger_args, _folder) = args(&pki, &stranger.address, &[]);
    assert_eq!(logins(&stranger_args), Ok(Outcome::BadServerCertificate));
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (silent_args, _folder) = args(&pki, &nobody.local_addr().unwrap().to_string(), &["--timeout", "1"]);
    assert_eq!(logins(&silent_args), Ok(Outcome::NoAnswer));
    for (outcome, code) in
        [(Outcome::Accept, 0), (Outcome::Reject, 1), (Outcome::NoAnswer, 2), (Outcome::BadServerCertificate, 3)]
    {
        assert_eq!(outcome.exit_code(), ExitCode::from(code));
    }
}

#[test]
fn an_unprotected_success_is_taken_only_when_asked_for() {
    let pki = Pki::new();
    let server = Running::new(Server::new(&pki, Fault::NoProtectedSuccess));
    let (strict, _folder) = args(&pki, &server.address, &["--tls", "1.3"]);
    assert_eq!(logins(&strict), Ok(Outcome::Reject));
    let (lenient, _folder) = args(&pki, &server.address, &["--tls", "1.3", "--unprotected-success"]);
    assert_eq!(logins(&lenient), Ok(Outcome::Accept));
}

#[test]
fn the_default_identity_is_the_mail_addresss_realm_alone() {
    let pki = Pki::new();
    let with = |certificate: &[u8]| {
        credentials::anonymous(&credentials::Credential {
            chain: vec![certificate.to_vec()],
            key: pki.client_key.clone(),
        })
    };
    assert_eq!(with(&pki.client), "@example.ac.jp");
    assert_eq!(with(&pki.server), "anonymous");
}

#[test]
fn the_secret_is_given_once_and_never_by_default() {
    let bare = ["login", "--server", "x:1", "--cert", "c", "--ca", "a"];
    let parse = |more: &[&str]| Command::try_parse_from(bare.iter().chain(more)).map(drop);
    assert!(parse(&[]).is_err());
    assert!(parse(&["--secret", "s", "--secret-file", "f"]).is_err());
    assert!(parse(&["--secret", "s"]).is_ok());
    assert!(parse(&["--secret-file", "f"]).is_ok());
}
