//! What `Trust::new` finds wrong or odd.

use super::campus::*;
use super::make::*;
use crate::pki::{AuthoritySettings, BadAuthority, Distrust, RevocationSource, Trust};
use aws_lc_rs::digest;

fn findings(tables: &[AuthoritySettings]) -> Vec<BadAuthority> {
    match Trust::new(tables, NOW) {
        Ok((_, warnings)) => {
            assert!(warnings.iter().all(|finding| finding.warning));
            warnings
        }
        Err(findings) => {
            assert!(findings.iter().any(|finding| !finding.warning));
            findings
        }
    }
}

/// That there is such a finding, an error or a warning.
fn finds(tables: &[AuthoritySettings], warning: bool, key: &str, words: &str) {
    let findings = findings(tables);
    let found = findings.iter().any(|one| one.warning == warning && one.key == key && one.text.contains(words));
    assert!(found, "no {key} with {words:?} in {findings:#?}");
}

#[test]
fn sound_settings_have_no_findings() {
    assert_eq!(findings(&Campus::new().settings()), []);
}

#[test]
fn a_fingerprint_pins_the_anchor_and_a_mismatch_names_what_was_found() {
    let campus = Campus::new();
    let mut table = settings("one", &campus.ca16, &[]);
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &campus.ca16.der);
    let sha256 = digest::digest(&digest::SHA256, &campus.ca16.der);
    table.fingerprint_sha1 = sha1.as_ref().try_into().ok();
    table.fingerprint_sha256 = sha256.as_ref().try_into().ok();
    assert_eq!(findings(&[table.clone()]), []);
    let found = sha1.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":");
    table.fingerprint_sha1 = Some([0; 20]);
    finds(&[table.clone()], false, "fingerprint-sha1", &found);
    table.fingerprint_sha256 = Some([0; 32]);
    finds(&[table], false, "fingerprint-sha256", "the certificate's is ");
}

#[test]
fn anchors_and_intermediates_are_cas_and_below_their_anchor() {
    let campus = Campus::new();
    let mut table = settings("one", &campus.ca16, &[]);
    table.anchor = campus.ca16.issue(&member(&[7]));
    finds(&[table.clone()], false, "certificate", "isn't a CA");
    table.anchor = vec![0x30, 0];
    finds(&[table], false, "certificate", "isn't a certificate");
    finds(&[settings("one", &campus.ca16, &[&campus.pub_ca8])], false, "intermediates", "has signed it");
    let mut table = settings("one", &campus.root_ca2, &[]);
    table.intermediates = vec![campus.root_ca2.issue(&member(&[7]))];
    finds(&[table], false, "intermediates", "isn't a CA");
}

#[test]
fn a_certificate_belongs_to_one_table() {
    let campus = Campus::new();
    let twice =
        [settings("one", &campus.root_ca2, &[&campus.pub_ca8]), settings("two", &campus.root_ca2, &[&campus.pub_ca8])];
    finds(&twice, false, "intermediates", "already issues for the authority \"one\"");
    let twice = [settings("one", &campus.ca16, &[]), settings("two", &campus.ca16, &[])];
    finds(&twice, false, "certificate", "already issues");
    let one_name = [settings("one", &campus.ca16, &[]), settings("one", &campus.root_ca2, &[])];
    finds(&one_name, false, "name", "another authority");
}

#[test]
fn an_intermediate_above_another_only_completes_its_path() {
    let campus = Campus::new();
    let below = |cn| campus.pub_ca8.intermediate(name(&[("CN", cn)]), &[1], days(-10), days(10));
    let (left, right) = (below("left"), below("right"));
    let tables = [
        settings("left", &campus.root_ca2, &[&campus.pub_ca8, &left]),
        settings("right", &campus.root_ca2, &[&right, &campus.pub_ca8]),
    ];
    let trust = trust(&tables);
    let facts = facts(&trust, &right.issue(&member(&[7])));
    assert_eq!((&*facts.authority, facts.links.len()), ("right", 3));
    assert!(trust.facts(&[&campus.pub_ca8.issue(&member(&[7]))]).is_err());
}

#[test]
fn path_length_constraints_hold_from_the_anchor_down() {
    let key = Key::p256();
    let subject = name(&[("CN", "No intermediates")]);
    let draft =
        ca_draft(&subject, &key, &[1], days(-10), days(10)).without("2.5.29.19").with(basic_constraints(Some(0)));
    let root = TestCa { der: draft.sign(&subject, &key), name: subject, key };
    let below = root.intermediate(name(&[("CN", "One")]), &[2], days(-10), days(10));
    finds(&[settings("one", &root, &[&below])], false, "intermediates", "pathLenConstraint");
    assert!(trust(&[settings("one", &root, &[])]).facts(&[&root.issue(&member(&[7]))]).is_ok());
}

