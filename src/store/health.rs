//! How the registry is, for metrics and `/readyz`.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::Failure;
use crate::lock::lock;

/// How the registry is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it can't be written; `None`: it can.
    pub fault: Option<Arc<str>>,
    /// Why what is blocked can't be kept beside it; `None`: it can.
    pub unkept: Option<Arc<str>>,
    /// The file that it is in was empty, or not there, when this process opened it first.
    pub is_new: bool,
    /// Changes that failed because it couldn't be, since the start.
    pub failed: u64,
    /// Decisions that were not kept, since the start.
    pub dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    fault: Mutex<Option<Arc<str>>>,
    unkept: Mutex<Option<Arc<str>>>,
    is_new: AtomicBool,
    failed: AtomicU64,
    dropped: AtomicU64,
    /// What logins have left behind that is neither committed nor dropped.
    open: AtomicUsize,
    /// Told when nothing more will be asked for.
    pub(super) closing: Notify,
}

impl Watch {
    pub(super) fn health(&self) -> Health {
        let text = |text: &Mutex<Option<Arc<str>>>| lock(text).clone();
        let (fault, unkept, is_new) = (text(&self.fault), text(&self.unkept), self.is_new.load(Relaxed));
        Health { fault, unkept, is_new, failed: self.failed.load(Relaxed), dropped: self.dropped.load(Relaxed) }
    }

    /// It could be written.
    pub(super) fn good(&self) {
        let fault = lock(&self.fault).take();
        if fault.is_some() {
            tracing::info!("the registry can be used again");
        }
    }

    /// It could not be, for `jobs` changes.
    pub(super) fn bad(&self, failure: &Failure, jobs: usize) {
        self.failed.fetch_add(u64::try_from(jobs).unwrap_or(u64::MAX), Relaxed);
        let text: Arc<str> = failure.to_string().into();
        let before = lock(&self.fault).replace(Arc::clone(&text));
        if before.as_deref() != Some(&text) {
            tracing::error!("{text}");
        }
    }

    /// A login has left something behind.
    pub(super) fn left(&self) {
        self.open.fetch_add(1, SeqCst);
    }

    /// So many of those are committed, or never will be.
    pub(super) fn settled(&self, traces: usize) {
        self.open.fetch_sub(traces, SeqCst);
    }

    /// How many are not.
    pub(super) fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    /// The file was empty, or not there.
    pub(super) fn begins(&self) {
        self.is_new.store(true, Relaxed);
    }

    /// What is blocked was kept beside the file, or was not.
    pub(super) fn unkept(&self, failure: Option<&Failure>) {
        let text: Option<Arc<str>> = failure.map(|failure| failure.to_string().into());
        let mut unkept = lock(&self.unkept);
        if let Some(text) = text.as_ref().filter(|text| unkept.as_ref() != Some(text)) {
            tracing::error!("{text}");
        }
        *unkept = text;
    }

    /// Decisions were not kept.
    pub(super) fn dropped(&self, decisions: usize) {
        self.dropped.fetch_add(u64::try_from(decisions).unwrap_or(u64::MAX), Relaxed);
    }
}
