//! The serial numbers of a CRL in order, each with its date and reason in one record of 26 octets, sorted where they were collected and found by bisection: first among landmarks, few enough to stay in the processor's cache, then in one page of memory.

use std::cmp::Ordering;

use super::der::MAX_SERIAL;
use crate::now::Wall;

const NO_REASON: u8 = u8::MAX;
/// CRLReason (RFC 5280 section 5.3.1)
pub(super) const CERTIFICATE_HOLD: u8 = 6;
/// The same.
pub(super) const REMOVE_FROM_CRL: u8 = 8;

/// Records from one landmark to the next.
const STRETCH: usize = 128;

/// What a CRL says of a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// revocationDate
    pub(super) at: Wall,
    /// CRLReason
    pub(super) reason: Option<u8>,
}

/// Serial numbers, and what is said of them.
pub(super) struct Serials {
    records: Vec<Record>,
    /// The first of each [`STRETCH`] of them.
    landmarks: Vec<Padded>,
}

/// An entry in octets alone, so that nothing lies between two of them.
#[derive(Clone, Copy)]
struct Record {
    serial: Padded,
    /// Seconds since 1970, clamped to 1970–2106, big-endian.
    date: [u8; 4],
    reason: u8,
}

/// A serial number with zeros before it: they make no other number of it.
type Padded = [u8; MAX_SERIAL];

impl std::fmt::Debug for Serials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} serials", self.len())
    }
}

impl Serials {
    /// With room for so many, which is all the memory that they will take.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self { records: Vec::with_capacity(entries), landmarks: Vec::new() }
    }

    /// Adds one. False: it is empty or too long, so it can't be a serial number.
    pub(super) fn push(&mut self, serial: &[u8], entry: Entry) -> bool {
        let Some(serial) = padded(serial) else { return false };
        let date = u32::try_from(entry.at.0.max(0)).unwrap_or(u32::MAX).to_be_bytes();
        self.records.push(Record { serial, date, reason: entry.reason.unwrap_or(NO_REASON) });
        true
    }

    /// Sorts what was added; of one that stands twice what lasts counts before a hold, both before `removeFromCRL`, and then the earlier date.
    pub(super) fn settle(mut self) -> Self {
        self.records.sort_unstable_by(Record::order);
        self.records.dedup_by(|later, earlier| later.serial == earlier.serial);
        self.records.shrink_to_fit();
        self.landmarks = self.records.iter().step_by(STRETCH).map(|record| record.serial).collect();
        self
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn find(&self, serial: &[u8]) -> Option<Entry> {
        let serial = padded(serial)?;
        let stretch = self.landmarks.partition_point(|first| *first <= serial).checked_sub(1)?;
        let records = self.records.chunks(STRETCH).nth(stretch)?;
        let index = records.binary_search_by(|record| record.serial.cmp(&serial)).ok()?;
        records.get(index).map(Record::entry)
    }
}

impl Record {
    fn order(&self, other: &Self) -> Ordering {
        self.serial
            .cmp(&other.serial)
            .then_with(|| self.lifts().cmp(&other.lifts()))
            .then_with(|| self.date.cmp(&other.date))
    }

    /// How easily what an entry says ends: not at all, by a delta CRL, or it is the end itself.
    fn lifts(&self) -> u8 {
        match self.reason {
            REMOVE_FROM_CRL => 2,
            CERTIFICATE_HOLD => 1,
            _ => 0,
        }
    }

    fn entry(&self) -> Entry {
        let at = Wall(i64::from(u32::from_be_bytes(self.date)));
        Entry { at, reason: (self.reason != NO_REASON).then_some(self.reason) }
    }
}

fn padded(serial: &[u8]) -> Option<Padded> {
    let mut padded = [0; MAX_SERIAL];
    let start = MAX_SERIAL.checked_sub(serial.len()).filter(|_| !serial.is_empty())?;
    padded.get_mut(start..)?.copy_from_slice(serial);
    Some(padded)
}
