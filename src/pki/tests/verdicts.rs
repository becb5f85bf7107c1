//! Facts and CRLs at a moment.

use std::sync::Arc;
use std::time::Duration;

use super::campus::*;
use super::make::*;
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::{AuthoritySettings, Crl, Distrust, Revocation, RevocationSource, Trust, Verdict, verdict};

/// The finding about a certificate of CA16 made from this draft, with `change` made to the authority's settings.
fn found(change: impl Fn(&mut AuthoritySettings), draft: &Draft) -> Verdict {
    let campus = Campus::new();
    let mut table = settings("ca16", &campus.ca16, &[]);
    change(&mut table);
    let trust = trust(&[table]);
    let revocation = Revocation::new(vec![load(&campus.ca16.crl(&fresh(1)), &trust)]);
    judge(&trust, &revocation, &campus.ca16.issue(draft))
}

fn finding(change: impl Fn(&mut AuthoritySettings), draft: &Draft) -> Reason {
    found(change, draft).finding
}

/// CA16's trust, a certificate with serial 7, and a revocation of these CRLs of CA16.
pub(super) struct Case {
    pub(super) campus: Campus,
    pub(super) trust: Trust,
    pub(super) leaf: Vec<u8>,
}

impl Case {
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl Fn(&mut AuthoritySettings)) -> Self {
        let campus = Campus::new();
        let mut tables = campus.settings();
        tables.iter_mut().for_each(change);
        let trust = trust(&tables);
        let leaf = campus.ca16.issue(&member(&[7]));
        Self { campus, trust, leaf }
    }

    fn load(&self, draft: &CrlDraft) -> Arc<Crl> {
        load(&self.campus.ca16.crl(draft), &self.trust)
    }

    pub(super) fn verdict(&self, crls: &[CrlDraft], now: Wall) -> Verdict {
        let revocation = Revocation::new(crls.iter().map(|draft| self.load(draft)).collect());
        verdict(&self.trust, &revocation, &facts(&self.trust, &self.leaf), now)
    }

    pub(super) fn finding(&self, crls: &[CrlDraft], now: Wall) -> Reason {
        self.verdict(crls, now).finding
    }
}

pub(super) fn listing(number: u8) -> CrlDraft {
    fresh(number).revoke(&[7], days(-2), Some(1))
}

#[test]
fn a_member_is_let_in_with_the_crl_as_evidence() {
    let verdict = found(|_| (), &member(&[7]));
    assert_eq!(verdict.finding, Reason::Ok);
    assert!(matches!(&verdict.evidence[..], [Evidence::Crl(crl)] if crl.number.as_deref() == Some("1")), "{verdict:?}");
}

#[test]
fn every_wanted_attribute_of_the_subject_must_be_there_and_all_its_values_right() {
    let subject = |attributes: &[(&str, &str)]| Draft { subject: name(attributes), ..member(&[7]) };
    let refused = [
        subject(&[("C", "JP"), ("O", "Another University"), ("CN", "x")]),
        subject(&[("C", "JP"), ("CN", "x")]),
        subject(&[("O", OURS), ("CN", "x")]),
        subject(&[("C", "JP"), ("O", &OURS.to_lowercase()), ("CN", "x")]),
        subject(&[("C", "JP"), ("O", &format!("{OURS} ")), ("CN", "x")]),
        subject(&[("C", "JP"), ("O", OURS), ("O", "Another University"), ("CN", "x")]),
    ];
    for draft in refused {
        assert_eq!(finding(|_| (), &draft), Reason::WrongOrganisation);
    }
    assert_eq!(finding(|_| (), &subject(&[("C", "JP"), ("O", OURS), ("O", OURS)])), Reason::Ok);
    let other = found(|_| (), &subject(&[("C", "JP"), ("O", "Another University")]));
    let evidence = Evidence::Organisation {
        attribute: "O".to_owned(),
        wanted: OURS.to_owned(),
        found: Some("Another University".to_owned()),
    };
    assert_eq!(other.evidence, [evidence]);
}

#[test]
fn of_several_organisational_units_one_is_enough() {
    let units = Draft { subject: name(&[("OU", "No 11"), ("OU", "Staff")]), ..member(&[7]) };
    let wanting =
        |unit: &'static str| move |table: &mut AuthoritySettings| table.subject = vec![("OU".into(), unit.into())];
    assert_eq!(finding(wanting("Staff"), &units), Reason::Ok);
    assert_eq!(finding(wanting("Guests"), &units), Reason::WrongOrganisation);
}

