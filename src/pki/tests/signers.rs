//! CRLs that others sign than the key that issued the certificate.

use super::campus::*;
use super::make::*;
use super::verdicts::nobody;
use crate::event::Reason;
use crate::now::Wall;
use crate::pki::{AuthoritySettings, Revocation, Trust};

const CERTIFICATE_ISSUER: &str = "2.5.29.29";

/// Who signs CRLs and nothing else.
fn signer_draft(subject: &[u8], key: &Key, serial: &[u8]) -> Draft {
    Draft::new(subject.to_vec(), serial, key.spki(), days(-10), days(10)).with(key_usage(CRL_SIGN))
}

fn signer(issuer: &TestCa, subject: Vec<u8>, serial: &[u8]) -> TestCa {
    let key = Key::p256();
    let der = issuer.issue(&signer_draft(&subject, &key, serial));
    TestCa { name: subject, key, der }
}

fn finding(trust: &Trust, crls: &[Vec<u8>], leaf: &[u8]) -> Reason {
    finding_at(trust, crls, leaf, NOW)
}

fn finding_at(trust: &Trust, crls: &[Vec<u8>], leaf: &[u8], now: Wall) -> Reason {
    let revocation = Revocation::new(crls.iter().map(|crl| load(crl, trust)).collect());
    crate::pki::verdict(trust, &revocation, &facts(trust, leaf), now).finding
}

fn directory_name(name: &[u8]) -> Vec<u8> {
    der(0xa4, &[name])
}

/// cRLDistributionPoints with one point that names only who signs its CRLs.
fn named(signer: &[u8]) -> Vec<u8> {
    let point = der(0x30, &[&der(0xa2, &[&directory_name(signer)])]);
    extension("2.5.29.31", false, &der(0x30, &[&point]))
}

fn indirect(draft: CrlDraft) -> CrlDraft {
    draft.with(issuing_distribution_point(&[&der(0x84, &[&[0xff]])]))
}

/// An entry that says who issued the certificate.
fn of(issuer: &[u8], serial: &[u8]) -> Vec<u8> {
    let names = der(0x30, &[&directory_name(issuer)]);
    entry(serial, days(-2), Some(extension(CERTIFICATE_ISSUER, true, &names)))
}

/// PUB CA8 with a CRL key of its own, both below the root.
struct Separate {
    campus: Campus,
    crl_key: TestCa,
    trust: Trust,
}

impl Separate {
    fn new() -> Self {
        let campus = Campus::new();
        let crl_key = signer(&campus.root_ca2, campus.pub_ca8.name.clone(), &[77]);
        let trust = trust(&[settings("one", &campus.root_ca2, &[&campus.pub_ca8, &crl_key])]);
        Self { campus, crl_key, trust }
    }

    fn finding(&self, root: &CrlDraft, own: &CrlDraft, now: Wall) -> Reason {
        let crls = [self.campus.root_ca2.crl(root), self.crl_key.crl(own)];
        finding_at(&self.trust, &crls, &self.campus.pub_ca8.issue(&member(&[7])), now)
    }
}

#[test]
fn r05_a_crl_key_of_its_own_speaks_for_the_ca_of_its_name() {
    let case = Separate::new();
    assert_eq!(case.finding(&fresh(1), &fresh(1), NOW), Reason::Ok);
    assert_eq!(case.finding(&fresh(1), &fresh(1).revoke(&[7], days(-2), None), NOW), Reason::Revoked);
    assert_eq!(case.finding(&fresh(1).revoke(&[77], days(-2), None), &fresh(1), NOW), Reason::RevocationUnknown);
    let long = CrlDraft { next_update: Some(days(50)), ..fresh(1) };
    assert_eq!(case.finding(&long, &long, days(9)), Reason::Ok);
    assert_eq!(case.finding(&long, &long, days(11)), Reason::RevocationUnknown, "the signer's certificate has expired");
}

#[test]
fn r05_a_crl_key_issues_no_certificates_and_counts_below_its_own_anchor_only() {
    let case = Separate::new();
    assert!(case.trust.facts(&[&case.crl_key.issue(&member(&[7]))]).is_err());
    let other_root = TestCa::root(name(&[("CN", "Other root")]), days(-10), days(1000));
    let stranger = signer(&other_root, case.campus.pub_ca8.name.clone(), &[5]);
    let tables =
        [settings("one", &case.campus.root_ca2, &[&case.campus.pub_ca8]), settings("two", &other_root, &[&stranger])];
    let listing = stranger.crl(&fresh(1).revoke(&[7], days(-2), None));
    let mut crls = vec![case.campus.root_ca2.crl(&fresh(1)), other_root.crl(&fresh(1)), listing];
    let leaf = case.campus.pub_ca8.issue(&member(&[7]));
    assert_eq!(finding(&trust(&tables), &crls, &leaf), Reason::RevocationUnknown);
    crls.push(case.campus.pub_ca8.crl(&fresh(1)));
    assert_eq!(finding(&trust(&tables), &crls, &leaf), Reason::Ok, "what it lists is of another CA");
}

