//! A RADIUS server to log in to: the real hop and the real framing, around rustls as it comes. It does as it is told, wrong things too.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use crate::eap::{self, Authenticator, Heard, TYPE_TLS};
use crate::event::{Listener, TlsVersion};
use crate::exchange::{self, Exchanges, Hop, NasSettings, Peers, Prefix, Received, Reply};
use crate::now::{Now, Wall};
use crate::radius::{Attributes, Code, Packet, Type};
use crate::secret::Secret;
use crate::supplicant::Settings;
use crate::support::certificates::{self, Authority, Key};

pub(crate) const SECRET: &[u8] = b"a secret of the test";
/// 2026-06-01
pub(crate) const NOW: Wall = Wall(1_780_272_000);

#[derive(Debug)]
struct Fixed;

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW.0.unsigned_abs())))
    }
}

/// An authority with a server's and a client's certificate.
pub(crate) struct Pki {
    pub(crate) authority: Vec<u8>,
    pub(crate) server: Vec<u8>,
    server_key: Vec<u8>,
    pub(crate) client: Vec<u8>,
    pub(crate) client_key: Secret,
}

impl Pki {
    pub(crate) fn new() -> Self {
        Self::of("Authority")
    }

    /// `name`: the authority's.
    pub(crate) fn of(name: &str) -> Self {
        let authority = certificates::authority(name, None);
        let (server, server_key) = issue(&certificates::server("radius.example.ac.jp"), &authority);
        let name = "taro@example.ac.jp";
        let (client, client_key) = issue(&certificates::client(&[(DnType::CommonName, name)], name), &authority);
        let authority = authority.der().to_vec();
        Self { authority, server, server_key, client, client_key: Secret::new(client_key) }
    }

    /// Who has come by the server's certificate, and not by its key.
    pub(crate) fn impostor(&self) -> Self {
        let server_key = Key::P256.make().serialize_der();
        let (authority, server) = (self.authority.clone(), self.server.clone());
        Self { authority, server, server_key, client: self.client.clone(), client_key: self.client_key.clone() }
    }

    /// Settings of the client, good ones.
    pub(crate) fn settings(&self, version: TlsVersion) -> Settings {
        Settings {
            identity: "@example.ac.jp".to_owned(),
            chain: vec![self.client.clone()],
            key: Some(self.client_key.clone()),
            anchors: vec![self.authority.clone()],
            version: Some(version),
            fragment_size: 1000,
            always_length: false,
            server_names: Vec::new(),
        }
    }
}

fn issue(params: &CertificateParams, authority: &Authority) -> (Vec<u8>, Vec<u8>) {
    let key = Key::P256.make();
    (params.signed_by(&key, authority).unwrap().der().to_vec(), key.serialize_der())
}

/// What the server does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    Nothing,
    /// Offers PEAP first.
    OtherMethodFirst,
    /// Accept with EAP-Success as answer to the identity.
    AcceptAtOnce,
    /// TLS 1.3 without the octet 0x00.
    NoProtectedSuccess,
    /// Keys that are not the handshake's.
    WrongKeys,
    /// Refuses without an EAP packet.
    BareReject,
}

/// What the server staples to its certificate: to a supplicant that doesn't verify it any octets will do.
pub(crate) const STAPLE: [u8; 471] = [0x30; 471];

struct Conversation {
    eap: Authenticator,
    tls: ServerConnection,
    failed: bool,
    /// Of the last challenge; the next request must bring it.
    state: u16,
}

/// The hop.
pub(crate) struct Server {
    exchanges: Exchanges,
    peers: Arc<Peers>,
    hop: Hop,
    pub(crate) road: Road,
}

/// What lies behind it.
pub(crate) struct Road {
    config: Arc<ServerConfig>,
    fault: Fault,
    /// Octets of TLS data in its fragments.
    pub(crate) fragment_size: usize,
    conversation: Option<Conversation>,
    /// Attributes of the last request.
    pub(crate) heard: Vec<(Type, Vec<u8>)>,
    /// Put into each Accept.
    pub(crate) grant: Attributes,
}

impl Server {
    pub(crate) fn new(pki: &Pki, fault: Fault) -> Self {
        Self::with(config(pki, &[], ALL_VERSIONS), fault)
    }

    /// In this TLS version alone.
    pub(crate) fn speaking(pki: &Pki, version: TlsVersion) -> Self {
        let versions = if version == TlsVersion::Tls12 { &[&TLS12] } else { &[&TLS13] };
        Self::with(config(pki, &[], versions), Fault::Nothing)
    }

    /// With [`STAPLE`] at its certificate.
    pub(crate) fn stapling(pki: &Pki) -> Self {
        Self::with(config(pki, &STAPLE, ALL_VERSIONS), Fault::Nothing)
    }

    fn with(config: ServerConfig, fault: Fault) -> Self {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let host = Prefix { address, bits: 32 };
        let nas = NasSettings::new("ap", vec![host], Secret::new(SECRET));
        let keep = exchange::Settings {
            keep_answer: Duration::from_secs(10),
            keep_unanswered: Duration::from_secs(10),
            max_exchanges: 1000,
        };
        Self {
            exchanges: Exchanges::new(keep),
            peers: Arc::new(Peers::new(&[nas]).unwrap()),
            hop: Hop { listener: Listener::Auth, socket: 0, local: None, peer: (address, 1000).into() },
            road: Road {
                config: Arc::new(config),
                fault,
                fragment_size: 700,
                conversation: None,
                heard: Vec::new(),
                grant: Attributes::default(),
            },
        }
    }

