//! Every OCSP answer in use.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::super::der::MAX_SERIAL;
use super::OcspAnswer;
use crate::event::OcspStatus;
use crate::lock::lock;
use crate::now::Wall;

/// The answers in use, by certificate; bounded by number, shared by all snapshots: an answer counts at once, everywhere.
///
/// Nobody who looks up an answer waits for a lock.
#[derive(Debug)]
pub struct Answers {
    /// The newest, unless that says "revoked".
    answers: Cache<Key, Arc<OcspAnswer>>,
    /// Those that say "revoked", so that many others never crowd them out.
    revoked: Cache<Key, Revoked>,
    /// Whether there ever was one of them: else nobody need look.
    any_revoked: AtomicBool,
    /// Held by whoever inserts.
    inserting: Mutex<()>,
    unanswerable: RwLock<Vec<Unanswerable>>,
}

/// Name of an authority and one of its CAs, as in [`super::super::Link`], about whose certificates nobody can be asked.
pub type Unanswerable = (Arc<str>, [u8; 32]);

/// Issuer, length of the serial, the serial and zeros.
type Key = [u8; 32 + 1 + MAX_SERIAL];

/// An answer that says "revoked".
#[derive(Clone, Debug)]
pub(super) struct Revoked {
    pub(super) answer: Arc<OcspAnswer>,
    /// thisUpdate of a later answer that doesn't say so.
    pub(super) vanished: Option<Wall>,
}

/// What an answer has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Nothing that anybody would be refused for; it may have ended a hold.
    Alike,
    /// It is the first that says "revoked".
    NewlyRevoked,
    /// It isn't used: what is here is newer, or worse.
    Older,
    /// It isn't used and is worth an alarm: it is the first that doesn't say "revoked" of a certificate that was, and not only on hold. That stays revoked.
    Vanished,
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(10_000)
    }
}

