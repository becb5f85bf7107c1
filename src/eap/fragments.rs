//! Cutting a TLS message into fragments and joining it again (RFC 5216 section 2.1.5), the same on both sides.

use super::Fault;
use super::packet::Fragment;

/// Most octets of data that fit beside header, type, flags and length into one EAP packet.
const MAX_SIZE: usize = u16::MAX as usize - 10;

/// What is still to be sent of a message.
#[derive(Debug)]
pub(super) struct Sender {
    octets: Vec<u8>,
    sent: usize,
    size: usize,
    always_length: bool,
}

impl Sender {
    /// `size`: octets of data in one fragment; `always_length`: with a length on an unfragmented message too, which RFC 9190 section 2.1.9 lets only a peer do.
    pub(super) fn new(size: usize, always_length: bool) -> Self {
        Self { octets: Vec::new(), sent: 0, size: size.clamp(1, MAX_SIZE), always_length }
    }

    /// Takes a message; [`Sender::next`] has its fragments.
    pub(super) fn load(&mut self, octets: Vec<u8>) {
        self.octets = octets;
        self.sent = 0;
    }

    /// Whether fragments are left.
    pub(super) fn pending(&self) -> bool {
        self.sent < self.octets.len()
    }

    /// Hands the next fragment to `write`; an empty message is one empty fragment. What has been sent is forgotten: the hop keeps its answers for repeats.
    pub(super) fn next(&mut self, write: impl FnOnce(Fragment<'_>) -> Vec<u8>) -> Vec<u8> {
        let first = self.sent == 0;
        let rest = self.octets.get(self.sent..).unwrap_or_default();
        let data = rest.get(..self.size).unwrap_or(rest);
        let more = data.len() < rest.len();
        let announced = first && (more || (self.always_length && !data.is_empty()));
        let length = announced.then(|| u32::try_from(self.octets.len()).unwrap_or(u32::MAX));
        let packet = write(Fragment { length, more, start: false, data });
        self.sent = self.sent.saturating_add(data.len());
        if !more {
            self.load(Vec::new());
        }
        packet
    }

    /// Octets held.
    pub(super) fn held(&self) -> usize {
        self.octets.capacity()
    }
}

/// What a fragment did to the message that is being joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// More fragments follow: acknowledge.
    More,
    /// The message is whole; empty: it was an acknowledgement.
    Whole(Vec<u8>),
}

/// What has come of a message. It grows with octets that came, never with a length that was announced.
#[derive(Debug)]
pub(super) struct Receiver {
    octets: Vec<u8>,
    announced: Option<usize>,
    max: usize,
}

impl Receiver {
    /// `max`: longest message in octets.
    pub(super) fn new(max: usize) -> Self {
        Self { octets: Vec::new(), announced: None, max }
    }

    /// Adds a fragment. An announced length is optional, may be repeated in later fragments, and must be the truth.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>) -> Result<Joined, Fault> {
        let total = self.octets.len().saturating_add(fragment.data.len());
        self.note_length(fragment.length)?;
        if total > self.max {
            return Err(Fault::TooLong);
        }
        // With M set at least one octet is still missing.
        let least = if fragment.more { total.saturating_add(1) } else { total };
        if self.announced.is_some_and(|announced| announced < least) {
            return Err(Fault::Length);
        }
        self.octets.extend_from_slice(fragment.data);
        if fragment.more {
            return Ok(Joined::More);
        }
        match self.announced.take() {
            Some(announced) if announced != total => Err(Fault::Length),
            _ => Ok(Joined::Whole(std::mem::take(&mut self.octets))),
        }
    }

    fn note_length(&mut self, length: Option<u32>) -> Result<(), Fault> {
        let Some(length) = length else { return Ok(()) };
        let length = usize::try_from(length).map_err(|_| Fault::TooLong)?;
        if length > self.max {
            return Err(Fault::TooLong);
        }
        match self.announced.replace(length) {
            Some(before) if before != length => Err(Fault::Length),
            _ => Ok(()),
        }
    }

    /// Octets held.
    pub(super) fn held(&self) -> usize {
        self.octets.capacity()
    }
}
