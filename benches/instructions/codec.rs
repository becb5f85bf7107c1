//! The codec and the hop, alone: what comes in is read, what goes out is written.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sekisho::event::{Listener, Method};
use sekisho::exchange::{Exchanges, Hop, Keys, NasSettings, Peers, Prefix, Received, Reply, Settings};
use sekisho::now::{Mono, Now, Wall};
use sekisho::radius::{Attributes, Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;

use crate::counting::{done, measured};

pub(crate) const NAMES: [&str; 5] =
    ["parse a request", "check a request", "write a challenge", "hop with a challenge", "hop with an Accept"];

/// So many come first: by then tables have grown as far as they will, and each new answer makes the hop forget an old one.
const WARM: u8 = 16;

pub(crate) fn run(times: usize) {
    let (key, octets) = (Key::new(secret()), request(1, 1));
    let packet = Packet::parse(&octets).expect("our own");
    let mut eap = Vec::with_capacity(octets.len());
    for _ in 0..times {
        measured(|| Packet::parse(black_box(&octets)).and_then(|packet| packet.join_eap(&mut eap))).expect("our own");
        done();
    }
    for _ in 0..times {
        assert!(measured(|| key.check_request(black_box(&packet)).is_ok()));
        done();
    }
    let (mut written, reply) = (Vec::with_capacity(4_096), challenge());
    for _ in 0..times {
        measured(|| write(&key, black_box(&reply), &mut written));
        done();
    }
    for reply in [challenge(), accept()] {
        let mut near = Near::new();
        (0..WARM).for_each(|number| near.exchange(&request(number, number), reply.clone()));
        for (_, number) in (0..times).zip(WARM..) {
            let (request, reply) = (request(number, number), reply.clone());
            measured(|| near.exchange(black_box(&request), reply));
            done();
        }
    }
}

/// Our side of a hop.
struct Near {
    peers: Arc<Peers>,
    table: Exchanges,
    time: Duration,
}

impl Near {
    fn new() -> Self {
        let nas = NasSettings {
            name: "ap".into(),
            address: vec![Prefix { address: "10.0.0.0".parse().expect("an address"), bits: 8 }],
            secret: secret(),
            services: None,
            methods: vec![Method::EapTls],
            require_message_authenticator: true,
            limit_proxy_state: true,
            max_conversations: 0,
            class: true,
            federation: false,
            disconnect: None,
        };
        let settings = Settings {
            keep_answer: Duration::from_secs(10),
            keep_unanswered: Duration::from_secs(30),
            max_exchanges: 10_000,
        };
        let peers = Arc::new(Peers::new(&[nas]).expect("one NAS"));
        Self { peers, table: Exchanges::new(settings), time: Duration::ZERO }
    }

    /// The whole work for one request: received, answered, the answer kept, an old one forgotten.
    fn exchange(&mut self, request: &[u8], reply: Reply) {
        self.time += Duration::from_secs(1);
        let now = Now { mono: Mono(self.time), wall: Wall(0) };
        let hop =
            Hop { listener: Listener::Auth, socket: 0, local: None, peer: SocketAddr::from(([10, 1, 2, 3], 5000)) };
        let Received::Request { id, .. } = self.table.receive(now, &self.peers, hop, request) else {
            panic!("each is new")
        };
        black_box(self.table.answer(now, id, reply)).expect("an answer");
    }
}

fn secret() -> Secret {
    Secret::new("a shared secret")
}

fn write(key: &Key, reply: &Reply, octets: &mut Vec<u8>) {
    let mut writer = Writer::new(octets, reply.code, 1);
    writer.push_eap(&reply.eap).expect("it fits");
    writer.extend(&reply.attributes);
    writer.finish(key, &[9; 16]).expect("it fits");
}

/// What an access point sends in the middle of a login.
fn request(identifier: u8, number: u8) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, identifier);
    for (kind, value) in [
        (Type::USER_NAME, &b"anonymous@jaist.ac.jp"[..]),
        (Type::NAS_IP_ADDRESS, &[10, 1, 2, 3]),
        (Type::NAS_PORT, &[0, 0, 0, 1]),
        (Type::NAS_PORT_TYPE, &[0, 0, 0, 19]),
        (Type::SERVICE_TYPE, &[0, 0, 0, 2]),
        (Type::CALLING_STATION_ID, b"02-00-5E-00-53-01"),
        (Type::CALLED_STATION_ID, b"02-00-5E-00-53-FF:eduroam"),
        (Type::NAS_IDENTIFIER, b"ap-building-3-floor-2"),
        (Type::ACCT_SESSION_ID, b"5f3c0a1b2c3d4e5f"),
        (Type::CONNECT_INFO, b"CONNECT 0Mbps 802.11a"),
        (Type::FRAMED_MTU, &[0, 0, 5, 120]),
        (Type::STATE, &[7; 40]),
        (Type::PROXY_STATE, b"5"),
    ] {
        writer.push(kind, value).expect("it fits");
    }
    writer.push_eap(&eap(1_000)).expect("it fits");
    writer.finish(&Key::new(secret()), &[number; 16]).expect("it fits");
    octets
}

fn eap(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[2, 1, high, low][..], &vec![0; usize::from(length) - 4]].concat()
}

fn challenge() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::STATE, &[7; 40]).expect("it fits");
    Reply { code: Code::ACCESS_CHALLENGE, eap: eap(1_200), attributes, keys: None }
}

fn accept() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, b"member@jaist.ac.jp").expect("it fits");
    attributes.push_integer(Type::SESSION_TIMEOUT, 28_800);
    attributes.push_vlan("120").expect("it fits");
    let keys = Some(Keys { msk: Secret::new(vec![5; 64]) });
    Reply { code: Code::ACCESS_ACCEPT, eap: vec![3, 9, 0, 4], attributes, keys }
}
