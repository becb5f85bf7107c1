//! A responder is asked while the last flight is held back (R21), by whatever it says and whenever; and what must not leave meanwhile.

use std::time::Duration;

use sekisho::engine::{Arrival, Order, Ticket};
use sekisho::event::OcspStatus::{Good, Revoked, Unknown};
use sekisho::event::{Evidence, OcspStatus, Outcome, Reason, TlsVersion};
use sekisho::exchange::Outgoing;
use sekisho::pki::RevocationSource::{self, CrlThenOcsp, Ocsp, OcspThenCrl};
use sekisho::radius::{Code, Packet, Type};
use sekisho::supplicant::{self, Report, Supplicant};

use crate::eap::unfragmented;
use crate::hand::{Answer, Hand, Walk, eap_of, tls, tls_of};
use crate::pki::{Credential, pki};
use crate::world::{NAS, Options, Responder, Says, World, station, supplicant_settings};

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];
const HOUR: Duration = Duration::from_secs(3_600);
/// Where the session id's length stands in a flight that begins with a hello: after record header, handshake header, version and random.
const SESSION_ID: usize = 43;
/// Content types of TLS records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
/// How long the engine waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

fn says(status: OcspStatus) -> Says {
    Says::Status(status, HOUR)
}

fn options(sources: RevocationSource) -> Options {
    Options { sources, fragment_size: 3_500, ..Options::default() }
}

fn world(sources: RevocationSource) -> World {
    World::with(options(sources))
}

fn member(version: TlsVersion) -> Supplicant {
    unfragmented(&pki().of_silent, version)
}

/// What a reload changes.
type Change = fn(&mut Options);

/// A login, until nothing answers it.
fn held(world: &mut World, who: &Supplicant, number: u16, resume: bool) -> Walk {
    let mut walk = Walk::new(world, who, station("JAIST", number.into()), resume);
    walk.peer.set_port(10_000 + number);
    let asked = world.asked.len();
    loop {
        let sent = world.exchange_from(walk.peer, &walk.request);
        let Some(answer) = sent.first() else { break };
        assert!(walk.take(world, &answer.octets).is_none(), "{:?}", world.events.last());
    }
    assert_eq!(world.asked.len(), asked + 1, "{:?}", world.events.last());
    assert_eq!(world.asked[asked].1.len(), 1);
    walk
}

/// The rest of a login whose answer has come.
fn finish(world: &mut World, walk: &mut Walk, sent: &[Outgoing]) -> Report {
    let [answer] = sent else { panic!("{} answers", sent.len()) };
    walk.take(world, &answer.octets).unwrap_or_else(|| walk.finish(world))
}

/// Says to the engine that what a walk asked last is answered.
fn answer(world: &mut World, says: Says) -> Vec<Outgoing> {
    let (ticket, questions) = world.asked.last().cloned().expect("a question");
    for question in questions {
        world.learn(&question, says);
    }
    world.engine.handle(world.now, Arrival::Answer(ticket));
    world.sent()
}

fn let_in(report: &Report, resumed: bool) {
    assert!(report.logged_in && report.resumed == resumed && report.keys_agree == Some(true), "{report:?}");
}

/// EAP-Failure alone: no alert, no word of TLS that would let the client believe that it is in.
fn refused(world: &World, report: &Report, reason: Reason) {
    assert_eq!((report.accepted, report.keys_agree, report.alert_received), (false, None, None), "{report:?}");
    assert_eq!(report.eap_success, Some(false));
    assert_eq!(world.decided(), (Outcome::Reject, reason));
    let authentication = world.events.iter().rev().find_map(|event| event.authentication.as_ref());
    assert!(authentication.and_then(|it| it.certificate.as_ref()).is_some(), "the log names the certificate");
}

#[test]
fn r21_a_good_answer_in_time_lets_in_and_is_good_for_the_next_login_too() {
    for version in VERSIONS {
        for after in [0, 300, 1_999].map(Duration::from_millis) {
            let mut world = world(Ocsp);
            let who = member(version);
            world.responder = Responder::after(after, says(Good));
            let before = world.now.mono;
            let report = world.log_in(&who, &station("JAIST", 1), false);
            let_in(&report, false);
            assert_eq!((world.now.mono.since(before), world.asked.len()), (after, 1));
            assert_eq!(world.decided(), (Outcome::Accept, Reason::Ok));
            for resume in [true, false] {
                let_in(&world.log_in(&who, &station("JAIST", 1), resume), resume);
            }
            assert_eq!(world.asked.len(), 1);
        }
    }
}

