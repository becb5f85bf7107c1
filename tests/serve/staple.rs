//! OCSP answers about the server's own certificate: the real program and OpenSSL's responder.

use std::fs;

use super::afar::{is_ready, login, member};
use super::support::certificates::{Key, authority, names_responder, server};
use super::support::responder::{Responder, free_port, publish};
use super::{Campus, Serving, said};

const OK: &str = r#"sekisho_identity_staple_fetches_total{identity="server",result="ok"} "#;

/// A campus whose server has a certificate of the serial 5 that names a responder at this port.
fn campus(port: u16) -> Campus {
    let campus = Campus::new();
    member(&campus);
    renew(&campus, port, 5);
    campus.write("ca.key", &campus.ca.key().serialize_pem());
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let text = text.replace(", \"[::1]:0\"", "");
    campus.write("sekisho.toml", &(text + "[fetch]\ntimeout = \"2s\"\nallow = [\"127.0.0.0/8\"]\n"));
    publish(&campus.scratch, &index("V", "", 5));
    campus
}

/// Another certificate for the server.
fn renew(campus: &Campus, port: u16, serial: u64) {
    let key = Key::P256.make();
    let mut params = server("radius.test");
    params.serial_number = Some(serial.into());
    params.custom_extensions = vec![names_responder(&format!("http://127.0.0.1:{port}/"))];
    let leaf = params.signed_by(&key, &campus.ca).expect("a certificate");
    campus.write("server.pem", &(leaf.pem() + &campus.ca.pem()));
    campus.write("server.key", &key.serialize_pem());
}

fn index(letter: &str, since: &str, serial: u64) -> String {
    format!("{letter}\t491231000000Z\t{since}\t{serial:02X}\tunknown\t/CN=radius.test\n")
}

/// Whether a login gets an answer.
fn is_stapled(campus: &Campus, serving: &Serving) -> bool {
    let output = login(campus, serving);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", serving.log());
    assert!(text.contains("OCSP answer"), "{text}");
    !text.contains("no OCSP answer stapled")
}

#[test]
fn a_staple_outlives_the_responder_over_a_reload_and_a_restart_and_a_new_certificate_gets_its_own() {
    let port = free_port();
    let campus = campus(port);
    let responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    serving.wait_for_metric(OK);
    serving.wait_for_line("is stapled, good for");
    assert!(is_stapled(&campus, &serving));
    drop(responder);
    serving.signal("HUP");
    serving.wait_for("READY=1");
    assert!(is_stapled(&campus, &serving), "after a reload");
    assert!(is_ready(&serving.get("/readyz")));
    assert_eq!(serving.end(), Some(0));
    let mut again = campus.start();
    assert!(is_stapled(&campus, &again), "after a restart");
    let ready = again.get("/readyz");
    assert!(ready.ends_with(r#"{"degraded":[],"ready":true}"#), "{ready}");

    renew(&campus, port, 6);
    publish(&campus.scratch, &(index("V", "", 5) + &index("V", "", 6)));
    again.signal("HUP");
    again.wait_for("READY=1");
    again.wait_for_metric(r#"sekisho_identity_staple_next_update_seconds{identity="server"} 0"#);
    assert!(!is_stapled(&campus, &again), "an answer about another certificate");
    again.wait_for_readiness(|answer| is_ready(answer) && answer.contains("no OCSP answer can be stapled"));
    let _responder = Responder::start(&campus.scratch, port);
    again.signal("HUP");
    again.wait_for("READY=1");
    again.wait_for_metric(OK);
    assert!(is_stapled(&campus, &again));
    again.wait_for_readiness(|answer| answer.ends_with(r#"{"degraded":[],"ready":true}"#));
    assert_eq!(fs::read_dir(campus.path("staple")).expect("it was made").count(), 1, "the old one's is gone");
    assert_eq!(again.end(), Some(0));
}

#[test]
fn that_the_server_s_own_certificate_is_revoked_is_an_alarm_and_ends_nothing() {
    let port = free_port();
    let campus = campus(port);
    publish(&campus.scratch, &index("R", "260601000000Z,keyCompromise", 5));
    let _responder = Responder::start(&campus.scratch, port);
    let mut serving = campus.start();
    serving.wait_for_metric(r#"sekisho_identity_revoked{identity="server"} 1"#);
    let ready = serving.get("/readyz");
    assert!(is_ready(&ready) && ready.contains("REVOKED"), "{ready}");
    let log = serving.log();
    let line = log.lines().find(|line| line.contains("REVOKED")).expect("it is logged");
    assert!(line.contains("ERROR"), "{line}");
    assert!(is_stapled(&campus, &serving), "whoever asks is told");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn the_rules_of_fetching_hold_for_the_server_s_own_responder_and_a_chain_without_issuer_asks_nobody() {
    let port = free_port();
    let campus = campus(port);
    let text = fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("allow = [\"127.0.0.0/8\"]\n", ""));
    let mut serving = campus.start();
    let refused = r#"sekisho_identity_staple_fetches_total{identity="server",result="forbidden-address"} 1"#;
    serving.wait_for_metric(refused);
    serving.wait_for_line("the certificate's OCSP responder is at 127.0.0.1");
    // Somebody else's certificate behind the server's.
    let chain = fs::read_to_string(campus.path("server.pem")).expect("it was written");
    let chain = chain.replace(&campus.ca.pem(), &authority("Example CA", None).pem());
    campus.write("server.pem", &chain);
    serving.signal("HUP");
    serving.wait_for("READY=1");
    serving.wait_for_line("isn't the issuer of the first: no answer is stapled");
    serving.wait_for_metric(r#"sekisho_identity_staple_next_update_seconds{identity="server"} 0"#);
    assert_eq!(serving.end(), Some(0));
}
