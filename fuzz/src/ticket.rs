//! Facts out of a ticket. Nobody can make up a ticket, but one may come from another version of the server, or from before its configuration changed.

use std::sync::LazyLock;

use sekisho::pki::Facts;

use super::campus::{MEMBER, campus};

/// Version, fingerprint and issuer, which nothing random is ever right in.
const HEAD: usize = 1 + 32 + 16;

/// Reads facts, with a head of their own and with a right one.
pub fn run(data: &[u8]) -> bool {
    let with_head = [head(), data].concat();
    [data, &with_head].map(read).contains(&true)
}

fn read(octets: &[u8]) -> bool {
    let campus = campus();
    let Some(facts) = Facts::decode(octets, &campus.trust) else { return false };
    campus.judge(&facts);
    campus.through_a_ticket(&facts);
    true
}

fn head() -> &'static [u8] {
    static HEAD_OF_A_MEMBER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let facts = campus().trust.facts(&[MEMBER]).expect("a good certificate");
        let mut octets = facts.encode();
        octets.truncate(HEAD);
        octets
    });
    &HEAD_OF_A_MEMBER
}
