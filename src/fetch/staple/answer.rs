//! An answer about a certificate of ours.

use std::ops::Range;
use std::time::Duration;

use crate::now::Wall;
use crate::pki::OcspAnswer;

/// An answer is taken off this long before its end: whoever gets it has to find it good still.
const MARGIN: Duration = Duration::from_secs(30);

/// A verified answer and its octets.
#[derive(Debug)]
pub(super) struct Staple {
    pub(super) answer: OcspAnswer,
    pub(super) der: Vec<u8>,
}

impl Staple {
    pub(super) fn can_be_stapled(&self, now: Wall) -> bool {
        now + MARGIN < self.answer.end()
    }

    pub(super) fn life(&self) -> Range<Wall> {
        self.answer.name().this_update..self.answer.end()
    }

    /// Whether it may take the place of another: it is newer, or says of the same moment nothing better.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        let (own, others) = (self.answer.name().this_update, other.answer.name().this_update);
        own > others || own == others && (self.answer.revokes() || !other.answer.revokes())
    }
}
