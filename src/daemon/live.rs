//! What HTTP tells of the running server.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::authorities::Known;
use super::census::Counted;
use super::gaps::{Line, Told};
use super::leaving;
use super::registry::Keeper;
use super::seals::Seals;
use crate::admin::authorities::Authority;
use crate::admin::{self, Lang, Later, Peer, Question, Readiness, Refusal, Unexplained};
use crate::config::Config;
use crate::event::Reason;
use crate::explain::{self, Case, Grounds};
use crate::fetch::ocsp::{Askable, Health};
use crate::fetch::staple::State;
use crate::fetch::{self, LastSuccess, Loaded, Problem};
use crate::lock::lock;
use crate::net::{Clock, Gauges};
use crate::now::Wall;
use crate::observe::{Explainer, Language, Metrics};
use crate::pki::{self, Coverage, Facts};
use crate::standing::Blocks;
use crate::store;

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
    /// The same of responders.
    responders_silent: Mutex<Vec<String>>,
    /// What is wrong with what is known beside the CRLs: where they are, and what has disappeared from them.
    known: Mutex<Vec<Problem>>,
    vanished: Mutex<BTreeMap<Arc<str>, usize>>,
    asked: Mutex<Asked>,
    registry: Mutex<Option<Kept>>,
    told: Told,
    /// How it stands with the answers about our own certificates.
    staples: Mutex<Vec<State>>,
}

/// The registry, as far as it is told of.
#[derive(Debug)]
struct Kept {
    keeper: Keeper,
    counted: Arc<Counted>,
    seals: Arc<Seals>,
}

/// How those are who are asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) askable: Askable,
    pub(super) health: Vec<Health>,
    pub(super) problems: Vec<Problem>,
}

/// What readiness rests on.
#[derive(Debug)]
struct View {
    services: Vec<Vec<Arc<str>>>,
    grounds: Grounds,
    /// By which what responders were told is read again.
    fetch: fetch::Settings,
    explainer: Explainer,
}

impl Live {
    pub(super) fn new(metrics: Arc<Metrics>, gauges: Arc<Gauges>, clock: Clock) -> Self {
        let (draining, view) = (AtomicBool::default(), ArcSwapOption::empty());
        let (last_success, silent, responders_silent) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (known, vanished, asked) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (registry, staples) = (Mutex::default(), Mutex::default());
        Self {
            metrics,
            gauges,
            clock,
            draining,
            view,
            last_success,
            silent,
            responders_silent,
            known,
            vanished,
            asked,
            registry,
            told: Told::default(),
            staples,
        }
    }

