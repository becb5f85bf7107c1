//! What happens while the answer is waited for: the NAS sends again, what is in force changes, time or room runs out.

use std::time::Duration;

use sekisho::engine::{Arrival, Order, Ticket};
use sekisho::event::OcspStatus::{Good, Revoked};
use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::pki::RevocationSource::{Ocsp, OcspThenCrl};
use sekisho::radius::{Code, Packet, Type};

use super::{HOUR, PATIENCE, VERSIONS, answer, finish, held, let_in, member, options, refused, says, world};
use crate::hand::{Answer, Hand, Walk, eap_of};
use crate::pki::pki;
use crate::world::{NAS, Options, Responder, Says, World, station};

/// What a reload changes.
type Change = fn(&mut Options);

#[test]
fn a_nas_that_sends_again_while_it_waits_steps_nothing_and_gets_the_one_answer() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        let mut walk = held(&mut world, &who, 1, false);
        let steps = world.steps;
        for repeats in 1..=3 {
            assert!(world.exchange_from(walk.peer, &walk.request).is_empty());
            assert_eq!(world.count(Outcome::Drop, Reason::Duplicate), repeats);
        }
        let sent = answer(&mut world, says(Good));
        let again = world.exchange_from(walk.peer, &walk.request);
        assert_eq!((again.len(), &again[0].octets), (1, &sent[0].octets));
        assert!(answer(&mut world, says(Good)).is_empty(), "an answer to what was answered");
        let report = finish(&mut world, &mut walk, &sent);
        let_in(&report, false);
        // The acknowledgement is the one more Step's worth of nothing: no public-key work.
        assert_eq!((world.steps, world.asked.len()), (steps, 1));
    }
}

#[test]
fn the_same_response_in_a_new_request_is_not_read_twice_and_the_newest_is_answered() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let mut walk = held(&mut world, &member(version), 1, false);
        let mut hand = Hand::new(NAS, 10_001);
        hand.identifier = 200;
        hand.state = Packet::parse(&walk.request).expect("a packet").first(Type::STATE).map(<[u8]>::to_vec);
        let steps = world.steps;
        assert!(hand.send(&mut world, &eap_of(&walk.request)).is_empty());
        assert_eq!((world.steps, world.count(Outcome::Drop, Reason::Duplicate)), (steps, 1));
        // An EAP packet that can't be read ends nobody's login.
        let broken = hand.clone().with(Type::EAP_MESSAGE, &[2]).request(&eap_of(&walk.request));
        assert!(world.exchange_from(walk.peer, &broken).is_empty());
        let sent = answer(&mut world, says(Good));
        let newest = Answer::new(&sent[0].octets);
        assert_eq!((sent.len(), newest.code, sent[0].octets[1]), (1, Code::ACCESS_CHALLENGE, hand.identifier));
        // And once more, after the answer: the same flight.
        let again = hand.ask(&mut world, &eap_of(&walk.request));
        assert_eq!((again.eap, world.steps), (newest.eap, steps));
        walk.request.clear();
    }
}

#[test]
fn what_is_in_force_when_the_answer_comes_decides() {
    for version in VERSIONS {
        // On a CRL that came meanwhile, although the responder says "good".
        let mut world = world(OcspThenCrl);
        let mut walk = held(&mut world, &member(version), 1, false);
        world.reload(|options| options.silent_crl = Some((1, vec![&pki().of_silent])));
        let sent = answer(&mut world, says(Good));
        let report = finish(&mut world, &mut walk, &sent);
        refused(&world, &report, Reason::Revoked);

        let mut world = World::with(options(Ocsp));
        let mut walk = held(&mut world, &member(version), 1, false);
        world.reload(|options| options.vlan = "777");
        let sent = answer(&mut world, says(Good));
        let report = finish(&mut world, &mut walk, &sent);
        let_in(&report, false);
        let reply = Packet::parse(&report.reply).expect("a packet");
        assert_eq!(reply.text(Type::TUNNEL_PRIVATE_GROUP_ID), Some("777"));

        let changes: [(Change, Reason); 3] = [
            (|options| options.services = vec!["eduroam"], Reason::NoService),
            (|options| options.nas_services = Some(vec!["eduroam".into()]), Reason::NoService),
            (|options| options.suspended = "silent@jaist.ac.jp", Reason::Policy),
        ];
        for (change, reason) in changes {
            let mut world = World::with(options(Ocsp));
            let mut walk = held(&mut world, &member(version), 1, false);
            world.reload(change);
            let sent = answer(&mut world, says(Good));
            let report = finish(&mut world, &mut walk, &sent);
            refused(&world, &report, reason);
        }
    }
}

