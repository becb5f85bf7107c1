//! The serial numbers of a CRL in order, each with its date and reason in one record of 27 octets, sorted where they were collected and found by bisection: first among landmarks, small enough to stay in the processor's cache, then in a stretch of a few cache lines.

use std::cmp::Ordering;

use super::der::MAX_SERIAL;
use crate::now::Wall;

const NO_REASON: u8 = u8::MAX;
/// CRLReason (RFC 5280 section 5.3.1)
pub(super) const CERTIFICATE_HOLD: u8 = 6;
/// The same.
pub(super) const REMOVE_FROM_CRL: u8 = 8;

/// Records from one landmark to the next.
const STRETCH: usize = 16;

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
    /// How the first of each [`STRETCH`] of them begins.
    landmarks: Vec<u64>,
}

/// An entry in octets alone, so that nothing lies between two of them.
#[derive(Clone, Copy)]
struct Record {
    key: Key,
    /// Seconds since 1970, clamped to 1970–2106, big-endian.
    date: [u8; 4],
    reason: u8,
}

/// A serial number's length, its octets, zeros up to the longest.
type Key = [u8; 1 + MAX_SERIAL];

impl std::fmt::Debug for Serials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} serials", self.len())
    }
}

impl Serials {
    pub(super) fn new() -> Self {
        Self::with_capacity(0)
    }

    /// With room for so many, which is all the memory that they will take.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self { records: Vec::with_capacity(entries), landmarks: Vec::new() }
    }

    /// Adds one. False: it is empty or too long, so it can't be a serial number.
    pub(super) fn push(&mut self, serial: &[u8], entry: Entry) -> bool {
        let Some(key) = key(serial) else { return false };
        let date = u32::try_from(entry.at.0.max(0)).unwrap_or(u32::MAX).to_be_bytes();
        self.records.push(Record { key, date, reason: entry.reason.unwrap_or(NO_REASON) });
        true
    }

    /// Sorts what was added; of one that stands twice what lasts counts before a hold, both before `removeFromCRL`, and then the earlier date.
    pub(super) fn settle(mut self) -> Self {
        self.records.sort_unstable_by(Record::order);
        self.records.dedup_by(|later, earlier| later.key == earlier.key);
        self.records.shrink_to_fit();
        self.landmarks = self.records.iter().step_by(STRETCH).map(|record| beginning(&record.key)).collect();
        self
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Octets of memory that the entries take.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.landmarks.capacity() * size_of::<u64>()
    }

    /// All of them, the shorter ones first, those of one length in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Entry)> {
        self.records.iter().map(|record| (record.serial(), record.entry()))
    }

    /// Tells of each of these, in the same order, that none of the others has with an entry that `counts`. One walk through all of them.
    pub(super) fn missing_from<'a>(
        &'a self,
        others: &[&Self],
        counts: impl Fn(Entry) -> bool,
        mut tell: impl FnMut(&'a [u8], Entry),
    ) {
        let mut rests: Vec<&[Record]> = others.iter().map(|other| other.records.as_slice()).collect();
        for record in &self.records {
            let has = |rest: &mut &[Record]| reach(rest, &record.key).is_some_and(&counts);
            if !rests.iter_mut().any(has) {
                tell(record.serial(), record.entry());
            }
        }
    }

    pub(super) fn find(&self, serial: &[u8]) -> Option<Entry> {
        self.position(serial).map(|(_, entry)| entry)
    }

    /// Which of all in the order of [`Serials::iter`] it is, and what is said of it.
    pub(super) fn position(&self, serial: &[u8]) -> Option<(usize, Entry)> {
        let key = key(serial)?;
        let begins = beginning(&key);
        // Where many serials begin alike, one of several stretches has it.
        let first = self.landmarks.partition_point(|landmark| *landmark < begins).saturating_sub(1) * STRETCH;
        let end = self.landmarks.partition_point(|landmark| *landmark <= begins) * STRETCH;
        let records = self.records.get(first..end.min(self.len()))?;
        let index = records.binary_search_by(|record| record.key.cmp(&key)).ok()?;
        Some((first + index, records.get(index)?.entry()))
    }
}

/// Moves on to the first that isn't before a key; what is said of it, if it is that one.
fn reach(rest: &mut &[Record], key: &Key) -> Option<Entry> {
    while let [record, after @ ..] = rest {
        match record.key.cmp(key) {
            Ordering::Less => *rest = after,
            Ordering::Equal => return Some(record.entry()),
            Ordering::Greater => return None,
        }
    }
    None
}

impl Record {
    fn serial(&self) -> &[u8] {
        let [length, octets @ ..] = &self.key;
        octets.get(..usize::from(*length)).unwrap_or_default()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then_with(|| self.lifts().cmp(&other.lifts())).then_with(|| self.date.cmp(&other.date))
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

/// The length and seven octets: their order is that of the keys, as far as it tells them apart.
fn beginning(key: &Key) -> u64 {
    key.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets))
}

fn key(serial: &[u8]) -> Option<Key> {
    let mut key = [0; 1 + MAX_SERIAL];
    let [length, octets @ ..] = &mut key;
    octets.get_mut(..serial.len()).filter(|octets| !octets.is_empty())?.copy_from_slice(serial);
    *length = u8::try_from(serial.len()).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32) -> Entry {
        Entry { at: Wall(i64::from(number)), reason: None }
    }

    /// Some begin alike for longer than a landmark tells, some differ in length only, and runs of both are longer than a stretch.
    fn serial(number: u32) -> Vec<u8> {
        let mut serial = vec![0x40; 5 + usize::try_from(number % 3).unwrap() * 6];
        serial.extend((number / 7 * 2).to_be_bytes());
        serial
    }

    #[test]
    fn each_is_found_and_no_other_however_alike_they_begin() {
        let numbers = || (0..3_000).step_by(7);
        let mut serials = Serials::new();
        for number in numbers().rev() {
            assert!(serials.push(&serial(number), entry(number)));
        }
        let serials = serials.settle();
        for (number, place) in numbers().map(|number| (number, serials.position(&serial(number)))) {
            let (place, found) = place.expect("it is there");
            assert_eq!((found, serials.iter().nth(place)), (entry(number), Some((&*serial(number), entry(number)))));
        }
        for absent in [&b""[..], &[0], &[0xff; 4], &[0x40; 9], &[0x41; 9], &[0x40; 21], &[0xff; 21], &[0xff; 22]] {
            assert_eq!(serials.find(absent), None, "{absent:02x?}");
        }
        for number in numbers() {
            let mut near = serial(number);
            *near.last_mut().unwrap() |= 1;
            assert_eq!(serials.find(&near), None);
        }
        assert_eq!(Serials::new().settle().find(&[1]), None);
    }
}
