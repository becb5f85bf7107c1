//! Distribution points: which CRL is about which certificates (RFC 5280 sections 4.2.1.13, 5.2.5 and 6.3.3).
//!
//! A point's name is kept as the first eight octets of the SHA-256 of the GeneralName's DER. Both sides are signed by CAs of the
//! configuration, so nobody gains by a collision.

use super::der::{self, BadDer, CONTEXT, CONTEXT_CONSTRUCTED, Reader, SEQUENCE, SET, only_sequence};
use super::digest::sha256;
use super::name;

/// Names of points of one certificate or CRL.
const MAX_NAMES: usize = 16;
/// directoryName
const DIRECTORY_NAME: u8 = CONTEXT_CONSTRUCTED | 4;
/// Every bit of ReasonFlags but `unused`, which is no reason.
pub(super) const ALL_REASONS: u16 = 0b1_1111_1110;

/// A certificate's distribution point under one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first eight octets of the SHA-256 of its name (a GeneralName's DER); of a point without one, of the CRL issuer's.
    pub name: u64,
    /// The CA that signs its CRLs instead of the certificate's issuer, as the first eight octets of a SHA-256 of its name.
    pub issuer: Option<u64>,
    /// The reasons for which its CRLs revoke: bit n is that of ReasonFlags (RFC 5280 section 4.2.1.13).
    pub reasons: u16,
}

/// A certificate's points (cRLDistributionPoints). `certificate_issuer`: DER of the name. A point whose CRL issuer is none that a CRL could have is left out.
pub(super) fn of_certificate(extension: &[u8], certificate_issuer: &[u8]) -> Result<Vec<Point>, BadDer> {
    let mut all = Vec::new();
    let mut points = only_sequence(extension)?;
    while !points.is_empty() {
        let mut point = Reader::new(points.expect(SEQUENCE)?);
        let place = point.optional(CONTEXT_CONSTRUCTED)?;
        let reasons = point.optional(CONTEXT | 1)?.map_or(Ok(ALL_REASONS), reasons)?;
        let issuers = point.optional(CONTEXT_CONSTRUCTED | 2)?;
        point.end()?;
        for issuer in issuers.map_or(Ok(vec![None]), crl_issuers)? {
            let relative_to = issuer.map_or(certificate_issuer, |issuer| issuer.name);
            let names = match (place, issuer) {
                (Some(place), _) => names(place, relative_to)?,
                (None, Some(issuer)) => vec![short(issuer.general_name)?],
                (None, None) => Vec::new(),
            };
            let id = issuer.map(|issuer| issuer.id);
            all.extend(names.into_iter().map(|name| Point { name, issuer: id, reasons }));
            if all.len() > MAX_NAMES {
                return Err(BadDer);
            }
        }
    }
    Ok(all)
}

/// A name in cRLIssuer.
#[derive(Clone, Copy)]
struct CrlIssuer<'a> {
    general_name: &'a [u8],
    /// DER of the Name in it.
    name: &'a [u8],
    id: u64,
}

fn crl_issuers(names: &[u8]) -> Result<Vec<Option<CrlIssuer<'_>>>, BadDer> {
    let mut issuers = Vec::new();
    let mut names = Reader::new(names);
    while !names.is_empty() && issuers.len() <= MAX_NAMES {
        let general_name = names.element()?;
        let name = general_name.value;
        if general_name.tag == DIRECTORY_NAME
            && let Some(id) = name::id(name)
        {
            issuers.push(Some(CrlIssuer { general_name: general_name.raw, name, id }));
        }
    }
    Ok(issuers)
}

/// The first directoryName of GeneralNames, as [`name::id`] has it: who has issued the certificate of an indirect CRL's entry.
pub(super) fn certificate_issuer(extension: &[u8]) -> Result<u64, BadDer> {
    let mut names = only_sequence(extension)?;
    while !names.is_empty() {
        let general_name = names.element()?;
        if general_name.tag == DIRECTORY_NAME {
            return name::id(general_name.value).ok_or(BadDer);
        }
    }
    Err(BadDer)
}

/// What a CRL is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) users: bool,
    pub(super) cas: bool,
    /// Only certificates that name one of these points; `None`: all.
    pub(super) points: Option<Vec<u64>>,
    /// What it doesn't list may still be revoked for other reasons; see [`Point::reasons`].
    pub(super) reasons: u16,
    /// True: it is also about certificates that others than its issuer have issued.
    pub(super) indirect: bool,
    /// True: it lists only what has changed since another CRL.
    pub(super) delta: bool,
}

