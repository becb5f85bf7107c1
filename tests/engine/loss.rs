//! A network that loses, delays and reorders, and access points that send again by RFC 5080's timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use sekisho::event::{OcspStatus, TlsVersion};
use sekisho::pki::RevocationSource;
use sekisho::supplicant::{Login, Next, Report, Supplicant};

use crate::chance::Chance;
use crate::pki::pki;
use crate::world::{Options, Responder, Says, World, asker, station, supplicant};

/// Sends of one request before the NAS gives up.
const MAX_SENDS: u32 = 10;
/// RFC 5080 section 2.2.1.
const IRT: Duration = Duration::from_secs(2);
const MRT: Duration = Duration::from_secs(16);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    ToServer(Vec<u8>),
    ToNas(Vec<u8>),
    /// The NAS sends its request again, unless it has another by now.
    Again(u32),
}

/// One login over a network of this seed. Every datagram may be lost, and is delayed so that later ones overtake it.
struct Lossy<'a> {
    world: &'a mut World,
    chance: Chance,
    loss: u64,
    queue: BinaryHeap<Reverse<(Duration, u64, What)>>,
    serial: u64,
    request: Vec<u8>,
    /// Counts the requests, repeats not counted.
    number: u32,
    sends: u32,
    interval: Duration,
}

impl Lossy<'_> {
    fn post(&mut self, what: What) {
        let time = self.world.now.mono.0;
        let lost = !matches!(what, What::Again(_)) && self.chance.percent(self.loss);
        let delay = if let What::Again(_) = what { self.interval } else { self.chance.delay() };
        self.serial += 1;
        if !lost {
            self.queue.push(Reverse((time + delay, self.serial, what)));
        }
    }

    fn send(&mut self) {
        self.sends += 1;
        self.post(What::ToServer(self.request.clone()));
        self.post(What::Again(self.number));
        let doubled = self.interval * 2;
        self.interval = self.chance.jitter(doubled.min(MRT));
    }

    fn ask(&mut self, request: Vec<u8>) {
        self.request = request;
        self.number += 1;
        self.sends = 0;
        self.interval = self.chance.jitter(IRT);
        self.send();
    }

    /// `None`: the NAS has given up.
    fn run(&mut self, login: &mut Login) -> Option<Report> {
        let first = login.begin();
        self.ask(first);
        while let Some(Reverse((time, _, what))) = self.queue.pop() {
            self.world.wait(time.saturating_sub(self.world.now.mono.0));
            for answer in self.world.sent() {
                self.post(What::ToNas(answer.octets.to_vec()));
            }
            match what {
                What::ToServer(octets) => {
                    for answer in self.world.exchange(1_645, &octets) {
                        self.post(What::ToNas(answer.octets.to_vec()));
                    }
                }
                What::ToNas(octets) => match login.handle(&octets, self.world.now.wall) {
                    Next::Send(next) => self.ask(next),
                    Next::Done(report) => return Some(*report),
                    Next::Ignored => {}
                },
                What::Again(number) if number == self.number && self.sends < MAX_SENDS => self.send(),
                What::Again(_) => {}
            }
        }
        None
    }
}

fn over(world: &mut World, seed: u64, loss: u64, who: &Supplicant, resume: bool) -> Option<(Report, usize)> {
    let steps = world.steps;
    let number = u32::try_from(seed).expect("a small seed");
    let mut login = who.login(asker(), station("JAIST", number), resume, world.now.wall);
    let chance = Chance::new(seed);
    let queue = BinaryHeap::new();
    let report =
        Lossy { world, chance, loss, queue, serial: 0, request: Vec::new(), number: 0, sends: 0, interval: IRT }
            .run(&mut login)?;
    Some((report, world.steps - steps))
}

/// What must not depend on the network.
fn steps_of(report: &Report, steps: usize) -> (bool, bool, Option<bool>, u32, u32, u32, usize) {
    let keys = report.keys_agree;
    (report.logged_in, report.resumed, keys, report.requests, report.messages_sent, report.messages_received, steps)
}

#[test]
fn a_thousand_networks_that_lose_a_fifth_each_way_change_no_login() {
    // An access point that sends ten times goes on for almost two minutes.
    let options = Options { fragment_size: 500, conversation_timeout: Duration::from_secs(120), ..Options::default() };
    let mut world = World::with(options);
    let both = [TlsVersion::Tls12, TlsVersion::Tls13].map(|version| supplicant(&pki().member_p256, Some(version)));
    let expected = both.each_ref().map(|who| {
        [false, true].map(|resume| {
            let (report, steps) = over(&mut world, 0, 0, who, resume).expect("a network that loses nothing");
            assert!(report.logged_in && report.resumed == resume, "{report:?}");
            steps_of(&report, steps)
        })
    });
    // Among these networks none loses all ten sends of a request or their answers, as one request in 27,000 would: no server can mend that.
    for seed in 1_001..=2_000 {
        let version = usize::try_from(seed % 2).expect("0 or 1");
        for resume in [false, true] {
            let (report, steps) = over(&mut world, seed, 20, &both[version], resume).unwrap_or_else(|| {
                panic!("seed {seed}, resume {resume}: the NAS has given up: {:?}", world.events.last())
            });
            assert_eq!(steps_of(&report, steps), expected[version][usize::from(resume)], "seed {seed}: {report:?}");
        }
    }
}

#[test]
fn r21_a_thousand_networks_that_lose_a_fifth_change_no_login_that_waits_for_a_responder() {
    let timeout = Duration::from_secs(120);
    let sources = RevocationSource::Ocsp;
    let mut world =
        World::with(Options { sources, fragment_size: 3_500, conversation_timeout: timeout, ..Options::default() });
    // As good as no time: every login has to ask.
    let good = Says::Status(OcspStatus::Good, Duration::ZERO);
    let both = [TlsVersion::Tls12, TlsVersion::Tls13].map(|version| supplicant(&pki().of_silent, Some(version)));
    let mut expected = both.each_ref().map(|_| [None, None]);
    for seed in 0..1_000_u64 {
        world.responder = Responder::after(Duration::from_millis(10 + seed * 1_900 / 1_000), good);
        let asked = world.asked.len();
        let [version, resume] = [seed % 2, seed / 2 % 2].map(|one| usize::try_from(one).expect("0 or 1"));
        let loss = if seed < 4 { 0 } else { 20 };
        let Some((report, steps)) = over(&mut world, 3_000 + seed, loss, &both[version], resume == 1) else {
            panic!("seed {seed}: the NAS has given up: {:?}", world.events.last());
        };
        assert!(report.logged_in && report.resumed == (resume == 1), "seed {seed}: {report:?}");
        assert_eq!(world.asked.len(), asked + 1, "seed {seed} asks once");
        let found = steps_of(&report, steps);
        assert_eq!(found, *expected[version][resume].get_or_insert(found), "seed {seed}: {report:?}");
        // Past the second for which the answer was good.
        world.wait(Duration::from_secs(2));
        world.sent();
    }
}
