//! A key share of X25519 that everybody knows: good TLS, and no secret at all.
//!
//! Its private key is 5L - 1, where L is the order of the base point: a multiple of eight with bit 254 set, as RFC 7748 section 5 wants. Since L times a point of the group is nothing, 5L - 1 times a point is the point's
//! opposite, which has the same coordinate: the public key is the base point, 9, and what is agreed on is the other side's public key as it came. Nothing need be computed.

use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// The base point (RFC 7748 section 4.1).
const BASE: [u8; 32] = {
    let mut base = [0; 32];
    base[0] = 9;
    base
};

/// Puts it in the place of X25519.
pub(super) fn make_known(groups: &mut [&'static dyn SupportedKxGroup]) {
    for group in groups.iter_mut().filter(|group| group.name() == NamedGroup::X25519) {
        *group = &Known;
    }
}

#[derive(Debug)]
struct Known;

impl SupportedKxGroup for Known {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Self))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Known {
    fn complete(self: Box<Self>, theirs: &[u8]) -> Result<SharedSecret, Error> {
        // Small numbers are points of small order, which nobody's key is.
        let is_point = theirs.len() == BASE.len() && theirs.iter().skip(1).any(|octet| *octet != 0);
        is_point.then(|| SharedSecret::from(theirs)).ok_or_else(|| PeerMisbehaved::InvalidKeyShare.into())
    }

    fn pub_key(&self) -> &[u8] {
        &BASE
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};

    use super::*;

    /// 5L - 1 for L = 2^252 + 27742317777372353535851937790883648493, the first octet the least.
    const PRIVATE: [u8; 32] = [
        0xa0, 0x23, 0xcd, 0xd0, 0x83, 0xef, 0x5b, 0xb8, 0x2f, 0x10, 0xd6, 0x2e, 0x59, 0xe1, 0x5a, 0x68, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x50,
    ];

    #[test]
    fn it_is_a_key_pair_like_any_other() {
        let private = PrivateKey::from_private_key(&X25519, &PRIVATE).unwrap();
        assert_eq!(private.compute_public_key().unwrap().as_ref(), Known.pub_key());
        for _ in 0..20 {
            let other = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
            let other = UnparsedPublicKey::new(&X25519, other.as_ref());
            let agreed = agree(&private, other, (), |secret| Ok(secret.to_vec())).unwrap();
            let ours = Known.start().unwrap().complete(other.bytes()).unwrap();
            assert_eq!(ours.secret_bytes(), agreed);
        }
    }

    #[test]
    fn what_is_no_key_is_none_here_either() {
        for wrong in [&[][..], &[9], &[0; 32], &[7; 33]] {
            assert!(Known.start().unwrap().complete(wrong).is_err(), "{wrong:?}");
        }
    }
}
