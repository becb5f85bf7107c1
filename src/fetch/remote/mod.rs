//! CRLs from afar: fetched on the clock, verified, kept on disk, and used until something newer and good comes.
//!
//! [`Remote`] knows every source and what is good of it. [`Remote::tick`] says what is to be fetched now; each [`Job`] fetches one source and verifies what came, away from everything else,
//! and [`Remote::finish`] takes its [`Outcome`]. When a source is due is [`super::schedule`]'s; what is on disk, [`store`]'s.

mod job;
mod source;
mod store;

#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::alarms::Alarms;
use super::http::{self, Client, Url};
use super::schedule::Jitter;
use super::vanished::Ledger;
use super::{LastSuccess, Loaded, Problem};
use crate::now::Now;
use crate::pki::{Revocation, Trust};
use source::{Means, Source};
use store::Store;

pub(crate) use job::{Job, Outcome};

/// Fetches under way at once; each may hold a whole CRL.
const MAX_IN_FLIGHT: usize = 8;
/// Of these, of one authority: one whose hosts keep silent, however many they are, holds up nobody else's.
const MAX_OF_AUTHORITY: usize = 2;

/// What is fetched, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// CRLs, in the order of the configuration; no authority names a URL twice.
    pub(crate) crls: Vec<SourceSettings>,
    /// `[server].state-dir`
    pub(crate) state_dir: PathBuf,
    /// `[fetch]`
    pub(crate) http: http::Settings,
}

/// One source of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceSettings {
    /// Whose table names it.
    pub(crate) authority: Arc<str>,
    pub(crate) url: Url,
    /// `crl-refresh`
    pub(crate) refresh: Duration,
    /// `alarm-after`
    pub(crate) alarm_after: Duration,
    /// Whether nobody but members' certificates names it: one that they name no more is missed by nobody.
    pub(crate) by_member: bool,
}

/// Every source from afar with what was last good of it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    sources: Vec<Source>,
    store: Store,
    ledger: Arc<Ledger>,
    /// Longest CRL in octets.
    limit: u64,
}

/// What [`Remote::tick`] found.
#[derive(Debug)]
pub(crate) struct Tick {
    /// To be run, elsewhere; each outcome belongs to [`Remote::finish`].
    pub(crate) jobs: Vec<Job>,
    /// Sources that have been silent for too long, or are no more.
    pub(crate) alarms: Alarms,
}

/// What came of a fetch.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) authority: Arc<str>,
    /// For the label `result`: one of a closed list.
    pub(crate) result: &'static str,
    /// Whether [`Remote::join`] says something else now, but for the times of success.
    pub(crate) changed: bool,
    /// A line for the log; `Err`: a bad one. A failure that goes on is told once.
    pub(crate) news: Option<Result<String, String>>,
}

impl Remote {
    /// Takes up what was kept of every source, verified again. `previous`: whose good CRLs and alarms count on where nothing newer was kept.
    pub(crate) fn new(
        settings: &Settings,
        ledger: &Arc<Ledger>,
        trust: &Trust,
        now: Now,
        previous: Option<&Self>,
    ) -> Self {
        let store = Store::new(&settings.state_dir);
        let limit = settings.http.max_size;
        let one = |settings: &SourceSettings| {
            let before = previous.and_then(|previous| previous.sources.iter().find(|source| source.is(settings)));
            let mut source = Source::new(settings, now, before);
            source.take_up(&store, limit, trust);
            source
        };
        Self { sources: settings.crls.iter().map(one).collect(), store, ledger: Arc::clone(ledger), limit }
    }

    /// Adds sources that were found since; what was kept of them counts at once, and they are due. Those that are known already are left out. How many there may be is for who finds them to say. Whether [`Remote::join`] says something else now.
    pub(crate) fn learn(&mut self, found: &[SourceSettings], trust: &Trust, now: Now) -> bool {
        let mut changed = false;
        for settings in found {
            if self.sources.iter().any(|source| source.is(settings)) {
                continue;
            }
            let mut source = Source::new(settings, now, None);
            source.take_up(&self.store, self.limit, trust);
            if let Some(good) = &source.good {
                // Nothing gives way to it, so nothing is to be written that could fail.
                let _ = self.ledger.exchange(&[], std::slice::from_ref(good), now.wall);
                changed = true;
            }
            // At the end, so that the indices of jobs under way stay right.
            self.sources.push(source);
        }
        changed
    }

