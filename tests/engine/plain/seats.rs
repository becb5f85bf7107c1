//! Sessions of the roads without EAP: nobody takes another's seat, by whose block he would then go or stay.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sekisho::engine::{Arrival, Checked, Found};
use sekisho::event::Listener;
use sekisho::exchange::Hop;
use sekisho::policy::OtpAfter;
use sekisho::radius::{Attributes, Code, Type, Writer};
use sekisho::sessions::{Session, Stage, State};

use super::gateway::{
    CODE, Gateway, TARO, answer, by_code, by_name, certificate_blocked, facts, found, person_blocked, reply,
};
use crate::hand::key;
use crate::pki::pki;
use crate::world::{NAS, OTHER_NAS, World};

const HANAKO: &str = "hanako@jaist.ac.jp";
const STATION: &str = "203.0.113.9";
const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;
const ON: u32 = 7;
const OFF: u32 = 8;

/// One Accounting-Request, written down at once.
fn account(world: &mut World, nas: IpAddr, status: u32, session: &str, attributes: &[(Type, &[u8])]) {
    let mut all = Attributes::default();
    all.push_integer(Type::ACCT_STATUS_TYPE, status);
    all.push(Type::ACCT_SESSION_ID, session.as_bytes()).expect("short");
    for (kind, value) in attributes {
        all.push(*kind, value).expect("short");
    }
    let mut octets = Vec::new();
    let number = u8::try_from(world.changes.len() % 256).expect("an octet");
    let mut writer = Writer::without_message_authenticator(&mut octets, Code::ACCOUNTING_REQUEST, number);
    writer.extend(&all);
    writer.finish(&key(), &[0; 16]).expect("short");
    let hop = Hop { listener: Listener::Accounting, socket: 1, local: None, peer: SocketAddr::new(nas, 1_813) };
    world.engine.handle(world.now, Arrival::Datagram { hop, octets: &octets });
    world.sent();
    let (ticket, _) = world.records.remove(0);
    world.engine.handle(world.now, Arrival::Written(ticket, true));
    assert_eq!(world.sent().len(), 1);
}

fn said<'a>(name: &'a str, station: &'a str) -> [(Type, &'a [u8]); 2] {
    [(Type::USER_NAME, name.as_bytes()), (Type::CALLING_STATION_ID, station.as_bytes())]
}

/// Lets one in by a code.
fn let_in(world: &mut World, name: &str, port: u16) {
    let mut gateway = Gateway::here();
    gateway.peer.set_port(port);
    assert!(gateway.ask(world, name, Some(CODE)).is_empty());
    let sent = answer(world, Found::Code(Checked::Right));
    assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT);
}

fn of<'a>(world: &'a World, acct_session: &str) -> &'a Session {
    let mut sessions = world.engine.sessions().iter();
    sessions.find(|it| it.acct_session.as_deref() == Some(acct_session)).expect("a session of this name")
}

/// The names of those that have to go when this person is blocked.
fn goes(world: &mut World, name: &str) -> Vec<String> {
    world.reload(|options| options.blocks = person_blocked(name));
    world.wait(Duration::ZERO);
    world.sent();
    let gone = world.engine.sessions().iter().filter(|it| it.state != State::Good);
    let mut gone: Vec<_> = gone.map(|it| it.acct_session.as_deref().unwrap_or("-").to_owned()).collect();
    gone.sort();
    gone
}

/// She has typed her code and never gets so far as a tunnel; he comes from the same address without asking us, by a certificate that his concentrator checks, say.
#[test]
fn who_is_accounted_for_by_his_own_name_takes_no_seat_of_somebody_who_waits_at_his_address() {
    for status in [START, INTERIM] {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let_in(&mut world, HANAKO, 1_900);
        account(&mut world, NAS, status, "his", &said("mallory@jaist.ac.jp", STATION));
        assert_ne!(of(&world, "his").user.as_deref(), Some(HANAKO));
        // Then she comes after all.
        account(&mut world, NAS, START, "hers", &said(HANAKO, STATION));
        assert_eq!(of(&world, "hers").user.as_deref(), Some(HANAKO));
        assert_eq!(world.engine.sessions().len(), 2);
        assert_eq!(goes(&mut world, "mallory@jaist.ac.jp"), ["his"]);
        assert_eq!(goes(&mut world, HANAKO), ["hers"]);
    }
}

