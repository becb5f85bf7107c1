//! A State goes on with its own conversation alone: for whom it was made, at whose NAS, while it lasts.

use sekisho::engine::{Checked, Found};
use sekisho::event::{Outcome, Reason};
use sekisho::exchange::Outgoing;
use sekisho::policy::OtpAfter;
use sekisho::radius::{Code, Type};

use super::gateway::{CODE, Gateway, TARO, accepted, answer, by_code, dropped, refused, reply};
use crate::chance::Chance;
use crate::hand::{Hand, identity, tls};
use crate::world::{NAS, World};

const HANAKO: &str = "hanako@jaist.ac.jp";

fn world() -> World {
    World::with(by_code(OtpAfter::NasPassword))
}

fn checked(world: &mut World, checked: Checked) -> Vec<Outgoing> {
    answer(world, Found::Code(checked))
}

/// Until this user is asked for the code.
fn prompted(world: &mut World, name: &str, port: u16) -> Gateway {
    let mut gateway = Gateway::here();
    gateway.peer.set_port(port);
    let sent = gateway.ask(world, name, Some(b"hunter2"));
    assert_eq!(reply(&sent).code(), Code::ACCESS_CHALLENGE);
    gateway
}

/// The same State from another port, so that no packet repeats another.
fn elsewhere(gateway: &Gateway, port: u16) -> Gateway {
    let mut gateway = gateway.clone();
    gateway.peer.set_port(port);
    gateway
}

#[test]
fn another_user_answers_no_question_that_was_put_to_this_one() {
    let mut world = world();
    let mut taro = prompted(&mut world, TARO, 1_900);
    for (port, name) in (1_901..).zip([HANAKO, "", "taro@jaist.ac.jp ", "taro@jaist.ac.jp\0", "taro"]) {
        let sent = elsewhere(&taro, port).ask(&mut world, name, Some(CODE));
        dropped(&world, &sent, Reason::BadIdentity);
    }
    let mut nobody = elsewhere(&taro, 1_990);
    let request = nobody.request_of(b"taro@jaist.ac.jp\xff", Some(CODE));
    let sent = world.exchange_from(nobody.peer, &request);
    dropped(&world, &sent, Reason::BadIdentity);
    // It is his still, in whatever case his NAS writes him now.
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 1));
    assert!(taro.ask(&mut world, "TARO@jaist.ac.jp", Some(CODE)).is_empty());
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
}

#[test]
fn another_user_takes_neither_an_answer_that_is_on_its_way_nor_one_that_was_given() {
    let mut world = world();
    let mut taro = prompted(&mut world, TARO, 1_900);
    assert!(taro.ask(&mut world, TARO, Some(CODE)).is_empty());
    let mut hanako = elsewhere(&taro, 1_901);
    let sent = hanako.ask(&mut world, HANAKO, Some(CODE));
    dropped(&world, &sent, Reason::BadIdentity);
    let sent = checked(&mut world, Checked::Right);
    assert_eq!((sent.len(), sent[0].hop.peer.port()), (1, 1_900), "to whom it was due");
    accepted(&world, &sent);
    let sent = hanako.ask(&mut world, HANAKO, Some(CODE));
    assert_eq!((reply(&sent).code(), world.decided().1), (Code::ACCESS_REJECT, Reason::ConversationExpired));
    let sent = elsewhere(&taro, 1_902).ask(&mut world, TARO, Some(CODE));
    assert_eq!(reply(&sent).code(), Code::ACCESS_ACCEPT, "his own is repeated");
    assert_eq!((world.looks.len(), world.engine.sessions().len()), (1, 1));
}

#[test]
fn while_a_code_is_looked_at_no_second_one_is_whatever_comes() {
    let mut world = world();
    let mut taro = prompted(&mut world, TARO, 1_900);
    taro.ask(&mut world, TARO, Some(b"000000"));
    for (port, code) in (2_000..).zip([CODE, b"111111", b"222222"]) {
        assert!(elsewhere(&taro, port).ask(&mut world, TARO, Some(code)).is_empty());
    }
    assert_eq!(world.looks.len(), 1, "a guess for each question");
    let sent = checked(&mut world, Checked::Wrong);
    refused(&world, &sent, Reason::OtpWrong);
}

#[test]
fn e09_after_the_end_a_state_gives_the_same_answer_to_the_same_code_and_none_to_another() {
    for (found, code) in [(Checked::Right, Code::ACCESS_ACCEPT), (Checked::Wrong, Code::ACCESS_REJECT)] {
        let mut world = world();
        let mut taro = prompted(&mut world, TARO, 1_900);
        taro.ask(&mut world, TARO, Some(CODE));
        let state = taro.state.clone();
        let sent = checked(&mut world, found);
        assert_eq!(reply(&sent).code(), code);
        taro.state = state;
        let decisions = world.events.iter().filter(|event| event.authentication.is_some()).count();
        let again = elsewhere(&taro, 1_901).ask(&mut world, TARO, Some(CODE));
        assert_eq!(reply(&again).code(), code);
        assert_eq!(world.events.iter().filter(|event| event.authentication.is_some()).count(), decisions);
        for (port, other) in (1_902..).zip([&b"654321"[..], b"", b"12345", b"1234567", b"hunter2"]) {
            let sent = elsewhere(&taro, port).ask(&mut world, TARO, Some(other));
            assert_eq!((reply(&sent).code(), world.decided().1), (Code::ACCESS_REJECT, Reason::ConversationExpired));
        }
        assert_eq!((world.looks.len(), world.engine.conversations()), (1, 0));
    }
}

