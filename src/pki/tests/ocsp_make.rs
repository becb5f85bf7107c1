//! OCSP responses of any shape, right and wrong, written octet by octet.

use std::sync::Arc;

use aws_lc_rs::digest;

use super::campus::*;
use super::make::*;
use crate::now::Wall;
use crate::pki::{BadOcsp, Facts, OcspAnswer, Origin, Question, Trust};

pub(crate) const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
pub(crate) const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
pub(crate) const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
pub(crate) const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
pub(crate) const INFORMATION_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const SHA_1: &str = "1.3.14.3.2.26";
const SHA_256: &str = "2.16.840.1.101.3.4.2.1";

/// GeneralizedTime, of the years from 1970 to 2049.
pub(crate) fn general_time(at: Wall) -> Vec<u8> {
    let short = time(at);
    let century: &[u8] = if short[2] < b'5' { b"20" } else { b"19" };
    der(0x18, &[century, &short[2..]])
}

/// The octets of a SubjectPublicKeyInfo's BIT STRING.
pub(crate) fn key_octets(spki: &[u8]) -> &[u8] {
    use x509_parser::prelude::FromDer;
    let (_, key) = x509_parser::x509::SubjectPublicKeyInfo::from_der(spki).unwrap();
    let start = spki.len() - key.subject_public_key.data.len();
    &spki[start..]
}

fn hash(algorithm: &'static digest::Algorithm, octets: &[u8]) -> Vec<u8> {
    digest::digest(algorithm, octets).as_ref().to_vec()
}

pub(crate) fn sha1(octets: &[u8]) -> Vec<u8> {
    hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets)
}

/// A CertID by SHA-1.
pub(crate) fn cert_id(issuer: &TestCa, serial: &[u8]) -> Vec<u8> {
    cert_id_by(SHA_1, sha1, issuer, serial)
}

/// A CertID by SHA-256.
pub(crate) fn cert_id_sha256(issuer: &TestCa, serial: &[u8]) -> Vec<u8> {
    cert_id_by(SHA_256, |octets| hash(&digest::SHA256, octets), issuer, serial)
}

pub(crate) fn cert_id_by(oid_text: &str, hash: impl Fn(&[u8]) -> Vec<u8>, issuer: &TestCa, serial: &[u8]) -> Vec<u8> {
    let spki = issuer.key.spki();
    let algorithm = der(0x30, &[&oid(oid_text), &der(0x05, &[])]);
    let hashes = [hash(&issuer.name), hash(key_octets(&spki))].map(|hash| der(0x04, &[&hash]));
    der(0x30, &[&algorithm, &hashes[0], &hashes[1], &der(0x02, &[serial])])
}

pub(crate) fn good() -> Vec<u8> {
    der(0x80, &[])
}

pub(crate) fn unknown() -> Vec<u8> {
    der(0x82, &[])
}

pub(crate) fn revoked(at: Wall, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|code| der(0xa0, &[&der(0x0a, &[&[code]])])).unwrap_or_default();
    der(0xa1, &[&general_time(at), &reason])
}

/// A SingleResponse about to be written.
#[derive(Clone)]
pub(crate) struct Single {
    pub(crate) id: Vec<u8>,
    pub(crate) status: Vec<u8>,
    pub(crate) this_update: Wall,
    pub(crate) next_update: Option<Wall>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Single {
    /// An hour old, good for a day.
    pub(crate) fn new(id: Vec<u8>, status: Vec<u8>) -> Self {
        let (this_update, next_update) = (Wall(NOW.0 - 3600), Some(days(1)));
        Self { id, status, this_update, next_update, extensions: Vec::new() }
    }

    pub(crate) fn dated(self, this_update: Wall, next_update: Wall) -> Self {
        Self { this_update, next_update: Some(next_update), ..self }
    }

    fn write(&self) -> Vec<u8> {
        let next = self.next_update.map(|at| der(0xa0, &[&general_time(at)])).unwrap_or_default();
        let this_update = general_time(self.this_update);
        der(0x30, &[&self.id, &self.status, &this_update, &next, &list(0xa1, &self.extensions)])
    }
}

/// Explicitly tagged extensions; nothing where there are none.
fn list(tag: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    if extensions.is_empty() { Vec::new() } else { der(tag, &[&der(0x30, &[&extensions.concat()])]) }
}

/// An OCSPResponse about to be signed; every field may be changed before.
#[derive(Clone)]
pub(crate) struct OcspDraft {
    pub(crate) status: u8,
    pub(crate) kind: Vec<u8>,
    pub(crate) version: Vec<u8>,
    /// ResponderID; by default the signer's name.
    pub(crate) responder: Option<Vec<u8>>,
    pub(crate) produced_at: Wall,
    pub(crate) singles: Vec<Single>,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) certificates: Vec<Vec<u8>>,
    /// AlgorithmIdentifier that it claims instead of the true one.
    pub(crate) algorithm: Option<Vec<u8>>,
}

