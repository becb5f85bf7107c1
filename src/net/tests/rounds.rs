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

use super::super::hall::end_process_on_panic;
use super::super::{Clock, Command, Gauges, Hall, Heartbeat};
use super::doors::{address, bind, bound, client};
use crate::access::{self, Handles};
use crate::eap;
use crate::engine::{self, Engine, Order, Snapshot};
use crate::event::{Event, Method, Outcome, RequestCode, TlsVersion};
use crate::exchange::{self, Asker, NasSettings, Peers, Prefix};
use crate::now::Wall;
use crate::pki::{Revocation, Trust};
use crate::policy::Policy;
use crate::radius::{Attributes, Code};
use crate::secret::Secret;
use crate::standing::Standing;
use crate::support::certificates::{Key, server};
use crate::tls::{self, Group, IdentitySettings};

const SECRET: &[u8] = b"a secret of the tests";

/// A hall that runs.
struct Running {
    socket: UdpSocket,
    orders: mpsc::Sender<Command>,
    events: Receiver<Event>,
    gauges: Arc<Gauges>,
    hall: JoinHandle<()>,
}

fn snapshot() -> Arc<Snapshot> {
    let nas = NasSettings {
        name: "ap".into(),
        address: vec![Prefix { address: address("127.0.0.0:0").ip(), bits: 8 }],
        secret: Secret::new(SECRET),
        services: None,
        methods: vec![Method::EapTls],
        require_message_authenticator: true,
        limit_proxy_state: true,
        max_conversations: 0,
        class: false,
        federation: false,
    };
    let key = Key::P256.make();
    let certificate = server("radius.test").self_signed(&key).expect("a certificate");
    let identity = IdentitySettings {
        name: "test".into(),
        chain: vec![certificate.der().to_vec()],
        key: Secret::new(key.serialize_der()),
    };
    let tls = tls::Settings {
        identities: vec![identity],
        versions: vec![TlsVersion::Tls13],
        groups: vec![Group::X25519],
        resumption: Duration::ZERO,
        ticket_keys: Vec::new(),
        max_session_ids: 1,
    };
    let (trust, _) = Trust::new(&[], Clock::start().now().wall).expect("no authority is fine");
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: 1_200, max_message: 16_384, max_idle_rounds: 10 },
        policy: Arc::new(Policy::new(Vec::new(), Vec::new())),
        trust: Arc::new(trust),
        revocation: Arc::new(Revocation::default()),
        standing: Arc::new(Standing::default()),
        tls: Arc::new(tls::Server::new(&tls, None).expect("a good identity")),
        handles: Arc::new(Handles::new(None).expect("randomness")),
    };
    Arc::new(Snapshot { peers: Arc::new(Peers::new(&[nas]).expect("one NAS")), access: Arc::new(access) })
}

fn run(clock: Clock, heartbeat: Option<Heartbeat>) -> Running {
    let settings = engine::Settings {
        exchange: exchange::Settings {
            keep_answer: Duration::from_secs(5),
            keep_unanswered: Duration::from_secs(5),
            max_exchanges: 1_000,
        },
        max_conversations: 100,
        conversation_timeout: Duration::from_secs(60),
        max_waiting: Duration::from_millis(500),
    };
    let engine = Engine::new(settings, snapshot()).expect("randomness");
    let doors = bind(&["127.0.0.1:0"]);
    let socket = client("127.0.0.1:0", bound(&doors)[0]);
    let (orders, received) = mpsc::channel(4);
    let (sender, events) = channel();
    let gauges = Arc::new(Gauges::default());
    let hall = Hall {
        engine,
        doors,
        helpers: 2,
        clock,
        orders: received,
        // The test may have seen enough.
        sink: Box::new(move |event| drop(sender.send(event))),
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
    assert_eq!((event.code, event.outcome), (RequestCode::StatusServer, Outcome::Accept));
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
