//! The serial numbers of a CRL, sorted and packed: for each length one row of octets, with dates and reasons beside it.
//! A serial of 16 octets takes 21 octets in all, found by bisection.

use std::cmp::Ordering;

use super::der::MAX_SERIAL;
use crate::now::Wall;

const NO_REASON: u8 = u8::MAX;
/// CRLReason (RFC 5280 section 5.3.1)
pub(super) const CERTIFICATE_HOLD: u8 = 6;
/// The same.
pub(super) const REMOVE_FROM_CRL: u8 = 8;

/// What a CRL says of a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// revocationDate
    pub(super) at: Wall,
    /// CRLReason
    pub(super) reason: Option<u8>,
}

/// Serial numbers without leading zeros, and what is said of them.
pub(super) struct Serials {
    rows: Vec<Row>,
}

/// Serials of one length.
#[derive(Default)]
struct Row {
    serials: Vec<u8>,
    /// Seconds since 1970, clamped to 1970–2106.
    dates: Vec<u32>,
    reasons: Vec<u8>,
}

impl std::fmt::Debug for Serials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} serials", self.len())
    }
}

impl Serials {
    pub(super) fn new() -> Self {
        Self { rows: std::iter::repeat_with(Row::default).take(MAX_SERIAL).collect() }
    }

    /// Adds one. False: it is empty or too long, so it can't be a serial number.
    pub(super) fn push(&mut self, serial: &[u8], entry: Entry) -> bool {
        let Some(row) = serial.len().checked_sub(1).and_then(|row| self.rows.get_mut(row)) else { return false };
        row.serials.extend_from_slice(serial);
        row.dates.push(u32::try_from(entry.at.0.max(0)).unwrap_or(u32::MAX));
        row.reasons.push(entry.reason.unwrap_or(NO_REASON));
        true
    }

    /// Sorts what was added; of one that stands twice what lasts counts before a hold, both before `removeFromCRL`, and then the earlier date.
    pub(super) fn settle(mut self) -> Self {
        for (row, width) in self.rows.iter_mut().zip(1..) {
            row.settle(width);
        }
        self
    }

    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|row| row.dates.len()).sum()
    }

    /// Octets of memory that the entries take.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        self.rows.iter().map(|row| row.serials.capacity() + row.dates.capacity() * 4 + row.reasons.capacity()).sum()
    }

    /// All of them, the shorter ones first, those of one length in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Entry)> {
        self.rows.iter().zip(1..).flat_map(|(row, width)| {
            (0..row.dates.len()).filter_map(move |index| Some((row.serial(index, width)?, row.entry(index)?)))
        })
    }

    /// Tells of each of these, in the same order, that none of the others has with an entry that `counts`. One walk through all of them.
    pub(super) fn missing_from<'a>(
        &'a self,
        others: &[&Self],
        counts: impl Fn(Entry) -> bool,
        mut tell: impl FnMut(&'a [u8], Entry),
    ) {
        let mut width = 0;
        let mut places: Vec<(usize, &Row)> = Vec::new();
        for (serial, entry) in self.iter() {
            if serial.len() != width {
                width = serial.len();
                places = others.iter().filter_map(|other| Some((0, other.rows.get(width - 1)?))).collect();
            }
            let has = |(place, row): &mut (usize, &Row)| row.reach(place, serial).is_some_and(&counts);
            if !places.iter_mut().any(has) {
                tell(serial, entry);
            }
        }
    }

    pub(super) fn find(&self, serial: &[u8]) -> Option<Entry> {
        let (row, index) = self.place(serial)?;
        row.entry(index)
    }

    /// Which of all in the order of [`Serials::iter`] it is, and what is said of it.
    pub(super) fn position(&self, serial: &[u8]) -> Option<(usize, Entry)> {
        let (row, index) = self.place(serial)?;
        let shorter: usize = self.rows.iter().take(serial.len() - 1).map(|row| row.dates.len()).sum();
        Some((shorter + index, row.entry(index)?))
    }

    fn place(&self, serial: &[u8]) -> Option<(&Row, usize)> {
        let width = serial.len();
        let row = self.rows.get(width.checked_sub(1)?)?;
        let (mut low, mut high) = (0, row.dates.len());
        while low < high {
            let middle = low.midpoint(high);
            match row.serial(middle, width)?.cmp(serial) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some((row, middle)),
            }
        }
        None
    }
}

impl Row {
    fn serial(&self, index: usize, width: usize) -> Option<&[u8]> {
        self.serials.get(index * width..)?.get(..width)
    }

    /// Moves on to the first that isn't before a serial; what is said of it, if it is that one.
    fn reach(&self, place: &mut usize, serial: &[u8]) -> Option<Entry> {
        while let Some(own) = self.serial(*place, serial.len()) {
            match own.cmp(serial) {
                Ordering::Less => *place += 1,
                Ordering::Equal => return self.entry(*place),
                Ordering::Greater => return None,
            }
        }
        None
    }

    fn entry(&self, index: usize) -> Option<Entry> {
        let reason = *self.reasons.get(index)?;
        let at = Wall(i64::from(*self.dates.get(index)?));
        Some(Entry { at, reason: (reason != NO_REASON).then_some(reason) })
    }

    /// How easily what an entry says ends: not at all, by a delta CRL, or it is the end itself.
    fn lifts(&self, index: usize) -> u8 {
        match self.reasons.get(index) {
            Some(&REMOVE_FROM_CRL) => 2,
            Some(&CERTIFICATE_HOLD) => 1,
            _ => 0,
        }
    }

    fn settle(&mut self, width: usize) {
        let mut order = self.order(width);
        order.dedup_by(|later, earlier| self.serial(later.1, width) == self.serial(earlier.1, width));
        let mut sorted = Self {
            serials: Vec::with_capacity(order.len() * width),
            dates: Vec::with_capacity(order.len()),
            reasons: Vec::with_capacity(order.len()),
        };
        for (_, index) in order {
            let fields = (self.serial(index, width), self.dates.get(index), self.reasons.get(index));
            if let (Some(serial), Some(date), Some(reason)) = fields {
                sorted.serials.extend_from_slice(serial);
                sorted.dates.push(*date);
                sorted.reasons.push(*reason);
            }
        }
        *self = sorted;
    }

    /// Indices in the order of serials, then dates. The first eight octets stand beside each, so that comparing seldom goes to memory.
    fn order(&self, width: usize) -> Vec<(u64, usize)> {
        let mut order: Vec<_> = self.serials.chunks_exact(width).map(leading).zip(0..).collect();
        order.sort_unstable_by(|one, other| {
            one.0
                .cmp(&other.0)
                .then_with(|| self.serial(one.1, width).cmp(&self.serial(other.1, width)))
                .then_with(|| self.lifts(one.1).cmp(&self.lifts(other.1)))
                .then_with(|| self.dates.get(one.1).cmp(&self.dates.get(other.1)))
        });
        order
    }
}

fn leading(serial: &[u8]) -> u64 {
    let mut octets = [0; 8];
    for (into, octet) in octets.iter_mut().zip(serial) {
        *into = *octet;
    }
    u64::from_be_bytes(octets)
}