    /// The answer to a request, the same one to its repeat.
    pub(crate) fn handle(&mut self, datagram: &[u8]) -> Vec<u8> {
        let now = Now { wall: NOW, ..Now::default() };
        match self.exchanges.receive(now, &self.peers, self.hop, datagram) {
            Received::Request { id, packet, .. } => {
                let reply = self.road.take(&packet);
                self.exchanges.answer(now, id, reply).unwrap().octets.to_vec()
            }
            Received::Repeat { outgoing, .. } => outgoing.octets.to_vec(),
            other => panic!("{other:?}"),
        }
    }
}

impl Road {
    fn take(&mut self, packet: &Packet<'_>) -> Reply {
        self.heard = packet.attributes().map(|attribute| (attribute.kind, attribute.value.to_vec())).collect();
        let mut eap = Vec::new();
        assert_eq!(packet.join_eap(&mut eap), Ok(true));
        let state = packet.first(Type::STATE).map(|state| u16::from_be_bytes([state[0], state[1]]));
        let conversation = match self.conversation.take().filter(|_| state.is_some()) {
            Some(conversation) => {
                assert_eq!(state, Some(conversation.state), "State comes back");
                conversation
            }
            None => self.begin(),
        };
        let conversation = self.conversation.insert(conversation);
        match conversation.eap.hear(&eap).unwrap() {
            Heard::Identity(identity) => {
                identity.unwrap();
                self.after_identity()
            }
            Heard::Nak(methods) => {
                assert_eq!(methods, [TYPE_TLS]);
                let start = conversation.eap.start();
                self.challenge(start)
            }
            Heard::Reply(packet) => self.challenge(packet),
            Heard::Message(message) => self.read(&message),
            Heard::Acknowledged => self.end(),
            Heard::Discard => panic!("discarded"),
        }
    }

    fn begin(&self) -> Conversation {
        let bounds = eap::Settings { fragment_size: self.fragment_size, max_message: 16 * 1024, max_idle_rounds: 50 };
        Conversation {
            eap: Authenticator::new(bounds, None),
            tls: ServerConnection::new(self.config.clone()).unwrap(),
            failed: false,
            state: 0,
        }
    }

    fn after_identity(&mut self) -> Reply {
        match self.fault {
            Fault::AcceptAtOnce => self.accept(None),
            Fault::BareReject => {
                Reply { code: Code::ACCESS_REJECT, eap: Vec::new(), attributes: Attributes::default(), keys: None }
            }
            fault => {
                let conversation = self.conversation.as_mut().unwrap();
                let mut start = conversation.eap.start();
                if fault == Fault::OtherMethodFirst {
                    start[4] = 25;
                }
                self.challenge(start)
            }
        }
    }

    fn read(&mut self, mut message: &[u8]) -> Reply {
        let conversation = self.conversation.as_mut().unwrap();
        let before = conversation.tls.is_handshaking();
        while !message.is_empty() && !conversation.failed {
            conversation.tls.read_tls(&mut message).unwrap();
            conversation.failed = conversation.tls.process_new_packets().is_err();
        }
        let done = before && !conversation.tls.is_handshaking() && !conversation.failed;
        if done && is_13(&conversation.tls) && self.fault != Fault::NoProtectedSuccess {
            conversation.tls.writer().write_all(&[0]).unwrap();
        }
        let mut flight = Vec::new();
        while conversation.tls.wants_write() {
            conversation.tls.write_tls(&mut flight).unwrap();
        }
        if flight.is_empty() {
            return self.end();
        }
        let packet = conversation.eap.send(flight);
        self.challenge(packet)
    }

    /// The supplicant has nothing more to say.
    fn end(&mut self) -> Reply {
        let conversation = self.conversation.as_ref().unwrap();
        if conversation.failed || conversation.tls.is_handshaking() {
            let eap = conversation.eap.failure();
            return Reply { code: Code::ACCESS_REJECT, eap, attributes: Attributes::default(), keys: None };
        }
        let mut msk = if is_13(&conversation.tls) {
            conversation.tls.export_keying_material(vec![0; 128], b"EXPORTER_EAP_TLS_Key_Material", Some(&[13]))
        } else {
            conversation.tls.export_keying_material(vec![0; 128], b"client EAP encryption", None)
        }
        .unwrap();
        msk.truncate(64);
        msk[63] ^= u8::from(self.fault == Fault::WrongKeys);
        self.accept(Some(exchange::Keys { msk: Secret::new(msk) }))
    }

    fn accept(&self, keys: Option<exchange::Keys>) -> Reply {
        let eap = self.conversation.as_ref().unwrap().eap.success();
        Reply { code: Code::ACCESS_ACCEPT, eap, attributes: self.grant.clone(), keys }
    }

    fn challenge(&mut self, eap: Vec<u8>) -> Reply {
        let conversation = self.conversation.as_mut().unwrap();
        conversation.state += 1;
        let mut attributes = Attributes::default();
        attributes.push(Type::STATE, &conversation.state.to_be_bytes()).unwrap();
        Reply { code: Code::ACCESS_CHALLENGE, eap, attributes, keys: None }
    }
}

fn is_13(tls: &ServerConnection) -> bool {
    tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
}

fn config(pki: &Pki, staple: &[u8], versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(pki.authority.clone())).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let key = PrivateKeyDer::try_from(pki.server_key.clone()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let mut certified = CertifiedKey::new(vec![CertificateDer::from(pki.server.clone())], key);
    certified.ocsp = (!staple.is_empty()).then(|| staple.to_vec());
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(Fixed))
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.session_storage = rustls::server::ServerSessionMemoryCache::new(32);
    config
}
