//! Ways in without EAP, on the real program with packets made by hand: by name, and by one-time password.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use sekisho::exchange::Asker;
use sekisho::radius::{Attributes, Code, Type};
use sekisho::secret::Secret;
use serde_json::{Value, json};

use super::afar::login;
use super::nas::{Nas, SECRET};
use super::registry::{Disk, Said, ask, good, let_in, register, wait_for};
use super::sessions::sessions;
use super::support::certificates::{crl, day};
use super::{Campus, PATIENCE, Serving, said};

const HANAKO: &str = "hanako@example.ac.jp";
const COMMON: &str = "as the ASA says";
/// What the NAS has checked is none of our business.
const PASSWORD: &str = "her own password";
const OTP: &str = "/api/v1/users/hanako@example.ac.jp/otp";

/// Concentrators: one asks by name, one for codes, one for codes after a certificate; and the Wi-Fi.
struct Vpn {
    campus: Campus,
    asa: Nas,
    ocserv: Nas,
    both: Nas,
    wifi: Nas,
}

impl Vpn {
    fn new() -> Self {
        Self::with_attempts(100)
    }

    fn with_attempts(attempts: u32) -> Self {
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

    fn secret(&self, name: &str, text: &str) {
        self.campus.write(name, text);
        let path = self.campus.path(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("ours");
    }
}

/// What a NAS was answered.
#[derive(Debug)]
struct Answer {
    code: Code,
    user_name: Option<String>,
    message: Option<String>,
    state: Option<Vec<u8>>,
}

/// What it asks.
#[derive(Clone, Default)]
struct Wish<'a> {
    name: &'a str,
    password: &'a str,
    station: &'a str,
    state: Option<&'a [u8]>,
    /// In Filter-Id.
    certificate: Option<&'a str>,
}

impl<'a> Wish<'a> {
    fn of(name: &'a str, password: &'a str) -> Self {
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
fn send(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> (UdpSocket, Vec<u8>) {
    let (socket, asker) = (socket(nas, serving), Asker::new(Secret::new(SECRET)));
    let authenticator = random();
    let attributes = attributes(&asker, &authenticator, wish);
    let request = asker.request(Code::ACCESS_REQUEST, 7, authenticator, &[], &attributes).expect("it fits");
    socket.send(&request).expect("loopback takes it");
    (socket, request)
}

fn answer(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> Answer {
    let (socket, request) = send(nas, serving, wish);
    receive(&socket, &request, serving)
}

fn receive(socket: &UdpSocket, request: &[u8], serving: &Serving) -> Answer {
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

fn accepted(nas: &Nas, serving: &Serving, wish: &Wish<'_>) -> Answer {
    let answer = answer(nas, serving, wish);
    assert_eq!(answer.code, Code::ACCESS_ACCEPT, "{answer:?} {}", serving.log());
    answer
}

/// The last decision is a refusal for this.
fn rejected(nas: &Nas, serving: &Serving, wish: &Wish<'_>, reason: &str) -> Value {
    let answer = answer(nas, serving, wish);
    assert_eq!(answer.code, Code::ACCESS_REJECT, "{answer:?} {}", serving.log());
    let last = good(ask(serving, "viewer", "GET", "/api/v1/authentications?limit=1", None))["items"][0].clone();
    assert_eq!((last["outcome"].as_str(), last["reason"].as_str()), (Some("reject"), Some(reason)), "{last}");
    last
}

fn by_name() -> Wish<'static> {
    Wish::of(HANAKO, COMMON)
}

fn revocation(campus: &Campus, serving: &Serving) -> String {
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

/// How an authenticator app makes codes.
struct App {
    key: Vec<u8>,
    present: u64,
}

impl App {
    fn read(uri: &str) -> Self {
        let query = uri.strip_prefix("otpauth://totp/Campus:hanako%40example.ac.jp?").expect("what apps read");
        let key = query.split('&').find_map(|pair| pair.strip_prefix("secret=")).expect("a key");
        assert!(query.contains("issuer=Campus") && query.contains("digits=6") && query.contains("period=30"), "{uri}");
        let key = BASE32_NOPAD.decode(key.as_bytes()).expect("base 32");
        assert_eq!(key.len(), 20);
        Self { key, present: now() / 30 }
    }

    /// The code of so many steps after the present one.
    fn code(&self, after: i64) -> String {
        let counter = self.present.checked_add_signed(after).expect("a time");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.key);
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let begin = usize::from(tag.as_ref()[19] & 15);
        let number = u32::from_be_bytes(tag.as_ref()[begin..begin + 4].try_into().expect("four")) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// A code of none of the steps about now.
    fn wrong(&self) -> String {
        let near: Vec<_> = (-20..=20).map(|after| self.code(after)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).expect("there are enough")
    }
}

#[expect(clippy::disallowed_methods, reason = "an app has a clock of its own")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

fn enrol(serving: &Serving) -> App {
    let said = good(ask(serving, "operator", "POST", OTP, None));
    App::read(said["uri"].as_str().expect("a URI"))
}

#[test]
fn a_user_is_enrolled_by_an_operator_and_her_key_is_told_once() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    for (method, least) in [("GET", 1), ("POST", 3), ("DELETE", 3)] {
        for (rank, role) in ["status", "viewer", "registrar", "operator"].into_iter().enumerate() {
            let code = ask(&serving, role, method, "/api/v1/users/nobody/otp", Some(json!({ "no": 1 }))).0;
            assert_eq!(code == 403, rank < least, "{method} {role}: {code}");
        }
    }
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404);
    let Said(status, told, text) = ask(&serving, "operator", "POST", "/api/v1/users/Hanako@EXAMPLE.ac.jp/otp", None);
    assert_eq!((status, told["user"].as_str()), (201, Some(HANAKO)), "{text}");
    assert!(text.contains("cache-control: no-store") && told["enrolled"].is_string(), "{text}");
    let first = told["uri"].as_str().expect("a URI").to_owned();
    let Said(status, problem, _) = ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": false })));
    assert_eq!((status, problem["status"].as_u64()), (409, Some(409)));
    let shown = good(ask(&serving, "viewer", "GET", OTP, None));
    assert_eq!(shown, json!({ "user": HANAKO, "enrolled": told["enrolled"], "by": "operator1" }));
    let second = good(ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": true }))));
    let second = second["uri"].as_str().expect("a URI").to_owned();
    assert_ne!(first, second);
    // The old key makes no right codes any more.
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&first).code(0)), "otp-wrong");
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&second).code(0)));
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 204);
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 404);
    let last = rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&second).code(1)), "otp-wrong");
    assert!(last["explanation"].as_str().is_some_and(|text| text.contains("enrolled")), "{last}");
    assert_eq!(ask(&serving, "operator", "POST", "/api/v1/users/%20/otp", None).0, 400);

    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let actions: Vec<_> = audit["items"].as_array().expect("a list").iter().map(|it| it["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| **action == Some("enrol-otp")).count(), 2, "{audit}");
    assert_eq!(actions.iter().filter(|action| **action == Some("remove-otp")).count(), 1, "{audit}");
    for uri in [&first, &second] {
        let key = uri.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a key");
        assert!(!audit.to_string().contains(key) && !serving.log().contains(key), "a secret was written down");
        let key = BASE32_NOPAD.decode(key.as_bytes()).expect("base 32");
        for file in ["registry.sqlite", "registry.sqlite-wal"] {
            let kept = std::fs::read(vpn.campus.path(file)).expect("it is there");
            assert!(!kept.windows(key.len()).any(|octets| octets == key), "{file} holds a key that nobody has sealed");
        }
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn without_otp_in_the_configuration_nobody_is_enrolled() {
    let campus = super::registry::campus();
    let serving = campus.start();
    let said = ask(&serving, "operator", "POST", OTP, None);
    assert!(said.0 == 503 && said.2.contains("[otp]"), "{}", said.2);
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 503);
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 404);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_is_right_once_and_asked_for_where_none_was_typed() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let code = app.code(0);
    let answer = accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code));
    assert_eq!(answer.user_name.as_deref(), Some(HANAKO));
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(-1)), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.wrong()), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of("taro@example.ac.jp", &app.code(1)), "otp-wrong");
    rejected(&vpn.wifi, &serving, &Wish::of(HANAKO, &app.code(1)), "method-not-allowed");

    let asked = answer_to_password(&vpn.ocserv, &serving);
    let state = asked.state.expect("a State");
    let typed = app.code(1);
    let right = Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) };
    accepted(&vpn.ocserv, &serving, &right);
    // Whoever reads along answers another question with it.
    let asked = answer_to_password(&vpn.ocserv, &serving);
    let state = asked.state.expect("a State");
    rejected(&vpn.ocserv, &serving, &Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) }, "otp-wrong");

    let block = format!("/api/v1/users/{HANAKO}/block");
    good(ask(&serving, "operator", "POST", &block, None));
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(2)), "user-blocked");
    good(ask(&serving, "operator", "DELETE", &block, None));
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(2)));
    assert_eq!(serving.end(), Some(0));
}

