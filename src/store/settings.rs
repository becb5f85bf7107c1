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

/// `import-columns`: from 1; 0: not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// `application`
    pub application: usize,
    /// `subject`
    pub subject: usize,
    /// `mail`
    pub mail: usize,
    /// `serial`
    pub serial: usize,
    /// `authority`
    pub authority: usize,
    /// `status`
    pub status: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { application: 0, subject: 4, mail: 15, serial: 0, authority: 0, status: 0 }
    }
}