#[test]
fn every_required_purpose_must_be_named() {
    let with = |oids: &[&str]| member(&[7]).without("2.5.29.37").with(purposes(oids));
    let none = member(&[7]).without("2.5.29.37");
    assert_eq!(finding(|_| (), &with(&[EMAIL_PROTECTION])), Reason::WrongPurpose);
    assert_eq!(finding(|_| (), &with(&["2.5.29.37.0"])), Reason::WrongPurpose);
    assert_eq!(finding(|_| (), &with(&[EMAIL_PROTECTION, CLIENT_AUTH])), Reason::Ok);
    assert_eq!(finding(|_| (), &none), Reason::WrongPurpose);
    assert_eq!(finding(|table| table.purpose.require.clear(), &none), Reason::Ok);
    let both =
        |table: &mut AuthoritySettings| table.purpose.require = vec!["clientAuth".into(), "smartcardLogon".into()];
    assert_eq!(finding(both, &with(&[CLIENT_AUTH])), Reason::WrongPurpose);
    assert_eq!(finding(both, &with(&["1.3.6.1.4.1.311.20.2.2", CLIENT_AUTH])), Reason::Ok);
    let verdict = found(|_| (), &with(&[EMAIL_PROTECTION]));
    assert_eq!(verdict.evidence, [Evidence::Purposes(Some(vec!["emailProtection".to_owned()]))]);
}

#[test]
fn policies_may_be_required_and_refused() {
    let with = |oids: &[&str]| member(&[7]).with(policies(oids));
    let require = |table: &mut AuthoritySettings| table.purpose.policies = vec!["1.2.3".into(), "1.2.4".into()];
    let refuse = |table: &mut AuthoritySettings| table.purpose.refuse_policies = vec!["1.2.5".into()];
    assert_eq!(finding(require, &with(&["1.2.4", "1.2.9"])), Reason::Ok);
    assert_eq!(finding(require, &with(&["1.2.9"])), Reason::WrongPurpose);
    assert_eq!(finding(require, &with(&["2.5.29.32.0"])), Reason::WrongPurpose);
    assert_eq!(finding(refuse, &with(&["1.2.9"])), Reason::Ok);
    assert_eq!(finding(refuse, &with(&["1.2.9", "1.2.5"])), Reason::WrongPurpose);
}

#[test]
fn t05_dates_of_the_certificate_are_judged_inclusively() {
    let case = Case::with(|table| table.revocation = RevocationSource::Off);
    let at = |now| case.finding(&[], now);
    assert_eq!(at(Wall(days(-100).0 - 1)), Reason::NotYetValid);
    assert_eq!(at(days(-100)), Reason::Ok);
    assert_eq!(at(days(300)), Reason::Ok);
    assert_eq!(at(Wall(days(300).0 + 1)), Reason::Expired);
}

#[test]
fn an_expired_intermediate_or_anchor_ends_the_path() {
    let case = Case::with(|table| table.revocation = RevocationSource::Off);
    let leaf = |ca: &TestCa| ca.issue(&Draft { validity: validity(days(-100), days(9000)), ..member(&[7]) });
    let at = |ca: &TestCa, now| verdict(&case.trust, &Revocation::default(), &facts(&case.trust, &leaf(ca)), now);
    assert_eq!(at(&case.campus.pub_ca8, days(2999)).finding, Reason::Ok);
    let expired = at(&case.campus.pub_ca8, days(3001));
    assert_eq!(expired.finding, Reason::Expired);
    assert!(matches!(&expired.evidence[..], [Evidence::Validity { not_after, .. }, Evidence::Path(text)]
        if *not_after == days(3000) && text.contains("PUB CA8")));
    assert_eq!(at(&case.campus.ca16, days(4001)).finding, Reason::Expired);
}

