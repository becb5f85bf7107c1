//! Certificates and CRLs, sound ones; a test changes what it is about.

use std::ops::Range;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationList, CertificateRevocationListParams, CertifiedIssuer,
    CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RevocationReason, RevokedCertParams, RsaKeySize, SanType, SerialNumber,
    date_time_ymd,
};

/// Something that issues: its certificate and its key.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa,
    P256,
}

impl Key {
    /// As OpenSSL prints the type.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Rsa => "rsaEncryption",
            Self::P256 => "id-ecPublicKey",
        }
    }

    pub(crate) fn make(self) -> KeyPair {
        match self {
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        }
        .expect("a key")
    }
}

/// A root with a P-256 key, or an intermediate of `above`.
pub(crate) fn authority(name: &str, above: Option<&Authority>) -> Authority {
    certified(authority_params(&[(DnType::CommonName, name)]), Key::P256, above)
}

/// Signed by `above`, or by itself.
pub(crate) fn certified(params: CertificateParams, key: Key, above: Option<&Authority>) -> Authority {
    let key = key.make();
    match above {
        Some(above) => CertifiedIssuer::signed_by(params, key, above),
        None => CertifiedIssuer::self_signed(params, key),
    }
    .expect("an authority")
}

/// An authority of this name, for the lifetime of all tests.
pub(crate) fn authority_params(subject: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(subject);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (date_time_ymd(2018, 1, 1), date_time_ymd(2098, 12, 31));
    params
}

/// A server's certificate that no client complains of, but for its long life.
pub(crate) fn server(host: &str) -> CertificateParams {
    let mut params = leaf(&[(DnType::CommonName, host)], ExtendedKeyUsagePurpose::ServerAuth);
    params.subject_alt_names = vec![SanType::DnsName(host.try_into().expect("ASCII"))];
    params
}

/// A person's certificate, for EAP-TLS.
pub(crate) fn client(subject: &[(DnType, &str)], mail: &str) -> CertificateParams {
    let mut params = leaf(subject, ExtendedKeyUsagePurpose::ClientAuth);
    params.subject_alt_names = vec![SanType::Rfc822Name(mail.try_into().expect("ASCII"))];
    params
}

fn leaf(subject: &[(DnType, &str)], purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(subject);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 12, 31));
    params
}

fn name(in_order: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in in_order {
        name.push(kind.clone(), *value);
    }
    name
}

/// authorityInfoAccess with id-ad-ocsp (RFC 5280 section 4.2.2.1).
pub(crate) fn names_responder(url: &str) -> CustomExtension {
    const ID_AD_OCSP: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let element = |tag: u8, content: &[u8]| -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("a short URL");
        [&[tag, length], content].concat()
    };
    let place = element(0x30, &[ID_AD_OCSP.as_slice(), &element(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, &place))
}

/// A CRL that is good in this time (seconds since 1970), with certificates on it whose keys got into wrong hands the day before.
pub(crate) fn crl(
    issuer: &Authority,
    number: u64,
    serials: impl IntoIterator<Item = u64>,
    good: Range<i64>,
) -> CertificateRevocationList {
    const DAY: i64 = 86_400;
    let at = |seconds: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.unsigned_abs());
    let revoked = |serial| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: at(good.start - DAY),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: at(good.start),
        next_update: at(good.end),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: serials.into_iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).expect("a CRL")
}

/// The first second of a day, since 1970.
pub(crate) fn day(year: i32, month: u8, day: u8) -> i64 {
    date_time_ymd(year, month, day).unix_timestamp()
}
