//! `[registry]`

use std::time::Duration;

/// `[registry]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `retain-authentications`
    pub retain_authentications: Duration,
    /// `retain-sessions`
    pub retain_sessions: Duration,
    /// `unconfirmed-after`: from then on a block that its authority hasn't followed is an alarm.
    pub unconfirmed_after: Duration,
    /// `requested = "block"`: what a list of the CA's says is asked to be revoked is refused, too.
    pub blocks_requested: bool,
    /// `import-columns`
    pub columns: Columns,
}

/// `import-columns`: from 1; `None`: not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// `subject`
    pub subject: Option<usize>,
    /// `mail`
    pub mail: Option<usize>,
    /// `serial`
    pub serial: Option<usize>,
    /// `status`
    pub status: Option<usize>,
}
