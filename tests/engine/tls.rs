//! TLS and certificates that a supplicant should not come with: the catalogue's T and P rows, seen from outside.

use std::time::Duration;

use rcgen::{DnType, date_time_ymd};
use sekisho::event::{Outcome, Reason, TlsVersion};
use sekisho::radius::{Code, Packet, Type};
use sekisho::supplicant::{Report, Settings, Supplicant};

use crate::certificates::{Made, authority, mail};
use crate::eap::{hand_after, unfragmented, unfragmented_world};
use crate::hand::{Hand, MORE, Walk, eap_of, tls, tls_of};
use crate::pki::pki;
use crate::world::{World, chain, station, supplicant, supplicant_settings};

/// Common names of two authorities of the campus.
const CA16: &str = "SECOM Passport for Member RSA CA16 (look-alike)";
const PUB_CA8: &str = "SECOM Passport for Member PUB CA8 (look-alike)";

const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// Refused for this reason with this alert, no keys; and who is good gets in as before.
fn assert_refused(world: &mut World, who: &Supplicant, reason: Reason, alert: u8) {
    let report = world.log_in(who, &station("JAIST", 1), false);
    assert_eq!(world.decided(), (Outcome::Reject, reason), "{:?}", world.events.last());
    assert_eq!((report.alert_received, report.eap_success, report.keys_agree), (Some(alert), Some(false), None));
    assert_clean(world);
}

fn assert_clean(world: &mut World) {
    assert_eq!(world.engine.conversations(), 0);
    assert!(world.log_in(&supplicant(&pki().member_p256, None), &station("JAIST", 2), false).logged_in);
}

fn accepted(world: &mut World, who: &Supplicant) -> Report {
    let report = world.log_in(who, &station("JAIST", 1), false);
    assert!(report.logged_in, "{report:?} {:?}", world.events.last());
    report
}

#[test]
fn t02_without_a_certificate_certificate_required_and_no_keys() {
    let mut world = World::new();
    for version in VERSIONS {
        let settings = supplicant_settings(&pki().member_p256, Some(version));
        let nobody = Supplicant::new(Settings { chain: Vec::new(), key: None, ..settings }).expect("good");
        assert_refused(&mut world, &nobody, Reason::NoCertificate, 116);
    }
}

#[test]
fn t03_with_somebody_elses_certificate_decrypt_error() {
    let mut world = World::new();
    for version in VERSIONS {
        let settings = supplicant_settings(&pki().revoked, Some(version));
        // Revoked or not: without its key nothing is said of a certificate.
        for stolen in [&pki().member_rsa, &pki().member_p256] {
            let settings = Settings { chain: chain(stolen), ..settings.clone() };
            let who = Supplicant::new(settings).expect("good");
            let report = world.log_in(&who, &station("JAIST", 1), false);
            assert_eq!((report.accepted, report.keys_agree), (false, None));
            assert_eq!((world.decided().1, report.alert_received), (Reason::BadSignature, Some(51)));
            assert_clean(&mut world);
        }
    }
}

#[test]
fn t04_a_stranger_a_self_signed_one_and_a_ca_of_the_same_name_are_unknown() {
    let mut world = World::new();
    let twin = authority(CA16, None);
    let own = authority(CA16, None);
    let self_signed = Made { chain: vec![own.der().to_vec()], ..Made::member(&own, |_| {}) };
    for version in VERSIONS {
        assert_refused(&mut world, &supplicant(&pki().stranger, Some(version)), Reason::UntrustedIssuer, 48);
        let of_twin = Made::member(&twin, |_| {}).with_chain([twin.der().to_vec()]);
        assert_refused(&mut world, &of_twin.supplicant(version), Reason::UntrustedIssuer, 48);
        // It doesn't even hold this key.
        let report = world.log_in(&self_signed.supplicant(version), &station("JAIST", 1), false);
        assert!(!report.accepted && report.keys_agree.is_none());
        assert_clean(&mut world);
    }
}

#[test]
fn t05_dates_out_of_bounds_are_refused_and_the_year_9999_is_none() {
    let mut world = World::new();
    for version in VERSIONS {
        for (years, reason) in [((2020, 2021), Reason::Expired), ((2091, 2092), Reason::NotYetValid)] {
            let dated = Made::member(&pki().ca16, |params| {
                params.not_before = date_time_ymd(years.0, 1, 1);
                params.not_after = date_time_ymd(years.1, 1, 1);
            });
            assert_refused(&mut world, &dated.supplicant(version), reason, 45);
        }
        let for_ever = Made::member(&pki().ca16, |params| params.not_after = date_time_ymd(9999, 12, 31));
        let report = accepted(&mut world, &for_ever.supplicant(version));
        let timeout = Packet::parse(&report.reply).expect("a packet").integer(Type::SESSION_TIMEOUT);
        assert!(timeout.is_some_and(|seconds| seconds <= 7 * 86_400), "{timeout:?}");
    }
}

