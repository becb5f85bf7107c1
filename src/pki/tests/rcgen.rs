//! Certificates and CRLs of a writer that isn't ours.

use std::sync::Arc;
use std::time::Duration;

use rcgen::*;

use crate::event::Reason;
use crate::now::Wall;
use crate::pki::{AuthoritySettings, Crl, Purpose, Revocation, RevocationSource, Trust, verdict};

fn ca() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "CA of rcgen");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(ca: &CertifiedIssuer<'static, KeyPair>, serial: u64) -> Certificate {
    let mut params = CertificateParams::default();
    params.serial_number = Some(serial.into());
    params.distinguished_name.push(DnType::OrganizationName, "Campus");
    params.subject_alt_names = vec![SanType::Rfc822Name("hanako@jaist.example".try_into().unwrap())];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap()
}

fn crl(ca: &CertifiedIssuer<'static, KeyPair>, revoked: u64) -> CertificateRevocationList {
    let entry = RevokedCertParams {
        serial_number: revoked.into(),
        revocation_time: date_time_ymd(2025, 5, 1),
        reason_code: Some(RevocationReason::Superseded),
        invalidity_date: Some(date_time_ymd(2025, 4, 1)),
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 5, 2),
        next_update: date_time_ymd(2025, 7, 1),
        crl_number: 1_u64.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![entry],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(ca).unwrap()
}

#[test]
fn certificates_and_crls_of_rcgen_are_read_and_judged() {
    let ca = ca();
    let settings = AuthoritySettings {
        name: Arc::from("rcgen"),
        anchor: ca.der().to_vec(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: Vec::new(),
        subject: vec![("O".to_owned(), "Campus".to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    };
    let now = Wall(1_748_736_000);
    let (trust, warnings) = Trust::new(&[settings], now).unwrap();
    assert_eq!(warnings, []);
    let pem = crl(&ca, 300).pem().unwrap();
    let crl = Crl::load(pem.as_bytes(), &Arc::from("rcgen"), &Arc::from("crl"), &trust).unwrap();
    let revocation = Revocation::new(vec![Arc::new(crl)]);
    for (serial, finding) in [(299, Reason::Ok), (300, Reason::Revoked)] {
        let facts = trust.facts(&[leaf(&ca, serial).der()]).unwrap();
        assert_eq!(verdict(&trust, &revocation, &facts, now).finding, finding, "serial {serial}");
    }
}