    /// A configuration counts.
    pub(super) fn configured(&self, config: &Config, now: Wall) {
        self.metrics.set_identities(&config.identity_ends);
        let distrusts = config.trust.authorities().filter_map(|one| Some((one.name, one.distrust?.from)));
        self.metrics.set_distrust(&distrusts.collect::<Vec<_>>());
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
            grounds: Grounds {
                policy: Arc::clone(&config.policy),
                trust: Arc::clone(&config.trust),
                loaded: loaded.clone(),
            },
            fetch: config.fetch.clone(),
            explainer: Explainer {
                language: config.log.language,
                zone: TimeZone::get(&config.log.timezone).unwrap_or(TimeZone::UTC),
            },
        };
        self.view.store(Some(Arc::new(view)));
        self.seen(&loaded.last_success);
    }

    /// A CRL was fetched, or a responder asked, as `kind` says; or not.
    pub(super) fn fetched(&self, authority: &str, kind: &'static str, result: &'static str) {
        self.metrics.fetched(authority, kind, result);
    }

    /// Who has been silent for too long.
    pub(super) fn silent(&self, sentences: Vec<String>) {
        *lock(&self.silent) = sentences;
    }

    /// The same of responders.
    pub(super) fn responders_silent(&self, sentences: Vec<String>) {
        *lock(&self.responders_silent) = sentences;
    }

    /// What is wrong with what is known beside the CRLs, and how many entries each authority's have lost.
    pub(super) fn known(&self, problems: Vec<Problem>, vanished: BTreeMap<Arc<str>, usize>) {
        (*lock(&self.known), *lock(&self.vanished)) = (problems, vanished);
    }

    /// Responders were looked after.
    pub(super) fn asked(&self, asked: Asked) {
        *lock(&self.asked) = asked;
    }

    /// There is a registry.
    pub(super) fn keeps(&self, keeper: Keeper, counted: Arc<Counted>, seals: Arc<Seals>) {
        *lock(&self.registry) = Some(Kept { keeper, counted, seals });
    }

    /// What is blocked now.
    fn blocks(&self) -> Arc<Blocks> {
        lock(&self.registry).as_ref().map(|kept| kept.keeper.blocks()).unwrap_or_default()
    }

    fn registry(&self) -> Option<store::Health> {
        lock(&self.registry).as_ref().map(|kept| kept.keeper.kept().health())
    }

    fn registry_complaints(&self) -> Vec<String> {
        lock(&self.registry).as_ref().map(|kept| kept.keeper.complaints()).unwrap_or_default()
    }

    fn seals(&self) -> Option<Arc<Seals>> {
        lock(&self.registry).as_ref().map(|kept| Arc::clone(&kept.seals))
    }

    fn counted(&self) -> Option<Arc<Counted>> {
        lock(&self.registry).as_ref().map(|kept| Arc::clone(&kept.counted))
    }

    /// Our own certificates were looked after.
    pub(super) fn stapled(&self, states: Vec<State>) {
        *lock(&self.staples) = states;
    }

    /// A responder was asked about one of them.
    pub(super) fn staple_fetched(&self, identity: &str, result: &'static str) {
        self.metrics.staple_fetched(identity, result);
    }

    /// CRL sources were looked at.
    pub(super) fn seen(&self, last_success: &[LastSuccess]) {
        *lock(&self.last_success) = last_success.to_vec();
    }

    /// What has come to be missing of revocation data, or isn't any more.
    pub(super) fn news_of_gaps(&self) -> Vec<Line> {
        let Some(view) = self.view.load_full() else { return Vec::new() };
        let now = self.clock.now().wall;
        let gaps = self.coverage(&view, now).into_iter().flat_map(|coverage| coverage.gaps);
        self.told.look(gaps.collect(), now)
    }

    fn coverage(&self, view: &View, now: Wall) -> Vec<Coverage> {
        let asked = lock(&self.asked);
        let askable = |authority: &str, issuer: &[u8; 32]| asked.askable.contains(authority, issuer);
        view.grounds.trust.coverage(&view.grounds.loaded.revocation, &askable, now)
    }

    /// What the hall could not send or receive so far.
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
        let coverage = self.coverage(&view, now);
        let mut readiness = admin::assess(services, &coverage, now);
        readiness.degraded.extend(view.grounds.loaded.problems.iter().map(text));
        readiness.degraded.extend(lock(&self.known).iter().chain(&lock(&self.asked).problems).map(text));
        readiness.degraded.extend(lock(&self.silent).iter().chain(lock(&self.responders_silent).iter()).cloned());
        readiness.degraded.extend(self.registry_complaints());
        readiness.degraded.extend(lock(&self.gauges.held).iter().map(|held| leaving::complaint(held, now)));
        readiness.degraded.extend(self.counted().and_then(|counted| counted.complaint()));
        readiness.degraded.extend(self.seals().and_then(|seals| seals.complaint()));
        readiness.degraded.extend(lock(&self.staples).iter().flat_map(|state| &state.complaints).cloned());
        readiness
    }

    fn metrics(&self) -> String {
        self.metrics.set_conversations(self.gauges.conversations.load(Relaxed));
        self.metrics
            .set_sessions(lock(&self.gauges.sessions).iter().map(|(service, count)| (service.as_deref(), *count)));
        self.metrics.set_held(lock(&self.gauges.held).iter().map(|held| held.sessions).sum());
        self.metrics.set_steps_waiting(self.gauges.waiting_steps.load(Relaxed));
        if let Some(view) = self.view.load_full() {
            let successes = lock(&self.last_success);
            let successes = successes.iter().map(|it| (&*it.authority, &*it.source, it.at.unwrap_or_default()));
            self.metrics.set_crls(&view.grounds.loaded.crls, successes);
            self.metrics.set_ocsp_answers(view.grounds.loaded.revocation.answers().count() as u64);
        }
        let asked = lock(&self.asked);
        let responders = asked.health.iter().map(|it| (&*it.authority, &*it.source, !it.open, it.last_success));
        self.metrics.set_responders(responders);
        drop(asked);
        self.metrics.set_vanished(lock(&self.vanished).iter().map(|(authority, count)| (&**authority, *count)));
        if let Some(store::Health { fault, unkept, failed, dropped, .. }) = self.registry() {
            self.metrics.set_registry(fault.is_none() && unkept.is_none(), failed, dropped);
        }
        if let Some(counted) = self.counted() {
            counted.show(&self.metrics);
        }
        if let Some(seals) = self.seals() {
            seals.show(&self.metrics);
        }
        let staples = lock(&self.staples);
        let named = staples.iter().filter(|state| !state.responders.is_empty());
        self.metrics.set_staples(named.map(|state| (&*state.name, state.end, state.revoked)));
        drop(staples);
        self.metrics.render()
    }

    fn now(&self) -> Wall {
        self.clock.now().wall
    }

    fn refused(&self, why: Refusal) {
        self.metrics.admin_refused(why.name());
    }

    fn authorities(&self) -> Vec<Authority> {
        let Some(view) = self.view.load_full() else { return Vec::new() };
        let Grounds { trust, loaded, .. } = &view.grounds;
        let now = self.now();
        let coverage = self.coverage(&view, now);
        let (sources, asked) = (lock(&self.last_success).clone(), lock(&self.asked));
        let known = Known { trust, loaded, sources: &sources, responders: &asked.health, coverage: &coverage, now };
        known.authorities()
    }

    fn explain(&self, question: Question) -> Later<'static, Result<Value, Unexplained>> {
        let (view, blocks, now) = (self.view.load_full(), self.blocks(), self.now());
        Box::pin(async move {
            let view = view.ok_or(Unexplained::Unable)?;
            // It reads files.
            let explained = spawn_blocking(move || view.explain(&question, blocks, now)).await;
            explained.unwrap_or(Err(Unexplained::Unable))
        })
    }

    fn peer(&self, chain: &[&[u8]], authorities: &[Arc<str>]) -> Result<Peer, Reason> {
        let view = self.view.load_full().ok_or(Reason::Internal)?;
        let facts = view.grounds.trust.facts(chain).map_err(|refusal| refusal.reason)?;
        let user = view.admit(&facts, authorities, self.blocks(), self.now())?;
        Ok(Peer { user, facts })
    }

    fn peer_again(&self, peer: &Peer, authorities: &[Arc<str>]) -> Result<(), Reason> {
        let view = self.view.load_full().ok_or(Reason::Internal)?;
        view.admit(&peer.facts, authorities, self.blocks(), self.now()).map(drop)
    }
}

