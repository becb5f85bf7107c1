//! What the server writes of itself: no secret of any kind, and one line an event, whatever packets and certificates say.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho::event::TlsVersion;
use sekisho::exchange::Asker;
use sekisho::now::Wall;
use sekisho::policy::is_hidden;
use sekisho::radius::{Attributes, Code, Packet, Type};
use sekisho::secret::Secret;
use sekisho::supplicant::{Next, Report, Settings, Station, Supplicant};

use crate::eapol::SECRET;
use crate::pki::{Credential, pki};
use crate::server::Server;

const TICKET_KEY: [u8; 32] = *b"\x91\x02\xf3\xa4\x55\x96\x07\x68\x1f\xe9\xda\xcb\xbc\xad\x9e\x8f0123456789abcdef";
const TOKEN: &str = "7d0f5a9c3b2e18467d0f5a9c3b2e18467d0f5a9c3b2e18467d0f5a9c3b2e1846";
const PASSWORD: &[u8] = b"correct horse battery staple";
/// As the server's configuration has it.
const CUI_KEY: &str = "a key of every node";
/// The SSID of the last login, by which the log is known to be complete.
const LAST: &str = "the last of all";

/// A NAS on 127.0.0.1, and what it came to know.
struct Nas {
    socket: UdpSocket,
    asker: Arc<Asker>,
    /// MSK of the logins.
    keys: Vec<Secret>,
}

impl Nas {
    fn of(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.connect(("127.0.0.1", server.port)).expect("loopback");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        Self { socket, asker: Arc::new(Asker::new(Secret::new(SECRET))), keys: Vec::new() }
    }

    fn send(&self, octets: &[u8]) {
        self.socket.send(octets).expect("loopback takes it");
    }

    fn ask(&self, octets: &[u8]) -> Vec<u8> {
        self.send(octets);
        let mut answer = [0; 4_096];
        let length = self.socket.recv(&mut answer).expect("an answer");
        answer[..length].to_vec()
    }

    fn log_in(&mut self, who: &Supplicant, station: &Station, resume: bool) -> Report {
        let mut login = who.login(self.asker.clone(), station.clone(), resume, now());
        let mut request = login.begin();
        loop {
            let answer = self.ask(&request);
            match login.handle(&answer, now()) {
                Next::Send(next) => request = next,
                Next::Done(report) => {
                    let reply = Packet::parse(&answer).expect("an answer");
                    self.keys.extend(self.asker.keys(&request, &reply));
                    return *report;
                }
                Next::Ignored => panic!("an answer that isn't ours"),
            }
        }
    }

    /// A request without EAP, signed.
    fn request(&self, code: Code, attributes: &Attributes) -> Vec<u8> {
        self.asker.request(code, 7, [9; 16], &[], attributes).expect("it fits")
    }
}

fn now() -> Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    Wall(i64::try_from(since.as_secs()).expect("a clock before the end of time"))
}

fn settings(credential: &Credential, version: Option<TlsVersion>) -> Settings {
    Settings {
        identity: "@jaist.ac.jp".to_owned(),
        chain: CertificateDer::pem_slice_iter(credential.chain.as_bytes())
            .map(|der| der.expect("PEM").to_vec())
            .collect(),
        key: Some(key_of(credential)),
        anchors: Vec::new(),
        version,
        fragment_size: 1_200,
        always_length: false,
        server_names: Vec::new(),
    }
}

fn key_of(credential: &Credential) -> Secret {
    Secret::new(PrivateKeyDer::from_pem_slice(credential.key.as_bytes()).expect("PEM").secret_der())
}

fn supplicant(settings: Settings) -> Supplicant {
    Supplicant::new(settings).expect("a good credential")
}

fn station(ssid: &str) -> Station {
    Station { ssid: Some(ssid.to_owned()), mac: "02-00-00-00-00-07".to_owned(), ..Station::default() }
}

