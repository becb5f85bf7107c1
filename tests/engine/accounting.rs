//! Accounting: no answer without a write, every record once, and who is online through loss, restarts and gaps.

use std::net::SocketAddr;
use std::time::Duration;

use sekisho::engine::{Arrival, Change, Kept, Order, Record, Ticket};
use sekisho::event::{Listener, Outcome, Reason, RequestCode};
use sekisho::exchange::{Hop, Outgoing};
use sekisho::radius::{Attributes, Code, Packet, Type, Writer};
use sekisho::sessions::{End, SessionId, Stage, Status};

use crate::hand::key;
use crate::pki::{Credential, pki};
use crate::world::{NAS, OTHER_NAS, Options, World, station, supplicant};

const SECOND: Duration = Duration::from_secs(1);
const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;
const ON: u32 = 7;

/// A NAS that accounts.
struct Nas {
    peer: SocketAddr,
    identifier: u8,
}

impl Nas {
    fn new() -> Self {
        Self { peer: SocketAddr::new(NAS, 1_700), identifier: 0 }
    }

    /// A new packet.
    fn request(&mut self, status: u32, attributes: &Attributes) -> Vec<u8> {
        self.identifier = self.identifier.wrapping_add(1);
        let mut all = Attributes::default();
        all.push_integer(Type::ACCT_STATUS_TYPE, status);
        all.extend(attributes);
        let mut octets = Vec::new();
        let mut writer = Writer::without_message_authenticator(&mut octets, Code::ACCOUNTING_REQUEST, self.identifier);
        writer.extend(&all);
        writer.finish(&key(), &[0; 16]).expect("a short packet");
        octets
    }

    fn send(&self, world: &mut World, octets: &[u8]) -> Vec<Outgoing> {
        let hop = Hop { listener: Listener::Accounting, socket: 1, local: None, peer: self.peer };
        world.engine.handle(world.now, Arrival::Datagram { hop, octets });
        world.sent()
    }

    /// Sends, and has what comes of it written.
    fn account(&mut self, world: &mut World, status: u32, attributes: &Attributes) -> Vec<Outgoing> {
        let octets = self.request(status, attributes);
        assert!(self.send(world, &octets).is_empty(), "an answer before it was written");
        write(world, true)
    }
}

/// Says of the oldest record whether it was written.
fn write(world: &mut World, written: bool) -> Vec<Outgoing> {
    let (ticket, _) = world.records.remove(0);
    world.engine.handle(world.now, Arrival::Written(ticket, written));
    world.sent()
}

fn attributes(acct_session: &str, mac: &str, class: Option<&[u8]>) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.push(Type::ACCT_SESSION_ID, acct_session.as_bytes()).expect("short");
    attributes.push(Type::CALLING_STATION_ID, mac.as_bytes()).expect("short");
    if let Some(class) = class {
        attributes.push(Type::CLASS, class).expect("short");
    }
    attributes
}

fn with_delay(attributes: &Attributes, delay: u32) -> Attributes {
    let mut attributes = attributes.clone();
    attributes.push_integer(Type::ACCT_DELAY_TIME, delay);
    attributes
}

/// Somebody logs in; his station's address, and the Class that the Accept carried.
fn log_in(world: &mut World, who: &Credential, number: u32) -> (String, Vec<u8>) {
    let place = station("JAIST", number);
    let report = world.log_in(&supplicant(who, None), &place, false);
    assert!(report.logged_in, "{report:?}");
    let class = Packet::parse(&report.reply).expect("a packet").first(Type::CLASS).expect("a Class").to_vec();
    (place.mac, class)
}

fn condemned(world: &World) -> Vec<SessionId> {
    let condemned = world.changes.iter().filter_map(|change| match change {
        Change::Condemned(session) => Some(session.id),
        _ => None,
    });
    condemned.collect()
}

fn only(world: &World) -> &sekisho::sessions::Session {
    let mut sessions = world.engine.sessions().iter();
    let first = sessions.next().expect("a session");
    assert!(sessions.next().is_none(), "more than one");
    first
}

