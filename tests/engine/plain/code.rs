//! One-time passwords, in the first request or asked for.

use std::time::Duration;

use sekisho::engine::{Checked, Found, Lookup, Search};
use sekisho::event::{Method, Outcome, Reason};
use sekisho::policy::OtpAfter;
use sekisho::radius::{Code, Type};

use super::gateway::{
    CODE, COMMON, Gateway, TARO, accepted, answer, authentication, by_both, by_code, by_name, dropped, found,
    last_look, person_blocked, refused, reply,
};
use crate::pki::pki;
use crate::world::{NAS, OTHER_NAS, Options, World, station, supplicant};

fn world() -> World {
    World::with(by_code(OtpAfter::NasPassword))
}

fn checked(world: &mut World, checked: Checked) -> Vec<sekisho::exchange::Outgoing> {
    answer(world, Found::Code(checked))
}

/// Until the code is asked for.
fn prompted(world: &mut World) -> Gateway {
    let mut gateway = Gateway::here();
    let sent = gateway.ask(world, TARO, Some(b"a password that the gateway has checked"));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE, "{:?}", world.events.last());
    gateway
}

#[test]
fn a_right_code_in_the_first_request_lets_in() {
    let mut world = world();
    assert!(Gateway::here().ask(&mut world, "Taro@jaist.ac.jp", Some(CODE)).is_empty());
    let Lookup::Code(attempt) = last_look(&world) else { panic!("a code") };
    assert_eq!((&*attempt.user, attempt.code.expose(), &*attempt.nas), (TARO, CODE, "ap"));
    assert_eq!(attempt.station, b"203.0.113.9");
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
    assert_eq!(reply(&sent).text(Type::USER_NAME), Some(TARO));
    assert_eq!(reply(&sent).first(Type::CLASS), None, "there is no certificate to seal");
    let told = authentication(&world);
    assert_eq!((told.method, told.user.as_deref(), told.certificate.as_ref()), (Method::Otp, Some(TARO), None));
    assert_eq!(world.engine.sessions().len(), 1);
}

#[test]
fn a_code_is_asked_for_with_a_message_and_a_state() {
    let mut world = world();
    let mut gateway = Gateway::here();
    let sent = gateway.ask(&mut world, TARO, Some(b"hunter2"));
    let challenge = reply(&sent);
    let kinds: Vec<Type> = challenge.attributes().map(|attribute| attribute.kind).collect();
    assert_eq!(kinds, [Type::MESSAGE_AUTHENTICATOR, Type::STATE, Type::REPLY_MESSAGE]);
    assert!(challenge.text(Type::REPLY_MESSAGE).is_some_and(|text| text.contains("One-time password")));
    assert!(world.looks.is_empty());
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
    assert_eq!(authentication(&world).rounds, 2);
}

#[test]
fn what_is_no_code_is_no_guess() {
    for password in
        [None, Some(&b""[..]), Some(b"12345"), Some(b"123456789"), Some(b"12345x"), Some("１２３".as_bytes())]
    {
        let mut world = world();
        let sent = Gateway::here().ask(&mut world, TARO, password);
        assert_eq!((reply(&sent).code(), world.looks.len()), (Code::ACCESS_CHALLENGE, 0), "{password:?}");
    }
}

#[test]
fn a_code_that_is_not_right_lets_nobody_in_and_says_why() {
    for (found, reason) in [
        (Found::Code(Checked::Wrong), Reason::OtpWrong),
        (Found::Code(Checked::Throttled), Reason::OtpThrottled),
        (Found::Code(Checked::NotEnrolled), Reason::OtpWrong),
        (Found::Nothing, Reason::OtpWrong),
    ] {
        for asks_first in [false, true] {
            let mut world = world();
            let mut gateway = if asks_first { prompted(&mut world) } else { Gateway::here() };
            assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
            let sent = answer(&mut world, found.clone());
            refused(&world, &sent, reason);
            assert_eq!(authentication(&world).user.as_deref(), Some(TARO));
        }
    }
}

#[test]
fn an_empty_answer_is_wrong_and_not_looked_at() {
    for password in [None, Some(&b""[..])] {
        let mut world = world();
        let sent = prompted(&mut world).ask(&mut world, TARO, password);
        refused(&world, &sent, Reason::OtpWrong);
        assert!(world.looks.is_empty());
    }
}

#[test]
fn of_a_silent_registry_two_seconds_are_waited_for_and_a_late_right_lets_nobody_in() {
    let mut world = world();
    prompted(&mut world).ask(&mut world, TARO, Some(CODE));
    world.wait(Duration::from_secs(2));
    let sent = world.sent();
    refused(&world, &sent, Reason::OtpWrong);
    assert!(checked(&mut world, Checked::Right).is_empty());
    assert_eq!(world.engine.sessions().len(), 0);
}