#[test]
fn t07_too_long_a_chain_is_refused_before_it_is_read() {
    let mut world = World::new();
    let filler = pki().ca16.der().to_vec();
    for version in VERSIONS {
        // Seven fit into a message and are too many; a hundred don't fit.
        for (more, reason) in [(6, None), (99, Some(Reason::Malformed))] {
            let long = Made::member(&pki().ca16, |_| {}).with_chain(vec![filler.clone(); more]);
            let steps = world.steps;
            let report = world.log_in(&long.supplicant(version), &station("JAIST", 1), false);
            assert!(!report.accepted && report.keys_agree.is_none());
            assert_eq!(world.decided(), (Outcome::Reject, reason.unwrap_or(Reason::TlsFailure)), "{version} {more}");
            assert_eq!(world.steps - steps, if reason.is_some() { 1 } else { 2 });
            assert_clean(&mut world);
        }
    }
}

#[test]
fn t08_a_client_hello_of_one_octet_a_record_is_read_and_one_octet_a_fragment_runs_out_of_rounds() {
    for version in VERSIONS {
        let mut world = unfragmented_world();
        let who = unfragmented(&pki().member_p256, version);
        let walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, 1);
        let hello = tls_of(&eap_of(&walk.request)).to_vec();
        let records: Vec<u8> = hello[5..].iter().flat_map(|octet| [22, 3, 1, 0, 1, *octet]).collect();
        let mut hand = hand_after(&walk);
        let identifier = eap_of(walk.answers.last().expect("an answer"))[1];
        let answer = hand.ask(&mut world, &tls(identifier, 0, None, &records));
        assert_eq!((answer.code, tls_of(&answer.eap)[0], world.steps), (Code::ACCESS_CHALLENGE, 22, 1));

        let mut hand = Hand::here();
        let mut answer = hand.start(&mut world);
        for octet in hello {
            answer = hand.ask(&mut world, &tls(answer.next(), MORE, None, &[octet]));
            if answer.code != Code::ACCESS_CHALLENGE {
                break;
            }
        }
        assert!(answer.is_failure());
        assert_eq!((world.decided(), world.steps), ((Outcome::Reject, Reason::TooManyRounds), 1));
    }
}

#[test]
fn t08_close_notify_and_t10_messages_in_the_wrong_place_end_the_handshake() {
    let close_notify: &[u8] = &[21, 3, 3, 0, 2, 1, 0];
    let finished: &[u8] = &[22, 3, 3, 0, 16, 20, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let application_data: &[u8] = &[23, 3, 3, 0, 1, 0];
    for version in VERSIONS {
        for (rounds, words, reason) in [
            (1, close_notify, Reason::ClientAlert),
            (2, close_notify, Reason::ClientAlert),
            (1, finished, Reason::TlsFailure),
            (2, finished, Reason::TlsFailure),
            (1, application_data, Reason::TlsFailure),
            (2, application_data, Reason::TlsFailure),
        ] {
            let mut world = unfragmented_world();
            let who = unfragmented(&pki().member_p256, version);
            let walk = Walk::new(&world, &who, station("JAIST", 1), false).rounds(&mut world, rounds);
            let mut hand = hand_after(&walk);
            let identifier = eap_of(walk.answers.last().expect("an answer"))[1];
            let mut answer = hand.ask(&mut world, &tls(identifier, 0, None, words));
            if answer.code == Code::ACCESS_CHALLENGE {
                answer = hand.ask(&mut world, &tls(answer.next(), 0, None, &[]));
            }
            assert!(answer.is_failure());
            assert_eq!(world.decided(), (Outcome::Reject, reason), "{version} {rounds}");
            assert_eq!(world.steps, rounds);
            world.wait(Duration::from_secs(30));
            assert_clean(&mut world);
        }
    }
}

#[test]
fn p07_an_intermediate_that_no_table_names_is_refused_although_its_root_is_trusted() {
    let mut world = World::new();
    let sibling = authority("Evil sibling CA", Some(&pki().root_ca2));
    // One that has taken the name of the intermediate that is trusted, too.
    let namesake = authority(PUB_CA8, Some(&pki().root_ca2));
    for version in VERSIONS {
        for ca in [&sibling, &namesake] {
            let who = Made::member(ca, |_| {}).with_chain([ca.der().to_vec(), pki().root_ca2.der().to_vec()]);
            assert_refused(&mut world, &who.supplicant(version), Reason::UntrustedIssuer, 48);
        }
    }
}

#[test]
fn p08_names_that_could_be_somebody_elses_are_refused() {
    let mut world = World::new();
    let named = |common_name: &str| {
        let common_name = common_name.to_owned();
        Made::member(&pki().ca16, |params| {
            params.subject_alt_names.clear();
            params.distinguished_name.push(DnType::CommonName, common_name);
        })
    };
    let two = Made::member(&pki().ca16, |params| params.subject_alt_names.push(mail("hanako@jaist.ac.jp")));
    let hundred = Made::member(&pki().ca16, |params| {
        params.subject_alt_names = (0..100).map(|n| mail(&format!("jiro{n}@jaist.ac.jp"))).collect();
    });
    let bad = [
        (named("jiro\0"), Reason::Malformed),
        (named("\u{202e}orij"), Reason::Malformed),
        (named("jiro\n"), Reason::Malformed),
        (named(&"j".repeat(8_000)), Reason::Malformed),
        (hundred, Reason::Malformed),
        (two, Reason::IdentityAmbiguous),
    ];
    for version in VERSIONS {
        assert!(accepted(&mut world, &named("jiro").supplicant(version)).logged_in);
        for (made, reason) in &bad {
            assert_refused(&mut world, &made.supplicant(version), *reason, 46);
        }
    }
}
