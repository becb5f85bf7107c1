//! An OCSPResponse taken apart (RFC 6960 section 4.2.1), and nothing believed yet.

use super::super::der::{
    self, BadDer, CONTEXT, CONTEXT_CONSTRUCTED, ENUMERATED, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, Reader,
    SEQUENCE, only_sequence,
};
use super::super::extension::Extension;
use super::super::serials::Entry;
use super::super::signature::Signed;
use super::issuer::{CertId, NONCE, is_key_hash};
use super::refusal::{BadOcsp, Refusal};
use crate::now::Wall;

/// Octets of a response.
const MAX_OCTETS: usize = 64 * 1024;
/// Certificates that one response may be about.
const MAX_ANSWERS: usize = 32;
/// Certificates that it may bring along.
const MAX_CERTIFICATES: usize = 8;
/// Extensions of one list.
const MAX_EXTENSIONS: usize = 16;

/// id-pkix-ocsp-basic
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// id-pkix-ocsp-extended-revoke: a serial that was never issued is answered as on hold (RFC 6960 section 4.4.8).
const EXTENDED_REVOKE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x09];
/// What may be critical in a response.
const KNOWN: &[&[u8]] = &[NONCE, EXTENDED_REVOKE];
/// And in a single one, where nothing depends on them: id-pkix-ocsp-crl and id-pkix-ocsp-archive-cutoff (RFC 6960 sections 4.4.2 and 4.4.4), reasonCode and invalidityDate of CRL entries (section 4.4.5).
const KNOWN_IN_SINGLE: &[&[u8]] = &[
    &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x03],
    &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x06],
    &[0x55, 0x1d, 21],
    &[0x55, 0x1d, 24],
];

/// A BasicOCSPResponse.
pub(super) struct Response<'a> {
    pub(super) signed: Signed<'a>,
    pub(super) responder: Responder<'a>,
    pub(super) produced_at: Wall,
    pub(super) singles: Vec<Single<'a>>,
    /// Value of the nonce extension.
    pub(super) nonce: Option<&'a [u8]>,
    /// DER.
    pub(super) certificates: Vec<&'a [u8]>,
}

/// Who says that it has signed.
pub(super) enum Responder<'a> {
    /// DER of the Name.
    Name(&'a [u8]),
    /// SHA-1 of the key.
    Key(&'a [u8]),
}

impl Responder<'_> {
    /// Whether it is whoever has this name and this key.
    pub(super) fn is(&self, name: &[u8], spki: &[u8]) -> bool {
        match self {
            Self::Name(own) => *own == name,
            Self::Key(hash) => is_key_hash(hash, spki),
        }
    }
}

/// What a response says of one certificate.
pub(super) struct Single<'a> {
    pub(super) id: CertId<'a>,
    pub(super) status: Status,
    pub(super) this_update: Wall,
    pub(super) next_update: Option<Wall>,
}

/// certStatus
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Unknown,
    Revoked(Entry),
}

impl<'a> Response<'a> {
    pub(super) fn read(octets: &'a [u8]) -> Result<Self, BadOcsp> {
        if octets.len() > MAX_OCTETS {
            return Err(Refusal::TooLarge.because("it is longer than 64 KiB"));
        }
        let mut reader = only_sequence(successful(octets)?)?;
        let signed = Signed::read_from(&mut reader)?;
        let certificates = match reader.optional(CONTEXT_CONSTRUCTED)? {
            Some(list) => certificates(only_sequence(list)?)?,
            None => Vec::new(),
        };
        reader.end()?;
        Self::read_data(signed, certificates)
    }

    /// ResponseData
    fn read_data(signed: Signed<'a>, certificates: Vec<&'a [u8]>) -> Result<Self, BadOcsp> {
        let mut reader = Reader::new(signed.content);
        // v1 by default; that it is written out all the same is tolerated.
        if reader.optional(CONTEXT_CONSTRUCTED)?.is_some_and(|version| version != [INTEGER, 1, 0]) {
            return Err(Refusal::Unsupported.because("it isn't of version 1"));
        }
        let responder = responder(&mut reader)?;
        let produced_at = generalized_time(&mut reader)?;
        let singles = singles(Reader::new(reader.expect(SEQUENCE)?))?;
        let nonce = match reader.optional(CONTEXT_CONSTRUCTED | 1)? {
            Some(list) => extensions(list, KNOWN)?,
            None => None,
        };
        reader.end()?;
        Ok(Self { signed, responder, produced_at, singles, nonce, certificates })
    }
}

/// What is in a successful OCSPResponse of the basic type.
fn successful(octets: &[u8]) -> Result<&[u8], BadOcsp> {
    let mut reader = only_sequence(octets)?;
    let [status] = reader.expect(ENUMERATED)? else { return Err(BadDer.into()) };
    check_status(*status)?;
    let mut bytes = only_sequence(reader.expect(CONTEXT_CONSTRUCTED)?)?;
    reader.end()?;
    if bytes.expect(OID)? != BASIC {
        return Err(Refusal::Unsupported.because("its responseType isn't id-pkix-ocsp-basic"));
    }
    let basic = bytes.expect(OCTET_STRING)?;
    bytes.end()?;
    Ok(basic)
}

