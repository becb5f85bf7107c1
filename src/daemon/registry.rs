//! The registry beside the running server: blocks come into force, what logins leave behind is kept and forgotten in time, and what authorities say of certificates is written down.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::books::Flush;
use super::census::Counted;
use super::compare::{self, Comparison};
use super::force::Force;
pub(super) use super::opening::{Opened, open};
use super::together::Together;
use crate::admin::{self, Later, View};
use crate::engine::Facts;
use crate::event::{Authentication, Event, Method, Outcome};
use crate::net::Clock;
use crate::now::Wall;
use crate::standing::Blocks;
use crate::store::{
    Columns, Decided, Device, FILE, Failure, Health, Known, Settings, Sighting, Store, Trace, serial_text,
};

/// Events that may wait to be kept.
const EVENTS: usize = 8_192;
/// How long what the hall leaves is gathered before it is handed on.
const GATHER: Duration = Duration::from_millis(100);
/// Between two looks at what has to be done.
const BEAT: Duration = Duration::from_secs(2);
/// Between two rounds of forgetting.
const FORGET: Duration = Duration::from_secs(600);
/// How long forgetting rests, so that nobody has to wait for it.
const REST: Duration = Duration::from_millis(50);
/// How long the last decisions may take to be handed over when the server stops.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the database may take to be closed.
const CLOSING: Duration = Duration::from_secs(2);
/// A certificate that comes again is written down again after so many seconds.
const AGAIN: i64 = 60;
/// Certificates of which that is remembered.
const REMEMBERED: usize = 20_000;

/// The registry of a running server.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    store: Store,
    settings: Arc<ArcSwap<Settings>>,
    force: Arc<Force>,
    clock: Clock,
    /// What is blocked could not be read or kept, and has to be tried again.
    stale: Arc<AtomicBool>,
    /// There was a registry here before this process began.
    is_heir: bool,
    /// Writes sessions down; there once the hall is.
    books: Arc<OnceLock<Flush>>,
    /// Puts in force what is blocked, for all who have changed it.
    enforcing: Arc<Together<Result<(), Failure>>>,
    compares: Arc<Comparison>,
    /// Of what the hall tells.
    left: mpsc::WeakSender<Left>,
    /// Somebody waits for it.
    bell: Arc<Notify>,
}

/// What the hall leaves to be kept, in its order.
#[derive(Debug)]
pub(super) enum Left {
    /// What became of a packet.
    Event(Arc<Event>),
    /// Somebody waits until all that was left before has been handed on.
    Mark(oneshot::Sender<()>),
}

/// A registry, and what runs for it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) keeper: Keeper,
    /// Writes down what comes from the hall, until the hall has ended.
    keeping: tokio::task::JoinHandle<()>,
    /// What is done again and again.
    tending: [tokio::task::JoinHandle<()>; 4],
    thread: JoinHandle<()>,
}

impl Running {
    /// Writes what waits, and ends. The hall has ended before.
    pub(super) async fn stop(self) {
        self.keeper.bell.notify_one();
        // What isn't done by then would not be done soon.
        let _ = timeout(PATIENCE, self.keeping).await;
        for task in self.tending {
            task.abort();
        }
        self.keeper.store.close();
        // Elsewhere: it waits for every connection to come back, and that takes this thread's tasks.
        let thread = self.thread;
        if timeout(CLOSING, spawn_blocking(|| thread.join())).await.is_err() {
            tracing::warn!("the registry was not closed after {CLOSING:?}; what it has told is on disk");
        }
    }
}

/// Where the hall puts what is to be kept.
pub(super) type Events = mpsc::Sender<Left>;

impl Keeper {
    /// Begins to keep. `Events` end it.
    pub(super) fn spawn(opened: Opened, settings: Settings, force: &Arc<Force>, clock: Clock) -> (Running, Events) {
        let (events, received) = mpsc::channel(EVENTS);
        let grounds: compare::Grounds = Box::new({
            let force = Arc::clone(force);
            move || (force.view(), clock.now().wall)
        });
        let keeper = Self {
            compares: Arc::new(Comparison::new(opened.store.clone(), grounds, clock)),
            store: opened.store,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            force: Arc::clone(force),
            clock,
            stale: Arc::new(AtomicBool::new(true)),
            is_heir: opened.is_heir,
            books: Arc::default(),
            enforcing: Arc::default(),
            left: events.downgrade(),
            bell: Arc::default(),
        };
        let keeping = tokio::spawn(keep(keeper.store.clone(), received, Arc::clone(&keeper.bell)));
        let comparing = tokio::spawn(Arc::clone(&keeper.compares).run());
        let tending = [
            tokio::spawn(keeper.clone().tend()),
            tokio::spawn(keeper.clone().forget()),
            tokio::spawn(name_all(keeper.store.clone())),
            comparing,
        ];
        (Running { keeper, keeping, tending, thread: opened.thread }, events)
    }