#[test]
fn r21_a_bad_answer_refuses_without_an_alert_and_the_next_login_with_one() {
    for version in VERSIONS {
        for (status, reason) in [(Revoked, Reason::Revoked), (Unknown, Reason::RevocationUnknown)] {
            for after in [0, 300].map(Duration::from_millis) {
                let mut world = world(Ocsp);
                let who = member(version);
                world.responder = Responder::after(after, says(status));
                let report = world.log_in(&who, &station("JAIST", 1), false);
                refused(&world, &report, reason);
                let report = world.log_in(&who, &station("JAIST", 1), true);
                assert!(!report.accepted && !report.resumed, "{report:?}");
                if status == Revoked {
                    assert_eq!((report.alert_received, world.asked.len()), (Some(44), 1));
                }
            }
        }
    }
}

#[test]
fn r21_of_a_silent_responder_two_seconds_are_waited_for_then_policy_decides() {
    let refuses = |sources| (options(sources), (Outcome::Reject, Reason::RevocationUnknown));
    let crl = Options { silent_crl: Some((1, Vec::new())), ..options(OcspThenCrl) };
    let cases = [refuses(Ocsp), refuses(OcspThenCrl), refuses(CrlThenOcsp), (crl, (Outcome::Accept, Reason::Ok))];
    for version in VERSIONS {
        for (options, expected) in &cases {
            let mut world = World::with(options.clone());
            let mut walk = held(&mut world, &member(version), 1, false);
            world.wait(PATIENCE - Duration::from_millis(1));
            assert!(world.sent().is_empty());
            world.wait(Duration::from_millis(1));
            let sent = world.sent();
            let report = finish(&mut world, &mut walk, &sent);
            assert_eq!((report.accepted, world.decided()), (expected.0 == Outcome::Accept, *expected));
            assert_eq!((report.alert_received, world.asked.len()), (None, 1));
        }
    }
}

#[test]
fn r21_an_answer_after_five_seconds_changes_nothing_but_the_next_login() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        world.responder = Responder::after(Duration::from_secs(5), says(Good));
        let report = world.log_in(&who, &station("JAIST", 1), false);
        refused(&world, &report, Reason::RevocationUnknown);
        let events = world.events.len();
        world.wait(Duration::from_secs(3));
        assert!(world.sent().is_empty());
        assert_eq!((world.events.len(), world.engine.conversations()), (events, 0));
        let_in(&world.log_in(&who, &station("JAIST", 1), true), false);
        assert_eq!(world.asked.len(), 1);
    }
}

#[test]
fn r21_where_there_is_nobody_to_ask_nobody_waits() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        world.responder = Responder::at_once(Says::Nothing);
        let before = world.now;
        let report = world.log_in(&member(version), &station("JAIST", 1), false);
        refused(&world, &report, Reason::RevocationUnknown);
        assert_eq!(world.now, before);
    }
}

#[test]
fn r21_where_it_is_known_that_nobody_answers_nobody_is_asked_and_a_refusal_has_its_alert() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        world.nobody_answers();
        let report = world.log_in(&who, &station("JAIST", 1), false);
        assert_eq!((report.accepted, report.alert_received), (false, Some(46)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::RevocationUnknown));
        assert!(world.asked.is_empty() && world.seen.len() == 1, "where its responder is may be learned from it");
        world.somebody_answers();
        world.responder = Responder::at_once(says(Good));
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        world.nobody_answers();
        let_in(&world.log_in(&who, &station("JAIST", 1), true), true);
        world.wait(HOUR + Duration::from_secs(1));
        let report = world.log_in(&who, &station("JAIST", 1), true);
        assert_eq!((report.accepted, report.alert_received), (false, Some(46)), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::RevocationStale));
        assert_eq!(world.asked.len(), 1);
    }
}

#[test]
fn r21_a_fresh_crl_that_comes_first_asks_nobody() {
    let mut world = World::with(Options { silent_crl: Some((1, Vec::new())), ..options(CrlThenOcsp) });
    for version in VERSIONS {
        let_in(&world.log_in(&member(version), &station("JAIST", 1), false), false);
    }
    assert!(world.asked.is_empty());
}

