//! Floods: nothing is left of them, and they end nobody's login.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sekisho::event::{Outcome, Reason};
use sekisho::radius::Code;
use sekisho::supplicant::Next;

use crate::hand::{Hand, MORE, Walk, identity, tls};
use crate::pki::pki;
use crate::world::{NAS, OTHER_NAS, Options, World, asker, station, supplicant};

/// How much the engine holds: what it shows of itself, numbers aside.
fn size(world: &World) -> usize {
    format!("{:?}", world.engine).bytes().filter(|octet| !octet.is_ascii_digit() && *octet != b'.').count()
}

fn forget(world: &mut World) {
    world.wait(Duration::from_secs(3_600));
    // Who was let in is online for as long as the service says.
    world.wait(Duration::from_secs(9 * 3_600));
    world.sent();
    world.events.clear();
    world.changes.clear();
}

#[test]
fn nothing_is_left_of_thirty_thousand_half_open_logins() {
    let mut world = World::with(Options { max_conversations: 2_000, ..Options::default() });
    let who = supplicant(&pki().member_p256, None);
    let stranger = supplicant(&pki().stranger, None);
    // Caches of verified chains and of sessions are bounded otherwise, and filled once.
    assert!(world.log_in(&who, &station("JAIST", 1), false).logged_in);
    forget(&mut world);
    let empty = size(&world);
    for number in 0..30_000_u32 {
        let station = station(if number % 5 == 0 { "nowhere" } else { "JAIST" }, number % 7_000);
        let mut login = who.login(asker(), station.clone(), false, world.now.wall);
        let request = login.begin();
        let [_, _, c, d] = number.to_be_bytes();
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, d)), 1_024 + u16::from(c));
        for answer in world.hand_in_from(peer, &request) {
            // Some go on for a round.
            if let Next::Send(next) = login.handle(&answer.octets, world.now.wall)
                && number % 100 == 0
            {
                world.hand_in_from(peer, &next);
                while world.step().is_some() {}
            }
        }
        assert!(world.engine.conversations() <= 2_000);
        if number % 1_000 == 0 {
            world.events.clear();
            world.log_in(&stranger, &station, false);
            world.wait(Duration::from_secs(number.into()) / 20_000);
        }
    }
    forget(&mut world);
    assert_eq!((world.engine.conversations(), world.engine.poll_timeout()), (0, None));
    assert_eq!(size(&world), empty);
}

/// Whoever has seen a first request can send it again from other ports; its Message-Authenticator is right.
#[test]
fn e12_replays_of_first_requests_end_nobodys_login() {
    let mut world = World::new();
    let who = supplicant(&pki().member_p256, None);
    let mut login = who.login(asker(), station("JAIST", 1), false, world.now.wall);
    let first = login.begin();
    let mut request = first.clone();
    let mut port = 2_000;
    loop {
        let answers = world.exchange(1_645, &request);
        let [answer] = answers.as_slice() else { panic!("{} answers: {:?}", answers.len(), world.events.last()) };
        match login.handle(&answer.octets, world.now.wall) {
            Next::Send(next) => request = next,
            Next::Done(report) => break assert!(report.logged_in, "{report:?}"),
            Next::Ignored => panic!("an answer that isn't ours"),
        }
        // The first round is anybody's.
        if request != first && world.steps > 0 {
            for _ in 0..20 {
                port += 1;
                world.exchange(port, &first);
            }
            assert!(world.engine.conversations() <= 3);
        }
    }
}

/// A NAS whose Accept was lost asks again; meanwhile the certificate has been revoked.
#[test]
fn r01_an_accept_is_not_repeated_after_its_certificate_is_revoked() {
    let mut world = World::new();
    let who = supplicant(&pki().member_p256, None);
    let mut login = who.login(asker(), station("JAIST", 1), false, world.now.wall);
    let mut request = login.begin();
    let accepted = loop {
        let answers = world.exchange(1_645, &request);
        match login.handle(&answers[0].octets, world.now.wall) {
            Next::Send(next) => request = next,
            _ => break answers[0].octets.clone(),
        }
    };
    assert_eq!(accepted.first(), Some(&2));
    assert_eq!(world.exchange(1_645, &request)[0].octets, accepted, "a repeat gets the same octets");
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    let again = world.exchange(1_645, &request);
    assert_eq!(again[0].octets.first(), Some(&3), "an Access-Reject");
    assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
}

/// A ClientHello of 65,000 octets that never ends, in messages that each are as short as messages must be.
#[test]
fn e03_a_flight_in_many_messages_is_no_longer_than_one_may_be() {
    let mut world = World::new();
    let mut hand = Hand::here();
    let mut answer = hand.start(&mut world);
    let mut sent = 0;
    let mut hello = vec![1, 0, 0xfd, 0xe8];
    for _ in 0..30 {
        hello.resize(3_000, 0);
        let record = [&[22, 3, 1, 0x0b, 0xb8], hello.as_slice()].concat();
        sent += record.len();
        answer = hand.ask(&mut world, &tls(answer.next(), 0, None, &record));
        if answer.code == Code::ACCESS_REJECT {
            assert!(sent <= 16 * 1_024 + record.len(), "{sent} octets were taken");
            break;
        }
        hello.clear();
    }
    assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Reject, Reason::Malformed)));
}

