//! What the hall wants to know, on its way to those who find it out; nothing here makes it wait.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::engine::{Facts, Question, Ticket};
use crate::net::Inquiry;

/// Certificates that may wait to be looked at. One that finds no room is looked at when it comes again.
const SEEN: usize = 256;
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
pub(super) fn channels(most: usize, overflows: &Arc<Overflows>) -> (Inquiry, Asking, Seen) {
    let (ask, asked) = mpsc::channel(most.max(1));
    // As many again: somebody who is told at once may stand beside everybody who waits.
    let (tickets, answers) = mpsc::channel(most.saturating_mul(2).max(1));
    let (see, facts) = mpsc::channel(SEEN);
    let answered = Answered { tickets, overflows: Arc::clone(overflows) };
    let inquiry = Inquiry { ask: Box::new(asks(ask, answered.clone())), seen: Box::new(sees(see, overflows)), answers };
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

fn sees(see: mpsc::Sender<Arc<Facts>>, overflows: &Arc<Overflows>) -> impl FnMut(Arc<Facts>) + use<> {
    let overflows = Arc::clone(overflows);
    move |facts| {
        if see.try_send(facts).is_err() {
            overflows.unseen.fetch_add(1, Relaxed);
        }
    }
}