#[test]
fn distrust_begins_at_its_date_and_concerns_what_was_issued_in_its_span() {
    let with = |from, issued_before, issued_after| {
        finding(|table| table.distrust = Some(Distrust { from, issued_before, issued_after }), &member(&[7]))
    };
    assert_eq!(with(days(1), None, None), Reason::Ok);
    assert_eq!(with(NOW, None, None), Reason::DistrustedAuthority);
    assert_eq!(with(NOW, Some(days(-100)), None), Reason::Ok);
    assert_eq!(with(NOW, Some(days(-99)), None), Reason::DistrustedAuthority);
    assert_eq!(with(NOW, None, Some(days(-100))), Reason::Ok);
    assert_eq!(with(NOW, None, Some(days(-101))), Reason::DistrustedAuthority);
    assert_eq!(with(NOW, Some(days(-99)), Some(days(-101))), Reason::DistrustedAuthority);
}

#[test]
fn a_distrust_that_is_ahead_is_evidence_for_whom_it_concerns() {
    let with = |from, issued_before| {
        let distrust = Distrust { from, issued_before, issued_after: None };
        found(move |table| table.distrust = Some(distrust), &member(&[7]))
    };
    let tells = |verdict: &Verdict| verdict.evidence.contains(&Evidence::Distrust { from: days(1) });
    let concerned = with(days(1), None);
    assert!(concerned.finding == Reason::Ok && tells(&concerned), "{concerned:?}");
    let other = with(days(1), Some(days(-100)));
    assert!(other.finding == Reason::Ok && !tells(&other), "{other:?}");
    let distrust = Some(Distrust { from: days(9), issued_before: None, issued_after: None });
    let case = Case::with(|table| (table.distrust, table.grace) = (distrust, Duration::from_secs(1 << 20)));
    let last = |crls: &[CrlDraft], now| case.verdict(crls, now).evidence.last().cloned();
    assert_eq!(last(&[fresh(1)], days(8)), Some(Evidence::Distrust { from: days(9) }), "under grace, too");
    assert!(matches!(last(&[], NOW), Some(Evidence::NoCrl(_))), "not where it is refused");
    let off = Case::with(|table| (table.distrust, table.revocation) = (distrust, RevocationSource::Off));
    assert_eq!(off.verdict(&[], NOW).evidence, [Evidence::Distrust { from: days(9) }]);
}

#[test]
fn a_remembered_chain_is_judged_by_dates_and_revocation_each_time() {
    let case = Case::new();
    let first = facts(&case.trust, &case.leaf);
    for (crl, now, finding) in [
        (fresh(1), NOW, Reason::Ok),
        (fresh(1), Wall(days(300).0 + 1), Reason::Expired),
        (listing(2), NOW, Reason::Revoked),
        (fresh(3), days(-101), Reason::NotYetValid),
        (fresh(3), NOW, Reason::Ok),
    ] {
        assert_eq!(case.finding(&[crl], now), finding);
        assert!(Arc::ptr_eq(&first, &facts(&case.trust, &case.leaf)), "the same entry of the cache");
    }
}

#[test]
fn r01_a_certificate_on_the_crl_is_revoked() {
    let case = Case::new();
    let verdict = case.verdict(&[listing(1)], NOW);
    assert_eq!(verdict.finding, Reason::Revoked);
    let entry = Evidence::Revoked { at: days(-2), reason: Some("keyCompromise"), intermediate: false };
    assert!(matches!(&verdict.evidence[..], [first, Evidence::Crl(_)] if *first == entry), "{verdict:?}");
    assert_eq!(case.finding(&[fresh(1).revoke(&[8], days(-2), None)], NOW), Reason::Ok);
}

#[test]
fn r01_revoked_wins_over_dates_distrust_and_the_age_of_the_crl() {
    let case =
        Case::with(|table| table.distrust = Some(Distrust { from: NOW, issued_before: None, issued_after: None }));
    for now in [days(-200), NOW, days(100), days(400)] {
        assert_eq!(case.finding(&[listing(1)], now), Reason::Revoked);
    }
    let no_end = CrlDraft { next_update: None, ..listing(1) };
    assert_eq!(case.finding(&[no_end], NOW), Reason::Revoked);
}

#[test]
fn r02_a_revoked_intermediate_takes_all_of_its_certificates_along() {
    let campus = Campus::new();
    let trust = campus.trust();
    let crls = [campus.root_ca2.crl(&fresh(1).revoke(&[8], days(-1), None)), campus.pub_ca8.crl(&fresh(1))];
    let revocation = Revocation::new(crls.iter().map(|crl| load(crl, &trust)).collect());
    let verdict = judge(&trust, &revocation, &campus.pub_ca8.issue(&member(&[7])));
    assert_eq!(verdict.finding, Reason::Revoked);
    assert!(verdict.evidence.contains(&Evidence::Revoked { at: days(-1), reason: None, intermediate: true }));
}

