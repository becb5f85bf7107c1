//! Anchors and authorities; a chain → [`Facts`]; CRLs and OCSP answers; facts → [`Verdict`]. It fetches nothing, and what "unknown" leads to isn't decided here but in policy.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{CertificateName, Evidence, Reason};
use crate::now::Wall;

/// A wanted subject attribute: short name as in the configuration (`C`, `O`, `OU`, `L`, `ST`, `CN`) and its value.
pub type SubjectRule = (String, String);

/// Where an authority's certificates say whether they are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationSource {
    /// `crl`
    Crl,
    /// `ocsp`
    Ocsp,
    /// `crl-then-ocsp`
    CrlThenOcsp,
    /// `ocsp-then-crl`
    OcspThenCrl,
    /// `off`
    Off,
}

/// `purpose`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Extended key usages that must be there, by name or dotted OID; an absent extension is refused unless this is empty.
    pub require: Vec<String>,
    /// Policy OIDs of which one must be there; empty: any.
    pub policies: Vec<String>,
    /// Policy OIDs that are refused.
    pub refuse_policies: Vec<String>,
}

/// `distrust`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distrust {
    /// Refused from here on.
    pub from: Wall,
    /// Only certificates with a notBefore before this.
    pub issued_before: Option<Wall>,
    /// Only certificates with a notBefore after this.
    pub issued_after: Option<Wall>,
}

/// One `[[authority]]`.
#[derive(Clone, Debug)]
pub struct AuthoritySettings {
    /// `name`
    pub name: Arc<str>,
    /// DER of `certificate`, the anchor.
    pub anchor: Vec<u8>,
    /// `fingerprint-sha1`
    pub fingerprint_sha1: Option<[u8; 20]>,
    /// `fingerprint-sha256`
    pub fingerprint_sha256: Option<[u8; 32]>,
    /// DER of `intermediates`
    pub intermediates: Vec<Vec<u8>>,
    /// `subject`; empty: not looked at.
    pub subject: Vec<SubjectRule>,
    /// `purpose`
    pub purpose: Purpose,
    /// `revocation`
    pub revocation: RevocationSource,
    /// `grace`
    pub grace: Duration,
    /// `distrust`
    pub distrust: Option<Distrust>,
}

/// What is wrong with an authority's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAuthority {
    /// Its index.
    pub authority: usize,
    /// The key of its table.
    pub key: &'static str,
    /// What is wrong, for an administrator.
    pub text: String,
    /// Only odd: the server starts all the same.
    pub warning: bool,
}

/// All authorities, prepared; immutable.
#[derive(Debug)]
pub struct Trust {
    _private: (),
}

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

/// What a verified chain says about its leaf: enough to decide again without the chain. Only [`Trust::facts`] and [`Facts::decode`] make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of the leaf's DER.
    pub fingerprint: [u8; 32],
    /// Name of the authority whose table the issuing intermediate decides.
    pub authority: Arc<str>,
    /// Serial of the leaf.
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
    /// For every certificate of the path but the anchor, leaf first: by whom it was issued, and its serial. Revocation is looked up by these.
    pub links: Vec<Link>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// SHA-256 over the issuer's subject name (DER) and SubjectPublicKeyInfo (DER).
    pub issuer: [u8; 32],
    /// Serial of the certificate that it issued.
    pub serial: Vec<u8>,
    /// notBefore of that certificate.
    pub not_before: Wall,
    /// notAfter of that certificate.
    pub not_after: Wall,
}

/// Why there are no facts: nothing of the certificate may be believed.
#[derive(Clone, Debug)]
pub struct NoPath {
    /// `UntrustedIssuer` or `Malformed`
    pub reason: Reason,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// What the leaf calls itself, for the log; unverified.
    pub claimed: Option<CertificateName>,
}

impl Trust {
    /// Checks and prepares the authorities: fingerprints, CA certificates, intermediates below their anchors.
    pub fn new(settings: &[AuthoritySettings], now: Wall) -> Result<(Self, Vec<BadAuthority>), Vec<BadAuthority>> {
        todo!()
    }

    /// Builds the path of a client's chain (DER, leaf first) to an anchor; signatures, basicConstraints, keyUsage, name constraints, the allowed intermediates. Dates, purpose, subject and revocation are left to [`verdict`].
    pub fn facts(&self, chain: &[&[u8]], now: Wall) -> Result<Facts, NoPath> {
        todo!()
    }
}

impl Facts {
    /// A compact form for a ticket.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads it back; `None`: made by another version, or its authority is gone from `trust`.
    #[must_use]
    pub fn decode(octets: &[u8], trust: &Trust) -> Option<Self> {
        todo!()
    }

    /// What the certificate is called.
    #[must_use]
    pub fn name(&self) -> CertificateName {
        todo!()
    }
}

/// A verified CRL: signature checked once, serials in an index of our own.
#[derive(Debug)]
pub struct Crl {
    _private: (),
}

/// Why a CRL is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCrl {
    /// What is wrong, for an administrator.
    pub text: String,
}

/// What metrics and `/api/v1/authorities` say of a CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSummary {
    /// Name of the authority whose table named it.
    pub authority: Arc<str>,
    /// Where it came from.
    pub source: Arc<str>,
    /// cRLNumber, big-endian octets.
    pub number: Option<Vec<u8>>,
    /// thisUpdate
    pub this_update: Wall,
    /// nextUpdate
    pub next_update: Option<Wall>,
    /// Revoked certificates in it.
    pub entries: usize,
}

impl Crl {
    /// Reads a CRL (DER or PEM), finds its issuer among the anchors and intermediates of `trust`, and checks signature, cRLSign and extensions.
    pub fn load(
        octets: &[u8],
        authority: &Arc<str>,
        source: &Arc<str>,
        trust: &Trust,
        now: Wall,
    ) -> Result<Self, BadCrl> {
        todo!()
    }

    /// For metrics.
    #[must_use]
    pub fn summary(&self) -> CrlSummary {
        todo!()
    }

    /// Whether this CRL may follow `other` from the same source: never an older one (R07).
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        todo!()
    }
}

/// Every CRL in use, by issuer; immutable, swapped whole.
#[derive(Debug, Default)]
pub struct Revocation {
    _private: (),
}

impl Revocation {
    /// Of these CRLs; of several of one issuer and scope the highest number counts.
    #[must_use]
    pub fn new(crls: Vec<Arc<Crl>>) -> Self {
        todo!()
    }

    /// The CRLs in it.
    pub fn crls(&self) -> impl Iterator<Item = &Arc<Crl>> {
        std::iter::empty()
    }
}

/// What may be said of a certificate, whoever asks for whatever service.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// `Ok`, `OkGrace`, or the first that stands against it: `WrongOrganisation`, `WrongPurpose`, `Revoked`, `NotYetValid`, `Expired`, `DistrustedAuthority`, `RevocationUnknown`, `RevocationStale`.
    pub finding: Reason,
    /// On what it rests.
    pub evidence: Vec<Evidence>,
}

/// Judges facts at a moment: subject, purpose, dates of the whole path, distrust, revocation of the whole path but the anchor.
#[must_use]
pub fn verdict(trust: &Trust, revocation: &Revocation, facts: &Facts, now: Wall) -> Verdict {
    todo!()
}
