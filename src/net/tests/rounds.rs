//! The hall, with a real engine that decides by an empty configuration.

use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::super::hall::{STEPS_A_ROUND, together};
use super::super::helpers::end_process_on_panic;
use super::super::{Books, Clock, Command, Desk, Gauges, Hall, Heartbeat, Inquiry};
use super::doors::{bind, bound, client};
use crate::engine::tests::{AccessPoint, SECRET, engine, snapshot};
use crate::engine::{Order, Ticket};
use crate::event::{Event, Outcome, RequestCode};
use crate::exchange::Asker;
use crate::now::{Mono, Wall};
use crate::radius::{Attributes, Code, Key, Writer};
use crate::secret::Secret;

/// A hall that runs.
struct Running {
    socket: UdpSocket,
    orders: mpsc::Sender<Command>,
    events: Receiver<Event>,
    gauges: Arc<Gauges>,
    hall: JoinHandle<()>,
}

fn run(clock: Clock, heartbeat: Option<Heartbeat>) -> Running {
    run_with(clock, heartbeat, Inquiry::nobody(4))
}

fn run_with(clock: Clock, heartbeat: Option<Heartbeat>, inquiry: Inquiry) -> Running {
    let doors = bind(&["127.0.0.1:0"]);
    let socket = client("127.0.0.1:0", bound(&doors)[0]);
    let (orders, received) = mpsc::channel(4);
    let (sender, events) = channel();
    let gauges = Arc::new(Gauges::default());
    let hall = Hall {
        engine: engine(),
        doors,
        helpers: 2,
        clock,
        orders: received,
        inquiry,
        books: Books::closed(),
        desk: Desk::nobody(1),
        // The test may have seen enough.
        sink: Box::new(move |event| drop(sender.send(event))),
        notice: Box::new(drop),
        gauges: Arc::clone(&gauges),
        heartbeat,
    };
    Running { socket, orders, events, gauges, hall: hall.spawn().expect("threads start") }
}

impl Running {
    /// Asks Status-Server; the answer must be authentic.
    fn ask(&self, identifier: u8) {
        let asker = Asker::new(Secret::new(SECRET));
        let request = asker
            .request(Code::STATUS_SERVER, identifier, [identifier; 16], &[], &Attributes::default())
            .expect("it fits");
        self.socket.send(&request).expect("loopback takes it");
        let mut answer = [0; 4_096];
        let length = self.socket.recv(&mut answer).expect("an answer");
        asker.reply(&request, &answer[..length]).expect("the answer is authentic");
    }

    fn order(&self, order: Order) {
        let (done, finished) = oneshot::channel();
        self.orders.blocking_send((order, done)).expect("the hall lives");
        finished.blocking_recv().expect("the order is carried out");
    }

    /// Closes the channel of orders; the hall must end.
    fn end(self) {
        drop(self.orders);
        self.hall.join().expect("no panic");
    }
}

#[test]
fn status_server_is_answered_and_told_of() {
    let running = run(Clock::start(), None);
    running.ask(1);
    let event = running.events.recv_timeout(Duration::from_secs(20)).expect("an event");
    assert_eq!((event.code, event.outcome), (Some(RequestCode::StatusServer), Outcome::Accept));
    running.end();
}

#[test]
fn what_is_no_packet_harms_nothing() {
    let running = run(Clock::start(), None);
    for octets in [&[][..], &[0; 5], &[1; 4_096], &[255; 20]] {
        running.socket.send(octets).expect("loopback takes it");
    }
    running.ask(2);
    running.end();
}

#[test]
fn orders_are_carried_out_between_requests() {
    let running = run(Clock::start(), None);
    running.ask(3);
    running.order(Order::Swap(snapshot()));
    running.ask(4);
    running.order(Order::Drain);
    running.end();
}

#[test]
fn answers_that_nobody_waits_for_and_the_end_of_all_answers_keep_no_hall_busy() {
    let (answered, answers) = mpsc::channel(4);
    let inquiry = Inquiry { answers, ..Inquiry::nobody(1) };
    let running = run_with(Clock::start(), None, inquiry);
    for ticket in 0..200 {
        answered.blocking_send(Ticket(ticket)).expect("the hall lives");
    }
    drop(answered);
    for identifier in 0..50 {
        running.ask(identifier);
    }
    let rounds = running.gauges.rounds.load(Relaxed);
    // A wake-up or two for each answer and each request; a busy loop makes many thousands.
    assert!(rounds <= 2_500, "{rounds} rounds");
    running.end();
}

/// What the NAS at the socket asks first of a conversation.
fn first_request() -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets, Code::ACCESS_REQUEST, 1);
    writer.push_eap(&[2, 1, 0, 6, 1, b'a']).expect("it fits");
    writer.finish(&Key::new(Secret::new(SECRET)), &[1; 16]).expect("it fits");
    octets
}

