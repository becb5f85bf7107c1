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

/// Seals and opens keys with those of `seal-key`: the first seals, all open.
pub struct Sealer {
    first: LessSafeKey,
    others: Vec<LessSafeKey>,
}

/// What has become of a sealed key when it is to be under the first of the seal-keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed {
    /// It is already.
    Already,
    /// It was under another; this is it, sealed anew.
    Anew(Vec<u8>),
    /// None of them opens it.
    Never,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// With one key. `None`: it is empty.
    #[must_use]
    pub fn new(seal_key: &Secret) -> Option<Self> {
        Self::with(std::slice::from_ref(seal_key))
    }

    /// By HKDF-SHA-256 (RFC 5869) out of whatever octets the administrator has made. `None`: there are none, or one is empty.
    #[must_use]
    pub fn with(seal_keys: &[Secret]) -> Option<Self> {
        let keys = seal_keys.iter().map(derive).collect::<Option<Vec<_>>>()?;
        let mut keys = keys.into_iter();
        Some(Self { first: keys.next()?, others: keys.collect() })
    }

    /// The key of a user, sealed for nobody else. The error: the operating system has no random octets.
    pub fn seal(&self, user: &str, key: &Key) -> Result<Vec<u8>, NoRandom> {
        let nonce = random::<NONCE_LEN>()?;
        let mut octets = Zeroizing::new(key.secret().expose().to_vec());
        let tag = self.first.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound(user), &mut octets);
        let tag = tag.map_err(|_| NoRandom)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&octets);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The key of a user.
    pub fn open(&self, user: &str, sealed: &[u8]) -> Result<Key, BadSeal> {
        open(&self.first, user, sealed).or_else(|BadSeal| self.open_by_another(user, sealed))
    }

    /// The key of a user, under the first of the seal-keys. The error: the operating system has no random octets.
    pub fn reseal(&self, user: &str, sealed: &[u8]) -> Result<Resealed, NoRandom> {
        if open(&self.first, user, sealed).is_ok() {
            return Ok(Resealed::Already);
        }
        match self.open_by_another(user, sealed) {
            Ok(key) => self.seal(user, &key).map(Resealed::Anew),
            Err(BadSeal) => Ok(Resealed::Never),
        }
    }

    fn open_by_another(&self, user: &str, sealed: &[u8]) -> Result<Key, BadSeal> {
        self.others.iter().find_map(|other| open(other, user, sealed).ok()).ok_or(BadSeal)
    }
}

fn derive(seal_key: &Secret) -> Option<LessSafeKey> {
    if seal_key.is_empty() {
        return None;
    }
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(seal_key.expose());
    let mut octets = Zeroizing::new([0; 32]);
    pseudorandom.expand(&[PURPOSE], hkdf::HKDF_SHA256).ok()?.fill(octets.as_mut_slice()).ok()?;
    UnboundKey::new(&AES_256_GCM, octets.as_slice()).ok().map(LessSafeKey::new)
}

fn open(by: &LessSafeKey, user: &str, sealed: &[u8]) -> Result<Key, BadSeal> {
    let (nonce, rest) = match sealed.split_first() {
        Some((&VERSION, rest)) => rest.split_first_chunk::<NONCE_LEN>().ok_or(BadSeal)?,
        _ => return Err(BadSeal),
    };
    let mut octets = Zeroizing::new(rest.to_vec());
    let opened = by.open_in_place(Nonce::assume_unique_for_key(*nonce), bound(user), &mut octets);
    let opened = opened.map_err(|_| BadSeal)?;
    Key::new(Secret::new(&*opened)).ok_or(BadSeal)
}

/// Names are compared without ASCII case.
fn bound(user: &str) -> Aad<Vec<u8>> {
    Aad::from(user.to_ascii_lowercase().into_bytes())
}
