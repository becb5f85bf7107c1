//! CRLs that are about some certificates, some reasons or some changes only.

use super::campus::*;
use super::make::*;
use super::verdicts::{Case, listing};
use crate::event::Reason;
use crate::pki::{Facts, Revocation};

#[test]
fn r09_a_crl_for_cas_or_users_only_covers_those_only() {
    let campus = Campus::new();
    let trust = campus.trust();
    let users = issuing_distribution_point(&[&der(0x81, &[&[0xff]])]);
    let cas = issuing_distribution_point(&[&der(0x82, &[&[0xff]])]);
    let with = |leaf_scope: &[u8], ca_scope: &[u8]| {
        let crls = [
            campus.pub_ca8.crl(&fresh(1).with(leaf_scope.to_vec())),
            campus.root_ca2.crl(&fresh(1).with(ca_scope.to_vec())),
        ];
        let revocation = Revocation::new(crls.iter().map(|crl| load(crl, &trust)).collect());
        judge(&trust, &revocation, &campus.pub_ca8.issue(&member(&[7]))).finding
    };
    assert_eq!(with(&users, &cas), Reason::Ok);
    assert_eq!(with(&cas, &cas), Reason::RevocationUnknown);
    assert_eq!(with(&users, &users), Reason::RevocationUnknown);
}

#[test]
fn r09_a_partitioned_crl_covers_certificates_that_name_its_point() {
    let mut case = Case::new();
    let partition = |draft: CrlDraft, address: &str| draft.with(issuing_distribution_point(&[&point(address)]));
    let one = partition(fresh(1), "http://crl.example/1");
    assert_eq!(
        case.finding(std::slice::from_ref(&one), NOW),
        Reason::RevocationUnknown,
        "the certificate names no point"
    );
    let named = |addresses: &[&str]| member(&[7]).with(distribution_points(addresses));
    case.leaf = case.campus.ca16.issue(&named(&["http://crl.example/1"]));
    assert_eq!(case.finding(std::slice::from_ref(&one), NOW), Reason::Ok);
    case.leaf = case.campus.ca16.issue(&named(&["ldap://crl.example/1", "http://crl.example/1"]));
    assert_eq!(case.finding(std::slice::from_ref(&one), NOW), Reason::Ok);
    case.leaf = case.campus.ca16.issue(&named(&["http://crl.example/2"]));
    assert_eq!(case.finding(std::slice::from_ref(&one), NOW), Reason::RevocationUnknown);
    let listed_elsewhere = partition(listing(1), "http://crl.example/1");
    let own = partition(fresh(1), "http://crl.example/2");
    assert_eq!(case.finding(&[own, listed_elsewhere], NOW), Reason::Revoked, "revoked is never overlooked");
}

#[test]
fn r09_a_crl_for_some_reasons_can_only_revoke() {
    let case = Case::new();
    let some = issuing_distribution_point(&[&der(0x83, &[&[6, 0x40]])]);
    assert_eq!(case.finding(&[fresh(1).with(some.clone())], NOW), Reason::RevocationUnknown);
    assert_eq!(case.finding(&[fresh(1).with(some.clone()), fresh(1)], NOW), Reason::Ok);
    assert_eq!(case.finding(&[listing(1).with(some), fresh(1)], NOW), Reason::Revoked);
}

#[test]
fn r09_a_delta_crl_revokes_until_a_complete_one_has_its_changes() {
    let case = Case::new();
    let delta = |draft: CrlDraft| draft.with(extension("2.5.29.27", true, &[2, 1, 1]));
    assert_eq!(case.finding(&[delta(fresh(3))], NOW), Reason::RevocationUnknown);
    assert_eq!(case.finding(&[delta(listing(3)), fresh(2)], NOW), Reason::Revoked);
    assert_eq!(case.finding(&[delta(listing(3)), fresh(3)], NOW), Reason::Ok);
    let ahead = CrlDraft { this_update: days(1), ..fresh(3) };
    assert_eq!(case.finding(&[delta(listing(3)), fresh(2), ahead], NOW), Reason::Revoked);
    let users = issuing_distribution_point(&[&der(0x81, &[&[0xff]])]);
    assert_eq!(case.finding(&[delta(listing(3)).with(users), fresh(3)], NOW), Reason::Revoked, "of another scope");
}

