//! Whatever a responder says, and whenever: who is let in, who is refused how, and who is shown at the end.

use std::time::Duration;

use sekisho::event::OcspStatus::{Good, Revoked, Unknown};
use sekisho::event::{Evidence, Outcome, Reason, TlsVersion};
use sekisho::pki::RevocationSource::{CrlThenOcsp, Ocsp, OcspThenCrl};

use super::{HOUR, PATIENCE, VERSIONS, answer, finish, held, let_in, member, options, refused, says, world};
use crate::eap::unfragmented;
use crate::hand::Walk;
use crate::pki::{Credential, pki};
use crate::world::{Options, Responder, Says, World, station};

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
