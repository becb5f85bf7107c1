//! TLS, and client certificates.

use rcgen::{DnType, SerialNumber};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::admin::secure::HANDSHAKE;
use crate::pki::{AuthoritySettings, Crl, Purpose, RevocationSource};
use crate::secret::Secret;
use crate::support::certificates::{self, Authority, Key, day};

const HOST: &str = "admin.campus.example";

/// Somebody's certificate and key.
struct Credential {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

fn issued(params: &rcgen::CertificateParams, by: &Authority) -> Credential {
    let key = Key::P256.make();
    let certificate = params.signed_by(&key, by).expect("a certificate");
    Credential { chain: vec![certificate.der().clone()], key: key.serialize_der() }
}

fn member(serial: u64, by: &Authority, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Credential {
    let mut params = certificates::client(&[(DnType::CommonName, "Operator")], "op@campus.example");
    params.serial_number = Some(SerialNumber::from(serial));
    change(&mut params);
    issued(&params, by)
}

/// A campus with a door that speaks TLS.
struct Campus {
    ca: Authority,
    server_ca: Authority,
    here: Here,
}

fn campus(wants_clients: bool) -> Campus {
    let (ca, server_ca) = (certificates::authority("CA", None), certificates::authority("Server CA", None));
    let server = issued(&certificates::server(HOST), &server_ca);
    let chain = server.chain.iter().map(|one| one.to_vec()).collect();
    let tls = Tls::new(chain, &Secret::new(server.key), &[HOST.into()]).expect("a good pair");
    let authority = AuthoritySettings {
        name: "staff".into(),
        anchor: ca.der().to_vec(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: Vec::new(),
        subject: Vec::new(),
        purpose: Purpose {
            require: vec!["1.3.6.1.5.5.7.3.2".into()],
            policies: Vec::new(),
            refuse_policies: Vec::new(),
        },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    };
    let (trust, _) = Trust::new(&[authority], NOW).expect("a good authority");
    let made = Made { trust: Some(trust), ..Made::default() };
    let client_authorities = if wants_clients { vec!["staff".into()] } else { Vec::new() };
    let settings = Settings { tls: Some(Arc::new(tls)), client_authorities, ..settings(false) };
    let campus = Campus { ca, server_ca, here: opened(settings, made) };
    campus.publish([7]);
    campus
}

impl Campus {
    fn publish(&self, serials: impl IntoIterator<Item = u64>) {
        let crl = certificates::crl(&self.ca, 1, serials, NOW.0 - 86_400..NOW.0 + 86_400);
        let name = "staff".into();
        let trust = self.here.made.trust.as_ref().expect("there is one");
        let crl = Crl::load(crl.der(), &name, &name, trust).expect("a good CRL");
        *self.here.made.revocation.lock().expect("no panic") = Revocation::new(vec![Arc::new(crl)]);
    }

    fn connect(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        who: Option<&Credential>,
        alpn: &[&str],
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server_ca.der().clone()).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&[version]).expect("it is known").with_root_certificates(roots);
        let mut config = match who {
            // Unchecked: a thief's key doesn't fit.
            Some(Credential { chain, key }) => {
                let key = any_supported_type(&PrivatePkcs8KeyDer::from(key.clone()).into()).expect("a key");
                let shown = SingleCertAndKey::from(CertifiedKey::new(chain.clone(), key));
                builder.with_client_cert_resolver(Arc::new(shown))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(HOST).expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let stream = TcpStream::connect(self.here.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        StreamOwned::new(connection, stream)
    }

    /// What was counted last; waits for it, since the client may know first. Takes it away.
    fn last_refusal(&self) -> Refusal {
        loop {
            if let Some(last) = self.here.made.refusals.lock().expect("no panic").pop() {
                return last;
            }
            thread::yield_now();
        }
    }

    /// The answer to a GET of `/metrics` with a good token, or the alert.
    fn ask(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        who: Option<&Credential>,
    ) -> Result<String, AlertDescription> {
        let mut stream = self.connect(version, who, &["http/1.1"]);
        talk(&mut stream, "close")
    }
}

fn talk(stream: &mut StreamOwned<ClientConnection, TcpStream>, connection: &str) -> Result<String, AlertDescription> {
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: {HOST}\r\nConnection: {connection}\r\nAuthorization: Bearer looks\r\n\r\n"
    );
    let mut answer = Vec::new();
    let talked = stream.write_all(request.as_bytes()).and_then(|()| {
        let mut octets = [0; 4096];
        loop {
            let read = stream.read(&mut octets)?;
            answer.extend_from_slice(&octets[..read]);
            let text = String::from_utf8_lossy(&answer);
            if read == 0 || text.ends_with("conversations 7\n") || text.ends_with('}') {
                return Ok(());
            }
        }
    });
    match talked {
        Ok(()) => Ok(String::from_utf8_lossy(&answer).into_owned()),
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => Err(*alert),
            _ => panic!("no alert, but {error}"),
        },
    }
}

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

#[test]
fn with_a_certificate_the_door_speaks_tls_and_nothing_else() {
    let campus = campus(false);
    for version in VERSIONS {
        let answer = campus.ask(version, None).expect("no alert");
        assert_eq!(status(&answer), 200, "{answer}");
    }
    assert!(!campus.here.get("/healthz", None).contains("HTTP/1.1 2"), "in the clear");
}

#[test]
fn a05_nobody_agrees_on_http_2() {
    let campus = campus(false);
    let mut stream = campus.connect(VERSIONS[1], None, &["h2"]);
    assert_eq!(talk(&mut stream, "close"), Err(AlertDescription::NoApplicationProtocol));
    let mut stream = campus.connect(VERSIONS[1], None, &["h2", "http/1.1"]);
    assert!(talk(&mut stream, "close").is_ok());
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn a06_a_good_client_certificate_lets_in_and_a_token_is_wanted_still() {
    let campus = campus(true);
    let good = member(1, &campus.ca, |_| ());
    for version in VERSIONS {
        assert_eq!(status(&campus.ask(version, Some(&good)).expect("no alert")), 200);
    }
    campus.here.shared.swap(Settings { tokens: Vec::new(), ..(*campus.here.shared.settings()).clone() });
    assert_eq!(status(&campus.ask(VERSIONS[1], Some(&good)).expect("no alert")), 401);
}

#[test]
fn a06_who_shows_none_or_a_bad_one_sees_the_alert() {
    let campus = campus(true);
    let other = certificates::authority("CA", None);
    let ended = |params: &mut rcgen::CertificateParams| params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let for_mail = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::EmailProtection];
    };
    let refused = [
        (None, AlertDescription::CertificateRequired, None),
        (Some(member(7, &campus.ca, |_| ())), AlertDescription::CertificateRevoked, Some(Refusal::Certificate)),
        (Some(member(1, &campus.ca, ended)), AlertDescription::CertificateExpired, Some(Refusal::Certificate)),
        (Some(member(1, &campus.ca, for_mail)), AlertDescription::UnsupportedCertificate, Some(Refusal::Certificate)),
        (Some(member(1, &other, |_| ())), AlertDescription::UnknownCA, Some(Refusal::Certificate)),
    ];
    for (who, alert, counted) in &refused {
        for version in VERSIONS {
            let answer = campus.ask(version, who.as_ref());
            // TLS 1.2 has no certificate_required.
            let is_right =
                answer == Err(*alert) || (who.is_none() && answer == Err(AlertDescription::HandshakeFailure));
            assert!(is_right, "{version:?} {alert:?}: {answer:?}");
            assert_eq!(campus.last_refusal(), counted.unwrap_or(Refusal::Handshake));
        }
    }
}

#[test]
fn a06_what_is_not_known_is_refused() {
    let campus = campus(true);
    *campus.here.made.revocation.lock().expect("no panic") = Revocation::new(Vec::new());
    let answer = campus.ask(VERSIONS[1], Some(&member(1, &campus.ca, |_| ())));
    assert_eq!(answer, Err(AlertDescription::CertificateUnknown));
}

#[test]
fn a06_what_is_revoked_during_a_connection_is_refused_at_its_next_request() {
    let campus = campus(true);
    let mut stream = campus.connect(VERSIONS[1], Some(&member(1, &campus.ca, |_| ())), &[]);
    assert_eq!(status(&talk(&mut stream, "keep-alive").expect("no alert")), 200);
    campus.publish([1]);
    let answer = talk(&mut stream, "close").expect("no alert");
    assert_eq!(status(&answer), 403);
    assert!(answer.contains("revoked"), "{answer}");
}

#[test]
fn a06_a_copy_of_somebodys_certificate_is_of_no_use() {
    let campus = campus(true);
    let Credential { chain, .. } = member(1, &campus.ca, |_| ());
    let thief = Credential { chain, ..member(2, &campus.ca, |_| ()) };
    for version in VERSIONS {
        assert_eq!(campus.ask(version, Some(&thief)), Err(AlertDescription::DecryptError));
        assert_eq!(campus.last_refusal(), Refusal::Handshake, "nobody was judged");
    }
}

#[test]
fn a04_a_handshake_that_goes_nowhere_ends() {
    let campus = campus(false);
    // Ends only because the server closes.
    assert_eq!(campus.here.send(b"\x16\x03\x01\x02\x00\x01\x00"), "");
    assert!(HANDSHAKE <= Duration::from_secs(5));
}

#[test]
fn a04_those_who_never_shake_hands_leave_room_for_others() {
    let campus = campus(false);
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(campus.here.address).expect("it listens")).collect();
    assert_eq!(status(&campus.ask(VERSIONS[1], None).expect("no alert")), 200);
    drop(silent);
}

