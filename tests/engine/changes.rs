//! What is in force changes while conversations go on: reloads, CRLs, clocks, the end.

use std::time::Duration;

use sekisho::engine::{Order, Ticket};
use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::now::Wall;
use sekisho::radius::{Code, Packet, Type};

use crate::eap::{unfragmented, unfragmented_world};
use crate::hand::{Hand, Walk, identity};
use crate::pki::pki;
use crate::world::{NAS, Options, World, station, supplicant};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

#[test]
fn drain_lets_begun_conversations_end_begins_none_and_says_when_the_last_is_over() {
    let mut world = World::new();
    let who = supplicant(&pki().member_p256, None);
    let mut begun = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    // One that will never end by itself.
    Hand::new(NAS, 2_000).start(&mut world);
    let drain = world.order(Order::Drain);
    assert!(Hand::new(NAS, 2_001).send(&mut world, &identity(1, b"@jaist.ac.jp")).is_empty());
    assert_eq!(world.count(Outcome::Drop, Reason::Overload), 1);
    assert!(begun.finish(&mut world).logged_in);
    assert_eq!((world.engine.conversations(), world.done.as_slice()), (1, &[][..]));
    world.wait(Duration::from_secs(60));
    world.sent();
    assert_eq!((world.engine.conversations(), world.done.as_slice()), (0, &[drain][..]));
}

#[test]
fn drain_is_done_at_once_when_nothing_goes_on_and_repeats_still_get_their_answer() {
    let mut world = World::new();
    let mut walk = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false);
    assert!(walk.finish(&mut world).logged_in);
    let drain = world.order(Order::Drain);
    let again = world.exchange_from(walk.peer, &walk.request);
    assert_eq!(&*again[0].octets, walk.answers.last().expect("an answer").as_slice());
    assert_eq!(world.done, [drain]);
}

#[test]
fn drain_waits_for_a_step_that_runs() {
    let mut world = World::new();
    let walk = Walk::new(&world, &supplicant(&pki().revoked, None), station("JAIST", 1), false).rounds(&mut world, 1);
    assert!(world.hand_in_from(walk.peer, &walk.request).is_empty());
    let step = world.engine.poll_step().expect("work");
    let drain = world.order(Order::Drain);
    world.sent();
    assert_eq!(world.done, <[Ticket; 0]>::default());
    // The Step comes back after its conversation has gone.
    world.wait(Duration::from_secs(60));
    world.sent();
    assert_eq!(world.done, [drain]);
    world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
    assert!(world.sent().is_empty());
    assert_eq!(world.engine.conversations(), 0);
}

#[test]
fn r01_revoked_between_the_judgment_and_the_accept_there_is_no_accept() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 3);
        world.publish(2, &[&pki().revoked, &pki().member_p256]);
        let report = walk.finish(&mut world);
        assert_eq!((report.accepted, report.keys_agree, report.eap_success), (false, None, Some(false)));
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
    }
}

#[test]
fn r01_revoked_while_the_last_step_runs_there_is_no_accept() {
    // A resumed TLS 1.2 handshake ends with the client's Finished: the Accept is the answer to a Step.
    let mut world = unfragmented_world();
    let who = unfragmented(&pki().member_p256, TlsVersion::Tls12);
    assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
    let mut walk = Walk::new(&world, &who, station("JAIST", 1), true).rounds(&mut world, 2);
    assert!(world.hand_in_from(walk.peer, &walk.request).is_empty());
    let step = world.engine.poll_step().expect("the last flight is read by a Step");
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
    let sent = world.sent();
    let report = walk.take(&world, &sent[0].octets).expect("the end");
    assert_eq!((report.accepted, report.keys_agree), (false, None));
    assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
}

