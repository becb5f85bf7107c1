//! Facts in a ticket.

use super::campus::*;
use super::make::*;
use crate::pki::{Facts, Imprint, Revocation, condemned, verdict};
use proptest::prelude::*;

#[test]
fn facts_come_back_as_they_were_and_small() {
    let campus = Campus::new();
    let trust = campus.trust();
    let rich = member(&[7])
        .with(policies(&["1.2.3.4"]))
        .with(distribution_points(&["http://crl.example/1"]))
        .without("2.5.29.17")
        .with(alt_names(&[email("a@b"), principal("c"), der(0x82, &[b"d.e"]), der(0x86, &[b"f:g"])]));
    for draft in [member(&[7]), rich, member(&[7]).without("2.5.29.37")] {
        for ca in [&campus.ca16, &campus.pub_ca8] {
            let facts = facts(&trust, &ca.issue(&draft));
            let ticket = facts.encode();
            assert_eq!(Facts::decode(&ticket, &trust), Some(without_places(&facts)));
            assert!(ticket.len() < 260, "{} octets", ticket.len());
        }
    }
}

#[test]
fn r09_points_for_some_reasons_and_with_a_crl_issuer_come_back() {
    let campus = Campus::new();
    let trust = campus.trust();
    let issuer = der(0xa2, &[&der(0xa4, &[&campus.root_ca2.name])]);
    let reasons = der(0x81, &[&[5, 0x60]]);
    let place = point("http://crl.example/1");
    let points = [vec![], reasons.clone(), issuer.clone(), [reasons, issuer].concat()];
    let points: Vec<_> = points.iter().map(|more| der(0x30, &[&place, more])).collect();
    let points = extension("2.5.29.31", false, &der(0x30, &[&points.concat()]));
    let facts = facts(&trust, &campus.ca16.issue(&member(&[7]).with(points)));
    assert_eq!(facts.links.first().map(|link| link.points.len()), Some(4));
    assert_eq!(Facts::decode(&facts.encode(), &trust), Some(without_places(&facts)));
}

#[test]
fn a_ticket_survives_a_reload_but_not_the_end_of_its_authority() {
    let campus = Campus::new();
    let ticket = facts(&campus.trust(), &campus.pub_ca8.issue(&member(&[7]))).encode();
    assert!(Facts::decode(&ticket, &campus.trust()).is_some());
    assert_eq!(Facts::decode(&ticket, &trust(&campus.settings()[..1])), None);
}

#[test]
fn a_ticket_of_another_version_or_cut_short_or_longer_is_none() {
    let campus = Campus::new();
    let trust = campus.trust();
    let ticket = facts(&trust, &campus.ca16.issue(&member(&[7]))).encode();
    for length in 0..ticket.len() {
        assert_eq!(Facts::decode(&ticket[..length], &trust), None);
    }
    assert_eq!(Facts::decode(&[&ticket[..], &[0]].concat(), &trust), None);
    let mut other = ticket;
    other[0] = 99;
    assert_eq!(Facts::decode(&other, &trust), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_change_to_a_ticket_is_read_without_a_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        thread_local! {
            static CASE: (crate::pki::Trust, Vec<u8>) = {
                let campus = Campus::new();
                let trust = campus.trust();
                let ticket = facts(&trust, &campus.pub_ca8.issue(&member(&[7]))).encode();
                (trust, ticket)
            };
        }
        CASE.with(|(trust, ticket)| {
            let mut ticket = ticket.clone();
            for (index, value) in changes {
                let index = index.index(ticket.len());
                ticket[index] = value;
            }
            if let Some(facts) = Facts::decode(&ticket, trust) {
                prop_assert_eq!(Facts::decode(&facts.encode(), trust), Some(facts));
            }
            Ok(())
        })?;
    }
}

#[test]
fn an_imprint_is_small_comes_back_from_a_database_and_condemns_as_the_whole_does() {
    let campus = Campus::new();
    let trust = campus.trust();
    let leaf = campus.ca16.issue(&member(&[0x11; 16]).with(distribution_points(&["http://crl.invalid/ca16.crl"])));
    let facts = facts(&trust, &leaf);
    let imprint = Imprint::from(&*facts);
    assert!(imprint.weight() <= 200, "{}", imprint.weight());
    let octets = imprint.encode();
    assert_eq!(Imprint::decode(&octets), Some(imprint.clone()));
    for length in 0..octets.len() {
        assert_eq!(Imprint::decode(&octets[..length]), None, "{length}");
    }
    assert_eq!((imprint.fingerprint(), imprint.serial()), (&facts.fingerprint, facts.serial.as_slice()));
    let crl = load(&campus.ca16.crl(&fresh(2).revoke(&[0x11; 16], days(-1), None)), &trust);
    let revocation = Revocation::new(vec![crl]);
    let whole = verdict(&trust, &revocation, &facts, NOW);
    assert_eq!(condemned(&trust, &revocation, &imprint, NOW), Some(whole));
    assert_eq!(condemned(&trust, &campus.fresh_crls(&trust), &imprint, NOW), None);
}