/// Everything that can be logged: accepted, resumed, refused in every way, no EAP, strangers' packets, wrong tokens.
fn use_all(server: &Server) -> Nas {
    let mut nas = Nas::of(server);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let member = supplicant(settings(&pki().member_p256, Some(version)));
        for resume in [false, true] {
            let report = nas.log_in(&member, &station("JAIST"), resume);
            assert!(report.logged_in && report.resumed == resume && report.keys_agree == Some(true), "{report:?}");
        }
        for refused in [&pki().revoked, &pki().stranger, &pki().expired, &pki().ambiguous, &pki().of_silent] {
            let report = nas.log_in(&supplicant(settings(refused, Some(version))), &station("JAIST"), false);
            assert!(!report.accepted, "{report:?}");
        }
        let nobody = Settings { chain: Vec::new(), key: None, ..settings(&pki().member_p256, Some(version)) };
        assert!(!nas.log_in(&supplicant(nobody), &station("JAIST"), false).accepted);
        let thief = Settings { key: Some(key_of(&pki().revoked)), ..settings(&pki().member_p256, Some(version)) };
        assert!(!nas.log_in(&supplicant(thief), &station("JAIST"), false).accepted);
    }
    let mut password = Attributes::default();
    password.push(Type::USER_NAME, b"taro").expect("short");
    nas.asker.push_password(&[9; 16], &Secret::new(PASSWORD), &mut password).expect("short");
    nas.ask(&nas.request(Code::ACCESS_REQUEST, &password));
    nas.ask(&nas.request(Code::STATUS_SERVER, &Attributes::default()));
    let wrong = Asker::new(Secret::new(*b"another secret of somebody"));
    nas.send(&wrong.request(Code::ACCESS_REQUEST, 8, [8; 16], &[2, 0, 0, 5, 1], &password).expect("it fits"));
    nas.send(&[1; 600]);
    for token in [TOKEN, "wrong", &TOKEN[1..]] {
        server.get("/api/v1/authorities", &format!("Authorization: Bearer {token}\r\n"));
    }
    nas.log_in(&supplicant(settings(&pki().member_p256, None)), &station(LAST), false);
    nas
}

/// Every way to write octets that a program falls into; of long ones any part that is long enough to matter.
fn forms(octets: &[u8]) -> Vec<String> {
    let part = &octets[..octets.len().min(24)];
    let decimal: Vec<String> = part.iter().take(8).map(u8::to_string).collect();
    let hexadecimal: Vec<String> = part.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    // Whole groups of three octets, so that what follows changes nothing.
    let whole = &part[..part.len() / 3 * 3];
    let mut forms = vec![
        decimal.join(", "),
        hexadecimal.join(" "),
        hexadecimal.join(":"),
        hexadecimal.join(", "),
        HEXLOWER.encode(part),
        HEXUPPER.encode(part),
        BASE64.encode(whole),
        BASE64URL_NOPAD.encode(whole),
        part.escape_ascii().to_string(),
    ];
    forms.extend(str::from_utf8(octets).ok().map(str::to_owned));
    forms
}

#[test]
fn o02_nothing_secret_is_written_at_any_level() {
    let ticket_key = HEXLOWER.encode(&TICKET_KEY);
    for format in ["text", "json"] {
        let mut server = Server::changed(|scratch, toml| {
            let file = scratch.write("ticket.keys", format!("{ticket_key}\n"));
            assert!(toml.contains("\"ticket.keys\"") && toml.contains(CUI_KEY), "what is looked for is in use");
            std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours");
            let hash = HEXLOWER.encode(&sekisho::admin::hash_token(TOKEN.as_bytes()));
            toml.replace("level = \"debug\"", &format!("level = \"trace\"\nformat = \"{format}\""))
                + &format!("[[admin.token]]\nname = \"desk\"\nsha256 = \"{hash}\"\nrole = \"viewer\"\n")
        });
        let nas = use_all(&server);
        assert!(nas.keys.len() >= 4, "{} logins have keys", nas.keys.len());
        let mut written = server.log_with(LAST);
        for needle in ["accept ok", "reject revoked", "challenge", "drop bad-authenticator", "admin: refused"] {
            assert!(written.contains(needle), "the log is at its loudest: {needle}\n{written}");
        }
        written.extend(["/", "/metrics", "/readyz", "/openapi.json"].map(|path| server.get(path, "")));

        let mut secrets = vec![
            SECRET.as_bytes().to_vec(),
            TICKET_KEY.to_vec(),
            TOKEN.as_bytes().to_vec(),
            CUI_KEY.as_bytes().to_vec(),
            PASSWORD.to_vec(),
        ];
        secrets.extend(nas.keys.iter().flat_map(|msk| msk.expose().chunks(32).map(<[u8]>::to_vec)));
        // A private key's own octets stand at the end of its DER's first part, after what all keys have in common.
        let own_keys = [&pki().server_p256, &pki().server_rsa].map(key_of);
        secrets.extend(own_keys.iter().map(|der| der.expose()[36..].to_vec()));
        for secret in &secrets {
            for form in forms(secret) {
                assert!(!written.contains(&form), "{form} is written in {format}");
            }
        }
    }
}