#[test]
fn another_certificate_of_a_reload_is_shown_at_once() {
    let mut campus = campus(false);
    campus.server_ca = certificates::authority("Another CA", None);
    let server = issued(&certificates::server(HOST), &campus.server_ca);
    let chain = server.chain.iter().map(|one| one.to_vec()).collect();
    let tls = Tls::new(chain, &Secret::new(server.key), &[HOST.into()]).expect("a good pair");
    let before = (*campus.here.shared.settings()).clone();
    campus.here.shared.swap(Settings { tls: Some(Arc::new(tls)), ..before });
    assert_eq!(status(&campus.ask(VERSIONS[1], None).expect("no alert")), 200);
}

#[test]
fn a09_with_tls_it_may_listen_anywhere() {
    let campus = campus(false);
    let tls = campus.here.shared.settings().tls.clone();
    let listen = vec!["0.0.0.0:0".parse().expect("an address")];
    assert!(Door::bind(&Settings { listen, tls, ..Settings::default() }).is_ok());
}

#[test]
fn a09_a_socket_beyond_loopback_speaks_nothing_when_a_reload_takes_tls_away() {
    let campus = campus(false);
    let with_tls = (*campus.here.shared.settings()).clone();
    let listen = vec!["0.0.0.0:0".parse().expect("an address")];
    let mut here = opened(Settings { listen, ..with_tls.clone() }, Made::default());
    // One of this machine's own addresses that is not loopback, where it has one.
    let probe =
        std::net::UdpSocket::bind("0.0.0.0:0").and_then(|it| it.connect("192.0.2.1:9").and_then(|()| it.local_addr()));
    let Ok(own) = probe else { return };
    here.address.set_ip(own.ip());
    here.shared.swap(Settings { tls: None, ..with_tls });
    let answer = here.get("/healthz", None);
    assert_eq!(answer.is_empty(), !own.ip().is_loopback(), "{answer}");
}

