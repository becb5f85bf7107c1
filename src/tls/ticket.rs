//! Tickets: an encoded session, sealed with AES-256-GCM under a key that every node of this server has.
//!
//! format ‖ key id ‖ nonce ‖ ciphertext ‖ tag; the format and the context are authenticated beside it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::session::Session;
use crate::secret::Secret;

/// Changes with the meaning of the octets inside, and with rustls' encoding of its state.
const FORMAT: u8 = 1;
const KEY_ID: usize = 4;
const KEY: usize = 32;
const SALT: &[u8] = b"sekisho session ticket 1";

/// The fewest octets of a ticket secret.
pub(super) const SHORTEST_SECRET: usize = 32;

/// The keys: the first seals, all open.
///
/// Nonces are random, so a key should seal fewer than 2^32 tickets (NIST SP 800-38D section 8.3): a hundred thousand logins a day for a century.
pub(super) struct Keys(Vec<Key>);

struct Key {
    id: [u8; KEY_ID],
    aead: RandomizedNonceKey,
}

impl Keys {
    /// Derives a key from each secret.
    pub(super) fn new(secrets: &[Secret]) -> Option<Self> {
        secrets.iter().map(Key::derive).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Seals a session for clients of `context`.
    pub(super) fn seal(&self, session: &Session, context: &[u8]) -> Option<Vec<u8>> {
        let key = self.0.first()?;
        let mut body = Zeroizing::new(Vec::new());
        session.encode(&mut body)?;
        let nonce = key.aead.seal_in_place_append_tag(Aad::from(additional(context)), &mut *body).ok()?;
        let mut ticket = Vec::with_capacity(1 + KEY_ID + NONCE_LEN + body.len());
        ticket.push(FORMAT);
        ticket.extend_from_slice(&key.id);
        ticket.extend_from_slice(nonce.as_ref());
        ticket.extend_from_slice(&body);
        Some(ticket)
    }

    /// The session of a ticket, if one of these keys has sealed it for `context`.
    pub(super) fn open(&self, ticket: &[u8], context: &[u8]) -> Option<Session> {
        let (&format, rest) = ticket.split_first()?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        if format != FORMAT {
            return None;
        }
        self.0.iter().filter(|key| key.id == *id).find_map(|key| {
            let mut body = Zeroizing::new(body.to_vec());
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let plain = key.aead.open_in_place(nonce, Aad::from(additional(context)), &mut body).ok()?;
            Session::decode(plain)
        })
    }
}

impl Key {
    fn derive(secret: &Secret) -> Option<Self> {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(secret.expose());
        let mut id = [0; KEY_ID];
        derived.expand(&[b"id"], Octets(KEY_ID)).ok()?.fill(&mut id).ok()?;
        let mut key = Zeroizing::new([0; KEY]);
        derived.expand(&[b"key"], Octets(KEY)).ok()?.fill(&mut *key).ok()?;
        let aead = RandomizedNonceKey::new(&AES_256_GCM, &*key).ok()?;
        Some(Self { id, aead })
    }
}

/// How many octets HKDF shall give.
struct Octets(usize);

impl hkdf::KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

fn additional(context: &[u8]) -> Vec<u8> {
    [&[FORMAT], context].concat()
}