/// Told by order: the sink stands still in the middle of a round of Steps until that has lasted for its time, and more has come.
#[test]
fn status_server_and_repeats_are_answered_between_the_steps_that_wait() {
    let mut engine = engine();
    (1..=50).for_each(|port| AccessPoint::new(port).begin(&mut engine));
    assert_eq!(engine.waiting_steps(), 50);
    let doors = bind(&["127.0.0.1:0"]);
    let socket = client("127.0.0.1:0", bound(&doors)[0]);
    socket.send(&first_request()).expect("loopback takes it");
    let (sender, events) = channel();
    let (let_go, leave) = channel::<()>();
    let sink = move |event: Event| {
        let is_step = event.peer.port() <= 50;
        drop(sender.send(event));
        if is_step {
            // Only the first waits: then the other end is gone.
            let _ = leave.recv();
        }
    };
    let (orders, received) = mpsc::channel(4);
    let hall = Hall {
        engine,
        doors,
        helpers: 0,
        clock: Clock::start(),
        orders: received,
        inquiry: Inquiry::nobody(4),
        books: Books::closed(),
        desk: Desk::nobody(1),
        sink: Box::new(sink),
        notice: Box::new(drop),
        gauges: Arc::default(),
        heartbeat: None,
    };
    let hall = hall.spawn().expect("threads start");
    let next = || events.recv_timeout(Duration::from_secs(20)).expect("an event");
    let ours = socket.local_addr().expect("it is bound");
    assert_eq!(next().peer, ours, "sockets come before Steps");
    assert!(next().peer.port() <= 50, "a Step");
    socket.send(&first_request()).expect("loopback takes it");
    let asker = Asker::new(Secret::new(SECRET));
    let request = asker.request(Code::STATUS_SERVER, 2, [2; 16], &[], &Attributes::default()).expect("it fits");
    socket.send(&request).expect("loopback takes it");
    thread::park_timeout(2 * STEPS_A_ROUND);
    drop(let_go);
    assert_eq!(
        (next().peer, next().peer),
        (ours, ours),
        "49 Steps wait, and the sockets are looked at before the next"
    );
    assert!((0..49).all(|_| next().peer.port() <= 50));
    let answers = [(); 3].map(|()| {
        let mut answer = [0; 4_096];
        let length = socket.recv(&mut answer).expect("an answer");
        answer[..length].to_vec()
    });
    assert_eq!(answers[0], answers[1], "a repeat is answered as before");
    asker.reply(&request, &answers[2]).expect("the answer is authentic");
    drop(orders);
    hall.join().expect("no panic");
}

#[test]
fn timers_that_are_due_at_nearly_one_time_wake_the_hall_once_and_none_early() {
    let moments = [0, 1, 49, 50, 51, 1_999].map(|due| together(Mono(Duration::from_millis(due))).0.as_millis());
    assert_eq!(moments, [0, 50, 50, 50, 100, 2_000]);
    assert_eq!(together(Mono(Duration::MAX)), Mono(Duration::MAX));
}

#[test]
fn the_hall_ends_when_nobody_can_order_any_more() {
    run(Clock::start(), None).end();
}

#[test]
fn the_hall_itself_feeds_the_watchdog() {
    let (sender, beats) = channel();
    let beat = Box::new(move || drop(sender.send(thread::current().name().map(str::to_owned))));
    let running = run(Clock::start(), Some(Heartbeat { every: Duration::from_millis(1), beat }));
    for _ in 0..5 {
        let who = beats.recv_timeout(Duration::from_secs(20)).expect("it beats although nothing arrives");
        assert_eq!(who.as_deref(), Some("hall"));
    }
    running.end();
}

/// A wall clock that is somewhere else at each look: a year ahead, a day back, 25 years ahead.
fn jumping() -> Wall {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    let year = 365 * 86_400;
    Wall(1_800_000_000 + [0, year, -86_400, 25 * year][(LOOKS.fetch_add(1, Relaxed) % 4) as usize])
}

#[test]
fn r26_a_wall_clock_that_jumps_neither_stops_the_hall_nor_keeps_it_busy() {
    let running = run(Clock::with_wall(jumping), None);
    let asked = 50;
    for identifier in 0..asked {
        running.ask(identifier);
    }
    let rounds = running.gauges.rounds.load(Relaxed);
    // Each request costs a wake-up or two and a look at the sockets after it; a busy loop makes thousands.
    assert!(rounds <= 10 * u64::from(asked) + 20, "{rounds} rounds");
    running.end();
}

/// Runs itself as a process of its own, in which the hall panics.
#[test]
fn o12_a_panic_in_the_hall_ends_the_process_for_the_supervisor_to_restart() {
    const CHILD: &str = "SEKISHO_TEST_PANIC";
    if std::env::var_os(CHILD).is_some() {
        return end_process_on_panic("the hall", || panic!("on purpose"));
    }
    let name = "net::tests::rounds::o12_a_panic_in_the_hall_ends_the_process_for_the_supervisor_to_restart";
    let output = std::process::Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", name])
        .env(CHILD, "1")
        .output()
        .expect("it runs again");
    // SIGABRT
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
}
