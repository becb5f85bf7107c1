//! OCSP: the real program and OpenSSL's responder.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use rcgen::DnType;

use super::afar::{is_ready, login, login_at};
use super::support::certificates::{Key, client, names_responder};
use super::support::responder::{Responder, free_port, publish};
use super::{Campus, Serving, said};

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

/// What the CA says of the member.
fn status(campus: &Campus, line: &str) {
    publish(&campus.scratch, line);
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
    let responder = Responder::start(&campus.scratch, port);
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
    let responder = Responder::start(&campus.scratch, port);
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
    let responder = Responder::start(&campus.scratch, port);
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
