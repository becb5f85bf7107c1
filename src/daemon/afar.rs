//! CRLs from afar: what is due is fetched beside everything else, and what came counts at once. Where they are is said by the configuration, or by the certificates that are seen.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet, spawn_blocking};

use super::{Server, StartError, system};
use crate::admin::span;
use crate::config::Config;
use crate::engine::Facts;
use crate::fetch::Problem;
use crate::fetch::alarms::{Alarm, Alarms};
use crate::fetch::http::Client;
use crate::fetch::learned::{Found, Learned};
use crate::fetch::remote::{Outcome, Remote, Tick};
use crate::fetch::vanished::Ledger;
use crate::now::Now;
use crate::pki;

/// The sources, and what is under way.
#[derive(Debug)]
pub(super) struct Afar {
    pub(super) remote: Remote,
    pub(super) learned: Learned,
    /// `None`: there is nothing to fetch.
    pub(super) client: Option<Arc<Client>>,
    /// Dropped with this: what was asked for by a configuration that is gone is not waited for.
    under_way: JoinSet<Outcome>,
}

impl Afar {
    /// Takes up what was kept, and what `previous` has; fetches nothing yet. It reads files.
    pub(super) fn new(
        config: &Config,
        ledger: &Arc<Ledger>,
        now: Now,
        previous: Option<&(Remote, Learned)>,
    ) -> Result<Self, String> {
        let client = match config.fetch.is_local() {
            true => None,
            false => Some(Arc::new(Client::new(config.fetch.remote.http.clone())?)),
        };
        let learned = Learned::new(&config.fetch, &config.trust, previous.map(|(_, learned)| learned));
        let settings = learned.added_to(&config.fetch.remote);
        let remote = Remote::new(&settings, ledger, &config.trust, now, previous.map(|(remote, _)| remote));
        Ok(Self { remote, learned, client, under_way: JoinSet::new() })
    }

    /// What of it counts on when another is made.
    pub(super) fn known(&self) -> (Remote, Learned) {
        (self.remote.clone(), self.learned.clone())
    }

    /// As [`Afar::new`], when the server starts.
    pub(super) fn first(config: &Config, ledger: &Arc<Ledger>, now: Now) -> Result<Self, StartError> {
        Self::new(config, ledger, now, None).map_err(system)
    }

    /// What isn't good.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        self.remote.problems().chain(self.learned.problems())
    }

    /// The next fetch that ends; `None` where none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<Outcome, JoinError>> {
        self.under_way.join_next().await
    }
}

impl Server {
    /// Begins what is due, and says who has been silent for too long.
    pub(super) fn ask(&mut self) {
        self.know();
        let Some(client) = &self.afar.client else {
            self.live.silent(Vec::new());
            return;
        };
        let Tick { jobs, alarms } = self.afar.remote.tick(self.clock.now(), &self.config.trust, client);
        for job in jobs {
            self.afar.under_way.spawn(job.run());
        }
        self.live.silent(sound(&alarms, "can be fetched again"));
    }

    /// Shows what is known beside the CRLs, and says what is news of it.
    fn know(&self) {
        for line in self.ledger.news() {
            tracing::warn!("{line}");
        }
        let problems = self.afar.learned.problems().into_iter().chain(self.ledger.problems());
        self.live.known(problems.collect(), self.ledger.counts());
    }

    /// Looks at a certificate whose owner has proved to be that: where it says that its revocation data is, and whether that must be asked for.
    pub(super) async fn saw(&mut self, facts: Arc<Facts>) {
        if let Some(registry) = &self.registry {
            registry.keeper.saw(&facts);
        }
        let found = self.afar.learned.see(&facts, &self.config.trust);
        let is_new = !found.is_empty();
        let Found { crls, responders } = found;
        for source in &crls {
            tracing::info!("authority {}: a certificate says that its CRL is at {}", source.authority, source.url);
        }
        for place in &responders {
            tracing::info!("authority {}: a certificate names the OCSP responder {}", place.authority, place.url);
        }
        self.responders.learn(responders).await;
        self.afar.remote.named(&facts.authority, &facts.locations.crls, self.clock.now());
        if self.afar.remote.learn(&crls, &self.config.trust, self.clock.now()) {
            self.swap_loaded().await;
        }
        if !crls.is_empty() {
            self.ask();
        }
        if is_new {
            self.write_learned().await;
        }
        let now = self.clock.now().wall;
        let rests_on = pki::questions(&self.config.trust, &self.unanswered, &facts, now);
        self.responders.seen(rests_on).await;
    }

    /// Writes down what certificates have told, if that is not on disk.
    pub(super) async fn write_learned(&mut self) {
        let Some(unwritten) = self.afar.learned.unwritten() else { return };
        let written = spawn_blocking(move || unwritten.write()).await;
        self.afar.learned.wrote(written.unwrap_or_else(|_| Err("a fault of ours".into())));
    }

    /// Counts what a fetch has brought.
    pub(super) async fn fetched(&mut self, outcome: Result<Outcome, JoinError>) {
        let Ok(outcome) = outcome else {
            tracing::error!("a fetch failed by a fault of ours");
            return;
        };
        let Some(finished) = self.afar.remote.finish(outcome, self.clock.now()) else { return };
        self.live.fetched(&finished.authority, "crl", finished.result);
        if finished.changed {
            self.swap_loaded().await;
        } else {
            self.seen();
        }
        self.know();
        match finished.news {
            Some(Ok(good)) => tracing::info!("{good}"),
            Some(Err(bad)) => tracing::warn!("{bad}"),
            None => {}
        }
    }
}

/// Logs what is new, `again` of who is silent no more; what is to be shown of who is.
pub(super) fn sound(alarms: &Alarms, again: &str) -> Vec<String> {
    for alarm in &alarms.began {
        tracing::warn!("{}", sentence(alarm));
    }
    for Alarm { authority, source, .. } in &alarms.ended {
        tracing::info!("authority {authority}: {source} {again}");
    }
    alarms.began.iter().chain(&alarms.lasting).map(sentence).collect()
}

fn sentence(alarm: &Alarm) -> String {
    let Alarm { authority, source, silent, failure } = alarm;
    let why = failure.as_ref().map(|failure| format!(": {failure}")).unwrap_or_default();
    format!("authority {authority}: no successful fetch of {source} for {}{why}", span(*silent))
}
