//! Entries that have disappeared from CRLs: noted, on disk too, before the CRL that lacks them counts or is kept; they stay revoked until an operator takes their lines off.
//!
//! One [`Ledger`] lives as long as the process. Whoever puts CRLs in the place of others tells it first, by [`Ledger::exchange`]; that compares and writes, so it belongs on a thread where that keeps nobody waiting.

mod page;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use super::{Problem, Settings};
use crate::lock::lock;
use crate::now::Wall;
use crate::pki::{Crl, Disappeared, Revocation, Vanished, VanishedEntry};
use page::Page;

/// Serials in a line of the log.
const MAX_SERIALS: usize = 5;

/// What has disappeared, and whether all of it is on disk.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// What is to be shown: reading it waits for nobody who writes.
    shown: ArcSwap<Shown>,
    /// Lines for the log that nobody has seen yet.
    news: Mutex<Vec<String>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct Shown {
    vanished: Arc<Vanished>,
    /// By authority and source.
    counts: BTreeMap<(Arc<str>, Arc<str>), usize>,
    problems: Vec<Problem>,
}

#[derive(Debug)]
struct State {
    page: Page,
    most: usize,
    /// The CRLs that were told of last.
    crls: Vec<Arc<Crl>>,
    vanished: Arc<Vanished>,
    /// The same as it was last read or written.
    on_disk: Arc<Vanished>,
    /// Why what stands on disk doesn't count, or lines of it.
    faults: Vec<Problem>,
    /// Why what is known isn't on disk.
    unwritten: Option<String>,
    news: Vec<String>,
}

impl Ledger {
    /// What was noted before the start.
    pub(crate) fn new(settings: &Settings) -> Self {
        let state = State {
            page: Page::new(&settings.remote.state_dir),
            most: 0,
            crls: Vec::new(),
            vanished: Arc::default(),
            on_disk: Arc::default(),
            faults: Vec::new(),
            unwritten: None,
            news: Vec::new(),
        };
        let ledger = Self { shown: ArcSwap::default(), news: Mutex::default(), state: Mutex::new(state) };
        // Whoever starts with it asks for its problems.
        let _ = ledger.read_again(settings);
        ledger
    }

    /// Takes what stands on disk now: an operator may have taken lines off. What could not be written counts on.
    ///
    /// # Errors
    ///
    /// It can't be read, or a line of it: nobody knows who would be let in without it, so nothing may begin with that, and what was known goes on counting.
    pub(crate) fn read_again(&self, settings: &Settings) -> Result<(), Vec<Problem>> {
        let mut state = lock(&self.state);
        let most = usize::try_from(settings.vanished).unwrap_or(usize::MAX);
        let read = state.read(Page::new(&settings.remote.state_dir), most);
        self.show(&mut state);
        read.map_err(|()| state.faults.clone())
    }

    /// CRLs that were good are about to give way to others: what only the old ones list is noted. `Err`: it could not be written down, and counts until the end of this process only; then nothing may be kept on disk that has forgotten it.
    pub(crate) fn exchange(&self, old: &[Arc<Crl>], new: &[Arc<Crl>], now: Wall) -> Result<(), String> {
        let mut state = lock(&self.state);
        let is_in = |crl: &Arc<Crl>, crls: &[Arc<Crl>]| crls.iter().any(|other| Arc::ptr_eq(crl, other));
        let mut before = state.crls.clone();
        before.extend(old.iter().filter(|crl| !is_in(crl, &state.crls)).cloned());
        let mut after: Vec<_> = before.iter().filter(|crl| !is_in(crl, old)).cloned().collect();
        for crl in new {
            if !is_in(crl, &after) {
                after.push(Arc::clone(crl));
            }
        }
        state.succeed(before, after, now);
        self.show(&mut state);
        state.unwritten.clone().map_or(Ok(()), Err)
    }

    /// The same when files were read. Nothing is kept of them, so what can't be written down is only told of.
    pub(crate) fn follow(&self, before: &Revocation, after: &Revocation, now: Wall) {
        let [old, new] = [before, after].map(|revocation| revocation.crls().cloned().collect::<Vec<_>>());
        let _ = self.exchange(&old, &new, now);
    }

    /// The same when everything was read: nothing but this counts from now on.
    pub(crate) fn follow_all(&self, after: &Revocation, now: Wall) {
        let mut state = lock(&self.state);
        let before = state.crls.clone();
        state.succeed(before, after.crls().cloned().collect(), now);
        self.show(&mut state);
    }

    /// Tries again to write down what could not be written.
    pub(crate) fn settle(&self) -> Result<(), String> {
        let mut state = lock(&self.state);
        if state.unwritten.is_some() {
            state.write();
            self.show(&mut state);
        }
        state.unwritten.clone().map_or(Ok(()), Err)
    }

    /// What has disappeared and counts all the same.
    pub(crate) fn vanished(&self) -> Arc<Vanished> {
        Arc::clone(&self.shown.load().vanished)
    }

    /// How many entries each authority's CRLs have lost.
    pub(crate) fn counts(&self) -> BTreeMap<Arc<str>, usize> {
        let mut counts = BTreeMap::new();
        for ((authority, _), count) in &self.shown.load().counts {
            *counts.entry(Arc::clone(authority)).or_default() += count;
        }
        counts
    }

