//! What must not leave before the answer, since it could be resumed (S01), and what a resumption asks (S02).

use std::time::Duration;

use sekisho::event::OcspStatus::{Good, Revoked, Unknown};
use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::pki::RevocationSource::Ocsp;
use sekisho::supplicant::{self, Supplicant};

use super::{HOUR, VERSIONS, answer, finish, held, let_in, member, options, refused, says, world};
use crate::hand::{Hand, Walk, eap_of, tls, tls_of};
use crate::pki::pki;
use crate::world::{NAS, Options, Responder, World, station, supplicant_settings};

/// Where the session id's length stands in a flight that begins with a hello: after record header, handshake header, version and random.
const SESSION_ID: usize = 43;
/// Content types of TLS records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

#[test]
fn s01_nothing_that_could_be_resumed_leaves_before_the_decision() {
    for version in VERSIONS {
        for (responder, reason) in [
            (Responder::silent(), Reason::RevocationUnknown),
            (Responder::after(Duration::from_millis(10), says(Unknown)), Reason::RevocationUnknown),
        ] {
            let mut world = World::with(Options { silent_crl: None, ..options(Ocsp) });
            let who = member(version);
            world.responder = responder;
            let report = world.log_in(&who, &station("JAIST", 1), false);
            refused(&world, &report, reason);
            // Even when all is well again, there is nothing that it could resume.
            let question = world.asked[0].1[0].clone();
            world.wait(HOUR * 2);
            world.learn(&question, says(Good));
            let_in(&world.log_in(&who, &station("JAIST", 1), true), false);
            let_in(&world.log_in(&who, &station("JAIST", 1), true), true);
        }
    }
}

#[test]
fn s01_a_session_id_is_worth_nothing_unless_its_login_was_let_in() {
    for (status, expected) in [(Good, true), (Unknown, false)] {
        let mut world = world(Ocsp);
        let settings = supplicant_settings(&pki().of_silent, Some(TlsVersion::Tls12));
        let settings = supplicant::Settings { fragment_size: 3_500, ..settings };
        let who = Supplicant::without_tickets(settings.clone()).expect("a good credential");
        let mut walk = held(&mut world, &who, 1, false);
        let id = session_id_of_server_hello(&walk).expect("the server names one");
        assert!(!recalls(&mut world, &id, &settings), "not while it waits");
        world.asked.truncate(1);
        let sent = answer(&mut world, says(status));
        assert_eq!(finish(&mut world, &mut walk, &sent).logged_in, expected);
        world.wait(HOUR * 2);
        let question = world.asked[0].1[0].clone();
        world.learn(&question, says(Good));
        assert_eq!(recalls(&mut world, &id, &settings), expected);
    }
}

/// The session id that the server gave, in its first flight.
fn session_id_of_server_hello(walk: &Walk) -> Option<Vec<u8>> {
    let flight = eap_of(walk.answers.get(1)?);
    let (length, rest) = tls_of(&flight).get(SESSION_ID..)?.split_first()?;
    rest.get(..usize::from(*length)).filter(|id| !id.is_empty()).map(<[u8]>::to_vec)
}

/// Whether the server would resume the session of this id: a stranger's ClientHello names it, who has read the id but has no ticket.
fn recalls(world: &mut World, id: &[u8], settings: &supplicant::Settings) -> bool {
    let stranger = Supplicant::without_tickets(settings.clone()).expect("a good credential");
    let hello = Walk::new(world, &stranger, station("JAIST", 77), false).rounds(world, 1).request;
    let hello = eap_of(&hello);
    let hello = naming(tls_of(&hello), id);
    let mut hand = Hand::new(NAS, 7_777);
    let start = hand.start(world);
    let flight = hand.ask(world, &tls(start.next(), 0, None, &hello));
    let kinds = record_kinds(tls_of(&flight.eap));
    assert_eq!(kinds[0], HANDSHAKE);
    kinds.contains(&CHANGE_CIPHER_SPEC)
}

/// A ClientHello in one record, with another session id.
fn naming(hello: &[u8], id: &[u8]) -> Vec<u8> {
    let before = &hello[9..SESSION_ID];
    let after = &hello[SESSION_ID + 1 + usize::from(hello[SESSION_ID])..];
    let length = |octets: usize| u16::try_from(octets).expect("short").to_be_bytes();
    let body = [before, &[u8::try_from(id.len()).expect("short")], id, after].concat();
    let message = [&[1, 0], &length(body.len())[..], &body].concat();
    [&hello[..3], &length(message.len()), &message].concat()
}

fn record_kinds(mut records: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = records {
        kinds.push(*kind);
        records = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    kinds
}

#[test]
fn s02_a_resumption_asks_when_what_is_known_has_ended_and_is_decided_by_the_answer() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        world.responder = Responder::after(Duration::from_millis(300), says(Good));
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        world.wait(HOUR * 2);
        let_in(&world.log_in(&who, &station("JAIST", 1), true), true);
        assert_eq!(world.asked.len(), 2, "the end of the abbreviated handshake asked");
        world.wait(HOUR * 2);
        world.responder = Responder::after(Duration::from_millis(300), says(Revoked));
        let report = world.log_in(&who, &station("JAIST", 1), true);
        refused(&world, &report, Reason::Revoked);
        assert_eq!(world.asked.len(), 3);
        // Whatever it was given before: a full handshake, and the alert.
        for _ in 0..2 {
            let report = world.log_in(&who, &station("JAIST", 1), true);
            assert_eq!((report.accepted, report.resumed, report.alert_received), (false, false, Some(44)));
        }
        assert_eq!(world.asked.len(), 3);
    }
}

#[test]
fn s02_a_session_that_was_refused_for_want_of_an_answer_is_judged_anew_each_time() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        world.responder = Responder::at_once(says(Good));
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        for _ in 0..2 {
            world.wait(HOUR * 2);
            world.responder = Responder::silent();
            let report = world.log_in(&who, &station("JAIST", 1), true);
            assert_eq!((report.accepted, report.keys_agree, report.alert_received), (false, None, None));
            assert_eq!(world.decided().0, Outcome::Reject);
            world.responder = Responder::at_once(says(Good));
            // A session of TLS 1.3 was good for one handshake.
            let_in(&world.log_in(&who, &station("JAIST", 1), true), version == TlsVersion::Tls12);
        }
    }
}