#[test]
fn r05_a_crl_signer_must_be_issued_by_a_ca_of_its_table() {
    let campus = Campus::new();
    let stray = signer(&campus.ca16, campus.pub_ca8.name.clone(), &[77]);
    let table = settings("one", &campus.root_ca2, &[&campus.pub_ca8, &stray]);
    assert!(Trust::new(&[table], NOW).is_err());
    let below_itself = signer(&campus.pub_ca8, campus.pub_ca8.name.clone(), &[77]);
    let table = settings("one", &campus.root_ca2, &[&campus.pub_ca8, &below_itself]);
    let trust = trust(&[table]);
    assert!(trust.facts(&[&campus.pub_ca8.issue(&member(&[7]))]).is_ok(), "the CA still issues users' certificates");
    assert!(trust.facts(&[&campus.root_ca2.issue(&member(&[7]))]).is_err(), "the anchor doesn't");
}

#[test]
fn r05_a_crl_of_the_rolled_key_counts_where_the_issuers_own_key_signs_none() {
    let campus = Campus::new();
    let old = campus.pub_ca8.intermediate(campus.pub_ca8.name.clone(), &[9], days(-10), days(10));
    let trust = trust(&[settings("one", &campus.root_ca2, &[&campus.pub_ca8, &old])]);
    let leaf = old.issue(&member(&[7]));
    let root = || campus.root_ca2.crl(&fresh(1));
    let listing = fresh(1).revoke(&[7], days(-2), None);
    assert_eq!(finding(&trust, &[root(), campus.pub_ca8.crl(&fresh(1))], &leaf), Reason::Ok);
    assert_eq!(finding(&trust, &[root(), campus.pub_ca8.crl(&listing)], &leaf), Reason::Revoked);
    let (new, own) = (campus.pub_ca8.crl(&fresh(1)), old.crl(&fresh(1)));
    let later = days(5);
    assert_eq!(finding_at(&trust, &[root(), new, own], &leaf, later), Reason::Ok);
    let stale_own = old.crl(&CrlDraft { next_update: Some(days(1)), ..fresh(1) });
    let crls = [root(), campus.pub_ca8.crl(&fresh(1)), stale_own];
    assert_eq!(finding_at(&trust, &crls, &leaf, later), Reason::RevocationStale, "a list for each key");
}

/// PUB CA8, whose members' certificates say that somebody else signs the CRLs.
struct Indirect {
    campus: Campus,
    signer: TestCa,
    trust: Trust,
    leaf: Vec<u8>,
}

impl Indirect {
    fn new() -> Self {
        let campus = Campus::new();
        let signer = signer(&campus.root_ca2, name(&[("CN", "CRL signer")]), &[77]);
        let trust = trust(&[settings("one", &campus.root_ca2, &[&campus.pub_ca8, &signer])]);
        let leaf = campus.pub_ca8.issue(&member(&[7]).with(named(&signer.name)));
        Self { campus, signer, trust, leaf }
    }

    fn finding(&self, root: &CrlDraft, crl: &CrlDraft) -> Reason {
        let crls = [self.campus.root_ca2.crl(root), self.signer.crl(crl)];
        finding(&self.trust, &crls, &self.leaf)
    }

    fn with_entries(&self, entries: &[Vec<u8>]) -> Reason {
        self.finding(&fresh(1), &CrlDraft { entries: entries.to_vec(), ..indirect(fresh(1)) })
    }
}

#[test]
fn r09_an_indirect_crl_counts_where_the_certificate_names_its_signer() {
    let mut case = Indirect::new();
    assert_eq!(case.finding(&fresh(1), &indirect(fresh(1))), Reason::Ok);
    assert_eq!(case.finding(&fresh(1), &fresh(1)), Reason::RevocationUnknown, "it doesn't say that it is indirect");
    let revoked = fresh(1).revoke(&[77], days(-2), None);
    assert_eq!(case.finding(&revoked, &indirect(fresh(1))), Reason::RevocationUnknown, "its signer is revoked");
    let unjudged = [case.signer.crl(&indirect(fresh(1)))];
    assert_eq!(finding(&case.trust, &unjudged, &case.leaf), Reason::RevocationUnknown);
    case.leaf = case.campus.pub_ca8.issue(&member(&[7]));
    assert_eq!(case.finding(&fresh(1), &indirect(fresh(1))), Reason::RevocationUnknown, "it names nobody");
    case.leaf = case.campus.pub_ca8.issue(&member(&[7]).with(named(&name(&[("CN", "Somebody else")]))));
    assert_eq!(case.finding(&fresh(1), &indirect(fresh(1))), Reason::RevocationUnknown);
}

