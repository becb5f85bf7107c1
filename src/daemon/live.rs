//! What HTTP tells of the running server.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::admin::{self, Readiness};
use crate::config::Config;
use crate::fetch::{LastSuccess, Loaded, ocsp};
use crate::net::{Clock, Gauges};
use crate::now::Wall;
use crate::observe::Metrics;
use crate::pki::{CrlSummary, Revocation, Trust};

/// The running server, for whoever asks.
#[derive(Debug)]
pub(super) struct Live {
    metrics: Arc<Metrics>,
    gauges: Arc<Gauges>,
    clock: Clock,
    draining: AtomicBool,
    view: ArcSwapOption<View>,
    last_success: Mutex<Vec<LastSuccess>>,
    /// Sources that have been silent for too long, in sentences.
    silent: Mutex<Vec<String>>,
}

/// What readiness rests on.
#[derive(Debug)]
struct View {
    services: Vec<Vec<Arc<str>>>,
    trust: Arc<Trust>,
    revocation: Arc<Revocation>,
    ocsp: ocsp::Settings,
    crls: Vec<CrlSummary>,
    problems: Vec<String>,
}

impl Live {
    pub(super) fn new(metrics: Arc<Metrics>, gauges: Arc<Gauges>, clock: Clock) -> Self {
        let (draining, view) = (AtomicBool::default(), ArcSwapOption::empty());
        let (last_success, silent) = (Mutex::default(), Mutex::default());
        Self { metrics, gauges, clock, draining, view, last_success, silent }
    }

    /// A configuration counts.
    pub(super) fn configured(&self, config: &Config, now: Wall) {
        self.metrics.set_identities(&config.identity_ends);
        self.reloaded(true, now);
    }

    /// A configuration was read, or could not be.
    pub(super) fn reloaded(&self, good: bool, now: Wall) {
        self.metrics.set_reload(good, now);
    }

    /// Files count.
    pub(super) fn loaded(&self, config: &Config, loaded: &Loaded) {
        let view = View {
            services: config.policy.services().map(|(_, service)| service.authorities.clone()).collect(),
            trust: Arc::clone(&config.trust),
            revocation: Arc::clone(&loaded.revocation),
            ocsp: config.fetch.ocsp.clone(),
            crls: loaded.crls.clone(),
            problems: loaded.problems.iter().map(|it| format!("{}: {}", it.source, it.text)).collect(),
        };
        self.view.store(Some(Arc::new(view)));
        self.seen(&loaded.last_success);
    }

    /// A CRL was fetched, or not.
    pub(super) fn fetched(&self, authority: &str, result: &'static str) {
        self.metrics.fetched(authority, "crl", result);
    }

    /// Who has been silent for too long.
    pub(super) fn silent(&self, sentences: Vec<String>) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = sentences;
    }

    /// CRL sources were looked at.
    pub(super) fn seen(&self, last_success: &[LastSuccess]) {
        *self.last_success.lock().unwrap_or_else(PoisonError::into_inner) = last_success.to_vec();
    }

    /// What the hall could not send or receive so far. The hall itself waits for no log.
    pub(super) fn losses(&self) -> (u64, u64) {
        (self.gauges.unsent.load(Relaxed), self.gauges.receive_errors.load(Relaxed))
    }

    /// No more requests should be sent here.
    pub(super) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }
}

impl admin::Status for Live {
    fn readiness(&self) -> Readiness {
        let not = |why: &str| Readiness { ready: false, degraded: vec![why.to_owned()] };
        if self.draining.load(Relaxed) {
            return not("draining");
        }
        let Some(view) = self.view.load_full() else { return not("nothing has been loaded yet") };
        let services = view.services.iter().map(Vec::as_slice);
        let now = self.now();
        let askable = |authority: &str, _: &[u8; 32]| view.ocsp.names_responder(authority);
        let coverage = view.trust.coverage(&view.revocation, &askable, now);
        let mut readiness = admin::assess(services, &coverage, now);
        readiness.degraded.extend(view.problems.iter().cloned());
        readiness.degraded.extend(self.silent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        readiness
    }

    fn metrics(&self) -> String {
        self.metrics.set_conversations(self.gauges.conversations.load(Relaxed));
        self.metrics.set_steps_waiting(self.gauges.waiting_steps.load(Relaxed));
        if let Some(view) = self.view.load_full() {
            let successes = self.last_success.lock().unwrap_or_else(PoisonError::into_inner);
            let successes = successes.iter().filter_map(|it| Some((&*it.authority, &*it.source, it.at?)));
            self.metrics.set_crls(&view.crls, successes);
        }
        self.metrics.render()
    }

    fn now(&self) -> Wall {
        self.clock.now().wall
    }
}
