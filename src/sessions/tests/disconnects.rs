//! Sessions that are told to end, and NAS that answer, or not.

mod refused;

use std::net::SocketAddr;

use super::*;
use crate::event::Method;
use crate::exchange::{Datagram, DisconnectSettings, Identify, NasSettings, Peers, Prefix};
use crate::radius::{Attributes, Code, Key, Packet, Type, Writer};
use crate::secret::Secret;
use crate::sessions::disconnect::{Disconnected, Disconnects, Impossible, Online, Told, Wish};

const OWN: &[u8] = b"the secret of disconnecting";
const ALL: [Identify; 3] = [Identify::AcctSessionId, Identify::CallingStationId, Identify::UserName];

fn nas(name: &str, address: &str, disconnect: Option<DisconnectSettings>) -> NasSettings {
    let network = Prefix::new(address.parse().unwrap(), 24).unwrap();
    NasSettings { disconnect, ..NasSettings::new(name, vec![network], Secret::new("another, for asking")) }
}

fn by(identify_by: &[Identify]) -> Option<DisconnectSettings> {
    let secret = Some(Secret::new(OWN));
    Some(DisconnectSettings { port: 3799, secret, address: None, identify_by: identify_by.to_vec() })
}

/// Somebody wants it.
fn order(number: u64) -> Wish {
    Wish::Order(number, "desk".into())
}

/// A bench, and NAS that are told.
struct Desk {
    bench: Bench,
    peers: Peers,
    disconnects: Disconnects,
    sent: Vec<Datagram>,
}

impl Desk {
    /// 192.0.2.0/24 and 198.51.100.0/24, told alike.
    fn new(disconnect: Option<DisconnectSettings>) -> Self {
        let all = [nas("ap", "192.0.2.0", disconnect.clone()), nas("other", "198.51.100.0", disconnect)];
        Self {
            bench: Bench::new(),
            peers: Peers::new(&all).unwrap(),
            disconnects: Disconnects::default(),
            sent: Vec::new(),
        }
    }

    fn want(&mut self, id: SessionId, wish: Wish) {
        let online = Online { sessions: &self.bench.sessions, peers: &self.peers };
        self.disconnects.want(self.bench.now, id, &wish, online);
    }

    /// What has been sent since the last time.
    fn sent(&mut self) -> Vec<Datagram> {
        let sent: Vec<_> = std::iter::from_fn(|| self.disconnects.poll_datagram()).collect();
        self.sent.extend(sent.clone());
        sent
    }

    fn results(&mut self) -> Vec<Disconnected> {
        std::iter::from_fn(|| self.disconnects.poll_result()).collect()
    }

    /// A NAS answers one of the datagrams.
    fn answer(&mut self, datagram: &Datagram, code: Code, cause: Option<u32>) {
        let request = Packet::parse(&datagram.octets).unwrap();
        let mut attributes = Attributes::default();
        if let Some(cause) = cause {
            attributes.push_integer(Type::ERROR_CAUSE, cause);
        }
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets, code, request.identifier());
        writer.extend(&attributes);
        writer.finish(&Key::new(Secret::new(OWN)), request.authenticator()).unwrap();
        let online = Online { sessions: &self.bench.sessions, peers: &self.peers };
        self.disconnects.replied(self.bench.now, datagram.to, &octets, online);
    }

    fn ack(&mut self, datagram: &Datagram) {
        self.answer(datagram, Code::DISCONNECT_ACK, None);
    }

    /// Turns the clock second by second and does all that is due.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.bench.turn(Duration::from_secs(1));
            let online = Online { sessions: &self.bench.sessions, peers: &self.peers };
            self.disconnects.handle_timeout(self.bench.now, online);
        }
    }
}

fn only<T: std::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn values(datagram: &Datagram, kind: Type) -> Vec<String> {
    let packet = Packet::parse(&datagram.octets).unwrap();
    packet.all(kind).map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
}

fn kinds(datagram: &Datagram) -> Vec<Type> {
    let packet = Packet::parse(&datagram.octets).unwrap();
    let known = packet.attributes().map(|one| one.kind).collect();
    assert!(Key::new(Secret::new(OWN)).check_request(&packet).is_ok_and(|mac| mac.is_some()));
    known
}

