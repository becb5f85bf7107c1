//! Supplicants that fall silent. Nothing is decided by it, but the help desk must be able to see how far they got.

use std::time::Duration;

use sekisho::event::{Event, Evidence, Outcome, Reason, TlsVersion};

use crate::hand::{Hand, Walk};
use crate::pki::{Credential, pki};
use crate::world::{World, station, supplicant};

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
fn a_conversation_that_began_with_no_identity_ends_without_a_word() {
    let mut world = World::new();
    assert!(!Hand::here().send(&mut world, &[]).is_empty());
    world.events.clear();
    world.wait(Duration::from_secs(61));
    world.sent();
    assert_eq!((world.engine.conversations(), world.events.len()), (0, 0));
}