#[test]
fn whoever_is_accounted_for_first_each_has_his_own_seat() {
    for order in [[TARO, HANAKO], [HANAKO, TARO]] {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let_in(&mut world, TARO, 1_900);
        let_in(&mut world, HANAKO, 1_901);
        for name in order {
            // A second name of a session that there is, as of another address family, says nothing of others'.
            account(&mut world, NAS, START, name, &said(name, STATION));
            account(&mut world, NAS, START, &format!("{name} again"), &said(name, STATION));
        }
        for name in order {
            assert_eq!(of(&world, name).user.as_deref(), Some(name));
        }
        assert_eq!(goes(&mut world, TARO), [TARO.to_owned(), format!("{TARO} again")]);
        assert_eq!(goes(&mut world, HANAKO), [HANAKO.to_owned(), format!("{HANAKO} again")]);
    }
}

/// A concentrator that takes the realm off means the same user; one that names nobody means who is there.
#[test]
fn a_seat_is_found_by_what_is_left_of_a_name() {
    for accounted in [Some("hanako"), Some("HANAKO@jaist.ac.jp"), None] {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let_in(&mut world, HANAKO, 1_900);
        match accounted {
            Some(name) => account(&mut world, NAS, START, "hers", &said(name, STATION)),
            None => account(&mut world, NAS, START, "hers", &[(Type::CALLING_STATION_ID, STATION.as_bytes())]),
        }
        assert_eq!(of(&world, "hers").user.as_deref(), Some(HANAKO), "{accounted:?}");
        assert_eq!((of(&world, "hers").stage, world.engine.sessions().len()), (Stage::Started, 1));
    }
    for (accounted, sessions) in [("hanako@example.org", 2), ("hana", 2), ("jaist.ac.jp", 2), ("", 1)] {
        let mut world = World::with(by_code(OtpAfter::NasPassword));
        let_in(&mut world, HANAKO, 1_900);
        account(&mut world, NAS, START, "his", &said(accounted, STATION));
        assert_eq!(world.engine.sessions().len(), sessions, "{accounted}");
    }
}

#[test]
fn a_class_is_worth_nothing_at_another_nas_or_station() {
    let mut world = World::with(by_name());
    Gateway::here().look(&mut world, TARO);
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    let class = reply(&sent).first(Type::CLASS).expect("Class").to_vec();
    let fingerprint = facts(&world, &pki().member_p256).fingerprint;
    let with = |station: &'static str| [(Type::CALLING_STATION_ID, station.as_bytes()), (Type::CLASS, &class[..])];
    account(&mut world, OTHER_NAS, START, "forged there", &with(STATION));
    account(&mut world, NAS, START, "forged here", &with("198.51.100.66"));
    for name in ["forged there", "forged here"] {
        let session = of(&world, name);
        assert_eq!((session.fingerprint(), session.user.as_deref()), (None, None), "{name}");
    }
    account(&mut world, NAS, START, "his", &with(STATION));
    assert_eq!(of(&world, "his").fingerprint(), Some(&fingerprint));
    // He goes, and they stay: they were never his.
    let blocks = certificate_blocked(&facts(&world, &pki().member_p256));
    world.reload(|options| options.blocks = blocks);
    world.wait(Duration::ZERO);
    world.sent();
    let gone: Vec<_> = world.engine.sessions().iter().filter(|it| it.state != State::Good).collect();
    assert_eq!(gone.iter().map(|it| it.acct_session.as_deref()).collect::<Vec<_>>(), [Some("his")]);
}

/// With the secret of another one: nothing that it says of sessions is about those here.
#[test]
fn another_nas_ends_and_renames_no_session() {
    let mut world = World::with(by_code(OtpAfter::NasPassword));
    let_in(&mut world, HANAKO, 1_900);
    account(&mut world, NAS, START, "hers", &said(HANAKO, STATION));
    world.wait(Duration::from_secs(60));
    for status in [STOP, INTERIM, START, ON, OFF] {
        account(&mut world, OTHER_NAS, status, "hers", &said("nobody@jaist.ac.jp", STATION));
        world.wait(Duration::from_secs(1));
    }
    let hers: Vec<_> = world.engine.sessions().iter().filter(|it| it.user.as_deref() == Some(HANAKO)).collect();
    assert_eq!(hers.len(), 1);
    assert_eq!((hers[0].acct_session.as_deref(), hers[0].user_name.as_deref()), (Some("hers"), Some(HANAKO)));
    assert_eq!(hers[0].peer(), NAS);
    assert_eq!(goes(&mut world, HANAKO), ["hers"]);
}

/// An Interim-Update of a session that was hers says another name: she is still who was let in.
#[test]
fn a_session_keeps_its_user_whatever_its_nas_calls_it_later() {
    let mut world = World::with(by_code(OtpAfter::NasPassword));
    let_in(&mut world, HANAKO, 1_900);
    account(&mut world, NAS, START, "hers", &said(HANAKO, STATION));
    account(&mut world, NAS, INTERIM, "hers", &said("somebody else", STATION));
    assert_eq!(goes(&mut world, "somebody else"), Vec::<String>::new());
    assert_eq!(goes(&mut world, HANAKO), ["hers"]);
}
