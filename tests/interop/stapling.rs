//! Devices that want to know how the server's certificate stands: eapol_test with `ocsp=1` asks, with `ocsp=2` insists. OpenSSL is the server CA's responder.

use std::process::Output;

use crate::certificates::{Authority, Key, authority, names_responder, server};
use crate::commands::login;
use crate::eapol::{BOTH, Login, Outcome, Tls};
use crate::pki::pki;
use crate::responder::{Responder, publish};
use crate::scratch::{Scratch, free_port};
use crate::server::Server;

const GOOD: &str = "V\t491231000000Z\t\t05\tunknown\t/CN=radius.campus.example\n";
const REVOKED: &str = "R\t491231000000Z\t260601000000Z,keyCompromise\t05\tunknown\t/CN=radius.campus.example\n";
const STAPLE: &str = "sekisho_identity_staple_next_update_seconds{identity=\"p256\"}";

/// A server whose certificate names a responder.
struct World {
    server: Server,
    /// The responder's.
    folder: Scratch,
    port: u16,
}

impl World {
    /// With nobody at the responder's address.
    fn new() -> Self {
        let (folder, port) = (Scratch::new(), free_port());
        let issuing = authority("Campus Server Issuing CA", Some(&pki().server_ca));
        folder.write("ca.pem", issuing.pem());
        folder.write("ca.key", issuing.key().serialize_pem());
        let server = Server::changed(|scratch, text| {
            identity(scratch, &issuing, port);
            text + "[fetch]\ntimeout = \"2s\"\nallow = [\"127.0.0.0/8\"]\n"
        });
        Self { server, folder, port }
    }

    /// Somebody is there, says this, and is asked.
    fn says(&mut self, index: &str, metric: &str) -> Responder {
        publish(&self.folder, index);
        let responder = Responder::start(&self.folder, self.port);
        self.server.reload();
        self.server.wait_for_metric(metric);
        responder
    }

    fn log_in(&self, tls: Tls, line: &str) -> Outcome {
        Login::new(&pki().member_p256, tls).ssid("by P-256").line(line).run(self.server.port)
    }

    /// Requests of a login without resumption.
    #[track_caller]
    fn requests(&self, tls: Tls, line: &str) -> usize {
        self.log_in(tls, line).assert_accepted(1).attempts[0].requests
    }

    fn sekisho(&self) -> Output {
        login(self.server.port, &pki().member_p256, &pki().server_ca.pem(), &["--ssid", "by P-256", "--json"])
    }
}

/// The P-256 identity by this CA.
fn identity(scratch: &Scratch, issuing: &Authority, port: u16) {
    let key = Key::P256.make();
    let mut params = server("radius.campus.example");
    params.serial_number = Some(5_u64.into());
    params.custom_extensions = vec![names_responder(&format!("http://127.0.0.1:{port}/"))];
    let leaf = params.signed_by(&key, issuing).expect("a certificate");
    scratch.write("p256.pem", leaf.pem() + &issuing.pem());
    scratch.write("p256.key", key.serialize_pem());
}

/// The supplicant was asked to insist, or was told something bad, and breaks off.
#[track_caller]
fn assert_broken_off(outcome: &Outcome) {
    let last = outcome.attempts.last();
    assert!(!outcome.success && last.is_some_and(|last| !last.accepted), "a login was to fail:\n{outcome}");
}

fn stapled(output: &Output) -> Option<bool> {
    let text = String::from_utf8_lossy(&output.stdout);
    let value: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
    value.get("ocsp_stapled")?.as_bool()
}

fn devices_that_ask(tls: Tls) {
    let mut world = World::new();
    // Nobody can be asked: whoever insists goes away, and says why.
    let plain = world.requests(tls, "");
    assert_broken_off(&world.log_in(tls, "ocsp=2"));
    let log = world.server.log_with("client-alert");
    assert!(log.contains("bad_certificate_status_response"), "{log}");
    world.server.assert_rejections("client-alert", 1);
    let unstapled = world.requests(tls, "ocsp=1");
    assert_eq!(unstapled, plain);
    assert_eq!(stapled(&world.sekisho()), Some(false));

    let responder = world.says(GOOD, STAPLE);
    let stapled_requests = world.requests(tls, "ocsp=2");
    assert!((plain..=plain + 1).contains(&stapled_requests), "{stapled_requests} requests, and {plain} without");
    assert_eq!(world.requests(tls, "ocsp=1"), stapled_requests);
    assert_eq!(world.requests(tls, ""), plain, "who doesn't ask gets nothing");
    assert_eq!(stapled(&world.sekisho()), Some(true));

    // Whoever asks is told.
    drop(responder);
    let _responder = world.says(REVOKED, "sekisho_identity_revoked{identity=\"p256\"}");
    for line in ["ocsp=1", "ocsp=2"] {
        assert_broken_off(&world.log_in(tls, line));
    }
    world.server.assert_rejections("client-alert", 3);
    world.requests(tls, "");
    let ready = world.server.get("/readyz", "");
    assert!(ready.contains("REVOKED") && ready.starts_with("HTTP/1.1 200"), "{ready}");
}

#[test]
fn tls12_device_that_insists_on_a_staple_logs_in_with_one_only() {
    devices_that_ask(BOTH[0]);
}

#[test]
fn tls13_device_that_insists_on_a_staple_logs_in_with_one_only() {
    devices_that_ask(BOTH[1]);
}