/// What a database would have kept of all changes.
pub(crate) fn kept(world: &World) -> Vec<Kept> {
    let mut kept = Vec::<Kept>::new();
    for change in &world.changes {
        match change {
            Change::Put(one) => {
                kept.retain(|other| other.session.id != one.session.id);
                kept.push((**one).clone());
            }
            Change::Ended(ids, ..) => kept.retain(|one| !ids.contains(&one.session.id)),
            Change::Condemned(_) | Change::Pardoned(_) => {}
        }
    }
    kept
}

#[test]
fn there_is_no_answer_before_the_record_is_written_and_one_after() {
    let mut world = World::new();
    let mut nas = Nas::new();
    let mut attributes = attributes("A", "02-00-00-00-00-01", None);
    attributes.push(Type::PROXY_STATE, b"one").expect("short");
    attributes.push(Type::PROXY_STATE, b"two").expect("short");
    let request = nas.request(START, &attributes);
    assert!(nas.send(&mut world, &request).is_empty());
    world.wait(SECOND);
    assert!(world.sent().is_empty());
    let sent = write(&mut world, true);
    let [answer] = sent.as_slice() else { panic!("{} answers", sent.len()) };
    let reply = Packet::parse(&answer.octets).expect("a packet");
    assert_eq!((reply.code(), reply.first(Type::MESSAGE_AUTHENTICATOR)), (Code::ACCOUNTING_RESPONSE, None));
    assert_eq!(reply.all(Type::PROXY_STATE).collect::<Vec<_>>(), [b"one", b"two"]);
    let authenticator = *Packet::parse(&request).expect("a packet").authenticator();
    assert_eq!(key().check_reply(&reply, &authenticator), Ok(None));
    assert_eq!((answer.hop.peer, answer.hop.socket), (nas.peer, 1));
    let event = world.events.last().expect("an event");
    assert_eq!((event.listener, event.code), (Listener::Accounting, Some(RequestCode::AccountingRequest)));
    assert_eq!((event.outcome, event.reason), (Outcome::Accept, Reason::Ok));
}

#[test]
fn w10_w11_a_repeat_makes_no_second_record_while_it_is_written_and_gets_the_same_answer_after() {
    let mut world = World::new();
    let mut nas = Nas::new();
    let request = nas.request(START, &attributes("A", "02-00-00-00-00-01", None));
    assert!(nas.send(&mut world, &request).is_empty());
    assert!(nas.send(&mut world, &request).is_empty());
    assert_eq!(world.records.len(), 1);
    let sent = write(&mut world, true);
    let again = nas.send(&mut world, &request);
    assert_eq!((sent.len(), again.len(), world.records.len()), (1, 1, 0));
    assert_eq!(sent[0].octets, again[0].octets);
    let event = world.events.last().expect("an event");
    assert_eq!((event.reason, event.code), (Reason::Duplicate, Some(RequestCode::AccountingRequest)));
}

#[test]
fn what_is_not_written_or_not_in_time_is_not_answered_and_its_repeat_is_new() {
    for in_time in [true, false] {
        let mut world = World::new();
        let mut nas = Nas::new();
        let request = nas.request(START, &attributes("A", "02-00-00-00-00-01", None));
        assert!(nas.send(&mut world, &request).is_empty());
        let late = world.records[0].0;
        if in_time {
            assert!(write(&mut world, false).is_empty());
            assert_eq!(world.count(Outcome::Drop, Reason::Internal), 1);
        } else {
            world.wait(2 * SECOND);
            assert!(world.sent().is_empty());
            assert_eq!(world.count(Outcome::Drop, Reason::Overload), 1);
            world.records.clear();
        }
        // The NAS asks again.
        assert!(nas.send(&mut world, &request).is_empty());
        assert_eq!(world.records.len(), 1);
        // The first is written after all: the second is what is answered, and once.
        world.engine.handle(world.now, Arrival::Written(late, true));
        assert!(world.sent().is_empty());
        assert_eq!(write(&mut world, true).len(), 1);
    }
}

