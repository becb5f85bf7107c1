//! The one thread that owns sockets and engine.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep_until};

use super::door::{Buffers, Door};
use super::helpers::{self, Finished, Helpers, end_process_on_panic};
use super::outlets::Outlets;
use super::{Books, Clock, Desk, Doors, Gauges, Held, Inquiry};
use crate::engine::{Arrival, Done, Engine, Found, Notice, Order, Output, Ticket};
use crate::event::Event;
use crate::now::Mono;

/// Answers that are taken in one round: what is decided then takes its turn with the sockets.
const ANSWERS_A_ROUND: usize = 64;

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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let helpers = Helpers::spawn(self.helpers, self.clock)?;
        let doors = {
            let _inside = runtime.enter();
            self.doors.open()?
        };
        let running = Running {
            engine: self.engine,
            doors,
            outlets: Outlets::new(),
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
        let run = move || runtime.block_on(running.run());
        thread::Builder::new().name("hall".into()).spawn(move || end_process_on_panic("the hall", run))
    }
}

struct Running {
    engine: Engine,
    doors: Vec<Door>,
    outlets: Outlets,
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
    /// Rounds until nobody can order anything any more. Each looks at everything, sockets before work, and runs one Step at most.
    async fn run(mut self) {
        while !self.closed {
            self.take_orders();
            self.take_finished();
            let answered = self.take_answers();
            let more = self.receive();
            self.timeout();
            self.engage_helpers();
            let worked = self.work();
            self.show();
            if answered || more || worked {
                // Lets the runtime look at the sockets.
                tokio::task::yield_now().await;
            } else {
                self.sleep().await;
            }
        }
    }

    fn take_orders(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(command) => self.order(command),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn order(&mut self, (order, done): Command) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.ordered.insert(ticket, done);
        self.engine.handle(self.clock.now(), Arrival::Order(ticket, order));
        self.perform();
    }

    fn take_finished(&mut self) {
        while let Some(finished) = self.helpers.take() {
            self.resume(finished);
        }
    }

    /// Takes in what has been answered; whether there may be more.
    fn take_answers(&mut self) -> bool {
        for _ in 0..ANSWERS_A_ROUND {
            match (self.inquiry.take(), self.books.take(), self.desk.take()) {
                (None, None, None) => return false,
                (answered, written, found) => {
                    found.into_iter().for_each(|found| self.found(found));
                    answered.into_iter().for_each(|ticket| self.answer(ticket));
                    written.into_iter().for_each(|written| self.written(written));
                }
            }
        }
        true
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

    /// Takes in what has arrived; whether there may be more.
    fn receive(&mut self) -> bool {
        let mut more = false;
        for index in 0..self.doors.len() {
            let now = self.clock.now();
            let Some(door) = self.doors.get_mut(index) else { break };
            let engine = &mut self.engine;
            let received = door.receive(now.mono, &mut self.buffers, |hop, octets| {
                engine.handle(now, Arrival::Datagram { hop, octets });
            });
            match received {
                Ok(left) => more |= left,
                // Counted, not logged: the hall waits for no log.
                Err(_) => drop(self.gauges.receive_errors.fetch_add(1, Relaxed)),
            }
            self.perform();
        }
        let (now, engine) = (self.clock.now(), &mut self.engine);
        more |= self.outlets.receive(|from, octets| engine.handle(now, Arrival::Reply { from, octets }));
        self.perform();
        more
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

    /// Runs one Step; whether there was one.
    fn work(&mut self) -> bool {
        let Some(step) = self.engine.poll_step() else { return false };
        self.resume(helpers::run(step, &self.clock));
        true
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
                    if self.outlets.send(&datagram).is_err() {
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
            *self.gauges.sessions.lock().unwrap_or_else(PoisonError::into_inner) = counts;
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
            *self.gauges.held.lock().unwrap_or_else(PoisonError::into_inner) = held.collect();
            self.shown_held = version;
        }
    }

    /// Waits until a socket can be read, a Step is finished, an answer or an order comes, or something is due.
    async fn sleep(&mut self) {
        let due = self.due();
        let mut timer = due.map(|due| Box::pin(sleep_until(Instant::from_std(self.clock.instant(due)))));
        match poll_fn(|cx| self.poll_wake(cx, timer.as_mut())).await {
            Wake::Look => {}
            Wake::Finished(finished) => self.resume(finished),
            Wake::Answer(ticket) => self.answer(ticket),
            Wake::Written(written) => self.written(written),
            Wake::Found(found) => self.found(found),
            Wake::Command(command) => self.order(command),
            Wake::Closed => self.closed = true,
        }
    }

    /// When something is due at the latest; all of it in monotonic time, so that no jump of the wall clock moves it.
    fn due(&self) -> Option<Mono> {
        let doors = self.doors.iter().filter_map(Door::poll_timeout);
        let beat = self.heartbeat.is_some().then_some(self.next_beat);
        doors.chain(self.engine.poll_timeout()).chain(beat).min()
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>, timer: Option<&mut Pin<Box<Sleep>>>) -> Poll<Wake> {
        let now = self.clock.mono();
        // Each is polled, so that each wakes the task.
        let readable = self.doors.iter().filter(|door| door.poll_readable(now, cx).is_ready()).count() > 0;
        let readable = self.outlets.poll_readable(cx).is_ready() || readable;
        let due = timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if let Poll::Ready(finished) = self.helpers.poll_finished(cx) {
            return Poll::Ready(Wake::Finished(finished));
        }
        if let Poll::Ready(ticket) = self.inquiry.poll_answer(cx) {
            return Poll::Ready(Wake::Answer(ticket));
        }
        if let Poll::Ready(found) = self.desk.poll_found(cx) {
            return Poll::Ready(Wake::Found(found));
        }
        if let Poll::Ready(written) = self.books.poll_written(cx) {
            return Poll::Ready(Wake::Written(written));
        }
        if let Poll::Ready(command) = self.orders.poll_recv(cx) {
            return Poll::Ready(command.map_or(Wake::Closed, Wake::Command));
        }
        if readable || due { Poll::Ready(Wake::Look) } else { Poll::Pending }
    }
}

/// Why the hall wakes up.
enum Wake {
    Look,
    Finished(Finished),
    Answer(Ticket),
    Written((Ticket, bool)),
    Found((Ticket, Found)),
    Command(Command),
    Closed,
}