#[test]
fn requests_may_use_the_certificates_names() {
    let server_ca = certificates::authority("Server CA", None);
    let server = issued(&certificates::server(HOST), &server_ca);
    let chain: Vec<_> = server.chain.iter().map(|one| one.to_vec()).collect();
    let tls = Tls::new(chain, &Secret::new(server.key), &["Admin.campus.example".into(), "*.a.example".into()])
        .expect("good");
    for (name, is_ours) in
        [(HOST, true), ("x.a.example", true), ("a.example", false), ("y.x.a.example", false), ("", false)]
    {
        assert_eq!(tls.is_named(name), is_ours, "{name}");
    }
}

#[test]
fn a_key_of_another_certificate_is_found() {
    let ca = certificates::authority("CA", None);
    let (one, other) = (issued(&certificates::server(HOST), &ca), issued(&certificates::server(HOST), &ca));
    let chain: Vec<_> = one.chain.iter().map(|one| one.to_vec()).collect();
    assert_eq!(Tls::new(chain.clone(), &Secret::new(other.key), &[]).expect_err("no pair").key, "key");
    assert_eq!(Tls::new(vec![vec![1]], &Secret::new(one.key), &[]).expect_err("no certificate").key, "chain");
    assert_eq!(Tls::new(chain, &Secret::new("x"), &[]).expect_err("no key").key, "key");
    assert!(day(2027, 1, 15) == NOW.0 - NOW.0 % 86_400, "the dates above are those of the tests' day");
}