#[test]
fn a_state_goes_on_with_its_own_conversation_at_its_own_nas_alone() {
    let mut world = world();
    let gateway = prompted(&mut world);
    let elsewhere = Gateway { peer: Gateway::at(OTHER_NAS).peer, ..gateway.clone() };
    let mut bent = gateway.clone();
    bent.peer.set_port(1_900);
    bent.state.as_mut().expect("a State")[20] ^= 1;
    for mut stranger in [elsewhere, bent] {
        let sent = stranger.ask(&mut world, TARO, Some(CODE));
        assert_eq!(reply(&sent).code(), Code::ACCESS_REJECT);
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
    }
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 1));
    // Of an EAP conversation.
    let mut hand = crate::hand::Hand::new(NAS, 2_000);
    hand.start(&mut world);
    let mut stranger = Gateway::here();
    stranger.peer.set_port(2_001);
    stranger.state = hand.state;
    let sent = stranger.ask(&mut world, TARO, Some(CODE));
    assert!(sent.is_empty() || reply(&sent).code() == Code::ACCESS_REJECT);
    assert!(world.looks.is_empty());
}

#[test]
fn silence_after_the_question_is_told_and_the_late_code_is_refused() {
    let mut world = world();
    let mut gateway = prompted(&mut world);
    world.wait(Duration::from_secs(60));
    world.sent();
    assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Drop, Reason::ConversationExpired)));
    assert_eq!(authentication(&world).user.as_deref(), Some(TARO));
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    refused(&world, &sent, Reason::ConversationExpired);
    assert!(world.looks.is_empty());
}

#[test]
fn the_answer_needs_a_message_authenticator_too() {
    let mut world = world();
    let mut gateway = Gateway::at(OTHER_NAS);
    gateway.ask(&mut world, TARO, Some(b"hunter2"));
    gateway.signs = false;
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    dropped(&world, &sent, Reason::MissingAuthenticator);
    assert!(world.looks.is_empty());
    // Nor does one without take the answer away.
    gateway.signs = true;
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let asked = world.looks.len();
    gateway.signs = false;
    gateway.ask(&mut world, TARO, Some(b"000000"));
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
    assert_eq!((asked, world.looks.len(), sent[0].octets[1]), (1, 1, 3), "the answer to the third request");
}

#[test]
fn what_is_in_force_when_the_code_comes_and_when_it_has_been_looked_at_decides() {
    type Change = fn(&mut Options);
    let changes: [(Change, Reason); 5] = [
        (|options| options.blocks = person_blocked(TARO), Reason::UserBlocked),
        (|options| options.methods = vec![Method::EapTls], Reason::MethodNotAllowed),
        (|options| options.otp = None, Reason::MethodNotAllowed),
        (|options| options.services = vec!["eduroam"], Reason::NoService),
        (|options| options.suspended = TARO, Reason::Policy),
    ];
    for (change, reason) in changes {
        let mut world = world();
        let mut gateway = prompted(&mut world);
        world.reload(change);
        let sent = gateway.ask(&mut world, TARO, Some(CODE));
        refused(&world, &sent, reason);
        assert!(world.looks.is_empty(), "no code is burnt for nothing");

        let mut world = self::world();
        prompted(&mut world).ask(&mut world, TARO, Some(CODE));
        world.reload(change);
        let sent = checked(&mut world, Checked::Right);
        refused(&world, &sent, reason);
    }
}

#[test]
fn a_blocked_person_is_asked_for_no_code() {
    let mut world = World::with(Options { blocks: person_blocked(TARO), ..by_code(OtpAfter::NasPassword) });
    let sent = Gateway::here().ask(&mut world, "TARO@jaist.ac.jp", Some(CODE));
    refused(&world, &sent, Reason::UserBlocked);
}

#[test]
fn after_a_certificate_a_good_one_comes_first_then_the_code() {
    for typed in [&b"hunter2"[..], CODE] {
        let mut world = World::with(by_code(OtpAfter::Certificate));
        let mut gateway = Gateway::here();
        assert!(gateway.ask(&mut world, TARO, Some(typed)).is_empty());
        let Lookup::Certificates(Search::Name(name)) = last_look(&world) else { panic!("certificates first") };
        assert_eq!(name, TARO);
        let found = found(&world, &[&pki().member_p256]);
        let sent = answer(&mut world, found);
        gateway.keep(&sent);
        if typed != CODE {
            assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
            assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
        }
        let Lookup::Code(attempt) = last_look(&world) else { panic!("then the code") };
        assert_eq!((&*attempt.user, world.looks.len()), (TARO, 2));
        let sent = checked(&mut world, Checked::Right);
        accepted(&world, &sent);
        assert!(authentication(&world).certificate.is_some());
        assert!(reply(&sent).first(Type::CLASS).is_some());
    }
    let mut world = World::with(by_code(OtpAfter::Certificate));
    Gateway::here().ask(&mut world, "revoked@jaist.ac.jp", Some(CODE));
    let found = found(&world, &[&pki().revoked]);
    let sent = answer(&mut world, found);
    refused(&world, &sent, Reason::Revoked);
}

