//! State (RFC 2865 section 5.24): which conversation a request goes on with. Nobody can make one up, and another NAS's is worth nothing.

use std::net::IpAddr;

use aws_lc_rs::hmac;

use crate::radius::{Packet, Type};
use crate::secret::{NoRandom, random};

/// Octets of the number of a conversation.
const ID: usize = 8;
/// Random octets: 128 bits, so that one conversation's State says nothing of another's.
const RANDOM: usize = 16;
/// Octets kept of HMAC-SHA-256.
const MAC: usize = 16;

/// A State that we made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which conversation.
    pub conversation: u64,
    /// The attribute's value.
    pub octets: Vec<u8>,
}

impl State {
    /// The conversation that the octets of a State say they name. Whoever made them up can say so of any: the whole State must be compared with that of the conversation, or be opened by [`Keeper::open`].
    #[must_use]
    pub fn claimed(octets: &[u8]) -> Option<u64> {
        octets.first_chunk().copied().map(u64::from_be_bytes)
    }

    /// What a request names its conversation by.
    #[must_use]
    pub fn of<'a>(packet: &Packet<'a>) -> Option<&'a [u8]> {
        packet.first(Type::STATE)
    }
}

/// Makes States and knows its own again. Its key is random and lives as long as the process: after a restart no conversation goes on.
#[derive(Debug)]
pub struct Keeper {
    key: hmac::Key,
}

impl Keeper {
    /// With a fresh key. The error: the operating system has no random octets.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?) })
    }

    /// A State for a conversation with the NAS at an address.
    pub fn make(&self, conversation: u64, nas: IpAddr) -> Result<State, NoRandom> {
        let mut octets = Vec::with_capacity(ID + RANDOM + MAC);
        octets.extend_from_slice(&conversation.to_be_bytes());
        octets.extend_from_slice(&random::<RANDOM>()?);
        let mac = self.mac(&octets, nas);
        octets.extend_from_slice(mac.as_ref().get(..MAC).unwrap_or_default());
        Ok(State { conversation, octets })
    }

    /// The conversation that a State names, if we made it for this NAS. The whole State must then still be compared with that of the conversation: numbers are used once, but a table can be wrong.
    #[must_use]
    pub fn open(&self, octets: &[u8], nas: IpAddr) -> Option<u64> {
        let (named, mac) = octets.split_at_checked(ID + RANDOM)?;
        let expected = self.mac(named, nas);
        let expected = expected.as_ref().get(..MAC)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(expected, mac).ok()?;
        State::claimed(named)
    }

    fn mac(&self, named: &[u8], nas: IpAddr) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(named);
        match nas.to_canonical() {
            IpAddr::V4(address) => context.update(&address.octets()),
            IpAddr::V6(address) => context.update(&address.octets()),
        }
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn e10_a_state_opens_only_untouched_and_for_its_nas() {
        let keeper = Keeper::new().expect("random octets");
        let state = keeper.make(7, HERE).expect("random octets");
        const { assert!(8 * RANDOM >= 128) }
        assert_eq!(keeper.open(&state.octets, HERE), Some(7));
        assert_eq!(keeper.open(&state.octets, "::ffff:192.0.2.1".parse().expect("an address")), Some(7));
        assert_eq!(keeper.open(&state.octets, "192.0.2.2".parse().expect("an address")), None);
        for bit in 0..state.octets.len() * 8 {
            let mut flipped = state.octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keeper.open(&flipped, HERE), None, "bit {bit}");
        }
        for short in 0..state.octets.len() {
            assert_eq!(keeper.open(&state.octets[..short], HERE), None);
        }
        assert_eq!(Keeper::new().expect("random octets").open(&state.octets, HERE), None);
    }
}
