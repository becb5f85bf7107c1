//! Subjects and subjectAltNames, octet by octet.

use super::campus::*;
use super::make::*;
use crate::event::Reason;
use crate::pki::name;
use crate::pki::{AltName, Facts, claimed};
use proptest::prelude::*;
use std::sync::Arc;

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;

/// Facts of a certificate with this common name.
fn with_common_name(tag: u8, octets: &[u8]) -> Result<Arc<Facts>, Reason> {
    with(Draft { subject: raw_name(&[("2.5.4.3", tag, octets)]), ..member(&[7]) })
}

fn with(draft: Draft) -> Result<Arc<Facts>, Reason> {
    let campus = Campus::new();
    campus.trust().facts(&[&campus.ca16.issue(&draft)]).map_err(|refusal| refusal.reason)
}

fn with_alt_names(names: &[Vec<u8>]) -> Result<Vec<AltName>, Reason> {
    with(member(&[7]).without("2.5.29.17").with(alt_names(names))).map(|facts| facts.alt_names.clone())
}

#[test]
fn a_subject_is_kept_in_order_and_shown_the_other_way_round() {
    let facts = with(member(&[7])).unwrap();
    let names: Vec<_> = facts.subject.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["C", "L", "O", "OU", "CN"]);
    assert_eq!(
        facts.name().subject,
        "CN=Hanako Sekino,OU=No 11,O=Japan Advanced Institute of Science and Technology,L=Nomi,C=JP"
    );
}

