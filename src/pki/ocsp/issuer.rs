//! The CA that has issued a certificate, as OCSP names it.

use super::super::ca::Ca;
use super::super::der::{self, INTEGER, MAX_SERIAL, OCTET_STRING, OID, SEQUENCE};
use super::super::digest::{sha1, sha256};
use super::super::signature::split_key;

const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-pkix-ocsp-nonce (RFC 9654 section 2.1)
pub(super) const NONCE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
/// `[2]`, constructed
const REQUEST_EXTENSIONS: u8 = der::CONTEXT_CONSTRUCTED | 2;

/// Name and key of a CA. They needn't be of one that is configured: the server's own certificate has an issuer, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issuer<'a> {
    /// As in [`super::super::Link::issuer`].
    pub(super) id: [u8; 32],
    /// Its subject, DER.
    pub(super) name: &'a [u8],
    /// SubjectPublicKeyInfo, DER.
    pub(super) spki: &'a [u8],
    /// RFC 4514
    pub(super) text: &'a str,
}

/// Of which certificate (RFC 6960 section 4.1.1).
pub(super) struct CertId<'a> {
    /// The hash's OID.
    pub(super) algorithm: &'a [u8],
    pub(super) name_hash: &'a [u8],
    pub(super) key_hash: &'a [u8],
    /// As [`der::serial`] has it; `None`: no serial that a certificate of ours could have.
    pub(super) serial: Option<Vec<u8>>,
}

impl<'a> From<&'a Ca> for Issuer<'a> {
    fn from(ca: &'a Ca) -> Self {
        Self { id: ca.id, name: &ca.subject, spki: &ca.spki, text: &ca.text }
    }
}

impl Issuer<'_> {
    /// Whether a CertID is of a certificate that this CA has issued (RFC 6960 section 4.1.1).
    pub(super) fn is_named_in(&self, id: &CertId<'_>) -> bool {
        let Some(key) = key(self.spki) else { return false };
        match id.algorithm {
            SHA_1 => id.name_hash == sha1(self.name) && id.key_hash == sha1(key),
            SHA_256 => id.name_hash == sha256(&[self.name]) && id.key_hash == sha256(&[key]),
            _ => false,
        }
    }

    /// An OCSPRequest for the certificate of this serial; see [`super::Question::request`].
    pub(super) fn request(&self, serial: &[u8], nonce: Option<&[u8]>) -> Option<Vec<u8>> {
        let algorithm = sequence(&[&der::element(OID, SHA_1), &der::element(der::NULL, &[])]);
        let name_hash = der::element(OCTET_STRING, &sha1(self.name));
        let key_hash = der::element(OCTET_STRING, &sha1(key(self.spki)?));
        let id = sequence(&[&algorithm, &name_hash, &key_hash, &der::element(INTEGER, &integer(serial))]);
        let requests = sequence(&[&sequence(&[&id])]);
        let extensions = nonce.map(|nonce| {
            let value = der::element(OCTET_STRING, &nonce_value(nonce));
            let extension = sequence(&[&der::element(OID, NONCE), &value]);
            der::element(REQUEST_EXTENSIONS, &sequence(&[&extension]))
        });
        Some(sequence(&[&sequence(&[&requests, &extensions.unwrap_or_default()])]))
    }
}

/// What the nonce extension holds: the nonce as an OCTET STRING (RFC 9654 section 2.1).
pub(super) fn nonce_value(nonce: &[u8]) -> Vec<u8> {
    der::element(OCTET_STRING, nonce)
}

/// Whether a KeyHash is that of this key (RFC 6960 section 4.2.1).
pub(super) fn is_key_hash(hash: &[u8], spki: &[u8]) -> bool {
    key(spki).is_some_and(|key| hash == sha1(key))
}

/// What a key hash is taken of: the BIT STRING's octets alone.
fn key(spki: &[u8]) -> Option<&[u8]> {
    der::only_sequence(spki).ok()?;
    split_key(spki).ok().map(|(_, key)| key)
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der::element(SEQUENCE, &parts.concat())
}

/// The INTEGER's octets of a serial as [`der::serial`] has it.
fn integer(serial: &[u8]) -> Vec<u8> {
    let begins_high = |octets: &[u8]| octets.first().is_some_and(|octet| octet & 0x80 != 0);
    if serial.len() < MAX_SERIAL {
        let zero: &[u8] = if begins_high(serial) || serial.is_empty() { &[0] } else { &[] };
        return [zero, serial].concat();
    }
    // A negative one: without the octets that only repeat its sign.
    let mut shortest = serial;
    while let [0xff, rest @ ..] = shortest
        && begins_high(rest)
    {
        shortest = rest;
    }
    shortest.to_vec()
}
