//! One server whose Steps take their time, and many access points, in simulated time: nothing here waits for a clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sekisho::exchange::Outgoing;
use sekisho::now::{Now, Wall};
use sekisho::supplicant::{Login, Next, Station, Supplicant};

use crate::chance::Chance;
use crate::hand::{Hand, eap_of, identity, tls};
use crate::world::{World, asker, station};

/// One way through the network.
const LATENCY: Duration = Duration::from_millis(2);
/// How long somebody who was refused waits.
const BEGINS_ANEW: Duration = Duration::from_secs(1);
/// A supplicant's own work.
const THINKING: Duration = Duration::from_millis(10);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Arrives(SocketAddr, Vec<u8>),
    Returns(SocketAddr, Vec<u8>),
    /// A client's access point sends its request again, unless it has another by now.
    Again(usize, u32),
    Begins(usize),
    /// One more of the flood.
    Flood(u32),
}

/// Somebody who wants in and begins anew when refused, behind an access point that sends again every second for as long as it takes.
struct Client {
    who: Arc<Supplicant>,
    peer: SocketAddr,
    place: Station,
    login: Login,
    request: Vec<u8>,
    number: u32,
    began: Duration,
    /// When it was let in.
    ended: Option<Duration>,
}

/// Clients that say who they are, send this ClientHello and leave.
pub(crate) struct Flood {
    pub(crate) hello: Vec<u8>,
    pub(crate) every: Duration,
    pub(crate) until: Duration,
}

pub(crate) struct Simulation {
    pub(crate) world: World,
    start: Now,
    /// What a Step takes.
    cost: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64, What)>>,
    serial: u64,
    clients: Vec<Client>,
    by_peer: HashMap<SocketAddr, usize>,
    flood: Option<Flood>,
    flooders: HashMap<SocketAddr, Hand>,
    chance: Chance,
    /// When each Step ended.
    pub(crate) stepped: Vec<Duration>,
}

impl Simulation {
    pub(crate) fn new(world: World, cost: Duration) -> Self {
        let start = world.now;
        Self {
            world,
            start,
            cost,
            queue: BinaryHeap::new(),
            serial: 0,
            clients: Vec::new(),
            by_peer: HashMap::new(),
            flood: None,
            flooders: HashMap::new(),
            chance: Chance::new(1),
            stepped: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.world.now.mono.since(self.start.mono)
    }

    fn turn_clock_to(&mut self, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).expect("hours");
        self.world.now = Now { mono: self.start.mono + time, wall: Wall(self.start.wall.0 + seconds) };
        let due = self.world.engine.poll_timeout();
        if due.is_some_and(|due| due <= self.world.now.mono) {
            self.world.engine.handle_timeout(self.world.now);
        }
    }

    fn post(&mut self, at: Duration, what: What) {
        self.serial += 1;
        self.queue.push(Reverse((at, self.serial, what)));
    }

