//! CRLs: what is loaded, what is not, and their index.

use super::campus::*;
use super::make::*;
use crate::now::Wall;
use crate::pki::serials::{Entry, Serials};
use crate::pki::{Crl, Trust};
use proptest::prelude::*;

fn error(crl: &[u8], trust: &Trust) -> String {
    try_load(crl, trust).expect_err("not usable")
}

#[test]
fn a_crl_is_summed_up() {
    let campus = Campus::new();
    let crl = load(
        &campus.ca16.crl(&fresh(5).revoke(&[1], days(-9), None).revoke(&[2, 3], days(-9), Some(4))),
        &campus.trust(),
    );
    let summary = crl.summary();
    assert_eq!(summary.number, Some(vec![5]));
    assert_eq!((summary.this_update, summary.next_update, summary.entries), (days(-1), Some(days(7)), 2));
    assert_eq!((&*summary.authority, &*summary.source), ("ca16", "test.crl"));
}

#[test]
fn pem_is_read_like_der() {
    let campus = Campus::new();
    let der = campus.ca16.crl(&fresh(5).revoke(&[1], days(-9), None));
    let pem = format!("\n-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", base64(&der));
    assert_eq!(load(pem.as_bytes(), &campus.trust()).summary().entries, 1);
    assert!(error(pem.repeat(2).as_bytes(), &campus.trust()).contains("more than one"));
    assert!(error(b"-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n", &campus.trust()).contains("PEM"));
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| bits << 8 | u32::from(chunk.get(index).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = if place <= chunk.len() { DIGITS[(bits >> (18 - 6 * place) & 63) as usize] } else { b'=' };
            text.push(char::from(digit));
        }
    }
    text
}

#[test]
fn p04_a_ca_without_crl_sign_signs_no_crls() {
    let key = Key::p256();
    let subject = name(&[("CN", "No CRLs")]);
    let draft =
        ca_draft(&subject, &key, &[1], days(-10), days(1000)).without("2.5.29.15").with(key_usage(KEY_CERT_SIGN));
    let ca = TestCa { der: draft.sign(&subject, &key), name: subject, key };
    let (trust, warnings) = Trust::new(&[settings("one", &ca, &[])], NOW).expect("a warning only");
    assert!(warnings.iter().any(|warning| warning.text.contains("cRLSign")));
    assert!(error(&ca.crl(&fresh(1)), &trust).contains("cRLSign"));
}

#[test]
fn r05_a_crl_with_a_bad_signature_or_of_a_stranger_is_not_loaded() {
    let campus = Campus::new();
    let trust = campus.trust();
    assert!(error(&fresh(1).sign(&campus.ca16.name, &Key::p256()), &trust).contains("signature is wrong"));
    let mut changed = campus.ca16.crl(&fresh(1));
    let place = changed.len() / 3;
    changed[place] ^= 1;
    assert!(try_load(&changed, &trust).is_err());
    let stranger = TestCa::root(name(&[("CN", "Stranger")]), days(-1), days(1));
    assert!(error(&stranger.crl(&fresh(1)), &trust).contains("none of the configured CAs"));
}

#[test]
fn r05_of_two_keys_of_one_name_the_one_that_verifies_is_the_issuer() {
    let campus = Campus::new();
    let rolled = TestCa::root(campus.ca16.name.clone(), days(-10), days(1000));
    let trust = trust(&[settings("old", &campus.ca16, &[]), settings("new", &rolled, &[])]);
    let (old, new) = (load(&campus.ca16.crl(&fresh(1)), &trust), load(&rolled.crl(&fresh(1)), &trust));
    assert_ne!(old.issuer, new.issuer);
}

#[test]
fn r06_a_crl_number_may_be_neither_absent_nor_critical_nor_malformed() {
    let campus = Campus::new();
    let trust = campus.trust();
    let with = |extensions: Vec<Vec<u8>>| try_load(&campus.ca16.crl(&CrlDraft { extensions, ..fresh(1) }), &trust);
    let number = |critical, value: &[u8]| extension("2.5.29.20", critical, value);
    assert!(with(vec![]).unwrap_err().contains("no cRLNumber"));
    assert!(with(vec![number(true, &[2, 1, 9])]).unwrap_err().contains("critical"));
    assert_eq!(with(vec![number(false, &[2, 1, 9])]).unwrap().summary().number, Some(vec![9]));
    for bad in [&[2, 1][..], &[2, 0], &[2, 1, 0xff], &[4, 1, 9], &der(0x02, &[&[1; 21]])] {
        assert!(with(vec![number(false, bad)]).is_err(), "{bad:02x?}");
    }
    assert!(with(vec![number(false, &[2, 1, 9]), number(false, &[2, 1, 9])]).unwrap_err().contains("twice"));
}