#[test]
fn r21_while_a_hundred_wait_for_a_silent_responder_others_take_the_same_steps_and_wait_for_nothing() {
    let mut world = world(Ocsp);
    let logins = |world: &mut World| {
        let before = (world.steps, world.now);
        let reports: Vec<_> = VERSIONS
            .iter()
            .flat_map(|version| {
                let who = unfragmented(&pki().member_p256, *version);
                [false, true].map(|resume| {
                    let report = world.log_in(&who, &station("JAIST", 1), resume);
                    let_in(&report, resume);
                    report.requests
                })
            })
            .collect();
        assert_eq!(world.now, before.1, "no time has passed");
        (reports, world.steps - before.0)
    };
    let alone = logins(&mut world);
    let who = member(TlsVersion::Tls13);
    let waiting: Vec<_> = (1..=100).map(|number| held(&mut world, &who, number, false)).collect();
    assert_eq!(logins(&mut world), alone);
    assert_eq!((world.engine.conversations(), world.engine.waiting_steps()), (waiting.len(), 0));
    world.wait(PATIENCE);
    assert_eq!(world.sent().len(), waiting.len(), "each is answered");
    assert_eq!(world.count(Outcome::Reject, Reason::RevocationUnknown), waiting.len());
}

#[test]
fn r21_what_is_refused_anyway_is_refused_at_once_with_its_alert() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let refused = |world: &mut World, alert| {
            let report = world.log_in(&member(version), &station("JAIST", 1), false);
            assert_eq!((report.accepted, report.alert_received), (false, Some(alert)), "{report:?}");
        };
        world.reload(|options| options.suspended = "silent@jaist.ac.jp");
        refused(&mut world, 49);
        world.reload(|options| {
            options.suspended = "";
            options.sources = OcspThenCrl;
            options.silent_crl = Some((1, vec![&pki().of_silent]));
        });
        refused(&mut world, 44);
        assert!(world.asked.is_empty());
    }
}

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

#[test]
fn r21_within_its_grace_an_answer_that_has_ended_lets_in_when_nobody_renews_it() {
    for version in VERSIONS {
        let mut world = World::with(Options { grace: HOUR * 3, ..options(Ocsp) });
        let who = member(version);
        world.responder = Responder::at_once(says(Good));
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        world.wait(HOUR * 2);
        world.responder = Responder::silent();
        let before = world.now.mono;
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        assert_eq!((world.now.mono.since(before), world.decided()), (PATIENCE, (Outcome::Accept, Reason::OkGrace)));
    }
}

#[test]
fn a_nas_that_sends_again_while_it_waits_steps_nothing_and_gets_the_one_answer() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let who = member(version);
        let mut walk = held(&mut world, &who, 1, false);
        let steps = world.steps;
        for repeats in 1..=3 {
            assert!(world.exchange_from(walk.peer, &walk.request).is_empty());
            assert_eq!(world.count(Outcome::Drop, Reason::Duplicate), repeats);
        }
        let sent = answer(&mut world, says(Good));
        let again = world.exchange_from(walk.peer, &walk.request);
        assert_eq!((again.len(), &again[0].octets), (1, &sent[0].octets));
        assert!(answer(&mut world, says(Good)).is_empty(), "an answer to what was answered");
        let report = finish(&mut world, &mut walk, &sent);
        let_in(&report, false);
        // The acknowledgement is the one more Step's worth of nothing: no public-key work.
        assert_eq!((world.steps, world.asked.len()), (steps, 1));
    }
}

#[test]
fn the_same_response_in_a_new_request_is_not_read_twice_and_the_newest_is_answered() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let mut walk = held(&mut world, &member(version), 1, false);
        let mut hand = Hand::new(NAS, 10_001);
        hand.identifier = 200;
        hand.state = Packet::parse(&walk.request).expect("a packet").first(Type::STATE).map(<[u8]>::to_vec);
        let steps = world.steps;
        assert!(hand.send(&mut world, &eap_of(&walk.request)).is_empty());
        assert_eq!((world.steps, world.count(Outcome::Drop, Reason::Duplicate)), (steps, 1));
        // An EAP packet that can't be read ends nobody's login.
        let broken = hand.clone().with(Type::EAP_MESSAGE, &[2]).request(&eap_of(&walk.request));
        assert!(world.exchange_from(walk.peer, &broken).is_empty());
        let sent = answer(&mut world, says(Good));
        let newest = Answer::new(&sent[0].octets);
        assert_eq!((sent.len(), newest.code, sent[0].octets[1]), (1, Code::ACCESS_CHALLENGE, hand.identifier));
        // And once more, after the answer: the same flight.
        let again = hand.ask(&mut world, &eap_of(&walk.request));
        assert_eq!((again.eap, world.steps), (newest.eap, steps));
        walk.request.clear();
    }
}

