//! How many certificates there are, counted now and then, and the alarm for blocks that no authority follows.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::time::{Instant, sleep};

use super::force::Force;
use crate::admin;
use crate::net::Clock;
use crate::now::Wall;
use crate::observe::Metrics;
use crate::standing::Status;
use crate::store::{Census, Settings, Store};

/// Between two counts, at least.
const REST: Duration = Duration::from_secs(2);
/// Counting takes at most this part of the time: a million certificates take about half a second of a processor, which must not show beside logins.
const SHARE: u32 = 500;

/// The last count.
#[derive(Debug, Default)]
pub(super) struct Counted {
    last: ArcSwapOption<(Census, Duration)>,
}

impl Counted {
    /// Begins to count.
    pub(super) fn spawn(store: Store, force: Arc<Force>, settings: Arc<ArcSwap<Settings>>, clock: Clock) -> Arc<Self> {
        let counted = Arc::new(Self::default());
        tokio::spawn(Arc::clone(&counted).count(store, force, settings, clock));
        counted
    }

    async fn count(self: Arc<Self>, store: Store, force: Arc<Force>, settings: Arc<ArcSwap<Settings>>, clock: Clock) {
        loop {
            let (begun, now, after) = (Instant::now(), clock.now().wall, settings.load().unconfirmed_after);
            let seconds = i64::try_from(after.as_secs()).unwrap_or(i64::MAX);
            let distrusts = force.view().distrusts(Some(now));
            let census = store.census(now, distrusts, Wall(now.0.saturating_sub(seconds))).await;
            // A registry that can't be read says so elsewhere.
            if let Ok(census) = census {
                let before = self.last.swap(Some(Arc::new((census, after))));
                let overdue = before.map_or(0, |before| before.0.overdue);
                if census.overdue > overdue {
                    tracing::warn!("{}", complaint(census.overdue, after));
                }
            }
            sleep(REST.max(begun.elapsed().saturating_mul(SHARE))).await;
        }
    }

    /// For `/readyz`.
    pub(super) fn complaint(&self) -> Option<String> {
        let last = self.last.load_full()?;
        let (census, after) = *last;
        (census.overdue > 0).then(|| complaint(census.overdue, after))
    }

    /// For `/metrics`.
    pub(super) fn show(&self, metrics: &Metrics) {
        let Some(last) = self.last.load_full() else { return };
        let census = last.0;
        let of = |status| match status {
            Status::Revoked => census.revoked,
            Status::RevocationRequested => census.requested,
            Status::Distrusted => census.distrusted,
            Status::Expired => census.expired,
            Status::Valid => census.valid,
            Status::Applied => census.applied,
        };
        metrics.set_certificates(Status::ALL.map(|status| (status.name(), of(status))));
        metrics.set_unconfirmed(census.unconfirmed, census.overdue, census.oldest);
    }
}

fn complaint(overdue: u64, after: Duration) -> String {
    let certificates = if overdue == 1 { "certificate is" } else { "certificates are" };
    let after = admin::span(after);
    format!(
        "{overdue} {certificates} blocked here for more than {after} and not revoked by the authority: ask it, see /api/v1/reports/unconfirmed"
    )
}
