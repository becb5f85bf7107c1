//! What an attacker tries who has seen logins, and what must not be left of one who floods.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::Code;
use sekisho::supplicant::{Next, Supplicant};

use crate::hand::{Hand, MORE, Walk, eap, eap_of, tls};
use crate::pki::pki;
use crate::world::{NAS, Options, World, asker, station, supplicant};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// How much the engine holds: what it shows of itself, numbers aside.
fn size(world: &World) -> usize {
    format!("{:?}", world.engine).bytes().filter(|octet| !octet.is_ascii_digit()).count()
}

fn forget(world: &mut World) {
    world.wait(Duration::from_secs(3_600));
    world.sent();
    world.events.clear();
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
        let [_, _, c, d] = number.to_be_bytes();
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, d)), 1_024 + u16::from(c));
        for answer in world.hand_in_from(peer, &login.begin()) {
            // Some go on for a round.
            if let Next::Send(next) = login.handle(&answer.octets, world.now.wall)
                && number % 100 == 0
            {
                world.exchange_from(peer, &next);
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

/// A ClientHello of 65,000 octets that never ends, in messages that each are as short as messages must be: TLS would keep all of it.
#[test]
fn e03_a_flight_in_many_messages_is_no_longer_than_one_may_be() {
    let mut world = World::new();
    let mut hand = Hand::here();
    let mut answer = hand.start(&mut world);
    let mut sent = 0;
    let mut hello = vec![1, 0, 0xfd, 0xe8];
    while answer.code == Code::ACCESS_CHALLENGE {
        assert!(sent <= 16 * 1_024, "{sent} octets were taken");
        hello.resize(3_000, 0);
        let record = [&[22, 3, 1, 0x0b, 0xb8], hello.as_slice()].concat();
        sent += record.len();
        answer = hand.ask(&mut world, &tls(answer.next(), 0, None, &record));
        hello.clear();
    }
    assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Reject, Reason::Malformed)));
    assert!(sent > 12 * 1_024, "and {sent} octets were not");
}

/// Whoever has seen a first request can send it again from other ports; its Message-Authenticator is right.
#[test]
fn e12_replays_of_first_requests_end_nobodys_login() {
    for version in VERSIONS {
        let mut world = World::new();
        let who = supplicant(&pki().member_p256, Some(version));
        let mut login = Walk::new(&world, &who, station("JAIST", 1), false);
        let first = login.request.clone();
        let mut port = 2_000;
        let report = loop {
            if let Some(report) = login.round(&mut world) {
                break report;
            }
            // Nobody can tell the first rounds apart.
            for _ in 0..if world.steps > 0 { 20 } else { 0 } {
                port += 1;
                world.exchange_from(SocketAddr::new(NAS, port), &first);
            }
            assert!(world.engine.conversations() <= 3);
        };
        assert!(report.logged_in, "{report:?}");
    }
}

/// A NAS whose Accept was lost asks again; meanwhile the certificate has been revoked.
#[test]
fn r01_an_accept_is_not_repeated_after_its_certificate_is_revoked() {
    let mut world = World::new();
    let who = supplicant(&pki().member_p256, None);
    let mut login = Walk::new(&world, &who, station("JAIST", 1), false);
    assert!(login.finish(&mut world).logged_in);
    let again = |world: &mut World| world.exchange_from(login.peer, &login.request)[0].octets.to_vec();
    assert_eq!(Some(&again(&mut world)), login.answers.last(), "a repeat gets the same octets");
    world.publish(2, &[&pki().revoked, &pki().member_p256]);
    assert_eq!(again(&mut world)[0], Code::ACCESS_REJECT.0);
    assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
}

/// The EAP responses of a login.
fn record(world: &mut World, who: &Supplicant, resume: bool) -> Vec<Vec<u8>> {
    let mut login = Walk::new(world, who, station("JAIST", 1), resume);
    let mut recorded = Vec::new();
    loop {
        recorded.push(eap_of(&login.request));
        if let Some(report) = login.round(world) {
            assert!(report.logged_in && report.resumed == resume, "{report:?}");
            return recorded;
        }
    }
}

/// Somebody has heard all of a login, tickets included, and has a NAS' help to say it again: all of it, or the hello and then nothing but acknowledgements.
#[test]
fn s01_a_recorded_login_said_again_lets_nobody_in() {
    let mut world = World::new();
    let mut port = 2_000;
    for version in VERSIONS {
        let who = supplicant(&pki().member_p256, Some(version));
        for (resume, silent_from) in [(false, 99), (false, 2), (true, 99), (true, 2), (true, 2)] {
            let recorded = record(&mut world, &who, resume);
            port += 1;
            let mut hand = Hand::new(NAS, port);
            let mut identifier = recorded[0][1];
            for round in 0.. {
                let response = recorded.get(round).filter(|_| round < silent_from);
                let answer = match response {
                    Some(response) => hand.ask(&mut world, &eap(2, identifier, &response[4..])),
                    None => hand.ask(&mut world, &tls(identifier, 0, None, &[])),
                };
                if answer.code != Code::ACCESS_CHALLENGE {
                    assert!(answer.is_failure(), "{version}, resume {resume}, round {round}");
                    break;
                }
                identifier = answer.next();
            }
            let decided = world.events.iter().rev().find_map(|event| event.authentication.as_ref());
            assert_eq!(decided.expect("a decision").user, None, "nobody's name for what nobody has proved");
            assert_eq!(world.engine.conversations(), 0);
        }
    }
}

/// Flag M for ever, each fragment long enough to count as progress.
#[test]
fn e03_fragments_without_end_hold_no_more_than_one_message() {
    let mut world = World::new();
    let mut hand = Hand::here();
    let mut answer = hand.start(&mut world);
    let mut sent = 0;
    while answer.code == Code::ACCESS_CHALLENGE {
        assert!(sent <= 16 * 1_024, "{sent} octets were taken");
        sent += 1_000;
        answer = hand.ask(&mut world, &tls(answer.next(), MORE, None, &[22; 1_000]));
    }
    assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Reject, Reason::Malformed)));
}

/// Between any two requests of a login its NAS loses the service.
#[test]
fn s06_a_login_is_decided_by_what_its_nas_may_ask_for_at_the_end() {
    for version in VERSIONS {
        let who = supplicant(&pki().member_p256, Some(version));
        let rounds = record(&mut World::new(), &who, false).len();
        assert!(rounds > 3);
        for round in 1..rounds {
            let mut world = World::new();
            let mut login = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, round);
            world.reload(|options| options.nas_services = Some(vec!["eduroam".into()]));
            assert!(!login.finish(&mut world).accepted);
            assert_eq!(world.decided(), (Outcome::Reject, Reason::NoService), "{version}, round {round}");
        }
    }
}
