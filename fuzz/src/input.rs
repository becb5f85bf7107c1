//! Takes a fuzzer's octets apart into what a target wants.

/// What is left of them.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(super) fn octet(&mut self) -> Option<u8> {
        let (octet, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*octet)
    }

    pub(super) fn pair(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    /// Two octets of length, then the octets; a length beyond the end means all that is left.
    pub(super) fn record(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.pair()?).min(self.0.len());
        let (record, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(record)
    }
}