#[test]
fn r07_neither_a_lower_number_nor_an_older_this_update_follows() {
    let campus = Campus::new();
    let trust = campus.trust();
    let of = |number, day| load(&campus.ca16.crl(&CrlDraft { this_update: days(day), ..fresh(number) }), &trust);
    let current = of(5, -2);
    assert!(of(6, -1).supersedes(&current));
    assert!(of(5, -2).supersedes(&current), "the same again");
    assert!(!of(4, -1).supersedes(&current));
    assert!(!of(4, -3).supersedes(&current));
    assert!(!of(6, -3).supersedes(&current));
    assert!(!of(5, -3).supersedes(&current));
    let unnumbered = |day| {
        let draft = CrlDraft { version_2: false, this_update: days(day), extensions: Vec::new(), ..fresh(1) };
        load(&campus.ca16.crl(&draft), &trust)
    };
    assert!(unnumbered(-1).supersedes(&current));
    assert!(!unnumbered(-3).supersedes(&current));
}

#[test]
fn r09_attribute_crls_and_malformed_scopes_are_refused_in_words() {
    let campus = Campus::new();
    let trust = campus.trust();
    let with = |extension: Vec<u8>| error(&campus.ca16.crl(&fresh(2).with(extension)), &trust);
    assert!(with(extension("2.5.29.27", true, &[5, 0])).contains("deltaCRLIndicator is malformed"));
    assert!(with(issuing_distribution_point(&[&der(0x85, &[&[0xff]])])).contains("attribute"));
    assert!(with(issuing_distribution_point(&[&der(0x81, &[&[0xff]]), &der(0x82, &[&[0xff]])])).contains("malformed"));
    assert!(with(issuing_distribution_point(&[&der(0x86, &[&[0xff]])])).contains("malformed"));
}

#[test]
fn unknown_critical_extensions_of_list_and_entry_make_a_crl_unusable() {
    let campus = Campus::new();
    let trust = campus.trust();
    let list = fresh(1).with(extension("1.2.3.4", true, &[5, 0]));
    assert!(error(&campus.ca16.crl(&list), &trust).contains("critical"));
    assert!(try_load(&campus.ca16.crl(&fresh(1).with(extension("1.2.3.4", false, &[5, 0]))), &trust).is_ok());
    let mut draft = fresh(1);
    draft.entries = vec![entry(&[7], days(-1), Some(extension("2.5.29.29", true, &[0x30, 0])))];
    assert!(error(&campus.ca16.crl(&draft), &trust).contains("entry 1"));
}

#[test]
fn a_version_1_crl_has_no_extensions() {
    let campus = Campus::new();
    let trust = campus.trust();
    let plain = CrlDraft { version_2: false, extensions: Vec::new(), ..fresh(1).revoke(&[7], days(-1), None) };
    assert_eq!(try_load(&campus.ca16.crl(&plain), &trust).unwrap().summary().entries, 1);
    assert!(try_load(&campus.ca16.crl(&CrlDraft { version_2: false, ..fresh(1) }), &trust).is_err());
    let reason = CrlDraft { version_2: false, extensions: Vec::new(), ..fresh(1).revoke(&[7], days(-1), Some(1)) };
    assert!(try_load(&campus.ca16.crl(&reason), &trust).is_err());
}

#[test]
fn of_a_serial_that_stands_twice_the_earlier_date_counts_and_remove_from_crl_still_revokes() {
    let campus = Campus::new();
    let draft =
        fresh(1).revoke(&[7], days(-1), Some(6)).revoke(&[7], days(-9), Some(1)).revoke(&[0, 8], days(-1), Some(8));
    let crl = load(&campus.ca16.crl(&draft), &campus.trust());
    assert_eq!(crl.summary().entries, 2);
    let own = crate::pki::name::id(&campus.ca16.name).expect("a name");
    assert_eq!(crl.find(own, &[7]), Some(Entry { at: days(-9), reason: Some(1) }));
    assert_eq!(crl.find(own, &[8]), Some(Entry { at: days(-1), reason: Some(8) }));
}

