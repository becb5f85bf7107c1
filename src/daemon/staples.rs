//! OCSP answers about our own certificates: asked for beside everything else, and stapled from the next handshake on.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::Server;
use super::live::Live;
use crate::config::Config;
use crate::fetch::http::Client;
use crate::fetch::staple::{Finished, Handed, News, Outcome, Staples};
use crate::now::{Now, Wall};
use crate::tls;

/// The answers, and what is under way.
#[derive(Debug)]
pub(super) struct Stapling {
    staples: Staples,
    /// Dropped with this: what was asked for by a configuration that is gone is not waited for.
    under_way: JoinSet<Outcome>,
}

impl Stapling {
    /// Takes up what was kept, and what `previous` has; asks nobody yet. It reads files.
    pub(super) fn new(config: &Config, now: Now, previous: Option<&Staples>) -> Self {
        let staples = Staples::new(&config.fetch.staple, &config.state_dir, now, previous);
        Self { staples, under_way: JoinSet::new() }
    }

    /// What of it counts on when another is made.
    pub(super) fn known(&self) -> Staples {
        self.staples.clone()
    }

    /// Has this server staple what is good now. It is this one's only server.
    pub(super) fn hand(&mut self, server: &tls::Server, now: Wall) {
        for Handed { name, staple, news } in self.staples.hand(now) {
            server.staple(&name, staple);
            news.into_iter().for_each(tell);
        }
    }

    /// Lets others see how it stands.
    pub(super) fn show(&self, live: &Live, now: Wall) {
        live.stapled(self.staples.states(now));
    }

    /// The next answer; `None` where nobody is being asked.
    pub(super) async fn next(&mut self) -> Option<Result<Outcome, JoinError>> {
        self.under_way.join_next().await
    }

    fn begin(&mut self, now: Now, client: &Arc<Client>) {
        for job in self.staples.begin(now, client) {
            self.under_way.spawn(job.run());
        }
    }
}

impl Server {
    /// Takes off what has ended, and asks about whom it is time to.
    pub(super) fn staple(&mut self) {
        let now = self.clock.now();
        self.stapling.hand(&self.config.tls, now.wall);
        self.stapling.show(&self.live, now.wall);
        if let Some(client) = &self.afar.client {
            self.stapling.begin(now, client);
        }
    }

    /// Staples what a responder has said.
    pub(super) fn stapled(&mut self, outcome: Result<Outcome, JoinError>) {
        let Ok(outcome) = outcome else {
            tracing::error!("asking about a certificate of ours failed by a fault of ours");
            return;
        };
        let Some(finished) = self.stapling.staples.finish(outcome, self.clock.now()) else { return };
        let Finished { name, results, news } = finished;
        results.into_iter().for_each(|result| self.live.staple_fetched(&name, result));
        news.into_iter().for_each(tell);
        self.staple();
    }
}

fn tell(news: News) {
    match news {
        News::Good(text) => tracing::info!("{text}"),
        News::Bad(text) => tracing::warn!("{text}"),
        News::Alarm(text) => tracing::error!("{text}"),
    }
}
