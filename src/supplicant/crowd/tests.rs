//! Crowds in simulated time, in front of the real hop and the real framing on a bad road.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::*;
use crate::event::TlsVersion::{self, Tls12, Tls13};
use crate::now::Wall;
use crate::radius::{Packet, Type};
use crate::secret::Secret;
use crate::supplicant::Thrift;
use crate::supplicant::tests::server::{Fault, NOW, Pki, SECRET, Server};

const MILLISECOND: Duration = Duration::from_millis(1);

/// What becomes of the datagrams, by their number and how often the same octets were lost before.
type Road = fn(u64, u32) -> usize;

/// All arrive, once.
const GOOD: Road = |_, _| 1;

/// A crowd, and a server for each conversation: that of the tests has one at a time.
struct World {
    crowd: Crowd,
    pki: Pki,
    fault: Fault,
    /// By the Calling-Station-Id of the request: a device has one login at a time.
    servers: HashMap<Vec<u8>, Server>,
    /// What is on its way: when it arrives, the number of the datagram, at the server or back at this access point.
    flying: BTreeSet<(Mono, u64)>,
    datagrams: HashMap<u64, (usize, bool, Arc<[u8]>)>,
    sent: u64,
    /// How often each datagram was lost.
    lost: HashMap<Arc<[u8]>, u32>,
    there: Road,
    back: Road,
    /// One way.
    takes: Duration,
    ended: Vec<Ended>,
    /// Identifiers that wait for an answer, by access point.
    most_at_once: usize,
    names: HashSet<Vec<u8>>,
    macs: HashSet<Vec<u8>>,
}

fn plan(logins: u64) -> Plan {
    Plan {
        access_points: 2,
        first_access_point: 0,
        at_once: 4,
        pace: Pace::Closed,
        logins: Some(logins),
        resume: 0.0,
        repeats: Repeats::STANDARD,
        station: Station { ssid: Some("JAIST".to_owned()), ..Station::default() },
    }
}

impl World {
    fn new(version: TlsVersion, plan: Plan, devices: usize) -> Self {
        let pki = Pki::new();
        let one = Supplicant::new(pki.settings(version)).unwrap();
        let asker = Arc::new(Asker::new(Secret::new(SECRET)));
        let crowd = Crowd::new(plan, asker, (0..devices).map(|_| one.device()).collect(), 7);
        Self {
            crowd,
            pki,
            fault: Fault::Nothing,
            servers: HashMap::new(),
            flying: BTreeSet::new(),
            datagrams: HashMap::new(),
            sent: 0,
            lost: HashMap::new(),
            there: GOOD,
            back: GOOD,
            takes: MILLISECOND,
            ended: Vec::new(),
            most_at_once: 0,
            names: HashSet::new(),
            macs: HashSet::new(),
        }
    }

    /// Until all is over; what that took.
    fn run(&mut self) -> Duration {
        let mut now = Mono::default();
        for _ in 0..100_000 {
            self.crowd.handle_timeout(at(now));
            self.perform(now);
            if self.crowd.is_over() && self.flying.is_empty() {
                return now.0;
            }
            let arrival = self.flying.first().map(|(time, _)| *time);
            now = now.max(arrival.into_iter().chain(self.crowd.poll_timeout()).min().expect("something is due"));
            while let Some((_, number)) = self.flying.first().copied().filter(|(time, _)| *time <= now) {
                self.flying.pop_first();
                self.arrive(now, number);
            }
        }
        panic!("it comes to no end");
    }

    fn arrive(&mut self, now: Mono, number: u64) {
        let (access_point, to_server, octets) = self.datagrams.remove(&number).unwrap();
        if !to_server {
            self.crowd.handle(at(now), access_point, &octets);
            return self.perform(now);
        }
        let packet = Packet::parse(&octets).unwrap();
        let mac = packet.first(Type::CALLING_STATION_ID).unwrap().to_vec();
        self.names.insert(packet.first(Type::NAS_IDENTIFIER).unwrap().to_vec());
        self.macs.insert(mac.clone());
        let (pki, fault) = (&self.pki, self.fault);
        let server = self.servers.entry(mac).or_insert_with(|| Server::new(pki, fault));
        let answer = server.handle(&octets);
        self.send(now, access_point, false, answer.into());
    }

    fn perform(&mut self, now: Mono) {
        self.most_at_once = self.most_at_once.max(self.crowd.underway());
        while let Some(output) = self.crowd.poll_output() {
            match output {
                Output::Send { access_point, octets } => self.send(now, access_point, true, octets),
                Output::Ended(ended) => self.ended.push(ended),
            }
        }
    }

