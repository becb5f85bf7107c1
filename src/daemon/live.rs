//! What HTTP tells of the running server.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use crate::admin::{self, Readiness};
use crate::config::Config;
use crate::event::Reason;
use crate::fetch::{LastSuccess, Loaded};
use crate::net::{Clock, Gauges};
use crate::now::Wall;
use crate::observe::Metrics;
use crate::pki::{CrlSummary, Gap, Revocation, RevocationSource, Trust};

/// The running server, for whoever asks.
#[derive(Debug)]
pub(super) struct Live {
    metrics: Arc<Metrics>,
    gauges: Arc<Gauges>,
    clock: Clock,
    draining: AtomicBool,
    view: ArcSwapOption<View>,
    last_success: Mutex<Vec<LastSuccess>>,
}

/// What readiness rests on.
#[derive(Debug)]
struct View {
    services: Vec<Vec<Arc<str>>>,
    authorities: Vec<admin::Authority>,
    crls: Vec<CrlSummary>,
    trust: Arc<Trust>,
    revocation: Arc<Revocation>,
    problems: Vec<String>,
}

impl View {
    fn readiness(&self, now: Wall) -> Readiness {
        let deciding = self.trust.deciding(&self.revocation, now);
        let decided_by = |names: &Vec<Arc<str>>| names.iter().filter(|name| deciding.contains(name)).cloned().collect();
        let services: Vec<Vec<Arc<str>>> = self.services.iter().map(decided_by).collect();
        let mut readiness = admin::assess(services.iter().map(Vec::as_slice), &self.authorities, &self.crls, now);
        // Of an authority without any CRL, and of old ones, it has been told.
        let has_crl = |gap: &Gap| self.crls.iter().any(|crl| crl.authority == gap.authority);
        let gaps = self.trust.gaps(&self.revocation, now).into_iter();
        let missing = gaps.filter(|gap| gap.finding == Reason::RevocationUnknown && has_crl(gap));
        readiness.degraded.extend(missing.map(|gap| format!("authority {}: no CRL of {}", gap.authority, gap.issuer)));
        readiness.degraded.extend(self.problems.iter().cloned());
        readiness
    }
}

impl Live {
    pub(super) fn new(metrics: Arc<Metrics>, gauges: Arc<Gauges>, clock: Clock) -> Self {
        let (draining, view, last_success) = (AtomicBool::default(), ArcSwapOption::empty(), Mutex::default());
        Self { metrics, gauges, clock, draining, view, last_success }
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
        let authority = |summary: crate::pki::AuthoritySummary| admin::Authority {
            name: summary.name,
            wants_crl: summary.revocation != RevocationSource::Off,
            grace: summary.grace,
        };
        let view = View {
            services: config.policy.services().map(|(_, service)| service.authorities.clone()).collect(),
            authorities: config.trust.authorities().map(authority).collect(),
            crls: loaded.crls.clone(),
            trust: Arc::clone(&config.trust),
            revocation: Arc::clone(&loaded.revocation),
            problems: loaded.problems.iter().map(|it| format!("{}: {}", it.file.display(), it.text)).collect(),
        };
        self.view.store(Some(Arc::new(view)));
        self.seen(&loaded.last_success);
    }

    /// CRL files were looked at.
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
        view.readiness(self.now())
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
