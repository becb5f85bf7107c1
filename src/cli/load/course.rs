//! What a load is to be.

use std::time::Duration;

/// How long it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) warm_up: Duration,
    /// Warm-up included; `None`: until so many logins have ended.
    pub(super) duration: Option<Duration>,
    pub(super) logins: Option<u64>,
}
