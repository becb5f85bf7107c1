//! What is in force: the snapshot that the hall decides by, changed by one at a time. A block waits for no file, host or reload: only for the swap.

use std::sync::{Arc, Mutex as Short};

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::access;
use crate::admin::View;
use crate::engine::{Done, Order, Snapshot};
use crate::lock::lock;
use crate::net::Command;
use crate::observe::{Explainer, LogSettings};
use crate::standing::Blocks;

/// What is in force, and how it is changed.
pub(super) struct Force {
    /// `None`: the server is stopping.
    orders: Short<Option<mpsc::Sender<Command>>>,
    /// Held while it is changed.
    changing: Mutex<()>,
    snapshot: ArcSwap<Snapshot>,
    explainer: ArcSwap<Explainer>,
}

impl std::fmt::Debug for Force {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Force").finish_non_exhaustive()
    }
}

impl Force {
    /// `snapshot`: what the hall has begun with.
    pub(super) fn new(orders: mpsc::Sender<Command>, snapshot: Arc<Snapshot>, log: &LogSettings) -> Self {
        let explainer = ArcSwap::from_pointee(explainer(log));
        Self {
            orders: Short::new(Some(orders)),
            changing: Mutex::default(),
            snapshot: ArcSwap::new(snapshot),
            explainer,
        }
    }

    /// Files, hosts or the configuration say something else from now on; what is blocked stays blocked.
    pub(super) async fn swap(&self, snapshot: &Snapshot) {
        let _changing = self.changing.lock().await;
        let blocks = Arc::clone(self.snapshot.load().access.standing.blocks());
        self.put(with_blocks(snapshot, blocks)).await;
    }

    /// Something else is blocked from now on. `read` is done while nobody else changes anything, so that what was read last is in force last. Whether it is in force.
    pub(super) async fn block<E>(&self, read: impl Future<Output = Result<Blocks, E>>) -> Result<bool, E> {
        let _changing = self.changing.lock().await;
        let blocks = Arc::new(read.await?);
        let snapshot = self.snapshot.load_full();
        Ok(self.put(with_blocks(&snapshot, blocks)).await)
    }

    async fn put(&self, snapshot: Arc<Snapshot>) -> bool {
        let is_done = self.order(Order::Swap(Arc::clone(&snapshot))).await;
        self.snapshot.store(snapshot);
        is_done
    }

    /// Has the hall do something, and waits until it is done; `false`: the hall has ended, and with it the process.
    pub(super) async fn order(&self, order: Order) -> bool {
        self.ask(order).await.is_some()
    }

    /// The same; what came of it.
    pub(super) async fn ask(&self, order: Order) -> Option<Done> {
        let orders = lock(&self.orders).clone()?;
        let (done, finished) = oneshot::channel();
        orders.send((order, done)).await.ok()?;
        drop(orders);
        finished.await.ok()
    }

    /// Nothing is ordered any more.
    pub(super) fn close(&self) {
        drop(lock(&self.orders).take());
    }

    /// Explanations are in another language from now on.
    pub(super) fn set_log(&self, log: &LogSettings) {
        self.explainer.store(Arc::new(explainer(log)));
    }

    /// What decides now.
    pub(super) fn view(&self) -> View {
        let snapshot = self.snapshot.load();
        let access = Arc::clone(&snapshot.access);
        View {
            disconnects: snapshot.disconnect.enabled,
            trust: Arc::clone(&access.trust),
            revocation: Arc::clone(&access.revocation),
            policy: Arc::clone(&access.policy),
            blocks: Arc::clone(access.standing.blocks()),
            explainer: Explainer::clone(&self.explainer.load()),
        }
    }
}

fn explainer(log: &LogSettings) -> Explainer {
    Explainer { language: log.language, zone: TimeZone::get(&log.timezone).unwrap_or(TimeZone::UTC) }
}

/// A snapshot with these blocks.
pub(super) fn with_blocks(snapshot: &Snapshot, blocks: Arc<Blocks>) -> Arc<Snapshot> {
    let access::Snapshot { eap, policy, trust, revocation, standing, tls, handles } = &*snapshot.access;
    let access = access::Snapshot {
        eap: *eap,
        policy: Arc::clone(policy),
        trust: Arc::clone(trust),
        revocation: Arc::clone(revocation),
        standing: Arc::new(standing.with_blocks(blocks)),
        tls: Arc::clone(tls),
        handles: Arc::clone(handles),
    };
    Arc::new(Snapshot { peers: Arc::clone(&snapshot.peers), access: Arc::new(access), disconnect: snapshot.disconnect })
}
