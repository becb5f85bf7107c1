//! What the hall wants to know, on its way to those who find it out; nothing here makes it wait.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::mpsc;

use crate::engine::{Facts, Question, Ticket};
use crate::net::Inquiry;

/// Certificates that may wait to be looked at. One that finds no room is looked at when it comes again.
const SEEN: usize = 256;

/// What the hall asks, and how it is answered.
#[derive(Debug)]
pub(super) struct Asking {
    asked: mpsc::Receiver<(Ticket, Vec<Question>)>,
    answered: Answered,
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
pub(super) fn channels(most: usize, overflows: &Arc<Overflows>) -> (Inquiry, Asking, mpsc::Receiver<Arc<Facts>>) {
    let (ask, asked) = mpsc::channel(most.max(1));
    // As many again: somebody who is told at once may stand beside everybody who waits.
    let (tickets, answers) = mpsc::channel(most.saturating_mul(2).max(1));
    let (see, seen) = mpsc::channel(SEEN);
    let answered = Answered { tickets, overflows: Arc::clone(overflows) };
    let inquiry = Inquiry { ask: Box::new(asks(ask, answered.clone())), seen: Box::new(sees(see, overflows)), answers };
    (inquiry, Asking { asked, answered }, seen)
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
