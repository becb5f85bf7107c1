//! A responder: a CA's own answers to requests about one certificate (RFC 6960).

use std::time::Duration;

use rcgen::{KeyPair, SigningKey, date_time_ymd};
use sekisho::event::OcspStatus;
use sekisho::now::Wall;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 4;
const ENUMERATED: u8 = 10;
const GENERALIZED_TIME: u8 = 24;
/// id-pkix-ocsp-basic
const BASIC: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// ecdsa-with-SHA256
const ECDSA_SHA256: &[u8] = &[SEQUENCE, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// The OCSPResponse to a request, signed with the P-256 key of the certificate's issuer; good from the first of these dates to the second.
pub(crate) fn respond(request: &[u8], issuer: &KeyPair, status: OcspStatus, dates: (Wall, Wall)) -> Vec<u8> {
    // OCSPRequest, TBSRequest, requestList, the first Request: the first thing in each.
    let id = (0..4).fold(request, |der, _| content(der));
    let status = match status {
        OcspStatus::Good => tlv(0x80, &[]),
        OcspStatus::Unknown => tlv(0x82, &[]),
        OcspStatus::Revoked => tlv(0xa1, &time(dates.0)),
    };
    let single = [first(id), &status, &time(dates.0), &tlv(0xa0, &time(dates.1))].concat();
    let data = [
        tlv(0xa2, &tlv(OCTET_STRING, issuer_key_hash(content(id)))),
        time(dates.0),
        tlv(SEQUENCE, &tlv(SEQUENCE, &single)),
    ];
    let data = tlv(SEQUENCE, &data.concat());
    let signature = [&[0], issuer.sign(&data).expect("a signature").as_slice()].concat();
    let basic = tlv(SEQUENCE, &[&data, ECDSA_SHA256, &tlv(3, &signature)].concat());
    let bytes = tlv(SEQUENCE, &[BASIC, &tlv(OCTET_STRING, &basic)].concat());
    tlv(SEQUENCE, &[tlv(ENUMERATED, &[0]), tlv(0xa0, &bytes)].concat())
}

/// The third of a CertID's fields: after the hash's algorithm and the issuer's name.
fn issuer_key_hash(id: &[u8]) -> &[u8] {
    let key = &id[first(id).len()..];
    content(&key[first(key).len()..])
}

fn time(at: Wall) -> Vec<u8> {
    let at = date_time_ymd(1970, 1, 1) + Duration::from_secs(at.0.unsigned_abs());
    let (date, (hour, minute, second)) = (at.date(), at.to_hms());
    let month = u8::from(date.month());
    let text = format!("{:04}{month:02}{:02}{hour:02}{minute:02}{second:02}Z", date.year(), date.day());
    tlv(GENERALIZED_TIME, text.as_bytes())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    match length {
        [0, short @ 0..0x80] => [&[tag, short], content].concat(),
        [0, long] => [&[tag, 0x81, long], content].concat(),
        [high, low] => [&[tag, 0x82, high, low], content].concat(),
    }
}

/// The first value, header and all.
fn first(der: &[u8]) -> &[u8] {
    let (header, length) = measure(der);
    &der[..header + length]
}

/// What is in the first value.
fn content(der: &[u8]) -> &[u8] {
    let (header, length) = measure(der);
    &der[header..header + length]
}

/// Octets of header and content.
fn measure(der: &[u8]) -> (usize, usize) {
    match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        short => (2, usize::from(short)),
    }
}