    /// The alarm, while there are any, and what is wrong with what is on disk.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.shown.load().problems.clone()
    }

    /// Lines for the log that nobody has seen yet, all of them bad news.
    pub(crate) fn news(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.news))
    }

    fn show(&self, state: &mut State) {
        lock(&self.news).append(&mut state.news);
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for VanishedEntry { authority, source, .. } in state.vanished.entries() {
            *counts.entry((authority, source)).or_default() += 1;
        }
        let problems = state.problems(&counts);
        self.shown.store(Arc::new(Shown { vanished: Arc::clone(&state.vanished), counts, problems }));
    }
}

impl State {
    fn read(&mut self, page: Page, most: usize) -> Result<(), ()> {
        if self.unwritten.is_some() {
            (self.page, self.most) = (page, most);
            return Ok(());
        }
        let (vanished, faults) = match page.read() {
            Ok(text) => Vanished::read(&text, most),
            Err(error) => (Vanished::default(), vec![format!("cannot be read: {error}")]),
        };
        let source: Arc<str> = page.path.display().to_string().into();
        self.faults = faults.into_iter().map(|fault| unreadable(&source, &fault)).collect();
        if !self.faults.is_empty() {
            return Err(());
        }
        (self.page, self.most, self.vanished) = (page, most, Arc::new(vanished));
        self.on_disk = Arc::clone(&self.vanished);
        Ok(())
    }

    fn succeed(&mut self, before: Vec<Arc<Crl>>, after: Vec<Arc<Crl>>, now: Wall) {
        let previous = Revocation::new(before).with_vanished(Arc::clone(&self.vanished));
        let (next, disappeared) = Revocation::new(after.clone()).succeed(&previous, now);
        self.crls = after;
        if disappeared.changed() {
            self.news.extend(lines(&disappeared));
            self.vanished = Arc::clone(next.vanished());
            self.write();
        }
    }

    fn write(&mut self) {
        let written = self.page.write(&self.on_disk.page(), &self.vanished.page());
        let is_news = self.unwritten.is_none();
        self.unwritten = written.err().map(|error| error.to_string());
        if self.unwritten.is_none() {
            self.on_disk = Arc::clone(&self.vanished);
        }
        if let Some(error) = self.unwritten.as_ref().filter(|_| is_news) {
            self.news.push(format!("{}: {}", self.page.path.display(), not_written(error)));
        }
    }

    fn problems(&self, counts: &BTreeMap<(Arc<str>, Arc<str>), usize>) -> Vec<Problem> {
        let file = self.page.path.display().to_string();
        let alarms = counts.iter().map(|((authority, source), count)| Problem {
            source: Arc::clone(source),
            text: format!(
                "authority {authority}: {} disappeared from this CRL; {} revoked here; delete their lines in {file} and reload to let them in again",
                entries(*count),
                stay(*count)
            ),
            fatal: false,
        });
        let left_out = self.vanished.left_out();
        let overflow = (left_out > 0).then(|| {
            format!("{} of those that have disappeared found no room and are revoked no more; raise `vanished-entries` in [fetch]", entries_alone(left_out))
        });
        let disk = self.unwritten.as_ref().map(|error| not_written(error));
        let texts = overflow.into_iter().chain(disk);
        let source: Arc<str> = file.as_str().into();
        let texts = texts.map(|text| Problem { source: Arc::clone(&source), text, fatal: false });
        alarms.chain(self.faults.iter().cloned()).chain(texts).collect()
    }
}

/// Nobody knows who would be let in without it.
fn unreadable(source: &Arc<str>, fault: &str) -> Problem {
    let text = format!(
        "{fault}; it says who stays revoked, so nothing starts or is reloaded with it: restore it, or delete what is damaged"
    );
    Problem { source: Arc::clone(source), text, fatal: true }
}

fn not_written(error: &str) -> String {
    format!("cannot be written: {error}; what has disappeared from CRLs stays revoked until this process ends")
}

/// The warnings: one for each CRL.
fn lines(disappeared: &Disappeared) -> Vec<String> {
    let mut by_crl: BTreeMap<(&Arc<str>, &Arc<str>), Vec<&VanishedEntry>> = BTreeMap::new();
    for entry in &disappeared.entries {
        by_crl.entry((&entry.authority, &entry.source)).or_default().push(entry);
    }
    let line = |((authority, source), told): (&(&Arc<str>, &Arc<str>), &Vec<&VanishedEntry>)| {
        let serials: Vec<_> = told.iter().take(MAX_SERIALS).map(|entry| hex(&entry.serial)).collect();
        // Only the first of many are told one by one, so with more than one CRL the number is a lower bound.
        let count = if by_crl.len() == 1 { disappeared.count } else { told.len() };
        let more = if count > serials.len() { ", …" } else { "" };
        format!(
            "authority {authority}: {} disappeared from the CRL {source} (serial {}{more}); {} revoked here",
            entries(count),
            serials.join(", "),
            stay(count)
        )
    };
    by_crl.iter().map(line).collect()
}

fn entries(count: usize) -> String {
    let have = if count == 1 { "has" } else { "have" };
    format!("{} {have}", entries_alone(count as u64))
}

fn entries_alone(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn stay(count: usize) -> &'static str {
    if count == 1 { "it stays" } else { "they stay" }
}

fn hex(octets: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(octets)
}