#[test]
fn only_what_identifies_it_is_said_to_the_address_that_asked() {
    let mut desk = Desk::new(by(&ALL));
    let marks = Marks { calling: Some("02-AB-00-00-00-01".into()), ..named("02:ab:00:00:00:01", "s1") };
    let admitted = Admitted {
        marks,
        imprint: Some(imprint(1)),
        method: Method::EapTls,
        user: "user".into(),
        user_name: "user@realm".into(),
        service: None,
        timeout: HOUR,
        interim: None,
    };
    let at =
        Device { identifier: Some("ap-7".into()), address: Some("10.9.9.9".parse().unwrap()), ..device("192.0.2.7") };
    let law = Law {
        trust: &WORLD.trust,
        revocation: &desk.bench.revocation,
        standing: &WORLD.standing,
        policy: &WORLD.policy,
    };
    desk.bench.sessions.admit(desk.bench.now, admitted, &at, law);
    let id = desk.bench.last_put().id;
    desk.want(id, order(5));
    let sent = only(desk.sent());
    assert_eq!(sent.to, "192.0.2.7:3799".parse::<SocketAddr>().unwrap(), "not where NAS-IP-Address points");
    assert_eq!(
        kinds(&sent),
        [
            Type::MESSAGE_AUTHENTICATOR,
            Type::ACCT_SESSION_ID,
            Type::CALLING_STATION_ID,
            Type::USER_NAME,
            Type::NAS_IP_ADDRESS,
            Type::NAS_IDENTIFIER,
            Type::EVENT_TIMESTAMP
        ]
    );
    assert_eq!(values(&sent, Type::CALLING_STATION_ID), ["02-AB-00-00-00-01"], "as the NAS writes it");
    assert_eq!(values(&sent, Type::USER_NAME), ["user@realm"]);
    let time = Packet::parse(&sent.octets).unwrap().integer(Type::EVENT_TIMESTAMP);
    assert_eq!(time.map(i64::from), Some(desk.bench.now.wall.0));
    desk.ack(&sent);
    let done = only(desk.results());
    assert_eq!((done.id, done.told, done.ended, done.orders), (id, Told::Ack, vec![id], vec![5]));
}

#[test]
fn after_a_restart_a_station_is_written_as_rfc_3580_writes_it() {
    let mut desk = Desk::new(by(&[Identify::CallingStationId]));
    let id = desk.bench.admit(1, &marks("02:ab:00:00:00:01"));
    desk.want(id, order(1));
    assert_eq!(values(&only(desk.sent()), Type::CALLING_STATION_ID), ["02-AB-00-00-00-01"]);
}

#[test]
fn a_nas_that_says_no_is_believed_with_its_reason() {
    let mut desk = Desk::new(by(&ALL));
    let id = desk.bench.admit(1, &named("a", "s1"));
    for (cause, number) in [(Some(503), 1), (None, 2)] {
        desk.want(id, order(number));
        let sent = only(desk.sent());
        desk.answer(&sent, Code::DISCONNECT_NAK, cause);
        let done = only(desk.results());
        assert_eq!((done.told, done.ended, done.orders), (Told::Nak(cause), vec![], vec![number]));
    }
}

#[test]
fn what_cannot_be_said_is_not_possible_and_nothing_is_sent() {
    let mut desk = Desk::new(by(&[Identify::AcctSessionId]));
    let nameless = desk.bench.admit(1, &marks("a"));
    let strange = desk.bench.admit_at("203.0.113.1", 2, &named("b", "s2"));
    for (id, why) in
        [(nameless, Impossible::NoName), (strange, Impossible::NoWay), (SessionId(7), Impossible::NoSession)]
    {
        desk.want(id, order(1));
        assert_eq!(only(desk.results()).told, Told::NotPossible(why));
    }
    let mut mute = Desk::new(None);
    let id = mute.bench.admit(1, &named("a", "s1"));
    mute.want(id, Wish::Condemned);
    assert_eq!(only(mute.results()).told, Told::NotPossible(Impossible::NoWay));
    assert_eq!((desk.sent().len(), mute.sent().len()), (0, 0));
}

#[test]
fn where_only_the_name_can_be_said_the_others_of_that_name_at_that_device_go_too() {
    let mut desk = Desk::new(by(&[Identify::UserName]));
    let [one, two] = ["a", "b"].map(|station| desk.bench.admit(1, &marks(station)));
    let stranger = desk.bench.admit(2, &marks("c"));
    let elsewhere = desk.bench.admit_at("192.0.2.2", 1, &marks("d"));
    desk.want(one, order(1));
    let sent = only(desk.sent());
    desk.ack(&sent);
    let done = only(desk.results());
    assert_eq!(done.ended, [one, two]);
    // Nobody accounts for them.
    desk.bench.sessions.disconnected(desk.bench.now, &done);
    assert_eq!(desk.bench.ended(), [(one, End::Disconnected), (two, End::Disconnected)]);
    assert!(desk.bench.sessions.get(stranger).is_some() && desk.bench.sessions.get(elsewhere).is_some());
}