    /// A client behind the access point of this number begins at a time.
    pub(crate) fn client(&mut self, who: &Arc<Supplicant>, access_point: u16, at: Duration) {
        let number = self.clients.len();
        let [high, low] = access_point.to_be_bytes();
        let port = 10_000 + u16::try_from(number % 50_000).expect("below 50,000");
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, high, low)), port);
        let place = station("JAIST", u32::try_from(number).expect("few"));
        let login = who.login(asker(), place.clone(), false, self.start.wall);
        let who = who.clone();
        self.clients.push(Client { who, peer, place, login, request: Vec::new(), number: 0, began: at, ended: None });
        self.by_peer.insert(peer, number);
        self.post(at, What::Begins(number));
    }

    pub(crate) fn flood(&mut self, flood: Flood, from: Duration) {
        self.flood = Some(flood);
        self.post(from, What::Flood(0));
    }

    /// Until all clients are in or this time has come: sockets first, then one Step, as the hall does it.
    pub(crate) fn run(&mut self, until: Duration) {
        while self.now() < until && !self.is_over() {
            while self.queue.peek().is_some_and(|Reverse((at, ..))| *at <= self.now()) {
                let Reverse((_, _, what)) = self.queue.pop().expect("just seen");
                self.happen(what);
            }
            if let Some(step) = self.world.engine.poll_step() {
                let stepped = step.run(self.world.now);
                self.turn_clock_to(self.now() + self.cost);
                self.world.engine.resume(self.world.now, stepped, self.cost);
                self.stepped.push(self.now());
                self.perform();
            } else {
                let next = self.queue.peek().map_or(until, |Reverse((at, ..))| *at);
                self.turn_clock_to(next.max(self.now()));
                self.perform();
            }
        }
    }

    fn is_over(&self) -> bool {
        self.flood.is_none() && self.clients.iter().all(|client| client.ended.is_some())
    }

    fn perform(&mut self) {
        let sent = self.world.sent();
        self.world.events.clear();
        for Outgoing { hop, octets } in sent {
            self.post(self.now() + LATENCY, What::Returns(hop.peer, octets.to_vec()));
        }
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Arrives(peer, octets) => {
                let sent = self.world.hand_in_from(peer, &octets);
                self.world.events.clear();
                for outgoing in sent {
                    self.post(self.now() + LATENCY, What::Returns(peer, outgoing.octets.to_vec()));
                }
            }
            What::Returns(peer, octets) => match self.by_peer.get(&peer).copied() {
                Some(client) => self.hear(client, &octets),
                None => self.flooder_hears(peer, &octets),
            },
            What::Begins(number) => {
                let wall = self.world.now.wall;
                let client = &mut self.clients[number];
                client.login = client.who.login(asker(), client.place.clone(), false, wall);
                let request = client.login.begin();
                self.ask(number, request);
            }
            What::Again(client, number) => {
                if self.clients[client].number == number && self.clients[client].ended.is_none() {
                    self.send(client, Duration::ZERO);
                }
            }
            What::Flood(number) => self.flood_on(number),
        }
    }

    fn hear(&mut self, client: usize, octets: &[u8]) {
        let wall = self.world.now.wall;
        match self.clients[client].login.handle(octets, wall) {
            Next::Send(next) => self.ask(client, next),
            Next::Done(report) if report.logged_in => self.clients[client].ended = Some(self.now()),
            Next::Done(_) => {
                self.clients[client].number += 1;
                self.post(self.now() + BEGINS_ANEW, What::Begins(client));
            }
            Next::Ignored => {}
        }
    }

    fn ask(&mut self, client: usize, request: Vec<u8>) {
        self.clients[client].request = request;
        self.clients[client].number += 1;
        self.send(client, THINKING);
    }

    fn send(&mut self, client: usize, after: Duration) {
        let Client { peer, request, number, .. } = &self.clients[client];
        let (arrives, again) = (What::Arrives(*peer, request.clone()), What::Again(client, *number));
        self.post(self.now() + after + LATENCY, arrives);
        self.post(self.now() + after + Duration::from_secs(1), again);
    }

    fn flood_on(&mut self, number: u32) {
        let Some(Flood { every, until, .. }) = self.flood.as_ref() else { return };
        let (every, until) = (*every, *until);
        if self.now() >= until {
            self.flood = None;
            return;
        }
        let [_, a, b, c] = number.to_be_bytes();
        let mut hand =
            Hand::new(IpAddr::V4(Ipv4Addr::new(10, 128 | a, b, c)), 1_645).of_station(&format!("flood-{number}"));
        let request = hand.request(&identity(1, b"@jaist.ac.jp"));
        self.post(self.now() + LATENCY, What::Arrives(hand.peer, request));
        self.flooders.insert(hand.peer, hand);
        // At random, so that nobody's rhythm fits to another's.
        let jitter = u32::try_from(self.chance.below(200)).expect("small");
        self.post(self.now() + every * jitter / 100, What::Flood(number + 1));
    }

    fn flooder_hears(&mut self, peer: SocketAddr, octets: &[u8]) {
        let Some(mut hand) = self.flooders.remove(&peer) else { return };
        let Some(hello) = self.flood.as_ref().map(|flood| &flood.hello) else { return };
        let answer = crate::hand::Answer::new(octets);
        hand.state = answer.packet().first(sekisho::radius::Type::STATE).map(<[u8]>::to_vec);
        let request = hand.request(&tls(eap_of(octets)[1], 0, None, hello));
        self.post(self.now() + LATENCY, What::Arrives(peer, request));
    }

    /// How long each client took, in the order in which they began; `None`: it isn't in.
    pub(crate) fn took(&self) -> Vec<Option<Duration>> {
        self.clients.iter().map(|client| client.ended.map(|ended| ended.saturating_sub(client.began))).collect()
    }

    /// When each was let in, sorted.
    pub(crate) fn ends(&self) -> Vec<Duration> {
        let mut ends: Vec<Duration> = self.clients.iter().filter_map(|client| client.ended).collect();
        ends.sort();
        ends
    }
}
