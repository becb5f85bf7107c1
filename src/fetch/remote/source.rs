//! One source: what is good of it, and how it has gone lately.

use std::sync::Arc;
use std::time::Duration;

use super::super::alarms::{Alarm, Alarms};
use super::super::guard::guarded;
use super::super::http::{Client, Conditions, Url};
use super::super::schedule::{Jitter, Schedule};
use super::super::vanished::Ledger;
use super::super::{LastSuccess, Problem};
use super::job::{Brought, Failure, Job, Judge};
use super::store::{Kept, Store};
use super::{Finished, SourceSettings};
use crate::now::{Mono, Now, Wall};
use crate::pki::{Crl, Trust};

/// How long a source is wanted that a member's certificate has named.
const NAMED_FOR: Duration = Duration::from_secs(7 * 86_400);

/// What a fetch is made and judged with.
pub(super) struct Means<'a> {
    pub(super) store: &'a Store,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) trust: &'a Arc<Trust>,
    pub(super) client: &'a Arc<Client>,
}

/// One source.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) authority: Arc<str>,
    url: Url,
    /// The URL as metrics and problems have it.
    name: Arc<str>,
    alarm_after: Duration,
    pub(super) schedule: Schedule,
    pub(super) in_flight: bool,
    pub(super) good: Option<Arc<Crl>>,
    /// Of the octets of `good`.
    sha256: Option<String>,
    /// Whether `good` is on disk.
    kept: bool,
    /// What tells `good` from another; none where it hasn't been verified with the trust of now.
    conditions: Conditions,
    last_success: Option<Wall>,
    /// The last success, or when it began to be asked.
    heard: Mono,
    /// When a member's certificate last named it, or it began to be asked; `None`: the configuration names it.
    named: Option<Mono>,
    alarmed: bool,
    /// The last attempt, if it failed.
    failure: Option<Failure>,
    /// What is wrong with what is on disk.
    disk: Option<String>,
}

impl Source {
    /// Nothing known but what `before` has that is good.
    pub(super) fn new(settings: &SourceSettings, now: Now, before: Option<&Self>) -> Self {
        Self {
            authority: Arc::clone(&settings.authority),
            url: settings.url.clone(),
            name: settings.url.to_string().into(),
            alarm_after: settings.alarm_after,
            schedule: Schedule::new(settings.refresh, now.mono),
            in_flight: false,
            good: before.and_then(|old| old.good.clone()),
            sha256: None,
            kept: false,
            conditions: Conditions::default(),
            last_success: before.and_then(|old| old.last_success),
            heard: before.map_or(now.mono, |old| old.heard),
            named: settings.by_member.then(|| before.and_then(|old| old.named).unwrap_or(now.mono)),
            alarmed: before.is_some_and(|old| old.alarmed),
            failure: None,
            disk: None,
        }
    }

    /// Whether it is what these settings speak of.
    pub(super) fn is(&self, settings: &SourceSettings) -> bool {
        self.authority == settings.authority && self.url == settings.url
    }

    /// Takes up what was kept, if it can be verified and is not older than what is here.
    pub(super) fn take_up(&mut self, store: &Store, limit: u64, trust: &Trust) {
        let kept = match store.read(&self.authority, &self.name, limit) {
            Ok(Some(kept)) => kept,
            Ok(None) => return,
            Err(error) => {
                self.disk = Some(format!("what was kept of it in state-dir cannot be read: {error}"));
                return;
            }
        };
        let load = || Crl::load(&kept.octets, &self.authority, &self.name, trust).map_err(|bad| bad.text);
        match guarded(load) {
            Ok(crl) if self.good.as_ref().is_none_or(|good| crl.supersedes(good)) => self.take_kept(kept, crl),
            Ok(_) => {}
            Err(text) => self.disk = Some(format!("what was kept of it in state-dir is not used: {text}")),
        }
    }

    fn take_kept(&mut self, kept: Kept, crl: Crl) {
        self.good = Some(Arc::new(crl));
        self.sha256 = Some(super::super::keep::sha256(&kept.octets));
        self.kept = true;
        if let Some(about) = kept.about {
            self.conditions = Conditions { etag: about.etag, last_modified: about.last_modified };
            self.last_success = self.last_success.max(Some(Wall(about.fetched)));
        }
    }

    pub(super) fn job(&self, source: usize, at: Wall, means: &Means<'_>) -> Job {
        // What isn't on disk is to come whole, so that it can be written.
        let conditions = if self.kept { self.conditions.clone() } else { Conditions::default() };
        let judge = Judge {
            authority: Arc::clone(&self.authority),
            name: Arc::clone(&self.name),
            trust: Arc::clone(means.trust),
            store: means.store.clone(),
            ledger: Arc::clone(means.ledger),
            good: self.good.clone(),
            sha256: self.sha256.clone(),
            kept: self.kept,
            at,
        };
        Job { source, client: Arc::clone(means.client), url: self.url.clone(), conditions, judge }
    }