#[test]
fn r02_the_whole_path_but_the_anchor_needs_a_crl() {
    let campus = Campus::new();
    let trust = campus.trust();
    let leaf = campus.pub_ca8.issue(&member(&[7]));
    assert_eq!(judge(&trust, &campus.fresh_crls(&trust), &leaf).finding, Reason::Ok);
    for (only, missing) in [(&campus.pub_ca8, "RootCA2"), (&campus.root_ca2, "PUB CA8")] {
        let verdict = judge(&trust, &Revocation::new(vec![load(&only.crl(&fresh(1)), &trust)]), &leaf);
        assert_eq!(verdict.finding, Reason::RevocationUnknown);
        assert!(verdict.evidence.iter().any(|one| matches!(one, Evidence::NoCrl(issuer) if issuer.contains(missing))));
    }
}

#[test]
fn r03_a_crl_past_its_next_update_is_stale_but_for_the_grace() {
    let case = Case::with(|table| table.grace = Duration::from_secs(3600));
    let at = |seconds: i64| case.finding(&[fresh(1)], Wall(days(7).0 + seconds));
    assert_eq!(
        [at(0), at(1), at(3600), at(3601)],
        [Reason::Ok, Reason::OkGrace, Reason::OkGrace, Reason::RevocationStale]
    );
    let strict = Case::new();
    assert_eq!(strict.finding(&[fresh(1)], Wall(days(7).0 + 1)), Reason::RevocationStale);
    let stale = strict.verdict(&[fresh(1)], days(8));
    assert!(matches!(&stale.evidence[..], [Evidence::Crl(crl)] if crl.next_update == Some(days(7))));
}

#[test]
fn r03_a_crl_that_names_no_next_update_is_never_fresh() {
    let case = Case::with(|table| table.grace = Duration::from_secs(u64::MAX));
    let no_end = CrlDraft { next_update: None, ..fresh(1) };
    assert_eq!(case.finding(&[no_end], NOW), Reason::RevocationStale);
}

#[test]
fn r03_a_crl_whose_time_has_not_come_says_nothing_but_revoked() {
    let case = Case::new();
    let ahead = CrlDraft { this_update: days(1), ..fresh(2) };
    assert_eq!(case.finding(std::slice::from_ref(&ahead), NOW), Reason::RevocationUnknown);
    assert_eq!(case.finding(&[fresh(1), ahead.clone()], NOW), Reason::Ok, "the one before it still counts");
    assert_eq!(case.finding(&[fresh(1), ahead.revoke(&[7], days(-2), None)], NOW), Reason::Revoked);
    let skewed = CrlDraft { this_update: Wall(NOW.0 + 299), ..fresh(2) };
    assert_eq!(case.finding(&[skewed], NOW), Reason::Ok, "clocks may differ by five minutes");
}

#[test]
fn r04_without_a_crl_nothing_is_known() {
    assert_eq!(Case::new().finding(&[], NOW), Reason::RevocationUnknown);
}

#[test]
fn r05_a_crl_of_another_key_of_the_same_name_says_nothing_of_this_one() {
    let case = Case::new();
    let rolled = TestCa::root(case.campus.ca16.name.clone(), days(-10), days(1000));
    let mut tables = case.campus.settings();
    tables.push(settings("ca16-new", &rolled, &[]));
    let trust = trust(&tables);
    let of = |ca: &TestCa, draft: &CrlDraft| load(&ca.crl(draft), &trust);
    let facts_of = facts(&trust, &case.leaf);
    let only_new = Revocation::new(vec![of(&rolled, &listing(9))]);
    assert_eq!(verdict(&trust, &only_new, &facts_of, NOW).finding, Reason::RevocationUnknown);
    let both = Revocation::new(vec![of(&rolled, &listing(9)), of(&case.campus.ca16, &fresh(1))]);
    assert_eq!(verdict(&trust, &both, &facts_of, NOW).finding, Reason::Ok);
}