#[test]
fn r10_every_octet_of_a_crl_may_be_changed_without_a_panic_or_a_load() {
    let campus = Campus::new();
    let trust = campus.trust();
    let crl = campus.ca16.crl(&fresh(1).revoke(&[7], days(-1), Some(1)));
    for index in 0..crl.len() {
        for value in [0x00, 0x7f, 0x80, 0xff, crl[index] ^ 1] {
            let mut changed = crl.clone();
            changed[index] = value;
            if changed != crl {
                assert!(try_load(&changed, &trust).is_err(), "octet {index} as {value:02x}");
            }
        }
        assert!(try_load(&crl[..index], &trust).is_err());
    }
}

#[test]
fn every_serial_of_a_long_list_is_found_and_no_neighbour_of_one() {
    for length in [1_u32, 31, 32, 33, 64, 1_000] {
        let number = |index: u32| (index * 10 + 5).to_be_bytes();
        let mut serials = Serials::new();
        for index in (0..length).rev() {
            assert!(serials.push(&number(index), Entry { at: Wall(index.into()), reason: None }));
        }
        let serials = serials.settle();
        for index in 0..length {
            assert_eq!(serials.find(&number(index)), Some(Entry { at: Wall(index.into()), reason: None }));
            for neighbour in [index * 10 + 4, index * 10 + 6] {
                assert_eq!(serials.find(&neighbour.to_be_bytes()), None);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_index_finds_what_a_map_finds(
        entries in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..4), 0_i64..4_000_000_000, proptest::option::of(0_u8..11)), 0..200),
        asked in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..23), 50),
    ) {
        let mut map = std::collections::HashMap::<Vec<u8>, Vec<Entry>>::new();
        let mut serials = Serials::new();
        for (serial, at, reason) in entries {
            let entry = Entry { at: Wall(at), reason };
            prop_assert!(serials.push(&serial, entry));
            map.entry(serial).or_default().push(entry);
        }
        let serials = serials.settle();
        prop_assert_eq!(serials.len(), map.len());
        for serial in asked.iter().chain(map.keys()) {
            let ends = |entry: &Entry| [Some(6), Some(8)].iter().position(|reason| *reason == entry.reason).map_or(0, |place| place + 1);
            let earliest = |all: &Vec<Entry>| all.iter().map(|entry| (ends(entry), entry.at)).min();
            let earliest = map.get(serial).and_then(earliest).map(|(_, at)| at);
            prop_assert_eq!(serials.find(serial).map(|entry| entry.at), earliest);
        }
    }

    /// Changes below the signature, so that the walker sees them.
    #[test]
    fn r10_a_signed_crl_of_any_content_is_walked_without_a_panic(
        entries in proptest::collection::vec(any::<u8>(), 0..60),
        extensions in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        thread_local! {
            static CASE: (Campus, Trust) = { let campus = Campus::new(); let trust = campus.trust(); (campus, trust) };
        }
        CASE.with(|(campus, trust)| {
            let draft = CrlDraft { entries: vec![entries], extensions: vec![extensions], ..fresh(1) };
            let loaded: Result<Crl, _> = try_load(&campus.ca16.crl(&draft), trust);
            if let Ok(crl) = loaded {
                prop_assert!(crl.summary().entries <= 60);
            }
            Ok(())
        })?;
    }

    #[test]
    fn r10_a_signed_crl_with_a_changed_octet_is_walked_without_a_panic(index in any::<prop::sample::Index>(), value in any::<u8>()) {
        thread_local! {
            static CASE: (Campus, Trust) = { let campus = Campus::new(); let trust = campus.trust(); (campus, trust) };
        }
        CASE.with(|(campus, trust)| {
            let mut draft = fresh(1).revoke(&[7], days(-1), Some(1)).revoke(&[9, 9], days(-1), None)
                .with(issuing_distribution_point(&[&point("http://crl.example/1")]));
            let lists = draft.entries.iter_mut().chain(&mut draft.extensions).collect::<Vec<_>>();
            let mut octets: Vec<&mut u8> = lists.into_iter().flatten().collect();
            let place = index.index(octets.len());
            *octets[place] = value;
            if let Ok(crl) = try_load(&campus.ca16.crl(&draft), trust) {
                prop_assert!(crl.summary().entries <= 4);
            }
            Ok(())
        })?;
    }
}
