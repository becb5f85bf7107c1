//! Which sessions are judged next: all of them whenever what they are judged by has changed, and now and then without, since a date may have come.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::Duration;

use super::super::session::{Session, SessionId};
use crate::now::Mono;

/// A `distrust` has a date, and a CRL's thisUpdate may lie ahead.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Goes round all sessions by their numbers. One that is begun again in the middle goes on to the end and then from the beginning to where it was, so that whoever changes things often never keeps it from those at the end.
#[derive(Debug)]
pub(super) struct Sweep {
    at: SessionId,
    /// Up to where it goes from the beginning; `None`: nobody waits.
    until: Option<SessionId>,
    /// Whether it has come round.
    round: bool,
    again: Mono,
}

impl Sweep {
    pub(super) fn new(now: Mono) -> Self {
        Self { at: SessionId(0), until: None, round: false, again: now + EVERY }
    }

    pub(super) fn begin(&mut self) {
        self.until = Some(self.at);
        self.round = false;
    }

    /// Whether nobody waits.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_none()
    }

    /// When there is something to do.
    pub(super) fn due(&self) -> Mono {
        if self.until.is_some() { Mono::default() } else { self.again }
    }

    /// The next to be judged, so many at most.
    pub(super) fn slice(&mut self, now: Mono, most: usize, all: &BTreeMap<SessionId, Session>) -> Vec<SessionId> {
        if self.until.is_none() && self.again <= now {
            self.begin();
        }
        let Some(until) = self.until else { return Vec::new() };
        self.again = now + EVERY;
        let mut slice: Vec<SessionId> =
            all.range((Excluded(self.at), Unbounded)).take(most).map(|(id, _)| *id).collect();
        if self.round {
            slice.retain(|id| *id <= until);
        }
        match slice.last() {
            Some(last) if slice.len() == most => self.at = *last,
            // All of this way round have been judged.
            _ if self.round || until == SessionId(0) => (self.at, self.until) = (SessionId(0), None),
            _ => (self.at, self.round) = (SessionId(0), true),
        }
        slice
    }
}
