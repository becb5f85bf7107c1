//! The one thread that owns sockets and engine.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::door::{Buffers, Door};
use super::helpers::{self, Finished, Helpers, end_process_on_panic};
use super::outlets::{OUTLETS, Outlets};
use super::poller::Poller;
use super::told::told;
use super::{Books, Clock, Desk, Doors, Gauges, Held, Inquiry};
use crate::engine::{Arrival, Done, Engine, Found, Notice, Order, Output, Ticket};
use crate::event::Event;
use crate::lock::lock;
use crate::now::Mono;

/// Answers that are taken in one round: what is decided then takes its turn with the sockets.
const ANSWERS_A_ROUND: usize = 64;
/// After so much time with Steps the sockets are looked at again, so that Status-Server, a repeat or a begun conversation waits for this and one Step at most, however many Steps wait.
/// It is well under the millisecond that one RSA signature takes, which nothing can interrupt, and well over the microsecond of a look.
pub(super) const STEPS_A_ROUND: Duration = Duration::from_micros(250);
/// How late the engine's timers may be. They are of seconds, and most of them only forget: without this the hall would wake once more for each packet, when its answer is forgotten.
const LATENESS: Duration = Duration::from_millis(50);

/// An order, and where it is reported what came of it.
pub type Command = (Order, oneshot::Sender<Done>);

/// Something done again and again by the hall itself, so that it stops when the hall is stuck: the supervisor's watchdog.
pub struct Heartbeat {
    /// How often.
    pub every: Duration,
    /// What; must not wait.
    pub beat: Box<dyn FnMut() + Send>,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("every", &self.every).finish_non_exhaustive()
    }
}

/// What the hall is made of.
pub struct Hall {
    /// The engine, with its first snapshot.
    pub engine: Engine,
    /// Its sockets.
    pub doors: Doors,
    /// How many threads help with public-key work.
    pub helpers: usize,
    /// The clock that `engine` was told the time of.
    pub clock: Clock,
    /// What the shell wants done. The hall ends when it is closed.
    pub orders: mpsc::Receiver<Command>,
    /// Who looks for the revocation data that the engine lacks.
    pub inquiry: Inquiry,
    /// Who looks up certificates and one-time passwords.
    pub desk: Desk,
    /// Who writes accounting records and sessions.
    pub books: Books,
    /// Takes what became of each packet; must not wait.
    pub sink: Box<dyn FnMut(Event) + Send>,
    /// Takes what somebody should hear of; must not wait.
    pub notice: Box<dyn FnMut(Notice) + Send>,
    /// Where the hall shows how it is.
    pub gauges: Arc<Gauges>,
    /// The watchdog's food.
    pub heartbeat: Option<Heartbeat>,
}

impl fmt::Debug for Hall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hall").field("doors", &self.doors).field("helpers", &self.helpers).finish_non_exhaustive()
    }
}

impl Hall {
    /// Starts the thread. A panic in it ends the process: the supervisor starts another.
    pub fn spawn(self) -> io::Result<JoinHandle<()>> {
        let poller = Poller::new()?;
        let helpers = Helpers::spawn(self.helpers, self.clock)?;
        let doors = self.doors.open(&poller)?;
        let running = Running {
            engine: self.engine,
            doors,
            outlets: Outlets::new(),
            waker: poller.waker(),
            poller,
            unanswered: false,
            buffers: Buffers::new(),
            helpers,
            clock: self.clock,
            orders: self.orders,
            inquiry: self.inquiry,
            desk: self.desk,
            books: self.books,
            shown_sessions: 0,
            shown_held: 0,
            closed: false,
            next_ticket: 0,
            ordered: HashMap::new(),
            sink: self.sink,
            notice: self.notice,
            gauges: self.gauges,
            heartbeat: self.heartbeat,
            next_beat: Mono::default(),
        };
        thread::Builder::new().name("hall".into()).spawn(move || end_process_on_panic("the hall", || running.run()))
    }
}

struct Running {
    engine: Engine,
    doors: Vec<Door>,
    outlets: Outlets,
    poller: Poller,
    /// Rings the poller's bell.
    waker: Waker,
    /// Answers lie there that had no turn.
    unanswered: bool,
    buffers: Buffers,
    helpers: Helpers,
    clock: Clock,
    orders: mpsc::Receiver<Command>,
    inquiry: Inquiry,
    desk: Desk,
    books: Books,
    /// Which counts of sessions are shown.
    shown_sessions: u64,
    /// Which batches are shown.
    shown_held: u64,
    closed: bool,
    next_ticket: u64,
    ordered: HashMap<Ticket, oneshot::Sender<Done>>,
    sink: Box<dyn FnMut(Event) + Send>,
    notice: Box<dyn FnMut(Notice) + Send>,
    gauges: Arc<Gauges>,
    heartbeat: Option<Heartbeat>,
    next_beat: Mono,
}

