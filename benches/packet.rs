//! What reading and writing a packet costs: time, and allocations beside it. `cargo bench --bench packet`.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use sekisho::event::{Listener, Method};
use sekisho::exchange::{Exchanges, Hop, Keys, NasSettings, Peers, Prefix, Received, Reply, Settings};
use sekisho::now::{Mono, Now, Wall};
use sekisho::radius::{Attributes, Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const SECRET: &str = "a shared secret";

fn main() {
    divan::main();
}

fn key() -> Key {
    Key::new(Secret::new(SECRET))
}

/// What an access point sends in the middle of a login: fifteen attributes, State, and a fragment of EAP-TLS.
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
        (Type::STATE, &[7; 32]),
        (Type::PROXY_STATE, b"5"),
    ] {
        writer.push(kind, value).unwrap();
    }
    writer.push_eap(&eap(1000)).unwrap();
    writer.finish(&key(), &[number; 16]).unwrap();
    octets
}

fn eap(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[2, 1, high, low][..], &vec![0; usize::from(length) - 4]].concat()
}

fn challenge() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::STATE, &[7; 32]).unwrap();
    Reply { code: Code::ACCESS_CHALLENGE, eap: eap(1200), attributes, keys: None }
}

fn accept() -> Reply {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, b"member@jaist.ac.jp").unwrap();
    attributes.push_integer(Type::SESSION_TIMEOUT, 28800);
    attributes.push_vlan("120").unwrap();
    let keys = Some(Keys { msk: Secret::new(vec![5; 64]) });
    Reply { code: Code::ACCESS_ACCEPT, eap: vec![3, 9, 0, 4], attributes, keys }
}

#[divan::bench]
fn decode_parse(bencher: Bencher<'_, '_>) {
    let octets = request(1, 1);
    bencher.counter(BytesCount::new(octets.len())).bench(|| Packet::parse(black_box(&octets)).is_ok());
}

#[divan::bench]
fn decode_walk(bencher: Bencher<'_, '_>) {
    let octets = request(1, 1);
    let packet = Packet::parse(&octets).unwrap();
    bencher.bench(|| black_box(&packet).attributes().map(|attribute| attribute.value.len()).sum::<usize>());
}

#[divan::bench]
fn decode_check_message_authenticator(bencher: Bencher<'_, '_>) {
    let (octets, key) = (request(1, 1), key());
    let packet = Packet::parse(&octets).unwrap();
    bencher.bench(|| key.check_request(black_box(&packet)).is_ok());
}

#[divan::bench]
fn decode_join_eap(bencher: Bencher<'_, '_>) {
    let octets = request(1, 1);
    let packet = Packet::parse(&octets).unwrap();
    let mut eap = Vec::with_capacity(4096);
    bencher.bench_local(|| packet.join_eap(black_box(&mut eap)));
}

/// The oracle of our tests on the same octets, for comparison; it checks no Message-Authenticator.
#[divan::bench]
fn decode_radius_rs(bencher: Bencher<'_, '_>) {
    let octets = request(1, 1);
    bencher.bench(|| radius::core::packet::Packet::decode(black_box(&octets), SECRET.as_bytes()).is_ok());
}

#[divan::bench]
fn encode_challenge(bencher: Bencher<'_, '_>) {
    let (key, reply) = (key(), challenge());
    let mut octets = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        let mut writer = Writer::new(&mut octets, reply.code, 1);
        writer.push_eap(&reply.eap).unwrap();
        writer.extend(&reply.attributes);
        writer.finish(&key, black_box(&[9; 16])).unwrap();
    });
}

/// One hop's whole work for one request: received, answered, the answer kept.
#[divan::bench(args = ["challenge", "accept"])]
fn exchange(bencher: Bencher<'_, '_>, kind: &str) {
    let nas = NasSettings {
        name: "ap".into(),
        address: vec![Prefix { address: "10.0.0.0".parse().unwrap(), bits: 8 }],
        secret: Secret::new(SECRET),
        services: None,
        methods: vec![Method::EapTls],
        require_message_authenticator: true,
        limit_proxy_state: true,
        max_conversations: 0,
        class: true,
        federation: false,
        disconnect: None,
    };
    let peers = Arc::new(Peers::new(&[nas]).unwrap());
    let hop = Hop { listener: Listener::Auth, socket: 0, local: None, peer: SocketAddr::from(([10, 1, 2, 3], 5000)) };
    let requests: Vec<_> = (0..=255).map(|number| request(number, number)).collect();
    let reply = if kind == "accept" { accept() } else { challenge() };
    let settings = Settings {
        keep_answer: Duration::from_secs(10),
        keep_unanswered: Duration::from_secs(30),
        max_exchanges: 10_000,
    };
    let mut table = Exchanges::new(settings);
    let mut time = Duration::ZERO;
    let mut turn = 0;
    bencher.with_inputs(|| reply.clone()).bench_local_values(|reply| {
        time += Duration::from_millis(100);
        turn = (turn + 1) % requests.len();
        let now = Now { mono: Mono(time), wall: Wall(0) };
        let Received::Request { id, .. } = table.receive(now, &peers, hop, &requests[turn]) else {
            panic!("each is new: its answer has been forgotten since")
        };
        table.answer(now, id, reply)
    });
}
