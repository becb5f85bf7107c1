//! Distribution points: which CRL is about which certificates (RFC 5280 sections 4.2.1.13, 5.2.5 and 6.3.3).
//!
//! A point's name is kept as the first eight octets of the SHA-256 of the GeneralName's DER. Both sides are signed by the same
//! CA, so nobody gains by a collision.

use super::der::{BadDer, CONTEXT, CONTEXT_CONSTRUCTED, Reader, SEQUENCE};
use super::digest::sha256;

/// Names of points of one certificate or CRL.
const MAX_NAMES: usize = 16;

/// The names of a certificate's points (cRLDistributionPoints). A point for some reasons only, or with a CRL issuer of its own, is left out: no CRL under it can say "good" here.
pub(super) fn of_certificate(extension: &[u8]) -> Result<Vec<u64>, BadDer> {
    let mut names = Vec::new();
    let mut points = sequence(extension)?;
    while !points.is_empty() {
        let mut point = Reader::new(points.expect(SEQUENCE)?);
        let name = point.optional(CONTEXT_CONSTRUCTED)?;
        let reasons = point.optional(CONTEXT | 1)?;
        let issuer = point.optional(CONTEXT_CONSTRUCTED | 2)?;
        point.end()?;
        if let (Some(name), None, None) = (name, reasons, issuer) {
            full_names(name, &mut names)?;
        }
    }
    Ok(names)
}

/// What a CRL is about, of the certificates of its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) users: bool,
    pub(super) cas: bool,
    /// Only certificates that name one of these points; `None`: all.
    pub(super) points: Option<Vec<u64>>,
    /// False: it is about some reasons only, so what it doesn't list may still be revoked.
    pub(super) all_reasons: bool,
    /// True: it lists only what has changed since another CRL.
    pub(super) delta: bool,
}

impl Scope {
    pub(super) const ALL: Self = Self { users: true, cas: true, points: None, all_reasons: true, delta: false };

    /// Whether a certificate with these points that isn't on the CRL isn't revoked.
    pub(super) fn covers(&self, is_ca: bool, points: &[u64]) -> bool {
        let point = self.points.as_ref().is_none_or(|own| own.iter().any(|name| points.contains(name)));
        point && self.covers_some(is_ca)
    }

    /// Whether there may be certificates for which that holds.
    pub(super) fn covers_some(&self, is_ca: bool) -> bool {
        self.all_reasons && !self.delta && if is_ca { self.cas } else { self.users }
    }

    /// Whether a CRL of this scope is a complete one to which deltas of the other scope belong.
    pub(super) fn completes(&self, other: &Self) -> bool {
        let about = |scope: &Self| (scope.users, scope.cas, scope.all_reasons);
        !self.delta && other.delta && about(self) == about(other) && self.points == other.points
    }
}

/// Why an issuingDistributionPoint can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadScope {
    Malformed,
    Indirect,
    AttributeCertificates,
}

impl From<BadDer> for BadScope {
    fn from(BadDer: BadDer) -> Self {
        Self::Malformed
    }
}

/// issuingDistributionPoint
pub(super) fn of_crl(extension: &[u8]) -> Result<Scope, BadScope> {
    let mut reader = sequence(extension)?;
    let name = reader.optional(CONTEXT_CONSTRUCTED)?;
    let only_users = reader.boolean(CONTEXT | 1)?;
    let only_cas = reader.boolean(CONTEXT | 2)?;
    let some_reasons = reader.optional(CONTEXT | 3)?.is_some();
    let indirect = reader.boolean(CONTEXT | 4)?;
    let only_attributes = reader.boolean(CONTEXT | 5)?;
    reader.end()?;
    if indirect {
        return Err(BadScope::Indirect);
    }
    if only_attributes {
        return Err(BadScope::AttributeCertificates);
    }
    if only_users && only_cas {
        return Err(BadScope::Malformed);
    }
    let mut points = None;
    if let Some(name) = name {
        full_names(name, points.insert(Vec::new()))?;
    }
    Ok(Scope { users: !only_cas, cas: !only_users, points, all_reasons: !some_reasons, delta: false })
}

fn sequence(octets: &[u8]) -> Result<Reader<'_>, BadDer> {
    let mut outside = Reader::new(octets);
    let inside = outside.expect(SEQUENCE)?;
    outside.end()?;
    Ok(Reader::new(inside))
}

/// `fullName` of a DistributionPointName. `nameRelativeToCRLIssuer` gives nothing: such a point matches no other.
fn full_names(point: &[u8], names: &mut Vec<u64>) -> Result<(), BadDer> {
    let mut reader = Reader::new(point);
    let Some(full) = reader.optional(CONTEXT_CONSTRUCTED)? else {
        reader.expect(CONTEXT_CONSTRUCTED | 1)?;
        return reader.end();
    };
    reader.end()?;
    let mut reader = Reader::new(full);
    while !reader.is_empty() {
        let name = reader.element()?;
        if names.len() == MAX_NAMES {
            return Err(BadDer);
        }
        names.push(u64::from_be_bytes(*sha256(&[name.raw]).first_chunk().ok_or(BadDer)?));
    }
    Ok(())
}
