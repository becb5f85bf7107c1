//! Attributes that the secret hides: User-Password (RFC 2865 section 5.2), Tunnel-Password (RFC 2868 section 3.5), MS-MPPE keys (RFC 2548 section 2.4).

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::TooLong;
use crate::secret::{Secret, random};

const BLOCK: usize = 16;

/// Longest User-Password in octets (RFC 2865 section 5.2).
const MAX_PASSWORD: usize = 128;

/// Longest value that a salted attribute can hide: what an attribute holds in whole blocks beside tag and salt, without the length octet.
const MAX_SALTED: usize = 239;

/// Covers a User-Password: null-padded to whole blocks. Over 128 octets is an error.
pub fn hide_password(secret: &Secret, authenticator: &[u8; 16], password: &[u8]) -> Result<Vec<u8>, TooLong> {
    if password.len() > MAX_PASSWORD {
        return Err(TooLong);
    }
    let length = password.len().max(1).next_multiple_of(BLOCK);
    // Room for all at once: growing would leave a copy of the password behind.
    let mut octets = Vec::with_capacity(length);
    octets.extend_from_slice(password);
    octets.resize(length, 0);
    cover(secret, &[authenticator], &mut octets);
    Ok(octets)
}

/// Uncovers a User-Password, its padding taken off. `None`: it isn't of whole blocks, or too long. A wrong secret gives wrong octets, no error.
#[must_use]
pub fn reveal_password(secret: &Secret, authenticator: &[u8; 16], value: &[u8]) -> Option<Secret> {
    if !whole_blocks(value) || value.len() > MAX_PASSWORD {
        return None;
    }
    let mut octets = Zeroizing::new(value.to_vec());
    uncover(secret, &[authenticator], &mut octets);
    let length = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    octets.get(..length).map(Secret::new)
}

/// Covers a value under a salt (RFC 2548 section 2.4.2, RFC 2868 section 3.5): the salt, then length octet, value and padding covered.
/// This is the whole of an MS-MPPE key's value; in Tunnel-Password the tag stands before it. `authenticator` is the request's.
pub fn hide_salted(secret: &Secret, authenticator: &[u8; 16], salt: [u8; 2], value: &[u8]) -> Result<Vec<u8>, TooLong> {
    let length = u8::try_from(value.len()).ok().filter(|_| value.len() <= MAX_SALTED).ok_or(TooLong)?;
    let mut octets = Vec::with_capacity(salt.len() + (1 + value.len()).next_multiple_of(BLOCK));
    octets.extend_from_slice(&salt);
    octets.push(length);
    octets.extend_from_slice(value);
    octets.resize(salt.len() + (1 + value.len()).next_multiple_of(BLOCK), 0);
    if let Some((_, covered)) = octets.split_first_chunk_mut::<2>() {
        cover(secret, &[authenticator, &salt], covered);
    }
    Ok(octets)
}

/// Uncovers what [`hide_salted`] covers. `None`: no salt, no whole blocks, or a length octet that doesn't fit, as a wrong secret most often gives.
#[must_use]
pub fn reveal_salted(secret: &Secret, authenticator: &[u8; 16], value: &[u8]) -> Option<Secret> {
    let (salt, covered) = value.split_first_chunk::<2>()?;
    if !whole_blocks(covered) {
        return None;
    }
    let mut octets = Zeroizing::new(covered.to_vec());
    uncover(secret, &[authenticator, salt], &mut octets);
    let (length, rest) = octets.split_first()?;
    rest.get(..usize::from(*length)).map(Secret::new)
}

/// Salts for one packet: random, then counted on, so that none comes twice; the highest bit is set as RFC 2548 section 2.4.2 and RFC 2868 section 3.5 demand.
#[derive(Debug)]
pub struct Salts(u16);

impl Salts {
    /// Draws the first. `None`: the system gave no random octets.
    #[must_use]
    pub fn random() -> Option<Self> {
        Some(Self(u16::from_be_bytes(random().ok()?)))
    }

    /// The next; 32,768 of them differ.
    pub fn draw(&mut self) -> [u8; 2] {
        self.0 = self.0.wrapping_add(1);
        (self.0 | 0x8000).to_be_bytes()
    }
}

fn whole_blocks(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.len().is_multiple_of(BLOCK)
}

/// Each block is masked by MD5 of the secret and the covered block before it; `first` stands before the first.
fn cover(secret: &Secret, first: &[&[u8]], octets: &mut [u8]) {
    let mut mask = mask(secret, first);
    for block in octets.chunks_mut(BLOCK) {
        apply(&mask, block);
        mask = self::mask(secret, &[block]);
    }
}

fn uncover(secret: &Secret, first: &[&[u8]], octets: &mut [u8]) {
    let mut mask = mask(secret, first);
    for block in octets.chunks_mut(BLOCK) {
        let next = self::mask(secret, &[block]);
        apply(&mask, block);
        mask = next;
    }
}

fn mask(secret: &Secret, before: &[&[u8]]) -> Zeroizing<[u8; BLOCK]> {
    let mut md5 = Md5::new().chain_update(secret.expose());
    for part in before {
        md5.update(part);
    }
    Zeroizing::new(md5.finalize().into())
}

fn apply(mask: &[u8; BLOCK], block: &mut [u8]) {
    for (octet, mask) in block.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}