    pub(super) fn finish(&mut self, brought: Result<Brought, Failure>, now: Now, jitter: Jitter) -> Finished {
        let before: Vec<Problem> = self.problems().collect();
        let (result, news, is_new) = match brought {
            Ok(brought) => self.succeeded(brought, now, jitter),
            Err(failure) => self.failed(failure, now, jitter),
        };
        let changed = is_new || !self.problems().eq(before);
        Finished { authority: Arc::clone(&self.authority), result, changed, news }
    }

    fn succeeded(
        &mut self,
        brought: Brought,
        now: Now,
        jitter: Jitter,
    ) -> (&'static str, Option<Result<String, String>>, bool) {
        let recovered = self.failure.take().map(|_| Ok(format!("{}: fetched again", self.label())));
        self.last_success = Some(now.wall);
        self.heard = now.mono;
        let told = match brought {
            Brought::NotModified => ("not-modified", recovered, false),
            Brought::Same { conditions, unkept } => {
                self.conditions = conditions;
                let news = self.wrote(unkept).or(recovered);
                ("ok", news, false)
            }
            Brought::New { crl, sha256, conditions, unkept } => {
                let entries = crl.summary().entries;
                (self.good, self.sha256, self.conditions) = (Some(crl), Some(sha256), conditions);
                let news = Ok(format!("{}: a new CRL with {entries} entries is in use", self.label()));
                ("ok", self.wrote(unkept).or(Some(news)), true)
            }
        };
        self.schedule.succeeded(now, self.life(), jitter);
        told
    }

    /// Notes whether the CRL in use is on disk; what to say if that is news.
    fn wrote(&mut self, unkept: Option<String>) -> Option<Result<String, String>> {
        self.kept = unkept.is_none();
        let disk =
            unkept.map(|error| format!("it cannot be kept in state-dir, and will be missing after a restart: {error}"));
        let is_news = disk != self.disk;
        self.disk = disk;
        self.disk.as_ref().filter(|_| is_news).map(|text| Err(format!("{}: {text}", self.label())))
    }

    fn failed(
        &mut self,
        failure: Failure,
        now: Now,
        jitter: Jitter,
    ) -> (&'static str, Option<Result<String, String>>, bool) {
        self.schedule.failed(now.mono, jitter);
        let label = failure.label;
        let is_news = self.failure.as_ref().is_none_or(|before| before.text != failure.text);
        let news = is_news.then(|| Err(format!("{}: {}; {}", self.label(), failure.text, self.consequence())));
        self.failure = Some(failure);
        (label, news, false)
    }

    fn life(&self) -> Option<std::ops::Range<Wall>> {
        let summary = self.good.as_ref()?.summary();
        Some(summary.this_update..summary.next_update?)
    }

    /// What is wrong. A fetch that failed is none as long as there is a CRL: that is what `alarm-after` is for. One that brought something that must not be used is (R07).
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let failure = self.failure.as_ref().filter(|failure| failure.label == Failure::REJECTED || self.good.is_none());
        let failure = failure.map(|failure| format!("{}; {}", failure.text, self.consequence()));
        let texts = failure.into_iter().chain(self.disk.clone());
        texts.map(|text| Problem {
            source: Arc::clone(&self.name),
            text: format!("authority {}: {text}", self.authority),
            fatal: false,
        })
    }

    fn consequence(&self) -> &'static str {
        if self.good.is_some() { "what came before goes on counting" } else { "nothing of it counts" }
    }

    fn label(&self) -> String {
        format!("authority {}: {}", self.authority, self.name)
    }

    pub(super) fn last_success(&self) -> LastSuccess {
        LastSuccess {
            authority: Arc::clone(&self.authority),
            source: Arc::clone(&self.name),
            at: self.last_success,
            failure: self.failure.as_ref().map(|failure| failure.text.clone()),
        }
    }

    fn is_silent(&self, now: Mono) -> bool {
        now.since(self.heard) >= self.alarm_after && self.is_wanted(now)
    }

    /// A certificate names these.
    pub(super) fn named(&mut self, urls: &[Url], now: Mono) {
        if self.named.is_some() && urls.contains(&self.url) {
            self.named = Some(now);
        }
    }

    /// Whether the configuration names it, or a certificate that has come of late. A place that is dead for good is no alarm for ever, nor asked for ever, once the certificates that name it are gone.
    pub(super) fn is_wanted(&self, now: Mono) -> bool {
        self.named.is_none_or(|at| now.since(at) < NAMED_FOR.max(self.alarm_after))
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
            silent: now.since(self.heard),
            failure: self.failure.as_ref().map(|failure| failure.text.clone()),
        }
    }
}
