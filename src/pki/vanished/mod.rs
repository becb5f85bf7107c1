//! Certificates that a CRL revoked and lists no more although they were not on hold: they stay revoked here until an operator says otherwise.
//!
//! - Two sets of CRLs, one after the other → what has disappeared: `succession`.
//! - The entries, sorted and packed, at most 34 octets each: here.
//! - As lines of text and back: `page`.

mod page;
mod succession;

use std::cmp::Reverse;
use std::sync::Arc;

use super::crl::reason_name;
use super::serials::{Entry, Serials};
use crate::now::Wall;

pub use succession::Disappeared;

/// Entries that have disappeared from CRLs; immutable, bounded by number: beyond it those with the oldest revocation dates go.
#[derive(Debug)]
pub struct Vanished {
    most: usize,
    /// Sorted by key.
    lists: Vec<List>,
    sources: Vec<Source>,
    left_out: u64,
}

/// Whose CRL it was, as in [`super::Link`], and who has issued the certificates ([`super::name::id`]).
type Key = ([u8; 32], u64);
/// Name of the authority whose table named it, and where it came from.
type Source = (Arc<str>, Arc<str>);

/// Entries of one key. What stands beside the serials is in their order.
#[derive(Debug)]
struct List {
    key: Key,
    serials: Serials,
    /// Seconds since 1970, clamped to 1970–2106.
    since: Vec<u32>,
    sources: Vec<u16>,
}

/// An entry that has disappeared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VanishedEntry {
    /// The CA whose CRL listed it, as in [`super::Link`].
    pub signer: [u8; 32],
    /// Who has issued the certificate: the first eight octets of a SHA-256 of its name.
    pub issuer: u64,
    /// Serial of the certificate, as in [`super::Link`].
    pub serial: Vec<u8>,
    /// revocationDate
    pub at: Wall,
    /// CRLReason's number (RFC 5280 section 5.3.1).
    pub reason: Option<u8>,
    /// Name of the authority whose table named the CRL.
    pub authority: Arc<str>,
    /// Where the CRL came from.
    pub source: Arc<str>,
    /// When it was seen to be gone.
    pub since: Wall,
}

impl VanishedEntry {
    fn of((signer, issuer): Key, serial: &[u8], gone: Gone<'_>) -> Self {
        Self {
            signer,
            issuer,
            serial: serial.to_vec(),
            at: gone.entry.at,
            reason: gone.entry.reason,
            authority: Arc::clone(gone.authority),
            source: Arc::clone(gone.source),
            since: gone.since,
        }
    }

    /// The reason's name in RFC 5280: `keyCompromise`.
    #[must_use]
    pub fn reason_name(&self) -> Option<&'static str> {
        self.reason.and_then(reason_name)
    }
}

/// An entry where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone<'v> {
    pub(super) entry: Entry,
    pub(super) since: Wall,
    pub(super) authority: &'v Arc<str>,
    pub(super) source: &'v Arc<str>,
}

impl Default for Vanished {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl Vanished {
    /// None yet, with room for `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, lists: Vec::new(), sources: Vec::new(), left_out: 0 }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists.iter().map(|list| list.since.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// How many there was no room for: they are revoked no more.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All of them, in a fixed order.
    pub fn entries(&self) -> impl Iterator<Item = VanishedEntry> {
        self.all().map(|(key, serial, gone)| VanishedEntry::of(key, serial, gone))
    }

    fn all(&self) -> impl Iterator<Item = (Key, &[u8], Gone<'_>)> {
        self.lists.iter().flat_map(|list| {
            let serials = list.serials.iter().enumerate();
            serials.filter_map(|(place, (serial, entry))| Some((list.key, serial, self.gone(list, place, entry)?)))
        })
    }

    pub(super) fn find(&self, signer: &[u8; 32], issuer: u64, serial: &[u8]) -> Option<Gone<'_>> {
        let list = self.lists.binary_search_by(|list| list.key.cmp(&(*signer, issuer))).ok()?;
        let list = self.lists.get(list)?;
        let (place, entry) = list.serials.position(serial)?;
        self.gone(list, place, entry)
    }

    /// Whether one of this serial has disappeared, whoever has issued it.
    pub(super) fn knows(&self, serial: &[u8]) -> bool {
        self.lists.iter().any(|list| list.serials.find(serial).is_some())
    }

    fn gone(&self, list: &List, place: usize, entry: Entry) -> Option<Gone<'_>> {
        let (authority, source) = self.sources.get(usize::from(*list.sources.get(place)?))?;
        let since = Wall(i64::from(*list.since.get(place)?));
        Some(Gone { entry, since, authority, source })
    }

    /// Octets of memory that the entries take.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.lists
            .iter()
            .map(|list| list.serials.octets() + list.since.capacity() * 4 + list.sources.capacity() * 2)
            .sum()
    }
}

/// Entries on their way into a [`Vanished`].
struct Gathering<'a> {
    most: usize,
    sources: Vec<Source>,
    found: Vec<Found<'a>>,
    left_out: u64,
}

struct Found<'a> {
    key: Key,
    serial: &'a [u8],
    entry: Entry,
    since: Wall,
    source: u16,
}

impl<'a> Gathering<'a> {
    fn new(most: usize) -> Self {
        Self { most, sources: Vec::new(), found: Vec::new(), left_out: 0 }
    }

    /// False: it comes from more sources than can be told apart.
    fn add(&mut self, key: Key, serial: &'a [u8], gone: Gone<'_>) -> bool {
        let is_its = |(authority, source): &Source| authority == gone.authority && source == gone.source;
        let place = self.sources.iter().position(is_its).unwrap_or(self.sources.len());
        let Ok(source) = u16::try_from(place) else {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        };
        if place == self.sources.len() {
            self.sources.push((Arc::clone(gone.authority), Arc::clone(gone.source)));
        }
        self.found.push(Found { key, serial, entry: gone.entry, since: gone.since, source });
        // What there is no room for goes now and then, so that a CRL that has lost a million takes little more than the room itself.
        if self.found.len() > self.most.saturating_mul(2).saturating_add(1024) {
            self.cut();
        }
        true
    }

    fn cut(&mut self) {
        let Some(over) = self.found.len().checked_sub(self.most).filter(|over| *over > 0) else { return };
        self.found.select_nth_unstable_by_key(self.most, |found| (Reverse(found.entry.at), found.key, found.serial));
        self.found.truncate(self.most);
        self.left_out = self.left_out.saturating_add(u64::try_from(over).unwrap_or(u64::MAX));
    }

    /// Of one that stands twice the first to disappear counts.
    fn settle(mut self) -> Vanished {
        let order = |found: &Found<'a>| (found.key, found.serial.len(), found.serial, found.since);
        self.found.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
        self.found.dedup_by(|later, first| (later.key, later.serial) == (first.key, first.serial));
        self.cut();
        self.found.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
        let lists = self.found.chunk_by(|one, other| one.key == other.key).filter_map(List::of).collect();
        Vanished { most: self.most, lists, sources: self.sources, left_out: self.left_out }
    }
}

impl List {
    /// Of one key, sorted.
    fn of(found: &[Found<'_>]) -> Option<Self> {
        let mut serials = Serials::new();
        for one in found {
            serials.push(one.serial, one.entry);
        }
        let since = found.iter().map(|one| u32::try_from(one.since.0.max(0)).unwrap_or(u32::MAX)).collect();
        let sources = found.iter().map(|one| one.source).collect();
        Some(Self { key: found.first()?.key, serials: serials.settle(), since, sources })
    }
}
