//! The registry beside the running server: blocks come into force, what logins leave behind is kept and forgotten in time, and what authorities say of certificates is written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use tokio::sync::Notify;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::force::Force;
use crate::admin::{self, Later, View};
use crate::engine::{Facts, Kept, Past};
use crate::event::{Authentication, Event, Outcome};
use crate::net::Clock;
use crate::now::Wall;
use crate::standing::{BY_LIST, Block, BlockedCertificate, Blocks};
use crate::store::{
    Blocked, Decided, Device, Failure, Known, Record, Settings, Sighting, Store, Trace, Wanted, serial_text,
};

/// Events that may wait to be kept.
const EVENTS: usize = 8_192;
/// Between two looks at what has to be done.
const BEAT: Duration = Duration::from_secs(2);
/// Between two rounds of forgetting.
const FORGET: Duration = Duration::from_secs(600);
/// How long forgetting rests, so that nobody has to wait for it.
const REST: Duration = Duration::from_millis(50);
/// How long the last decisions may take to be handed over when the server stops.
const PATIENCE: Duration = Duration::from_millis(500);
/// Certificates that are compared with CRLs at once.
const PIECE: i64 = 1_000;
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
    /// What is blocked could not be read, and may not be in force.
    stale: Arc<AtomicBool>,
    /// Authorities may say something else.
    news: Arc<Notify>,
}

/// A registry, and what runs for it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) keeper: Keeper,
    /// Writes down what comes from the hall, until the hall has ended.
    keeping: tokio::task::JoinHandle<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Writes what waits, and ends. The hall has ended before.
    pub(super) async fn stop(self) {
        // What isn't done by then would not be done soon.
        let _ = timeout(PATIENCE, self.keeping).await;
        self.keeper.store.close();
        let _ = self.thread.join();
    }
}

/// What has been opened before anything is decided.
#[derive(Debug)]
pub(super) struct Opened {
    store: Store,
    thread: JoinHandle<()>,
    pub(super) blocks: Arc<Blocks>,
    /// Who was online when the last process ended.
    pub(super) sessions: Vec<Kept>,
    /// What had been decided about those who have to go.
    pub(super) past: Past,
    is_stale: bool,
}

/// Opens the file and reads what is blocked, and who is online, `most` at most, and who of them has to go; what went by itself since `counted` is counted. A file that can't be used stops nobody.
pub(super) fn open(
    state_dir: &std::path::Path,
    settings: &Settings,
    most: usize,
    counted: Wall,
) -> std::io::Result<Opened> {
    let (store, thread) = Store::open(state_dir)?;
    // On a thread of its own: whoever starts a server may be inside of a runtime.
    let first = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| Failure::Unusable(error.to_string().into()))?;
        let wanted = Wanted { most, ..Wanted::default() };
        let all = async {
            let blocks = read(&store, settings.blocks_requested).await;
            (blocks, store.sessions(wanted).await, store.past(counted).await)
        };
        Ok::<_, Failure>(runtime.block_on(all))
    };
    let (blocks, sessions, past) = match std::thread::scope(|scope| scope.spawn(first).join()) {
        Ok(Ok((blocks, sessions, past))) => (Some(blocks), Some(sessions), Some(past)),
        Ok(Err(failure)) => (Some(Err(failure)), None, None),
        Err(_) => (None, None, None),
    };
    let (blocks, is_stale) = match blocks {
        Some(Ok(blocks)) => (blocks, false),
        Some(Err(failure)) => {
            tracing::error!("what is blocked can't be read, and IS NOT REFUSED until it can: {failure}");
            (Blocks::default(), true)
        }
        None => (Blocks::default(), true),
    };
    let sessions = sessions.and_then(|sessions| {
        sessions.inspect_err(|failure| tracing::error!("who was online can't be read: {failure}")).ok()
    });
    let past = past.and_then(|past| {
        past.inspect_err(|failure| {
            tracing::error!("what was decided about those who have to go can't be read: {failure}")
        })
        .ok()
    });
    let (sessions, past) = (sessions.unwrap_or_default(), past.unwrap_or_default());
    Ok(Opened { store, thread, blocks: Arc::new(blocks), sessions, past, is_stale })
}

/// Where the hall puts what is to be kept.
pub(super) type Events = mpsc::Sender<Event>;

