//! From a client's chain to facts, or none.

use super::campus::*;
use super::make::*;
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::{Facts, NoPath, Trust, claimed};
use proptest::prelude::*;

fn refusal(trust: &Trust, leaf: &[u8]) -> Box<NoPath> {
    trust.facts(&[leaf]).expect_err("no path")
}

fn reason(trust: &Trust, leaf: &[u8]) -> Reason {
    refusal(trust, leaf).reason
}

#[test]
fn a_root_issues_by_itself_where_no_intermediates_are_named() {
    let campus = Campus::new();
    let leaf = campus.ca16.issue(&member(&[7]));
    let facts = facts(&campus.trust(), &leaf);
    assert_eq!(&*facts.authority, "ca16");
    assert_eq!(facts.serial, [7]);
    assert_eq!((facts.not_before, facts.not_after, facts.path_not_after), (days(-100), days(300), days(300)));
    assert_eq!(facts.links.len(), 1);
    assert_eq!(Some(facts.name().fingerprint), claimed(&leaf).map(|name| name.fingerprint));
}

#[test]
fn the_issuing_intermediate_decides_the_table_and_completes_a_short_chain() {
    let campus = Campus::new();
    let trust = campus.trust();
    for (ca, table) in [(&campus.pub_ca8, "pub-ca8"), (&campus.odca_g4, "nii-odca-g4")] {
        let facts = facts(&trust, &ca.issue(&member(&[7])));
        assert_eq!(&*facts.authority, table);
        assert_eq!(facts.links.len(), 2);
    }
}

#[test]
fn the_path_ends_with_the_first_of_its_certificates() {
    let campus = Campus::new();
    let draft = Draft { validity: validity(days(-1), days(3500)), ..member(&[7]) };
    let facts = facts(&campus.trust(), &campus.pub_ca8.issue(&draft));
    assert_eq!((facts.not_after, facts.path_not_after), (days(3500), days(3000)));
}

#[test]
fn p07_an_intermediate_below_the_root_that_no_table_names_is_refused() {
    let campus = Campus::new();
    let leaf = campus.smime.issue(&member(&[7]));
    let refusal = campus.trust().facts(&[&leaf, &campus.smime.der, &campus.root_ca2.der]).expect_err("no path");
    assert_eq!(refusal.reason, Reason::UntrustedIssuer);
    assert!(matches!(&refusal.evidence[..], [Evidence::Issuer(issuer)] if issuer.contains("CN=S/MIME CA")));
    assert_eq!(refusal.claimed.map(|name| name.serial), Some(vec![7]));
}

#[test]
fn p07_an_anchor_with_intermediates_does_not_issue_to_users() {
    let campus = Campus::new();
    assert_eq!(reason(&campus.trust(), &campus.root_ca2.issue(&member(&[7]))), Reason::UntrustedIssuer);
}

#[test]
fn p03_what_a_client_sends_beside_its_own_certificate_is_not_even_read() {
    let campus = Campus::new();
    let leaf = campus.pub_ca8.issue(&member(&[7]));
    let garbage = [0x30; 100];
    assert!(campus.trust().facts(&[&leaf, &garbage, &leaf, &campus.smime.der]).is_ok());
}

#[test]
fn p03_many_cas_of_one_name_cost_one_signature_check_each() {
    let cas: Vec<_> = (0..8).map(|_| TestCa::root(name(&[("CN", "One name")]), days(-10), days(10))).collect();
    let tables: Vec<_> = cas.iter().enumerate().map(|(index, ca)| settings(&format!("ca{index}"), ca, &[])).collect();
    let trust = trust(&tables);
    assert_eq!(&*facts(&trust, &cas[7].issue(&member(&[7]))).authority, "ca7");
}

#[test]
fn p03_cas_that_issue_each_other_have_no_path() {
    let campus = Campus::new();
    let (one, two) = (Key::p256(), Key::p256());
    let names = ["One", "Two"].map(|cn| name(&[("CN", cn)]));
    let of = |name: &[u8], key: &Key| ca_draft(name, key, &[5], days(-10), days(10));
    let mut table = settings("one", &campus.root_ca2, &[]);
    table.intermediates = vec![of(&names[0], &one).sign(&names[1], &two), of(&names[1], &two).sign(&names[0], &one)];
    let findings = Trust::new(&[table], NOW).expect_err("refused");
    assert_eq!(findings.iter().filter(|finding| finding.text.contains("more than 4 intermediates")).count(), 2);
}

