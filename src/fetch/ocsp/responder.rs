//! How one responder is: whether it is asked, how much at once, and in which manner.

use std::time::Duration;

use super::super::schedule::Jitter;
use crate::now::Mono;

/// Failures in a row after which nobody waits for it any more.
const MAX_FAILURES: u32 = 3;
/// How long it is left alone then; every probe that fails doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Queries at once that somebody waits for. Further ones wait for these.
const MAX_URGENT: usize = 64;
/// Queries at once that nobody waits for.
const MAX_BACKGROUND: usize = 4;
/// One query that nobody waits for may begin in this time, or as many as it would have been in a second. Those that somebody waits for count too, but are not held up.
const PACE: Duration = Duration::from_millis(50);
const BURST: Duration = Duration::from_millis(950);

/// Whether somebody waits for a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    Urgent,
    Background,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// By POST; by GET where it has no nonce and is short.
    Usual,
    /// The other way round, for who refuses that.
    Other,
}

impl Manner {
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Usual => Self::Other,
            Self::Other => Self::Usual,
        }
    }
}

/// What asking it has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Luck {
    /// A good answer.
    Good,
    /// It lives, and says nothing about this certificate ("unauthorized").
    /// Responders with pre-made answers say that of every certificate they don't know (RFC 5019 section 2.2.3): it is no reason to take them away from others. That nobody ever gets more from it, its alarm tells.
    Declined,
    /// Something that isn't a good answer. That may be because of the very certificate, so of one certificate it counts once, however often it is asked about; others' good answers make up for it.
    Odd,
    /// None.
    Failed,
    /// Something that isn't its fault, but ours.
    Ours,
}

/// One responder's health.
#[derive(Clone, Debug)]
pub(super) struct Responder {
    failures: u32,
    /// The certificate that the last odd answer was about.
    odd: Option<u64>,
    open: Option<Open>,
    pub(super) manner: Manner,
    urgent: usize,
    background: usize,
    /// When the next may begin that nobody waits for, if there is no burst.
    paced: Mono,
}

/// It is left alone.
#[derive(Clone, Copy, Debug)]
struct Open {
    until: Mono,
    pause: Duration,
    probing: bool,
}

impl Default for Responder {
    fn default() -> Self {
        let manner = Manner::Usual;
        Self { failures: 0, odd: None, open: None, manner, urgent: 0, background: 0, paced: Mono::default() }
    }
}

impl Responder {
    /// The same, with no query under way.
    pub(super) fn idle(&self) -> Self {
        let open = self.open.map(|open| Open { probing: false, ..open });
        Self { urgent: 0, background: 0, open, ..*self }
    }

    /// Whether it is left alone: nobody waits for it.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether one query may find out how it is.
    pub(super) fn may_be_probed(&self, now: Mono) -> bool {
        self.open.is_some_and(|open| !open.probing && open.until <= now)
    }

    /// Whether one more may begin.
    pub(super) fn has_room(&self, urgency: Urgency, now: Mono) -> bool {
        match urgency {
            Urgency::Urgent => self.urgent < MAX_URGENT,
            Urgency::Background => self.background < MAX_BACKGROUND && self.paced.since(now) <= BURST,
        }
    }

    pub(super) fn begin(&mut self, urgency: Urgency, now: Mono) {
        match urgency {
            Urgency::Urgent => self.urgent += 1,
            Urgency::Background => self.background += 1,
        }
        // However many have come that somebody waited for, the others go on after two seconds.
        self.paced = (self.paced.max(now) + PACE).min(now + 2 * BURST);
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    pub(super) fn end(&mut self, urgency: Urgency) {
        let under_way = match urgency {
            Urgency::Urgent => &mut self.urgent,
            Urgency::Background => &mut self.background,
        };
        *under_way = under_way.saturating_sub(1);
    }

    /// Takes note of what asking it about a certificate has come to. `began`: whether the query began with it, so that it was the probe if there is one.
    pub(super) fn tell(&mut self, luck: Luck, certificate: u64, began: bool, now: Mono, jitter: Jitter) {
        match luck {
            Luck::Ours => {
                if let Some(open) = self.open.as_mut().filter(|_| began) {
                    (open.until, open.probing) = (now + jitter.apply(open.pause), false);
                }
                return;
            }
            Luck::Good | Luck::Declined => {
                (self.failures, self.odd, self.open) = (0, None, None);
                return;
            }
            Luck::Odd if self.open.is_none() && self.odd == Some(certificate) => return,
            Luck::Odd => self.odd = Some(certificate),
            Luck::Failed => {}
        }
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            Some(open) if began && open.probing => {
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                (open.until, open.probing) = (now + jitter.apply(open.pause), false);
            }
            // Of those that were under way when it was left alone.
            Some(_) => {}
            None if self.failures >= MAX_FAILURES => {
                let until = now + jitter.apply(FIRST_PAUSE);
                self.open = Some(Open { until, pause: FIRST_PAUSE, probing: false });
            }
            None => {}
        }
    }
}
