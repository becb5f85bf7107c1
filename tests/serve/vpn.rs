//! Ways in without EAP, on the real program with packets made by hand: by name.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;

use sekisho::exchange::Asker;
use sekisho::radius::{Attributes, Code, Type};
use sekisho::secret::Secret;
use serde_json::{Value, json};

use super::afar::login;
use super::nas::{Nas, SECRET};
use super::registry::{ask, good, let_in, register};
use super::support::certificates::{crl, day};
use super::{Campus, PATIENCE, Serving};

pub(super) const HANAKO: &str = "hanako@example.ac.jp";
pub(super) const COMMON: &str = "as the ASA says";
/// What the NAS has checked is none of our business.
pub(super) const PASSWORD: &str = "her own password";

/// Concentrators: one asks by name, one for codes, one for codes after a certificate; and the Wi-Fi.
pub(super) struct Vpn {
    pub(super) campus: Campus,
    pub(super) asa: Nas,
    pub(super) ocserv: Nas,
    pub(super) both: Nas,
    pub(super) wifi: Nas,
}

impl Vpn {
    pub(super) fn new() -> Self {
        Self::with_attempts(100)
    }

    pub(super) fn with_attempts(attempts: u32) -> Self {
        let [asa, ocserv] = [Nas::new("asa", 11), Nas::new("ocserv", 12)];
        let [both, wifi] = [Nas::new("both", 13), Nas::new("wifi", 14)];
        let nas = |nas: &Nas, methods: &str| format!("{}methods = [{methods}]\nclass = false\n", nas.table(Some("")));
        let tables =
            [nas(&asa, "\"eap-tls\", \"authorize\""), nas(&ocserv, "\"otp\""), nas(&both, "\"otp\""), wifi.table(None)];
        let services = r#"
[[service]]
name = "ssl-vpn"
match = { nas = ["asa", "ocserv"] }
authorities = ["ca"]
reply-username = "outer"
attributes = ["Class=OU=members"]
authorize = { name = "san-email", password = "common", password-file = "asa.secret" }
otp = { after = "nas-password" }
[[service]]
name = "strict"
match = { nas = ["both"] }
authorities = ["ca"]
otp = { after = "certificate" }
"#;
        let otp = format!(
            "[otp]\nissuer = \"Campus\"\nseal-key-file = \"otp.secret\"\nwindow = 10\nattempts = {{ each = {attempts}, per = \"1d\" }}\n"
        );
        let campus = super::sessions::campus(&[], &(tables.concat() + services + &otp));
        let vpn = Self { campus, asa, ocserv, both, wifi };
        vpn.secret("asa.secret", COMMON);
        vpn.secret("otp.secret", "a key that is long enough");
        vpn
    }

    pub(super) fn secret(&self, name: &str, text: &str) {
        self.campus.write(name, text);
        let path = self.campus.path(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("ours");
    }
}

/// What a NAS was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) user_name: Option<String>,
    pub(super) message: Option<String>,
    pub(super) state: Option<Vec<u8>>,
}

/// What it asks.
#[derive(Clone, Default)]
pub(super) struct Wish<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a str,
    pub(super) station: &'a str,
    pub(super) state: Option<&'a [u8]>,
    /// In Filter-Id.
    pub(super) certificate: Option<&'a str>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(name: &'a str, password: &'a str) -> Self {
        Self { name, password, station: "203.0.113.5", state: None, certificate: None }
    }
}

fn socket(nas: &Nas, serving: &Serving) -> UdpSocket {
    let socket = UdpSocket::bind((nas.address, 0)).expect("loopback can be bound");
    socket.connect(("127.0.0.1", serving.listening("auth"))).expect("loopback can be reached");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    socket
}

fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).expect("randomness");
    octets
}

fn attributes(asker: &Asker, authenticator: &[u8; 16], wish: &Wish<'_>) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, wish.name.as_bytes()).expect("it is short");
    asker.push_password(authenticator, &Secret::new(wish.password), &mut attributes).expect("it is short");
    attributes.push(Type::CALLING_STATION_ID, wish.station.as_bytes()).expect("it is short");
    // Virtual
    attributes.push_integer(Type::NAS_PORT_TYPE, 5);
    if let Some(state) = wish.state {
        attributes.push(Type::STATE, state).expect("it is short");
    }
    if let Some(certificate) = wish.certificate {
        attributes.push(Type::FILTER_ID, certificate.as_bytes()).expect("it is short");
    }
    attributes
}