/// Number and BaseCRLNumber of a delta CRL.
fn delta(draft: CrlDraft, base: u8) -> CrlDraft {
    draft.with(extension("2.5.29.27", true, &[2, 1, base]))
}

#[test]
fn r09_a_delta_crl_ends_a_hold_and_nothing_else() {
    let case = Case::new();
    let held = || fresh(2).revoke(&[7], days(-2), Some(6));
    let release = |number| fresh(number).revoke(&[7], days(-1), Some(8));
    assert_eq!(case.finding(&[held()], NOW), Reason::Revoked);
    assert_eq!(case.finding(&[held(), delta(release(3), 2)], NOW), Reason::Ok);
    assert_eq!(case.finding(&[held(), delta(release(3), 1)], NOW), Reason::Ok, "an older base");
    assert_eq!(case.finding(&[listing(2), delta(release(3), 2)], NOW), Reason::Revoked, "for good");
    let twice = held().revoke(&[7], days(-1), Some(1));
    assert_eq!(case.finding(&[twice, delta(release(3), 2)], NOW), Reason::Revoked, "on hold, then for good");
    assert_eq!(case.finding(&[held(), delta(release(4), 3)], NOW), Reason::Revoked, "changes since a later base");
    assert_eq!(case.finding(&[held(), delta(release(2), 1)], NOW), Reason::Revoked, "not newer");
    let users = issuing_distribution_point(&[&der(0x81, &[&[0xff]])]);
    assert_eq!(case.finding(&[held(), delta(release(3), 2).with(users)], NOW), Reason::Revoked, "of another scope");
    let ahead = CrlDraft { this_update: days(1), ..delta(release(3), 2) };
    assert_eq!(case.finding(&[held(), ahead], NOW), Reason::Revoked, "its time hasn't come");
    let long = CrlDraft { next_update: Some(days(50)), ..held() };
    assert_eq!(case.finding(&[long, delta(release(3), 2)], days(8)), Reason::Revoked, "it is past its end");
    let both = delta(release(3).revoke(&[7], days(0), Some(1)), 2);
    assert_eq!(case.finding(&[held(), both], NOW), Reason::Revoked, "released and revoked");
    let again = delta(fresh(4).revoke(&[7], days(-1), Some(6)), 2);
    assert_eq!(case.finding(&[held(), delta(release(3), 2), again], NOW), Reason::Revoked, "on hold again");
}

#[test]
fn r09_a_complete_crl_with_its_delta_is_as_fresh_as_the_fresher_of_both() {
    let case = Case::new();
    let until = |draft: CrlDraft, day| CrlDraft { next_update: Some(days(day)), ..draft };
    let at = |complete, change, base| {
        let crls = [until(fresh(2), complete), delta(until(fresh(3), change), base)];
        case.verdict(&crls, days(5))
    };
    assert_eq!(at(7, 9, 2).finding, Reason::Ok);
    let over = at(1, 9, 2);
    assert_eq!((over.finding, over.evidence.len()), (Reason::Ok, 2), "both are evidence");
    assert_eq!(at(7, 1, 2).finding, Reason::Ok);
    assert_eq!(at(1, 1, 2).finding, Reason::RevocationStale);
    assert_eq!(at(1, 9, 3).finding, Reason::RevocationStale, "changes since a later base");
}