impl Keeper {
    /// Begins to keep. `Events` end it.
    pub(super) fn spawn(opened: Opened, settings: Settings, force: &Arc<Force>, clock: Clock) -> (Running, Events) {
        let keeper = Self {
            store: opened.store,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            force: Arc::clone(force),
            clock,
            stale: Arc::new(AtomicBool::new(opened.is_stale)),
            news: Arc::default(),
        };
        keeper.news.notify_one();
        let (events, received) = mpsc::channel(EVENTS);
        let keeping = tokio::spawn(keep(keeper.store.clone(), received));
        tokio::spawn(keeper.clone().tend());
        tokio::spawn(keeper.clone().forget());
        (Running { keeper, keeping, thread: opened.thread }, events)
    }

    /// Where it is kept.
    pub(super) fn kept(&self) -> Store {
        self.store.clone()
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
        self.news.notify_one();
    }

    /// A certificate was judged at a login.
    pub(super) fn saw(&self, facts: &Facts) {
        let view = self.force.view();
        let known = admin::known(facts, &view.policy);
        let at = self.clock.now().wall;
        self.store.trace(Trace::Seen(Box::new(Sighting { known, at, device: None })));
    }

    async fn put_in_force(&self) -> Result<(), Failure> {
        let listed = self.settings.load().blocks_requested;
        let done = self.force.block(read(&self.store, listed)).await;
        self.stale.store(done.is_err(), Relaxed);
        match done? {
            true => Ok(()),
            false => Err(Failure::Unusable("the server is stopping".into())),
        }
    }

    /// What is to be done again and again.
    async fn tend(self) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beat.tick() => {
                    if self.stale.load(Relaxed) && self.put_in_force().await.is_ok() {
                        tracing::info!("what is blocked could be read, and is refused");
                    }
                }
                () = self.news.notified() => {
                    if let Err(failure) = self.compare().await {
                        tracing::warn!("what authorities say could not be written down: {failure}");
                    }
                }
            }
        }
    }

    /// Writes down which certificates their authorities have revoked, and which no longer.
    async fn compare(&self) -> Result<(), Failure> {
        let mut after = 0;
        loop {
            let records = self.store.issued(after, PIECE).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = last.row;
            let (view, now) = (self.force.view(), self.clock.now().wall);
            let changed = spawn_blocking(move || changed(&view, &records, now)).await.unwrap_or_default();
            if !changed.is_empty() {
                self.store.set_revoked(changed).await?;
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

impl admin::Registry for Keeper {
    fn store(&self) -> &Store {
        &self.store
    }

    fn view(&self) -> View {
        self.force.view()
    }

    fn enforce(&self) -> Later<'_, Result<(), Failure>> {
        Box::pin(self.put_in_force())
    }
}

fn changed(view: &View, records: &[Record], now: Wall) -> Vec<(i64, Option<crate::store::Revoked>)> {
    let judged = records.iter().map(|record| (record, view.revoked(record, now)));
    let changed = judged.filter(|(record, revoked)| record.revoked != *revoked);
    changed.map(|(record, revoked)| (record.row, revoked)).collect()
}

/// What is blocked.
async fn read(store: &Store, listed: bool) -> Result<Blocks, Failure> {
    let Blocked { certificates, people } = store.blocked(listed).await?;
    let people = people.into_iter().map(|one| {
        let block = Block { since: one.since, until: one.until, reason: one.reason.into(), by: one.by.into() };
        (one.name, block)
    });
    Ok(Blocks::new(certificates.into_iter().map(blocked).collect(), people.collect()))
}

fn blocked(record: Record) -> BlockedCertificate {
    let Record { known, request, registered, .. } = record;
    let serial = known.serial.as_deref().and_then(|serial| HEXLOWER.decode(serial.as_bytes()).ok());
    let name = known.authority.zip(serial).map(|(authority, serial)| (authority.into(), serial));
    let block = match request.filter(|request| request.block) {
        Some(it) => Block { since: it.since, until: None, reason: it.reason.into(), by: it.by.into() },
        None => Block { since: registered, until: None, reason: "".into(), by: BY_LIST.into() },
    };
    BlockedCertificate { fingerprint: known.fingerprint, name, block }
}

/// Keeps what became of logins.
async fn keep(store: Store, mut events: mpsc::Receiver<Event>) {
    let mut seen = HashMap::new();
    while let Some(event) = events.recv().await {
        let Some(authentication) = &event.authentication else { continue };
        store.trace(Trace::Decided(Box::new(decided(&event, authentication))));
        if event.outcome == Outcome::Accept
            && let Some(sighting) = sighting(event.at.wall, &event, authentication)
            && is_news(&mut seen, &sighting)
        {
            store.trace(Trace::Seen(Box::new(sighting)));
        }
    }
}

/// Not the same certificate from the same device once more within a minute.
fn is_news(seen: &mut HashMap<(Option<[u8; 32]>, Option<Device>), Wall>, sighting: &Sighting) -> bool {
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
