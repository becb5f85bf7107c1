//! Sources that have been silent for too long.

use std::sync::Arc;
use std::time::Duration;

/// A source that has had no success for longer than its `alarm-after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) authority: Arc<str>,
    pub(crate) source: Arc<str>,
    /// How long.
    pub(crate) silent: Duration,
    /// What became of the last attempt; `None`: it was good, or there was none.
    pub(crate) failure: Option<String>,
}

/// The alarms of one look at all sources.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// Sources that have been of no use for too long since this look, and since before it.
    pub(crate) began: Vec<Alarm>,
    pub(crate) lasting: Vec<Alarm>,
    /// Sources that have been heard of again, or are not wanted any more.
    pub(crate) ended: Vec<Alarm>,
}

impl Alarms {
    /// Takes note of a source that was silent for too long at the look before, or is at this one.
    pub(super) fn note(&mut self, was: bool, is: bool, alarm: impl FnOnce() -> Alarm) {
        match (was, is) {
            (false, true) => self.began.push(alarm()),
            (true, true) => self.lasting.push(alarm()),
            (true, false) => self.ended.push(alarm()),
            (false, false) => {}
        }
    }
}
