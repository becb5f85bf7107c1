//! The codec and the hop, alone: what comes in is read, what goes out is written.

use std::hint::black_box;

use sekisho::radius::Packet;

use crate::counting::{done, measured};
use crate::hop::{Near, accept, challenge, key, request, write};

pub(crate) const NAMES: [&str; 5] =
    ["parse a request", "check a request", "write a challenge", "hop with a challenge", "hop with an Accept"];

/// So many come first: by then tables have grown as far as they will, and each new answer makes the hop forget an old one.
const WARM: u8 = 16;

pub(crate) fn run(times: usize) {
    let (key, octets) = (key(), request(1, 1));
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
