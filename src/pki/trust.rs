//! The authorities, and the path of a client's certificate to one of them.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use super::ca::Ca;
use super::certificate::{Certificate, claimed};
use super::digest::sha256;
use super::facts::{Facts, Link, NoPath};
use super::locations::Locations;
use super::name;
use super::settings::{Distrust, Purpose, RevocationSource, SubjectRule};

use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::quick::RandomState;

/// Certificates that a client may send.
const MAX_CHAIN: usize = 6;
/// Octets of all of them together.
const MAX_CHAIN_OCTETS: usize = 64 * 1024;
/// Octets that the cache of verified chains may take.
const CACHE_OCTETS: u64 = 16 * 1024 * 1024;

/// All authorities, prepared; immutable.
#[derive(Debug)]
pub struct Trust {
    pub(super) authorities: Vec<Arc<Authority>>,
    /// The CAs that may have issued users' certificates, each in one table.
    pub(super) issuers: Vec<Issuer>,
    /// Every CA: anchors and intermediates, those that sign only CRLs among them, each once.
    pub(super) cas: Vec<Ca>,
    /// Verified chains by the leaf's fingerprint, a digest, for which a cheap hash is good enough. It dies with this trust, so no entry outlives the CAs that it rests on.
    chains: Cache<[u8; 32], Arc<Facts>, RandomState>,
}

/// One table.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) name: Arc<str>,
    pub(super) subject: Vec<SubjectRule>,
    /// `require` holds dotted OIDs.
    pub(super) purpose: Purpose,
    pub(super) revocation: RevocationSource,
    pub(super) grace: Duration,
    pub(super) distrust: Option<Distrust>,
    pub(super) anchor_not_before: Wall,
    pub(super) anchor_not_after: Wall,
    pub(super) issuer_texts: Vec<String>,
    /// Its CAs, the anchor and those that only sign CRLs among them.
    pub(super) cas: Vec<[u8; 32]>,
    /// See [`Trust::consulted`].
    pub(super) consulted: Vec<[u8; 32]>,
    /// Of each intermediate: by whom it was issued, and where it says that data about it is.
    pub(super) places: Vec<([u8; 32], Locations)>,
}

impl Authority {
    pub(super) fn has_ca(&self, id: &[u8; 32]) -> bool {
        self.cas.contains(id)
    }
}

/// A CA that issues users' certificates.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) id: [u8; 32],
    pub(super) subject: Vec<u8>,
    /// Its table.
    pub(super) authority: Arc<Authority>,
    /// Its own certificate and those above, without the anchor; empty: it is the anchor.
    pub(super) path: Vec<CertificateDer<'static>>,
    /// The same as links.
    pub(super) links: Vec<Link>,
    pub(super) anchor: TrustAnchor<'static>,
}

/// What `check`, metrics and `/api/v1/authorities` say of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoritySummary {
    /// `name`
    pub name: Arc<str>,
    /// notAfter of the anchor.
    pub anchor_not_after: Wall,
    /// The CAs that issue for it, in RFC 4514's text form.
    pub issuers: Vec<String>,
    /// `revocation`
    pub revocation: RevocationSource,
    /// `distrust`
    pub distrust: Option<Distrust>,
}

impl Trust {
    pub(super) fn prepared(authorities: Vec<Arc<Authority>>, issuers: Vec<Issuer>, cas: Vec<Ca>) -> Self {
        let chains = Cache::builder()
            .max_capacity(CACHE_OCTETS)
            .weigher(|_, facts: &Arc<Facts>| u32::try_from(facts.weight()).unwrap_or(u32::MAX))
            .build_with_hasher(RandomState::default());
        Self { authorities, issuers, cas, chains }
    }

    /// The authorities in the order of the configuration.
    pub fn authorities(&self) -> impl Iterator<Item = AuthoritySummary> {
        self.authorities.iter().map(|authority| AuthoritySummary {
            name: Arc::clone(&authority.name),
            anchor_not_after: authority.anchor_not_after,
            issuers: authority.issuer_texts.clone(),
            revocation: authority.revocation,
            distrust: authority.distrust,
        })
    }

