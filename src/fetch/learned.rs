//! Where certificates say that their revocation data is: of `sample`, of the configured intermediates, and of members whose chain and subject were verified.

use std::sync::Arc;
use std::time::Duration;

use crate::pki::Facts;

/// Whose CRLs are looked for where certificates say that they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The authorities whose `revocation` consults CRLs and whose `crl` is empty, in the order of the configuration.
    pub(crate) authorities: Vec<AuthoritySettings>,
    /// `sample` of all authorities, each verified to be one of its authority's.
    pub(crate) samples: Vec<Arc<Facts>>,
}

/// One authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthoritySettings {
    /// Its name.
    pub(crate) authority: Arc<str>,
    /// `crl-refresh`
    pub(crate) refresh: Duration,
    /// `alarm-after`
    pub(crate) alarm_after: Duration,
}
