//! What the hall wants to know, on its way to those who find it out; nothing here makes it wait.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::engine::{Facts, Question, Ticket};
use crate::lock::lock;
use crate::net::{Clock, Inquiry};
use crate::now::Mono;
use crate::pki::Locations;

/// Certificates that may wait to be looked at. One that finds no room is looked at when it comes again.
const SEEN: usize = 256;
/// One that comes again within this time is not looked at again: nobody has to wake up for it.
const AGAIN: Duration = Duration::from_secs(60);
/// Certificates of which that is remembered.
const REMEMBERED: usize = 20_000;

/// Which certificates were looked at of late.
#[derive(Debug, Default)]
pub(super) struct Looked(Mutex<HashMap<Look, Mono>>);

/// A certificate that a ticket carried doesn't tell where its revocation data is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Look {
    fingerprint: [u8; 32],
    authority: Arc<str>,
    tells_locations: bool,
}

impl Look {
    fn of(facts: &Facts) -> Self {
        let Facts { fingerprint, authority, locations, .. } = facts;
        Self {
            fingerprint: *fingerprint,
            authority: Arc::clone(authority),
            tells_locations: **locations != Locations::default(),
        }
    }
}

impl Looked {
    /// What a look is for has changed: each certificate is looked at again when it comes.
    pub(super) fn forget(&self) {
        let looked = self.with(std::mem::take);
        // The hall need not wait for this.
        drop(looked);
    }

    /// Whether it was not looked at within a minute.
    fn wants(&self, now: Mono, look: &Look) -> bool {
        self.with(|looked| looked.get(look).is_none_or(|at| now.since(*at) >= AGAIN))
    }

    fn remember(&self, now: Mono, look: Look) {
        self.with(|looked| {
            if looked.len() >= REMEMBERED {
                looked.clear();
            }
            looked.insert(look, now);
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Look, Mono>) -> T) -> T {
        work(&mut lock(&self.0))
    }
}

/// Between two looks at those that wait. What they say is wanted at the next login at the earliest.
const REST: Duration = Duration::from_millis(20);

/// What the hall asks, and how it is answered.
#[derive(Debug)]
pub(super) struct Asking {
    asked: mpsc::Receiver<(Ticket, Vec<Question>)>,
    answered: Answered,
}

/// Certificates that were judged, in heaps, so that a login wakes nobody here.
#[derive(Debug)]
pub(super) struct Seen {
    facts: mpsc::Receiver<Arc<Facts>>,
    rests_until: Instant,
}

impl Seen {
    /// The next heap; `None`: the hall has ended. Nothing is lost when this is given up.
    pub(super) async fn next(&mut self) -> Option<Vec<Arc<Facts>>> {
        sleep_until(self.rests_until).await;
        let mut heap = Vec::new();
        if self.facts.recv_many(&mut heap, SEEN).await == 0 {
            return None;
        }
        self.rests_until = Instant::now() + REST;
        Some(heap)
    }
}

/// What found no room.
#[derive(Debug, Default)]
pub(super) struct Overflows {
    /// Logins that were decided at once with what was known, or had to wait for longer than they needed to.
    pub(super) questions: AtomicU64,
    /// Certificates that weren't looked at.
    pub(super) unseen: AtomicU64,
}

#[derive(Clone, Debug)]
struct Answered {
    tickets: mpsc::Sender<Ticket>,
    overflows: Arc<Overflows>,
}

impl Answered {
    fn say(&self, ticket: Ticket) {
        if self.tickets.try_send(ticket).is_err() {
            // The hall decides when its time is up.
            self.overflows.questions.fetch_add(1, Relaxed);
        }
    }
}

impl Asking {
    /// The next question; `None`: the hall has ended.
    pub(super) async fn next(&mut self) -> Option<(Ticket, Vec<Question>)> {
        self.asked.recv().await
    }

    /// What there is to know is known.
    pub(super) fn answer(&self, ticket: Ticket) {
        self.answered.say(ticket);
    }
}

/// Both ends. `most`: how many logins may wait for answers at once.
pub(super) fn channels(
    most: usize,
    overflows: &Arc<Overflows>,
    looked: &Arc<Looked>,
    clock: Clock,
) -> (Inquiry, Asking, Seen) {
    let (ask, asked) = mpsc::channel(most.max(1));
    // As many again: somebody who is told at once may stand beside everybody who waits.
    let (tickets, answers) = mpsc::channel(most.saturating_mul(2).max(1));
    let (see, facts) = mpsc::channel(SEEN);
    let answered = Answered { tickets, overflows: Arc::clone(overflows) };
    let sees = sees(see, Arc::clone(overflows), Arc::clone(looked), clock);
    let inquiry = Inquiry { ask: Box::new(asks(ask, answered.clone())), seen: Box::new(sees), answers };
    (inquiry, Asking { asked, answered }, Seen { facts, rests_until: Instant::now() })
}

fn asks(ask: mpsc::Sender<(Ticket, Vec<Question>)>, answered: Answered) -> impl FnMut(Ticket, Vec<Question>) {
    move |ticket, questions| {
        if ask.try_send((ticket, questions)).is_err() {
            answered.overflows.questions.fetch_add(1, Relaxed);
            answered.say(ticket);
        }
    }
}

fn sees(
    see: mpsc::Sender<Arc<Facts>>,
    overflows: Arc<Overflows>,
    looked: Arc<Looked>,
    clock: Clock,
) -> impl FnMut(Arc<Facts>) {
    move |facts| {
        let (now, look) = (clock.mono(), Look::of(&facts));
        if !looked.wants(now, &look) {
            return;
        }
        match see.try_send(facts) {
            Ok(()) => looked.remember(now, look),
            Err(_) => drop(overflows.unseen.fetch_add(1, Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(fingerprint: u8, tells_locations: bool) -> Look {
        Look { fingerprint: [fingerprint; 32], authority: "ca".into(), tells_locations }
    }

    #[test]
    fn a_certificate_is_looked_at_again_after_a_minute_or_when_something_has_changed() {
        let (looked, at) = (Looked::default(), |seconds| Mono(Duration::from_secs(seconds)));
        assert!(looked.wants(at(100), &look(1, false)));
        looked.remember(at(100), look(1, false));
        assert!(!looked.wants(at(159), &look(1, false)));
        assert!(looked.wants(at(159), &look(1, true)), "its ticket didn't tell where its revocation data is");
        assert!(looked.wants(at(159), &look(2, false)));
        assert!(looked.wants(at(160), &look(1, false)));
        looked.forget();
        assert!(looked.wants(at(101), &look(1, false)));
    }

    #[test]
    fn as_many_as_are_remembered_come_again() {
        let looked = Looked::default();
        for number in 0..=u32::try_from(REMEMBERED).expect("few") {
            let mut one = look(0, false);
            one.fingerprint[..4].copy_from_slice(&number.to_be_bytes());
            looked.remember(Mono(Duration::ZERO), one);
        }
        assert_eq!(looked.with(|looked| looked.len()), 1, "it begins anew, and stays bounded");
    }
}
