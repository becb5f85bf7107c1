//! OCSP: the real program and OpenSSL's responder.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use rcgen::{CustomExtension, DnType};

use super::afar::{is_ready, login, login_at};
use super::support::certificates::{Key, client};
use super::support::process::{Place, Process};
use super::{Campus, Serving, said};

/// OpenSSL's responder, for a campus.
struct Responder {
    port: u16,
    _process: Process,
}

impl Responder {
    fn start(campus: &Campus, port: u16) -> Self {
        let mut command = Place::Host.command("openssl");
        command.args(["ocsp", "-ignore_err", "-nmin", "5", "-port", &port.to_string()]);
        for (option, file) in [("-index", "index"), ("-CA", "ca.pem"), ("-rsigner", "ca.pem"), ("-rkey", "ca.key")] {
            command.arg(option).arg(campus.path(file));
        }
        let mut process = Process::start("openssl", &mut command, &campus.scratch);
        // It answers one at a time: somebody who only tries whether it listens could keep it busy.
        process.wait_until("listening", |process| process.log().contains("waiting for OCSP client"));
        Self { port, _process: process }
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}

/// A campus that goes by OCSP alone, whose configuration names the responder.
fn campus(port: u16) -> Campus {
    campus_with(port, &format!("ocsp = [\"http://127.0.0.1:{port}/\"]\n"))
}

/// The same with these lines instead. Its member's certificate names the responder.
fn campus_with(port: u16, lines: &str) -> Campus {
    let campus = Campus::new();
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let lines = format!("{lines}crl-refresh = \"1s\"\n");
    let text = text.replace("crl = [\"ca.crl\"]\n", &lines).replace("revocation = \"crl\"", "revocation = \"ocsp\"");
    let text = text.replace(", \"[::1]:0\"", "") + "[fetch]\ntimeout = \"1s\"\nallow = [\"127.0.0.0/8\"]\n";
    campus.write("sekisho.toml", &text);
    campus.write("ca.key", &campus.ca.key().serialize_pem());
    let key = Key::P256.make();
    let mut params = client(&[(DnType::OrganizationName, "Example University")], "hanako@example.ac.jp");
    params.serial_number = Some(5_u64.into());
    params.custom_extensions = vec![names_responder(&format!("http://127.0.0.1:{port}/"))];
    campus.write("member.pem", &params.signed_by(&key, &campus.ca).expect("a certificate").pem());
    campus.write("member.key", &key.serialize_pem());
    status(&campus, "V\t491231000000Z\t\t05\tunknown\t/O=Example University\n");
    campus
}

/// authorityInfoAccess with id-ad-ocsp (RFC 5280 section 4.2.2.1).
fn names_responder(url: &str) -> CustomExtension {
    const ID_AD_OCSP: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let element = |tag: u8, content: &[u8]| -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("a short URL");
        [&[tag, length], content].concat()
    };
    let place = element(0x30, &[ID_AD_OCSP.as_slice(), &element(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, &place))
}

/// What the CA says of the member.
fn status(campus: &Campus, line: &str) {
    campus.write("index", line);
    campus.write("index.attr", "unique_subject = no\n");
}

fn outcome(campus: &Campus, serving: &Serving) -> (Option<i32>, String) {
    let output = login(campus, serving);
    (output.status.code(), format!("{}\n{}", said(&output), serving.log()))
}

fn answers(result: &str) -> String {
    format!("sekisho_revocation_fetches_total{{authority=\"ca\",kind=\"ocsp\",result=\"{result}\"}}")
}

#[test]
fn r16_r21_a_login_waits_for_its_first_answer_and_for_no_other_and_a_revocation_counts_within_a_refresh() {
    let port = free_port();
    let campus = campus(port);
    let responder = Responder::start(&campus, port);
    let mut serving = campus.start();
    assert!(is_ready(&serving.get("/readyz")), "{}", serving.get("/readyz"));
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    serving.wait_for_metric(&answers("ok"));
    serving.wait_for_metric("sekisho_ocsp_answers 1");
    let up =
        format!("sekisho_ocsp_responder_up{{authority=\"ca\",responder=\"http://127.0.0.1:{}/\"}} 1", responder.port);
    serving.wait_for_metric(&up);
    // Nobody is there, and nobody waits.
    drop(responder);
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "after a reload: {text}");
    assert_eq!(serving.end(), Some(0));
    let mut again = campus.start();
    let (code, text) = outcome(&campus, &again);
    assert_eq!(code, Some(0), "after a restart: {text}");
    status(&campus, "R\t491231000000Z\t260601000000Z,keyCompromise\t05\tunknown\t/O=Example University\n");
    let responder = Responder::start(&campus, port);
    let (server, campus) = (again.listening("auth"), &campus);
    again.process.wait_until("the member is refused", |_| login_at(campus, server).status.code() == Some(1));
    again.wait_for_line("reject revoked");
    drop(responder);
    assert_eq!(again.end(), Some(0));
}

#[test]
fn r21_where_no_responder_answers_a_login_is_refused_as_unknown_and_the_server_goes_on() {
    let port = free_port();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it was free");
    let campus = campus(port);
    let mut serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    serving.wait_for_line("reject revocation-unknown");
    drop(silent);
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r04_a_responder_that_only_members_name_is_asked_from_the_second_login_on_and_after_a_restart() {
    let port = free_port();
    let campus = campus_with(port, "");
    let responder = Responder::start(&campus, port);
    let mut serving = campus.start();
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(1), "{text}");
    serving.wait_for_line("names the OCSP responder");
    let (code, text) = outcome(&campus, &serving);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(serving.end(), Some(0));
    drop(responder);
    let again = campus.start();
    assert!(is_ready(&again.get("/readyz")), "{}", again.get("/readyz"));
    let (code, text) = outcome(&campus, &again);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(again.end(), Some(0));
}