impl View {
    fn explain(&self, question: &Question, blocks: Arc<Blocks>, now: Wall) -> Result<Value, Unexplained> {
        let language = match question.lang {
            Some(Lang::Ja) => Language::Ja,
            Some(Lang::En) => Language::En,
            None => self.explainer.language,
        };
        let explainer = Explainer { language, zone: self.explainer.zone.clone() };
        let at = question.at.unwrap_or(now);
        let mut grounds = self.grounds.clone();
        grounds.loaded.standing = Arc::new(grounds.loaded.standing.with_blocks(blocks));
        let case = Case::new(grounds, &self.fetch, &question.chain, at, explainer);
        let answers = case.answers(question.service.as_deref()).map_err(Unexplained::NoService)?;
        Ok(explain::json(&case, &answers))
    }

    /// As a login would be judged, without a service; nobody is asked.
    fn admit(
        &self,
        facts: &Facts,
        authorities: &[Arc<str>],
        blocks: Arc<Blocks>,
        now: Wall,
    ) -> Result<Arc<str>, Reason> {
        let Grounds { policy, trust, loaded } = &self.grounds;
        let verdict = pki::verdict(trust, &loaded.revocation, facts, now);
        let standing = loaded.standing.with_blocks(blocks);
        policy.admit(authorities, facts, &verdict, &standing, now).map_err(|refusal| refusal.reason())
    }
}

fn text(problem: &Problem) -> String {
    format!("{}: {}", problem.source, problem.text)
}