    /// Builds the path of a client's chain (DER, leaf first) to an anchor; signatures, basicConstraints, keyUsage, name constraints, the allowed intermediates. Dates, purpose, subject and revocation are left to [`verdict`](super::verdict()), so the answer is the same at any time.
    ///
    /// Of the chain only the leaf is read: the path goes through the intermediates of the configuration, whatever a client sends.
    ///
    /// # Errors
    /// [`NoPath`] when nothing of the certificate may be believed.
    pub fn facts(&self, chain: &[&[u8]]) -> Result<Arc<Facts>, Box<NoPath>> {
        let leaf = *chain.first().ok_or_else(|| NoPath::malformed(&[], "the chain is empty"))?;
        if chain.len() > MAX_CHAIN
            || chain.iter().map(|certificate| certificate.len()).sum::<usize>() > MAX_CHAIN_OCTETS
        {
            return Err(NoPath::malformed(leaf, "the chain is longer than 6 certificates or 64 KiB"));
        }
        let fingerprint = sha256(&[leaf]);
        if let Some(facts) = self.chains.get(&fingerprint) {
            return Ok(facts);
        }
        let facts = Arc::new(self.verified(leaf, fingerprint)?);
        self.chains.insert(fingerprint, Arc::clone(&facts));
        Ok(facts)
    }

    fn verified(&self, leaf: &[u8], fingerprint: [u8; 32]) -> Result<Facts, Box<NoPath>> {
        let certificate = Certificate::read(leaf).map_err(|what| NoPath::malformed(leaf, what))?;
        let mut named = self.issuers.iter().filter(|issuer| issuer.subject == certificate.issuer.as_raw()).peekable();
        if named.peek().is_none() {
            let issuer = Evidence::Issuer(name::shown(&certificate.issuer));
            return Err(NoPath::new(leaf, Reason::UntrustedIssuer, issuer));
        }
        let refused = |refusal: Refusal| NoPath::new(leaf, refusal.reason, Evidence::Path(refusal.text));
        check_leaf(&certificate).map_err(refused)?;
        let mut refusal = None;
        let issuer = named.find(|issuer| match issuer.check_path(&certificate) {
            Ok(()) => true,
            Err(BadPath::OtherKey) => false,
            Err(BadPath::Refused(found)) => {
                refusal = Some(found);
                false
            }
        });
        match issuer {
            Some(issuer) => facts(certificate, fingerprint, issuer).map_err(refused),
            None => Err(refused(refusal.unwrap_or_else(|| Refusal::other_key(&certificate)))),
        }
    }

    /// The table that decides about facts; `None`: a configuration since then has dropped it, or its CAs.
    pub(super) fn authority_of(&self, facts: &Facts) -> Option<&Authority> {
        let id = facts.links.first()?.issuer;
        let issuer = self.issuers.iter().find(|issuer| issuer.id == id)?;
        Some(&*issuer.authority).filter(|authority| authority.name == facts.authority)
    }

    pub(super) fn ca(&self, id: &[u8; 32]) -> Option<&Ca> {
        self.cas.iter().find(|ca| ca.id == *id)
    }
}

/// Why a certificate is refused although a CA of its issuer's name is known.
struct Refusal {
    reason: Reason,
    text: String,
}

impl Refusal {
    fn untrusted(text: impl Into<String>) -> Self {
        Self { reason: Reason::UntrustedIssuer, text: text.into() }
    }

    fn malformed(text: impl Into<String>) -> Self {
        Self { reason: Reason::Malformed, text: text.into() }
    }

    /// Every CA of its issuer's name has another key.
    fn other_key(leaf: &Certificate<'_>) -> Self {
        Self::untrusted(format!("not signed with the key of {}", name::shown(&leaf.issuer)))
    }
}

