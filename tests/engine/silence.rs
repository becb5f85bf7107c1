//! Supplicants that fall silent. Nothing is decided by it, but the help desk must be able to see how far they got.

use std::time::Duration;

use sekisho::event::{Event, Evidence, Outcome, Reason, TlsVersion};

use crate::hand::{Hand, Walk};
use crate::pki::{Credential, pki};
use crate::world::{Options, World, station, supplicant};

/// A login of so many rounds, and then nothing for longer than the conversation's timeout: what is told of it.
fn silent_after(credential: &Credential, rounds: usize) -> Vec<Event> {
    let mut world = World::new();
    let who = supplicant(credential, Some(TlsVersion::Tls13));
    let _walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, rounds);
    world.events.clear();
    world.wait(Duration::from_secs(61));
    world.sent();
    assert_eq!(world.engine.conversations(), 0);
    world.events
}

#[test]
fn a_supplicant_that_falls_silent_leaves_one_event_that_says_how_far_it_got() {
    for (rounds, how_far) in [(1, "EAP-TLS start"), (2, "a flight of the handshake"), (3, "the end of the handshake")] {
        let events = silent_after(&pki().member_p256, rounds);
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.outcome, event.reason, event.code), (Outcome::Drop, Reason::ConversationExpired, None));
        let authentication = event.authentication.as_ref().expect("who it was");
        assert_eq!(authentication.mac.as_deref(), Some("02:00:00:00:00:01"));
        assert_eq!(authentication.user.is_some(), rounds == 3, "before it has proved its key it is nobody");
        let [Evidence::Protocol(text)] = authentication.evidence.as_slice() else { panic!("{authentication:?}") };
        assert!(text.contains(how_far), "{rounds}: {text}");
    }
}

#[test]
fn whoever_was_told_of_its_refusal_and_never_acknowledged_it_has_been_refused() {
    let events = silent_after(&pki().revoked, 4);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.outcome, event.reason), (Outcome::Reject, Reason::Revoked));
    assert!(event.authentication.as_ref().is_some_and(|it| it.certificate.is_some()));
}

#[test]
fn whoever_hangs_up_when_it_is_told_is_known_to_be_refused_ten_seconds_later() {
    for max_conversations in [0, 10] {
        let mut world = World::with(Options { nas_max_conversations: max_conversations, ..Options::default() });
        let who = supplicant(&pki().revoked, Some(TlsVersion::Tls13));
        let _walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 4);
        world.events.clear();
        world.wait(Duration::from_secs(9));
        world.sent();
        assert_eq!((world.engine.conversations(), world.events.len()), (1, 0));
        world.wait(Duration::from_secs(1));
        world.sent();
        assert_eq!((world.engine.conversations(), world.decided()), (0, (Outcome::Reject, Reason::Revoked)));
    }
}

#[test]
fn whoever_is_refused_and_begins_anew_again_and_again_has_been_refused_each_time() {
    const TIMES: usize = 5;
    let mut world = World::new();
    let who = supplicant(&pki().revoked, Some(TlsVersion::Tls13));
    for _ in 0..TIMES {
        let _walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 4);
    }
    assert!(world.engine.conversations() < TIMES, "a station has only so many");
    world.wait(Duration::from_secs(10));
    world.sent();
    assert_eq!((world.engine.conversations(), world.count(Outcome::Reject, Reason::Revoked)), (0, TIMES));
}

#[test]
fn a_nas_that_has_not_got_the_alert_has_ten_seconds_again() {
    let mut world = World::new();
    let who = supplicant(&pki().revoked, Some(TlsVersion::Tls13));
    let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 3);
    let last = walk.request.clone();
    assert!(walk.round(&mut world).is_none());
    for _ in 0..3 {
        world.wait(Duration::from_secs(9));
        assert_eq!(world.exchange_from(walk.peer, &last).len(), 1);
        assert_eq!(world.engine.conversations(), 1);
    }
    world.events.clear();
    assert!(walk.round(&mut world).is_some());
    assert_eq!((world.events.len(), world.decided()), (1, (Outcome::Reject, Reason::Revoked)));
    assert_eq!(world.engine.conversations(), 0);
}

#[test]
fn a_conversation_that_began_with_no_identity_ends_without_a_word() {
    let mut world = World::new();
    assert!(!Hand::here().send(&mut world, &[]).is_empty());
    world.events.clear();
    world.wait(Duration::from_secs(61));
    world.sent();
    assert_eq!((world.engine.conversations(), world.events.len()), (0, 0));
}