/// The key of States lives as long as the process.
#[test]
fn e10_a_state_from_before_a_restart_opens_nothing() {
    let mut before = world();
    let mut taro = prompted(&mut before, TARO, 1_900);
    let mut world = world();
    // One with the same number is there.
    prompted(&mut world, HANAKO, 1_901);
    let sent = taro.ask(&mut world, TARO, Some(CODE));
    assert_eq!((reply(&sent).code(), world.decided().1), (Code::ACCESS_REJECT, Reason::ConversationExpired));
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 1));
}

#[test]
fn e10_ten_thousand_guessed_states_with_codes_are_refused_and_leave_nothing() {
    let mut world = world();
    let mut taro = prompted(&mut world, TARO, 1_900);
    let real = taro.state.clone().expect("a State");
    let mut chance = Chance::new(11);
    let mut guesser = Gateway::here();
    for number in 0..10_000_u16 {
        let mut guess: Vec<u8> = (0..real.len()).map(|_| chance.octet()).collect();
        if number % 2 == 0 {
            guess[..24].copy_from_slice(&real[..24]);
        }
        guesser.state = Some(guess);
        guesser.peer.set_port(2_000 + number / 100);
        let request = guesser.request(TARO, Some(CODE));
        let sent = world.hand_in_from(guesser.peer, &request);
        assert_eq!(reply(&sent).code(), Code::ACCESS_REJECT);
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
        world.events.clear();
        guesser.count = guesser.count.wrapping_add(0);
        if guesser.count == u8::MAX {
            guesser.count = 0;
        }
    }
    assert_eq!((world.looks.len(), world.engine.conversations()), (0, 1));
    assert!(taro.ask(&mut world, TARO, Some(CODE)).is_empty());
    let sent = checked(&mut world, Checked::Right);
    accepted(&world, &sent);
}

/// Neither road goes on with a conversation of the other.
#[test]
fn no_method_is_switched_in_the_middle_of_a_conversation() {
    let mut world = world();
    let mut taro = prompted(&mut world, TARO, 1_900);
    let mut hand = Hand::new(NAS, 2_000);
    hand.state.clone_from(&taro.state);
    for eap in [identity(1, TARO.as_bytes()), tls(1, 0, None, &[22; 20]), Vec::new()] {
        let sent = hand.send(&mut world, &eap);
        assert!(sent.is_empty() || reply(&sent).code() == Code::ACCESS_REJECT, "{:?}", world.events.last());
        assert_eq!((world.looks.len(), world.engine.sessions().len()), (0, 0));
    }
    // The code doesn't come after all.
    taro.count = 100;
    let sent = taro.ask(&mut world, TARO, Some(CODE));
    assert!(!sent.iter().any(|sent| sent.octets[0] == Code::ACCESS_ACCEPT.0));

    let mut hand = Hand::new(NAS, 2_001);
    let start = hand.start(&mut world);
    let mut stranger = Gateway::here();
    stranger.peer.set_port(2_002);
    stranger.state.clone_from(&hand.state);
    let before = world.looks.len();
    let sent = stranger.ask(&mut world, TARO, Some(CODE));
    dropped(&world, &sent, Reason::Malformed);
    let go_on = hand.ask(&mut world, &tls(start.next(), 0, None, &[22; 20]));
    assert_eq!((go_on.code, world.looks.len()), (Code::ACCESS_CHALLENGE, before));
}

/// EAP-Message beside User-Password is EAP, at a NAS that may use all of them or not.
#[test]
fn a_password_beside_eap_is_nothing() {
    for options in [by_code(OtpAfter::NasPassword), super::gateway::by_name()] {
        let mut world = World::with(options);
        let mut gateway = Gateway::here().with(Type::EAP_MESSAGE, &identity(1, TARO.as_bytes()));
        let sent = gateway.ask(&mut world, TARO, Some(super::gateway::COMMON));
        assert!(reply(&sent).first(Type::EAP_MESSAGE).is_some(), "it is EAP-TLS that goes on");
        assert!(world.looks.is_empty());
    }
    let only = crate::world::Options { methods: vec![sekisho::event::Method::Otp], ..by_code(OtpAfter::NasPassword) };
    let mut world = World::with(only);
    let mut gateway = Gateway::here().with(Type::EAP_MESSAGE, &identity(1, TARO.as_bytes()));
    let sent = gateway.ask(&mut world, TARO, Some(CODE));
    assert_eq!((reply(&sent).code(), world.decided().1), (Code::ACCESS_REJECT, Reason::MethodNotAllowed));
    assert!(world.looks.is_empty());
}
