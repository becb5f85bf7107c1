//! One hop as benches drive it: what an access point sends in the middle of a login, what it is answered, and our side in between.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sekisho::event::Listener;
use sekisho::exchange::{Exchanges, Hop, Keys, NasSettings, Peers, Prefix, Received, Reply, Settings};
use sekisho::now::{Mono, Now, Wall};
use sekisho::radius::{Attributes, Code, Key, Type, Writer};
use sekisho::secret::Secret;

/// What both sides share.
pub(crate) const SECRET: &str = "a shared secret";

/// Our side of a hop.
pub(crate) struct Near {
    peers: Arc<Peers>,
    table: Exchanges,
    time: Duration,
}

impl Near {
    pub(crate) fn new() -> Self {
        let campus = Prefix { address: "10.0.0.0".parse().expect("an address"), bits: 8 };
        let nas = NasSettings::new("ap", vec![campus], secret());
        let settings = Settings {
            keep_answer: Duration::from_secs(10),
            keep_unanswered: Duration::from_secs(30),
            max_exchanges: 10_000,
        };
        let peers = Arc::new(Peers::new(&[nas]).expect("one NAS"));
        Self { peers, table: Exchanges::new(settings), time: Duration::ZERO }
    }

    /// The whole work for one request: received, answered, the answer kept, an old one forgotten.
    pub(crate) fn exchange(&mut self, request: &[u8], reply: Reply) {
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
    Secret::new(SECRET)
}

pub(crate) fn key() -> Key {
    Key::new(secret())
}

pub(crate) fn write(key: &Key, reply: &Reply, octets: &mut Vec<u8>) {
    let mut writer = Writer::new(octets, reply.code, 1);
    writer.push_eap(&reply.eap).expect("it fits");
    writer.extend(&reply.attributes);
    writer.finish(key, &[9; 16]).expect("it fits");
}

/// What an access point sends in the middle of a login.
pub(crate) fn request(identifier: u8, number: u8) -> Vec<u8> {
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
    writer.finish(&key(), &[number; 16]).expect("it fits");
    octets
}

fn eap(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[2, 1, high, low][..], &vec![0; usize::from(length) - 4]].concat()
}

pub(crate) fn challenge() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::STATE, &[7; 40]).expect("it fits");
    Reply { code: Code::ACCESS_CHALLENGE, eap: eap(1_200), attributes, keys: None }
}

pub(crate) fn accept() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, b"member@jaist.ac.jp").expect("it fits");
    attributes.push_integer(Type::SESSION_TIMEOUT, 28_800);
    attributes.push_vlan("120").expect("it fits");
    let keys = Some(Keys { msk: Secret::new(vec![5; 64]) });
    Reply { code: Code::ACCESS_ACCEPT, eap: vec![3, 9, 0, 4], attributes, keys }
}
