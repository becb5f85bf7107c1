//! How a server comes to be: files are read, the registry is opened, sockets are bound; only then do threads begin.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc;

use super::books::Bookkeeping;
use super::force::{self, Force};
use super::inquiry::{self, Looked, Overflows};
use super::live::Live;
use super::registry::{self, Events, Keeper, Left, Opened};
use super::responders::{Office, Responders};
use super::seals::Seals;
use super::staples::Stapling;
use super::{Afar, Log, ORDERS, Server, StartError, desk, files, leaving, online, reload, snapshot, system, systemd};
use crate::access::Handles;
use crate::config::{Config, Finding};
use crate::engine::{Engine, Snapshot};
use crate::event::Event;
use crate::fetch::vanished::Ledger;
use crate::fetch::{Loaded, Watcher};
use crate::net::{Clock, Doors, Gauges, Hall};
use crate::now::Wall;
use crate::observe::{Metrics, Observer, Sink, Tracing};
use crate::pki::{Answers, Revocation};
use crate::{admin, observe, otp};

impl Server {
    /// Starts the server of a configuration that `path` held. Its sockets are bound and the first snapshot is in when this returns.
    pub fn start(path: &Path, config: Config, findings: &[Finding], clock: Clock) -> Result<Self, StartError> {
        let tracing = observe::init_tracing(&config.log);
        reload::report(findings);
        let Read { watcher, files, ledger, afar, stapling, office, loaded, answers, unanswered } =
            Read::all(&config, clock)?;
        let Core { engine, snapshot, handles, opened } = Core::new(&config, &loaded, clock)?;
        let doors = Doors::bind(&config.net).map_err(system)?;
        let door = admin::Door::bind(&config.admin).map_err(system)?;
        let (addresses, admin_addresses) = (doors.addresses().collect(), door.addresses().collect());

        let (metrics, gauges) = (Arc::new(Metrics::new()), Arc::new(Gauges::default()));
        let log = Log::begin(tracing, &config, &metrics)?;
        let live = live(&config, &loaded, Arc::clone(&metrics), &gauges, clock);

        let (orders, received) = mpsc::channel(ORDERS);
        let force = Arc::new(Force::new(orders, snapshot, &config.log));
        let otp = Arc::new(ArcSwapOption::new(config.otp.clone().map(Arc::new)));
        let (registry, kept) = keep(opened, &config, &force, &live, &otp, clock).unzip();
        let shared = shared(&config, &live, &force, registry.as_ref()).with_otp(Arc::clone(&otp));
        let admin = Some(door.spawn(shared.clone()).map_err(system)?);
        let (overflows, looked) = (Arc::new(Overflows::default()), Arc::new(Looked::default()));
        let (inquiry, asking, seen) = inquiry::channels(config.engine.max_asking, &overflows, &looked, clock);
        let store = registry.as_ref().map(|running| running.keeper.kept());
        let desk = desk::begin(store.clone(), &otp, config.engine.max_asking, clock);
        let (books, notes, bookkeeping) = Bookkeeping::begin(store, config.engine.records.most);
        if let Some(running) = &registry {
            running.keeper.writes_by(bookkeeping.flush());
        }
        let notice = leaving::notices(metrics, notes, clock);
        let hall = Hall {
            engine,
            doors,
            helpers: config.net.helpers(),
            clock,
            orders: received,
            inquiry,
            books,
            desk,
            sink: events(Arc::clone(&log.sink), kept, registry.as_ref().map(|running| &running.keeper)),
            notice,
            gauges,
            heartbeat: systemd::heartbeat().map_err(system)?,
        };
        let hall = hall.spawn().map_err(system)?;

        let responders = Responders::spawn(office, asking, Arc::clone(&live), clock);
        let (path, watcher) = (path.to_owned(), Some(watcher));
        let server = Self {
            path,
            clock,
            config,
            handles,
            watcher,
            files,
            afar,
            ledger,
            responders,
            stapling,
            answers,
            unanswered,
            seen,
            looked,
            overflows,
            bookkeeping,
            otp,
            addresses,
            admin_addresses,
            force,
            registry,
            live,
            log,
            admin,
            shared,
            hall,
        };
        server.announce();
        Ok(server)
    }
}

/// What files hold before anything begins.
struct Read {
    watcher: Watcher,
    files: Loaded,
    ledger: Arc<Ledger>,
    afar: Afar,
    stapling: Stapling,
    office: Office,
    /// All of it, as it counts.
    loaded: Loaded,
    answers: Arc<Answers>,
    unanswered: Arc<Revocation>,
}

