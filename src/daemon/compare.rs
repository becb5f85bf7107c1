//! What authorities say of certificates is written down beside the server's other work: lists are read by it, and nobody is judged by it. So it takes its time, a quarter of it at most, and what it costs is the walk along an index of names:
//! a certificate is read and judged where something could revoke it, or where it is written that something has.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::admin::View;
use crate::net::Clock;
use crate::now::{Mono, Wall};
use crate::store::{Failure, Record, Revoked, Store};

/// Names that are looked at in one go.
const NAMES: i64 = if cfg!(test) { 7 } else { 5_000 };
/// Certificates that are judged in one go.
const PIECE: i64 = if cfg!(test) { 3 } else { 500 };
/// It rests for so many times as long as it has worked.
const REST: u32 = if cfg!(test) { 0 } else { 3 };
/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// Within so many seconds a certificate that came at a login is written down.
const LATE: i64 = 10;
/// What is written of a certificate that ended so long ago stays: it is refused in any case.
const ENDED: i64 = 30 * 86_400;

/// What decides now, and when that is.
pub(super) type Grounds = Box<dyn Fn() -> (View, Wall) + Send + Sync>;

/// Compares what is written with what authorities say.
pub(super) struct Comparison {
    store: Store,
    grounds: Grounds,
    clock: Clock,
    /// Authorities may say something else.
    news: Notify,
    /// Held from reading what is written until something else is: of two who write, the later one knows more.
    turn: Mutex<()>,
}

impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Comparison").finish_non_exhaustive()
    }
}

impl Comparison {
    pub(super) fn new(store: Store, grounds: Grounds, clock: Clock) -> Self {
        Self { store, grounds, clock, news: Notify::new(), turn: Mutex::default() }
    }

    /// CRLs or OCSP answers have changed.
    pub(super) fn tell(&self) {
        self.news.notify_one();
    }

    /// Compares all whenever there is news. News that comes meanwhile counts from the next piece on, and for those that were compared before it in another round.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            self.news.notified().await;
            if let Err(failure) = self.all().await {
                tracing::warn!("what authorities say could not be written down, which is tried again: {failure}");
                sleep(AGAIN).await;
                self.tell();
            }
        }
    }

    /// Writes down which certificates their authorities have revoked, and which no longer.
    async fn all(&self) -> Result<(), Failure> {
        for authority in self.store.named_authorities().await? {
            let mut after = Some(String::new());
            while let Some(last) = after {
                after = self.names(authority.as_ref(), last).await?;
            }
        }
        self.written().await
    }

    /// Of an authority's certificates after a serial; the last serial, if there may be more.
    async fn names(&self, authority: Option<&String>, after: String) -> Result<Option<String>, Failure> {
        let begun = self.clock.mono();
        let serials = self.store.serials(authority.cloned(), after, NAMES).await?;
        let may_go_on = i64::try_from(serials.len()).is_ok_and(|count| count >= NAMES);
        let last = serials.iter().max().cloned().filter(|_| may_go_on);
        let (view, now) = (self.grounds)();
        let suspects = elsewhere(move || suspects(&view, serials, now)).await?;
        self.rest(begun).await;
        for suspects in suspects.chunks(usize::try_from(PIECE).unwrap_or(usize::MAX)) {
            let begun = self.clock.mono();
            let turn = self.turn.lock().await;
            let records = self.store.unrevoked(authority.cloned(), suspects.to_vec()).await?;
            self.judge(records).await?;
            drop(turn);
            self.rest(begun).await;
        }
        Ok(last)
    }

    /// Of those of which it is written that they are revoked.
    async fn written(&self) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let begun = self.clock.mono();
            let turn = self.turn.lock().await;
            let (_, now) = (self.grounds)();
            let ended = Wall(now.0.saturating_sub(ENDED));
            let (records, place) = self.store.written_revoked(ended, after, PIECE).await?;
            if place.is_none() {
                return Ok(());
            }
            after = place;
            self.judge(records).await?;
            drop(turn);
            self.rest(begun).await;
        }
    }

    /// Those that have come to be known since a row was the last: what is said of them may have been known before they were. The last row now.
    pub(super) async fn fresh(&self, last: i64) -> Result<i64, Failure> {
        let (_, now) = (self.grounds)();
        let since = Wall(now.0.saturating_sub(LATE));
        let _turn = self.turn.lock().await;
        let end = self.store.last_row().await?;
        let records = self.store.fresh(last, since, PIECE).await?;
        let new = records.iter().map(|record| record.row).filter(|row| *row > last);
        let is_all = i64::try_from(new.clone().count()).is_ok_and(|count| count < PIECE);
        let last = if is_all { last.max(end) } else { new.max().unwrap_or(last) };
        self.judge(records).await.map(|()| last)
    }

    /// Writes down what is to be; whoever calls it has the turn.
    async fn judge(&self, records: Vec<Record>) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        let (view, now) = (self.grounds)();
        let changed = elsewhere(move || changed(&view, &records, now)).await?;
        if changed.is_empty() { Ok(()) } else { self.store.set_revoked(changed).await }
    }

    async fn rest(&self, begun: Mono) {
        let worked = self.clock.mono().0.saturating_sub(begun.0);
        sleep(worked.saturating_mul(REST)).await;
    }
}

/// Whoever could be revoked.
fn suspects(view: &View, serials: Vec<String>, now: Wall) -> Vec<String> {
    if view.revokes_a_ca(now) {
        return serials;
    }
    serials.into_iter().filter(|serial| view.may_revoke(serial)).collect()
}

fn changed(view: &View, records: &[Record], now: Wall) -> Vec<(i64, Option<Revoked>)> {
    let judged = records.iter().map(|record| (record, view.revoked(record, now)));
    let changed = judged.filter(|(record, revoked)| record.revoked != *revoked);
    changed.map(|(record, revoked)| (record.row, revoked)).collect()
}

/// On another thread: neither the hall nor the daemon's other tasks wait for it.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(|_| Failure::Unusable("comparing failed by a fault of ours".into()))
}

#[cfg(test)]
mod tests;
