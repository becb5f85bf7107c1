//! A little PKI, made once.

use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SigningKey,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::secret::Secret;
use crate::tls::IdentitySettings;

pub(super) const SERVER_NAME: &str = "radius.example";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    Ecdsa,
}

pub(super) const KINDS: [Kind; 2] = [Kind::Rsa, Kind::Ecdsa];

pub(super) struct Pair {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Vec<u8>,
}

pub(super) struct Pki {
    pub(super) ca: CertificateDer<'static>,
    pub(super) server_rsa: Pair,
    pub(super) server_ecdsa: Pair,
    pub(super) client_rsa: Pair,
    pub(super) client_ecdsa: Pair,
}

impl Pair {
    pub(super) fn identity(&self, name: &str) -> IdentitySettings {
        let chain = self.chain.iter().map(|certificate| certificate.to_vec()).collect();
        IdentitySettings { name: name.into(), chain, key: Secret::new(self.key.clone()) }
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        Arc::new(CertifiedKey::from_der(self.chain.clone(), key, &default_provider()).unwrap())
    }

    pub(super) fn ders(&self) -> Vec<Vec<u8>> {
        self.chain.iter().map(|certificate| certificate.to_vec()).collect()
    }
}

impl Pki {
    pub(super) fn client(&self, kind: Kind) -> &Pair {
        match kind {
            Kind::Rsa => &self.client_rsa,
            Kind::Ecdsa => &self.client_ecdsa,
        }
    }

    pub(super) fn server(&self, kind: Kind) -> &Pair {
        match kind {
            Kind::Rsa => &self.server_rsa,
            Kind::Ecdsa => &self.server_ecdsa,
        }
    }
}

pub(super) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(make)
}

pub(super) fn rsa_key(size: RsaKeySize) -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).unwrap()
}

fn key(kind: Kind) -> KeyPair {
    match kind {
        Kind::Rsa => rsa_key(RsaKeySize::_2048),
        Kind::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
    }
}

fn make() -> Pki {
    let (root, ca) = authority("test root", None);
    let (issuing, intermediate) = authority("test issuing", Some(&root));
    let server = |kind| leaf(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, kind, &root, None);
    let client =
        |kind| leaf("client.example", ExtendedKeyUsagePurpose::ClientAuth, kind, &issuing, Some(&intermediate));
    Pki {
        server_rsa: server(Kind::Rsa),
        server_ecdsa: server(Kind::Ecdsa),
        client_rsa: client(Kind::Rsa),
        client_ecdsa: client(Kind::Ecdsa),
        ca,
    }
}

fn authority(
    name: &str,
    issuer: Option<&Issuer<'static, KeyPair>>,
) -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = key(Kind::Ecdsa);
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (Issuer::new(params, key), certificate.der().clone())
}

fn leaf(
    name: &str,
    purpose: ExtendedKeyUsagePurpose,
    kind: Kind,
    issuer: &Issuer<'_, impl SigningKey>,
    intermediate: Option<&CertificateDer<'static>>,
) -> Pair {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![purpose];
    let key = key(kind);
    let certificate = params.signed_by(&key, issuer).unwrap();
    let chain = [certificate.der()].into_iter().chain(intermediate).cloned().collect();
    Pair { chain, key: key.serialize_der() }
}

/// A certificate whose RSA key is as long as said; nobody can sign with it here.
pub(super) fn certificate_with_long_key(modulus: usize) -> CertificateDer<'static> {
    // Not a number that anybody knows the factors of: only its length matters.
    let long = LongKey(rsa_public_key(modulus));
    let issuer_key = key(Kind::Ecdsa);
    let params = CertificateParams::new(vec!["long.example".to_owned()]).unwrap();
    let issuer = Issuer::new(CertificateParams::new(Vec::new()).unwrap(), issuer_key);
    params.signed_by(&long, &issuer).unwrap().der().clone()
}

struct LongKey(Vec<u8>);

impl rcgen::PublicKeyData for LongKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// RSAPublicKey with a modulus of so many octets.
fn rsa_public_key(modulus: usize) -> Vec<u8> {
    let length = |octets: usize| [0x82, u8::try_from(octets >> 8).unwrap(), u8::try_from(octets & 0xff).unwrap()];
    let mut body = [&[0x02][..], &length(modulus + 1), &[0]].concat();
    body.extend(vec![0xa7; modulus]);
    body.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    [&[0x30][..], &length(body.len()), &body].concat()
}