#[test]
fn p03_a_bomb_of_names_and_name_constraints_is_refused_by_a_budget() {
    let campus = Campus::new();
    let key = Key::p256();
    let subject = name(&[("CN", "Constrained")]);
    let with = |count: usize| {
        let trees: Vec<_> = (0..count).map(|n| der(0x30, &[&der(0x82, &[format!("x{n:x}").as_bytes()])])).collect();
        let constraints = extension("2.5.29.30", true, &der(0x30, &[&der(0xa1, &[&trees.concat()])]));
        let draft = ca_draft(&subject, &key, &[5], days(-10), days(10)).with(constraints);
        let mut table = settings("one", &campus.root_ca2, &[]);
        table.intermediates = vec![campus.root_ca2.issue(&draft)];
        trust(&[table])
    };
    let names: Vec<_> = (0..64).map(|n| der(0x82, &[format!("host{n}.example").as_bytes()])).collect();
    let leaf = member(&[7]).without("2.5.29.17").with(alt_names(&names)).sign(&subject, &key);
    assert!(with(500).facts(&[&leaf]).is_ok());
    let refusal = refusal(&with(5_000), &leaf);
    assert_eq!(refusal.reason, Reason::UntrustedIssuer);
    assert!(matches!(&refusal.evidence[..], [Evidence::Path(why)] if why.contains("Maximum")), "{refusal:?}");
}

#[test]
fn p04_an_issuer_whose_key_usage_lacks_key_cert_sign_is_no_authority() {
    let campus = Campus::new();
    let key = Key::p256();
    let ca = name(&[("CN", "May not issue")]);
    let draft = ca_draft(&ca, &key, &[5], days(-10), days(10)).without("2.5.29.15").with(key_usage(CRL_SIGN));
    let mut table = settings("one", &campus.root_ca2, &[]);
    table.intermediates = vec![campus.root_ca2.issue(&draft)];
    let findings = Trust::new(&[table], NOW).expect_err("refused");
    assert!(findings.iter().any(|finding| !finding.warning && finding.text.contains("keyCertSign")), "{findings:?}");
}

#[test]
fn t04_a_self_signed_certificate_and_a_ca_of_the_same_name_with_another_key_are_untrusted() {
    let campus = Campus::new();
    let trust = campus.trust();
    let key = Key::p256();
    let draft = Draft { spki: key.spki(), ..member(&[7]) };
    assert_eq!(reason(&trust, &draft.sign(&draft.subject, &key)), Reason::UntrustedIssuer);
    let impostor = refusal(&trust, &member(&[7]).sign(&campus.ca16.name, &key));
    assert_eq!(impostor.reason, Reason::UntrustedIssuer);
    assert!(matches!(&impostor.evidence[..], [Evidence::Path(text)] if text.contains("not signed")));
    assert!(trust.facts(&[&campus.ca16.issue(&member(&[7]))]).is_ok(), "and nothing of it is kept");
}

#[test]
fn t05_dates_are_left_to_the_verdict_up_to_the_year_9999() {
    let campus = Campus::new();
    let trust = campus.trust();
    let year_9999 = Wall(253_402_300_799);
    for (not_before, not_after) in [(days(-300), days(-200)), (days(200), days(300)), (days(-1), year_9999)] {
        let draft = Draft { validity: validity(not_before, not_after), ..member(&[7]) };
        let facts = facts(&trust, &campus.ca16.issue(&draft));
        assert_eq!((facts.not_before, facts.not_after), (not_before, not_after));
    }
}

#[test]
fn t05_malformed_times_are_refused() {
    let campus = Campus::new();
    let trust = campus.trust();
    let good = time(days(300));
    let long = [b"20300101000000".as_slice(), &[b'0'; 200], b"Z"].concat();
    let bad: [&[u8]; 10] = [
        b"",
        b"Z",
        b"300101000000",
        b"300101000000+0900",
        b"3001010000Z",
        b"301301000000Z",
        b"300230000000Z",
        b"300101240000Z",
        b"30010100000\xffZ",
        &long,
    ];
    for text in bad {
        for tag in [0x17, 0x18, 0x13] {
            let draft = Draft { validity: der(0x30, &[&time(days(-1)), &der(tag, &[text])]), ..member(&[7]) };
            assert_eq!(reason(&trust, &campus.ca16.issue(&draft)), Reason::Malformed, "{text:02x?}");
        }
    }
    let backwards = Draft { validity: validity(days(300), days(-300)), ..member(&[7]) };
    assert_eq!(reason(&trust, &campus.ca16.issue(&backwards)), Reason::Malformed);
    let three = Draft { validity: der(0x30, &[&time(days(-1)), &good, &good]), ..member(&[7]) };
    assert_eq!(reason(&trust, &campus.ca16.issue(&three)), Reason::Malformed);
}