    /// From now on whoever is told that a block is in force knows that its sessions are on disk.
    pub(super) fn writes_by(&self, books: Option<Flush>) {
        if let Some(books) = books {
            // It is set once, at the start.
            let _ = self.books.set(books);
        }
    }

    /// Where it is kept.
    pub(super) fn kept(&self) -> Store {
        self.store.clone()
    }

    /// Begins to count what is kept.
    pub(super) fn count(&self, force: &Arc<Force>) -> Arc<Counted> {
        Counted::spawn(self.store.clone(), Arc::clone(force), Arc::clone(&self.settings), self.clock)
    }

    /// Other settings from now on.
    pub(super) async fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
        if let Err(failure) = self.put_in_force().await {
            tracing::error!("what is blocked can't be read: {failure}");
        }
    }

    /// CRLs or OCSP answers have changed.
    pub(super) fn revocation_changed(&self) {
        self.compares.tell();
    }

    /// A certificate was judged at a login.
    pub(super) fn saw(&self, facts: &Facts) {
        let view = self.force.view();
        let known = admin::known(facts, &view.policy);
        let at = self.clock.now().wall;
        self.store.trace(Trace::Seen(Box::new(Sighting { known, at, device: None })));
    }

    /// What is blocked.
    pub(super) fn blocks(&self) -> Arc<Blocks> {
        self.force.view().blocks
    }

    /// What is wrong with it, for people.
    pub(super) fn complaints(&self) -> Vec<String> {
        let Health { fault, unkept, is_new, .. } = self.store.health();
        let fault = fault.map(|fault| {
            format!("{fault}; who is blocked stays so, nobody else can be, and nothing is kept: make room on the disk, or restore {FILE} from a backup, or move {FILE}* away to begin a new one, without a restart")
        });
        let begun_anew = (is_new && self.is_heir).then(|| {
            format!("{FILE} was gone or empty and is begun anew: who was blocked is blocked, all else that it held is lost unless it is restored; this line goes with the next restart")
        });
        fault.into_iter().chain(unkept.map(|why| why.to_string())).chain(begun_anew).collect()
    }

    /// What is blocked counts from now on, and stands on disk twice. Many at once cost about as much as two.
    async fn put_in_force(&self) -> Result<(), Failure> {
        self.enforcing.join(self.enforce_now()).await
    }

    async fn enforce_now(&self) -> Result<(), Failure> {
        let listed = self.settings.load().blocks_requested;
        let mut kept = Ok(());
        let read = async {
            let blocked = self.store.blocked(listed).await?;
            // What can't be kept counts all the same, but nobody is told that it does.
            kept = self.store.keep_blocked(blocked.clone()).await;
            Ok(admin::blocks(blocked, listed))
        };
        let done: Result<bool, Failure> = self.force.block(read).await;
        self.stale.store(done.is_err() || kept.is_err(), Relaxed);
        if let Some(books) = self.books.get() {
            // A server that is killed now must know afterwards who has to go for it.
            books.flush().await;
        }
        match done? {
            true => kept,
            false => Err(Failure::Unusable("the server is stopping".into())),
        }
    }

    /// What is to be done again and again.
    async fn tend(self) {
        if let Err(failure) = self.put_in_force().await {
            tracing::debug!("{failure}; it is tried again");
        }
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Those that were here before are compared with all others, those that come from now on at once.
        let mut last = None;
        loop {
            beat.tick().await;
            last = match last {
                Some(last) => self.compares.fresh(last).await.ok().or(Some(last)),
                None => self.store.last_row().await.ok().inspect(|_| self.compares.tell()),
            };
            if self.stale.load(Relaxed) && self.put_in_force().await.is_ok() {
                tracing::info!("what is blocked stands in the registry and beside it");
            }
        }
    }

    /// Forgets decisions, records and ended sessions in time.
    async fn forget(self) {
        let mut again = interval(FORGET);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            let kept = i64::try_from(self.settings.load().retain_authentications.as_secs()).unwrap_or(i64::MAX);
            let before = Wall(self.clock.now().wall.0.saturating_sub(kept));
            while self.store.forget_decisions(before).await == Ok(true) {
                sleep(REST).await;
            }
            let kept = i64::try_from(self.settings.load().retain_sessions.as_secs()).unwrap_or(i64::MAX);
            let before = Wall(self.clock.now().wall.0.saturating_sub(kept));
            while self.store.purge_sessions(before).await.is_ok_and(|purged| purged > 0) {
                sleep(REST).await;
            }
        }
    }
}

/// What an older version has written comes to be found by all its names.
async fn name_all(store: Store) {
    loop {
        match store.name_more().await {
            Ok(true) => sleep(REST).await,
            Ok(false) => return,
            // A registry that can't be used says so elsewhere.
            Err(_) => sleep(BEAT).await,
        }
    }
}