#[test]
fn by_a_name_alone_that_is_nobodys_nobody_is_named() {
    let mut desk = Desk::new(by(&[Identify::UserName, Identify::CallingStationId]));
    let one = desk.bench.admit_person("@jaist.ac.jp", &marks("a"));
    desk.want(one, order(1));
    assert_eq!(kinds(&only(desk.sent())).iter().filter(|kind| **kind == Type::USER_NAME).count(), 1);
    let mut desk = Desk::new(by(&[Identify::UserName]));
    for name in ["@jaist.ac.jp", "anonymous@jaist.ac.jp", "Anonymous"] {
        let id = desk.bench.admit_person(name, &marks(name));
        desk.want(id, order(1));
        assert_eq!(only(desk.results()).told, Told::NotPossible(Impossible::NoName));
    }
    assert_eq!(desk.sent().len(), 0);
}

#[test]
fn one_that_is_accounted_for_ends_by_its_stop_and_one_that_has_come_back_meanwhile_stays() {
    let mut desk = Desk::new(by(&ALL));
    let started = desk.bench.admit(1, &named("a", "s1"));
    let record = desk.bench.record(Status::Start, "s1", "a");
    desk.bench.account(&record);
    let back = desk.bench.admit(2, &marks("b"));
    desk.want(started, order(1));
    desk.want(back, order(2));
    let sent = desk.sent();
    desk.bench.turn(Duration::from_secs(1));
    assert_eq!(desk.bench.admit(2, &marks("b")), back);
    for datagram in &sent {
        desk.ack(datagram);
    }
    for done in desk.results() {
        assert_eq!(done.told, Told::Ack);
        desk.bench.sessions.disconnected(desk.bench.now, &done);
    }
    assert_eq!(desk.bench.ended(), []);
}

#[test]
fn whoever_wants_the_same_session_gone_waits_for_the_same_answer() {
    let mut desk = Desk::new(by(&ALL));
    let id = desk.bench.admit(1, &named("a", "s1"));
    for wish in [order(1), Wish::Condemned, order(2)] {
        desk.want(id, wish);
    }
    let sent = only(desk.sent());
    desk.ack(&sent);
    assert_eq!(only(desk.results()).orders, [1, 2]);
    for number in 0..70 {
        desk.want(id, order(number));
    }
    let refused = desk.results();
    assert_eq!(refused.len(), 6, "so many wait and no more");
    assert!(refused.iter().all(|one| one.told == Told::NotPossible(Impossible::TooMany)));
}

#[test]
fn a_lost_request_or_answer_is_made_good_by_the_same_octets() {
    let mut desk = Desk::new(by(&ALL));
    let id = desk.bench.admit(1, &named("a", "s1"));
    desk.want(id, order(1));
    let first = only(desk.sent());
    desk.wait(3);
    let again = only(desk.sent());
    assert_eq!((again.to, &again.octets), (first.to, &first.octets));
    desk.ack(&again);
    desk.ack(&first);
    assert_eq!(only(desk.results()).told, Told::Ack);
    desk.wait(60);
    assert!(desk.sent().is_empty() && desk.results().is_empty());
}

#[test]
fn silence_is_told_and_a_condemned_session_is_asked_for_again_until_it_is_lifted() {
    let mut desk = Desk::new(by(&ALL));
    let ordered = desk.bench.admit(2, &named("b", "s2"));
    let id = desk.bench.admit(1, &named("a", "s1"));
    desk.bench.revocation = revoked(&[1]);
    desk.bench.sessions.judge_all();
    desk.bench.wait(Duration::ZERO);
    assert_eq!(desk.bench.condemned(), [id]);
    desk.want(id, Wish::Condemned);
    desk.want(ordered, order(1));
    desk.wait(31);
    let mut silent: Vec<_> = desk.results().iter().map(|done| (done.id, done.told)).collect();
    silent.sort_by_key(|(id, _)| *id);
    assert_eq!(silent, [(ordered, Told::NoAnswer), (id, Told::NoAnswer)]);
    desk.sent();
    desk.wait(60);
    let again = desk.sent();
    assert!(again.iter().all(|one| values(one, Type::ACCT_SESSION_ID) == ["s1"]) && !again.is_empty());
    desk.wait(31);
    assert_eq!(only(desk.results()).told, Told::NoAnswer);
    desk.bench.revocation = revoked(&[]);
    desk.bench.sessions.judge_all();
    desk.bench.wait(Duration::ZERO);
    desk.sent();
    desk.wait(1_000);
    assert!(desk.sent().is_empty() && desk.results().is_empty(), "it is good again");
}

