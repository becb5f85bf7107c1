//! What is refused here whatever its authority says.

use std::sync::Arc;

use crate::now::Wall;
use crate::quick::Map;

/// Certificates and people that are blocked; immutable, swapped whole.
#[derive(Debug, Default)]
pub struct Blocks {
    by_fingerprint: Map<[u8; 32], Arc<Block>>,
    /// By name of the authority, then serial.
    by_serial: Map<Arc<str>, BySerial>,
    /// By name in ASCII lower case.
    people: Map<Box<str>, Block>,
}

type BySerial = Map<Box<[u8]>, Arc<Block>>;

/// Who has done what a list of the CA's says.
pub const BY_LIST: &str = "the CA's list";

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Since when.
    pub since: Wall,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Wall>,
    /// Why, as whoever did it has said.
    pub reason: Arc<str>,
    /// Who did it.
    pub by: Arc<str>,
}

/// A certificate that is blocked, by all that is known of it.
#[derive(Clone, Debug)]
pub struct BlockedCertificate {
    /// SHA-256 of the DER.
    pub fingerprint: Option<[u8; 32]>,
    /// Name of its authority in the configuration, and its serial, big-endian without leading zeros.
    pub name: Option<(Arc<str>, Vec<u8>)>,
    /// Its block.
    pub block: Block,
}

impl Blocks {
    /// Of certificates, and of people by name.
    #[must_use]
    pub fn new(certificates: Vec<BlockedCertificate>, people: Vec<(String, Block)>) -> Self {
        let mut blocks = Self::default();
        for BlockedCertificate { fingerprint, name, block } in certificates {
            let block = Arc::new(block);
            if let Some(fingerprint) = fingerprint {
                blocks.by_fingerprint.insert(fingerprint, Arc::clone(&block));
            }
            if let Some((authority, serial)) = name {
                blocks.by_serial.entry(authority).or_default().insert(serial.into(), block);
            }
        }
        let people = people.into_iter().map(|(name, block)| (name.to_ascii_lowercase().into(), block));
        blocks.people = people.collect();
        blocks
    }

    /// The block of a certificate, by either of its names.
    #[must_use]
    pub fn certificate(&self, fingerprint: &[u8; 32], authority: &str, serial: &[u8], now: Wall) -> Option<&Block> {
        let by_serial = || self.by_serial.get(authority).and_then(|serials| serials.get(serial));
        let block = self.by_fingerprint.get(fingerprint).or_else(by_serial)?;
        Some(&**block).filter(|block| block.holds(now))
    }

    /// The block of a person; names are compared without ASCII case.
    #[must_use]
    pub fn person(&self, name: &str, now: Wall) -> Option<&Block> {
        if self.people.is_empty() {
            return None;
        }
        self.people.get(&*name.to_ascii_lowercase()).filter(|block| block.holds(now))
    }

    /// The block of somebody of whom a NAS has told the name alone. Where that has no realm, whoever is blocked by it with one may be him, and the first of them counts: another spelling must open nothing.
    #[must_use]
    pub fn called(&self, name: &str, now: Wall) -> Option<&Block> {
        self.person(name, now).or_else(|| self.without_realm(name, now).filter(|_| !name.contains('@')))
    }

    fn without_realm(&self, name: &str, now: Wall) -> Option<&Block> {
        let is_it = |known: &str| known.rsplit_once('@').is_some_and(|(local, _)| local.eq_ignore_ascii_case(name));
        let mut found = self.people.iter().filter(|(known, block)| is_it(known) && block.holds(now));
        found.next().map(|(_, block)| block)
    }

    /// How many certificates and how many people.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let serials = self.by_serial.values().map(Map::len).sum::<usize>();
        (serials.max(self.by_fingerprint.len()), self.people.len())
    }
}

impl Block {
    /// Whether an operator has done it here, one by one; else a list says so, of however many.
    #[must_use]
    pub(crate) fn is_own(&self) -> bool {
        &*self.by != BY_LIST
    }

    /// Whether it counts at a moment. It counts before its own beginning too: a clock that was set back must let nobody in.
    fn holds(&self, now: Wall) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