#[test]
fn r09_who_issued_the_certificate_of_an_entry_holds_until_another_is_named() {
    let case = Indirect::new();
    let (own, ca8) = (&case.signer.name, &case.campus.pub_ca8.name);
    let plain = |serial: &[u8]| entry(serial, days(-2), None);
    assert_eq!(case.with_entries(&[plain(&[7])]), Reason::Ok, "the signer's own 7");
    assert_eq!(case.with_entries(&[of(ca8, &[7])]), Reason::Revoked);
    assert_eq!(case.with_entries(&[of(ca8, &[6]), plain(&[7])]), Reason::Revoked);
    assert_eq!(case.with_entries(&[of(ca8, &[6]), of(own, &[5]), plain(&[7])]), Reason::Ok);
    assert_eq!(
        case.with_entries(&[of(own, &[5]), of(ca8, &[6]), of(own, &[4]), of(ca8, &[5]), plain(&[7])]),
        Reason::Revoked
    );
}

#[test]
fn r09_an_indirect_crl_may_spell_the_issuers_name_in_another_way() {
    let case = Indirect::new();
    let shouted = [
        ("2.5.4.6", 0x13, b"jp".to_vec()),
        ("2.5.4.10", 0x13, b"SECOM  TRUST SYSTEMS CO.,LTD. ".to_vec()),
        ("2.5.4.3", 0x13, b"Secom Passport for Member Pub CA8 (look-alike)".to_vec()),
    ];
    let shouted: Vec<_> = shouted.iter().map(|(kind, tag, value)| (*kind, *tag, value.as_slice())).collect();
    assert_eq!(case.with_entries(&[of(&raw_name(&shouted), &[7])]), Reason::Revoked);
}

#[test]
fn r09_a_direct_crl_with_a_certificate_issuer_is_unusable_and_so_is_one_of_countless_issuers() {
    let case = Indirect::new();
    let direct = CrlDraft { entries: vec![of(&case.campus.pub_ca8.name, &[7])], ..fresh(1) };
    assert!(try_load(&case.signer.crl(&direct), &case.trust).unwrap_err().contains("critical"));
    let names = |count: usize| (0..count).map(|number| of(&name(&[("CN", &number.to_string())]), &[7])).collect();
    let many = |count| CrlDraft { entries: names(count), ..indirect(fresh(1)) };
    assert_eq!(load(&case.signer.crl(&many(255)), &case.trust).summary().entries, 255);
    assert!(try_load(&case.signer.crl(&many(256)), &case.trust).unwrap_err().contains("256 issuers"));
    let nobody = entry(&[7], days(-2), Some(extension(CERTIFICATE_ISSUER, true, &der(0x30, &[&email("a@b")]))));
    let unnamed = CrlDraft { entries: vec![nobody], ..indirect(fresh(1)) };
    assert!(try_load(&case.signer.crl(&unnamed), &case.trust).unwrap_err().contains("entry 1 is malformed"));
}

#[test]
fn r09_a_signer_may_be_on_the_list_that_it_signs_where_its_own_certificate_says_so() {
    let campus = Campus::new();
    let (subject, key) = (name(&[("CN", "CRL signer")]), Key::p256());
    let with = |draft: Draft| {
        let der = campus.root_ca2.issue(&draft);
        let signer = TestCa { name: subject.clone(), key: Key::p256(), der: der.clone() };
        (trust(&[settings("one", &campus.root_ca2, &[&campus.pub_ca8, &signer])]), der)
    };
    let leaf = campus.pub_ca8.issue(&member(&[7]).with(named(&subject)));
    let cas = issuing_distribution_point(&[&der(0x82, &[&[0xff]])]);
    // The root's list is about CAs only, so the signer's certificate isn't on it.
    let crls = |entries: Vec<Vec<u8>>| {
        let own = CrlDraft { entries, ..indirect(fresh(1)) };
        [campus.root_ca2.crl(&fresh(1).with(cas.clone())), own.sign(&subject, &key)]
    };
    let (trust_named, _) = with(signer_draft(&subject, &key, &[77]).with(named(&subject)));
    assert_eq!(finding(&trust_named, &crls(Vec::new()), &leaf), Reason::Ok);
    let revoked = crls(vec![of(&campus.root_ca2.name, &[77])]);
    assert_eq!(finding(&trust_named, &revoked, &leaf), Reason::RevocationUnknown);
    let (trust_unnamed, _) = with(signer_draft(&subject, &key, &[77]));
    assert_eq!(finding(&trust_unnamed, &crls(Vec::new()), &leaf), Reason::RevocationUnknown);
}