#[test]
fn one_nas_that_keeps_silent_takes_no_turn_from_another_and_each_has_so_many_at_once() {
    let mut desk = Desk::new(by(&ALL));
    let dead: Vec<_> =
        (0..40).map(|n| desk.bench.admit_at("192.0.2.1", 1, &named(&format!("a{n}"), &format!("a{n}")))).collect();
    let alive: Vec<_> =
        (0..40).map(|n| desk.bench.admit_at("198.51.100.1", 2, &named(&format!("b{n}"), &format!("b{n}")))).collect();
    desk.bench.revocation = revoked(&[1, 2]);
    desk.bench.sessions.judge_all();
    desk.bench.wait(Duration::ZERO);
    for id in dead.iter().chain(&alive) {
        desk.want(*id, Wish::Condemned);
    }
    let mut acks = 0;
    for _ in 0..5 {
        let sent = desk.sent();
        assert!(sent.len() <= 32, "{}", sent.len());
        for datagram in sent.iter().filter(|one| one.to.ip().to_string() == "198.51.100.1") {
            desk.ack(datagram);
            acks += 1;
        }
    }
    assert_eq!(acks, 40, "all of the other's, although no second has passed");
    desk.wait(31);
    let unanswered = desk.results().iter().filter(|done| done.told == Told::NoAnswer).count();
    desk.sent();
    assert_eq!(unanswered, 16);
    // From now on only one at a time is tried, until it answers.
    let next = desk.sent.last().unwrap().clone();
    assert_eq!(
        desk.sent.iter().filter(|one| one.to.ip().to_string() == "192.0.2.1" && one.octets == next.octets).count(),
        1
    );
    desk.ack(&next);
    assert_eq!(desk.sent().len(), 16, "it lives");
}

#[test]
fn of_many_under_loss_each_has_one_result_and_nothing_is_left() {
    let mut desk = Desk::new(by(&ALL));
    let ids: Vec<_> = (0..300_u32)
        .map(|n| desk.bench.admit_at(&format!("192.0.2.{}", n % 50), 1, &named(&format!("a{n}"), &format!("a{n}"))))
        .collect();
    for id in &ids {
        desk.want(*id, order(id.0));
    }
    let (mut acked, mut count) = (0, 0_u32);
    for _ in 0..200 {
        for datagram in desk.sent() {
            count += 1;
            // Every third datagram comes through and is answered.
            if count.is_multiple_of(3) {
                desk.ack(&datagram);
            }
        }
        desk.wait(1);
    }
    let mut told: Vec<_> = desk.results();
    told.sort_by_key(|done| done.id);
    assert_eq!(told.iter().map(|done| done.id).collect::<Vec<_>>(), ids);
    for done in &told {
        acked += usize::from(done.told == Told::Ack);
        assert!(matches!(done.told, Told::Ack | Told::NoAnswer) && done.orders == [done.id.0]);
    }
    assert!(acked > 150, "{acked}");
    assert_eq!(desk.disconnects.poll_timeout(), None);
}

#[test]
fn somebody_who_waits_is_served_before_what_goes_by_itself() {
    let mut desk = Desk::new(by(&ALL));
    let ids: Vec<_> = (0..60).map(|n| desk.bench.admit(1, &named(&format!("a{n}"), &format!("a{n}")))).collect();
    desk.bench.revocation = revoked(&[1]);
    desk.bench.sessions.judge_all();
    desk.bench.wait(Duration::ZERO);
    ids.iter().for_each(|id| desk.want(*id, Wish::Condemned));
    desk.sent();
    desk.wait(31);
    assert_eq!(desk.results().len(), 16, "its NAS is silent, and one at a time is tried");
    desk.sent();
    desk.want(ids[59], order(1));
    assert_eq!(values(&only(desk.sent()), Type::ACCT_SESSION_ID), ["a59"], "at once");
    desk.wait(31);
    assert!(desk.results().iter().any(|done| done.id == ids[59] && done.orders == [1] && done.told == Told::NoAnswer));
}
