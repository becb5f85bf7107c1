//! Tests of one hop, with a clock turned by hand.

mod admission;
mod asking;
mod peers;
mod repeats;
mod replies;
mod requests;
mod status;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::{Exchanges, Hop, NasSettings, Outgoing, Peers, Prefix, Received, Reply, Settings};
use crate::event::{Listener, MessageAuthenticator, Reason};
use crate::now::{Mono, Now, Wall};
use crate::radius::{Attributes, Code, Key, Packet, Type, Writer};
use crate::secret::Secret;

const SECRET: &str = "xyzzy5461 and longer";
const SETTINGS: Settings =
    Settings { keep_answer: Duration::from_secs(10), keep_unanswered: Duration::from_secs(30), max_exchanges: 100 };

fn nas(name: &str, networks: &[&str]) -> NasSettings {
    NasSettings::new(name, networks.iter().map(|text| prefix(text)).collect(), Secret::new(SECRET))
}

fn prefix(text: &str) -> Prefix {
    let (address, bits) = text.split_once('/').expect("address/bits");
    Prefix { address: ip(address), bits: bits.parse().expect("bits") }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn hop(listener: Listener, peer: &str) -> Hop {
    Hop { listener, socket: 0, local: None, peer: peer.parse::<SocketAddr>().expect("address:port") }
}

fn at(milliseconds: u64) -> Now {
    Now { mono: Mono(Duration::from_millis(milliseconds)), wall: Wall(1_800_000_000) }
}

fn key() -> Key {
    Key::new(Secret::new(SECRET))
}

/// A request by its rule; `number` makes it another one.
fn request(code: Code, identifier: u8, number: u8, attributes: &[(Type, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, code, identifier);
    for (kind, value) in attributes {
        writer.push(*kind, value).expect("it fits");
    }
    writer.finish(&key(), &[number; 16]).expect("it fits");
    octets
}

fn bare_request(code: Code, attributes: &[(Type, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::without_message_authenticator(&mut octets, code, 1);
    for (kind, value) in attributes {
        writer.push(*kind, value).expect("it fits");
    }
    writer.finish(&key(), &[1; 16]).expect("it fits");
    octets
}

fn login(identifier: u8, number: u8) -> Vec<u8> {
    request(Code::ACCESS_REQUEST, identifier, number, &[(Type::USER_NAME, b"anonymous")])
}

fn reply(code: Code) -> Reply {
    Reply { code, eap: vec![3, 1, 0, 4], attributes: Attributes::default(), keys: None }
}

/// A table, its NAS, and one hop to it.
struct Bench {
    table: Exchanges,
    peers: Arc<Peers>,
    hop: Hop,
}

impl Bench {
    fn new() -> Self {
        Self::with(SETTINGS, nas("ap", &["192.0.2.0/24"]))
    }

    fn with(settings: Settings, nas: NasSettings) -> Self {
        Self {
            table: Exchanges::new(settings),
            peers: Arc::new(Peers::new(&[nas]).expect("good settings")),
            hop: hop(Listener::Auth, "192.0.2.1:5000"),
        }
    }

    fn receive<'a>(&mut self, now: u64, datagram: &'a [u8]) -> Received<'a> {
        self.table.receive(at(now), &self.peers, self.hop, datagram)
    }

    fn begin(&mut self, now: u64, datagram: &[u8]) -> super::ExchangeId {
        match self.receive(now, datagram) {
            Received::Request { id, .. } => id,
            other => panic!("a new request, not {other:?}"),
        }
    }

    fn answer(&mut self, now: u64, id: super::ExchangeId) -> Option<Outgoing> {
        self.table.answer(at(now), id, reply(Code::ACCESS_ACCEPT))
    }
}

/// Why it was dropped, and what its Message-Authenticator was like.
fn drop_of(received: &Received<'_>) -> (Reason, Option<MessageAuthenticator>) {
    match received {
        Received::Dropped { reason, message_authenticator, .. } => (*reason, *message_authenticator),
        other => panic!("a drop, not {other:?}"),
    }
}

fn parse(outgoing: &Outgoing) -> Packet<'_> {
    Packet::parse(&outgoing.octets).expect("a good packet")
}