    fn send(&mut self, now: Mono, access_point: usize, to_server: bool, octets: Arc<[u8]>) {
        self.sent += 1;
        let lost = self.lost.entry(octets.clone()).or_default();
        let times = if to_server { (self.there)(self.sent, *lost) } else { (self.back)(self.sent, *lost) };
        *lost += u32::from(times == 0);
        for copy in 0..times {
            let number = self.sent * 10 + copy as u64;
            self.flying.insert((now + self.takes, number));
            self.datagrams.insert(number, (access_point, to_server, octets.clone()));
        }
    }

    fn logged_in(&self) -> usize {
        self.ended.iter().filter(|ended| ended.report.as_ref().is_some_and(|report| report.logged_in)).count()
    }

    fn resumed(&self) -> usize {
        self.ended.iter().filter(|ended| ended.report.as_ref().is_some_and(|report| report.resumed)).count()
    }
}

fn at(mono: Mono) -> Now {
    Now { mono, wall: Wall(NOW.0 + i64::try_from(mono.0.as_secs()).unwrap()) }
}

#[test]
fn everybody_logs_in_and_no_more_at_once_than_may() {
    for version in [Tls12, Tls13] {
        let mut world = World::new(version, plan(20), 5);
        world.run();
        assert_eq!((world.ended.len(), world.logged_in(), world.resumed()), (20, 20, 0));
        assert_eq!(world.most_at_once, 4);
        assert_eq!((world.names.len(), world.macs.len()), (2, 5), "both access points, all devices");
        assert_eq!(world.crowd.counts(), Counts { begun: 20, strays: 0, unfit: 0 });
        assert!(world.ended.iter().all(|ended| ended.repeats == 0 && ended.intended == ended.begun));
    }
}

#[test]
fn the_share_that_is_to_resume_resumes() {
    for version in [Tls12, Tls13] {
        for (share, at_least, at_most) in [(1.0, 96, 96), (0.5, 45, 50), (0.25, 23, 25)] {
            let mut world = World::new(version, Plan { resume: share, ..plan(100) }, 4);
            world.run();
            let offered = world.ended.iter().filter(|ended| ended.offered).count();
            assert_eq!((world.logged_in(), world.resumed()), (100, offered));
            assert!((at_least..=at_most).contains(&offered), "{offered} of {share}");
        }
    }
}

#[test]
fn what_is_lost_is_sent_again_as_rfc_5080_has_it() {
    let mut world = World::new(Tls13, plan(30), 4);
    // Each way loses a datagram once at the most: of the five times that a request is sent, one gets through.
    world.there = |number, lost| usize::from(number % 7 != 0 || lost > 0);
    world.back = |number, lost| usize::from(number % 11 != 0 || lost > 0);
    world.run();
    assert_eq!(world.logged_in(), 30);
    let repeats: u32 = world.ended.iter().map(|ended| ended.repeats).sum();
    assert!(repeats > 20, "{repeats}");
    for ended in &world.ended {
        let took = ended.ended.since(ended.begun);
        assert_eq!(took >= Duration::from_millis(1_800), ended.repeats > 0, "{took:?} with {}", ended.repeats);
    }
}

#[test]
fn what_comes_twice_counts_once() {
    let mut world = World::new(Tls12, plan(12), 4);
    (world.there, world.back) = (|_, _| 2, |_, _| 2);
    world.run();
    assert_eq!(world.logged_in(), 12);
    assert!(world.ended.iter().all(|ended| ended.repeats == 0));
    let requests: u32 = world.ended.iter().flat_map(|ended| &ended.report).map(|report| report.requests).sum();
    assert_eq!(world.crowd.counts().strays, u64::from(requests) * 3, "four answers to each");
}

#[test]
fn a_mute_server_is_asked_up_to_five_times_in_thirty_seconds_and_given_up() {
    let mut world = World::new(Tls13, plan(3), 4);
    world.there = |_, _| 0;
    let took = world.run();
    // After 2, 4, 8 and 16 s, a tenth more or less: the last may come too late.
    assert!(world.ended.len() == 3 && (12..=15).contains(&world.sent), "{}", world.sent);
    assert!(world.ended.iter().all(|ended| ended.report.is_none() && ended.hint.is_none() && ended.repeats >= 3));
    assert!((Duration::from_secs(29)..=Duration::from_secs(30)).contains(&took), "{took:?}");
    assert_eq!(world.crowd.underway(), 0);
}