fn answer_to_password(nas: &Nas, serving: &Serving) -> Answer {
    let asked = answer(nas, serving, &Wish::of(HANAKO, PASSWORD));
    assert_eq!(asked.code, Code::ACCESS_CHALLENGE, "{asked:?}");
    assert!(asked.message.as_deref().is_some_and(|text| text.contains("One-time password")), "{asked:?}");
    asked
}

#[test]
fn of_many_who_type_a_code_at_the_same_moment_one_is_let_in() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let code = app.code(0);
    let stations: Vec<_> = (0..20).map(|number| format!("198.51.100.{number}")).collect();
    let asked: Vec<_> = stations
        .iter()
        .map(|station| send(&vpn.ocserv, &serving, &Wish { station, ..Wish::of(HANAKO, &code) }))
        .collect();
    let answers = asked.into_iter().map(|(socket, request)| receive(&socket, &request, &serving).code);
    assert_eq!(answers.filter(|code| *code == Code::ACCESS_ACCEPT).count(), 1);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_rule_asks_for_a_code_on_top_of_the_name_and_each_is_looked_up() {
    let vpn = Vpn::new();
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    let otp = "otp = { after = \"nas-password\" }\n";
    assert!(text.contains(otp), "{text}");
    let rule = "rules = [{ when = { nas = [\"asa\"] }, otp = true }]\n";
    vpn.campus.write("sekisho.toml", &text.replace(otp, &format!("{otp}{rule}")));
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    rejected(&vpn.asa, &serving, &by_name(), "no-good-certificate");
    register(&vpn.campus, &serving);
    for (typed, opens) in [(app.wrong(), false), (app.code(0), true), (app.code(0), false), (app.code(1), true)] {
        let asked = answer(&vpn.asa, &serving, &by_name());
        assert_eq!(asked.code, Code::ACCESS_CHALLENGE, "{asked:?} {}", serving.log());
        let state = asked.state.expect("a State");
        let wish = Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) };
        match opens {
            true => drop(accepted(&vpn.asa, &serving, &wish)),
            false => drop(rejected(&vpn.asa, &serving, &wish, "otp-wrong")),
        }
    }
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