/// OCSPResponseStatus
fn check_status(status: u8) -> Result<(), BadOcsp> {
    Err(match status {
        0 => return Ok(()),
        1 => Refusal::MalformedRequest.because("the responder couldn't read the request (malformedRequest)"),
        2 => Refusal::InternalError.because("the responder has an error of its own (internalError)"),
        3 => Refusal::TryLater.because("the responder can't answer now (tryLater)"),
        5 => Refusal::SignatureRequired.because("the responder wants signed requests (sigRequired)"),
        6 => Refusal::Unauthorized
            .because("the responder doesn't answer about this certificate, or not us (unauthorized)"),
        other => Refusal::Unsupported.because(format!("its responseStatus is {other}, which RFC 6960 doesn't have")),
    })
}

fn responder<'a>(reader: &mut Reader<'a>) -> Result<Responder<'a>, BadDer> {
    if let Some(name) = reader.optional(CONTEXT_CONSTRUCTED | 1)? {
        only_sequence(name)?;
        return Ok(Responder::Name(name));
    }
    let mut key = Reader::new(reader.expect(CONTEXT_CONSTRUCTED | 2)?);
    let hash = key.expect(OCTET_STRING)?;
    key.end()?;
    Ok(Responder::Key(hash))
}

fn certificates(mut list: Reader<'_>) -> Result<Vec<&[u8]>, BadOcsp> {
    let mut all = Vec::new();
    while !list.is_empty() {
        if all.len() == MAX_CERTIFICATES {
            return Err(Refusal::TooLarge.because("it brings more than 8 certificates"));
        }
        all.push(list.expect_element(SEQUENCE)?.raw);
    }
    Ok(all)
}

fn singles(mut list: Reader<'_>) -> Result<Vec<Single<'_>>, BadOcsp> {
    let mut all = Vec::new();
    while !list.is_empty() {
        if all.len() == MAX_ANSWERS {
            return Err(Refusal::TooLarge.because("it is about more than 32 certificates"));
        }
        all.push(single(Reader::new(list.expect(SEQUENCE)?))?);
    }
    Ok(all)
}

fn single(mut reader: Reader<'_>) -> Result<Single<'_>, BadOcsp> {
    let id = cert_id(Reader::new(reader.expect(SEQUENCE)?))?;
    let status = status(&mut reader)?;
    let this_update = generalized_time(&mut reader)?;
    let next_update = match reader.optional(CONTEXT_CONSTRUCTED)? {
        Some(time) => {
            let mut inside = Reader::new(time);
            let time = generalized_time(&mut inside)?;
            inside.end()?;
            Some(time)
        }
        None => None,
    };
    if let Some(list) = reader.optional(CONTEXT_CONSTRUCTED | 1)? {
        extensions(list, KNOWN_IN_SINGLE)?;
    }
    reader.end()?;
    Ok(Single { id, status, this_update, next_update })
}

fn cert_id(mut reader: Reader<'_>) -> Result<CertId<'_>, BadDer> {
    let mut algorithm = Reader::new(reader.expect(SEQUENCE)?);
    let id = CertId {
        algorithm: algorithm.expect(OID)?,
        name_hash: reader.expect(OCTET_STRING)?,
        key_hash: reader.expect(OCTET_STRING)?,
        serial: der::serial(reader.expect(INTEGER)?).ok().map(|serial| serial.into_owned()),
    };
    // Absent or NULL: CAs write either.
    algorithm.optional(der::NULL)?;
    algorithm.end()?;
    reader.end()?;
    Ok(id)
}

fn status(reader: &mut Reader<'_>) -> Result<Status, BadDer> {
    let element = reader.element()?;
    match (element.tag, element.value) {
        (CONTEXT, []) => Ok(Status::Good),
        (UNKNOWN, []) => Ok(Status::Unknown),
        (REVOKED, info) => revoked(Reader::new(info)).map(Status::Revoked),
        _ => Err(BadDer),
    }
}

const REVOKED: u8 = CONTEXT_CONSTRUCTED | 1;
const UNKNOWN: u8 = CONTEXT | 2;

/// RevokedInfo. Without its time it isn't one.
fn revoked(mut reader: Reader<'_>) -> Result<Entry, BadDer> {
    let at = generalized_time(&mut reader)?;
    let reason = match reader.optional(CONTEXT_CONSTRUCTED)? {
        Some(octets) => {
            let mut inside = Reader::new(octets);
            let [reason] = inside.expect(ENUMERATED)? else { return Err(BadDer) };
            inside.end()?;
            Some(*reason)
        }
        None => None,
    };
    reader.end()?;
    Ok(Entry { at, reason })
}

fn generalized_time(reader: &mut Reader<'_>) -> Result<Wall, BadDer> {
    der::time(GENERALIZED_TIME, reader.expect(GENERALIZED_TIME)?).map(Wall)
}

/// Walks a list of extensions, none of which may stand twice; the nonce's value.
fn extensions<'a>(list: &'a [u8], known: &[&[u8]]) -> Result<Option<&'a [u8]>, BadOcsp> {
    let mut list = only_sequence(list)?;
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut nonce = None;
    while !list.is_empty() {
        let extension = Extension::read(&mut list)?;
        if seen.len() == MAX_EXTENSIONS {
            return Err(Refusal::TooLarge.because("it has more than 16 extensions"));
        }
        if seen.contains(&extension.oid) {
            return Err(Refusal::Malformed.because("an extension stands twice"));
        }
        if extension.critical && !known.contains(&extension.oid) {
            return Err(Refusal::Critical.because("it has a critical extension that isn't known"));
        }
        if extension.oid == NONCE {
            nonce = Some(extension.value);
        }
        seen.push(extension.oid);
    }
    Ok(nonce)
}