#[test]
fn special_characters_are_escaped_as_rfc_4514_has_it() {
    let facts = with_common_name(UTF8, b" #a,b+c\"d\\e<f>g;h ").unwrap();
    assert_eq!(facts.name().subject, r#"CN=\ #a\,b\+c\"d\\e\<f\>g\;h\ "#);
    assert_eq!(with_common_name(UTF8, b"#1").unwrap().name().subject, r"CN=\#1");
}

#[test]
fn attributes_without_a_short_name_are_called_by_their_oid() {
    let facts =
        with(Draft { subject: raw_name(&[("1.2.3.4", UTF8, b"x"), ("1.2.3.5", 0x02, &[1, 2])]), ..member(&[7]) });
    let expected = [("1.2.3.4", "x"), ("1.2.3.5", "#0102")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(facts.unwrap().subject, expected);
}

#[test]
fn p08_each_string_type_is_read_in_one_way_only() {
    let common_name = |tag, octets: &[u8]| with_common_name(tag, octets).map(|facts| facts.subject[0].1.clone());
    assert_eq!(common_name(UTF8, "関所".as_bytes()).as_deref(), Ok("関所"));
    assert_eq!(common_name(BMP, &[0x95, 0xa2, 0x62, 0x40]).as_deref(), Ok("関所"));
    assert_eq!(common_name(PRINTABLE, b"Hanako").as_deref(), Ok("Hanako"));
    let refused: [(u8, &[u8]); 8] = [
        (UTF8, &[0xff]),
        (UTF8, &[0xc0, 0x80]),
        (BMP, &[0x00, 0x41, 0x00]),
        (BMP, &[0xd8, 0x3d, 0xde, 0x00]),
        (TELETEX, &[b'a', 0xe9]),
        (IA5, &[b'a', 0x80]),
        (UNIVERSAL, &[0, 0, 0, 0x41]),
        (UTF8, b""),
    ];
    for (tag, octets) in refused {
        assert_eq!(common_name(tag, octets), Err(Reason::Malformed), "{tag:02x} {octets:02x?}");
    }
}

#[test]
fn p08_nul_control_and_direction_characters_are_refused() {
    for text in ["admin\0.jaist", "a\nb", "a\u{7f}", "a\u{85}", "\u{202e}nimda", "a\u{2066}b"] {
        assert_eq!(with_common_name(UTF8, text.as_bytes()), Err(Reason::Malformed), "{text:?}");
        assert_eq!(with_alt_names(&[principal(text)]), Err(Reason::Malformed), "{text:?}");
    }
    assert_eq!(with_common_name(BMP, &[0, b'a', 0, 0]), Err(Reason::Malformed));
    assert_eq!(with_alt_names(&[email("a\0@b")]), Err(Reason::Malformed));
}

#[test]
fn p08_values_are_bounded_in_length_and_number() {
    assert!(with_common_name(UTF8, &[b'a'; 1024]).is_ok());
    assert_eq!(with_common_name(UTF8, &[b'a'; 1025]), Err(Reason::Malformed));
    assert_eq!(with_common_name(UTF8, &[b'a'; 64 * 1024]), Err(Reason::Malformed));
    assert_eq!(with_alt_names(&[email(&"a".repeat(1025))]), Err(Reason::Malformed));
    let many =
        |count: usize| with(Draft { subject: raw_name(&vec![("2.5.4.3", UTF8, &b"a"[..]); count]), ..member(&[7]) });
    assert_eq!(many(64).unwrap().subject.len(), 64);
    assert_eq!(many(100), Err(Reason::Malformed));
    assert_eq!(with_alt_names(&vec![email("a@b"); 64]).map(|names| names.len()), Ok(64));
    assert_eq!(with_alt_names(&vec![email("a@b"); 100]), Err(Reason::Malformed));
}

#[test]
fn p08_every_alternative_name_is_kept_in_its_order_so_that_policy_sees_ambiguity() {
    let names = [
        email("one@jaist.example"),
        principal("first@jaist.example"),
        der(0x82, &[b"host.jaist.example"]),
        der(0x87, &[&[127, 0, 0, 1]]),
        email("two@jaist.example"),
        der(0x86, &[b"urn:x:1"]),
        principal("second@jaist.example"),
    ];
    let expected = [
        AltName::Email("one@jaist.example".into()),
        AltName::Upn("first@jaist.example".into()),
        AltName::Dns("host.jaist.example".into()),
        AltName::Email("two@jaist.example".into()),
        AltName::Uri("urn:x:1".into()),
        AltName::Upn("second@jaist.example".into()),
    ];
    assert_eq!(with_alt_names(&names).unwrap(), expected);
}

#[test]
fn p08_alternative_names_are_visible_ascii() {
    for octets in [&b"a b@c"[..], "é@c".as_bytes(), b"\xff@c", b"", b"a\t"] {
        for tag in [0x81, 0x82, 0x86] {
            assert_eq!(with_alt_names(&[der(tag, &[octets])]), Err(Reason::Malformed), "{octets:02x?}");
        }
    }
    let not_utf8_string = der(0xa0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &der(0xa0, &[&der(0x16, &[b"a"])])]);
    assert_eq!(with_alt_names(&[not_utf8_string]), Err(Reason::Malformed));
    let another_kind = der(0xa0, &[&oid("1.3.6.1.5.5.7.8.9"), &der(0xa0, &[&der(0x0c, &[b"a"])])]);
    assert_eq!(with_alt_names(&[another_kind]), Ok(Vec::new()));
}

#[test]
fn what_a_refused_certificate_claims_is_still_shown() {
    let campus = Campus::new();
    let draft = Draft { subject: raw_name(&[("2.5.4.3", UTF8, b"a\0b")]), ..member(&[7]) };
    let name = claimed(&campus.smime.issue(&draft)).unwrap();
    assert_eq!((name.subject.as_str(), &name.serial[..], name.authority), (r"CN=\#610062", &[7][..], None));
    assert_eq!(claimed(b"no certificate"), None);
}

#[test]
fn attribute_types_are_the_same_in_der_and_in_text() {
    for (short, dotted, der) in name::ATTRIBUTE_TYPES {
        let oid = x509_parser::der_parser::oid::Oid::new((*der).into());
        assert_eq!(oid.to_id_string(), *dotted, "{short}");
    }
}

proptest! {
    /// Ours is only quicker.
    #[test]
    fn an_object_identifier_has_the_text_that_the_library_gives_it(octets in proptest::collection::vec(any::<u8>(), 0..20)) {
        let oid = x509_parser::der_parser::oid::Oid::new(octets.into());
        prop_assert_eq!(name::oid(&oid), Ok(oid.to_id_string()));
    }
}
