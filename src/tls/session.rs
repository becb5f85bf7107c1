//! What can resume a session: rustls' own state without the client's chain, and our facts beside it.
//!
//! rustls writes the client's whole chain into the state that it hands out, 1.2 to 2 kB that a client would have to carry back in every ClientHello. Nobody needs it:
//! who the client is stands in what the judge kept. So each certificate is cut out, and octets of value zero stand in for it when rustls gets its state back.

use std::time::Duration;

use aws_lc_rs::aead::MAX_TAG_LEN;
use moka::sync::Cache;
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::now::Wall;
use crate::secret::Secret;

/// No session is resumed after more than seven days, whatever the settings say (RFC 8446 section 4.6.1).
pub(super) const LONGEST: Duration = Duration::from_secs(604_800);

/// Octets that were cut out of rustls' state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    offset: u16,
    length: u16,
}

impl Piece {
    fn range(self) -> std::ops::Range<usize> {
        let offset = usize::from(self.offset);
        offset..offset.saturating_add(usize::from(self.length))
    }
}

/// Our facts about a session that may be resumed.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// When the full handshake took place; a chain of resumptions doesn't move it.
    pub(super) issued: Wall,
    /// What the judge returned in the full handshake.
    pub(super) kept: Vec<u8>,
}

impl Facts {
    /// How much longer the session may be resumed; `None`: no more, or its time is yet to come.
    pub(super) fn remaining(&self, now: Wall, lifetime: Duration) -> Option<Duration> {
        let age = u64::try_from(now.0.checked_sub(self.issued.0)?).ok()?;
        lifetime.min(LONGEST).checked_sub(Duration::from_secs(age))
    }
}

/// A session as it is sealed into a ticket or remembered under a session id.
pub(super) struct Session {
    pub(super) facts: Facts,
    pub(super) pieces: Vec<Piece>,
    state: Zeroizing<Vec<u8>>,
}

impl Session {
    /// Takes `pieces` out of rustls' state. `None`: they don't lie within it, in order.
    pub(super) fn new(facts: Facts, state: &[u8], pieces: Vec<Piece>) -> Option<Self> {
        let mut rest = Zeroizing::new(Vec::with_capacity(state.len()));
        let mut at = 0;
        for piece in &pieces {
            let range = piece.range();
            rest.extend_from_slice(state.get(at..range.start)?);
            state.get(range.clone())?;
            at = range.end;
        }
        rest.extend_from_slice(state.get(at..)?);
        Some(Self { facts, pieces, state: rest })
    }

    /// rustls' state, zeros in place of what was cut out.
    pub(super) fn state(&self) -> Option<Vec<u8>> {
        let cut: usize = self.pieces.iter().map(|piece| usize::from(piece.length)).sum();
        let mut state = Vec::with_capacity(self.state.len().saturating_add(cut));
        let mut rest = self.state.as_slice();
        for piece in &self.pieces {
            let before = piece.range().start.checked_sub(state.len())?;
            let (head, tail) = rest.split_at_checked(before)?;
            state.extend_from_slice(head);
            state.resize(piece.range().end, 0);
            rest = tail;
        }
        state.extend_from_slice(rest);
        Some(state)
    }

    /// Appends the octets form: time, length of `kept`, `kept`, number of pieces, pieces, state.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let kept = u16::try_from(self.facts.kept.len()).ok()?;
        let pieces = u8::try_from(self.pieces.len()).ok()?;
        // At once, so that no secret stays behind in a buffer that was too short; with room for the tag that a ticket gets.
        let around =
            size_of::<i64>() + size_of_val(&kept) + size_of_val(&pieces) + 4 * usize::from(pieces) + MAX_TAG_LEN;
        out.reserve_exact(around.saturating_add(usize::from(kept)).saturating_add(self.state.len()));
        out.extend_from_slice(&self.facts.issued.0.to_be_bytes());
        out.extend_from_slice(&kept.to_be_bytes());
        out.extend_from_slice(&self.facts.kept);
        out.push(pieces);
        for piece in &self.pieces {
            out.extend_from_slice(&piece.offset.to_be_bytes());
            out.extend_from_slice(&piece.length.to_be_bytes());
        }
        out.extend_from_slice(&self.state);
        Some(())
    }

    /// The inverse of [`Session::encode`].
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        let (issued, rest) = octets.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (kept, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (&count, mut rest) = rest.split_first()?;
        let mut pieces = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let (&[a, b, c, d], tail) = rest.split_first_chunk()?;
            pieces.push(Piece { offset: u16::from_be_bytes([a, b]), length: u16::from_be_bytes([c, d]) });
            rest = tail;
        }
        let facts = Facts { issued: Wall(i64::from_be_bytes(*issued)), kept: kept.to_vec() };
        Some(Self { facts, pieces, state: Zeroizing::new(rest.to_vec()) })
    }
}

/// Where the certificates of `chain` stand in rustls' state; `None`: it doesn't hold them all, one after the other.
pub(super) fn find(state: &[u8], chain: &[CertificateDer<'_>]) -> Option<Vec<Piece>> {
    let mut from = 0;
    let mut pieces = Vec::with_capacity(chain.len());
    for certificate in chain {
        let der = certificate.as_ref();
        let ahead = state.get(from..)?;
        let offset = from.checked_add(ahead.windows(der.len().max(1)).position(|window| window == der)?)?;
        from = offset.checked_add(der.len())?;
        pieces.push(Piece { offset: u16::try_from(offset).ok()?, length: u16::try_from(der.len()).ok()? });
    }
    Some(pieces)
}

/// Whether zeros stand in all these places of rustls' state: the stand-ins of an earlier ticket.
pub(super) fn all_zero(state: &[u8], pieces: &[Piece]) -> bool {
    pieces.iter().all(|piece| state.get(piece.range()).is_some_and(|octets| octets.iter().all(|octet| *octet == 0)))
}

/// A session that a client may name by its TLS 1.2 session id.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    /// What a client that resumes must share.
    pub(super) context: Box<[u8]>,
    /// An encoded [`Session`].
    pub(super) session: Secret,
}

/// The sessions that TLS 1.2 clients without tickets may resume, bounded by number. Their age is judged by whoever gets one: this knows no time.
#[derive(Clone, Debug)]
pub(super) struct SessionIds {
    sessions: Cache<Vec<u8>, Remembered>,
}

impl SessionIds {
    /// Room for `most`; those of `previous` come along.
    pub(super) fn new(most: u64, previous: Option<&Self>) -> Self {
        if let Some(previous) = previous.filter(|previous| previous.most() == most) {
            return previous.clone();
        }
        let ids = Self { sessions: Cache::new(most) };
        for (id, remembered) in previous.iter().flat_map(|previous| previous.sessions.iter()) {
            ids.insert(id.to_vec(), remembered);
        }
        ids
    }

    /// How many it may hold.
    pub(super) fn most(&self) -> u64 {
        self.sessions.policy().max_capacity().unwrap_or(0)
    }

    pub(super) fn insert(&self, id: Vec<u8>, remembered: Remembered) {
        self.sessions.insert(id, remembered);
    }

    pub(super) fn get(&self, id: &[u8]) -> Option<Remembered> {
        self.sessions.get(id)
    }

    pub(super) fn forget(&self, id: &[u8]) {
        self.sessions.invalidate(id);
    }

    /// How many there are, once the cache has evicted what it has put off.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.sessions.run_pending_tasks();
        self.sessions.entry_count()
    }
}
