//! Sources from afar, without a network: what a fetch brings is handed over.

mod keeping;
mod learning;
mod outcomes;
mod times;
mod vanishing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::http::{self, Client, Conditions, Url};
use super::super::vanished::Ledger;
use super::super::{Loaded, Watcher, tests as files};
use super::job::Brought;
use super::{Finished, Outcome, Remote, Settings, SourceSettings};
use crate::now::{Mono, Now, Wall};
use crate::pki::Trust;
use crate::support::certificates::{Authority, authority};
use crate::support::scratch::Scratch;

const URL: &str = "http://crl.example/ca16.crl";
const ALARM_AFTER: Duration = Duration::from_secs(3 * 3_600);

/// Nothing from afar.
pub(in super::super) fn nothing() -> Settings {
    settings(&[], PathBuf::new())
}

fn settings(urls: &[&str], state_dir: PathBuf) -> Settings {
    let one = |url: &&str| SourceSettings {
        authority: "ca16".into(),
        url: Url::parse(url).expect("a URL"),
        refresh: Duration::from_secs(300),
        alarm_after: ALARM_AFTER,
        by_member: false,
    };
    let http = http::Settings { timeout: Duration::from_secs(1), max_size: 1 << 20, proxy: None, allow: Vec::new() };
    Settings { crls: urls.iter().map(one).collect(), state_dir, http }
}

/// No source of anything.
pub(in super::super) fn empty() -> super::super::Settings {
    super::super::Settings {
        crls: Vec::new(),
        groups: Vec::new(),
        remote: nothing(),
        learned: Default::default(),
        ocsp: Default::default(),
        staple: Default::default(),
        vanished: 1_000,
    }
}

/// An authority, a state directory and a clock.
struct Campus {
    ca: Authority,
    trust: Arc<Trust>,
    scratch: Scratch,
    client: Arc<Client>,
    ledger: Arc<Ledger>,
    urls: Vec<String>,
}

impl Campus {
    fn new() -> Self {
        let ca = authority("CA16", None);
        let trust = Arc::new(files::trust(&[("ca16", &ca)]));
        let client = Arc::new(Client::new(nothing().http).expect("a client"));
        let scratch = Scratch::new();
        let remote = settings(&[], scratch.path().to_owned());
        let ledger = Arc::new(Ledger::new(&super::super::Settings { remote, ..empty() }));
        Self { ca, trust, scratch, client, ledger, urls: vec![URL.to_owned()] }
    }

    fn settings(&self) -> Settings {
        settings(&self.urls.iter().map(String::as_str).collect::<Vec<_>>(), self.scratch.path().to_owned())
    }

    fn remote(&self, seconds: u64, previous: Option<&Remote>) -> Remote {
        Remote::new(&self.settings(), &self.ledger, &self.trust, at(seconds), previous)
    }

    /// Begins a fetch of the one source, which must be due, and has a server answer with these octets.
    fn serve(&self, remote: &mut Remote, seconds: u64, octets: &[u8], etag: &str) -> Finished {
        let job = remote.tick(at(seconds), &self.trust, &self.client).jobs.pop().expect("it is due");
        let conditions = Conditions { etag: Some(etag.to_owned()), last_modified: None };
        let brought = job.judge.judge(octets, conditions);
        remote.finish(Outcome { source: job.source, brought }, at(seconds)).expect("it is this one's")
    }

    /// The same with any other outcome.
    fn answer(&self, remote: &mut Remote, seconds: u64, brought: Result<Brought, super::job::Failure>) -> Finished {
        let job = remote.tick(at(seconds), &self.trust, &self.client).jobs.pop().expect("it is due");
        remote.finish(Outcome { source: job.source, brought }, at(seconds)).expect("it is this one's")
    }

    fn crl(&self, number: u64, entries: u64) -> Vec<u8> {
        files::crl(&self.ca, number, entries)
    }

    fn kept(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(self.scratch.path().join("crl")) else { return Vec::new() };
        let mut kept: Vec<_> = folder.map(|entry| entry.expect("it can be read").path()).collect();
        kept.sort();
        kept
    }

    fn kept_crl(&self) -> PathBuf {
        let is_crl = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "crl");
        self.kept().into_iter().find(is_crl).expect("a CRL was kept")
    }

    /// What counts.
    fn loaded(&self, remote: &Remote) -> Loaded {
        remote.join(&Watcher::new(&empty(), &self.trust, files::NOW, None).loaded())
    }

    fn entries(&self, remote: &Remote) -> Vec<usize> {
        let loaded = self.loaded(remote);
        assert_eq!(loaded.crls.len(), loaded.revocation.crls().count());
        loaded.crls.iter().map(|crl| crl.entries).collect()
    }
}

fn at(seconds: u64) -> Now {
    let passed = Duration::from_secs(seconds);
    Now { mono: Mono(passed), wall: files::NOW + passed }
}

fn is_in(path: &Path, folder: &Path) -> bool {
    path.parent() == Some(folder)
}

fn failure(label: &'static str) -> super::job::Failure {
    super::job::Failure { label, text: format!("it failed by {label}") }
}

fn wall(seconds: u64) -> Option<Wall> {
    Some(at(seconds).wall)
}
