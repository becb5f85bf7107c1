//! Watched files (CRLs, groups) and CRLs from afar → verified snapshots.
//!
//! [`load`] reads everything once, of what comes from afar what was kept of it, OCSP answers included. A [`Watcher`] does the same with files and then looks again and again, `remote` asks again and again:
//! what changed and is good replaces what was there; what changed and is no good is a [`Problem`], and what was there goes on counting. Where CRLs and responders are is said by the configuration, or `learned`;
//! what a CRL lists no more is `vanished`, and stays revoked. `ocsp` asks responders about members' certificates, `staple` about our own.

pub(crate) mod alarms;
mod file;
mod guard;
pub(crate) mod http;
mod keep;
pub(crate) mod known;
pub(crate) mod learned;
pub(crate) mod ocsp;
pub(crate) mod remote;
mod schedule;
pub(crate) mod staple;
pub(crate) mod vanished;
mod watcher;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use crate::now::{Mono, Now, Wall};
use crate::pki;
use crate::standing::Standing;
use learned::Learned;
use ocsp::Desk;
use remote::Remote;
use vanished::Ledger;

pub use watcher::Watcher;

/// What is watched and fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// CRL files: (authority, path).
    pub crls: Vec<(Arc<str>, PathBuf)>,
    /// Group files: (group, path).
    pub groups: Vec<(Arc<str>, PathBuf)>,
    /// CRLs from afar.
    pub(crate) remote: remote::Settings,
    /// CRLs whose place certificates tell.
    pub(crate) learned: learned::Settings,
    /// OCSP.
    pub(crate) ocsp: ocsp::Settings,
    /// Our own certificates.
    pub(crate) staple: staple::Settings,
    /// `[fetch].vanished-entries`: most entries that are kept although their CRL doesn't list them any more.
    pub(crate) vanished: u64,
}

impl Settings {
    /// Whether there is nobody from whom anything could be fetched.
    pub(crate) fn is_local(&self) -> bool {
        self.remote.crls.is_empty()
            && self.learned.authorities.is_empty()
            && self.ocsp.authorities.is_empty()
            && !self.staple.asks()
    }
}

/// A source that could not be used, or not as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or URL.
    pub source: Arc<str>,
    /// What is wrong and what it leads to, for an administrator.
    pub text: String,
    /// No server may begin with this: a group whose members aren't known could let in whom a rule denies.
    pub fatal: bool,
}

/// When a CRL of a source was last seen to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSuccess {
    /// Name of the authority whose table names the source.
    pub authority: Arc<str>,
    /// Where it came from, as [`pki::CrlSummary::source`] has it.
    pub source: Arc<str>,
    /// When; `None`: never.
    pub at: Option<Wall>,
    /// What became of the last attempt to fetch it; `None`: it was good, or there was none. What is wrong with a file is a [`Problem`].
    pub failure: Option<String>,
}

/// What the sources hold.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every CRL that is good.
    pub revocation: Arc<pki::Revocation>,
    /// Groups.
    pub standing: Arc<Standing>,
    /// What isn't good.
    pub problems: Vec<Problem>,
    /// The good CRLs, in the order of the configuration.
    pub crls: Vec<pki::CrlSummary>,
    /// Every CRL source, in the order of the configuration.
    pub last_success: Vec<LastSuccess>,
    /// About whose certificates OCSP responders can be asked, where that was looked into.
    pub(crate) askable: ocsp::Askable,
}

impl Loaded {
    /// Whether no server may begin with this.
    pub(crate) fn is_fatal(&self) -> bool {
        self.problems.iter().any(|problem| problem.fatal)
    }

    /// With these OCSP answers.
    #[must_use]
    pub(crate) fn with_answers(self, answers: &Arc<pki::Answers>) -> Self {
        let revocation = (*self.revocation).clone().with_answers(Arc::clone(answers));
        Self { revocation: Arc::new(revocation), ..self }
    }
}

/// Reads all files once, and what was kept of what comes from afar; fetches nothing. A CRL that doesn't load is a problem, and the others count (R05).
#[must_use]
pub fn load(settings: &Settings, trust: &pki::Trust, now: Wall) -> Loaded {
    let files = Watcher::new(settings, trust, now, None).loaded();
    let at = Now { mono: Mono::default(), wall: now };
    let learned = Learned::new(settings, trust, None);
    let ledger = Arc::new(Ledger::new(settings));
    let mut loaded = Remote::new(&learned.added_to(&settings.remote), &ledger, trust, at, None).join(&files);
    loaded.problems.extend(learned.problems());
    loaded.problems.extend(ledger.problems());
    let mut desk = Desk::<()>::new(settings, trust, at, None);
    learned.responders().rev().for_each(|place| desk.learn(&place.authority, &place.issuer, &[place.url.to_string()]));
    loaded.problems.extend(desk.problems());
    loaded.askable = ocsp::Askable::of(&desk, trust);
    loaded.with_answers(desk.answers())
}