impl Answers {
    /// Room for `most` certificates, and for as many that are revoked. Those that nobody asked for longest make room.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self {
            answers: Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).build(),
            revoked: Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).build(),
            any_revoked: AtomicBool::new(false),
            inserting: Mutex::new(()),
            unanswerable: RwLock::default(),
        }
    }

    /// About whose certificates it would be in vain to ask from now on: there is no responder, or none that is well. Whoever would be refused for want of an answer is refused at once then.
    pub fn nobody_answers(&self, about: Vec<Unanswerable>) {
        *self.unanswerable.write().unwrap_or_else(PoisonError::into_inner) = about;
    }

    /// Whether asking about such a certificate could bring anything.
    pub(crate) fn may_come(&self, authority: &str, issuer: &[u8; 32]) -> bool {
        let unanswerable = self.unanswerable.read().unwrap_or_else(PoisonError::into_inner);
        !unanswerable.iter().any(|(name, ca)| ca == issuer && **name == *authority)
    }

    /// What is known about a certificate: the answer that says "revoked" if there ever was one, else the newest.
    #[must_use]
    pub fn get(&self, issuer: &[u8; 32], serial: &[u8]) -> Option<Arc<OcspAnswer>> {
        let revoked = self.revoked(issuer, serial).map(|revoked| revoked.answer);
        revoked.or_else(|| self.newest(issuer, serial))
    }

    /// Every answer in use, one a certificate, as [`get`](Self::get) would give it.
    pub fn iter(&self) -> impl Iterator<Item = Arc<OcspAnswer>> {
        self.answers.run_pending_tasks();
        self.revoked.run_pending_tasks();
        let revoked: Vec<_> = self.revoked.iter().collect();
        let known: HashSet<Key> = revoked.iter().map(|(key, _)| **key).collect();
        let others = self.answers.iter().filter(move |(key, _)| !known.contains(&**key));
        revoked.into_iter().map(|(_, revoked)| revoked.answer).chain(others.map(|(_, answer)| answer))
    }

    /// Of how many certificates there is an answer.
    #[must_use]
    pub fn count(&self) -> usize {
        self.answers.run_pending_tasks();
        self.revoked.run_pending_tasks();
        // Both know the few that are revoked and said to be so no more; the many are not walked through.
        let both = self.revoked.iter().filter(|(_, revoked)| revoked.vanished.is_some());
        let both = both.filter(|(key, _)| self.answers.contains_key(&**key)).count() as u64;
        let all = (self.answers.entry_count() + self.revoked.entry_count()).saturating_sub(both);
        usize::try_from(all).unwrap_or(usize::MAX)
    }

    /// The newest answer that says something else than "revoked".
    pub(super) fn newest(&self, issuer: &[u8; 32], serial: &[u8]) -> Option<Arc<OcspAnswer>> {
        self.answers.get(&key(issuer, serial)?)
    }

    /// The answer that says "revoked".
    pub(super) fn revoked(&self, issuer: &[u8; 32], serial: &[u8]) -> Option<Revoked> {
        if !self.any_revoked.load(Ordering::Acquire) {
            return None;
        }
        self.revoked.get(&key(issuer, serial)?)
    }

    /// Whether there is one that says "revoked"; who asks so of a whole registry keeps none of them from making room.
    pub(in super::super) fn revokes(&self, issuer: &[u8; 32], serial: &[u8]) -> bool {
        self.any_revoked.load(Ordering::Acquire)
            && key(issuer, serial).is_some_and(|key| self.revoked.contains_key(&key))
    }

    /// Takes an answer into use. Never does an older one replace a newer one, whoever replays it, nor anything but "revoked" one that revokes for good.
    pub fn insert(&self, answer: Arc<OcspAnswer>) -> Inserted {
        let Some(key) = key(&answer.question.issuer, &answer.question.serial) else { return Inserted::Older };
        let _inserting = lock(&self.inserting);
        let held = Held { revoked: self.revoked.get(&key), newest: self.answers.get(&key) };
        if answer.revokes() { self.insert_revoked(key, answer, &held) } else { self.insert_other(key, answer, held) }
    }

    fn insert_revoked(&self, key: Key, answer: Arc<OcspAnswer>, held: &Held) -> Inserted {
        let for_good = answer.revokes_for_good();
        let later = held.newest.as_ref().filter(|newest| age(newest) > age(&answer));
        let is_overtaken = match &held.revoked {
            // One that revokes for good stands above every hold.
            Some(known) if known.answer.revokes_for_good() != for_good => !for_good,
            Some(known) => age(&known.answer) > age(&answer),
            None => !for_good && later.is_some_and(|later| later.name().status == OcspStatus::Good),
        };
        if is_overtaken {
            return Inserted::Older;
        }
        self.any_revoked.store(true, Ordering::Release);
        let known = held.revoked.as_ref().and_then(|known| known.vanished).filter(|since| *since > age(&answer));
        let vanished = known.or_else(|| later.map(|later| age(later))).filter(|_| for_good);
        // What is older must not count again where this one's signer turns out to be revoked.
        if vanished.is_none() {
            self.answers.invalidate(&key);
        }
        self.revoked.insert(key, Revoked { answer, vanished });
        if held.revoked.is_some() { Inserted::Alike } else { Inserted::NewlyRevoked }
    }

    fn insert_other(&self, key: Key, answer: Arc<OcspAnswer>, held: Held) -> Inserted {
        let is_overtaken = held.newest.as_ref().is_some_and(|known| age(known) > age(&answer));
        let revoked_since = held.revoked.as_ref().map(|known| age(&known.answer));
        if is_overtaken || revoked_since.is_some_and(|since| since >= age(&answer)) {
            return Inserted::Older;
        }
        let Some(known) = held.revoked else {
            self.answers.insert(key, answer);
            return Inserted::Alike;
        };
        if known.answer.revokes_for_good() {
            let (first, since) = (known.vanished.is_none(), known.vanished.unwrap_or_else(|| age(&answer)));
            self.answers.insert(key, answer);
            self.revoked.insert(key, Revoked { vanished: Some(since), ..known });
            return if first { Inserted::Vanished } else { Inserted::Older };
        }
        // Who doesn't know a certificate doesn't take it off hold.
        if answer.name().status != OcspStatus::Good {
            return Inserted::Older;
        }
        self.answers.insert(key, answer);
        self.revoked.invalidate(&key);
        Inserted::Alike
    }
}

/// What is known of a certificate before an answer comes.
struct Held {
    revoked: Option<Revoked>,
    newest: Option<Arc<OcspAnswer>>,
}

fn age(answer: &OcspAnswer) -> Wall {
    answer.name().this_update
}

/// `None`: no serial that a certificate could have.
fn key(issuer: &[u8; 32], serial: &[u8]) -> Option<Key> {
    let mut key = [0; 32 + 1 + MAX_SERIAL];
    let (front, rest) = key.split_first_chunk_mut::<32>()?;
    let (length, room) = rest.split_first_mut()?;
    *front = *issuer;
    *length = u8::try_from(serial.len()).ok()?;
    room.get_mut(..serial.len())?.copy_from_slice(serial);
    Some(key)
}
