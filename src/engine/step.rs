//! A piece of public-key work that runs on any thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::access::{Dialogue, Worked};
use crate::now::Now;

/// Public-key work of one conversation: owns all that it needs, runs on any thread.
#[derive(Debug)]
pub struct Step {
    pub(super) number: u64,
    pub(super) conversation: Box<Dialogue>,
    pub(super) begun: bool,
}

/// A [`Step`] that has been run.
#[derive(Debug)]
pub struct Stepped {
    pub(super) number: u64,
    pub(super) begun: bool,
    /// `None`: the work panicked, and the conversation with it.
    pub(super) result: Option<(Box<Dialogue>, Worked)>,
}

impl Step {
    /// Does the work. A panic in it ends this conversation and no other.
    #[must_use]
    pub fn run(self, now: Now) -> Stepped {
        self.guard(|conversation| conversation.work(now))
    }

    pub(super) fn guard(self, work: impl FnOnce(&mut Dialogue) -> Worked) -> Stepped {
        let Self { number, mut conversation, begun } = self;
        // The conversation moves into the closure and is gone with a panic: nobody sees it half changed.
        let work = move || {
            let worked = work(&mut conversation);
            (conversation, worked)
        };
        Stepped { number, begun, result: catch_unwind(AssertUnwindSafe(work)).ok() }
    }
}