/// What terminals, editors and readers of logs trip over.
const NASTY: [&str; 8] = [
    "\n2026-01-01T00:00:00+09:00  INFO accept ok user=admin",
    "\r\u{1b}[2J\u{1b}]0;title\u{7}",
    "nul\0nul",
    "\u{202e}gnp.exe",
    "line\u{2028}paragraph\u{2029}next\u{85}c1\u{9b}31m",
    "\",\"outcome\":\"accept\"}\n{\"a\":\"",
    "{user} {peer} %s ${HOME} \\n\\u{202e}",
    "a b=c user=\"admin\" -- let in",
];

/// Says every nasty thing wherever a packet or a certificate has text.
fn say_all(server: &Server) {
    let mut nas = Nas::of(server);
    for nasty in NASTY {
        for ssid in [nasty, "JAIST"] {
            let station = Station {
                ssid: Some(ssid.to_owned()),
                mac: nasty.to_owned(),
                nas_identifier: Some(nasty.to_owned()),
                ..Station::default()
            };
            for identity in [nasty.to_owned(), format!("a@{nasty}"), format!("{nasty}@jaist.ac.jp")] {
                let named = Settings { identity, ..settings(&pki().member_p256, None) };
                nas.log_in(&supplicant(named), &station, false);
            }
        }
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, nasty);
        params.distinguished_name.push(DnType::OrganizationName, nasty);
        let key = KeyPair::generate().expect("a key");
        let chain = vec![params.self_signed(&key).expect("a certificate").der().to_vec()];
        let liar =
            Settings { chain, key: Some(Secret::new(key.serialize_der())), ..settings(&pki().member_p256, None) };
        nas.log_in(&supplicant(liar), &station("JAIST"), false);
    }
    let mut raw = Attributes::default();
    for kind in [Type::USER_NAME, Type::NAS_IDENTIFIER, Type::CALLED_STATION_ID, Type::CALLING_STATION_ID] {
        raw.push(kind, b"\xff\xfe\n\x1b[31m\x80\0").expect("short");
    }
    nas.ask(&nas.request(Code::ACCESS_REQUEST, &raw));
    nas.log_in(&supplicant(settings(&pki().member_p256, None)), &station(LAST), false);
}

#[test]
fn o01_one_line_an_event_whatever_packets_and_certificates_say() {
    for format in ["text", "json"] {
        let mut server = Server::changed(|_, toml| {
            toml.replace("level = \"debug\"", &format!("level = \"trace\"\nformat = \"{format}\"\nlanguage = \"en\""))
        });
        say_all(&server);
        let log = server.log_with(LAST);
        let mut accepted = 0;
        for line in log.lines() {
            assert!(!line.contains(is_hidden), "{line:?}");
            assert!(line.chars().count() < 4_096, "{line:?}");
            if format == "json" {
                let read: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
                assert!(["time", "level", "message"].iter().all(|name| read.get(name).is_some()), "{line}");
                accepted += usize::from(read["message"] == "accept ok");
                continue;
            }
            let (time, rest) = line.split_once(' ').expect("a time, and more");
            assert!(time.len() == "2026-01-01T00:00:00+09:00".len() && time.ends_with("+09:00"), "{line}");
            assert!(time > "2026-01-02", "a line that a client has written: {line}");
            assert!(["TRACE", "DEBUG", " INFO", " WARN", "ERROR"].contains(&&rest[..5]), "{line}");
            accepted += usize::from(rest[5..].starts_with(" accept ok "));
        }
        let metrics = server.get("/metrics", "");
        let counted = metrics.lines().filter(|line| {
            line.starts_with("sekisho_requests_total{")
                && line.contains("access-request")
                && line.contains("outcome=\"accept\"")
        });
        let counted: usize = counted.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum();
        assert_eq!(accepted, counted, "no line says that somebody was let in who wasn't");
        assert!(NASTY.iter().all(|nasty| !metrics.contains(nasty)) && !metrics.contains("gnp.exe"), "{metrics}");
    }
}
