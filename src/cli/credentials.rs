//! Certificates and private keys from files: PEM, DER, PKCS#12.

use std::path::Path;

use p12_keystore::{Certificate, Pkcs12Archive};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::secret::Secret;

/// What a client logs in with.
#[derive(Debug)]
pub(crate) struct Credential {
    /// DER, leaf first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// DER of the leaf's private key: PKCS#8, PKCS#1 or SEC1.
    pub(crate) key: Secret,
}

/// Certificate chain and key: from a PKCS#12 file, or from PEM (the key in the same file or in `key`). The error is a sentence that names the file.
pub(crate) fn read(certificate: &Path, key: Option<&Path>, password: Option<&Secret>) -> Result<Credential, String> {
    let octets = read_file(certificate)?;
    if !is_pem(octets.expose()) && parse_certificate(octets.expose()).is_none() {
        return from_pkcs12(octets.expose(), password).map_err(|error| format!("{}: {error}", certificate.display()));
    }
    let chain = certificates_in(octets.expose()).map_err(|error| format!("{}: {error}", certificate.display()))?;
    let (path, octets) = match key {
        Some(path) => (path, read_file(path)?),
        None => (certificate, octets),
    };
    let key = key_in(octets.expose()).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Credential { chain, key })
}

/// All certificates of a PEM file, or the one of a DER file; at least one, DER.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    certificates_in(read_file(path)?.expose()).map_err(|error| format!("{}: {error}", path.display()))
}

/// A secret or password from a file: its first line, without the line's end.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, String> {
    let octets = read_file(path)?;
    let line = octets.expose().split(|&octet| octet == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// The mail addresses in a certificate: subjectAltName first, then the subject's emailAddress.
pub(crate) fn mail_addresses(certificate: &[u8]) -> Vec<String> {
    let Some(certificate) = parse_certificate(certificate) else { return Vec::new() };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative.iter().flat_map(|extension| &extension.value.general_names);
    let by_name = names.filter_map(|name| match name {
        GeneralName::RFC822Name(mail) => Some(*mail),
        _ => None,
    });
    let by_subject = certificate.subject().iter_email().filter_map(|mail| mail.as_str().ok());
    by_name.chain(by_subject).map(str::to_owned).collect()
}

fn read_file(path: &Path) -> Result<Secret, String> {
    std::fs::read(path).map(Secret::new).map_err(|error| format!("{}: {error}", path.display()))
}

fn is_pem(octets: &[u8]) -> bool {
    octets.windows(11).any(|window| window == b"-----BEGIN ")
}

fn parse_certificate(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

fn certificates_in(octets: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if !is_pem(octets) {
        return match parse_certificate(octets) {
            Some(_) => Ok(vec![octets.to_vec()]),
            None => Err("neither PEM nor a certificate in DER".to_owned()),
        };
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(octets).collect();
    let certificates = certificates.map_err(|error| format!("PEM that can't be read: {error}"))?;
    if certificates.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    Ok(certificates.iter().map(|certificate| certificate.to_vec()).collect())
}

fn key_in(octets: &[u8]) -> Result<Secret, String> {
    if !is_pem(octets) {
        return PrivateKeyDer::try_from(octets)
            .map(|key| Secret::new(key.secret_der()))
            .map_err(|_| "no private key (PKCS#8, PKCS#1 or SEC1)".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(octets).map_err(|error| match error {
        PemError::NoItemsFound if contains(octets, b"ENCRYPTED PRIVATE KEY") => {
            "the private key is encrypted: decrypt it (openssl pkey), or use PKCS#12".to_owned()
        }
        PemError::NoItemsFound => "no private key in it; --key names its file".to_owned(),
        other => format!("PEM that can't be read: {other}"),
    })?;
    Ok(Secret::new(key.secret_der()))
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

fn from_pkcs12(octets: &[u8], password: Option<&Secret>) -> Result<Credential, String> {
    let password = password.map_or(Ok(""), |password| std::str::from_utf8(password.expose()));
    let password = password.map_err(|_| "the password is not UTF-8")?;
    let archive = Pkcs12Archive::from_pkcs12(octets, password).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_) => "the password is wrong".to_owned(),
        other => format!("neither PEM nor PKCS#12 that can be read, or the password is wrong ({other})"),
    })?;
    let certificates: Vec<&Certificate> = archive.certs.iter().map(|bag| &bag.cert).collect();
    for key in &archive.keys {
        let key = key.key.as_der();
        if let Some(&leaf) = certificates.iter().find(|certificate| belongs(certificate.as_der(), key)) {
            return Ok(Credential { chain: chain_of(leaf, &certificates), key: Secret::new(key) });
        }
    }
    Err("no private key in it, or no certificate of the key's".to_owned())
}

/// Whether a certificate's public key is that of a private key.
fn belongs(certificate: &[u8], key: &[u8]) -> bool {
    let Ok(key) = PrivateKeyDer::try_from(key) else { return false };
    let Ok(key) = aws_lc_rs::sign::any_supported_type(&key) else { return false };
    let Some(certificate) = parse_certificate(certificate) else { return false };
    key.public_key().is_some_and(|public| public.as_ref() == certificate.public_key().raw)
}

/// The leaf and the intermediates above it by name, without a root: whoever trusts it has it.
fn chain_of(leaf: &Certificate, certificates: &[&Certificate]) -> Vec<Vec<u8>> {
    let mut chain = vec![leaf];
    while let Some(last) = chain.last() {
        let above = certificates.iter().find(|above| {
            above.subject() == last.issuer() && above.subject() != above.issuer() && !chain.contains(above)
        });
        let Some(above) = above else { break };
        chain.push(above);
    }
    chain.iter().map(|certificate| certificate.as_der().to_vec()).collect()
}

#[cfg(test)]
pub(crate) mod tests;
