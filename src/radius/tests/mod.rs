//! Tests of the wire format. What anybody may add to stands in `tests/vectors`.

mod authenticators;
mod dictionary;
mod hiding;
mod reading;
mod writing;

use super::{Key, Packet};
use crate::secret::Secret;

fn key() -> Key {
    Key::new(Secret::new("xyzzy5461"))
}

/// A packet of these attributes with a right length and an authenticator of sevens.
fn packet(code: u8, attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + attributes.len()).expect("a test's packet is short");
    let [high, low] = length.to_be_bytes();
    [&[code, 42, high, low], [7; 16].as_slice(), attributes].concat()
}

fn parse(octets: &[u8]) -> Packet<'_> {
    Packet::parse(octets).expect("a good packet")
}
