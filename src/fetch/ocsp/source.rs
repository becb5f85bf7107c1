//! What an authority has had of a responder: its last success, and the alarm when it is of no use.

use std::sync::Arc;
use std::time::Duration;

use super::super::alarms::{Alarm, Alarms};
use super::SEEN_FOR;
use crate::now::{Mono, Now, Wall};

/// How often a responder that is now well and now not is told of.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A responder, for one authority.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) authority: Arc<str>,
    /// The URL as metrics and problems have it.
    pub(super) name: Arc<str>,
    alarm_after: Duration,
    pub(super) last_success: Option<Wall>,
    /// The first time since that it was asked in vain.
    silent: Option<Mono>,
    /// When it was last asked.
    wanted: Mono,
    alarmed: bool,
    failure: Option<String>,
    /// When it was last told of, and whether that was a failure.
    told: Option<(Mono, bool)>,
}

impl Source {
    pub(super) fn new(authority: Arc<str>, name: Arc<str>, alarm_after: Duration, now: Mono) -> Self {
        Self {
            authority,
            name,
            alarm_after,
            last_success: None,
            silent: None,
            wanted: now,
            alarmed: false,
            failure: None,
            told: None,
        }
    }

    /// The same with another `alarm-after`.
    pub(super) fn with(self, alarm_after: Duration) -> Self {
        Self { alarm_after, ..self }
    }

    /// It was asked. What to say, if that is news.
    pub(super) fn tell(&mut self, outcome: Result<(), &str>, now: Now) -> Option<Result<String, String>> {
        self.wanted = now.mono;
        match outcome {
            Ok(()) => {
                (self.last_success, self.silent, self.failure) = (Some(now.wall), None, None);
                let is_news = self.told.is_some_and(|(_, bad)| bad) && self.may_tell(now.mono, false);
                is_news.then(|| Ok(format!("{}: answers again", self.label())))
            }
            Err(text) => {
                self.silent.get_or_insert(now.mono);
                self.failure = Some(text.to_owned());
                let is_news = self.told.is_none_or(|(_, bad)| !bad) && self.may_tell(now.mono, true);
                is_news.then(|| Err(format!("{}: {text}", self.label())))
            }
        }
    }

    fn may_tell(&mut self, now: Mono, bad: bool) -> bool {
        let may = self.told.is_none_or(|(at, _)| now.since(at) >= TELL_EVERY);
        if may {
            self.told = Some((now, bad));
        }
        may
    }

    fn label(&self) -> String {
        format!("authority {}: {}", self.authority, self.name)
    }

    /// Whether it has been of no use for too long, and somebody wants it.
    fn is_silent(&self, now: Mono) -> bool {
        now.since(self.wanted) < self.alarm_after.max(SEEN_FOR)
            && self.silent.is_some_and(|since| now.since(since) >= self.alarm_after)
    }

    /// Whether it has been silent for too long, and whether that is new.
    pub(super) fn look(&mut self, now: Mono, alarms: &mut Alarms) {
        let is_silent = self.is_silent(now);
        let was_silent = std::mem::replace(&mut self.alarmed, is_silent);
        alarms.note(was_silent, is_silent, || self.alarm(now));
    }

    fn alarm(&self, now: Mono) -> Alarm {
        Alarm {
            authority: Arc::clone(&self.authority),
            source: Arc::clone(&self.name),
            silent: self.silent.map_or(Duration::ZERO, |since| now.since(since)),
            failure: self.failure.clone(),
        }
    }
}
