//! OCSP answers from responders: asked for ahead of need, or while a login waits; verified, kept in memory and on disk.
//!
//! # How a [`Desk`] is driven
//!
//! Whoever has a desk owns it, in one task; it does no I/O but in [`Desk::new`], reads no clock, and everything else it wants done is in a [`Job`].
//!
//! * [`Desk::new`] reads what was kept, verified again with the trust it is given. A reload makes a new one of it: `previous` brings those who wait, what was learned and how the responders are.
//!   It blocks: not on a thread that answers. [`Desk::answers`] belongs into every [`crate::pki::Revocation`] from then on (`with_answers`).
//! * [`Desk::learn`]: where a verified certificate says that a responder is.
//! * [`Desk::ask`]: a login waits for these questions. [`Asked::Nothing`]: whatever there is to know is known, or there is nobody to ask: tell it at once. [`Asked::Waiting`]: its ticket comes back, once,
//!   in [`Tick::ready`] or [`Finished::ready`], two seconds later at the latest.
//! * [`Desk::seen`]: somebody whose verdict rests on these has come; their answers are kept fresh for a day.
//! * [`Desk::tick`]: after each of the above, after each `finish`, and once a second anyway. Each [`Job`] is run elsewhere, with [`Job::run`], and its [`Outcome`] brought back to [`Desk::finish`] of the same desk:
//!   to one that has been made since it means nothing.
//!
//! # Parts
//!
//! [`table`]: the certificates of which somebody has asked, and when each is due. [`mod@line`]: who is asked about an issuer's certificates, and who waits for that. [`responder`]: how one responder is; [`source`]: what an authority has had of it.
//! [`query`]: one query, over the network. [`shelf`] and [`store`]: what is on disk.

mod askable;
mod desk;
mod job;
mod line;
mod query;
mod reception;
mod responder;
mod shelf;
mod source;
mod store;
mod table;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use super::alarms::Alarms;
use super::http::Url;
use crate::now::Wall;
use crate::pki::Inserted;

pub(crate) use askable::Askable;
pub(crate) use desk::Desk;
pub(crate) use job::{Job, Outcome};
pub(crate) use reception::{Reception, Replaced};

/// How long somebody waits for answers.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long after somebody was last seen the answers about him are kept fresh.
const SEEN_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Who is asked, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The authorities whose `revocation` consults OCSP, in the order of the configuration.
    pub(crate) authorities: Vec<AuthoritySettings>,
    /// `[fetch].ocsp-answers`: most certificates whose answers are in memory, and on disk.
    pub(crate) answers: u64,
}

/// One authority's responders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthoritySettings {
    /// Its name.
    pub(crate) authority: Arc<str>,
    /// `ocsp`; empty: those that certificates name.
    pub(crate) responders: Vec<Url>,
    /// `ocsp-nonce`: whether a nonce is sent and wanted back.
    pub(crate) nonce: bool,
    /// `crl-refresh`: how old an answer about somebody who is seen may grow.
    pub(crate) refresh: Duration,
    /// `alarm-after`
    pub(crate) alarm_after: Duration,
}

/// What becomes of somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// He need not wait: there is nobody to ask, or nothing to ask for.
    Nothing,
    /// His ticket comes back.
    Waiting,
}

/// What [`Desk::tick`] found.
#[derive(Debug)]
pub(crate) struct Tick<T> {
    /// To be run, elsewhere; each outcome belongs to [`Desk::finish`].
    pub(crate) jobs: Vec<Job>,
    /// Those who need not wait any longer.
    pub(crate) ready: Vec<T>,
    /// Responders that have been of no use for too long although they were asked, or are that no more.
    pub(crate) alarms: Alarms,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Finished<T> {
    /// Those whose questions are all answered, or given up.
    pub(crate) ready: Vec<T>,
    /// For the labels `authority` and `result`, one for each time that a responder was asked: of closed lists.
    pub(crate) results: Vec<(Arc<str>, &'static str)>,
    /// Lines for the log; `Err`: a bad one. A failure that goes on is told once.
    pub(crate) news: Vec<Result<String, String>>,
    /// What an answer changed; `None`: there was none.
    pub(crate) changed: Option<Inserted>,
}

/// How a responder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// For whose certificates it is asked.
    pub(crate) authority: Arc<str>,
    /// Its URL.
    pub(crate) source: Arc<str>,
    /// When an answer of it was last good; `None`: never.
    pub(crate) last_success: Option<Wall>,
    /// Whether nobody waits for it until it has answered again.
    pub(crate) open: bool,
}