#[test]
fn t07_too_long_a_chain_is_refused_before_anything_is_read() {
    let campus = Campus::new();
    let trust = campus.trust();
    let leaf = campus.ca16.issue(&member(&[7]));
    assert_eq!(trust.facts(&[&*leaf; 7]).expect_err("seven").reason, Reason::Malformed);
    assert_eq!(trust.facts(&[&*leaf; 100]).expect_err("a hundred").reason, Reason::Malformed);
    assert_eq!(trust.facts(&[&leaf, &vec![0; 64 * 1024]]).expect_err("64 KiB").reason, Reason::Malformed);
    assert_eq!(trust.facts(&[]).expect_err("none").reason, Reason::Malformed);
}

#[test]
fn t07_keys_that_are_too_short_or_too_long_are_refused() {
    let campus = Campus::new();
    let trust = campus.trust();
    for (bits, accepted) in [(1024, false), (2040, false), (2048, true), (4096, true), (8192, true), (16384, false)] {
        let leaf = campus.ca16.issue(&Draft { spki: hollow_rsa_spki(bits), ..member(&[7]) });
        assert_eq!(trust.facts(&[&leaf]).is_ok(), accepted, "RSA of {bits} bits");
    }
    let unknown = der(0x30, &[&der(0x30, &[&oid("1.2.3.4")]), &der(0x03, &[&[0; 33]])]);
    assert_eq!(reason(&trust, &campus.ca16.issue(&Draft { spki: unknown, ..member(&[7]) })), Reason::UntrustedIssuer);
}

#[test]
fn rsa_authorities_work_and_weak_signature_algorithms_do_not() {
    let subject = name(&[("CN", "RSA root")]);
    let key = Key::rsa();
    let der_of_ca = ca_draft(&subject, &key, &[1], days(-10), days(10)).sign(&subject, &key);
    let ca = TestCa { name: subject, key, der: der_of_ca };
    let trust = trust(&[settings("rsa", &ca, &[])]);
    assert!(trust.facts(&[&ca.issue(&member(&[7]))]).is_ok());
    for weak in [SHA1_WITH_RSA, "1.2.840.113549.1.1.4"] {
        let algorithm = der(0x30, &[&oid(weak), &der(0x05, &[])]);
        let refusal = refusal(&trust, &ca.issue(&Draft { algorithm: Some(algorithm), ..member(&[7]) }));
        assert_eq!(refusal.reason, Reason::UntrustedIssuer);
        assert!(matches!(&refusal.evidence[..], [Evidence::Path(text)] if text.contains("algorithm")));
    }
}

#[test]
fn a_ca_is_no_user() {
    let campus = Campus::new();
    let trust = campus.trust();
    let drafts = [
        member(&[7]).with(extension("2.5.29.30", false, &der(0x30, &[&der(0xa0, &[])]))),
        member(&[7]).with(basic_constraints(None)),
        member(&[7]).without("2.5.29.15").with(key_usage(DIGITAL_SIGNATURE | KEY_CERT_SIGN)),
    ];
    for draft in drafts {
        assert_eq!(reason(&trust, &campus.ca16.issue(&draft)), Reason::UntrustedIssuer);
    }
}

#[test]
fn a_key_that_may_not_sign_is_of_the_wrong_purpose() {
    let campus = Campus::new();
    let trust = campus.trust();
    let encrypts_only = member(&[7]).without("2.5.29.15").with(key_usage(KEY_ENCIPHERMENT));
    assert_eq!(reason(&trust, &campus.ca16.issue(&encrypts_only)), Reason::WrongPurpose);
    let forged = encrypts_only.sign(&campus.ca16.name, &Key::p256());
    assert_eq!(reason(&trust, &forged), Reason::UntrustedIssuer, "the issuer comes first");
    assert!(trust.facts(&[&campus.ca16.issue(&member(&[7]).without("2.5.29.15"))]).is_ok(), "no keyUsage, no limit");
}