impl OcspDraft {
    pub(crate) fn new(singles: &[Single]) -> Self {
        Self {
            status: 0,
            kind: oid(BASIC),
            version: Vec::new(),
            responder: None,
            produced_at: singles.iter().map(|single| single.this_update).max().unwrap_or(NOW),
            singles: singles.to_vec(),
            extensions: Vec::new(),
            certificates: Vec::new(),
            algorithm: None,
        }
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// With what a request's nonce brings back.
    pub(crate) fn nonce(self, nonce: &[u8]) -> Self {
        self.with(extension(NONCE, false, &der(0x04, &[nonce])))
    }

    /// With its signer's certificate, and signed.
    pub(crate) fn sign_delegated(mut self, delegate: &TestCa) -> Vec<u8> {
        self.certificates.insert(0, delegate.der.clone());
        self.sign(delegate)
    }

    pub(crate) fn sign(&self, signer: &TestCa) -> Vec<u8> {
        let by_name = der(0xa1, &[&signer.name]);
        let responder = self.responder.as_deref().unwrap_or(&by_name);
        let singles = der(0x30, &[&self.singles.iter().map(Single::write).collect::<Vec<_>>().concat()]);
        let produced_at = general_time(self.produced_at);
        let extensions = list(0xa1, &self.extensions);
        let tbs = der(0x30, &[&self.version, responder, &produced_at, &singles, &extensions]);
        let certificates = list(0xa0, &self.certificates);
        let signature = der(0x03, &[&[0], &signer.key.sign(&tbs)]);
        let own = signer.key.algorithm();
        let basic = der(0x30, &[&tbs, self.algorithm.as_deref().unwrap_or(&own), &signature, &certificates]);
        let bytes = der(0x30, &[&self.kind, &der(0x04, &[&basic])]);
        der(0x30, &[&der(0x0a, &[&[self.status]]), &der(0xa0, &[&bytes])])
    }
}

/// A responseStatus and nothing else.
pub(crate) fn bare(status: u8) -> Vec<u8> {
    der(0x30, &[&der(0x0a, &[&[status]])])
}

/// By the signer's key instead of its name.
pub(crate) fn by_key(signer: &TestCa) -> Vec<u8> {
    der(0xa2, &[&der(0x04, &[&sha1(key_octets(&signer.key.spki()))])])
}

/// A responder's certificate, valid for ten days on either side of now, with nothing that says where its revocation is told.
pub(crate) fn delegate_draft(key: &Key, serial: &[u8]) -> Draft {
    Draft::new(name(&[("CN", "OCSP responder")]), serial, key.spki(), days(-10), days(10))
        .with(key_usage(DIGITAL_SIGNATURE))
        .with(purposes(&[OCSP_SIGNING]))
}

pub(crate) fn delegate(issuer: &TestCa, change: impl Fn(Draft) -> Draft) -> TestCa {
    let key = Key::p256();
    let draft = change(delegate_draft(&key, &[0x77]));
    TestCa { name: draft.subject.clone(), der: issuer.issue(&draft), key }
}

/// The question about a leaf.
pub(crate) fn question_of(facts: &Facts) -> Question {
    let link = &facts.links[0];
    Question { authority: Arc::clone(&facts.authority), issuer: link.issuer, serial: link.serial.clone() }
}

pub(crate) const FETCHED: Origin<'static> = Origin::Fetched { nonce: None };

/// Loads an answer about the certificate of `CA16` with serial 7 or the like.
pub(crate) fn load_answer(
    octets: &[u8],
    question: &Question,
    origin: Origin<'_>,
    trust: &Trust,
    now: Wall,
) -> Result<OcspAnswer, BadOcsp> {
    OcspAnswer::load(octets, question, &Arc::from("http://ocsp.example"), origin, trust, now)
}
