//! Floods of names and codes: bounded by NAS, and in nobody else's way.

use std::ops::Range;
use std::time::Duration;

use sekisho::engine::{Checked, Found, Lookup};
use sekisho::event::TlsVersion;
use sekisho::policy::OtpAfter;
use sekisho::radius::Code;

use super::gateway::{CODE, COMMON, Gateway, TARO, by_both, found};
use crate::pki::pki;
use crate::world::{NAS, OTHER_NAS, Options, World, station, supplicant};

/// So many of one NAS may wait for the registry.
const WAITING: usize = 256;

fn world() -> World {
    World::with(by_both(OtpAfter::NasPassword))
}

/// So many requests of a NAS, each by another name, and no answer of the registry; half of them by name, half with codes.
fn flood(world: &mut World, numbers: Range<u16>) {
    for number in numbers {
        let mut gateway = Gateway::at(NAS);
        gateway.peer.set_port(2_000 + number);
        let password = if number % 2 == 0 { COMMON } else { CODE };
        let sent = gateway.ask(world, &format!("user{number}@jaist.ac.jp"), Some(password));
        // For want of room somebody may be refused, or not be answered.
        assert!(sent.iter().all(|sent| sent.octets[0] == Code::ACCESS_REJECT.0));
    }
}

#[test]
fn e11_a_registry_that_one_nas_keeps_busy_stops_no_login_by_certificate_and_no_other_nas() {
    let mut world = world();
    flood(&mut world, 0..2_000);
    assert_eq!(world.looks.len(), WAITING);
    assert!(world.engine.conversations() <= WAITING);
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let report = world.log_in(&supplicant(&pki().member_p256, Some(version)), &station("JAIST", 1), false);
        assert!(report.accepted, "{report:?}");
    }
    // At another NAS, by every road.
    for (port, password) in (1_900..).zip([COMMON, CODE]) {
        let mut gateway = Gateway::at(OTHER_NAS);
        gateway.peer.set_port(port);
        assert!(gateway.ask(&mut world, TARO, Some(password)).is_empty());
        let (ticket, lookup) = world.looks.last().expect("it is looked up").clone();
        let found = match lookup {
            Lookup::Certificates(_) => found(&world, &[&pki().member_p256]),
            Lookup::Code(_) => Found::Code(Checked::Right),
        };
        world.engine.handle(world.now, sekisho::engine::Arrival::Found(ticket, found));
        let sent = world.sent();
        assert_eq!(sent.iter().map(|sent| sent.octets[0]).collect::<Vec<_>>(), [Code::ACCESS_ACCEPT.0]);
    }
    assert_eq!(world.looks.len(), WAITING + 2);
    // Nobody answers: nothing is left, and there is room again.
    world.wait(Duration::from_secs(2));
    world.sent();
    assert_eq!(world.engine.conversations(), 0);
    flood(&mut world, 3_000..3_010);
    assert_eq!(world.looks.len(), WAITING + 2 + 10);
}

/// All that a NAS can leave waiting, for as long as it can.
#[test]
fn e11_questions_that_nobody_answers_make_room_for_others_and_end() {
    let mut world = World::with(Options { max_conversations: 100, ..by_both(OtpAfter::NasPassword) });
    for number in 0..2_000 {
        let mut gateway = Gateway::here();
        gateway.peer.set_port(2_000 + number);
        gateway.ask(&mut world, &format!("user{number}@jaist.ac.jp"), Some(b"hunter2"));
        assert!(world.engine.conversations() <= 100);
    }
    let report = world.log_in(&supplicant(&pki().member_p256, None), &station("JAIST", 1), false);
    assert!(report.accepted, "{report:?}");
    world.wait(Duration::from_secs(600));
    world.sent();
    assert_eq!((world.engine.conversations(), world.looks.len()), (0, 0));
}

/// The same name at the same address: at most so many questions as one user may have open (E12).
#[test]
fn e12_one_user_at_one_address_has_three_questions_open_at_most_and_ends_nobody_elses() {
    let mut world = world();
    let mut hanako = Gateway::here();
    hanako.ask(&mut world, "hanako@jaist.ac.jp", Some(b"hunter2"));
    let mut last = Vec::new();
    for number in 0..1_000 {
        let mut gateway = Gateway::here();
        gateway.peer.set_port(2_000 + number);
        gateway.ask(&mut world, TARO, Some(b"hunter2"));
        assert!(world.engine.conversations() <= 1 + 3);
        last.push(gateway);
    }
    for mut gateway in [hanako].into_iter().chain(last.split_off(997)) {
        let name = if gateway.peer.port() < 2_000 { "hanako@jaist.ac.jp" } else { TARO };
        let before = world.looks.len();
        assert!(gateway.ask(&mut world, name, Some(CODE)).is_empty(), "the newest go on");
        assert_eq!(world.looks.len(), before + 1);
    }
}
