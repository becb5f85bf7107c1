//! A little PKI, made once.

use std::sync::{Arc, OnceLock};

use rcgen::{CertificateParams, DnType, Issuer, PKCS_RSA_SHA256};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::secret::Secret;
pub(super) use crate::support::certificates::Key;
use crate::support::certificates::{self, Authority};
use crate::tls::IdentitySettings;

pub(super) const SERVER_NAME: &str = "radius.example";

pub(super) const KEYS: [Key; 2] = [Key::Rsa, Key::P256];

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
    pub(super) fn client(&self, key: Key) -> &Pair {
        match key {
            Key::Rsa => &self.client_rsa,
            Key::P256 => &self.client_ecdsa,
        }
    }

    pub(super) fn server(&self, key: Key) -> &Pair {
        match key {
            Key::Rsa => &self.server_rsa,
            Key::P256 => &self.server_ecdsa,
        }
    }
}

pub(super) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(make)
}

fn make() -> Pki {
    let root = certificates::authority("test root", None);
    let issuing = certificates::authority("test issuing", Some(&root));
    let server = |key| certify(&certificates::server(SERVER_NAME), key, &root, None);
    let subject = [(DnType::CommonName, "client.example")];
    let client =
        |key| certify(&certificates::client(&subject, "hanako@client.example"), key, &issuing, Some(issuing.der()));
    Pki {
        server_rsa: server(Key::Rsa),
        server_ecdsa: server(Key::P256),
        client_rsa: client(Key::Rsa),
        client_ecdsa: client(Key::P256),
        ca: root.der().clone(),
    }
}

fn certify(
    params: &CertificateParams,
    key: Key,
    issuer: &Authority,
    intermediate: Option<&CertificateDer<'static>>,
) -> Pair {
    let key = key.make();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let chain = [certificate.der()].into_iter().chain(intermediate).cloned().collect();
    Pair { chain, key: key.serialize_der() }
}

/// A certificate whose RSA key is as long as said; nobody can sign with it here.
pub(super) fn certificate_with_long_key(modulus: usize) -> CertificateDer<'static> {
    // Not a number that anybody knows the factors of: only its length matters.
    let long = LongKey(rsa_public_key(modulus));
    let issuer_key = Key::P256.make();
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