#[test]
fn retries_with_a_new_delay_are_new_packets_and_one_record_and_one_session() {
    let mut world = World::new();
    let mut nas = Nas::new();
    let plain = attributes("A", "02-00-00-00-00-01", None);
    let mut keys = Vec::new();
    for delay in [0, 3, 9] {
        let request = nas.request(START, &with_delay(&plain, delay));
        assert!(nas.send(&mut world, &request).is_empty());
        keys.push(world.records.last().expect("a record").1.key());
        world.wait(if delay == 0 { 3 * SECOND } else { 6 * SECOND });
    }
    keys.dedup();
    assert_eq!((keys.len(), world.engine.sessions().len()), (1, 1));
}

#[test]
fn so_many_records_wait_and_no_more() {
    let mut world = World::with(Options { max_records: 2, ..Options::default() });
    let mut nas = Nas::new();
    for number in 0..5 {
        let request = nas.request(START, &attributes(&number.to_string(), "02-00-00-00-00-01", None));
        assert!(nas.send(&mut world, &request).is_empty());
    }
    assert_eq!((world.records.len(), world.count(Outcome::Drop, Reason::Overload)), (2, 3));
    assert_eq!(write(&mut world, true).len(), 1);
}

#[test]
fn wrong_secret_wrong_door_and_what_says_nothing_make_no_record() {
    let mut world = World::new();
    let mut nas = Nas::new();
    let good = nas.request(START, &attributes("A", "02-00-00-00-00-01", None));
    let mut bent = good.clone();
    bent[7] ^= 1;
    assert!(nas.send(&mut world, &bent).is_empty());
    assert!(world.hand_in_from(nas.peer, &good).is_empty(), "the door of authentication");
    let nothing = nas.request(START, &Attributes::default());
    assert!(nas.send(&mut world, &nothing).is_empty());
    assert!(world.records.is_empty() && world.engine.sessions().is_empty());
    assert_eq!(world.count(Outcome::Drop, Reason::BadAuthenticator), 1);
    assert_eq!(world.count(Outcome::Drop, Reason::Malformed), 2);
    // Nothing of that stands in the way of the good one.
    assert!(nas.send(&mut world, &good).is_empty());
    assert_eq!(write(&mut world, true).len(), 1);
}

#[test]
fn a_login_is_online_from_the_accept_on_and_start_ties_it_by_its_class() {
    let mut world = World::new();
    let (mac, class) = log_in(&mut world, &pki().member_p256, 1);
    let session = only(&world);
    assert_eq!((session.stage, session.service.as_deref()), (Stage::Provisional, Some("JAIST")));
    let (id, user) = (session.id, session.user.clone());
    let mut nas = Nas::new();
    // It comes from another port, and names its station in another notation: Class is bound to that of the login.
    let start = attributes("A", &mac, Some(&class));
    assert_eq!(nas.account(&mut world, START, &start).len(), 1);
    assert_eq!((only(&world).id, only(&world).stage, &only(&world).user), (id, Stage::Started, &user));
    assert_eq!(nas.account(&mut world, INTERIM, &start).len(), 1);
    assert_eq!(nas.account(&mut world, STOP, &start).len(), 1);
    assert!(world.engine.sessions().is_empty());
    assert!(matches!(world.changes.last(), Some(Change::Ended(ids, End::Stop, _)) if *ids == [id]));
}

#[test]
fn a_class_is_worth_nothing_from_another_nas_or_station() {
    let mut world = World::new();
    let (mac, class) = log_in(&mut world, &pki().member_p256, 1);
    let mut other = Nas { peer: SocketAddr::new(OTHER_NAS, 1_700), identifier: 0 };
    other.account(&mut world, START, &attributes("A", &mac, Some(&class)));
    Nas::new().account(&mut world, START, &attributes("B", "02-00-00-00-00-ff", Some(&class)));
    let strangers = world.engine.sessions().iter().filter(|session| session.user.is_none() && session.tie.is_none());
    assert_eq!((strangers.count(), world.engine.sessions().len()), (2, 3));
}

#[test]
fn a_nas_that_restarts_has_nobody_online() {
    let mut world = World::new();
    for number in 1..=3 {
        log_in(&mut world, &pki().member_p256, number);
    }
    assert_eq!(world.engine.sessions().len(), 3);
    world.wait(SECOND);
    // Its logins came through another socket, from the same address.
    assert_eq!(Nas::new().account(&mut world, ON, &Attributes::default()).len(), 1);
    assert!(world.engine.sessions().is_empty());
}

