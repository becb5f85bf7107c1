//! When a source is asked again: told the time and its luck, so that tests turn the clock.

use std::ops::Range;
use std::time::Duration;

use crate::now::{Mono, Now, Wall};

/// The first pause after a failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// What has a nextUpdate is asked for this long before it at the earliest, or when a tenth of its life is left.
const LONGEST_LEAD: Duration = Duration::from_secs(3_600);
/// Doublings after which a pause grows no more.
const MAX_DOUBLINGS: u32 = 16;

/// Where a pause lies between nine and eleven tenths of what it would be, so that many servers don't ask at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(u8);

impl Jitter {
    #[cfg(test)]
    pub(super) const SHORTEST: Self = Self(0);
    #[cfg(test)]
    pub(super) const LONGEST: Self = Self(u8::MAX);

    /// By chance; in the middle where the system has none.
    pub(super) fn random() -> Self {
        let mut octet = [0];
        Self(aws_lc_rs::rand::fill(&mut octet).map_or(128, |()| octet[0]))
    }

    pub(super) fn apply(self, pause: Duration) -> Duration {
        pause.mul_f64(0.9 + 0.2 * f64::from(self.0) / 255.0)
    }
}

/// When one source is due.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    refresh: Duration,
    due: Mono,
    failures: u32,
}

impl Schedule {
    /// Due at once, then every `refresh`.
    pub(super) fn new(refresh: Duration, now: Mono) -> Self {
        Self { refresh, due: now, failures: 0 }
    }

    /// Since when it is due, or will be.
    pub(super) fn due(&self) -> Mono {
        self.due
    }

    pub(super) fn is_due(&self, now: Mono) -> bool {
        self.due <= now
    }

    /// It is wanted now, whatever was planned.
    pub(super) fn hasten(&mut self, now: Mono) {
        self.due = self.due.min(now);
    }

    /// The source has answered. `life`: thisUpdate and nextUpdate of what counts now.
    pub(super) fn succeeded(&mut self, now: Now, life: Option<Range<Wall>>, jitter: Jitter) {
        self.failures = 0;
        let refresh = jitter.apply(self.refresh);
        let pause = life.map_or(refresh, |life| refresh.min(until_pressing(&life, now.wall)));
        self.due = now.mono + pause;
    }

    /// The source has answered, and is asked again after this.
    pub(super) fn rests(&mut self, now: Mono, pause: Duration, jitter: Jitter) {
        self.failures = 0;
        self.due = now + jitter.apply(pause);
    }

    /// The source has not answered, or with nothing that is any good.
    pub(super) fn failed(&mut self, now: Mono, jitter: Jitter) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(MAX_DOUBLINGS)).min(self.refresh);
        self.failures = self.failures.saturating_add(1);
        self.due = now + jitter.apply(pause);
    }
}

/// How long one may wait so as to ask before nextUpdate. From then on: a tenth of what was left, for a new one should be there any moment.
fn until_pressing(life: &Range<Wall>, now: Wall) -> Duration {
    let lead = (life.start.until(life.end) / 10).min(LONGEST_LEAD);
    let left = now.until(life.end);
    match left.checked_sub(lead) {
        Some(wait) if !wait.is_zero() => wait,
        _ => (lead / 10).max(FIRST_PAUSE),
    }
}
