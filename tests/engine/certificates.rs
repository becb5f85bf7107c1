//! Certificates made for one test.

use rcgen::{CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType};
use rustls::pki_types::PrivateKeyDer;
use sekisho::event::TlsVersion;
use sekisho::secret::Secret;
use sekisho::supplicant::{Settings, Supplicant};

use crate::pki::{CAMPUS, pki};
use crate::world::supplicant_settings;

/// A certificate, and who comes with it.
pub(crate) struct Made {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Secret,
}

impl Made {
    /// A member's certificate of this issuer, with something changed.
    pub(crate) fn member(issuer: &CertifiedIssuer<'_, KeyPair>, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "JP");
        params.distinguished_name.push(DnType::OrganizationName, CAMPUS);
        params.distinguished_name.push(DnType::CommonName, "jiro");
        params.subject_alt_names.push(mail("jiro@jaist.ac.jp"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = rcgen::date_time_ymd(2023, 1, 1);
        params.not_after = rcgen::date_time_ymd(2090, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let leaf = params.signed_by(&key, issuer).expect("a certificate");
        let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS#8").secret_der().to_vec();
        Self { chain: vec![leaf.der().to_vec()], key: Secret::new(secret) }
    }

    pub(crate) fn with_chain(mut self, more: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.chain.extend(more);
        self
    }

    pub(crate) fn supplicant(&self, version: TlsVersion) -> Supplicant {
        let settings = supplicant_settings(&pki().member_p256, Some(version));
        let who = Settings { chain: self.chain.clone(), key: Some(self.key.clone()), fragment_size: 3_500, ..settings };
        Supplicant::new(who).expect("a good credential")
    }
}

pub(crate) fn mail(address: &str) -> SanType {
    SanType::Rfc822Name(address.try_into().expect("ASCII"))
}

/// A CA whose name differs from those of the campus' CAs by the common name alone, certified by another or by itself.
pub(crate) fn authority<'a>(
    common_name: &str,
    above: Option<&CertifiedIssuer<'_, KeyPair>>,
) -> CertifiedIssuer<'a, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "JP");
    params.distinguished_name.push(DnType::OrganizationName, "SECOM Trust Systems CO.,LTD. (look-alike)");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = above.is_some();
    let key = KeyPair::generate().expect("a key");
    match above {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer),
        None => CertifiedIssuer::self_signed(params, key),
    }
    .expect("a CA")
}