#[test]
fn a_crl_condemns_whoever_is_on_it_in_the_gap_before_start_too() {
    let mut world = World::new();
    log_in(&mut world, &pki().member_p256, 1);
    let (mac, class) = log_in(&mut world, &pki().member_rsa, 2);
    let mut nas = Nas::new();
    nas.account(&mut world, START, &attributes("A", &mac, Some(&class)));
    let ids: Vec<_> = world.engine.sessions().iter().map(|session| session.id).collect();
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    world.wait(Duration::ZERO);
    world.sent();
    assert_eq!(condemned(&world), ids[..1]);
    // The same CRL again, and the next with one more.
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    world.wait(Duration::ZERO);
    world.sent();
    assert_eq!(condemned(&world), ids[..1]);
    world.publish(3, &[&pki().revoked, &pki().member_p256, &pki().member_rsa]);
    world.wait(Duration::ZERO);
    world.sent();
    assert_eq!(condemned(&world), ids);
}

#[test]
fn revoked_between_accept_and_start_during_a_restart_it_is_condemned_in_the_next_process() {
    let mut world = World::new();
    let (mac, _) = log_in(&mut world, &pki().member_p256, 1);
    let id = only(&world).id;
    let mut next = World::restarted(Options::default(), kept(&world));
    next.publish(2, &[&pki().revoked, &pki().member_p256]);
    next.wait(Duration::ZERO);
    next.sent();
    assert_eq!(condemned(&next), [id]);
    // Its Class says nothing any more: it was sealed by a process that is gone. Name and station still do.
    let mut nas = Nas::new();
    nas.account(&mut next, START, &attributes("A", &mac, Some(b"of another process")));
    assert_eq!((only(&next).id, only(&next).stage), (id, Stage::Started));
}

#[test]
fn whoever_drains_writes_what_he_has_taken_and_takes_no_more() {
    let mut world = World::new();
    let mut nas = Nas::new();
    let request = nas.request(START, &attributes("A", "02-00-00-00-00-01", None));
    assert!(nas.send(&mut world, &request).is_empty());
    let drain = world.order(Order::Drain);
    world.sent();
    assert_eq!(world.done, <[Ticket; 0]>::default());
    let more = nas.request(START, &attributes("B", "02-00-00-00-00-02", None));
    assert!(nas.send(&mut world, &more).is_empty());
    assert_eq!(world.records.len(), 1);
    assert_eq!(write(&mut world, true).len(), 1);
    assert_eq!(world.done, [drain]);
}

#[test]
fn over_a_network_that_loses_half_every_record_is_written_and_the_table_is_right() {
    let mut world = World::new();
    let mut chance = crate::chance::Chance::new(7);
    let mut nas = Nas::new();
    let mut written = std::collections::HashSet::new();
    for number in 0..40_u32 {
        let plain = attributes(&number.to_string(), &format!("02-00-00-00-01-{number:02x}"), None);
        let statuses: &[u32] = if number % 2 == 0 { &[START, INTERIM, STOP] } else { &[START, INTERIM] };
        for status in statuses {
            let mut delay = 0;
            loop {
                let request = nas.request(*status, &with_delay(&plain, delay));
                let mut answered = false;
                // The request or the answer is lost, or the disk fails.
                if chance.below(2) == 0 {
                    nas.send(&mut world, &request);
                    let record: Record = world.records[0].1.clone();
                    let on_disk = chance.below(3) > 0;
                    if on_disk {
                        written.insert((record.marks.acct_session.clone(), record.status));
                    }
                    answered = !write(&mut world, on_disk).is_empty() && chance.below(2) == 0;
                }
                if answered {
                    break;
                }
                delay += 3;
                world.wait(3 * SECOND);
            }
            world.wait(30 * SECOND);
        }
    }
    assert_eq!(written.len(), 20 * 3 + 20 * 2);
    assert!(written.contains(&(Some("0".into()), Status::Stop)));
    let names: Vec<u32> =
        world.engine.sessions().iter().filter_map(|session| session.acct_session.as_deref()?.parse().ok()).collect();
    assert_eq!(names, (0..40).filter(|number| number % 2 == 1).collect::<Vec<_>>());
}