    /// A certificate of an authority has come that names these URLs.
    pub(crate) fn named(&mut self, authority: &str, urls: &[String], now: Now) {
        let urls: Vec<Url> = urls.iter().filter_map(|url| Url::parse(url).ok()).collect();
        for source in self.sources.iter_mut().filter(|source| *source.authority == *authority) {
            source.named(&urls, now.mono);
        }
    }

    /// What is to be fetched now, and who has been silent for too long. A source is fetched once at a time, and only so many at once.
    pub(crate) fn tick(&mut self, now: Now, trust: &Arc<Trust>, client: &Arc<Client>) -> Tick {
        let jobs = self.begin(now, trust, client);
        let mut alarms = Alarms::default();
        self.sources.iter_mut().for_each(|source| source.look(now.mono, &mut alarms));
        Tick { jobs, alarms }
    }

    /// Those go first that have waited longest, so that hosts that are slow keep nobody from his turn.
    fn begin(&mut self, now: Now, trust: &Arc<Trust>, client: &Arc<Client>) -> Vec<Job> {
        let mut busy: HashMap<Arc<str>, usize> = HashMap::new();
        for source in self.sources.iter().filter(|source| source.in_flight) {
            *busy.entry(Arc::clone(&source.authority)).or_default() += 1;
        }
        let room = MAX_IN_FLIGHT.saturating_sub(busy.values().sum());
        let means = Means { store: &self.store, ledger: &self.ledger, trust, client };
        let idle = self.sources.iter_mut().enumerate().filter(|(_, source)| !source.in_flight);
        let idle = idle.filter(|(_, source)| source.good.is_some() || source.is_wanted(now.mono));
        let mut due: Vec<_> = idle.filter(|(_, source)| source.schedule.is_due(now.mono)).collect();
        due.sort_by_key(|(_, source)| source.schedule.due());
        let may_begin = |(_, source): &(usize, &mut Source)| {
            let busy = busy.entry(Arc::clone(&source.authority)).or_default();
            *busy += 1;
            *busy <= MAX_OF_AUTHORITY
        };
        let jobs = due.into_iter().filter(may_begin).take(room).map(|(index, source)| {
            source.in_flight = true;
            source.job(index, now.wall, &means)
        });
        jobs.collect()
    }

    /// Takes what a job of this has brought.
    pub(crate) fn finish(&mut self, outcome: Outcome, now: Now) -> Option<Finished> {
        let source = self.sources.get_mut(outcome.source)?;
        source.in_flight = false;
        Some(source.finish(outcome.brought, now, Jitter::random()))
    }

    /// What the files hold, and what is good from afar, and what has disappeared from either.
    pub(crate) fn join(&self, files: &Loaded) -> Loaded {
        let afar: Vec<_> = self.sources.iter().filter_map(|source| source.good.clone()).collect();
        let summaries = afar.iter().map(|crl| crl.summary());
        Loaded {
            crls: files.crls.iter().cloned().chain(summaries).collect(),
            revocation: Arc::new(
                Revocation::new(files.revocation.crls().cloned().chain(afar.iter().cloned()).collect())
                    .with_vanished(self.ledger.vanished()),
            ),
            standing: Arc::clone(&files.standing),
            problems: files.problems.iter().cloned().chain(self.problems()).collect(),
            last_success: self.last_success(files.last_success.clone()),
            askable: Default::default(),
        }
    }

    /// What isn't good.
    pub(crate) fn problems(&self) -> impl Iterator<Item = Problem> {
        self.sources.iter().flat_map(Source::problems)
    }

    /// When each source was last good, after those of the files.
    pub(crate) fn last_success(&self, files: Vec<LastSuccess>) -> Vec<LastSuccess> {
        files.into_iter().chain(self.sources.iter().map(Source::last_success)).collect()
    }
}
