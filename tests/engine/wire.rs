//! What the hop lets through, and what goes back: the catalogue's W rows, seen from outside.

use std::net::SocketAddr;
use std::time::Duration;

use sekisho::event::{MessageAuthenticator, Outcome, Reason, RequestCode, TlsVersion};
use sekisho::radius::{Code, Packet, Type, Writer};

use crate::hand::{Answer, Hand, Walk, identity, key, tls};
use crate::pki::pki;
use crate::world::{NAS, OTHER_NAS, World, station, supplicant};

/// The Message-Authenticator is there, right, and before all else.
fn assert_first_and_right(request: &[u8], reply: &[u8]) {
    let request = Packet::parse(request).expect("a packet");
    let reply = Packet::parse(reply).expect("a packet");
    assert_eq!(reply.attributes().next().expect("attributes").kind, Type::MESSAGE_AUTHENTICATOR);
    assert!(key().check_reply(&reply, request.authenticator()).is_ok_and(|found| found.is_some()));
}

fn status_server(identifier: u8) -> Vec<u8> {
    let mut octets = Vec::new();
    let writer = Writer::new(&mut octets, Code::STATUS_SERVER, identifier);
    writer.finish(&key(), &[identifier; 16]).expect("a short packet");
    octets
}

#[test]
fn w03_eap_without_message_authenticator_gets_no_answer_from_any_nas() {
    let mut world = World::new();
    for nas in [NAS, OTHER_NAS] {
        let mut hand = Hand::new(nas, 1_645);
        let request = hand.without_message_authenticator(&identity(1, b"@jaist.ac.jp"));
        assert!(world.exchange_from(hand.peer, &request).is_empty());
        // In the middle of a conversation, too.
        let start = hand.start(&mut world);
        let request = hand.without_message_authenticator(&identity(start.next(), b""));
        assert!(world.exchange_from(hand.peer, &request).is_empty());
    }
    assert_eq!(world.count(Outcome::Drop, Reason::MissingAuthenticator), 4);
    assert_eq!(world.engine.conversations(), 2);
}

#[test]
fn w04_a_wrong_message_authenticator_disturbs_neither_repeats_nor_work_nor_conversation() {
    let mut world = World::new();
    let mut walk = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false);
    let mut forged = 0;
    let report = loop {
        let mut bent = walk.request.clone();
        let at = bent.windows(2).position(|window| window == [80, 18]).expect("Message-Authenticator") + 2;
        bent[at] ^= 1;
        bent[4] ^= 1;
        // Before the request, while its work waits, and after its answer.
        assert!(world.hand_in(1_646, &bent).is_empty());
        let mut sent = world.hand_in(1_646, &walk.request);
        assert!(world.hand_in(1_646, &bent).is_empty());
        sent.extend(world.step().unwrap_or_default());
        assert!(world.hand_in(1_646, &bent).is_empty());
        forged += 3;
        let again = world.hand_in(1_646, &walk.request);
        assert_eq!((sent.len(), again.len()), (1, 1));
        assert_eq!(sent[0].octets, again[0].octets);
        if let Some(report) = walk.take(&world, &sent[0].octets) {
            break report;
        }
    };
    assert!(report.logged_in, "{report:?}");
    assert_eq!((world.steps, world.count(Outcome::Drop, Reason::BadAuthenticator)), (2, forged));
    let bad = |event: &&sekisho::event::Event| event.message_authenticator == Some(MessageAuthenticator::Bad);
    assert_eq!(world.events.iter().filter(bad).count(), forged);
}

#[test]
fn w06_proxy_state_without_message_authenticator_is_dropped_even_where_it_is_not_required() {
    let mut world = World::new();
    for nas in [NAS, OTHER_NAS] {
        let mut hand = Hand::new(nas, 1_645).with(Type::PROXY_STATE, b"chosen prefix");
        let request = hand.without_message_authenticator(&[]);
        assert!(world.exchange_from(hand.peer, &request).is_empty());
    }
    assert_eq!(world.count(Outcome::Drop, Reason::MissingAuthenticator), 2);
    // Without Proxy-State there is nothing to choose; the answer is sealed all the same.
    let mut hand = Hand::new(OTHER_NAS, 1_645);
    let request = hand.without_message_authenticator(&[]);
    let sent = world.exchange_from(hand.peer, &request);
    assert_first_and_right(&request, &sent[0].octets);
    assert_eq!(Answer::new(&sent[0].octets).code, Code::ACCESS_REJECT);
}