#[test]
fn what_its_nas_may_no_longer_ask_for_while_the_last_step_runs_it_does_not_get() {
    let changes: [fn(&mut Options); 2] =
        [|options| options.nas_services = Some(vec!["eduroam".into()]), |options| options.is_nas = false];
    for (change, answers, expected) in
        [(changes[0], 1, (Outcome::Reject, Reason::NoService)), (changes[1], 0, (Outcome::Drop, Reason::UnknownNas))]
    {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, TlsVersion::Tls12);
        assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
        let walk = Walk::new(&world, &who, station("JAIST", 1), true).rounds(&mut world, 2);
        assert!(world.hand_in_from(walk.peer, &walk.request).is_empty());
        let step = world.engine.poll_step().expect("the last flight is read by a Step");
        world.reload(change);
        world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
        assert_eq!((world.sent().len(), world.engine.conversations()), (answers, 0));
        assert_eq!(world.events.last().map(|event| (event.outcome, event.reason)), Some(expected));
    }
}

#[test]
fn r01_the_next_login_after_the_crl_is_refused_and_the_one_before_was_not() {
    let mut world = World::new();
    let who = supplicant(&pki().member_rsa, None);
    assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
    world.publish(2, &[&pki().revoked, &pki().member_rsa]);
    assert_eq!(world.log_in(&who, &station("JAIST", 1), false).alert_received, Some(44));
}

#[test]
fn a_swap_in_the_middle_of_a_handshake_changes_what_the_accept_grants_and_breaks_nothing() {
    for version in VERSIONS {
        for rounds in 1..=3 {
            let mut world = unfragmented_world();
            let who = unfragmented(&pki().member_p256, version);
            let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, rounds);
            world.reload(|options| options.vlan = "777");
            let report = walk.finish(&mut world);
            assert!(report.logged_in, "{version} {rounds}: {report:?}");
            let reply = Packet::parse(&report.reply).expect("a packet");
            assert_eq!(reply.text(Type::TUNNEL_PRIVATE_GROUP_ID), Some("777"), "{version} after {rounds}");
        }
    }
}

#[test]
fn a_swap_that_removes_the_service_leaves_nobody_in() {
    for version in VERSIONS {
        for rounds in 1..=3 {
            let mut world = unfragmented_world();
            let who = unfragmented(&pki().member_p256, version);
            let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, rounds);
            // The other service now has the first one's place.
            world.reload(|options| options.services = vec!["eduroam"]);
            let report = walk.finish(&mut world);
            assert_eq!((report.accepted, report.keys_agree), (false, None), "{version} after {rounds}");
            assert_eq!(world.decided(), (Outcome::Reject, Reason::NoService), "{version} after {rounds}");
            assert_eq!(world.engine.conversations(), 0);
        }
    }
}

#[test]
fn r26_a_wall_clock_that_jumps_moves_no_timer_and_ends_no_conversation() {
    let year = 365 * 86_400;
    for version in VERSIONS {
        for jump in [year, -86_400, 25 * year, -25 * year] {
            let mut world = unfragmented_world();
            let who = unfragmented(&pki().member_p256, version);
            let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 1);
            let right = world.now.wall;
            let due = world.engine.poll_timeout();
            world.now.wall = Wall(right.0 + jump);
            world.engine.handle_timeout(world.now);
            assert_eq!((world.engine.poll_timeout(), world.engine.conversations()), (due, 1));
            // Certificates and CRLs are judged by the wall clock: refused, and not for ever.
            let report = walk.finish(&mut world);
            assert!(!report.accepted && report.keys_agree.is_none(), "{version} {jump}");
            world.now.wall = right;
            assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
        }
    }
}

#[test]
fn who_is_no_nas_gets_no_answer() {
    let mut world = World::new();
    let mut hand = Hand::new("203.0.113.1".parse().expect("an address"), 1_645);
    assert!(hand.send(&mut world, &identity(1, b"@jaist.ac.jp")).is_empty());
    assert_eq!(world.count(Outcome::Drop, Reason::UnknownNas), 1);
    let answer = Hand::here().ask(&mut world, &identity(1, b"@jaist.ac.jp"));
    assert_eq!(answer.code, Code::ACCESS_CHALLENGE);
}
