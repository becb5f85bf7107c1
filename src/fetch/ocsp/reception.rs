//! The desk in use and who waits at it: a reload exchanges the desk, and nobody is forgotten over that.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::super::http::Client;
use super::{Asked, Desk, Finished, Outcome, Tick};
use crate::now::Now;
use crate::pki::{Inserted, Question, Trust};

/// A [`Desk`] that may be exchanged for another. `T`: as there.
#[derive(Debug)]
pub(crate) struct Reception<T> {
    desk: Desk<T>,
    /// Whoever has been told to wait, and what for.
    waiting: HashMap<T, Vec<Question>>,
}

/// What came of exchanging a desk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replaced<T> {
    /// Those who need not wait there.
    pub(crate) ready: Vec<T>,
    /// Whether the new desk did not know of something that it is revoked.
    pub(crate) revoked: bool,
}

impl<T: Clone + Eq + Hash> Reception<T> {
    pub(crate) fn new(desk: Desk<T>) -> Self {
        Self { desk, waiting: HashMap::new() }
    }

    /// The desk in use.
    pub(crate) fn desk(&self) -> &Desk<T> {
        &self.desk
    }

    /// The same, for all but asking, ticking and finishing, which are this one's.
    pub(crate) fn desk_mut(&mut self) -> &mut Desk<T> {
        &mut self.desk
    }

    /// As [`Desk::ask`].
    pub(crate) fn ask(&mut self, now: Now, ticket: T, questions: Vec<Question>) -> Asked {
        let asked = self.desk.ask(now, ticket.clone(), questions.clone());
        if asked == Asked::Waiting {
            self.waiting.insert(ticket, questions);
        }
        asked
    }

    /// As [`Desk::tick`].
    pub(crate) fn tick(&mut self, now: Now, trust: &Arc<Trust>, client: &Arc<Client>) -> Tick<T> {
        let tick = self.desk.tick(now, trust, client);
        Tick { ready: self.leaving(tick.ready), ..tick }
    }

    /// As [`Desk::finish`].
    pub(crate) fn finish(&mut self, outcome: Outcome, now: Now) -> Finished<T> {
        let finished = self.desk.finish(outcome, now);
        Finished { ready: self.leaving(finished.ready), ..finished }
    }

    /// Puts a desk in the place of this one; whoever waits asks there again, also who came while it was made. What came to be known as revoked meanwhile stays so, where `trust`, the next desk's, still asks about that CA's certificates.
    pub(crate) fn replace(&mut self, now: Now, desk: Desk<T>, trust: &Trust) -> Replaced<T> {
        let before = std::mem::replace(&mut self.desk, desk);
        let is_asked = |question: &Question| trust.consulted(&question.authority).contains(&question.issuer);
        let revoked = before.answers().iter().filter(|answer| answer.revokes() && is_asked(&answer.question));
        let inserted: Vec<_> = revoked.map(|answer| self.desk.answers().insert(answer)).collect();
        let waiting = std::mem::take(&mut self.waiting);
        let asked = waiting.into_iter().filter_map(|(ticket, questions)| {
            let asked = self.ask(now, ticket.clone(), questions);
            (asked == Asked::Nothing).then_some(ticket)
        });
        Replaced { ready: asked.collect(), revoked: inserted.contains(&Inserted::NewlyRevoked) }
    }

    /// Each ticket goes once, however often a desk gives it back.
    fn leaving(&mut self, ready: Vec<T>) -> Vec<T> {
        ready.into_iter().filter(|ticket| self.waiting.remove(ticket).is_some()).collect()
    }
}