impl Running {
    /// Rounds until nobody can order anything any more. Each looks at everything, sockets before work.
    fn run(mut self) {
        while !self.closed {
            self.take_told();
            self.receive();
            self.timeout();
            self.work();
            self.show();
            self.wait();
        }
    }

    /// Takes what other threads have for the hall. Each rings, so that nothing is looked at while there is nothing.
    fn take_told(&mut self) {
        if !self.poller.has_rung() && !self.unanswered {
            return;
        }
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(&waker);
        // Each is asked until it has no more, so that it rings again.
        self.take_orders(cx);
        while let Poll::Ready(finished) = self.helpers.poll_finished(cx) {
            self.resume(finished);
        }
        self.unanswered = self.take_answers(cx);
    }

    fn take_orders(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(command) = self.orders.poll_recv(cx) {
            match command {
                Some(command) => self.order(command),
                None => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    /// Takes in what has been answered; whether there may be more.
    fn take_answers(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..ANSWERS_A_ROUND {
            let answered = told(self.inquiry.answers.poll_recv(cx));
            let written = told(self.books.written.poll_recv(cx));
            let found = told(self.desk.found.poll_recv(cx));
            match (answered, written, found) {
                (Poll::Pending, Poll::Pending, Poll::Pending) => return false,
                (answered, written, found) => {
                    if let Poll::Ready(found) = found {
                        self.found(found);
                    }
                    if let Poll::Ready(ticket) = answered {
                        self.answer(ticket);
                    }
                    if let Poll::Ready(written) = written {
                        self.written(written);
                    }
                }
            }
        }
        true
    }

    fn order(&mut self, (order, done): Command) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.ordered.insert(ticket, done);
        self.engine.handle(self.clock.now(), Arrival::Order(ticket, order));
        self.perform();
    }

    fn written(&mut self, (ticket, written): (Ticket, bool)) {
        self.engine.handle(self.clock.now(), Arrival::Written(ticket, written));
        self.perform();
    }

    fn found(&mut self, (ticket, found): (Ticket, Found)) {
        self.engine.handle(self.clock.now(), Arrival::Found(ticket, found));
        self.perform();
    }

    fn answer(&mut self, ticket: Ticket) {
        self.engine.handle(self.clock.now(), Arrival::Answer(ticket));
        self.perform();
    }

    fn resume(&mut self, finished: Finished) {
        self.engine.resume(self.clock.now(), finished.stepped, finished.took);
        self.perform();
    }

    /// Takes in what has arrived.
    fn receive(&mut self) {
        for index in 0..self.doors.len() {
            let now = self.clock.now();
            let Some(door) = self.doors.get_mut(index).filter(|door| door.is_readable(now.mono)) else { continue };
            let engine = &mut self.engine;
            let received = door.receive(now.mono, &mut self.buffers, |hop, octets| {
                engine.handle(now, Arrival::Datagram { hop, octets });
            });
            if received.is_err() {
                // Counted, not logged: the hall waits for no log.
                self.gauges.receive_errors.fetch_add(1, Relaxed);
            }
            self.perform();
        }
        if self.outlets.is_readable() {
            let (now, engine) = (self.clock.now(), &mut self.engine);
            self.outlets.receive(|from, octets| engine.handle(now, Arrival::Reply { from, octets }));
            self.perform();
        }
    }

    fn timeout(&mut self) {
        let now = self.clock.now();
        if self.engine.poll_timeout().is_some_and(|due| due <= now.mono) {
            self.engine.handle_timeout(now);
            self.perform();
        }
        if let Some(heartbeat) = &mut self.heartbeat
            && self.next_beat <= now.mono
        {
            (heartbeat.beat)();
            self.next_beat = now.mono + heartbeat.every;
        }
    }

    /// What more than one Step waits for is done elsewhere, too.
    fn engage_helpers(&mut self) {
        while self.helpers.idle() && self.engine.waiting_steps() > 1 {
            let Some(step) = self.engine.poll_step() else { return };
            if let Err(step) = self.helpers.give(step) {
                return self.resume(helpers::run(step, &self.clock));
            }
        }
    }

    /// Runs Steps for a while; what others tell meanwhile has its turn between them.
    fn work(&mut self) {
        if self.engine.waiting_steps() == 0 {
            return;
        }
        let until = self.clock.mono() + STEPS_A_ROUND;
        loop {
            self.engage_helpers();
            let Some(step) = self.engine.poll_step() else { return };
            self.resume(helpers::run(step, &self.clock));
            self.take_told();
            if self.closed || until <= self.clock.mono() {
                return;
            }
        }
    }

    /// Does what the engine wants done.
    fn perform(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Send(outgoing) => {
                    let door = self.doors.get(usize::from(outgoing.hop.socket));
                    if door.is_none_or(|door| door.send(&outgoing).is_err()) {
                        self.gauges.unsent.fetch_add(1, Relaxed);
                    }
                }
                Output::Event(event) => (self.sink)(event),
                Output::Ask(ticket, questions) => (self.inquiry.ask)(ticket, questions),
                Output::Look(ticket, lookup) => (self.desk.look)(ticket, lookup),
                Output::Seen(facts) => (self.inquiry.seen)(facts),
                Output::Record(ticket, record) => (self.books.record)(ticket, record),
                Output::Session(change) => (self.books.session)(change),
                Output::Request(datagram) => {
                    if self.outlets.send(&datagram, &self.poller).is_err() {
                        self.gauges.unsent.fetch_add(1, Relaxed);
                    }
                }
                Output::Notice(notice) => (self.notice)(notice),
                Output::Done(ticket, result) => {
                    if let Some(done) = self.ordered.remove(&ticket) {
                        // Who gave the order may have stopped waiting.
                        let _ = done.send(result);
                    }
                }
            }
        }
    }

