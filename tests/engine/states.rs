//! Which conversation a State opens (E10).

use std::time::Duration;

use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::Code;

use crate::chance::Chance;
use crate::eap::{unfragmented, unfragmented_world};
use crate::hand::{Hand, Walk, eap_of, identity, tls};
use crate::pki::pki;
use crate::world::{NAS, World, station};

#[test]
fn e10_a_hundred_thousand_guessed_states_are_refused_and_leave_nothing() {
    let mut world = World::new();
    let mut victim = Hand::here();
    let start = victim.start(&mut world);
    let real = victim.state.clone().expect("State");
    let mut guesser = Hand::new(NAS, 2_000);
    let mut chance = Chance::new(10);
    for number in 0..100_000 {
        let mut guess: Vec<u8> = (0..40).map(|_| chance.octet()).collect();
        // Half of them name the conversation that there is.
        if number % 2 == 0 {
            guess[..8].copy_from_slice(&real[..8]);
        }
        assert_eq!(guess.len(), real.len());
        guesser.state = Some(guess);
        let sent = guesser.send(&mut world, &tls(start.next(), 0, None, &[22; 20]));
        assert_eq!(sent[0].octets[0], Code::ACCESS_REJECT.0);
        assert_eq!(
            (world.decided(), world.engine.conversations()),
            ((Outcome::Reject, Reason::ConversationExpired), 1)
        );
        world.events.clear();
    }
    assert_eq!(world.steps, 0);
    // The one that was guessed for goes on.
    let answer = victim.ask(&mut world, &tls(start.next(), 0, None, &[22; 20]));
    assert_eq!((answer.code, world.steps), (Code::ACCESS_CHALLENGE, 1));
}

#[test]
fn e10_a_state_is_worth_nothing_with_a_bit_flipped_cut_short_or_at_another_address() {
    let mut world = World::new();
    let mut victim = Hand::here();
    let start = victim.start(&mut world);
    let real = victim.state.clone().expect("State");
    assert!(real.len() >= 16 + 16, "random octets and their authenticator");
    let mut bad: Vec<(Hand, Vec<u8>)> = vec![
        (Hand::new("192.0.2.2".parse().expect("an address"), 1_645), real.clone()),
        (Hand::new("10.0.0.1".parse().expect("an address"), 1_645), real.clone()),
        (Hand::new(NAS, 3_000), real[..39].to_vec()),
        (Hand::new(NAS, 3_001), [&real[..], &[0]].concat()),
    ];
    for bit in 0..real.len() * 8 {
        let mut flipped = real.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        bad.push((Hand::new(NAS, 4_000 + u16::try_from(bit).expect("small")), flipped));
    }
    for (mut hand, state) in bad {
        hand.state = Some(state);
        assert!(hand.ask(&mut world, &tls(start.next(), 0, None, &[22; 20])).is_failure());
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
    }
    assert_eq!((world.steps, world.engine.conversations()), (0, 1));
    let answer = victim.ask(&mut world, &tls(start.next(), 0, None, &[22; 20]));
    assert_eq!(answer.code, Code::ACCESS_CHALLENGE);
}

#[test]
fn e10_the_state_of_another_session_finishes_no_login() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        // One is before its last acknowledgement; another's words come with the first one's State.
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 3);
        let mut thief = Hand::new(NAS, 2_000);
        let start = thief.start(&mut world);
        let own = thief.state.clone();
        thief.state = crate::eap::hand_after(&walk).state;
        // Whatever the NAS, an identifier that isn't awaited changes nothing.
        let awaited = eap_of(walk.answers.last().expect("an answer"))[1];
        for identifier in (0..=255).filter(|identifier| *identifier != awaited) {
            assert!(thief.send(&mut world, &tls(identifier, 0, None, &[])).is_empty(), "{identifier}");
        }
        assert!(walk.finish(&mut world).logged_in);
        // The State of a login that has ended opens nothing.
        world.wait(Duration::from_secs(61));
        assert!(thief.ask(&mut world, &identity(1, b"@jaist.ac.jp")).is_failure());
        assert_eq!(world.decided(), (Outcome::Reject, Reason::ConversationExpired));
        thief.state = own;
        assert!(thief.ask(&mut world, &tls(start.next(), 0, None, &[])).is_failure());
    }
}
