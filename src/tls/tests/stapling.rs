//! The OCSP answer that is stapled to the server's certificate.

use rustls::DigitallySignedStruct;
use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::CertificateDer;

use super::*;

/// No real one: the server staples what it is given.
const STAPLE: &[u8] = &[0x42; 1_700];
/// status_request (RFC 6066 section 8)
const STATUS_REQUEST: u16 = 5;

/// A server that shows the RSA identity, whose signatures are all of one length.
fn one_identity() -> Settings {
    Settings { identities: vec![pki().server_rsa.identity("rsa")], ..settings() }
}

/// Believes any certificate, and remembers what was stapled to it.
#[derive(Debug, Default)]
struct Sees(Mutex<Vec<Vec<u8>>>);

impl ServerCertVerifier for Sees {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.lock().unwrap().push(ocsp.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// What was stapled in a full handshake.
fn stapled(server: &Arc<Server>, version: TlsVersion) -> Vec<u8> {
    let sees = Arc::new(Sees::default());
    let mut ready = Client::new(version, Key::P256).build();
    Arc::get_mut(&mut ready.config).unwrap().dangerous().set_certificate_verifier(Arc::clone(&sees) as _);
    ready.connect(server, &Verdicts::good(), START).established();
    let mut seen = sees.0.lock().unwrap();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

#[test]
fn what_is_stapled_goes_out_from_the_next_handshake_on() {
    let server = Arc::new(Server::new(&one_identity(), None).unwrap());
    for version in BOTH {
        assert!(stapled(&server, version).is_empty());
        server.staple("rsa", Some(STAPLE.to_vec()));
        assert_eq!(stapled(&server, version), STAPLE);
        server.staple("rsa", Some(b"a newer one".to_vec()));
        assert_eq!(stapled(&server, version), b"a newer one");
        server.staple("somebody else", Some(STAPLE.to_vec()));
        assert_eq!(stapled(&server, version), b"a newer one");
        server.staple("rsa", None);
        assert!(stapled(&server, version).is_empty());
        server.staple("rsa", Some(Vec::new()));
        assert!(stapled(&server, version).is_empty());
    }
}

#[test]
fn a_begun_handshake_is_not_disturbed_by_another_staple() {
    let server = Arc::new(Server::new(&one_identity(), None).unwrap());
    for version in BOTH {
        let client = Client::new(version, Key::P256).build();
        let mut run = Run::new(client.start(START), server.accept(&[], b"wifi", Verdicts::good(), START));
        let hello = run.take_flight();
        run.deliver(&hello, START);
        server.staple("rsa", Some(STAPLE.to_vec()));
        run.finish(START).established();
    }
}

/// The server's first flight to a ClientHello in which status_request is called `number`. Its length alone can be compared: with another number the client's keys are not the server's.
fn first_flight(server: &Arc<Server>, version: TlsVersion, number: u16) -> usize {
    let client = Client::new(version, Key::P256).build();
    let mut run = Run::new(client.start(START), server.accept(&[], b"wifi", Verdicts::good(), START));
    let mut hello = run.take_flight();
    // status_type ocsp, no responders, no extensions
    let asks: &[u8] = &[0, 5, 0, 5, 1, 0, 0, 0, 0];
    let at = hello.windows(asks.len()).position(|window| window == asks).expect("rustls asks for it");
    hello[at..at + 2].copy_from_slice(&number.to_be_bytes());
    assert!(matches!(run.connection.receive(&hello, START), Progress::Continue));
    run.connection.take_output().len()
}

#[test]
fn who_does_not_ask_is_sent_none() {
    /// Of those that nobody knows (RFC 8701).
    const UNKNOWN: u16 = 0x0a0a;
    let server = Arc::new(Server::new(&one_identity(), None).unwrap());
    for version in BOTH {
        server.staple("rsa", None);
        let without = first_flight(&server, version, UNKNOWN);
        server.staple("rsa", Some(STAPLE.to_vec()));
        assert_eq!(first_flight(&server, version, UNKNOWN), without);
        assert!(first_flight(&server, version, STATUS_REQUEST) >= without + STAPLE.len());
    }
}

#[test]
fn a_reload_keeps_what_is_stapled_to_a_certificate_that_stays() {
    let server = Server::new(&settings(), None).unwrap();
    server.staple("ecdsa", Some(STAPLE.to_vec()));
    let reloaded = Arc::new(Server::new(&settings(), Some(&server)).unwrap());
    let renamed = Settings { identities: vec![pki().server_ecdsa.identity("other name")], ..settings() };
    let renamed = Arc::new(Server::new(&renamed, Some(&reloaded)).unwrap());
    for version in BOTH {
        assert_eq!(stapled(&reloaded, version), STAPLE);
        assert_eq!(stapled(&renamed, version), STAPLE);
    }
}

#[test]
fn another_certificate_of_the_same_name_begins_without() {
    let server = Server::new(&one_identity(), None).unwrap();
    server.staple("rsa", Some(STAPLE.to_vec()));
    let other = Settings { identities: vec![pki().server_ecdsa.identity("rsa")], ..settings() };
    let reloaded = Arc::new(Server::new(&other, Some(&server)).unwrap());
    for version in BOTH {
        assert!(stapled(&reloaded, version).is_empty());
    }
}
