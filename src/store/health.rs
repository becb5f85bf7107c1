//! How the registry is, for metrics and `/readyz`.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::Failure;

/// How the registry is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it can't be written; `None`: it can.
    pub fault: Option<Arc<str>>,
    /// Changes that failed because it couldn't be, since the start.
    pub failed: u64,
    /// Decisions that were not kept, since the start.
    pub dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    fault: Mutex<Option<Arc<str>>>,
    failed: AtomicU64,
    dropped: AtomicU64,
    /// Told when nothing more will be asked for.
    pub(super) closing: Notify,
}

impl Watch {
    pub(super) fn health(&self) -> Health {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Health { fault, failed: self.failed.load(Relaxed), dropped: self.dropped.load(Relaxed) }
    }

    /// It could be written.
    pub(super) fn good(&self) {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        if fault.is_some() {
            tracing::info!("the registry can be used again");
        }
    }

    /// It could not be, for `jobs` changes.
    pub(super) fn bad(&self, failure: &Failure, jobs: usize) {
        self.failed.fetch_add(u64::try_from(jobs).unwrap_or(u64::MAX), Relaxed);
        let text: Arc<str> = failure.to_string().into();
        let before = self.fault.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&text));
        if before.as_deref() != Some(&text) {
            tracing::error!("{text}");
        }
    }

    /// Decisions were not kept.
    pub(super) fn dropped(&self, decisions: usize) {
        self.dropped.fetch_add(u64::try_from(decisions).unwrap_or(u64::MAX), Relaxed);
    }
}
