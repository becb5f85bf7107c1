//! Every OCSP answer in use.

use std::sync::Arc;

use moka::sync::Cache;

use super::{OcspAnswer, Question};

/// The answers in use, by certificate; bounded by number, shared by all snapshots: an answer counts at once, everywhere.
#[derive(Debug)]
pub struct Answers {
    answers: Cache<Key, Arc<OcspAnswer>>,
    /// Those that say "revoked", so that many others never crowd them out.
    revoked: Cache<Key, Arc<OcspAnswer>>,
}

/// Issuer and serial.
type Key = ([u8; 32], Box<[u8]>);

/// What an answer has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Nothing that anybody would decide otherwise for.
    Alike,
    /// It is the first that says "revoked".
    NewlyRevoked,
    /// It isn't used: what is here is newer.
    Older,
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(10_000)
    }
}

impl Answers {
    /// Room for `most` certificates, and for as many that are revoked.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self { answers: Cache::new(most), revoked: Cache::new(most) }
    }

    /// What is known about a certificate: the answer that says "revoked" if there ever was one, else the newest.
    #[must_use]
    pub fn get(&self, issuer: &[u8; 32], serial: &[u8]) -> Option<Arc<OcspAnswer>> {
        let key = (*issuer, serial.into());
        self.revoked.get(&key).or_else(|| self.answers.get(&key))
    }

    /// Takes an answer into use.
    pub fn insert(&self, answer: Arc<OcspAnswer>) -> Inserted {
        let Question { issuer, serial, .. } = &answer.question;
        let key: Key = (*issuer, serial.as_slice().into());
        if answer.revokes() {
            self.revoked.insert(key, answer);
            return Inserted::NewlyRevoked;
        }
        self.answers.insert(key, answer);
        Inserted::Alike
    }
}
