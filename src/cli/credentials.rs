//! Certificates and private keys from files: PEM, DER, PKCS#12.

use std::path::Path;

use p12_keystore::{Certificate, Pkcs12Archive};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::pem::{self, BadKey};
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
    if !pem::is_pem(octets.expose()) && parse_certificate(octets.expose()).is_none() {
        return from_pkcs12(octets.expose(), password).map_err(|error| format!("{}: {error}", certificate.display()));
    }
    let chain = pem::certificates(octets.expose()).map_err(|error| format!("{}: {error}", certificate.display()))?;
    let (path, octets) = match key {
        Some(path) => (path, read_file(path)?),
        None => (certificate, octets),
    };
    let key = pem::private_key(octets.expose()).map_err(|bad| format!("{}: {bad}{}", path.display(), advice(bad)))?;
    Ok(Credential { chain, key })
}

fn advice(bad: BadKey) -> &'static str {
    match bad {
        BadKey::Encrypted => ", or use PKCS#12",
        BadKey::Missing => "; --key names its file",
    }
}

/// All certificates of a PEM file, or the one of a DER file; at least one, DER.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    pem::certificates(read_file(path)?.expose()).map_err(|error| format!("{}: {error}", path.display()))
}

/// A secret or password from a file: its first line, without the line's end.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, String> {
    let octets = read_file(path)?;
    let line = octets.expose().split(|&octet| octet == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// A secret that was given as it is, or in a file.
pub(crate) fn secret_or_file(given: Option<&Secret>, file: Option<&Path>) -> Result<Option<Secret>, String> {
    match file {
        Some(path) => read_secret(path).map(Some),
        None => Ok(given.cloned()),
    }
}

/// An identity that routes and tells nobody's name (RFC 9190 section 2.1.8).
pub(crate) fn anonymous(credential: &Credential) -> String {
    let leaf = credential.chain.first().map(Vec::as_slice).unwrap_or_default();
    let mails = mail_addresses(leaf);
    let realm = mails.iter().find_map(|mail| mail.rsplit_once('@'));
    realm.map_or_else(|| "anonymous".to_owned(), |(_, realm)| format!("@{realm}"))
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

fn parse_certificate(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
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
