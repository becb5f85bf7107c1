//! CRLs of any length, written octet by octet: a general writer of DER takes minutes for a million entries.

use rcgen::{SigningKey, date_time_ymd};

use crate::campus::{Ca, KeyKind, since_epoch};

/// Octets of a serial number: as many as may be (RFC 5280 section 4.1.2.2).
pub(crate) const SERIAL: usize = 20;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const CONTEXT_CONSTRUCTED: u8 = 0xa0;

/// cRLNumber 1
const NUMBER: &[u8] = &[SEQUENCE, 10, 0x06, 3, 0x55, 0x1d, 20, 0x04, 3, INTEGER, 1, 1];
/// crlEntryExtensions: reasonCode keyCompromise
const KEY_COMPROMISE: &[u8] = &[SEQUENCE, 12, SEQUENCE, 10, 0x06, 3, 0x55, 0x1d, 21, 0x04, 3, 0x0a, 1, 1];
const ECDSA_WITH_SHA256: &[u8] = &[SEQUENCE, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SHA256_WITH_RSA: &[u8] = &[SEQUENCE, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 0x05, 0];

/// A CRL of today that lists so many certificates, in no order, each with a reason: their serials are [`revoked`].
pub(crate) fn write(issuer: &Ca, key: KeyKind, entries: u32) -> Vec<u8> {
    const HOUR: i64 = 3_600;
    let now = i64::try_from(since_epoch().as_secs()).expect("a clock before the end of time");
    let (_, certificate) = x509_parser::parse_x509_certificate(issuer.der()).expect("its own certificate");
    let algorithm = match key {
        KeyKind::Rsa => SHA256_WITH_RSA,
        KeyKind::P256 => ECDSA_WITH_SHA256,
    };
    let mut list = Vec::new();
    push(&mut list, INTEGER, &[1]);
    list.extend_from_slice(algorithm);
    list.extend_from_slice(certificate.subject().as_raw());
    push(&mut list, UTC_TIME, &utc_time(now - HOUR));
    push(&mut list, UTC_TIME, &utc_time(now + 48 * HOUR));
    if entries > 0 {
        push(&mut list, SEQUENCE, &revoked_certificates(entries, &utc_time(now - 24 * HOUR)));
    }
    let mut extensions = Vec::new();
    push(&mut extensions, SEQUENCE, NUMBER);
    push(&mut list, CONTEXT_CONSTRUCTED, &extensions);
    let mut tbs = Vec::new();
    push(&mut tbs, SEQUENCE, &list);
    let signature = issuer.key().sign(&tbs).expect("a signature");
    tbs.extend_from_slice(algorithm);
    push(&mut tbs, BIT_STRING, &[&[0], signature.as_slice()].concat());
    let mut crl = Vec::new();
    push(&mut crl, SEQUENCE, &tbs);
    crl
}

fn revoked_certificates(entries: u32, at: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    let mut entry = Vec::new();
    for index in 0..entries {
        entry.clear();
        push(&mut entry, INTEGER, &revoked(index));
        push(&mut entry, UTC_TIME, at);
        entry.extend_from_slice(KEY_COMPROMISE);
        push(&mut list, SEQUENCE, &entry);
    }
    list
}

/// The serial number of a CRL's entry.
pub(crate) fn revoked(index: u32) -> [u8; SERIAL] {
    serial(u64::from(index))
}

/// The serial number of a certificate that no CRL of ours lists.
pub(crate) fn stranger(index: u64) -> [u8; SERIAL] {
    serial(u64::MAX - index)
}

/// Random to the eye, without a leading zero.
fn serial(index: u64) -> [u8; SERIAL] {
    let mut serial = [0; SERIAL];
    for (octets, part) in serial.chunks_mut(8).zip(0..) {
        let drawn = mix(index.wrapping_mul(3).wrapping_add(part)).to_be_bytes();
        octets.copy_from_slice(&drawn[..octets.len()]);
    }
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// The finalizer of SplitMix64: neighbours come out far from each other.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Appends an element of DER.
fn push(to: &mut Vec<u8>, tag: u8, value: &[u8]) {
    to.push(tag);
    let length = value.len().to_be_bytes();
    let digits: &[u8] = &length[length.iter().take_while(|digit| **digit == 0).count()..];
    if value.len() >= 0x80 {
        to.push(0x80 | u8::try_from(digits.len()).expect("at most eight"));
    }
    to.extend_from_slice(if value.is_empty() { &[0] } else { digits });
    to.extend_from_slice(value);
}

fn utc_time(at: i64) -> Vec<u8> {
    let seconds = std::time::Duration::from_secs(at.unsigned_abs());
    let time = date_time_ymd(1970, 1, 1) + seconds;
    let date = format!("{:02}{:02}{:02}", time.year() % 100, u8::from(time.month()), time.day());
    format!("{date}{:02}{:02}{:02}Z", time.hour(), time.minute(), time.second()).into_bytes()
}
