//! What the parts of the door share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::throttle::Throttle;
use super::{Settings, Status};

/// What every request shares.
#[derive(Clone)]
pub struct Shared {
    settings: Arc<ArcSwap<Settings>>,
    pub(super) status: Arc<dyn Status>,
    pub(super) node: Arc<str>,
    pub(super) throttle: Arc<Throttle>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).field("node", &self.node).finish_non_exhaustive()
    }
}

impl Shared {
    /// `node`: the name of this server, which requests may use for it.
    #[must_use]
    pub fn new(settings: Settings, node: Arc<str>, status: Arc<dyn Status>) -> Self {
        Self { settings: Arc::new(ArcSwap::from_pointee(settings)), status, node, throttle: Arc::default() }
    }

    /// Other tokens from now on.
    pub fn swap(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }
}