#[test]
fn who_is_no_nas_any_more_when_the_answer_comes_gets_none() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        held(&mut world, &member(version), 1, false);
        world.reload(|options| options.is_nas = false);
        assert!(answer(&mut world, says(Good)).is_empty());
        assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::UnknownNas)), (0, 1));
    }
}

#[test]
fn r01_revoked_between_a_good_answer_and_the_accept_there_is_no_accept() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let mut walk = held(&mut world, &member(version), 1, false);
        let sent = answer(&mut world, says(Good));
        assert!(walk.take(&world, &sent[0].octets).is_none(), "the last flight");
        let question = world.asked[0].1[0].clone();
        world.learn(&question, says(Revoked));
        world.reload(|_| {});
        let report = walk.finish(&mut world);
        assert_eq!((report.accepted, report.keys_agree), (false, None), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
        assert_eq!(world.asked.len(), 1, "what is decided again asks nobody");
    }
}

#[test]
fn one_that_makes_room_while_it_waits_leaves_nothing_behind() {
    let mut world = World::with(Options { max_conversations: 1, max_asking: (1, 1), ..options(Ocsp) });
    held(&mut world, &member(TlsVersion::Tls13), 1, false);
    Hand::new(NAS, 2_000).start(&mut world);
    assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::Overload)), (1, 1));
    // Its place among those that may wait is free.
    let mut next = held(&mut world, &member(TlsVersion::Tls13), 2, false);
    let (first, events) = (world.asked[0].0, world.events.len());
    world.engine.handle(world.now, Arrival::Answer(first));
    assert!(world.sent().is_empty());
    assert_eq!((world.events.len(), world.engine.conversations()), (events, 1));
    let sent = answer(&mut world, says(Good));
    let_in(&finish(&mut world, &mut next, &sent), false);
}

#[test]
fn one_whose_time_is_up_while_it_waits_leaves_nothing_behind() {
    let second = Duration::from_secs(1);
    let mut world = World::with(Options { conversation_timeout: second, max_asking: (1, 1), ..options(Ocsp) });
    held(&mut world, &member(TlsVersion::Tls13), 1, false);
    world.wait(second);
    assert!(world.sent().is_empty());
    assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::ConversationExpired)), (0, 1));
    // Its place among those that may wait is free.
    held(&mut world, &member(TlsVersion::Tls13), 2, false);
    let first = world.asked[0].0;
    world.engine.handle(world.now, Arrival::Answer(first));
    assert!(world.sent().is_empty());
    world.wait(second);
    world.wait(HOUR);
    assert_eq!((world.sent().len(), world.engine.conversations(), world.engine.poll_timeout()), (0, 0, None));
}

#[test]
fn drain_waits_for_those_that_ask_and_no_longer_than_they_do() {
    for (time, says, outcome) in
        [(Duration::from_millis(300), says(Good), Outcome::Accept), (PATIENCE * 2, Says::Nothing, Outcome::Reject)]
    {
        let mut world = world(Ocsp);
        world.responder = Responder::after(time, says);
        let mut walk = held(&mut world, &member(TlsVersion::Tls13), 1, false);
        let drain = world.order(Order::Drain);
        world.sent();
        assert_eq!(world.done, <[Ticket; 0]>::default());
        let sent = world.until_next();
        finish(&mut world, &mut walk, &sent);
        assert_eq!((world.decided().0, world.done.as_slice()), (outcome, &[drain][..]));
        assert!(world.now.mono.0 <= PATIENCE);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_nothing() {
    let mut world = world(Ocsp);
    let who = member(TlsVersion::Tls13);
    let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    assert!(world.hand_in_from(walk.peer, &walk.request).is_empty());
    let step = world.engine.poll_step().expect("the client's certificate is read by a Step");
    // While the Step is under way that will ask.
    for ticket in 0..100 {
        world.engine.handle(world.now, Arrival::Answer(Ticket(ticket)));
    }
    world.engine.handle(world.now, Arrival::Answer(Ticket(u64::MAX)));
    assert!(world.sent().is_empty() && world.events.iter().all(|event| event.reason == Reason::Ok));
    world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
    assert!(world.sent().is_empty());
    let sent = answer(&mut world, says(Good));
    let_in(&finish(&mut world, &mut walk, &sent), false);
}