#[test]
fn r09_crls_for_some_reasons_count_when_they_are_about_all_together() {
    let mut case = Case::new();
    let some = |draft: CrlDraft, flags: &[u8]| draft.with(issuing_distribution_point(&[&der(0x83, &[flags])]));
    let compromise = || some(fresh(1), &[5, 0x60]);
    let others = || some(fresh(2), &[7, 0x9f, 0x80]);
    assert_eq!(case.finding(&[compromise()], NOW), Reason::RevocationUnknown);
    assert_eq!(case.finding(&[compromise(), others()], NOW), Reason::Ok);
    assert_eq!(
        case.finding(&[compromise(), some(fresh(2), &[0, 0x9f])], NOW),
        Reason::RevocationUnknown,
        "all but aACompromise"
    );
    let old = CrlDraft { next_update: Some(days(-1)), ..others() };
    assert_eq!(case.finding(&[compromise(), old.clone()], NOW), Reason::RevocationStale, "as old as the oldest");
    assert_eq!(case.finding(&[compromise(), old, fresh(3)], NOW), Reason::Ok, "one about all is fresher");
    assert_eq!(case.finding(&[compromise(), others().revoke(&[7], days(-2), Some(4))], NOW), Reason::Revoked);
    // A point may be for some reasons although the CRL under it is about all.
    let reasons = der(0x81, &[&[5, 0x60]]);
    let place = der(0x30, &[&point("http://crl.example/1"), &reasons]);
    case.leaf = case.campus.ca16.issue(&member(&[7]).with(extension("2.5.29.31", false, &der(0x30, &[&place]))));
    let partition = fresh(1).with(issuing_distribution_point(&[&point("http://crl.example/1")]));
    assert_eq!(case.finding(std::slice::from_ref(&partition), NOW), Reason::RevocationUnknown);
    assert_eq!(case.finding(&[partition, others()], NOW), Reason::Ok);
}

#[test]
fn r09_a_point_may_be_named_relative_to_the_crls_issuer() {
    let mut case = Case::new();
    let attribute = |cn: &[u8]| der(0x30, &[&oid("2.5.4.3"), &der(0x0c, &[cn])]);
    let relative = |cn: &[u8]| der(0xa0, &[&der(0xa1, &[&attribute(cn)])]);
    let full = |cn: &[u8]| {
        let above = case.campus.ca16.name.get(2..).expect("a name");
        let name = der(0x30, &[above, &der(0x31, &[&attribute(cn)])]);
        der(0xa0, &[&der(0xa0, &[&der(0xa4, &[&name])])])
    };
    let points = |place: &[u8]| extension("2.5.29.31", false, &der(0x30, &[&der(0x30, &[place])]));
    let crl = |place: &[u8]| fresh(1).with(issuing_distribution_point(&[place]));
    let (one, one_in_full, other) = (relative(b"1"), full(b"1"), relative(b"2"));
    for place in [&one, &one_in_full] {
        case.leaf = case.campus.ca16.issue(&member(&[7]).with(points(place)));
        assert_eq!(case.finding(&[crl(&one)], NOW), Reason::Ok);
        assert_eq!(case.finding(&[crl(&one_in_full)], NOW), Reason::Ok);
        assert_eq!(case.finding(&[crl(&other)], NOW), Reason::RevocationUnknown);
    }
}

#[test]
fn r09_a_negative_serial_is_not_the_positive_one_of_the_same_octets() {
    let mut case = Case::new();
    let listing = |serial: &[u8]| fresh(1).revoke(serial, days(-2), None);
    for (serial, other) in [(&[0xff][..], &[0, 0xff][..]), (&[0, 0xff], &[0xff]), (&[0x80], &[0, 0x80])] {
        case.leaf = case.campus.ca16.issue(&member(serial));
        assert_eq!(case.finding(&[listing(other)], NOW), Reason::Ok, "{serial:02x?}");
        assert_eq!(case.finding(&[listing(serial)], NOW), Reason::Revoked, "{serial:02x?}");
        let ticket = facts(&case.trust, &case.leaf).encode();
        assert!(Facts::decode(&ticket, &case.trust).is_some());
    }
}