#[test]
fn r06_of_two_crls_the_higher_number_counts_and_without_numbers_the_later_one() {
    let case = Case::new();
    assert_eq!(case.finding(&[listing(1), fresh(2)], NOW), Reason::Ok, "it has been taken off");
    assert_eq!(case.finding(&[fresh(2), listing(1)], NOW), Reason::Ok);
    assert_eq!(case.finding(&[fresh(1), listing(2)], NOW), Reason::Revoked);
    let revoked = || CrlDraft { entries: vec![entry(&[7], days(-2), None)], ..fresh(0) };
    let version_1 = |draft, this_update| CrlDraft { version_2: false, this_update, extensions: Vec::new(), ..draft };
    let (older, later) = (version_1(fresh(0), days(-3)), version_1(revoked(), days(-1)));
    assert_eq!(case.finding(&[later, older], NOW), Reason::Revoked);
    assert_eq!(case.finding(&[version_1(revoked(), days(-3)), version_1(fresh(0), days(-1))], NOW), Reason::Ok);
}

#[test]
fn sources_are_asked_in_their_order_and_off_asks_none() {
    let of = |source| Case::with(move |table| table.revocation = source);
    for source in [RevocationSource::Crl, RevocationSource::CrlThenOcsp, RevocationSource::OcspThenCrl] {
        assert_eq!(of(source).finding(&[fresh(1)], NOW), Reason::Ok);
        assert_eq!(of(source).finding(&[], NOW), Reason::RevocationUnknown);
    }
    let ocsp = of(RevocationSource::Ocsp);
    assert_eq!(ocsp.finding(&[fresh(1)], NOW), Reason::RevocationUnknown);
    assert_eq!(ocsp.finding(&[listing(1)], NOW), Reason::Revoked, "known from whichever source");
    let off = of(RevocationSource::Off).verdict(&[listing(1)], NOW);
    assert_eq!((off.finding, off.evidence.len()), (Reason::Ok, 0));
}

#[test]
fn the_order_of_findings_is_that_of_the_contract() {
    let case = Case::new();
    let stranger = Draft { subject: name(&[("O", "Another University")]), ..member(&[7]) };
    let trust = &case.trust;
    let revocation = Revocation::new(vec![case.load(&listing(1))]);
    let mail_only = |draft: Draft| draft.without("2.5.29.37").with(purposes(&[EMAIL_PROTECTION]));
    let finding = |draft: &Draft| judge(trust, &revocation, &case.campus.ca16.issue(draft)).finding;
    assert_eq!(finding(&mail_only(stranger)), Reason::WrongOrganisation);
    assert_eq!(finding(&mail_only(member(&[7]))), Reason::WrongPurpose);
    let stale = |draft: &Draft| {
        let leaf = case.campus.ca16.issue(draft);
        verdict(trust, &revocation, &facts(trust, &leaf), days(50)).finding
    };
    assert_eq!(stale(&Draft { validity: validity(days(-10), days(1)), ..member(&[6]) }), Reason::Expired);
    assert_eq!(stale(&member(&[6])), Reason::RevocationStale);
}

#[test]
fn facts_whose_authority_is_gone_are_untrusted() {
    let case = Case::new();
    let facts = facts(&case.trust, &case.leaf);
    let without = trust(&case.campus.settings()[1..]);
    assert_eq!(verdict(&without, &Revocation::default(), &facts, NOW).finding, Reason::UntrustedIssuer);
}

#[test]
fn gaps_name_each_ca_whose_crl_is_missing_or_old() {
    let campus = Campus::new();
    let trust = trust(&campus.settings()[..2]);
    let gaps = |revocation: &Revocation, now| -> Vec<_> {
        let gaps = trust.coverage(revocation, &nobody, now).into_iter().flat_map(|coverage| coverage.gaps);
        gaps.map(|gap| (gap.authority.to_string(), gap.issuer.contains("RootCA2"), gap.finding)).collect()
    };
    let all = |finding| {
        [("ca16", false), ("pub-ca8", false), ("pub-ca8", true)]
            .map(|(name, root)| (name.to_owned(), root, finding))
            .to_vec()
    };
    assert_eq!(gaps(&Revocation::default(), NOW), all(Reason::RevocationUnknown));
    let fresh = campus.fresh_crls(&trust);
    assert_eq!(gaps(&fresh, NOW), []);
    assert_eq!(gaps(&fresh, days(8)), all(Reason::RevocationStale));
    assert_eq!(trust.coverage(&fresh, &nobody, days(8))[0].gaps[0].next_update, Some(days(7)));
}

