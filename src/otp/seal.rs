//! Keys of codes as the database holds them: sealed, so that whoever reads it can make no codes.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::Key;
use crate::secret::{NoRandom, Secret, random};

/// First octet of what is sealed; changes with every change of the form.
const VERSION: u8 = 1;
/// What the key is made for.
const PURPOSE: &[u8] = b"sekisho: keys of one-time passwords";

/// Why a key can't be opened: it was sealed with another `seal-key`, for somebody else, or is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSeal;

impl fmt::Display for BadSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sealed with another seal-key, for somebody else, or damaged")
    }
}

/// Seals and opens keys with `seal-key`.
pub struct Sealer(LessSafeKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// By HKDF-SHA-256 (RFC 5869) out of whatever octets the administrator has made. `None`: there are none.
    #[must_use]
    pub fn new(seal_key: &Secret) -> Option<Self> {
        if seal_key.is_empty() {
            return None;
        }
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(seal_key.expose());
        let mut octets = Zeroizing::new([0; 32]);
        pseudorandom.expand(&[PURPOSE], hkdf::HKDF_SHA256).ok()?.fill(octets.as_mut_slice()).ok()?;
        UnboundKey::new(&AES_256_GCM, octets.as_slice()).ok().map(LessSafeKey::new).map(Self)
    }

    /// The key of a user, sealed for nobody else. The error: the operating system has no random octets.
    pub fn seal(&self, user: &str, key: &Key) -> Result<Vec<u8>, NoRandom> {
        let nonce = random::<NONCE_LEN>()?;
        let mut octets = Zeroizing::new(key.secret().expose().to_vec());
        let tag = self.0.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound(user), &mut octets);
        let tag = tag.map_err(|_| NoRandom)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&octets);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The key of a user.
    pub fn open(&self, user: &str, sealed: &[u8]) -> Result<Key, BadSeal> {
        let (nonce, rest) = match sealed.split_first() {
            Some((&VERSION, rest)) => rest.split_first_chunk::<NONCE_LEN>().ok_or(BadSeal)?,
            _ => return Err(BadSeal),
        };
        let mut octets = Zeroizing::new(rest.to_vec());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), bound(user), &mut octets);
        let opened = opened.map_err(|_| BadSeal)?;
        Key::new(Secret::new(&*opened)).ok_or(BadSeal)
    }
}

/// Names are compared without ASCII case.
fn bound(user: &str) -> Aad<Vec<u8>> {
    Aad::from(user.to_ascii_lowercase().into_bytes())
}