#[test]
fn r04_an_authority_whose_crls_others_sign_has_no_gap() {
    let separate = Separate::new();
    let named = Indirect::new();
    let coverage = |trust: &Trust, crls: &[Vec<u8>]| {
        let revocation = Revocation::new(crls.iter().map(|crl| load(crl, trust)).collect());
        trust
            .coverage(&revocation, &nobody, NOW)
            .into_iter()
            .map(|one| (one.decides, one.gaps.len()))
            .collect::<Vec<_>>()
    };
    let root = |campus: &Campus| campus.root_ca2.crl(&fresh(1));
    assert_eq!(coverage(&separate.trust, &[root(&separate.campus), separate.crl_key.crl(&fresh(1))]), [(true, 0)]);
    assert_eq!(coverage(&separate.trust, &[root(&separate.campus)]), [(false, 1)]);
    let crls = [root(&named.campus), named.signer.crl(&indirect(fresh(1)))];
    assert_eq!(coverage(&named.trust, &crls), [(true, 0)]);
}

#[test]
fn r04_an_indirect_crl_of_another_table_leaves_a_gap_unless_it_lists_a_certificate_of_this_one() {
    let campus = Campus::new();
    let signer = signer(&campus.root_ca2, name(&[("CN", "CRL signer")]), &[77]);
    let trust = trust(&[
        settings("one", &campus.root_ca2, &[&campus.pub_ca8]),
        settings("two", &campus.root_ca2, &[&campus.odca_g4, &signer]),
    ]);
    let gaps = |entries: Vec<Vec<u8>>| {
        let crl = signer.crl(&CrlDraft { entries, ..indirect(fresh(1)) });
        let revocation = Revocation::new([campus.root_ca2.crl(&fresh(1)), crl].map(|crl| load(&crl, &trust)).to_vec());
        trust.coverage(&revocation, &nobody, NOW).into_iter().map(|one| one.decides).collect::<Vec<_>>()
    };
    assert_eq!(gaps(Vec::new()), [false, true]);
    assert_eq!(gaps(vec![of(&campus.pub_ca8.name, &[7])]), [true, true]);
}

#[test]
fn a_crl_signer_alone_leaves_the_anchor_to_issue() {
    let campus = Campus::new();
    let crl_key = signer(&campus.ca16, campus.ca16.name.clone(), &[77]);
    let table: AuthoritySettings = settings("one", &campus.ca16, &[&crl_key]);
    let trust = trust(&[table]);
    let leaf = campus.ca16.issue(&member(&[7]));
    assert_eq!(finding(&trust, &[campus.ca16.crl(&fresh(1))], &leaf), Reason::Ok);
}

#[test]
fn p04_no_ca_is_below_a_crl_signer() {
    let campus = Campus::new();
    let crl_key = signer(&campus.root_ca2, name(&[("CN", "CRL signer")]), &[77]);
    let below = crl_key.intermediate(name(&[("CN", "Below")]), &[5], days(-10), days(10));
    assert!(Trust::new(&[settings("one", &campus.root_ca2, &[&crl_key])], NOW).is_ok());
    assert!(Trust::new(&[settings("one", &campus.root_ca2, &[&crl_key, &below])], NOW).is_err());
}

#[test]
fn r05_a_crl_signer_may_stand_below_a_ca_that_allows_no_intermediates() {
    let campus = Campus::new();
    let (subject, key) = (name(&[("CN", "Issuing")]), Key::p256());
    let draft =
        ca_draft(&subject, &key, &[5], days(-10), days(10)).without("2.5.29.19").with(basic_constraints(Some(0)));
    let ca = TestCa { der: campus.root_ca2.issue(&draft), name: subject, key };
    let crl_key = signer(&ca, ca.name.clone(), &[77]);
    assert!(Trust::new(&[settings("one", &campus.root_ca2, &[&ca, &crl_key])], NOW).is_ok());
    let below = ca.intermediate(name(&[("CN", "Below")]), &[6], days(-10), days(10));
    assert!(Trust::new(&[settings("one", &campus.root_ca2, &[&ca, &below])], NOW).is_err());
}
