//! Whose CRLs may be about a certificate (RFC 5280 section 6.3.3).

use super::facts::Link;
use super::points::Point;
use super::trust::Trust;

/// A CA as issuer of certificates or CRLs.
#[derive(Debug)]
pub(super) struct Ca {
    pub(super) id: [u8; 32],
    /// Its subject, DER.
    pub(super) subject: Vec<u8>,
    /// The same as [`super::name::id`] has it.
    pub(super) name: u64,
    /// RFC 4514
    pub(super) text: String,
    /// SubjectPublicKeyInfo, DER.
    pub(super) spki: Vec<u8>,
    /// False: its certificate is there to sign CRLs only.
    pub(super) is_ca: bool,
    pub(super) crl_sign: bool,
    /// Its ways to anchors, one of each table that has it.
    pub(super) paths: Vec<CaPath>,
}

/// A CA's way to an anchor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CaPath {
    /// The anchor's id.
    pub(super) anchor: [u8; 32],
    /// Its own certificate and those above, without the anchor.
    pub(super) links: Vec<Link>,
}

/// A CA whose CRLs may be about a certificate, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer<'t> {
    pub(super) ca: &'t Ca,
    pub(super) role: Role,
}

/// What makes a CA's CRLs be about another's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It has issued the certificate itself.
    Issuer,
    /// The issuer's name with a key that signs CRLs only.
    CrlKey,
    /// The issuer's name with an earlier or later key: either has certified the other.
    RolledKey,
    /// The certificate's distribution point names it; its name as [`super::Point::issuer`] has it.
    Named(u64),
}

impl Role {
    /// As [`super::Point::issuer`] has it.
    pub(super) fn by(self) -> Option<u64> {
        match self {
            Self::Named(name) => Some(name),
            Self::Issuer | Self::CrlKey | Self::RolledKey => None,
        }
    }
}

impl Ca {
    /// Its ways to an anchor that the other has, too: who signs CRLs about a CA must be below the same one.
    pub(super) fn paths_beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a CaPath> {
        let shared = |path: &&CaPath| other.paths.iter().any(|others| others.anchor == path.anchor);
        self.paths.iter().filter(shared)
    }

    /// As what it may sign CRLs about a certificate that another CA has issued.
    fn role(&self, issuer: &Self, points: &[Point]) -> Option<Role> {
        if self.id == issuer.id {
            return Some(Role::Issuer);
        }
        if !self.crl_sign || self.paths_beside(issuer).next().is_none() {
            return None;
        }
        if self.subject == issuer.subject && !self.is_ca {
            return Some(Role::CrlKey);
        }
        if self.subject == issuer.subject && (self.has_certified(issuer) || issuer.has_certified(self)) {
            return Some(Role::RolledKey);
        }
        points.iter().any(|point| point.issuer == Some(self.name)).then_some(Role::Named(self.name))
    }

    fn has_certified(&self, other: &Self) -> bool {
        other.paths.iter().filter_map(|path| path.links.first()).any(|link| link.issuer == self.id)
    }
}

impl Trust {
    /// The CAs whose CRLs may be about this certificate.
    pub(super) fn signers<'a>(&'a self, link: &'a Link) -> impl Iterator<Item = Signer<'a>> {
        let issuer = self.ca(&link.issuer);
        self.cas.iter().filter_map(move |ca| Some(Signer { ca, role: ca.role(issuer?, &link.points)? }))
    }

    /// Those whose CRLs may be about some certificate of an issuer, wherever its points lead.
    pub(super) fn signers_for_some<'a>(&'a self, issuer: &'a Ca) -> impl Iterator<Item = Signer<'a>> {
        self.cas.iter().filter_map(|ca| {
            let named = Point { name: 0, issuer: Some(ca.name), reasons: 0 };
            Some(Signer { ca, role: ca.role(issuer, &[named])? })
        })
    }
}