#[test]
fn a_reply_that_is_forged_is_ignored_and_told_of() {
    let mut world = World::new(Tls13, plan(1), 1);
    world.there = |_, _| 0;
    world.crowd.handle_timeout(at(Mono::default()));
    let Some(Output::Send { access_point, octets }) = world.crowd.poll_output() else { panic!("no request") };
    let forged = [&[11, octets[1], 0, 20][..], &[0; 16]].concat();
    let after = Mono(MILLISECOND);
    world.crowd.handle(at(after), access_point, &forged);
    world.crowd.handle(at(after), access_point, &[]);
    world.crowd.handle(at(after), 99, &forged);
    assert_eq!(world.crowd.counts().strays, 3);
    world.run();
    assert_eq!(world.ended[0].hint, Some(BadReply::BadAuthenticator));
}

#[test]
fn an_open_pace_counts_the_time_from_when_a_login_should_have_begun() {
    // Each takes ten milliseconds and more, and only one may be under way: from one to the next there are five.
    let pace = Pace::Open { every: 5 * MILLISECOND, offset: Duration::ZERO };
    let mut world = World::new(Tls13, Plan { pace, at_once: 1, ..plan(20) }, 1);
    world.run();
    assert_eq!(world.logged_in(), 20);
    for (number, ended) in world.ended.iter().enumerate() {
        assert_eq!(ended.intended, Mono(5 * MILLISECOND * u32::try_from(number).unwrap()));
    }
    let waited = |ended: &Ended| ended.begun.since(ended.intended);
    assert!(waited(&world.ended[0]).is_zero());
    assert!(world.ended.windows(2).all(|pair| waited(&pair[0]) < waited(&pair[1])), "the queue grows");
}

#[test]
fn an_open_pace_that_is_not_too_quick_is_kept_to_the_nanosecond() {
    let (every, offset) = (Duration::from_nanos(20_000_003), Duration::from_millis(7));
    let mut world = World::new(Tls12, Plan { pace: Pace::Open { every, offset }, ..plan(50) }, 4);
    world.run();
    assert_eq!(world.logged_in(), 50);
    for (number, ended) in (0..).zip(&world.ended) {
        assert_eq!((ended.begun, ended.intended), (Mono(offset + every * number), ended.begun));
    }
}

#[test]
fn who_could_not_begin_in_time_is_counted_until_it_is_stopped() {
    let pace = Pace::Open { every: 100 * MILLISECOND, offset: Duration::ZERO };
    let mut world = World::new(Tls13, Plan { pace, at_once: 2, logins: None, ..plan(0) }, 2);
    let second = |number| Mono(Duration::from_secs(number));
    for number in 0..=3 {
        world.crowd.handle_timeout(at(second(number)));
    }
    assert_eq!((world.crowd.underway(), world.crowd.counts().begun), (2, 2), "nobody answers");
    assert_eq!(world.crowd.late(second(3)), 21 - 2);
    world.crowd.stop(second(3));
    assert_eq!(world.crowd.late(second(9)), 21 - 2);
    assert!(!world.crowd.is_over());
    world.there = |_, _| 0;
    world.run();
    assert!(world.crowd.is_over() && world.ended.len() == 2);
}

#[test]
fn many_logins_behind_one_port_share_its_identifiers() {
    let mut world = World::new(Tls12, Plan { access_points: 1, at_once: 400, ..plan(300) }, 300);
    world.run();
    assert_eq!((world.logged_in(), world.most_at_once), (300, MOST));
}

#[test]
fn what_fits_into_no_packet_begins_nothing() {
    let station = Station { ssid: Some("x".repeat(300)), ..Station::default() };
    let mut world = World::new(Tls13, Plan { station, ..plan(10) }, 4);
    world.run();
    assert_eq!((world.crowd.counts().unfit, world.sent, world.ended.len()), (1, 0, 0));
}

#[test]
fn a_server_without_its_certificates_key_lets_nobody_of_a_thrifty_crowd_in() {
    for version in [Tls12, Tls13] {
        let mut world = World::new(version, plan(12), 4);
        let thrift = Thrift { trusts_again: true, known_share: true };
        let one = Supplicant::thrifty(world.pki.settings(version), thrift).unwrap();
        let asker = Arc::new(Asker::new(Secret::new(SECRET)));
        world.crowd = Crowd::new(plan(12), asker, (0..4).map(|_| one.device()).collect(), 7);
        world.pki = world.pki.impostor();
        world.run();
        let noticed = |ended: &Ended| ended.report.as_ref().is_some_and(|report| report.server_certificate.is_some());
        assert!(world.ended.len() == 12 && world.ended.iter().all(noticed));
    }
}

#[test]
fn a_refusal_is_told() {
    let mut world = World::new(Tls13, plan(2), 2);
    world.fault = Fault::BareReject;
    world.run();
    assert!(world.ended.iter().all(|ended| ended.report.as_ref().is_some_and(|report| !report.accepted)));
    assert_eq!(world.ended.len(), 2);
}
