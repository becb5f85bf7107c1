//! What is kept of a verified chain.

use std::sync::Arc;

use super::locations::Locations;
use super::name;
use super::points::Point;
use crate::event::{CertificateName, Evidence, Reason};
use crate::now::Wall;

/// A name in subjectAltName.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    /// rfc822Name
    Email(String),
    /// otherName userPrincipalName (1.3.6.1.4.1.311.20.2.3)
    Upn(String),
    /// dNSName
    Dns(String),
    /// uniformResourceIdentifier
    Uri(String),
}

/// What a verified chain says about its leaf: enough to decide again without the chain. Only [`Trust::facts`](super::Trust::facts) and [`Facts::decode`] make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of the leaf's DER.
    pub fingerprint: [u8; 32],
    /// Name of the authority whose table the issuing intermediate decides.
    pub authority: Arc<str>,
    /// Serial of the leaf, big-endian without leading zeros; a negative one in two's complement of 21 octets.
    pub serial: Vec<u8>,
    /// Subject: (short name or dotted OID, value), in order.
    pub subject: Vec<(String, String)>,
    /// subjectAltName
    pub alt_names: Vec<AltName>,
    /// notBefore of the leaf.
    pub not_before: Wall,
    /// notAfter of the leaf.
    pub not_after: Wall,
    /// The earliest notAfter of the chain, the anchor included.
    pub path_not_after: Wall,
    /// Extended key usages as dotted OIDs; `None`: absent.
    pub purposes: Option<Vec<String>>,
    /// Policy OIDs.
    pub policies: Vec<String>,
    /// Where the leaf says that its revocation data is; empty in facts that a ticket carried.
    pub locations: Arc<Locations>,
    /// For every certificate of the path but the anchor, leaf first: by whom it was issued, and its serial. Revocation is looked up by these.
    pub links: Vec<Link>,
}

/// One step of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// SHA-256 over the issuer's subject name (DER) and SubjectPublicKeyInfo (DER).
    pub issuer: [u8; 32],
    /// Serial of the certificate that it issued.
    pub serial: Vec<u8>,
    /// notBefore of that certificate.
    pub not_before: Wall,
    /// notAfter of that certificate.
    pub not_after: Wall,
    /// Its CRL distribution points. A CRL for one point is only about certificates that name it.
    pub points: Vec<Point>,
}

/// Why there are no facts: nothing of the certificate may be believed.
#[derive(Clone, Debug)]
pub struct NoPath {
    /// `UntrustedIssuer`, `Malformed`, or `WrongPurpose` where keyUsage forbids the key to sign.
    pub reason: Reason,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// What the leaf calls itself, for the log; unverified.
    pub claimed: Option<CertificateName>,
}

impl Facts {
    /// What the certificate is called.
    #[must_use]
    pub fn name(&self) -> CertificateName {
        CertificateName {
            fingerprint: self.fingerprint,
            authority: Some(Arc::clone(&self.authority)),
            serial: self.serial.clone(),
            subject: name::text(&self.subject),
            not_after: self.not_after,
        }
    }

    /// About how many octets of memory they take.
    pub(super) fn weight(&self) -> usize {
        let subject: usize = self.subject.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        let names: usize = self.alt_names.iter().map(|name| name.text().len() + 32).sum();
        let lists = (self.policies.len() + self.purposes.as_ref().map_or(0, Vec::len)) * 48;
        let links: usize = self.links.iter().map(|link| 160 + link.points.len() * 32).sum();
        512 + subject + names + lists + links + self.locations.weight()
    }
}

impl AltName {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Upn(text) | Self::Dns(text) | Self::Uri(text) => text,
        }
    }
}
