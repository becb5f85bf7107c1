//! Where certificates say that their revocation data is.

use super::campus::*;
use super::make::*;
use crate::event::Reason;
use crate::pki::{Facts, Locations, Revocation, Trust, verdict};

const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

fn responders(descriptions: &[(&str, &str)]) -> Vec<u8> {
    let one = |(method, place): &(&str, &str)| der(0x30, &[&oid(method), &der(0x86, &[place.as_bytes()])]);
    extension("1.3.6.1.5.5.7.1.1", false, &der(0x30, &[&descriptions.iter().map(one).collect::<Vec<_>>().concat()]))
}

fn locations(draft: &Draft) -> Locations {
    let campus = Campus::new();
    (*facts(&campus.trust(), &campus.ca16.issue(draft)).locations).clone()
}

#[test]
fn a_certificate_tells_where_its_crls_and_responders_are() {
    let points =
        distribution_points(&["http://crl.example/1.crl", "HTTPS://crl.example/2.crl", "http://crl.example/1.crl"]);
    let access = responders(&[
        (CA_ISSUERS, "http://ca.example/ca.cer"),
        (OCSP, "http://ocsp.example"),
        (OCSP, "https://ocsp.example/2"),
    ]);
    let found = locations(&member(&[7]).with(points).with(access));
    assert_eq!(found.crls, ["http://crl.example/1.crl", "HTTPS://crl.example/2.crl"]);
    assert_eq!(found.ocsp, ["http://ocsp.example", "https://ocsp.example/2"]);
    assert_eq!(locations(&member(&[7])), Locations::default());
}

#[test]
fn a_point_for_some_reasons_or_of_another_issuer_is_a_place_too() {
    let issuer = der(0xa2, &[&der(0xa4, &[&name(&[("CN", "CRL signer")])])]);
    let reasons = der(0x81, &[&[5, 0x60]]);
    let more = [vec![], reasons, issuer.clone()];
    let points =
        more.iter().zip(1..).map(|(more, number)| der(0x30, &[&point(&format!("http://crl.example/{number}")), more]));
    let without_place = der(0x30, &[&issuer]);
    let points = points.chain([without_place]).collect::<Vec<_>>().concat();
    let found = locations(&member(&[7]).with(extension("2.5.29.31", false, &der(0x30, &[&points]))));
    assert_eq!(found.crls, ["http://crl.example/1", "http://crl.example/2", "http://crl.example/3"]);
}

#[test]
fn r13_what_is_no_plain_web_address_is_left_out_and_the_certificate_stands() {
    let long = format!("http://crl.example/{}", "a".repeat(1_006));
    let strange = [
        "ldap://crl.example/cn=x?certificateRevocationList",
        "file:///etc/passwd",
        "ftp://crl.example/1",
        "http:/crl.example/1",
        "http://crl.example/a b",
        "http://crl.example/\r\nHost: other",
        "http://crl.example/\u{e9}",
        "http://crl.example/\0",
        &long,
    ];
    let right = &long[..1_024];
    for place in strange {
        let draft =
            member(&[7]).with(distribution_points(&[place, right])).with(responders(&[(OCSP, place), (OCSP, right)]));
        let found = locations(&draft);
        assert_eq!((found.crls, found.ocsp), (vec![right.to_owned()], vec![right.to_owned()]), "{place}");
    }
    // A directoryName with the octets of an address is none.
    let directory =
        der(0x30, &[&der(0x30, &[&der(0xa0, &[&der(0xa0, &[&der(0xa4, &[&name(&[("CN", "http://a")])])])])])]);
    assert_eq!(locations(&member(&[7]).with(extension("2.5.29.31", false, &directory))), Locations::default());
}

#[test]
fn no_more_than_eight_places_of_each_kind_are_kept() {
    let places: Vec<String> = (0..12).map(|number| format!("http://crl.example/{number}")).collect();
    let all: Vec<&str> = places.iter().map(String::as_str).collect();
    let access: Vec<_> = all.iter().map(|place| (OCSP, *place)).collect();
    let found = locations(&member(&[7]).with(distribution_points(&all)).with(responders(&access)));
    assert_eq!((&found.crls[..], &found.ocsp[..]), (&places[..8], &places[..8]));
}

#[test]
fn places_are_not_in_tickets() {
    let campus = Campus::new();
    let trust = campus.trust();
    let facts = facts(&trust, &campus.ca16.issue(&member(&[7]).with(distribution_points(&["http://crl.example/1"]))));
    let back = Facts::decode(&facts.encode(), &trust).expect("facts");
    assert_eq!((facts.locations.crls.len(), &*back.locations), (1, &Locations::default()));
}

/// `pub_ca8`'s table, its intermediate with places of its own, and a signer of CRLs.
fn told() -> (Campus, Trust, TestCa) {
    let campus = Campus::new();
    let (subject, key) = (name(&[("CN", "Issuing")]), Key::p256());
    let draft = ca_draft(&subject, &key, &[5], days(-10), days(10))
        .with(distribution_points(&["http://crl.example/root"]))
        .with(responders(&[(OCSP, "http://ocsp.example/root")]));
    let ca = TestCa { der: campus.root_ca2.issue(&draft), name: subject, key };
    let trust = trust(&[settings("ca16", &campus.ca16, &[]), settings("below", &campus.root_ca2, &[&ca])]);
    (campus, trust, ca)
}

#[test]
fn configured_intermediates_tell_where_the_crls_above_them_are() {
    let (campus, trust, ca) = told();
    let places: Vec<_> = trust.locations().collect();
    let [(authority, issuer, locations)] = places.as_slice() else { panic!("{places:?}") };
    assert_eq!(
        (&***authority, &locations.crls[..], &locations.ocsp[..]),
        ("below", &["http://crl.example/root".to_owned()][..], &["http://ocsp.example/root".to_owned()][..])
    );
    let facts = facts(&trust, &ca.issue(&member(&[7])));
    let links: Vec<_> = facts.links.iter().map(|link| link.issuer).collect();
    assert_eq!(**issuer, links[1]);
    assert_eq!(trust.consulted("below"), links);
    assert_eq!(trust.consulted("ca16").len(), 1);
    assert_eq!(campus.trust().locations().count(), 0);
    assert_eq!(trust.consulted("other"), <[[u8; 32]; 0]>::default());
}

#[test]
fn a_sample_is_any_users_certificate_of_the_authority() {
    let (campus, trust, ca) = told();
    let place = distribution_points(&["http://crl.example/users"]);
    let stranger = Draft { subject: name(&[("O", "Another University")]), ..member(&[7]) }.with(place);
    let old = Draft { validity: validity(days(-9), days(-8)), ..stranger };
    let sample = trust.sample(&ca.issue(&old), "below").expect("a sample");
    assert_eq!(sample.locations.crls, ["http://crl.example/users"]);
    assert_eq!(verdict(&trust, &Revocation::default(), &sample, NOW).finding, Reason::WrongOrganisation);
    let other = trust.sample(&campus.ca16.issue(&member(&[7])), "below").unwrap_err();
    assert!(other.contains("\"ca16\", not of \"below\""), "{other}");
    let forged = member(&[7]).sign(&campus.ca16.name, &Key::p256());
    for (certificate, why) in [
        (&campus.smime.issue(&member(&[7])), "none of the configured CAs"),
        (&forged, "not signed with the key of"),
        (&ca.der, "none of the configured CAs"),
        (&b"garbage".to_vec(), "it isn't a certificate in DER"),
    ] {
        let text = trust.sample(certificate, "ca16").unwrap_err();
        assert!(text.contains(why), "{text}");
    }
}