#[test]
fn e11_a_flood_of_identities_keeps_nobody_out_and_ends_nothing_that_has_begun() {
    let limit = 500;
    let mut world = World::with(Options { max_conversations: limit, ..Options::default() });
    let who = supplicant(&pki().member_p256, None);
    let mut begun = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    let mut number = 0;
    let mut flood = |world: &mut World, identities: u16| {
        for _ in 0..identities {
            number += 1;
            let mut hand = Hand::new(NAS, 2_000 + number).of_station(&format!("half-open {number}"));
            assert_eq!(hand.ask(world, &identity(1, b"@jaist.ac.jp")).code, Code::ACCESS_CHALLENGE);
            assert!(world.engine.conversations() <= limit);
        }
    };
    flood(&mut world, 1_000);
    assert_eq!(world.engine.conversations(), limit);
    let mut fresh = Walk::new(&world, &who, station("JAIST", 2), false);
    fresh.peer.set_port(1_700);
    let report = loop {
        if let Some(report) = fresh.round(&mut world) {
            break report;
        }
        flood(&mut world, 100);
    };
    assert!(report.logged_in, "a good client still gets in: {report:?}");
    flood(&mut world, 1_000);
    assert!(begun.finish(&mut world).logged_in, "what has begun goes on");
    world.wait(Duration::from_secs(60));
    assert_eq!(world.engine.conversations(), 0, "recovery");
}

#[test]
fn e11_a_flood_of_first_fragments_that_costs_no_step_keeps_nobody_out_either() {
    let limit = 500;
    let mut world = World::with(Options { max_conversations: limit, ..Options::default() });
    let mut number = 0;
    let mut flood = |world: &mut World, clients: u16| {
        for _ in 0..clients {
            number += 1;
            let mut hand = Hand::new(NAS, 2_000 + number).of_station(&format!("half-open {number}"));
            let start = hand.start(world);
            assert_eq!(hand.ask(world, &tls(start.next(), MORE, None, &[22; 20])).code, Code::ACCESS_CHALLENGE);
        }
    };
    flood(&mut world, 1_000);
    assert_eq!((world.engine.conversations(), world.steps), (limit, 0));
    let mut fresh = Walk::new(&world, &supplicant(&pki().member_p256, None), station("JAIST", 2), false);
    let report = loop {
        if let Some(report) = fresh.round(&mut world) {
            break report;
        }
        flood(&mut world, 50);
        world.wait(Duration::from_millis(20));
    };
    assert!(report.logged_in, "{report:?}");
}

#[test]
fn e11_a_nas_with_a_cap_of_its_own_stays_below_it_at_its_own_cost_alone() {
    let mut world = World::with(Options { nas_max_conversations: 10, ..Options::default() });
    let who = supplicant(&pki().member_p256, None);
    let mut begun = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    let mut elsewhere = Hand::new(OTHER_NAS, 1_645);
    let start = elsewhere.start(&mut world);
    for number in 0..20 {
        assert!(!Hand::new(NAS, 2_000 + number).send(&mut world, &identity(1, b"@jaist.ac.jp")).is_empty());
    }
    assert_eq!(world.engine.conversations(), 10 + 1);
    assert!(begun.finish(&mut world).logged_in, "what has begun is not ended by identities");
    assert_eq!(elsewhere.ask(&mut world, &tls(start.next(), 0, None, &[22; 20])).code, Code::ACCESS_CHALLENGE);
}

#[test]
fn e12_of_a_thousand_conversations_of_one_station_the_newest_three_live() {
    let mut world = World::with(Options { max_conversations: 10_000, ..Options::default() });
    let mut hands = Vec::new();
    for number in 0..1_000_u16 {
        // One station, however its address is written.
        let mac = if number % 2 == 0 { "02-00-00-AA-BB-CC" } else { "02:00:00:aa:bb:cc" };
        let mut hand = Hand::new(NAS, 2_000 + number).of_station(mac);
        let start = hand.start(&mut world);
        assert!(world.engine.conversations() <= 3);
        hands.push((hand, start.next()));
    }
    let mut elsewhere = Hand::new(OTHER_NAS, 1_645).of_station("02-00-00-AA-BB-CC");
    elsewhere.start(&mut world);
    assert_eq!(world.engine.conversations(), 4, "another NAS' station is another");
    let (dead, live) = hands.split_at_mut(997);
    for (hand, identifier) in dead {
        assert!(hand.ask(&mut world, &tls(*identifier, 0, None, &[22; 20])).is_failure());
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
    }
    for (hand, identifier) in live {
        assert_eq!(hand.ask(&mut world, &tls(*identifier, 0, None, &[22; 20])).code, Code::ACCESS_CHALLENGE);
    }
}
