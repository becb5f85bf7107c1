//! Keys of one-time passwords come under the first of the seal-keys in the background, and those that no seal-key opens are told of.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use crate::observe::Metrics;
use crate::otp::{Resealed, Settings};
use crate::store::{Failure, Store};

/// Keys that are looked at in one go: about a millisecond.
const PAGE: i64 = 256;
/// Between two looks, at least.
const BEAT: Duration = Duration::from_secs(2);
/// While the seal-keys are the same, looking takes at most this part of the time.
const SHARE: u32 = 500;

/// How many keys there are, by what opened them when they were looked at last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// The first of the seal-keys; it has sealed them.
    first: u64,
    /// Another, and they couldn't be sealed anew.
    older: u64,
    /// None.
    none: u64,
}

/// The last count; `None`: there was none yet, or there is no `[otp]`.
#[derive(Debug, Default)]
pub(super) struct Seals(ArcSwapOption<Count>);

impl Seals {
    /// Begins to look.
    pub(super) fn spawn(store: Store, otp: &Arc<ArcSwapOption<Settings>>) -> Arc<Self> {
        let seals = Arc::new(Self::default());
        tokio::spawn(Arc::clone(&seals).run(store, Arc::clone(otp)));
        seals
    }

    async fn run(self: Arc<Self>, store: Store, otp: Arc<ArcSwapOption<Settings>>) {
        let (mut by, mut rests_until) = (None, Instant::now());
        loop {
            let (settings, begun) = (otp.load_full(), Instant::now());
            let is_other = by.as_ref().map(Arc::as_ptr) != settings.as_ref().map(Arc::as_ptr);
            if settings.is_none() {
                self.0.store(None);
            }
            if let Some(now) = settings.as_ref().filter(|_| is_other || begun >= rests_until)
                // A registry that can't be used says so elsewhere, and is tried again.
                && let Ok(moved) = self.round(&store, now).await
            {
                self.tell(moved);
                rests_until = Instant::now() + begun.elapsed().saturating_mul(SHARE);
                by = settings;
            }
            sleep(BEAT).await;
        }
    }

    /// Looks at all keys once; how many have been sealed anew, and how many there were of each kind before.
    async fn round(&self, store: &Store, settings: &Settings) -> Result<(u64, Option<Count>), Failure> {
        let (mut count, mut moved, mut after) = (Count::default(), 0, String::new());
        loop {
            let page = store.sealed_after(after.clone(), PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            let mut anew = Vec::new();
            for (user, sealed) in page {
                match settings.sealer.reseal(&user, &sealed) {
                    Ok(Resealed::Already) => count.first += 1,
                    Ok(Resealed::Anew(after)) => anew.push((user, sealed, after)),
                    Ok(Resealed::Never) => count.none += 1,
                    Err(_) => count.older += 1,
                }
            }
            let keys = anew.len() as u64;
            if keys > 0 {
                store.reseal(anew).await?;
            }
            count.first += keys;
            moved += keys;
            yield_now().await;
        }
        Ok((moved, self.0.swap(Some(Arc::new(count))).map(|before| *before)))
    }

    /// Says what has changed.
    fn tell(&self, (moved, before): (u64, Option<Count>)) {
        let Some(count) = self.0.load_full() else { return };
        if moved > 0 {
            tracing::info!(
                "{moved} keys of one-time passwords were under an older seal-key, and are under the first now; the older ones are of no use any more once every node says so"
            );
        }
        if count.none != before.unwrap_or_default().none && count.none > 0 {
            tracing::error!("{}", complaint(count.none));
        }
    }

    /// For `/readyz`.
    pub(super) fn complaint(&self) -> Option<String> {
        self.0.load_full().filter(|count| count.none > 0).map(|count| complaint(count.none))
    }

    /// For `/metrics`.
    pub(super) fn show(&self, metrics: &Metrics) {
        let count = self.0.load_full();
        let by_seal = |count: &Count| [("first", count.first), ("older", count.older), ("none", count.none)];
        metrics.set_otp_keys(count.iter().flat_map(|count| by_seal(count)));
    }
}

fn complaint(none: u64) -> String {
    let whose =
        if none == 1 { "1 user's one-time passwords are" } else { &format!("{none} users' one-time passwords are") };
    format!(
        "{whose} sealed with another seal-key than those in [otp], and no code of theirs is right: add it as a further line of seal-key-file and reload, or enrol them again"
    )
}