impl Read {
    fn all(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let (watcher, files) = files::first(config, clock.now().wall)?;
        let ledger = Arc::new(Ledger::new(&config.fetch));
        files::startable(&ledger.problems())?;
        let afar = Afar::first(config, &ledger, clock.now())?;
        let mut stapling = Stapling::new(config, clock.now(), None);
        stapling.hand(&config.tls, clock.now().wall);
        let office = Office::new(config, &afar.learned, afar.client.as_ref(), clock.now(), None);
        ledger.follow_all(&afar.remote.join(&files).revocation, clock.now().wall);
        let loaded = afar.remote.join(&files);
        let (answers, unanswered) = (Arc::clone(office.desk.answers()), Arc::clone(&loaded.revocation));
        let loaded = loaded.with_answers(&answers);
        files::report(afar.problems().chain(ledger.problems()).chain(office.desk.problems()));
        Ok(Self { watcher, files, ledger, afar, stapling, office, loaded, answers, unanswered })
    }
}

/// What decides, with what the registry knows.
struct Core {
    engine: Engine,
    snapshot: Arc<Snapshot>,
    handles: Arc<Handles>,
    /// `None`: nothing is kept.
    opened: Option<Opened>,
}

impl Core {
    fn new(config: &Config, loaded: &Loaded, clock: Clock) -> Result<Self, StartError> {
        let no_randomness = || system("the system has no randomness");
        let handles = Arc::new(Handles::new(None).map_err(|_| no_randomness())?);
        let most = config.engine.sessions.max_sessions;
        let counted = Wall(clock.now().wall.0.saturating_sub_unsigned(config.disconnect.per.as_secs()));
        let opened = config.registry.map(|settings| registry::open(&config.state_dir, &settings, most, counted));
        let mut opened = opened.transpose()?;
        let blocks = opened.as_ref().map(|opened| Arc::clone(&opened.blocks)).unwrap_or_default();
        let sessions = opened.as_mut().map(|opened| std::mem::take(&mut opened.sessions)).unwrap_or_default();
        let past = opened.as_mut().map(|opened| std::mem::take(&mut opened.past)).unwrap_or_default();
        let snapshot = force::with_blocks(&snapshot(config, loaded, &handles), blocks);
        let engine = Engine::restored(clock.now(), config.engine, Arc::clone(&snapshot), sessions, past);
        let engine = engine.map_err(|_| no_randomness())?;
        Ok(Self { engine, snapshot, handles, opened })
    }
}

impl Log {
    fn begin(tracing: Tracing, config: &Config, metrics: &Arc<Metrics>) -> Result<Self, StartError> {
        let (sink, writer) = Observer::spawn(&config.log, Arc::clone(metrics), &config.node).map_err(system)?;
        Ok(Self { tracing, sink: Arc::new(sink), writer })
    }
}

/// What HTTP tells of the server, from the first snapshot on.
fn live(config: &Config, loaded: &Loaded, metrics: Arc<Metrics>, gauges: &Arc<Gauges>, clock: Clock) -> Arc<Live> {
    let live = Arc::new(Live::new(metrics, Arc::clone(gauges), clock));
    live.configured(config, clock.now().wall);
    live.loaded(config, loaded);
    live
}

/// The registry begins to keep.
fn keep(
    opened: Option<Opened>,
    config: &Config,
    force: &Arc<Force>,
    live: &Live,
    otp: &Arc<ArcSwapOption<otp::Settings>>,
    clock: Clock,
) -> Option<(registry::Running, Events)> {
    let (opened, settings) = opened.zip(config.registry)?;
    let (running, events) = Keeper::spawn(opened, settings, force, clock);
    let seals = Seals::spawn(running.keeper.kept(), otp);
    live.keeps(running.keeper.clone(), running.keeper.count(force), seals);
    Some((running, events))
}

/// What HTTP answers from.
fn shared(
    config: &Config,
    live: &Arc<Live>,
    force: &Arc<Force>,
    registry: Option<&registry::Running>,
) -> admin::Shared {
    let status = Arc::clone(live) as Arc<dyn admin::Status>;
    let shared = admin::Shared::new(config.admin.clone(), Arc::clone(&config.node), status)
        .with_online(Arc::new(online::Online(Arc::clone(force))));
    match registry {
        Some(running) => shared.with_registry(Arc::new(running.keeper.clone())),
        None => shared,
    }
}

/// What the hall does with events.
fn events(sink: Arc<Sink>, kept: Option<Events>, keeper: Option<&Keeper>) -> Box<dyn FnMut(Event) + Send> {
    let keep = kept.zip(keeper.map(Keeper::kept));
    Box::new(move |event| {
        // Of most packets nothing is kept, and they need no place of their own.
        if event.authentication.is_none() {
            return sink.record(event);
        }
        let event = Arc::new(event);
        if let Some((kept, store)) = &keep
            && kept.try_send(Left::Event(Arc::clone(&event))).is_err()
        {
            store.lost(1);
        }
        sink.record(event);
    })
}