impl admin::Registry for Keeper {
    fn store(&self) -> &Store {
        &self.store
    }

    fn view(&self) -> View {
        self.force.view()
    }

    fn columns(&self) -> Columns {
        self.settings.load().columns
    }

    fn catch_up(&self) -> Later<'_, ()> {
        Box::pin(async {
            let (mark, passed) = oneshot::channel();
            if let Some(left) = self.left.upgrade()
                && left.try_send(Left::Mark(mark)).is_ok()
            {
                self.bell.notify_one();
                let _ = passed.await;
            }
            // A registry that can't be written says so elsewhere, and what is in it can be shown.
            let _ = self.store.catch_up().await;
        })
    }

    fn enforce(&self) -> Later<'_, Result<(), Failure>> {
        Box::pin(self.put_in_force())
    }
}

/// Keeps what became of logins. Who leaves something wakes this only if nothing was left of late: it looks again by itself, at once if the bell rings.
async fn keep(store: Store, mut left: mpsc::Receiver<Left>, bell: Arc<Notify>) {
    let mut seen = HashMap::new();
    while let Some(first) = left.recv().await {
        let mut next = Some(first);
        while next.is_some() {
            while let Some(one) = next {
                keep_one(&store, &mut seen, one);
                next = left.try_recv().ok();
            }
            let _ = timeout(GATHER, bell.notified()).await;
            next = left.try_recv().ok();
        }
    }
}

fn keep_one(store: &Store, seen: &mut Seen, left: Left) {
    let event = match left {
        Left::Event(event) => event,
        // Whoever asked may have gone.
        Left::Mark(mark) => {
            let _ = mark.send(());
            return;
        }
    };
    let Some(authentication) = &event.authentication else { return };
    store.trace(Trace::Decided(Box::new(decided(&event, authentication))));
    if event.outcome == Outcome::Accept
        // By name or by code, nobody has proved to us that he holds its key.
        && authentication.method == Method::EapTls
        && let Some(sighting) = sighting(event.at.wall, &event, authentication)
        && is_news(seen, &sighting)
    {
        store.trace(Trace::Seen(Box::new(sighting)));
    }
}

/// Certificates in devices, and when they were written down.
type Seen = HashMap<(Option<[u8; 32]>, Option<Device>), Wall>;

/// Not the same certificate from the same device once more within a minute.
fn is_news(seen: &mut Seen, sighting: &Sighting) -> bool {
    let device = sighting.device.clone().map(|device| Device { last_seen: Wall(0), ..device });
    let key = (sighting.known.fingerprint, device);
    let recent = seen.get(&key).is_some_and(|at| (0..AGAIN).contains(&sighting.at.0.saturating_sub(at.0)));
    if !recent {
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(key, sighting.at);
    }
    !recent
}

fn decided(event: &Event, authentication: &Authentication) -> Decided {
    let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    let certificate = authentication.certificate.as_ref();
    Decided {
        row: 0,
        at: event.at.wall,
        outcome: event.outcome.name().into(),
        reason: event.reason.name().into(),
        user: text(&authentication.user),
        outer_identity: authentication.outer_identity.clone(),
        fingerprint: certificate.map(|it| it.fingerprint),
        authority: certificate.and_then(|it| text(&it.authority)),
        serial: certificate.map(|it| serial_text(&it.serial)),
        service: text(&authentication.service),
        method: authentication.method.name().into(),
        nas: text(&event.nas),
        peer: event.peer.ip().to_canonical().to_string(),
        mac: authentication.mac.clone(),
        ssid: authentication.ssid.clone(),
        tls: authentication.tls.map(|version| version.name().into()),
        resumed: authentication.resumed,
        duration_ms: i64::try_from(authentication.duration.as_millis()).unwrap_or(i64::MAX),
        evidence: serde_json::to_string(&authentication.evidence).unwrap_or_else(|_| "[]".into()),
    }
}

/// Who is let in has a verified certificate.
fn sighting(at: Wall, event: &Event, authentication: &Authentication) -> Option<Sighting> {
    let certificate = authentication.certificate.as_ref()?;
    let known = Known {
        fingerprint: Some(certificate.fingerprint),
        authority: certificate.authority.as_deref().map(str::to_owned),
        serial: Some(serial_text(&certificate.serial)),
        subject: certificate.subject.clone(),
        user: authentication.user.as_deref().map(str::to_owned),
        not_after: Some(certificate.not_after),
        ..Known::default()
    };
    let name = |name: &Option<Arc<str>>| name.as_deref().unwrap_or_default().to_owned();
    let device = authentication.mac.clone().map(|mac| Device {
        mac,
        service: name(&authentication.service),
        nas: name(&event.nas),
        last_seen: at,
    });
    Some(Sighting { known, at, device })
}