/// What webpki isn't strict about.
fn check_leaf(leaf: &Certificate<'_>) -> Result<(), Refusal> {
    if !leaf.signed.algorithm_is_strong() {
        return Err(Refusal::untrusted("the signature's algorithm isn't accepted"));
    }
    if !leaf.key_is_strong() {
        return Err(Refusal::untrusted("the certificate's key isn't accepted"));
    }
    if leaf.is_ca || leaf.key_usage.is_some_and(|usage| usage.key_cert_sign) {
        return Err(Refusal::untrusted("the certificate is a CA's"));
    }
    if leaf.has_name_constraints {
        return Err(Refusal::untrusted("nameConstraints are for CAs only"));
    }
    if let Some(oid) = &leaf.unknown_critical {
        return Err(Refusal::untrusted(format!("the critical extension {oid} isn't known")));
    }
    if leaf.not_before > leaf.not_after {
        return Err(Refusal::malformed("notBefore is after notAfter"));
    }
    Ok(())
}

impl Issuer {
    fn check_path(&self, leaf: &Certificate<'_>) -> Result<(), BadPath> {
        let time = self.common_time(leaf)?;
        let der = CertificateDer::from(leaf.der);
        let anchors = std::slice::from_ref(&self.anchor);
        EndEntityCert::try_from(&der)?.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            anchors,
            &self.path,
            time,
            AnyPurpose,
            None,
            None,
        )?;
        Ok(())
    }

    /// A moment at which every certificate of the path is valid: webpki wants one, while dates are for [`verdict`](super::verdict()) to judge.
    fn common_time(&self, leaf: &Certificate<'_>) -> Result<UnixTime, Refusal> {
        let not_before = self.links.iter().map(|link| link.not_before).fold(leaf.not_before, Wall::max);
        let not_after = self.links.iter().map(|link| link.not_after).fold(leaf.not_after, Wall::min);
        let start = u64::try_from(not_before.0).map_err(|_| Refusal::malformed("notBefore is before 1970"))?;
        if not_before > not_after {
            return Err(Refusal::untrusted("at no time are all certificates of the path valid"));
        }
        Ok(UnixTime::since_unix_epoch(Duration::from_secs(start)))
    }
}

/// Why a path isn't one.
enum BadPath {
    /// The CA of this name has another key, so there may be one that fits better.
    OtherKey,
    Refused(Refusal),
}

impl From<Refusal> for BadPath {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<webpki::Error> for BadPath {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error;
        let text = error.to_string();
        Self::Refused(match error {
            Error::InvalidSignatureForPublicKey
            | Error::UnknownIssuer
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => return Self::OtherKey,
            Error::BadDer
            | Error::BadDerTime
            | Error::InvalidCertValidity
            | Error::InvalidSerialNumber
            | Error::TrailingData(_)
            | Error::MalformedExtensions
            | Error::ExtensionValueInvalid
            | Error::EmptyEkuExtension
            | Error::SignatureAlgorithmMismatch
            | Error::UnsupportedCertVersion => Refusal::malformed(text),
            _ => Refusal::untrusted(text),
        })
    }
}

/// What a leaf says whose path is verified.
fn facts(leaf: Certificate<'_>, fingerprint: [u8; 32], issuer: &Issuer) -> Result<Facts, Refusal> {
    if leaf.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return Err(Refusal { reason: Reason::WrongPurpose, text: "keyUsage lacks digitalSignature".to_owned() });
    }
    let authority = &issuer.authority;
    let links: Vec<Link> = std::iter::once(leaf.link(issuer.id)).chain(issuer.links.iter().cloned()).collect();
    Ok(Facts {
        fingerprint,
        authority: Arc::clone(&authority.name),
        serial: leaf.serial,
        subject: name::attributes(&leaf.subject).map_err(Refusal::malformed)?,
        alt_names: leaf.alt_names,
        not_before: leaf.not_before,
        not_after: leaf.not_after,
        path_not_after: links.iter().map(|link| link.not_after).fold(authority.anchor_not_after, Wall::min),
        purposes: leaf.purposes,
        policies: leaf.policies,
        locations: Arc::new(leaf.locations),
        links,
    })
}

/// Leaves purposes to [`verdict`](super::verdict()), which knows the authority's.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

impl NoPath {
    fn new(leaf: &[u8], reason: Reason, evidence: Evidence) -> Box<Self> {
        Box::new(Self { reason, evidence: vec![evidence], claimed: claimed(leaf) })
    }

    fn malformed(leaf: &[u8], what: &str) -> Box<Self> {
        Self::new(leaf, Reason::Malformed, Evidence::Path(what.to_owned()))
    }
}