#[test]
fn unknown_critical_and_repeated_extensions_and_old_versions_are_refused() {
    let campus = Campus::new();
    let trust = campus.trust();
    let critical = member(&[7]).with(extension("1.2.3.4", true, &[5, 0]));
    assert_eq!(reason(&trust, &campus.ca16.issue(&critical)), Reason::UntrustedIssuer);
    let ordinary = member(&[7]).with(extension("1.2.3.4", false, &[5, 0]));
    assert!(trust.facts(&[&campus.ca16.issue(&ordinary)]).is_ok());
    let twice = ordinary.with(extension("1.2.3.4", false, &[5, 0]));
    assert_eq!(reason(&trust, &campus.ca16.issue(&twice)), Reason::Malformed);
    for version in [Vec::new(), der(0xa0, &[&der(0x02, &[&[1]])])] {
        let draft = Draft { version, extensions: Vec::new(), ..member(&[7]) };
        assert_eq!(reason(&trust, &campus.ca16.issue(&draft)), Reason::Malformed);
    }
}

#[test]
fn serials_are_compared_without_leading_zeros_up_to_twenty_octets() {
    let campus = Campus::new();
    let trust = campus.trust();
    for (written, read) in
        [(vec![0, 0x80], vec![0x80]), (vec![0], vec![0]), ([&[0][..], &[0xff; 20]].concat(), vec![0xff; 20])]
    {
        assert_eq!(facts(&trust, &campus.ca16.issue(&member(&written))).serial, read);
    }
    assert_eq!(reason(&trust, &campus.ca16.issue(&member(&[1; 21]))), Reason::Malformed);
}

#[test]
fn p10_der_bombs_end_in_an_error() {
    let campus = Campus::new();
    let trust = campus.trust();
    let leaf = campus.ca16.issue(&member(&[7]));
    let nested = (0..20).fold(Vec::new(), |inner, _| der(0x30, &[&inner, &inner])); // two to the 20th elements, were it read whole
    let deep: Vec<u8> = [0x30, 0x80].repeat(20_000);
    let deep_definite = (0..200).fold(vec![5, 0], |inner, _| der(0x30, &[&inner]));
    let bombs: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0x30],
        deep,
        deep_definite.clone(),
        vec![0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        nested[..60_000.min(nested.len())].to_vec(),
        [&leaf[..], &[0]].concat(),
        leaf[..leaf.len() - 1].to_vec(),
    ];
    for bomb in bombs {
        assert_eq!(reason(&trust, &bomb), Reason::Malformed, "{:02x?}", &bomb[..bomb.len().min(20)]);
    }
    for kind in ["2.5.29.17", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.37"] {
        let draft = Draft { extensions: vec![extension(kind, false, &deep_definite)], ..member(&[7]) };
        assert!(trust.facts(&[&campus.ca16.issue(&draft)]).is_err(), "{kind}");
    }
}

#[test]
fn p10_every_octet_of_a_certificate_may_be_changed_without_a_panic_or_a_path() {
    let campus = Campus::new();
    let trust = campus.trust();
    let leaf = campus.ca16.issue(&member(&[7]));
    for index in 0..leaf.len() {
        for value in [0x00, 0x01, 0x30, 0x7f, 0x80, 0xff] {
            let mut changed = leaf.clone();
            changed[index] = value;
            if changed != leaf {
                assert!(trust.facts(&[&changed]).is_err(), "octet {index} as {value:02x}");
            }
        }
    }
}

#[test]
fn facts_are_remembered_for_one_trust_only() {
    let campus = Campus::new();
    let leaf = campus.pub_ca8.issue(&member(&[7]));
    let trust_before = campus.trust();
    let first = facts(&trust_before, &leaf);
    assert!(std::sync::Arc::ptr_eq(&first, &facts(&trust_before, &leaf)), "the second time from the cache");
    let after = trust(&campus.settings()[..1]);
    assert!(after.facts(&[&leaf]).is_err(), "the CA is gone");
}

#[test]
fn name_constraints_of_an_intermediate_hold() {
    let campus = Campus::new();
    let key = Key::p256();
    let subject = name(&[("CN", "Constrained")]);
    let permitted = der(0xa0, &[&der(0x30, &[&der(0x82, &[b"good.example"])])]);
    let draft = ca_draft(&subject, &key, &[5], days(-10), days(10)).with(extension(
        "2.5.29.30",
        true,
        &der(0x30, &[&permitted]),
    ));
    let ca = TestCa { der: campus.root_ca2.issue(&draft), name: subject, key };
    let trust = trust(&[settings("one", &campus.root_ca2, &[&ca])]);
    let named =
        |dns: &str| ca.issue(&member(&[7]).without("2.5.29.17").with(alt_names(&[der(0x82, &[dns.as_bytes()])])));
    assert!(trust.facts(&[&named("a.good.example")]).is_ok());
    assert_eq!(reason(&trust, &named("a.bad.example")), Reason::UntrustedIssuer);
}