#[test]
fn after_a_certificate_a_code_alone_opens_nothing() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    rejected(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(0)), "no-good-certificate");
    let path = revocation(&vpn.campus, &serving);
    accepted(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(0)));
    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    rejected(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(1)), "blocked");
    good(ask(&serving, "operator", "DELETE", &path, None));
    accepted(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(1)));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn guessing_is_slowed_at_one_station_and_at_no_other() {
    let vpn = Vpn::with_attempts(3);
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let wrong = app.wrong();
    for _ in 0..3 {
        rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &wrong), "otp-wrong");
    }
    let right = app.code(0);
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &right), "otp-throttled");
    accepted(&vpn.ocserv, &serving, &Wish { station: "198.51.100.9", ..Wish::of(HANAKO, &right) });
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_that_was_right_is_wrong_after_kill_minus_nine() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    for number in 0..3 {
        let code = app.code(number);
        accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code));
        serving.signal("KILL");
        drop(serving);
        serving = vpn.campus.start();
        rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code), "otp-wrong");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_opens_once_at_whatever_moment_the_process_is_killed() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    for number in 0..6 {
        let code = app.code(number);
        let wish = Wish::of(HANAKO, &code);
        let (socket, _) = send(&vpn.ocserv, &serving, &wish);
        let mut octets = [0; 4_096];
        let moment = Duration::from_micros(500 + 1_500 * u64::try_from(number).expect("it counts up"));
        socket.set_read_timeout(Some(moment)).expect("a time-out can be set");
        let early = socket.recv(&mut octets).is_ok();
        serving.signal("KILL");
        drop(serving);
        // What it had sent before it was killed.
        let answered = early || socket.recv(&mut octets).is_ok();
        let is_first_in = answered && octets[0] == Code::ACCESS_ACCEPT.0;
        serving = vpn.campus.start();
        let is_second_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
        assert!(!(is_first_in && is_second_in), "the code of round {number} has opened twice");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_that_a_full_disk_does_not_take_opens_nothing_until_there_is_room_and_then_once() {
    let vpn = Vpn::new();
    let disk = Disk::mount(vpn.campus.path("small"));
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    vpn.campus.write("sekisho.toml", &text.replace("state-dir = \".\"", "state-dir = \"small\""));
    let mut serving = vpn.campus.start();
    let path = revocation(&vpn.campus, &serving);
    let app = enrol(&serving);
    let ballast = vpn.campus.path("small").join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("there is room");
    while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
    drop(file);
    let note = json!({ "note": "x".repeat(4_000), "block": false });
    let is_full = (0..2_000).any(|_| ask(&serving, "registrar", "POST", &path, Some(note.clone())).0 == 503);
    assert!(is_full, "{}", serving.log());
    let code = app.code(0);
    let wish = Wish::of(HANAKO, &code);
    // What is so small may have found room all the same.
    let is_first_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
    std::fs::remove_file(&ballast).expect("ours");
    serving.wait_for_metric("sekisho_registry_up 1");
    let is_second_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
    assert!(is_first_in != is_second_in, "{is_first_in} {is_second_in} {}", serving.log());
    assert_eq!(serving.end(), Some(0));
    drop(disk);
}

#[test]
fn how_somebody_came_in_is_shown_and_outlives_a_restart() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let_in(&login(&vpn.campus, &serving));
    let app = enrol(&serving);
    accepted(&vpn.asa, &serving, &by_name());
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    let methods = |serving: &Serving| {
        let shown = |it: &Value| {
            let text = |field: &str| it[field].as_str().map(str::to_owned);
            (text("nas"), text("method"), it["certificate"].is_string())
        };
        sessions(serving, "").iter().map(shown).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let wanted = [
        (text("ap"), text("eap-tls"), true),
        (text("asa"), text("authorize"), true),
        (text("ocserv"), text("otp"), false),
    ];
    assert_eq!(methods(&serving), wanted);
    assert_eq!(serving.end(), Some(0));
    let serving = vpn.campus.start();
    assert_eq!(methods(&serving), wanted);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn with_another_seal_key_no_code_is_right_and_the_administrator_hears_why() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    vpn.secret("otp.secret", "another key that is long enough");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)), "otp-wrong");
    serving.wait_for_line("sealed with another seal-key");
    vpn.secret("otp.secret", "a key that is long enough");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_block_throws_people_off_the_vpn_however_they_came() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let app = enrol(&serving);
    accepted(&vpn.asa, &serving, &by_name());
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    assert_eq!(sessions(&serving, "").len(), 2);
    good(ask(&serving, "operator", "POST", &format!("/api/v1/users/{HANAKO}/block"), None));
    for nas in [&vpn.asa, &vpn.ocserv] {
        serving.process.wait_until(&format!("told at {}", nas.name), |_| !nas.told().is_empty());
        assert_eq!(nas.told()[0].user, HANAKO);
    }
    wait_for(&mut serving, "/api/v1/sessions", "without sessions", |it| it["items"] == json!([]));
    assert_eq!(serving.end(), Some(0));
}

