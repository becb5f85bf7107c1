//! Wiring, reload, drain. No logic worth a test stands here: it joins parts that have theirs.
//!
//! [`Server::start`] reads files, binds and starts the threads; [`Server::run`] watches files, fetches and does what it is told until it is told to stop; then it drains.

mod afar;
mod authorities;
mod books;
mod census;
mod compare;
mod desk;
mod files;
mod force;
mod gaps;
mod inquiry;
mod leaving;
mod live;
mod online;
mod opening;
mod owed;
mod registry;
mod reload;
mod responders;
mod seals;
mod staples;
mod start;
mod systemd;
mod together;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::access::{self, Handles};
use crate::admin;
use crate::config::{Config, Finding};
use crate::engine::{Order, Snapshot};
use crate::event::Listener;
use crate::fetch::vanished::Ledger;
use crate::fetch::{Loaded, Problem, Watcher};
use crate::net::{self, Clock};
use crate::observe::{Sink, Tracing};
use crate::otp;
use crate::pki::{Answers, Revocation};

use afar::Afar;
use books::Bookkeeping;
use force::Force;
use inquiry::{Looked, Overflows, Seen};
use live::Live;
use responders::Responders;
use staples::Stapling;

/// Watched files are looked at this often; a change counts within three looks.
const LOOK: Duration = Duration::from_millis(500);
/// What the hall lost is told of this often.
const COMPLAIN: Duration = Duration::from_secs(10);
/// How long begun conversations may go on after the order to stop, so that the process has ended within 5 s.
const DRAIN: Duration = Duration::from_millis(4_500);
/// How long what is under way may go on after that: writing, not asking.
const LINGER: Duration = Duration::from_millis(200);
/// Orders that may wait for the hall.
const ORDERS: usize = 16;

/// What a running server may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Read the configuration and every file that it names again.
    Reload,
    /// Drain and end.
    Stop,
}

