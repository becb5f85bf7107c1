//! A rustls client in memory against our server, with a clock that is turned by hand.

mod alerts;
mod full;
mod misuse;
mod pki;
mod resumption;
mod stapling;
mod units;

use std::io::Read;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::{ClientConnection, Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, RootCertStore};

use super::*;
use pki::{Key, Pair, pki};

/// When the tests begin.
const START: Wall = Wall(1_790_000_000);
const HOUR: i64 = 3_600;
const KEPT: &[u8] = b"who it was";
const BOTH: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// A judge whose mind the test makes up.
#[derive(Debug)]
struct Verdicts {
    judge: Mutex<Result<Option<Vec<u8>>, Alert>>,
    resume: Mutex<bool>,
    judged: Mutex<Vec<Vec<Vec<u8>>>>,
    resumed: Mutex<Vec<Vec<u8>>>,
}

impl Verdicts {
    fn new(judge: Result<Option<Vec<u8>>, Alert>) -> Arc<Self> {
        Arc::new(Self {
            judge: Mutex::new(judge),
            resume: Mutex::new(true),
            judged: Mutex::default(),
            resumed: Mutex::default(),
        })
    }

    fn good() -> Arc<Self> {
        Self::new(Ok(Some(KEPT.to_vec())))
    }

    fn refuses_to_resume(&self) {
        *self.resume.lock().unwrap() = false;
    }

    fn times_judged(&self) -> usize {
        self.judged.lock().unwrap().len()
    }
}

impl Judge for Verdicts {
    fn judge(&self, chain: &[&[u8]], _now: Wall) -> Result<Option<Vec<u8>>, Alert> {
        self.judged.lock().unwrap().push(chain.iter().map(|der| der.to_vec()).collect());
        self.judge.lock().unwrap().clone()
    }

    fn resume(&self, kept: &[u8], _now: Wall) -> bool {
        self.resumed.lock().unwrap().push(kept.to_vec());
        *self.resume.lock().unwrap()
    }
}

fn settings() -> Settings {
    let pki = pki();
    Settings {
        identities: vec![pki.server_rsa.identity("rsa"), pki.server_ecdsa.identity("ecdsa")],
        versions: vec![TlsVersion::Tls13, TlsVersion::Tls12],
        groups: vec![Group::X25519, Group::Secp256r1, Group::Secp384r1],
        resumption: Duration::from_secs(8 * 3_600),
        ticket_keys: vec![Secret::new([1; 32])],
        max_session_ids: 100,
    }
}

fn server() -> Arc<Server> {
    server_with(|_| {})
}

fn server_with(change: impl FnOnce(&mut Settings)) -> Arc<Server> {
    let mut settings = settings();
    change(&mut settings);
    Arc::new(Server::new(&settings, None).unwrap())
}

/// The client's clock.
#[derive(Debug)]
struct Clock(AtomicI64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed).unsigned_abs())))
    }
}

/// How a client is made.
struct Client {
    version: TlsVersion,
    provider: CryptoProvider,
    roots: RootCertStore,
    certificate: Option<Arc<CertifiedKey>>,
    session_ids_only: bool,
}

impl Client {
    fn new(version: TlsVersion, kind: Key) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(pki().ca.clone()).unwrap();
        let certificate = Some(pki().client(kind).certified());
        Self { version, provider: default_provider(), roots, certificate, session_ids_only: false }
    }

    fn build(self) -> Ready {
        let clock = Arc::new(Clock(AtomicI64::new(START.0)));
        let version = if self.version == TlsVersion::Tls12 { &TLS12 } else { &TLS13 };
        let builder = ClientConfig::builder_with_details(Arc::new(self.provider), Arc::clone(&clock) as _)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots);
        let mut config = match self.certificate {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
            None => builder.with_no_client_auth(),
        };
        let way =
            if self.session_ids_only { Tls12Resumption::SessionIdOnly } else { Tls12Resumption::SessionIdOrTickets };
        config.resumption = Resumption::in_memory_sessions(32).tls12_resumption(way);
        Ready { config: Arc::new(config), clock }
    }
}

/// A client that may connect again and again.
struct Ready {
    config: Arc<ClientConfig>,
    clock: Arc<Clock>,
}

impl Ready {
    fn start(&self, now: Wall) -> ClientConnection {
        self.clock.0.store(now.0, Ordering::Relaxed);
        ClientConnection::new(Arc::clone(&self.config), ServerName::try_from(pki::SERVER_NAME).unwrap()).unwrap()
    }

    /// A whole handshake for service `wifi`, committed if it is established.
    fn connect(&self, server: &Arc<Server>, judge: &Arc<Verdicts>, now: Wall) -> Run {
        let mut run = self.connect_to(server, b"wifi", judge, now);
        run.connection.commit();
        run
    }

