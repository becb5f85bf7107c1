//! Certificates and private keys as files hold them: PEM or DER.

use std::fmt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::secret::Secret;

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    /// There is one, under a passphrase.
    Encrypted,
    /// There is none that can be read.
    Missing,
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypted => "the private key is encrypted; decrypt it: openssl pkey -in … -out …",
            Self::Missing => "no private key (PKCS#8, PKCS#1 or SEC1) in it",
        })
    }
}

/// Whether this is meant as PEM; text may stand before it.
pub(crate) fn is_pem(octets: &[u8]) -> bool {
    contains(octets, b"-----BEGIN ")
}

/// All certificates of a PEM file, or the one of a DER file; at least one, DER. The error is half a sentence about the file.
pub(crate) fn certificates(octets: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if !is_pem(octets) {
        return match X509Certificate::from_der(octets) {
            Ok(_) => Ok(vec![octets.to_vec()]),
            Err(_) => Err("neither PEM nor a certificate in DER".to_owned()),
        };
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(octets).collect();
    let certificates = certificates.map_err(|error| format!("PEM that can't be read: {error}"))?;
    if certificates.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    Ok(certificates.iter().map(|certificate| certificate.to_vec()).collect())
}

/// The first private key of a PEM file, or that of a DER file.
pub(crate) fn private_key(octets: &[u8]) -> Result<Secret, BadKey> {
    let key = match is_pem(octets) {
        true => PrivateKeyDer::from_pem_slice(octets).ok(),
        false => PrivateKeyDer::try_from(octets).ok(),
    };
    match key {
        Some(key) => Ok(Secret::new(key.secret_der())),
        None if contains(octets, b"ENCRYPTED") => Err(BadKey::Encrypted),
        None => Err(BadKey::Missing),
    }
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}