/// Why a server did not start.
#[derive(Debug)]
pub enum StartError {
    /// Files that no server may begin with.
    Files(Vec<Problem>),
    /// An address could not be bound, a thread not started.
    System(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(problems) => {
                let lines: Vec<_> = problems.iter().map(|it| format!("{}: {}", it.source, it.text)).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::System(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StartError {}

/// A running server.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    clock: Clock,
    config: Config,
    handles: Arc<Handles>,
    /// `None` only while a look is under way.
    watcher: Option<Watcher>,
    /// What the watched files hold.
    files: Loaded,
    afar: Afar,
    ledger: Arc<Ledger>,
    responders: Responders,
    stapling: Stapling,
    /// The OCSP answers in use.
    answers: Arc<Answers>,
    /// The CRLs in use, as if no OCSP answer were known: what rests on answers is told by this.
    unanswered: Arc<Revocation>,
    /// Certificates that were judged.
    seen: Seen,
    looked: Arc<Looked>,
    overflows: Arc<Overflows>,
    bookkeeping: Bookkeeping,
    /// `[otp]`, as the desk and HTTP have it.
    otp: Arc<ArcSwapOption<otp::Settings>>,
    addresses: Vec<(Listener, SocketAddr)>,
    admin_addresses: Vec<SocketAddr>,
    force: Arc<Force>,
    /// `None`: nothing is kept.
    registry: Option<registry::Running>,
    live: Arc<Live>,
    log: Log,
    admin: Option<admin::Running>,
    shared: admin::Shared,
    hall: JoinHandle<()>,
}

/// Everything that writes lines.
#[derive(Debug)]
struct Log {
    tracing: Tracing,
    sink: Arc<Sink>,
    writer: JoinHandle<()>,
}

/// What found no room so far.
#[derive(Debug, Default)]
struct Losses {
    /// Answers that the system did not take.
    unsent: u64,
    /// Times that receiving failed.
    receive_errors: u64,
    /// As [`Overflows`] has them.
    questions: u64,
    unseen: u64,
    /// Changes of sessions that were not written.
    unwritten: u64,
}

impl Server {
    /// Where requests are taken, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[(Listener, SocketAddr)] {
        &self.addresses
    }

    /// Runs until [`Wish::Stop`] comes or nobody can wish any more; then drains and ends every thread.
    pub async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut complain = interval(COMPLAIN);
        let mut losses = Losses::default();
        loop {
            tokio::select! {
                wish = wishes.recv() => match wish {
                    Some(Wish::Reload) => self.reload().await,
                    Some(Wish::Stop) | None => break,
                },
                _ = look.tick() => {
                    self.look().await;
                    self.ask();
                    self.tell_gaps();
                    self.staple();
                }
                Some(outcome) = self.afar.next() => self.fetched(outcome).await,
                Some(outcome) = self.stapling.next() => self.stapled(outcome),
                Some(heap) = self.seen.next() => for facts in heap { self.saw(facts).await },
                () = self.responders.revoked.notified() => drop(self.swap_loaded().await),
                _ = complain.tick() => {
                    losses = self.complain(losses);
                    // Where the disk took it not.
                    self.write_learned().await;
                }
            }
        }
        self.stop().await;
    }

    fn announce(&self) {
        for (listener, address) in &self.addresses {
            tracing::info!("listening on {address} ({listener})");
        }
        for address in &self.admin_addresses {
            tracing::info!("listening on {address} (admin)");
        }
        systemd::ready();
        tracing::info!("ready");
    }

    /// Says what of the revocation data has come to be missing or past its end, and what isn't any more.
    fn tell_gaps(&self) {
        for line in self.live.news_of_gaps() {
            match line {
                Ok(good) => tracing::info!("{good}"),
                Err(bad) => tracing::warn!("{bad}"),
            }
        }
    }

    /// Warns if more was lost than `before`.
    fn complain(&self, before: Losses) -> Losses {
        let losses = self.losses();
        let more = |of: fn(&Losses) -> u64| of(&losses).saturating_sub(of(&before));
        let (unsent, failed) = (more(|it| it.unsent), more(|it| it.receive_errors));
        if (unsent, failed) != (0, 0) {
            tracing::warn!("the system did not take {unsent} answers, and failed {failed} times to receive");
        }
        let (questions, unseen) = (more(|it| it.questions), more(|it| it.unseen));
        if (questions, unseen) != (0, 0) {
            tracing::warn!(
                "too much at once: {questions} logins were decided without asking OCSP responders, and {unseen} certificates were not looked at"
            );
        }
        let unwritten = more(|it| it.unwritten);
        if unwritten != 0 {
            tracing::warn!("too much at once: {unwritten} changes of sessions were not written down");
        }
        losses
    }

    /// What was lost so far. The hall itself waits for no log.
    fn losses(&self) -> Losses {
        let (unsent, receive_errors) = self.live.losses();
        let Overflows { questions, unseen } = &*self.overflows;
        Losses {
            unsent,
            receive_errors,
            questions: questions.load(Relaxed),
            unseen: unseen.load(Relaxed),
            unwritten: self.bookkeeping.unwritten(),
        }
    }

    /// Has the hall do something, and waits until it is done.
    async fn order(&self, order: Order) {
        self.force.order(order).await;
    }

    /// What files and hosts hold counts from now on; all of it, as it is now.
    async fn swap_loaded(&mut self) -> Loaded {
        let loaded = self.afar.remote.join(&self.files);
        self.unanswered = Arc::clone(&loaded.revocation);
        let loaded = loaded.with_answers(&self.answers);
        self.force.swap(&snapshot(&self.config, &loaded, &self.handles)).await;
        self.looked.forget();
        if let Some(running) = &self.registry {
            running.keeper.revocation_changed();
        }
        self.live.loaded(&self.config, &loaded);
        loaded
    }

    /// Files or hosts were looked at, and hold what they held.
    fn seen(&self) {
        self.live.seen(&self.afar.remote.last_success(self.files.last_success.clone()));
    }

    async fn stop(self) {
        systemd::stopping();
        tracing::info!("draining");
        self.live.drain();
        if timeout(DRAIN, self.order(Order::Drain)).await.is_err() {
            tracing::warn!("conversations were still alive after {DRAIN:?}");
        }
        let Self { force, hall, admin, log, registry, bookkeeping, .. } = self;
        force.close();
        let _ = hall.join();
        bookkeeping.end().await;
        if let Some(admin) = admin {
            admin.stop();
        }
        if let Some(registry) = registry {
            registry.stop().await;
        }
        tracing::info!("stopped");
        let Log { sink, writer, .. } = log;
        drop(sink);
        let _ = writer.join();
    }
}

fn system(error: impl fmt::Display) -> StartError {
    StartError::System(error.to_string())
}

/// What decisions rest on from now on.
fn snapshot(config: &Config, loaded: &Loaded, handles: &Arc<Handles>) -> Arc<Snapshot> {
    let access = access::Snapshot {
        eap: config.eap,
        policy: Arc::clone(&config.policy),
        trust: Arc::clone(&config.trust),
        revocation: Arc::clone(&loaded.revocation),
        standing: Arc::clone(&loaded.standing),
        tls: Arc::clone(&config.tls),
        handles: Arc::new(handles.with_cui(&config.cui)),
    };
    Arc::new(Snapshot { peers: Arc::clone(&config.peers), access: Arc::new(access), disconnect: config.disconnect })
}

/// Runs a server in the foreground until SIGTERM or SIGINT; SIGHUP reloads. With `leash` it also ends when standard input does: with whoever holds the other end, however that ends.
pub fn serve(path: &Path, config: Config, findings: &[Finding], clock: Clock, leash: bool) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let served = runtime.block_on(async {
        // Before anything else, so that no signal ends a half-started server by surprise.
        let wishes = systemd::wishes(leash).map_err(system)?;
        let server = Server::start(path, config, findings, clock)?;
        server.run(wishes).await;
        Ok(())
    });
    // A look-up that nobody answers can't be called off, and is not waited for; who writes is given the time.
    runtime.shutdown_timeout(LINGER);
    served
}

/// How the settings of sockets and threads differ from those in use: what a reload can't change.
fn wants_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let net = |config: &Config| -> net::Settings { config.net.clone() };
    [
        ("[listen].auth", net(old).auth != net(new).auth),
        ("[listen].accounting", net(old).accounting != net(new).accounting),
        ("[server].workers", net(old).workers != net(new).workers),
        ("[registry].max-sessions", old.engine.sessions != new.engine.sessions),
        ("[registry]", old.registry.is_some() != new.registry.is_some()),
        ("[server].state-dir", old.state_dir != new.state_dir),
        ("[listen].admin", old.admin.listen != new.admin.listen),
        ("[server].name", old.node != new.node),
        ("[eap].max-conversations", old.engine.max_conversations != new.engine.max_conversations),
        ("[eap].conversation-timeout", old.engine.conversation_timeout != new.engine.conversation_timeout),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect()
}
