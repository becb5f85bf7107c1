//! Where all is full: who has been asked for a code goes before those who have just come, and what finds no room is told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sekisho::engine::{Arrival, Checked, Found};
use sekisho::event::{Method, Outcome, Reason};
use sekisho::policy::OtpAfter;
use sekisho::radius::Code;
use sekisho::supplicant::{Next, Supplicant};

use super::gateway::{CODE, Gateway, TARO, accepted, answer, by_code, by_name, dropped, found, reply};
use crate::pki::pki;
use crate::world::{Options, World, asker, station, supplicant};

/// What the gateway has checked.
const PASSWORD: Option<&[u8]> = Some(b"his own password");

fn options() -> Options {
    Options { methods: vec![Method::EapTls, Method::Otp], ..by_code(OtpAfter::NasPassword) }
}

fn prompted(world: &mut World) -> Gateway {
    let mut gateway = Gateway::here();
    let sent = gateway.ask(world, TARO, PASSWORD);
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE, "{:?}", world.events.last());
    gateway
}

/// A station's login until so many of its requests have been handed in; nobody does the work.
fn begins(world: &mut World, who: &Supplicant, number: u32, requests: usize) {
    let [_, b, c, d] = number.to_be_bytes();
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, b, c, d)), 1_645);
    let mut login = who.login(asker(), station("JAIST", number), false, world.now.wall);
    let mut request = login.begin();
    for _ in 0..requests {
        let sent = world.hand_in_from(peer, &request);
        match sent.first().map(|answer| login.handle(&answer.octets, world.now.wall)) {
            Some(Next::Send(next)) => request = next,
            _ => return,
        }
    }
}

#[test]
fn e11_a_flood_of_first_rounds_ends_nobody_who_has_been_asked_for_a_code() {
    for nas_max_conversations in [0, 20] {
        let mut world = World::with(Options { max_conversations: 20, nas_max_conversations, ..options() });
        let mut gateway = prompted(&mut world);
        let who = supplicant(&pki().member_p256, None);
        for number in 0..200 {
            begins(&mut world, &who, number, 1);
        }
        assert_eq!(world.engine.conversations(), 20);
        assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty(), "{:?}", world.events.last());
        let sent = answer(&mut world, Found::Code(Checked::Right));
        assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT);
    }
}

#[test]
fn e11_nor_does_it_end_a_code_that_is_looked_at_and_used_up() {
    let mut world = World::with(Options { max_conversations: 20, ..options() });
    assert!(Gateway::here().ask(&mut world, TARO, Some(CODE)).is_empty());
    let who = supplicant(&pki().member_p256, None);
    for number in 0..200 {
        begins(&mut world, &who, number, 1);
    }
    let sent = answer(&mut world, Found::Code(Checked::Right));
    assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT);
}

#[test]
fn while_no_new_login_is_taken_who_has_been_asked_for_a_code_goes_on() {
    let mut world = World::with(Options { max_waiting: Duration::from_millis(1), ..options() });
    let mut gateway = prompted(&mut world);
    let who = supplicant(&pki().member_p256, None);
    for number in 0..10 {
        begins(&mut world, &who, number, 2);
    }
    let mut new = Gateway::here();
    new.peer.set_port(9);
    let request = new.request("hanako@jaist.ac.jp", PASSWORD);
    let sent = world.hand_in_from(new.peer, &request);
    dropped(&world, &sent, Reason::Overload);
    let request = gateway.request(TARO, Some(CODE));
    assert!(world.hand_in_from(gateway.peer, &request).is_empty());
    let sent = answer(&mut world, Found::Code(Checked::Right));
    assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT);
}

/// Asks by another name from another port, until nobody more is looked up.
fn occupy(world: &mut World) {
    let mut other = Gateway::here();
    other.peer.set_port(9);
    other.look(world, "hanako@jaist.ac.jp");
}

#[test]
fn a_name_that_there_is_no_room_to_look_up_is_asked_for_again() {
    let mut world = World::with(Options { max_asking: (1, 1), ..by_name() });
    occupy(&mut world);
    let first = world.looks[0].0;
    let mut gateway = Gateway::here();
    let request = gateway.request(TARO, Some(super::gateway::COMMON));
    let sent = world.exchange_from(gateway.peer, &request);
    dropped(&world, &sent, Reason::Overload);
    assert_eq!((world.looks.len(), world.engine.conversations()), (1, 1), "nothing is left of it");
    world.engine.handle(world.now, Arrival::Found(first, Found::Certificates(Vec::new())));
    world.sent();
    // The same octets: the NAS asks again.
    assert!(world.exchange_from(gateway.peer, &request).is_empty());
    assert_eq!(world.looks.len(), 2, "{:?}", world.events.last());
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    accepted(&world, &sent);
}

#[test]
fn a_code_that_there_is_no_room_to_look_at_is_given_again_and_was_no_guess() {
    for by_desk in [false, true] {
        let mut world = World::with(Options { max_asking: (1, 1), ..options() });
        let mut gateway = prompted(&mut world);
        let mut other = Gateway::here();
        other.peer.set_port(9);
        let request = gateway.request(TARO, Some(CODE));
        if by_desk {
            assert!(world.exchange_from(gateway.peer, &request).is_empty());
            let sent = answer(&mut world, Found::NoRoom);
            dropped(&world, &sent, Reason::Overload);
        } else {
            assert!(other.ask(&mut world, "hanako@jaist.ac.jp", Some(CODE)).is_empty());
            let sent = world.exchange_from(gateway.peer, &request);
            dropped(&world, &sent, Reason::Overload);
            answer(&mut world, Found::Code(Checked::Wrong));
        }
        let looked = world.looks.len();
        assert!(world.exchange_from(gateway.peer, &request).is_empty());
        assert_eq!(world.looks.len(), looked + 1, "{:?}", world.events.last());
        let sent = answer(&mut world, Found::Code(Checked::Right));
        accepted(&world, &sent);
        assert_eq!(world.count(Outcome::Drop, Reason::Overload), 1);
    }
}

#[test]
fn a_code_of_a_first_request_that_found_no_room_leaves_nothing() {
    let mut world = World::with(options());
    let request = Gateway::here().request(TARO, Some(CODE));
    let gateway = Gateway::here();
    for _ in 0..3 {
        assert!(world.exchange_from(gateway.peer, &request).is_empty());
        let sent = answer(&mut world, Found::NoRoom);
        dropped(&world, &sent, Reason::Overload);
        assert_eq!(world.engine.conversations(), 0);
    }
}
