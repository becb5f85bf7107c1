//! What reading and writing a packet costs: time, and allocations beside it. `cargo bench --bench packet`.

#[path = "shared/hop.rs"]
mod hop;

use std::hint::black_box;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher};
use sekisho::radius::Packet;

use hop::{Near, SECRET, accept, challenge, key, request, write};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
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
    bencher.bench_local(|| write(black_box(&key), &reply, &mut octets));
}

/// One hop's whole work for one request: received, answered, the answer kept.
#[divan::bench(args = ["challenge", "accept"])]
fn exchange(bencher: Bencher<'_, '_>, kind: &str) {
    let requests: Vec<_> = (0..=255).map(|number| request(number, number)).collect();
    let reply = if kind == "accept" { accept() } else { challenge() };
    let mut near = Near::new();
    let mut turn = 0;
    bencher.with_inputs(|| reply.clone()).bench_local_values(|reply| {
        turn = (turn + 1) % requests.len();
        near.exchange(&requests[turn], reply);
    });
}