#[test]
fn r26_a_wall_clock_that_is_wrong_shows_in_readiness_until_it_is_right_again() {
    let campus = Campus::new();
    let trust = trust(&campus.settings()[..1]);
    let revocation = Revocation::new(vec![load(&campus.ca16.crl(&CrlDraft { this_update: NOW, ..fresh(1) }), &trust)]);
    let at = |now| -> Vec<_> {
        let coverage = trust.coverage(&revocation, &nobody, now);
        coverage.iter().map(|one| (one.decides, one.gaps.first().map(|gap| gap.finding))).collect()
    };
    assert_eq!(at(NOW), [(true, None)]);
    assert_eq!(at(days(365)), [(false, Some(Reason::RevocationStale))]);
    assert_eq!(at(days(-1)), [(false, Some(Reason::RevocationUnknown))]);
    assert_eq!(at(days(25 * 365)), [(false, Some(Reason::RevocationStale))]);
    assert_eq!(at(NOW), [(true, None)]);
}

/// No CA has a responder that could be asked.
pub(super) fn nobody(_: &str, _: &[u8; 32]) -> bool {
    false
}

#[test]
fn a_responder_that_can_be_asked_leaves_no_gap_where_the_authority_consults_ocsp() {
    let campus = Campus::new();
    let gaps = |source, crls: &[&TestCa], now, askable: &dyn Fn(&str, &[u8; 32]) -> bool| -> Vec<_> {
        let table = AuthoritySettings {
            revocation: source,
            grace: Duration::from_secs(3_600),
            ..settings("below", &campus.root_ca2, &[&campus.pub_ca8])
        };
        let trust = trust(&[table]);
        let revocation = Revocation::new(crls.iter().map(|ca| load(&ca.crl(&fresh(1)), &trust)).collect());
        let coverage = trust.coverage(&revocation, askable, now);
        let [coverage] = coverage.as_slice() else { panic!("{coverage:?}") };
        let gaps = coverage.gaps.iter().map(|gap| (gap.finding, gap.wants_crl, gap.wants_responder));
        std::iter::once((Reason::Ok, coverage.decides, coverage.decides)).chain(gaps).collect()
    };
    let (both, users, none) = ([&campus.root_ca2, &campus.pub_ca8], [&campus.pub_ca8], [].as_slice());
    let everybody = |authority: &str, _: &[u8; 32]| authority == "below";
    let (ready, not_ready) = ((Reason::Ok, true, true), (Reason::Ok, false, false));
    let unknown = |crl, ocsp| (Reason::RevocationUnknown, crl, ocsp);
    for source in [RevocationSource::CrlThenOcsp, RevocationSource::OcspThenCrl] {
        assert_eq!(gaps(source, none, NOW, &everybody), [ready]);
        assert_eq!(gaps(source, none, NOW, &nobody), [not_ready, unknown(true, true), unknown(true, true)]);
        assert_eq!(gaps(source, &both, NOW, &nobody), [ready]);
        assert_eq!(gaps(source, &both, days(8), &everybody), [ready], "the CRLs are stale");
        assert_eq!(gaps(source, &both, Wall(days(7).0 + 1), &everybody), [ready], "within grace");
    }
    assert_eq!(
        gaps(RevocationSource::Ocsp, &both, NOW, &nobody),
        [not_ready, unknown(false, true), unknown(false, true)]
    );
    assert_eq!(gaps(RevocationSource::Ocsp, none, NOW, &everybody), [ready]);
    let none_for_crl = gaps(RevocationSource::Crl, none, NOW, &everybody);
    assert_eq!(none_for_crl, [not_ready, unknown(true, false), unknown(true, false)]);
    assert_eq!(gaps(RevocationSource::Off, none, NOW, &nobody), [ready]);
    // A responder of one of its CAs is none of the other.
    let root = {
        let trust = trust(&[settings("below", &campus.root_ca2, &[&campus.pub_ca8])]);
        facts(&trust, &campus.pub_ca8.issue(&member(&[7]))).links[1].issuer
    };
    let for_root = |_: &str, ca: &[u8; 32]| *ca == root;
    assert_eq!(gaps(RevocationSource::CrlThenOcsp, &users, NOW, &for_root), [ready]);
    assert_eq!(gaps(RevocationSource::CrlThenOcsp, none, NOW, &for_root), [not_ready, unknown(true, true)]);
}
