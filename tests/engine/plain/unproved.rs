//! Who has not proved to hold the secret learns nothing and moves nothing, and whoever holds the secret of the Wi-Fi has nothing by it at the VPN.

use std::net::IpAddr;

use sekisho::engine::{Checked, Found};
use sekisho::event::{Method, Outcome, Reason};
use sekisho::policy::{AuthorizePassword, OtpAfter};
use sekisho::radius::{Code, Packet, Type};

use super::gateway::{
    CODE, COMMON, Gateway, SERVICE_TYPE, TARO, accepted, answer, by_both, by_code, by_name, dropped, reply,
};
use crate::world::{OTHER_NAS, Options, World};

/// From one that sends no Message-Authenticator to a NAS of which none is required; what it is about can't be told from outside, by no password.
#[test]
fn w06_unsigned_requests_tell_no_right_password_from_a_wrong_one() {
    let with = |password| {
        let mut options = by_name();
        options.authorize.as_mut().expect("there").password = password;
        options
    };
    let all = [
        by_name(),
        with(AuthorizePassword::Username),
        with(AuthorizePassword::None),
        by_code(OtpAfter::NasPassword),
        by_code(OtpAfter::Certificate),
        by_both(OtpAfter::NasPassword),
    ];
    for options in all {
        for (name, password) in [
            (TARO, Some(COMMON)),
            (TARO, Some(b"a wrong one")),
            (TARO, Some(TARO.as_bytes())),
            (TARO, Some(b"")),
            (TARO, Some(CODE)),
            (TARO, None),
            ("", Some(COMMON)),
            ("nobody@example.org", Some(COMMON)),
        ] {
            let mut world = World::with(options.clone());
            let mut gateway = Gateway::at(OTHER_NAS);
            gateway.signs = false;
            let sent = gateway.ask(&mut world, name, password);
            dropped(&world, &sent, Reason::MissingAuthenticator);
            assert_eq!((world.looks.len(), world.engine.conversations()), (0, 0));
            assert!(world.events.iter().all(|event| event.authentication.is_none()), "a decision in the history");
        }
    }
}

/// What is required of a NAS that asks for codes and nothing else, its settings say, and its answers are signed all the same.
#[test]
fn a_nas_that_asks_for_codes_alone_signs_where_its_settings_say_so() {
    let codes = || World::with(Options { methods: vec![Method::Otp], ..by_code(OtpAfter::NasPassword) });
    let mut world = codes();
    let mut gateway = Gateway::at(OTHER_NAS);
    gateway.signs = false;
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let sent = answer(&mut world, Found::Code(Checked::Right));
    accepted(&world, &sent);
    assert_eq!(reply(&sent).attributes().next().map(|it| it.kind), Some(Type::MESSAGE_AUTHENTICATOR));

    let sent = gateway.ask(&mut world, TARO, Some(b"hunter2"));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let sent = answer(&mut world, Found::Code(Checked::Wrong));
    assert_eq!((reply(&sent).code(), world.decided().1), (Code::ACCESS_REJECT, Reason::OtpWrong));

    let mut world = codes();
    let mut gateway = Gateway::here();
    gateway.signs = false;
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    dropped(&world, &sent, Reason::MissingAuthenticator);
}

#[test]
fn w04_a_wrong_message_authenticator_moves_nothing_and_takes_no_answer_away() {
    let mut world = World::with(by_code(OtpAfter::NasPassword));
    let mut gateway = Gateway::here();
    for password in [&b"hunter2"[..], CODE] {
        let request = gateway.request(TARO, Some(password));
        let packet = Packet::parse(&request).expect("a packet");
        assert_eq!(packet.attributes().next().map(|it| it.kind), Some(Type::MESSAGE_AUTHENTICATOR));
        // The signature, the name, the hidden password, the State: whatever is changed on the way.
        let (looks, conversations) = (world.looks.len(), world.engine.conversations());
        for at in (20..request.len()).filter(|at| *at != 20 && *at != 21) {
            let mut bent = request.clone();
            bent[at] ^= 1;
            assert!(world.exchange_from(gateway.peer, &bent).is_empty(), "{at}");
            assert_eq!((world.looks.len(), world.engine.conversations()), (looks, conversations), "{at}");
        }
        let sent = world.exchange_from(gateway.peer, &request);
        gateway.keep(&sent);
    }
    let sent = answer(&mut world, Found::Code(Checked::Right));
    accepted(&world, &sent);
}

/// Its secret is the same here: what counts is what the NAS at that address may.
#[test]
fn the_secret_of_a_nas_that_may_only_eap_opens_no_other_way() {
    let strangers: [IpAddr; 2] = ["192.0.2.77".parse().expect("an address"), OTHER_NAS];
    for address in strangers {
        let options = Options { methods: vec![Method::EapTls], ..by_both(OtpAfter::NasPassword) };
        for password in [Some(COMMON), Some(CODE), Some(b""), None] {
            for service_type in [None, Some(1), Some(5), Some(8), Some(10), Some(17)] {
                let mut world = World::with(options.clone());
                let mut gateway = Gateway::at(address);
                if let Some(kind) = service_type {
                    gateway = gateway.with(SERVICE_TYPE, &u32::to_be_bytes(kind));
                }
                let sent = gateway.ask(&mut world, TARO, password);
                assert_eq!(reply(&sent).code(), Code::ACCESS_REJECT);
                assert_eq!(world.decided(), (Outcome::Reject, Reason::MethodNotAllowed));
                assert!(world.looks.is_empty());
            }
        }
    }
}

/// A stranger's address is no NAS, whatever it has signed with.
#[test]
fn nobody_of_no_nas_is_answered() {
    let mut world = World::with(by_both(OtpAfter::NasPassword));
    let mut gateway = Gateway::at("203.0.113.200".parse().expect("an address"));
    for password in [Some(COMMON), Some(CODE), None] {
        let sent = gateway.ask(&mut world, TARO, password);
        dropped(&world, &sent, Reason::UnknownNas);
    }
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 0));
}