#[test]
fn w07_every_reply_has_its_message_authenticator_first_and_proxy_state_comes_back() {
    let mut world = World::new();
    let mut codes = Vec::new();
    for (credential, version) in [
        (&pki().member_rsa, TlsVersion::Tls12),
        (&pki().member_rsa, TlsVersion::Tls13),
        (&pki().revoked, TlsVersion::Tls13),
    ] {
        let mut place = station("JAIST", 1);
        place.attributes.push(Type::PROXY_STATE, b"one").expect("short");
        place.attributes.push(Type::PROXY_STATE, b"two").expect("short");
        let mut walk = Walk::new(&world, &supplicant(credential, Some(version)), place, false);
        loop {
            let request = walk.request.clone();
            let ended = walk.round(&mut world).is_some();
            let reply = walk.answers.last().expect("an answer");
            assert_first_and_right(&request, reply);
            let packet = Packet::parse(reply).expect("a packet");
            assert_eq!(packet.all(Type::PROXY_STATE).collect::<Vec<_>>(), [b"one", b"two"]);
            codes.push(packet.code());
            if ended {
                break;
            }
        }
    }
    let status = status_server(1);
    assert_first_and_right(&status, &world.hand_in(1_645, &status)[0].octets);
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE] {
        assert!(codes.contains(&code), "{code:?}");
    }
}

#[test]
fn w10_a_repeat_while_the_work_waits_or_runs_is_dropped_and_not_done_twice() {
    let mut world = World::new();
    let mut walk =
        Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false).rounds(&mut world, 1);
    assert!(world.hand_in(1_646, &walk.request).is_empty());
    assert!(world.hand_in(1_646, &walk.request).is_empty(), "the work waits");
    let step = world.engine.poll_step().expect("work");
    assert!(world.hand_in(1_646, &walk.request).is_empty(), "the work runs");
    assert!(world.engine.poll_step().is_none());
    world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
    let sent = world.sent();
    assert_eq!((sent.len(), world.count(Outcome::Drop, Reason::Duplicate)), (1, 2));
    assert!(walk.take(&world, &sent[0].octets).is_none());
    assert!(walk.finish(&mut world).logged_in);
}

#[test]
fn w11_a_repeat_of_any_answered_request_gets_the_same_octets_and_changes_nothing() {
    let mut world = World::new();
    let mut walk = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 1), false);
    loop {
        let request = walk.request.clone();
        let ended = walk.round(&mut world);
        for _ in 0..2 {
            world.wait(Duration::from_secs(5));
            let again = world.exchange(1_646, &request);
            assert_eq!(again.len(), 1);
            assert_eq!(&*again[0].octets, walk.answers.last().expect("an answer").as_slice());
        }
        if let Some(report) = ended {
            assert!(report.logged_in, "{report:?}");
            break;
        }
    }
    assert_eq!((world.steps, world.engine.conversations()), (2, 0));
}

#[test]
fn w12_the_answer_goes_to_the_newest_request_only_when_the_nas_asks_anew_while_a_step_runs() {
    for same_identifier in [true, false] {
        let mut world = World::new();
        let mut hand = Hand::here();
        let start = hand.start(&mut world);
        // Any octets are work for TLS: these end in an alert.
        let hello = tls(start.next(), 0, None, &[22; 64]);
        let first = hand.request(&hello);
        assert!(world.hand_in_from(hand.peer, &first).is_empty());
        let step = world.engine.poll_step().expect("work");
        let second = if same_identifier { hand.again(&hello) } else { hand.request(&hello) };
        assert!(world.hand_in_from(hand.peer, &second).is_empty());
        assert!(world.engine.poll_step().is_none(), "the work isn't done twice");
        world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
        let sent = world.sent();
        assert_eq!(sent.len(), 1);
        assert_first_and_right(&second, &sent[0].octets);
        // The old one is forgotten; the new one's answer is kept.
        assert_eq!(world.exchange_from(hand.peer, &second)[0].octets, sent[0].octets);
        assert_eq!(world.count(Outcome::Drop, Reason::Duplicate), 2);
    }
}

#[test]
fn w13_one_request_a_hundred_times_a_second_is_one_conversation_and_ten_answers_a_second() {
    let mut world = World::new();
    let request = Hand::here().request(&identity(1, b"@jaist.ac.jp"));
    for _ in 0..30 {
        let mut answers = 0;
        for _ in 0..100 {
            answers += world.exchange(1_645, &request).len();
            world.wait(Duration::from_millis(10));
        }
        assert!((10..=11).contains(&answers), "{answers}");
    }
    assert_eq!((world.engine.conversations(), world.count(Outcome::Challenge, Reason::Ok)), (1, 1));
}

#[test]
fn w17_status_server_is_answered_before_any_step_that_waits() {
    let mut world = World::new();
    let mut hands: Vec<Hand> = (1..=200).map(|port| Hand::new(NAS, port)).collect();
    let started: Vec<u8> = hands.iter_mut().map(|hand| hand.start(&mut world).next()).collect();
    for (hand, identifier) in hands.iter_mut().zip(started) {
        let request = hand.request(&tls(identifier, 0, None, &[22; 64]));
        assert!(world.hand_in_from(hand.peer, &request).is_empty());
    }
    assert_eq!(world.engine.waiting_steps(), 200);
    let request = status_server(1);
    let sent = world.hand_in_from(SocketAddr::new(NAS, 9), &request);
    assert_eq!((sent.len(), world.engine.waiting_steps()), (1, 200));
    assert_eq!(Answer::new(&sent[0].octets).code, Code::ACCESS_ACCEPT);
    let event = world.events.last().expect("an event");
    assert_eq!((event.code, event.outcome), (Some(RequestCode::StatusServer), Outcome::Accept));
}