fn otp(campus: &Campus, verb: &str, place: &[&str], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(campus.scratch.path()).args(["otp", verb]).args(place).args(more).arg("Hanako@example.ac.jp");
    command.output().expect("the program was built")
}

#[test]
fn sekisho_otp_enrols_by_the_api_of_a_server_that_runs_and_else_in_its_registry() {
    let vpn = Vpn::new();
    let campus = &vpn.campus;
    vpn.secret("operator.token", "operator\n");
    let direct = ["--config", "sekisho.toml"];
    let early = otp(campus, "enrol", &direct, &["--uri"]);
    assert_eq!(early.status.code(), Some(78), "{}", said(&early));
    assert!(!campus.path("registry.sqlite").exists(), "nobody but a server begins one");

    let serving = campus.start();
    let url = format!("http://127.0.0.1:{}", serving.admin);
    let api = ["--api", &url, "--token-file", "operator.token"];
    let hidden = otp(campus, "enrol", &api, &[]);
    assert_eq!(hidden.status.code(), Some(78), "standard output is no terminal: {}", said(&hidden));
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404, "nothing was changed");
    let enrolled = otp(campus, "enrol", &api, &["--uri"]);
    assert_eq!(enrolled.status.code(), Some(0), "{}", said(&enrolled));
    let uri = |output: &Output| String::from_utf8_lossy(&output.stdout).trim().to_owned();
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&uri(&enrolled)).code(0)));
    let again = otp(campus, "enrol", &api, &["--uri"]);
    assert!(again.status.code() == Some(1) && said(&again).contains("409"), "{}", said(&again));
    let taken = otp(campus, "enrol", &direct, &["--uri", "--replace"]);
    assert!(taken.status.code() == Some(78) && said(&taken).contains("--api"), "{}", said(&taken));
    assert_eq!(serving.end(), Some(0));

    let again = otp(campus, "enrol", &direct, &["--uri"]);
    assert!(again.status.code() == Some(1) && said(&again).contains("--replace"), "{}", said(&again));
    let replaced = otp(campus, "enrol", &direct, &["--uri", "--replace"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", said(&replaced));
    let mut serving = campus.start();
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&uri(&replaced)).code(0)));
    let by = good(ask(&serving, "viewer", "GET", OTP, None));
    assert_eq!(by["by"], "command line");
    wait_for(&mut serving, "/api/v1/audit?limit=1", "audited", |it| it["items"][0]["caller"] == "command line");
    let url = format!("http://127.0.0.1:{}", serving.admin);
    let removed = otp(campus, "remove", &["--api", &url, "--token-file", "operator.token"], &[]);
    assert_eq!(removed.status.code(), Some(0), "{}", said(&removed));
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404);
    assert_eq!(serving.end(), Some(0));
    let removed = otp(campus, "remove", &direct, &[]);
    assert_eq!(removed.status.code(), Some(1), "{}", said(&removed));
}
