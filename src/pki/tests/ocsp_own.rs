//! Answers about our own certificate, whose issuer needn't be an authority.

use std::sync::Arc;

use x509_cert::der::Decode;
use x509_ocsp::OcspRequest;

use super::campus::*;
use super::make::*;
use super::ocsp_make::*;
use super::ocsp_responses::label;
use crate::event::OcspStatus;
use crate::pki::OwnCertificate;

fn server(responders: &[&str]) -> Draft {
    let describe = |url: &&str| der(0x30, &[&oid("1.3.6.1.5.5.7.48.1"), &der(0x86, &[url.as_bytes()])]);
    let issuers = der(0x30, &[&oid("1.3.6.1.5.5.7.48.2"), &der(0x86, &[b"http://ca.example/ca.crt"])]);
    let descriptions = responders.iter().map(describe).collect::<Vec<_>>().concat();
    Draft::new(name(&[("CN", "radius.campus.example")]), &[0, 0xa5, 1], Key::p256().spki(), days(-9), days(9))
        .with(extension(INFORMATION_ACCESS, false, &der(0x30, &[&issuers, &descriptions])))
}

fn public_ca() -> TestCa {
    TestCa::root(name(&[("CN", "A public CA")]), days(-100), days(100))
}

fn read(chain: &[&[u8]]) -> Result<OwnCertificate, String> {
    OwnCertificate::read(chain, &Arc::from("campus"))
}

#[test]
fn its_responders_are_those_that_it_names() {
    let ca = public_ca();
    let urls = ["http://ocsp.example/a", "ldap://ocsp.example", "https://ocsp.example"];
    let told = |draft: &Draft| OwnCertificate::responders_in(&ca.issue(draft));
    assert_eq!(told(&server(&urls)), ["http://ocsp.example/a", "https://ocsp.example"]);
    assert!(told(&member(&[7])).is_empty());
    let malformed = member(&[7]).with(extension(INFORMATION_ACCESS, false, &der(0x30, &[&der(0x30, &[])])));
    assert!(told(&malformed).is_empty());
    let many: Vec<_> = (0..20).map(|number| format!("http://ocsp.example/{}", number / 2)).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let told = told(&server(&many));
    assert_eq!((told.len(), &*told[7]), (8, "http://ocsp.example/7"), "each once");
}

#[test]
fn without_its_issuer_nothing_can_be_verified_and_a_text_says_so() {
    let (ca, other) = (public_ca(), public_ca());
    let leaf = ca.issue(&server(&[]));
    let refused = |chain: &[&[u8]]| read(chain).unwrap_err();
    assert!(refused(&[]).contains("empty"));
    assert!(refused(&[&leaf]).contains("alone"));
    assert!(refused(&[&leaf, &other.der]).contains("isn't the issuer"), "of the same name");
    assert!(refused(&[&leaf, &leaf]).contains("isn't the issuer"));
    assert!(refused(&[&leaf, b"x"]).contains("second certificate"));
    assert!(refused(&[b"x", &ca.der]).contains("server's certificate"));
}

#[test]
fn r19_its_answers_are_verified_as_all_are() {
    let ca = public_ca();
    let own = read(&[&ca.issue(&server(&[])), &ca.der]).unwrap();
    let nonce = own.request(Some(&[5; 32])).map(|request| OcspRequest::from_der(&request).unwrap().nonce().unwrap());
    assert_eq!(nonce.unwrap().0.as_bytes(), [5; 32]);
    let load = |octets: &[u8]| own.load(octets, &Arc::from("http://ocsp.example"), FETCHED, NOW);
    let draft = |status| OcspDraft::new(&[Single::new(cert_id(&ca, &[0, 0xa5, 1]), status)]);
    assert_eq!(load(&draft(good()).sign(&ca)).unwrap().name().status, OcspStatus::Good);
    assert_eq!(load(&draft(revoked(days(-1), None)).sign(&ca)).unwrap().name().status, OcspStatus::Revoked);
    let delegate = delegate(&ca, |draft| draft);
    assert_eq!(label(load(&draft(good()).sign_delegated(&delegate))), "");
    assert_eq!(label(load(&draft(good()).sign(&public_ca()))), "signature");
    let other = OcspDraft::new(&[Single::new(cert_id(&ca, &[7]), good())]);
    assert_eq!(label(load(&other.sign(&ca))), "other-certificate");
}
