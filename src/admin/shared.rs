//! What the parts of the door share.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::http::StatusCode;
use serde_json::Value;

use super::audit::{Audit, Caller, Entry, LogAudit};
use super::problem::Problem;
use super::throttle::Throttle;
use super::{Online, Registry, Settings, Status, StoreAudit};
use crate::otp;

/// What every request shares.
#[derive(Clone)]
pub struct Shared {
    settings: Arc<ArcSwap<Settings>>,
    pub(super) status: Arc<dyn Status>,
    pub(super) node: Arc<str>,
    pub(super) throttle: Arc<Throttle>,
    audit: Arc<dyn Audit>,
    pub(super) registry: Option<Arc<dyn Registry>>,
    pub(super) online: Option<Arc<dyn Online>>,
    /// `[otp]`
    otp: Arc<ArcSwapOption<otp::Settings>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).field("node", &self.node).finish_non_exhaustive()
    }
}

impl Shared {
    /// `node`: the name of this server, which requests may use for it. Audited in the log alone.
    #[must_use]
    pub fn new(settings: Settings, node: Arc<str>, status: Arc<dyn Status>) -> Self {
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        Self {
            settings,
            status,
            node,
            throttle: Arc::default(),
            audit: Arc::new(LogAudit),
            registry: None,
            online: None,
            otp: Arc::default(),
        }
    }

    /// Audited there.
    #[cfg(test)]
    pub(super) fn with_audit(self, audit: Arc<dyn Audit>) -> Self {
        Self { audit, ..self }
    }

    /// With this registry, and audited in it.
    #[must_use]
    pub(crate) fn with_registry(self, registry: Arc<dyn Registry>) -> Self {
        let audit = Arc::new(StoreAudit(registry.store().clone()));
        Self { registry: Some(registry), audit, ..self }
    }

    /// With this hall.
    #[must_use]
    pub(crate) fn with_online(self, online: Arc<dyn Online>) -> Self {
        Self { online: Some(online), ..self }
    }

    /// With these settings of one-time passwords, whatever they are at the time.
    #[must_use]
    pub(crate) fn with_otp(self, otp: Arc<ArcSwapOption<otp::Settings>>) -> Self {
        Self { otp, ..self }
    }

    /// `[otp]`; where there is none, the problem that says so.
    pub(super) fn otp(&self) -> Result<Arc<otp::Settings>, Problem> {
        let settings = self.otp.load_full();
        settings
            .ok_or_else(|| Problem::unavailable("there are no one-time passwords here: the configuration has no [otp]"))
    }

    /// Other tokens from now on.
    pub fn swap(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Writes down what somebody did, or whose history he looked into. Awaited before the answer to it; where it can't be written there is no other answer than this problem.
    pub(super) async fn audit(
        &self,
        caller: &Caller,
        action: &'static str,
        target: impl Into<String>,
        detail: Value,
    ) -> Result<(), Problem> {
        let entry = Entry { at: self.status.now(), caller: caller.clone(), action, target: target.into(), detail };
        let written = self.audit.record(entry).await;
        written.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
    }
}
