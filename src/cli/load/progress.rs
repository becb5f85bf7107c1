//! How far it is, on standard error.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::course::Course;
use super::driver::Shared;
use crate::now::Mono;

/// Where nobody looks at a terminal, a line so often.
const LINE: Duration = Duration::from_secs(5);

/// A bar where there is a terminal, else a line now and then.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    course: Course,
    next_line: Mono,
    last: (Mono, u64),
}

impl Progress {
    pub(super) fn new(terminal: bool, course: Course) -> Self {
        let whole = course.logins.or_else(|| course.duration.map(milliseconds)).unwrap_or_default();
        let bar = terminal.then(|| ProgressBar::new(whole));
        if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template("{bar:30} {msg}")) {
            bar.set_style(style);
        }
        Self { bar, course, next_line: Mono(LINE), last: (Mono::default(), 0) }
    }

    /// `draining`: nobody begins any more.
    pub(super) fn tell(&mut self, now: Mono, shared: &Shared, draining: bool) {
        if self.bar.is_none() && now < self.next_line {
            return;
        }
        self.next_line = now + LINE;
        let (answered, failed) = (shared.answered.load(Relaxed), shared.failed.load(Relaxed));
        let underway = shared.underway.load(Relaxed);
        let (then, before) = std::mem::replace(&mut self.last, (now, answered));
        let rate = super::figures::ratio(answered.saturating_sub(before), now.since(then).as_secs_f64());
        let seconds = now.0.as_secs_f64();
        let waits = if draining { "; waiting for them" } else { "" };
        let text =
            format!("{seconds:.1} s  {answered} logins  {rate:.0}/s  {failed} failed  {underway} under way{waits}");
        match &self.bar {
            Some(bar) => {
                bar.set_position(if self.course.logins.is_some() { answered } else { milliseconds(now.0) });
                bar.set_message(text);
            }
            None => eprintln!("{text}"),
        }
    }

    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