#[test]
fn what_is_in_force_when_the_answer_comes_decides() {
    for version in VERSIONS {
        // On a CRL that came meanwhile, although the responder says "good".
        let mut world = world(OcspThenCrl);
        let mut walk = held(&mut world, &member(version), 1, false);
        world.reload(|options| options.silent_crl = Some((1, vec![&pki().of_silent])));
        let sent = answer(&mut world, says(Good));
        let report = finish(&mut world, &mut walk, &sent);
        refused(&world, &report, Reason::Revoked);

        let mut world = World::with(options(Ocsp));
        let mut walk = held(&mut world, &member(version), 1, false);
        world.reload(|options| options.vlan = "777");
        let sent = answer(&mut world, says(Good));
        let report = finish(&mut world, &mut walk, &sent);
        let_in(&report, false);
        let reply = Packet::parse(&report.reply).expect("a packet");
        assert_eq!(reply.text(Type::TUNNEL_PRIVATE_GROUP_ID), Some("777"));

        let changes: [(Change, Reason); 3] = [
            (|options| options.services = vec!["eduroam"], Reason::NoService),
            (|options| options.nas_services = Some(vec!["eduroam".into()]), Reason::NoService),
            (|options| options.suspended = "silent@jaist.ac.jp", Reason::Policy),
        ];
        for (change, reason) in changes {
            let mut world = World::with(options(Ocsp));
            let mut walk = held(&mut world, &member(version), 1, false);
            world.reload(change);
            let sent = answer(&mut world, says(Good));
            let report = finish(&mut world, &mut walk, &sent);
            refused(&world, &report, reason);
        }
    }
}

#[test]
fn who_is_no_nas_any_more_when_the_answer_comes_gets_none() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        held(&mut world, &member(version), 1, false);
        world.reload(|options| options.is_nas = false);
        assert!(answer(&mut world, says(Good)).is_empty());
        assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::UnknownNas)), (0, 1));
    }
}

#[test]
fn r01_revoked_between_a_good_answer_and_the_accept_there_is_no_accept() {
    for version in VERSIONS {
        let mut world = world(Ocsp);
        let mut walk = held(&mut world, &member(version), 1, false);
        let sent = answer(&mut world, says(Good));
        assert!(walk.take(&world, &sent[0].octets).is_none(), "the last flight");
        let question = world.asked[0].1[0].clone();
        world.learn(&question, says(Revoked));
        world.reload(|_| {});
        let report = walk.finish(&mut world);
        assert_eq!((report.accepted, report.keys_agree), (false, None), "{report:?}");
        assert_eq!(world.decided(), (Outcome::Reject, Reason::Revoked));
        assert_eq!(world.asked.len(), 1, "what is decided again asks nobody");
    }
}

#[test]
fn one_that_makes_room_while_it_waits_leaves_nothing_behind() {
    let mut world = World::with(Options { max_conversations: 1, max_asking: (1, 1), ..options(Ocsp) });
    held(&mut world, &member(TlsVersion::Tls13), 1, false);
    Hand::new(NAS, 2_000).start(&mut world);
    assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::Overload)), (1, 1));
    // Its place among those that may wait is free.
    let mut next = held(&mut world, &member(TlsVersion::Tls13), 2, false);
    let (first, events) = (world.asked[0].0, world.events.len());
    world.engine.handle(world.now, Arrival::Answer(first));
    assert!(world.sent().is_empty());
    assert_eq!((world.events.len(), world.engine.conversations()), (events, 1));
    let sent = answer(&mut world, says(Good));
    let_in(&finish(&mut world, &mut next, &sent), false);
}

#[test]
fn one_whose_time_is_up_while_it_waits_leaves_nothing_behind() {
    let second = Duration::from_secs(1);
    let mut world = World::with(Options { conversation_timeout: second, max_asking: (1, 1), ..options(Ocsp) });
    held(&mut world, &member(TlsVersion::Tls13), 1, false);
    world.wait(second);
    assert!(world.sent().is_empty());
    assert_eq!((world.engine.conversations(), world.count(Outcome::Drop, Reason::ConversationExpired)), (0, 1));
    // Its place among those that may wait is free.
    held(&mut world, &member(TlsVersion::Tls13), 2, false);
    let first = world.asked[0].0;
    world.engine.handle(world.now, Arrival::Answer(first));
    assert!(world.sent().is_empty());
    world.wait(second);
    world.wait(HOUR);
    assert_eq!((world.sent().len(), world.engine.conversations(), world.engine.poll_timeout()), (0, 0, None));
}