/// Well-formed DER of any meaning.
fn any_der() -> impl Strategy<Value = Vec<u8>> {
    let primitive = prop::sample::select(vec![
        1_u8, 2, 3, 4, 5, 6, 10, 12, 13, 18, 19, 22, 23, 24, 30, 0x80, 0x81, 0x82, 0x83, 0x86, 0x87, 0x88,
    ]);
    let leaf = (primitive, prop::collection::vec(any::<u8>(), 0..24)).prop_map(|(tag, value)| der(tag, &[&value]));
    leaf.prop_recursive(5, 40, 6, |inner| {
        let tags = prop::sample::select(vec![0x30_u8, 0x30, 0x31, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5]);
        (tags, prop::collection::vec(inner, 0..6)).prop_map(|(tag, parts)| {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            der(tag, &parts)
        })
    })
}

proptest! {
    /// Every extension that a parser beneath us knows, with anything in it.
    #[test]
    fn p10_no_content_of_an_extension_makes_a_panic(content in any_der(), critical: bool) {
        thread_local! {
            static CASE: (Campus, Trust) = { let campus = Campus::new(); let trust = campus.trust(); (campus, trust) };
        }
        const KINDS: [&str; 18] = [
            "2.5.29.9", "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.20", "2.5.29.21", "2.5.29.28",
            "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33", "2.5.29.35", "2.5.29.36", "2.5.29.37", "1.3.6.1.5.5.7.1.1", "1.3.6.1.4.1.11129.2.4.2",
        ];
        CASE.with(|(campus, trust)| {
            for kind in KINDS {
                let draft = Draft { extensions: vec![extension(kind, critical, &content)], ..member(&[7]) };
                let leaf = campus.ca16.issue(&draft);
                let _ = (trust.facts(&[&leaf]), claimed(&leaf));
            }
        });
    }

    /// Changes below the signature, so that every part of the reader sees them.
    #[test]
    fn p10_a_signed_certificate_with_changed_octets_is_read_without_a_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        thread_local! {
            static CASE: (Campus, Trust) = { let campus = Campus::new(); let trust = campus.trust(); (campus, trust) };
        }
        CASE.with(|(campus, trust)| {
            let mut draft = member(&[7])
                .with(policies(&["1.2.3"]))
                .with(distribution_points(&["http://crl.example/1"]))
                .with(alt_names(&[principal("hanako")]));
            let parts = [&mut draft.version, &mut draft.serial, &mut draft.validity, &mut draft.subject, &mut draft.spki];
            let mut octets: Vec<&mut u8> = parts.into_iter().chain(&mut draft.extensions).flatten().collect();
            for (index, value) in changes {
                let place = index.index(octets.len());
                *octets[place] = value;
            }
            if let Ok(facts) = trust.facts(&[&campus.ca16.issue(&draft)]) {
                prop_assert_eq!(&*facts.authority, "ca16");
                prop_assert_eq!(Facts::decode(&facts.encode(), trust), Some(without_places(&facts)));
            }
            Ok(())
        })?;
    }

    /// Times at the edges of every calendar, with offsets and fractions that DER forbids and parsers like.
    #[test]
    fn t05_no_text_where_a_time_stands_makes_a_panic(
        texts in proptest::collection::vec("(0000|0001|1949|1950|1969|2049|9999|[0-9]{2,4})(00|01|02|12|13)(00|01|29|31|32)(00|23|24)?(00|59|60)?(00|59|60)?([.,][0-9]{0,12})?(Z|[+-](0000|2359|9999|[0-9]{2,4})|)", 2),
        tags in proptest::collection::vec(prop::sample::select(vec![0x17_u8, 0x18]), 2),
    ) {
        thread_local! {
            static CASE: (Campus, Trust) = { let campus = Campus::new(); let trust = campus.trust(); (campus, trust) };
        }
        CASE.with(|(campus, trust)| {
            let times: Vec<Vec<u8>> = texts.iter().zip(tags).map(|(text, tag)| der(tag, &[text.as_bytes()])).collect();
            let draft = Draft { validity: der(0x30, &[&times[0], &times[1]]), ..member(&[7]) };
            let leaf = campus.ca16.issue(&draft);
            let _ = (trust.facts(&[&leaf]), claimed(&leaf));
        });
    }
}