#[test]
fn a_certificate_that_ends_or_is_revoked_while_the_user_types_lets_nobody_in() {
    let mut world = World::with(by_code(OtpAfter::Certificate));
    let mut gateway = Gateway::here();
    gateway.ask(&mut world, TARO, Some(b"hunter2"));
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    gateway.keep(&sent);
    world.publish(2, &[&pki().member_p256]);
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    refused(&world, &sent, Reason::Revoked);
    assert_eq!(world.looks.len(), 1);
}

#[test]
fn a_crl_that_ends_while_the_user_types_counts_without_a_reload() {
    let day = Duration::from_secs(24 * 3_600);
    let mut world = World::with(by_code(OtpAfter::Certificate));
    world.wait(day - Duration::from_secs(30));
    let mut gateway = Gateway::here();
    gateway.ask(&mut world, TARO, Some(b"hunter2"));
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    gateway.keep(&sent);
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE, "{:?}", world.events.last());
    world.wait(Duration::from_secs(40));
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    refused(&world, &sent, Reason::RevocationStale);
}

#[test]
fn a_rule_asks_for_a_code_on_top_of_authorisation_by_name_and_no_common_password_is_one() {
    let mut options = Options { otp_rule: true, ..by_name() };
    options.authorize.as_mut().expect("there").password =
        sekisho::policy::AuthorizePassword::Common(sekisho::secret::Secret::new(CODE));
    let mut world = World::with(options);
    let mut gateway = Gateway::here();
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let found = found(&world, &[&pki().member_p256]);
    let sent = answer(&mut world, found);
    gateway.keep(&sent);
    assert_eq!((reply(&sent).code(), world.looks.len()), (Code::ACCESS_CHALLENGE, 1));
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
    assert_eq!(authentication(&world).method, Method::Authorize);
}

#[test]
fn eap_tls_cannot_ask_for_a_code_and_refuses_where_a_rule_wants_one() {
    let mut world = World::with(Options { otp_rule: true, ..by_name() });
    let report = world.log_in(&supplicant(&pki().member_p256, None), &station("JAIST", 1), false);
    assert!(!report.accepted, "{report:?}");
    assert_eq!(world.decided(), (Outcome::Reject, Reason::Policy));
}

#[test]
fn where_both_ways_are_open_the_password_tells_them_apart() {
    let mut world = World::with(by_both(OtpAfter::NasPassword));
    let mut gateway = Gateway::here();
    assert!(gateway.ask(&mut world, TARO, Some(COMMON)).is_empty());
    assert!(matches!(last_look(&world), Lookup::Certificates(_)));
    assert!(gateway.ask(&mut world, TARO, Some(CODE)).is_empty());
    assert!(matches!(last_look(&world), Lookup::Code(_)));
    let sent = gateway.ask(&mut world, TARO, Some(b"hunter2"));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
}

#[test]
fn a_code_typed_where_only_authorisation_by_name_is_asked_is_no_code() {
    let mut world = World::with(by_name());
    let sent = Gateway::here().ask(&mut world, TARO, Some(CODE));
    refused(&world, &sent, Reason::PasswordWrong);
    assert!(world.looks.is_empty());
}

#[test]
fn repeats_of_a_code_get_the_same_octets_and_it_is_looked_at_once() {
    let mut world = world();
    let mut gateway = prompted(&mut world);
    let request = gateway.request(TARO, Some(CODE));
    for _ in 0..3 {
        assert!(world.exchange_from(gateway.peer, &request).is_empty());
    }
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
    assert_eq!(world.exchange_from(gateway.peer, &request)[0].octets, sent[0].octets);
    // In a new request: the same answer for the same code, and for no other.
    let again = gateway.clone().ask(&mut world, TARO, Some(CODE));
    assert_eq!(reply(&again).code(), Code::ACCESS_ACCEPT);
    gateway.peer.set_port(1_900);
    let other = gateway.ask(&mut world, TARO, Some(b"654321"));
    assert_eq!(reply(&other).code(), Code::ACCESS_REJECT);
    assert_eq!((world.looks.len(), world.engine.sessions().len()), (1, 1));
    // Nor is it told again by what is no longer in force.
    world.reload(|_| {});
    gateway.peer.set_port(1_901);
    let late = gateway.ask(&mut world, TARO, Some(CODE));
    assert_eq!(reply(&late).code(), Code::ACCESS_REJECT);
}

#[test]
fn many_users_behind_one_address_do_not_end_each_others_questions() {
    let mut world = world();
    let mut gateways: Vec<_> = (0..20)
        .map(|number| {
            let mut gateway = Gateway::here();
            gateway.peer.set_port(2_000 + number);
            gateway.ask(&mut world, &format!("user{number}@jaist.ac.jp"), Some(b"hunter2"));
            gateway
        })
        .collect();
    assert_eq!(world.engine.conversations(), 20);
    let first = gateways.first_mut().expect("twenty");
    assert!(first.ask(&mut world, "user0@jaist.ac.jp", Some(CODE)).is_empty());
    let sent = checked(&mut world, Checked::Right);
    assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT);
}