#[test]
fn drain_waits_for_those_that_ask_and_no_longer_than_they_do() {
    for (time, says, outcome) in
        [(Duration::from_millis(300), says(Good), Outcome::Accept), (PATIENCE * 2, Says::Nothing, Outcome::Reject)]
    {
        let mut world = world(Ocsp);
        world.responder = Responder::after(time, says);
        let mut walk = held(&mut world, &member(TlsVersion::Tls13), 1, false);
        let drain = world.order(Order::Drain);
        world.sent();
        assert_eq!(world.done, <[Ticket; 0]>::default());
        let sent = world.until_next();
        finish(&mut world, &mut walk, &sent);
        assert_eq!((world.decided().0, world.done.as_slice()), (outcome, &[drain][..]));
        assert!(world.now.mono.0 <= PATIENCE);
    }
}

#[test]
fn beyond_so_many_that_wait_it_is_decided_at_once_with_what_is_known() {
    for max_asking in [(1, 256), (4_096, 1)] {
        let mut world = World::with(Options { max_asking, silent_crl: Some((1, Vec::new())), ..options(OcspThenCrl) });
        let who = member(TlsVersion::Tls13);
        let mut first = held(&mut world, &who, 1, false);
        let before = world.now;
        let_in(&world.log_in(&who, &station("JAIST", 2), false), false);
        let_in(&world.log_in(&who, &station("JAIST", 2), true), true);
        assert_eq!((world.now, world.asked.len()), (before, 1));
        let sent = answer(&mut world, Says::Nothing);
        let_in(&finish(&mut world, &mut first, &sent), false);
        held(&mut world, &who, 3, false);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_nothing() {
    let mut world = world(Ocsp);
    let who = member(TlsVersion::Tls13);
    let mut walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 2);
    assert!(world.hand_in_from(walk.peer, &walk.request).is_empty());
    let step = world.engine.poll_step().expect("the client's certificate is read by a Step");
    // While the Step is under way that will ask.
    for ticket in 0..100 {
        world.engine.handle(world.now, Arrival::Answer(Ticket(ticket)));
    }
    world.engine.handle(world.now, Arrival::Answer(Ticket(u64::MAX)));
    assert!(world.sent().is_empty() && world.events.iter().all(|event| event.reason == Reason::Ok));
    world.engine.resume(world.now, step.run(world.now), Duration::from_micros(300));
    assert!(world.sent().is_empty());
    let sent = answer(&mut world, says(Good));
    let_in(&finish(&mut world, &mut walk, &sent), false);
}

#[test]
fn the_log_tells_on_what_a_decision_after_an_answer_rests() {
    let mut world = world(Ocsp);
    world.responder = Responder::at_once(says(Revoked));
    world.log_in(&member(TlsVersion::Tls13), &station("JAIST", 1), false);
    let event = world.events.last().expect("a decision");
    let evidence = &event.authentication.as_ref().expect("a decision").evidence;
    let is_answer = |it: &Evidence| matches!(it, Evidence::Ocsp(name) if name.status == Revoked);
    assert!(evidence.iter().any(is_answer), "{evidence:?}");
}

#[test]
fn certificates_of_ours_are_shown_at_the_end_let_in_or_not_and_no_strangers() {
    let cases: [(&Credential, usize); 8] = [
        (&pki().member_p256, 1),
        (&pki().member_pub_ca8, 1),
        (&pki().revoked, 1),
        (&pki().expired, 1),
        (&pki().of_silent, 1),
        (&pki().stranger, 0),
        (&pki().other_customer, 0),
        (&pki().other_customer_pub_ca8, 0),
    ];
    for version in VERSIONS {
        for (credential, shown) in cases {
            let mut world = World::with(options(Ocsp));
            world.log_in(&unfragmented(credential, version), &station("JAIST", 1), false);
            assert_eq!(world.seen.len(), shown, "{:?}", world.decided());
        }
        let mut world = World::with(options(Ocsp));
        let who = unfragmented(&pki().member_p256, version);
        let_in(&world.log_in(&who, &station("JAIST", 1), false), false);
        // Not while it goes on, but when it ends, also by silence.
        let mut walk = Walk::new(&world, &who, station("JAIST", 1), true).rounds(&mut world, 2);
        assert_eq!(world.seen.len(), 1);
        let_in(&walk.finish(&mut world), true);
        assert_eq!(world.seen.len(), 2);
        assert_eq!(world.seen[0].fingerprint, world.seen[1].fingerprint);
        drop(Walk::new(&world, &who, station("JAIST", 2), false).rounds(&mut world, 3));
        drop(Walk::new(&world, &who, station("JAIST", 3), true).rounds(&mut world, 2));
        drop(Walk::new(&world, &who, station("JAIST", 4), false).rounds(&mut world, 2));
        world.wait(HOUR);
        world.sent();
        // Only the first: the second has yet to prove that it holds the session's secret, the third its key.
        assert_eq!((world.seen.len(), world.engine.conversations()), (3, 0), "{version}");
    }
}
