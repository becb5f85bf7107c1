//! What is told at the end.

use std::time::Duration;

use super::process::{Memory, Usage};
use super::tally::Tally;
use crate::now::Mono;

/// Everything that was counted and measured.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) tally: Tally,
    pub(super) seen: Seen,
    pub(super) threads: u16,
    pub(super) resume: f64,
}

/// Both ends of the time that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) from: Look,
    pub(super) to: Look,
    /// The server's memory at the end.
    pub(super) memory: Option<Memory>,
    /// Datagrams that this machine didn't take.
    pub(super) unsent: u64,
    /// Somebody has ended it early.
    pub(super) interrupted: bool,
}

/// What had been done by then.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) at: Mono,
    pub(super) answered: u64,
    pub(super) own: Option<Usage>,
    pub(super) server: Option<Usage>,
}

impl Seen {
    pub(super) fn time(&self) -> Duration {
        self.to.at.since(self.from.at)
    }

    /// Logins to which the server gave its last answer in that time.
    pub(super) fn answered(&self) -> u64 {
        self.to.answered.saturating_sub(self.from.answered)
    }

    pub(super) fn rate(&self) -> f64 {
        ratio(self.answered(), self.time().as_secs_f64())
    }

    /// Of this program.
    pub(super) fn own(&self) -> Option<Cost> {
        self.cost(self.from.own.as_ref()?, self.to.own.as_ref()?)
    }

    /// Of the server; `None` too when it has ended.
    pub(super) fn server(&self) -> Option<Cost> {
        self.cost(self.from.server.as_ref()?, self.to.server.as_ref()?)
    }

    fn cost(&self, from: &Usage, to: &Usage) -> Option<Cost> {
        let cpu = to.since(from);
        let of_a_core = cpu.as_secs_f64() / self.time().as_secs_f64().max(f64::EPSILON);
        let login = u32::try_from(self.answered()).ok().and_then(|answered| cpu.checked_div(answered));
        Some(Cost { cpu, of_a_core, login })
    }
}

/// CPU time, user and system, of all threads of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) cpu: Duration,
    /// 1: it has kept one core busy.
    pub(super) of_a_core: f64,
    /// For one login; `None`: there was none.
    pub(super) login: Option<Duration>,
}

/// `count` for each of `whole`; nought where there is none of it.
#[expect(clippy::cast_precision_loss, reason = "counts of logins are far below 2^52")]
pub(super) fn ratio(count: u64, whole: f64) -> f64 {
    if whole > 0.0 { count as f64 / whole } else { 0.0 }
}
