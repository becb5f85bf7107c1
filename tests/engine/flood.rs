//! Floods: nothing is left of them, and they end nobody's login.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sekisho::event::{Outcome, Reason};
use sekisho::radius::Code;
use sekisho::supplicant::Next;

use crate::pki::pki;
use crate::raw::Raw;
use crate::world::{Options, World, asker, station, supplicant};

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
    let mut nas = Raw::new(2_000);
    nas.say(&mut world, &[1, b'@', b'j', b'p']).expect("an answer");
    let mut sent = 0;
    let mut hello = vec![1, 0, 0xfd, 0xe8];
    for _ in 0..30 {
        hello.resize(3_000, 0);
        let record = [&[22, 3, 1, 0x0b, 0xb8], hello.as_slice()].concat();
        sent += record.len();
        let code = nas.say(&mut world, &[&[13, 0], record.as_slice()].concat()).expect("an answer");
        if code == Code::ACCESS_REJECT {
            assert!(sent <= 16 * 1_024 + record.len(), "{sent} octets were taken");
            break;
        }
        hello.clear();
    }
    assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Reject, Reason::Malformed)));
}