impl Scope {
    pub(super) const ALL: Self =
        Self { users: true, cas: true, points: None, reasons: ALL_REASONS, indirect: false, delta: false };

    /// For which reasons a certificate with these points that isn't on the CRL isn't revoked; 0: none. `by`: the CRL's issuer where it isn't the certificate's, as [`Point::issuer`] has it.
    pub(super) fn reasons_for(&self, is_ca: bool, points: &[Point], by: Option<u64>) -> u16 {
        if by.is_some() && !self.indirect {
            return 0;
        }
        let reasons = self.reasons_for_some(is_ca);
        if by.is_none() && self.points.is_none() {
            return reasons;
        }
        let is_its =
            |point: &&Point| point.issuer == by && self.points.as_ref().is_none_or(|names| names.contains(&point.name));
        points.iter().filter(is_its).fold(0, |all, point| all | point.reasons) & reasons
    }

    /// For which reasons that may hold, whatever points a certificate has.
    pub(super) fn reasons_for_some(&self, is_ca: bool) -> u16 {
        if !self.delta && if is_ca { self.cas } else { self.users } { self.reasons } else { 0 }
    }

    /// Whether a CRL of this scope is a complete one to which deltas of the other scope belong.
    pub(super) fn completes(&self, other: &Self) -> bool {
        !self.delta && other.delta && *self == Self { delta: false, ..other.clone() }
    }
}

/// Why an issuingDistributionPoint can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadScope {
    Malformed,
    AttributeCertificates,
}

impl From<BadDer> for BadScope {
    fn from(BadDer: BadDer) -> Self {
        Self::Malformed
    }
}

/// issuingDistributionPoint of a CRL by this issuer (a Name's DER).
pub(super) fn of_crl(extension: &[u8], issuer: &[u8]) -> Result<Scope, BadScope> {
    let mut reader = only_sequence(extension)?;
    let place = reader.optional(CONTEXT_CONSTRUCTED)?;
    let only_users = reader.boolean(CONTEXT | 1)?;
    let only_cas = reader.boolean(CONTEXT | 2)?;
    let reasons = reader.optional(CONTEXT | 3)?.map_or(Ok(ALL_REASONS), reasons)?;
    let indirect = reader.boolean(CONTEXT | 4)?;
    let only_attributes = reader.boolean(CONTEXT | 5)?;
    reader.end()?;
    if only_attributes {
        return Err(BadScope::AttributeCertificates);
    }
    if only_users && only_cas {
        return Err(BadScope::Malformed);
    }
    let points = place.map(|place| names(place, issuer)).transpose()?;
    Ok(Scope { users: !only_cas, cas: !only_users, points, reasons, indirect, delta: false })
}

/// ReasonFlags (implicitly tagged): nine bits, of which the last may be left out.
fn reasons(bits: &[u8]) -> Result<u16, BadDer> {
    let octets = match bits {
        [0..=7, octets @ ..] if octets.len() <= 2 => octets,
        _ => return Err(BadDer),
    };
    let bit = |place: usize| {
        let octet = octets.get(place / 8).copied().unwrap_or(0);
        u16::from(octet >> (7 - place % 8) & 1) << place
    };
    Ok((1..=8).map(bit).sum())
}

/// The names in a DistributionPointName.
fn names(place: &[u8], relative_to: &[u8]) -> Result<Vec<u64>, BadDer> {
    let mut reader = Reader::new(place);
    let Some(full) = reader.optional(CONTEXT_CONSTRUCTED)? else {
        let last = reader.expect(CONTEXT_CONSTRUCTED | 1)?;
        reader.end()?;
        return Ok(vec![relative(relative_to, last)?]);
    };
    reader.end()?;
    let mut names = Vec::new();
    let mut reader = Reader::new(full);
    while !reader.is_empty() {
        if names.len() == MAX_NAMES {
            return Err(BadDer);
        }
        names.push(short(reader.element()?.raw)?);
    }
    Ok(names)
}

/// nameRelativeToCRLIssuer: the directoryName of the CRL's issuer with one relative name more.
fn relative(issuer: &[u8], last: &[u8]) -> Result<u64, BadDer> {
    let above = Reader::new(issuer).expect(SEQUENCE)?;
    let name = der::element(SEQUENCE, &[above, &der::element(SET, last)].concat());
    short(&der::element(DIRECTORY_NAME, &name))
}

/// A GeneralName's DER in short.
fn short(name: &[u8]) -> Result<u64, BadDer> {
    sha256(&[name]).first_chunk().map(|octets| u64::from_be_bytes(*octets)).ok_or(BadDer)
}