/// The socket where the answer comes, and what was asked.
pub(super) fn send(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> (UdpSocket, Vec<u8>) {
    let (socket, asker) = (socket(nas, serving), Asker::new(Secret::new(SECRET)));
    let authenticator = random();
    let attributes = attributes(&asker, &authenticator, wish);
    let request = asker.request(Code::ACCESS_REQUEST, 7, authenticator, &[], &attributes).expect("it fits");
    socket.send(&request).expect("loopback takes it");
    (socket, request)
}

pub(super) fn answer(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> Answer {
    let (socket, request) = send(nas, serving, wish);
    receive(&socket, &request, serving)
}

pub(super) fn receive(socket: &UdpSocket, request: &[u8], serving: &Serving) -> Answer {
    let asker = Asker::new(Secret::new(SECRET));
    let mut octets = [0; 4_096];
    let length = socket.recv(&mut octets).unwrap_or_else(|error| panic!("{error}: {}", serving.log()));
    let reply = asker.reply(request, &octets[..length]).expect("a good answer");
    let text = |kind| reply.text(kind).map(str::to_owned);
    Answer {
        code: reply.code(),
        user_name: text(Type::USER_NAME),
        message: text(Type::REPLY_MESSAGE),
        state: reply.first(Type::STATE).map(<[u8]>::to_vec),
    }
}

pub(super) fn accepted(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> Answer {
    let answer = answer(nas, serving, wish);
    assert_eq!(answer.code, Code::ACCESS_ACCEPT, "{answer:?} {}", serving.log());
    answer
}

/// The last decision is a refusal for this.
pub(super) fn rejected(nas: &Nas, serving: &Serving, wish: &Wish<'_>, reason: &str) -> Value {
    let before = last(serving);
    let answer = answer(nas, serving, wish);
    assert_eq!(answer.code, Code::ACCESS_REJECT, "{answer:?} {}", serving.log());
    // The answer goes out first, and what is told of it may still be on its way.
    let told = (0..100).map(|_| last(serving)).find(|last| *last != before).unwrap_or(before);
    assert_eq!((told["outcome"].as_str(), told["reason"].as_str()), (Some("reject"), Some(reason)), "{told}");
    told
}

fn last(serving: &Serving) -> Value {
    good(ask(serving, "viewer", "GET", "/api/v1/authentications?limit=1", None))["items"][0].clone()
}

pub(super) fn by_name() -> Wish<'static> {
    Wish::of(HANAKO, COMMON)
}

pub(super) fn revocation(campus: &Campus, serving: &Serving) -> String {
    let id = register(campus, serving)["id"].as_str().expect("an id").to_owned();
    format!("/api/v1/certificates/{id}/revocation")
}

#[test]
fn who_came_by_the_wifi_is_let_in_by_name_at_once_and_what_is_done_to_her_counts_there_too() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let last = rejected(&vpn.asa, &serving, &by_name(), "no-good-certificate");
    assert_eq!((last["service"].as_str(), last["method"].as_str()), (Some("ssl-vpn"), Some("authorize")));
    // A line of a list opens nothing.
    let line = json!({ "authority": "ca", "serial": "05", "mail": HANAKO, "subject": format!("CN={HANAKO}") });
    good(ask(&serving, "registrar", "POST", "/api/v1/certificates", Some(line)));
    rejected(&vpn.asa, &serving, &by_name(), "no-good-certificate");

    let_in(&login(&vpn.campus, &serving));
    let answer = accepted(&vpn.asa, &serving, &by_name());
    assert_eq!(answer.user_name.as_deref(), Some(HANAKO));
    let upper = accepted(&vpn.asa, &serving, &Wish::of("HANAKO@Example.ac.jp", COMMON));
    assert_eq!(upper.user_name.as_deref(), Some("HANAKO@Example.ac.jp"), "the concentrator finds its session");
    rejected(&vpn.asa, &serving, &Wish::of("taro@example.ac.jp", COMMON), "no-good-certificate");
    rejected(&vpn.asa, &serving, &Wish::of(HANAKO, PASSWORD), "password-wrong");
    rejected(&vpn.asa, &serving, &Wish::of(HANAKO, ""), "password-wrong");
    rejected(&vpn.wifi, &serving, &by_name(), "method-not-allowed");

    // No key was proved to us: it was seen at the Wi-Fi alone.
    let path = revocation(&vpn.campus, &serving);
    let certificate = good(ask(&serving, "viewer", "GET", path.trim_end_matches("/revocation"), None));
    let devices: Vec<_> = certificate["devices"].as_array().expect("a list").iter().map(|it| &it["nas"]).collect();
    assert_eq!(devices, [&json!("ap")], "{certificate}");

    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    let last = rejected(&vpn.asa, &serving, &by_name(), "blocked");
    assert!(last["explanation"].as_str().is_some_and(|text| text.contains("Blocked by registrar1")), "{last}");
    good(ask(&serving, "operator", "DELETE", &path, None));
    accepted(&vpn.asa, &serving, &by_name());
    let block = format!("/api/v1/users/{HANAKO}/block");
    good(ask(&serving, "operator", "POST", &block, None));
    rejected(&vpn.asa, &serving, &by_name(), "user-blocked");
    good(ask(&serving, "operator", "DELETE", &block, None));
    accepted(&vpn.asa, &serving, &by_name());
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn who_is_revoked_by_the_authority_is_refused_by_name_and_who_was_registered_needs_no_login() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    accepted(&vpn.asa, &serving, &by_name());
    let crl = crl(&vpn.campus.ca, 2, [1, 5], day(2026, 1, 3)..day(2038, 1, 1));
    vpn.campus.scratch.write("ca.crl", crl.der());
    let entries = format!("sekisho_crl_entries{{authority=\"ca\",crl=\"{}\"}} 2", vpn.campus.path("ca.crl").display());
    serving.wait_for_metric(&entries);
    rejected(&vpn.asa, &serving, &by_name(), "revoked");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_request_by_name_without_a_message_authenticator_is_dropped_even_from_a_nas_that_needs_none() {
    let vpn = Vpn::new();
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    let methods = "methods = [\"eap-tls\", \"authorize\"]\n";
    assert!(text.contains(methods), "{text}");
    vpn.campus
        .write("sekisho.toml", &text.replace(methods, &format!("{methods}require-message-authenticator = false\n")));
    let mut serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let (socket, asker) = (socket(&vpn.asa, &serving), Asker::new(Secret::new(SECRET)));
    let authenticator = random();
    let attributes = attributes(&asker, &authenticator, &by_name());
    let signed = asker.request(Code::ACCESS_REQUEST, 8, authenticator, &[], &attributes).expect("it fits");
    // The first attribute, and what the length says of it.
    let mut unsigned = [&signed[..20], &signed[38..]].concat();
    let length = u16::try_from(unsigned.len()).expect("it is short").to_be_bytes();
    unsigned[2..4].copy_from_slice(&length);
    unsigned[1] = 7;
    socket.send(&unsigned).expect("loopback takes it");
    serving.wait_for_line("missing-authenticator");
    socket.send(&signed).expect("loopback takes it");
    let mut octets = [0; 4_096];
    let length = socket.recv(&mut octets).expect("an answer");
    let first = asker.reply(&signed, &octets[..length]).expect("the other was not answered");
    assert_eq!(first.code(), Code::ACCESS_ACCEPT);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn where_the_nas_names_the_certificate_that_very_one_is_judged() {
    let vpn = Vpn::new();
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    let file = "password-file = \"asa.secret\"";
    let more = format!("{file}, certificate-attribute = \"Filter-Id\"");
    vpn.campus.write("sekisho.toml", &text.replace(file, &more));
    let serving = vpn.campus.start();
    let id = register(&vpn.campus, &serving)["id"].as_str().expect("an id").to_owned();
    for named in ["05", "5", "0x05", "00:05", &id, &id.to_uppercase()] {
        accepted(&vpn.asa, &serving, &Wish { certificate: Some(named), ..by_name() });
    }
    let other = "0".repeat(64);
    for named in ["06", &other, "hanako", ""] {
        rejected(&vpn.asa, &serving, &Wish { certificate: Some(named), ..by_name() }, "no-good-certificate");
    }
    rejected(&vpn.asa, &serving, &by_name(), "no-good-certificate");
    // It is somebody else's.
    let taro = Wish { name: "taro@example.ac.jp", certificate: Some("05"), ..by_name() };
    rejected(&vpn.asa, &serving, &taro, "no-good-certificate");
    assert_eq!(serving.end(), Some(0));
}
