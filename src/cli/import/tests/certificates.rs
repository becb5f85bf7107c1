use std::process::Command;

use rcgen::DnType;

use super::{Asked, Reading};
use crate::support::certificates::{Key, authority, client};
use crate::support::scratch::Scratch;

/// A CA and certificates of it, each in DER and PEM.
struct Campus {
    scratch: Scratch,
    members: Vec<(Vec<u8>, String)>,
    ca: String,
}

impl Campus {
    fn new(members: usize) -> Self {
        let ca = authority("Campus CA", None);
        let member = |number: usize| {
            let mail = format!("member{number}@campus.example");
            let params = client(&[(DnType::CommonName, "Member")], &mail);
            let certificate = params.signed_by(&Key::P256.make(), &ca).expect("a certificate");
            (certificate.der().to_vec(), certificate.pem())
        };
        Self { scratch: Scratch::new(), members: (0..members).map(member).collect(), ca: ca.pem() }
    }

    fn bundle(&self) -> String {
        self.members.iter().map(|(_, pem)| pem.as_str()).collect()
    }

    /// What `openssl crl2pkcs7 -nocrl` makes of the bundle.
    fn pkcs7(&self, form: &str) -> Vec<u8> {
        let bundle = self.scratch.write("bundle.pem", self.bundle() + &self.ca);
        let mut openssl = Command::new("openssl");
        openssl.args(["crl2pkcs7", "-nocrl", "-outform", form, "-certfile"]).arg(bundle);
        let output = openssl.output().expect("openssl");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

#[track_caller]
fn reading(octets: &[u8]) -> Reading {
    super::reading(octets, &Asked::default()).unwrap()
}

/// All of them, in their order, and nothing refused.
#[track_caller]
fn assert_holds_all(campus: &Campus, reading: &Reading) {
    assert_eq!(reading.refused(), Vec::<String>::new());
    let wanted: Vec<&[u8]> = campus.members.iter().map(|(der, _)| der.as_slice()).collect();
    assert_eq!(reading.certificates(), wanted);
}

#[test]
fn a_bundle_may_hold_texts_chains_and_windows_ends_of_lines() {
    let campus = Campus::new(3);
    let bundle = format!("\u{feff}{}subject=CN = Member\n{}", campus.ca, campus.bundle());
    for text in [bundle.clone(), bundle.replace('\n', "\r\n")] {
        let reading = reading(text.as_bytes());
        assert_holds_all(&campus, &reading);
        // The CA's is left out, and not refused.
        assert_eq!(reading.found.len(), 4);
    }
}

#[test]
fn der_may_hold_one_or_several() {
    let campus = Campus::new(2);
    let all: Vec<u8> = campus.members.iter().flat_map(|(der, _)| der.clone()).collect();
    assert_holds_all(&campus, &reading(&all));
    let one = reading(&campus.members[0].0);
    assert_eq!((one.certificates().len(), one.found[0].place.to_string().as_str()), (1, "list"));
}

#[test]
fn pkcs7_of_openssl_is_read_in_both_forms() {
    let campus = Campus::new(5);
    for form in ["DER", "PEM"] {
        let reading = reading(&campus.pkcs7(form));
        assert_holds_all(&campus, &reading);
        assert_eq!(reading.found.len(), 6, "the CA's is left out, and not refused");
        let place = reading.found[1].place.to_string();
        assert_eq!(place, if form == "PEM" { "list:1: certificate 2" } else { "list: certificate 2" });
    }
}

#[test]
fn pkcs7_that_is_cut_off_gives_what_came_before() {
    let campus = Campus::new(3);
    let whole = campus.pkcs7("DER");
    for length in [whole.len() - 10, whole.len() - 1, whole.len() / 2] {
        let reading = reading(&whole[..length]);
        // The last octets are those of an empty list of signers, which nobody needs.
        if length < whole.len() - 10 {
            assert!(!reading.certificates().is_empty());
            assert!(reading.refused()[0].ends_with("it ends before it should"), "{:?}", reading.refused());
        }
    }
    let text = campus.pkcs7("PEM");
    let reading = reading(&text[..text.len() / 2]);
    assert!(reading.refused()[0].starts_with("list:1: it ends before"), "{:?}", reading.refused());
}

#[test]
fn each_section_that_is_no_good_is_refused_with_its_line() {
    let campus = Campus::new(1);
    let good = &campus.members[0].1;
    let lines = good.lines().count();
    let key = Key::P256.make().serialize_pem();
    let text = format!(
        "{good}-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n{key}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMAA=\n{good}-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n-----BEGIN CERTIFICATE-----\n"
    );
    let reading = reading(text.as_bytes());
    assert_eq!(reading.certificates().len(), 2, "those before and after are there");
    let key_lines = key.lines().count();
    let at = |line: usize| format!("list:{line}: ");
    let wanted = [
        at(lines + 1) + "it holds what is not base64",
        at(lines + 4) + "a private key has no business in a list; it was not sent",
        at(lines + 4 + key_lines) + "it is no certificate",
        at(lines + 7 + key_lines) + "it ends before it should",
        at(2 * lines + 9 + key_lines) + "this is no certificate, but something else in PEM",
        at(2 * lines + 12 + key_lines) + "it ends before it should",
    ];
    assert_eq!(reading.refused(), wanted);
}

#[test]
fn pkcs12_is_refused_with_the_command_that_helps() {
    let octets = [&[0x30, 0x82, 0x0a, 0, 2, 1, 3][..], &[0; 100]].concat();
    assert!(reading(&octets).refused()[0].contains("openssl pkcs12 -in FILE -nokeys"));
}

#[test]
fn what_says_it_is_long_costs_nothing() {
    // Two gigabytes, of which there are four octets.
    let octets = [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30, 0, 0, 0];
    assert_eq!(reading(&octets).refused(), ["list: certificate 1: it ends before it should"]);
}

#[test]
fn a_certificate_is_sent_as_openssl_writes_it() {
    let campus = Campus::new(1);
    let reading = reading(campus.members[0].1.as_bytes());
    let super::What::Entry(entry) = &reading.found[0].what else { panic!("{:?}", reading.found) };
    assert_eq!(entry.json()["pem"].as_str().unwrap(), campus.members[0].1.replace("\r\n", "\n"));
}