    fn show(&mut self) {
        self.show_sessions();
        self.show_held();
        self.gauges.conversations.store(self.engine.conversations(), Relaxed);
        self.gauges.waiting_steps.store(self.engine.waiting_steps(), Relaxed);
        self.gauges.rounds.fetch_add(1, Relaxed);
    }

    fn show_sessions(&mut self) {
        let sessions = self.engine.sessions();
        let version = sessions.counts_version();
        if std::mem::replace(&mut self.shown_sessions, version) != version {
            let counts = sessions.counts().map(|(service, count)| (service.cloned(), count)).collect();
            *lock(&self.gauges.sessions) = counts;
        }
    }

    fn show_held(&mut self) {
        let (version, batches) = self.engine.held();
        if self.shown_held != version {
            let held = batches.map(|batch| Held {
                id: batch.id,
                cause: batch.cause.clone(),
                since: batch.since,
                sessions: batch.sessions.len(),
            });
            *lock(&self.gauges.held) = held.collect();
            self.shown_held = version;
        }
    }

    /// Waits until a socket can be read, somebody rings or something is due; not at all while there is something to do.
    fn wait(&mut self) {
        let now = self.clock.mono();
        let most = if self.is_busy(now) { Some(Duration::ZERO) } else { self.due().map(|due| due.since(now)) };
        self.poller.wait(most, |name| {
            if name == OUTLETS {
                self.outlets.rung();
            } else if let Some(door) = usize::try_from(name).ok().and_then(|index| self.doors.get_mut(index)) {
                door.rung();
            }
        });
    }

    fn is_busy(&self, now: Mono) -> bool {
        self.closed
            || self.unanswered
            || self.engine.waiting_steps() > 0
            || self.outlets.is_readable()
            || self.doors.iter().any(|door| door.is_readable(now))
    }

    /// When something is due at the latest; all of it in monotonic time, so that no jump of the wall clock moves it.
    fn due(&self) -> Option<Mono> {
        let doors = self.doors.iter().filter_map(Door::poll_timeout);
        let beat = self.heartbeat.is_some().then_some(self.next_beat);
        doors.chain(self.engine.poll_timeout().map(together)).chain(beat).min()
    }
}

/// The next of the moments, [`LATENESS`] apart, at which the hall wakes for timers.
pub(super) fn together(due: Mono) -> Mono {
    let apart = LATENESS.as_nanos();
    let moment = due.0.as_nanos().div_ceil(apart).saturating_mul(apart);
    Mono(u64::try_from(moment).map_or(due.0, Duration::from_nanos))
}
