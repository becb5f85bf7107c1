//! The certificates of which somebody has asked: a bounded table, the least recently seen goes first.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::super::schedule::Schedule;
use super::SEEN_FOR;
use crate::now::Mono;
use crate::pki::Question;

/// One certificate.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) question: Question,
    /// Who is asked.
    pub(super) line: usize,
    pub(super) schedule: Schedule,
    /// When there was last a good answer, in the lifetime of this process.
    pub(super) answered: Option<Mono>,
    /// Those who wait, by number.
    pub(super) waits: Vec<u64>,
    seen: Mono,
    state: State,
}

/// What is being done about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing before it is due.
    Idle,
    /// Somebody waits since then for it to be asked about.
    Queued(Mono),
    /// It is being asked about.
    InFlight,
}

/// All of them, by number.
#[derive(Clone, Debug)]
pub(super) struct Table {
    most: usize,
    next: u64,
    numbers: HashMap<Question, u64>,
    entries: HashMap<u64, Entry>,
    /// (when seen, number)
    recent: BTreeSet<(Mono, u64)>,
    /// (line, due, number) of those that are idle.
    due: BTreeSet<(usize, Mono, u64)>,
}

impl Table {
    pub(super) fn new(most: u64) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX).max(1),
            next: 0,
            numbers: HashMap::new(),
            entries: HashMap::new(),
            recent: BTreeSet::new(),
            due: BTreeSet::new(),
        }
    }

    /// Somebody asks about it, or is it. One that is new is due at once, and makes another go where there is no room.
    pub(super) fn see(&mut self, question: Question, line: usize, refresh: Duration, now: Mono) -> u64 {
        if let Some(number) = self.numbers.get(&question).copied() {
            if let Some(entry) = self.entries.get_mut(&number) {
                self.recent.remove(&(entry.seen, number));
                self.recent.insert((now, number));
                entry.seen = now;
            }
            return number;
        }
        if self.entries.len() >= self.most {
            self.make_room();
        }
        let number = self.next;
        self.next += 1;
        let schedule = Schedule::new(refresh, now);
        self.due.insert((line, schedule.due(), number));
        self.recent.insert((now, number));
        self.numbers.insert(question.clone(), number);
        let (answered, waits, state) = (None, Vec::new(), State::Idle);
        self.entries.insert(number, Entry { question, line, schedule, answered, waits, seen: now, state });
        number
    }

    /// Those that are being asked about stay: those who wait are bounded elsewhere.
    fn make_room(&mut self) {
        let idle = |number: &u64| self.entries.get(number).is_some_and(|entry| entry.state == State::Idle);
        let oldest = self.recent.iter().map(|(_, number)| *number).find(idle);
        if let Some(number) = oldest {
            self.forget(number);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some(entry) = self.entries.remove(&number) else { return };
        self.numbers.remove(&entry.question);
        self.recent.remove(&(entry.seen, number));
        self.due.remove(&(entry.line, entry.schedule.due(), number));
    }

    /// Lets go of those who haven't been seen for a day.
    pub(super) fn forget_old(&mut self, now: Mono) {
        let old = self.recent.iter().take_while(|(seen, _)| now.since(*seen) >= SEEN_FOR).map(|(_, number)| *number);
        let idle = |number: &u64| self.entries.get(number).is_some_and(|entry| entry.state == State::Idle);
        let old: Vec<u64> = old.filter(idle).collect();
        for number in old {
            self.forget(number);
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    pub(super) fn state(&self, number: u64) -> Option<State> {
        self.entries.get(&number).map(|entry| entry.state)
    }

    /// Changes one, and what is done about it.
    pub(super) fn change(&mut self, number: u64, state: State, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(&number) else { return };
        self.due.remove(&(entry.line, entry.schedule.due(), number));
        change(entry);
        entry.state = state;
        if state == State::Idle {
            self.due.insert((entry.line, entry.schedule.due(), number));
        }
    }

    /// The one of a line that has been due for longest, and since when.
    pub(super) fn first_due(&self, line: usize, now: Mono) -> Option<(Mono, u64)> {
        let (_, due, number) = self.due.range((line, Mono::default(), 0)..).next()?;
        let is_due = *due <= now && self.entries.get(number).is_some_and(|entry| entry.line == line);
        is_due.then_some((*due, *number))
    }

    /// The entries, the least recently seen first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.recent.iter().filter_map(|(_, number)| self.entries.get(number))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