    fn connect_to(&self, server: &Arc<Server>, context: &[u8], judge: &Arc<Verdicts>, now: Wall) -> Run {
        let connection = server.accept(&[], context, Arc::clone(judge) as _, now);
        Run::new(self.start(now), connection).finish(now)
    }
}

/// Two ends and what went between them.
struct Run {
    client: ClientConnection,
    connection: Connection,
    end: Option<Progress>,
    to_server: Vec<Vec<u8>>,
    to_client: Vec<Vec<u8>>,
    client_error: Option<Error>,
}

impl Run {
    fn new(client: ClientConnection, connection: Connection) -> Self {
        Self { client, connection, end: None, to_server: Vec::new(), to_client: Vec::new(), client_error: None }
    }

    fn finish(mut self, now: Wall) -> Self {
        for _ in 0..10 {
            let octets = self.take_flight();
            self.deliver(&octets, now);
            if self.end.is_some() {
                break;
            }
        }
        self
    }

    fn take_flight(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut octets).unwrap();
        }
        octets
    }

    /// Gives octets to the server, and its answer to the client.
    fn deliver(&mut self, octets: &[u8], now: Wall) {
        self.to_server.push(octets.to_vec());
        match self.connection.receive(octets, now) {
            Progress::Continue => {}
            end => self.end = Some(end),
        }
        let output = self.connection.take_output();
        let mut rest = output.as_slice();
        while !rest.is_empty() && self.client_error.is_none() {
            self.client.read_tls(&mut rest).unwrap();
            self.client_error = self.client.process_new_packets().err();
        }
        self.to_client.push(output);
    }

    fn established(&self) -> &Established {
        match &self.end {
            Some(Progress::Established(established)) => established,
            other => panic!("not established: {other:?}; client: {:?}", self.client_error),
        }
    }

    fn failure(&self) -> &Failure {
        match &self.end {
            Some(Progress::Failed(failure)) => failure,
            other => panic!("not failed: {other:?}; client: {:?}", self.client_error),
        }
    }

    /// The alert that the client got.
    fn alert(&self) -> u8 {
        match &self.client_error {
            Some(Error::AlertReceived(alert)) => u8::from(*alert),
            other => panic!("no alert reached the client: {other:?}"),
        }
    }

    fn application_data(&mut self) -> Vec<u8> {
        let mut octets = [0; 64];
        let read = self.client.reader().read(&mut octets).unwrap_or(0);
        octets[..read].to_vec()
    }

    /// What the client exports for EAP-TLS.
    fn client_keys(&self) -> Secret {
        let (label, context): (&[u8], Option<&[u8]>) = match self.established().version {
            TlsVersion::Tls12 => (b"client EAP encryption", None),
            TlsVersion::Tls13 => (b"EXPORTER_EAP_TLS_Key_Material", Some(&[0x0d])),
        };
        Secret::new(self.client.export_keying_material([0; 128], label, context).unwrap())
    }

    /// The client's first flight.
    fn client_hello(&self) -> &[u8] {
        &self.to_server[0]
    }

    /// The ticket in the ClientHello: of session_ticket (1.2) or the first identity of pre_shared_key (1.3).
    fn offered_ticket(&self) -> Option<Vec<u8>> {
        let extension = |number| extension(self.client_hello(), number);
        if self.established().version == TlsVersion::Tls12 {
            return extension(35).filter(|ticket| !ticket.is_empty());
        }
        let offer = extension(41)?;
        let length = usize::from(u16::from_be_bytes([offer[2], offer[3]]));
        Some(offer[4..4 + length].to_vec())
    }
}

/// The body of an extension of a ClientHello that stands in one record.
fn extension(hello: &[u8], wanted: u16) -> Option<Vec<u8>> {
    let u16_at = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + u16_at(at);
    at += 1 + usize::from(hello[at]);
    let end = at + 2 + u16_at(at);
    at += 2;
    while at < end {
        let (number, length) = (u16_at(at), u16_at(at + 2));
        if number == usize::from(wanted) {
            return Some(hello[at + 4..at + 4 + length].to_vec());
        }
        at += 4 + length;
    }
    None
}

/// A private key that isn't the certificate's.
fn with_key_of(certificate: &Pair, other: &Pair) -> Arc<CertifiedKey> {
    let key = PrivateKeyDer::try_from(other.key.clone()).unwrap();
    let key = default_provider().key_provider.load_private_key(key).unwrap();
    Arc::new(CertifiedKey::new(certificate.chain.clone(), key))
}
