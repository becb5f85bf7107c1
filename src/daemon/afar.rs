//! CRLs from afar: what is due is fetched beside everything else, and what came counts at once.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::{Server, StartError, system};
use crate::admin::span;
use crate::config::Config;
use crate::fetch::http::Client;
use crate::fetch::remote::{Alarm, Outcome, Remote, Tick};
use crate::now::Now;

/// The sources, and what is under way.
#[derive(Debug)]
pub(super) struct Afar {
    pub(super) remote: Remote,
    /// `None`: there is nothing to fetch.
    client: Option<Arc<Client>>,
    /// Dropped with this: what was asked for by a configuration that is gone is not waited for.
    under_way: JoinSet<Outcome>,
}

impl Afar {
    /// Takes up what was kept, and what `previous` has; fetches nothing yet. It reads files.
    pub(super) fn new(config: &Config, now: Now, previous: Option<&Remote>) -> Result<Self, String> {
        let settings = &config.fetch.remote;
        let client = match settings.crls.is_empty() {
            true => None,
            false => Some(Arc::new(Client::new(settings.http.clone())?)),
        };
        let remote = Remote::new(settings, &config.trust, now, previous);
        Ok(Self { remote, client, under_way: JoinSet::new() })
    }

    /// As [`Afar::new`], when the server starts.
    pub(super) fn first(config: &Config, now: Now) -> Result<Self, StartError> {
        Self::new(config, now, None).map_err(system)
    }

    /// The next fetch that ends; `None` where none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<Outcome, JoinError>> {
        self.under_way.join_next().await
    }
}

impl Server {
    /// Begins what is due, and says who has been silent for too long.
    pub(super) fn ask(&mut self) {
        let Some(client) = &self.afar.client else {
            self.live.silent(Vec::new());
            return;
        };
        let Tick { jobs, began, lasting, ended } = self.afar.remote.tick(self.clock.now(), &self.config.trust, client);
        for job in jobs {
            self.afar.under_way.spawn(job.run());
        }
        for alarm in &began {
            tracing::warn!("{}", sentence(alarm));
        }
        for Alarm { authority, source, .. } in &ended {
            tracing::info!("authority {authority}: {source} can be fetched again");
        }
        self.live.silent(began.iter().chain(&lasting).map(sentence).collect());
    }

    /// Counts what a fetch has brought.
    pub(super) async fn fetched(&mut self, outcome: Result<Outcome, JoinError>) {
        let Ok(outcome) = outcome else {
            tracing::error!("a fetch failed by a fault of ours");
            return;
        };
        let Some(finished) = self.afar.remote.finish(outcome, self.clock.now()) else { return };
        self.live.fetched(&finished.authority, finished.result);
        if finished.changed {
            self.swap_loaded().await;
        } else {
            self.seen();
        }
        match finished.news {
            Some(Ok(good)) => tracing::info!("{good}"),
            Some(Err(bad)) => tracing::warn!("{bad}"),
            None => {}
        }
    }
}

fn sentence(alarm: &Alarm) -> String {
    let Alarm { authority, source, silent, failure } = alarm;
    let why = failure.as_ref().map(|failure| format!(": {failure}")).unwrap_or_default();
    format!("authority {authority}: no successful fetch of {source} for {}{why}", span(*silent))
}
