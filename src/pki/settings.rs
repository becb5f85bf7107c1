//! What the configuration says of authorities.

use std::sync::Arc;
use std::time::Duration;

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

impl RevocationSource {
    /// Whether CRLs are consulted, first or second.
    #[must_use]
    pub(crate) fn consults_crls(self) -> bool {
        self.order().contains(&Source::Crl)
    }

    /// Whether OCSP is consulted, first or second.
    #[must_use]
    pub(crate) fn consults_ocsp(self) -> bool {
        self.order().contains(&Source::Ocsp)
    }

    pub(super) fn order(self) -> &'static [Source] {
        match self {
            Self::Crl => &[Source::Crl],
            Self::Ocsp => &[Source::Ocsp],
            Self::CrlThenOcsp => &[Source::Crl, Source::Ocsp],
            Self::OcspThenCrl => &[Source::Ocsp, Source::Crl],
            Self::Off => &[],
        }
    }
}

/// A source of revocation data, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Crl,
    Ocsp,
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
    /// DER of `intermediates`. One that is no CA's, but has cRLSign, issues nothing: it is there to sign CRLs, with a key of its own under the name of a CA, or under the name that certificates' distribution points call their cRLIssuer.
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
