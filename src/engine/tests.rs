use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::{Arrival, Automatic, Bounds, Engine, Output, Settings, Snapshot, Step, Stepped};
use crate::access::{self, Handles};
use crate::eap;
use crate::event::{Event, Listener, Outcome, Reason, TlsVersion};
use crate::exchange::{self, Hop, NasSettings, Peers, Prefix};
use crate::now::{Mono, Now, Wall};
use crate::pki::{Revocation, Trust};
use crate::policy::{Grants, Match, Policy, ReplyUsername, ServiceSettings};
use crate::radius::{self, Code, Packet, Type, Writer};
use crate::secret::Secret;
use crate::sessions;
use crate::standing::Standing;
use crate::support::certificates::{Key, server};
use crate::tls::{self, Group, IdentitySettings};

pub(crate) const SECRET: &[u8] = b"a secret of the tests";
const NOW: Now = Now { mono: Mono(Duration::ZERO), wall: Wall(1_800_000_000) };

/// An engine that lets nobody in.
pub(crate) fn engine() -> Engine {
    Engine::new(settings(), snapshot()).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        exchange: exchange::Settings {
            keep_answer: Duration::from_secs(20),
            keep_unanswered: Duration::from_secs(60),
            max_exchanges: 1_000,
        },
        max_conversations: 100,
        conversation_timeout: Duration::from_secs(60),
        max_waiting: Duration::from_millis(500),
        ask_timeout: Duration::from_secs(2),
        max_asking: 4_096,
        nas_max_asking: 256,
        reserved_asking: 16,
        records: Bounds { timeout: Duration::from_secs(2), most: 4_096, nas_most: 1_024, reserved: 0 },
        sessions: sessions::Settings { max_sessions: 100 },
    }
}

/// One NAS, all of loopback; one service without an authority.
pub(crate) fn snapshot() -> Arc<Snapshot> {
    let loopback = Prefix { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 };
    let nas = NasSettings { class: false, ..NasSettings::new("ap", vec![loopback], Secret::new(SECRET)) };
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: 1_200, max_message: 16_384, max_idle_rounds: 50 },
        policy: Arc::new(Policy::new(vec![service()], Vec::new())),
        trust: Arc::new(Trust::new(&[], NOW.wall).unwrap().0),
        revocation: Arc::new(Revocation::new(Vec::new())),
        standing: Arc::new(Standing::new(&[])),
        tls: Arc::new(tls_server()),
        handles: Arc::new(Handles::new(None).unwrap()),
    };
    Arc::new(Snapshot {
        peers: Arc::new(Peers::new(&[nas]).unwrap()),
        access: Arc::new(access),
        disconnect: Automatic::default(),
    })
}

/// Whatever is asked for.
fn service() -> ServiceSettings {
    ServiceSettings {
        name: "any".into(),
        matches: vec![Match::default()],
        authorities: Vec::new(),
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants::default(),
        rules: Vec::new(),
        authorize: None,
        otp: None,
    }
}

fn tls_server() -> tls::Server {
    let key = Key::P256.make();
    let certificate = server("radius.invalid").self_signed(&key).unwrap();
    let identity = IdentitySettings {
        name: "server".into(),
        chain: vec![certificate.der().to_vec()],
        key: Secret::new(key.serialize_der()),
    };
    let settings = tls::Settings {
        identities: vec![identity],
        versions: vec![TlsVersion::Tls13],
        groups: vec![Group::X25519],
        resumption: Duration::ZERO,
        ticket_keys: Vec::new(),
        max_session_ids: 1,
    };
    tls::Server::new(&settings, None).unwrap()
}

/// An access point, known by its port.
pub(crate) struct AccessPoint {
    port: u16,
    identifier: u8,
    state: Vec<u8>,
}

impl AccessPoint {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, identifier: 0, state: Vec::new() }
    }

    fn say(&mut self, engine: &mut Engine, eap: &[u8]) {
        self.identifier += 1;
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, self.identifier);
        writer.push_eap(eap).unwrap();
        if !self.state.is_empty() {
            writer.push(Type::STATE, &self.state).unwrap();
        }
        writer.finish(&radius::Key::new(Secret::new(SECRET)), &[self.identifier; 16]).unwrap();
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let hop = Hop { listener: Listener::Auth, socket: 0, local: None, peer };
        engine.handle(NOW, Arrival::Datagram { hop, octets: &octets });
    }

    /// Until TLS has octets to read that are none of TLS: a Step is wanted, and its answer is an alert.
    pub(crate) fn begin(&mut self, engine: &mut Engine) {
        self.say(engine, &[2, 1, 0, 6, 1, b'a']);
        let (octets, _) = answer(engine);
        self.state = Packet::parse(&octets).unwrap().first(Type::STATE).unwrap().to_vec();
        self.say(engine, &[2, 2, 0, 9, 13, 0, 22, 22, 22]);
        assert!(engine.poll_output().is_none());
    }
}

/// The one datagram and the one event that are due.
fn answer(engine: &mut Engine) -> (Arc<[u8]>, Event) {
    let (Some(Output::Send(outgoing)), Some(Output::Event(event)), None) =
        (engine.poll_output(), engine.poll_output(), engine.poll_output())
    else {
        panic!("not a datagram and an event")
    };
    (outgoing.octets, event)
}

fn panicking(step: Step) -> Stepped {
    step.guard(|_| panic!("a Step panics, as this test wants it"))
}

#[test]
fn o12_a_panic_in_a_step_ends_its_conversation_and_no_other() {
    let mut engine = engine();
    let (mut one, mut other) = (AccessPoint::new(1), AccessPoint::new(2));
    one.begin(&mut engine);
    other.begin(&mut engine);
    let (first, second) = (engine.poll_step().unwrap(), engine.poll_step().unwrap());
    engine.resume(NOW, panicking(first), Duration::from_millis(1));
    let (octets, event) = answer(&mut engine);
    let reply = Packet::parse(&octets).unwrap();
    assert_eq!((reply.code(), reply.first(Type::EAP_MESSAGE)), (Code::ACCESS_REJECT, Some(&[4, 2, 0, 4][..])));
    assert_eq!((event.outcome, event.reason, event.peer.port()), (Outcome::Reject, Reason::Internal, 1));
    assert_eq!(engine.conversations(), 1);
    engine.resume(NOW, second.run(NOW), Duration::from_millis(1));
    let (octets, event) = answer(&mut engine);
    assert_eq!((octets[0], event.peer.port()), (Code::ACCESS_CHALLENGE.0, 2), "the alert");
}

#[test]
fn o12_panics_one_after_another_leave_nothing_behind() {
    let mut engine = engine();
    for port in 1..=200 {
        AccessPoint::new(port).begin(&mut engine);
        let step = engine.poll_step().unwrap();
        engine.resume(NOW, panicking(step), Duration::from_millis(1));
        assert_eq!(answer(&mut engine).1.reason, Reason::Internal);
        assert_eq!((engine.conversations(), engine.waiting_steps()), (0, 0));
    }
}
