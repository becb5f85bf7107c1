//! OCSP answers from responders: asked for ahead of need, or while a login waits; verified, kept in memory and on disk.

use std::sync::Arc;
use std::time::Duration;

use super::http::Url;

/// Who is asked, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The authorities whose `revocation` consults OCSP, in the order of the configuration.
    pub(crate) authorities: Vec<AuthoritySettings>,
    /// `[fetch].ocsp-answers`: most certificates whose answers are in memory, and on disk.
    pub(crate) answers: u64,
}

impl Settings {
    /// Whether the configuration names a responder of an authority.
    pub(crate) fn names_responder(&self, authority: &str) -> bool {
        let mut its = self.authorities.iter().filter(|one| &*one.authority == authority);
        its.any(|one| !one.responders.is_empty())
    }
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