#[test]
fn unknown_names_are_errors() {
    let campus = Campus::new();
    let mut table = settings("one", &campus.ca16, &[]);
    table.purpose.require = vec!["clientauth".to_owned()];
    finds(&[table.clone()], false, "purpose", "\"clientauth\"");
    table.purpose.require = vec!["1.2.3".to_owned(), "smartcardLogon".to_owned(), "anyExtendedKeyUsage".to_owned()];
    assert_eq!(findings(&[table.clone()]), []);
    table.purpose.policies = vec!["gold".to_owned()];
    finds(&[table.clone()], false, "purpose", "policies: \"gold\"");
    table.subject = vec![("Organisation".to_owned(), "x".to_owned())];
    finds(&[table.clone()], false, "subject", "\"Organisation\"");
    table.subject = vec![("O".to_owned(), String::new())];
    finds(&[table], false, "subject", "empty");
}

#[test]
fn a_ca_that_may_not_issue_for_the_purpose_is_an_error() {
    let campus = Campus::new();
    let key = Key::p256();
    let subject = name(&[("CN", "Mail only")]);
    let draft = ca_draft(&subject, &key, &[5], days(-10), days(100)).with(purposes(&[EMAIL_PROTECTION]));
    let ca = TestCa { der: campus.root_ca2.issue(&draft), name: subject, key };
    finds(&[settings("one", &campus.root_ca2, &[&ca])], false, "purpose", "clientAuth");
}

#[test]
fn odd_settings_are_warnings() {
    let campus = Campus::new();
    let mut table = settings("one", &campus.ca16, &[]);
    table.subject.clear();
    finds(&[table.clone()], true, "subject", "many organisations");
    table.revocation = RevocationSource::Off;
    finds(&[table], true, "revocation", "revoked");
    let private = TestCa::root(name(&[("CN", "Campus CA")]), days(-10), days(1000));
    let mut table = settings("one", &private, &[]);
    table.subject.clear();
    assert_eq!(findings(&[table]), []);
}

#[test]
fn the_end_of_a_ca_is_a_warning() {
    let root = |not_before, not_after| TestCa::root(name(&[("CN", "Campus CA")]), days(not_before), days(not_after));
    finds(&[settings("one", &root(-100, -1), &[])], true, "certificate", "has expired");
    finds(&[settings("one", &root(-100, 30), &[])], true, "certificate", "expires in 30 days");
    finds(&[settings("one", &root(1, 300), &[])], true, "certificate", "isn't valid yet");
}

#[test]
fn a_sha_1_anchor_is_a_warning_and_a_sha_1_intermediate_an_error() {
    let subject = name(&[("CN", "Old root")]);
    let key = Key::rsa();
    let algorithm = Some(der(0x30, &[&oid(SHA1_WITH_RSA), &der(0x05, &[])]));
    let old = |draft: Draft| Draft { algorithm: algorithm.clone(), ..draft };
    let der_of_root = old(ca_draft(&subject, &key, &[1], days(-10), days(1000))).sign(&subject, &key);
    let root = TestCa { name: subject, key, der: der_of_root };
    finds(&[settings("one", &root, &[])], true, "certificate", "SHA-1");
    let below = Key::p256();
    let draft = old(ca_draft(&name(&[("CN", "Old")]), &below, &[2], days(-10), days(1000)));
    let mut table = settings("one", &root, &[]);
    table.intermediates = vec![root.issue(&draft)];
    finds(&[table], false, "intermediates", "with an algorithm that is accepted");
}

#[test]
fn a_distrust_that_concerns_nobody_is_an_error() {
    let campus = Campus::new();
    let mut table = settings("one", &campus.ca16, &[]);
    table.distrust = Some(Distrust { from: NOW, issued_before: Some(days(-1)), issued_after: Some(days(1)) });
    finds(&[table], false, "distrust", "no certificate");
}

#[test]
fn authorities_are_summed_up_for_check_and_metrics() {
    let campus = Campus::new();
    let trust = campus.trust();
    let summaries: Vec<_> = trust.authorities().collect();
    assert_eq!(summaries.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["ca16", "pub-ca8", "nii-odca-g4"]);
    assert_eq!(summaries[1].anchor_not_after, days(4000));
    assert!(summaries[1].issuers[0].contains("PUB CA8"));
}

#[test]
fn an_intermediate_with_a_critical_extension_that_is_not_processed_is_an_error() {
    let campus = Campus::new();
    let key = Key::p256();
    let draft = ca_draft(&name(&[("CN", "Critical")]), &key, &[5], days(-10), days(100));
    for kind in ["1.2.3.4", "2.5.29.36"] {
        let mut table = settings("one", &campus.root_ca2, &[]);
        let value = der(0x30, &[&der(0x80, &[&[0]])]);
        table.intermediates = vec![campus.root_ca2.issue(&draft.clone().with(extension(kind, true, &value)))];
        finds(&[table], false, "intermediates", "can't be used");
    }
}
