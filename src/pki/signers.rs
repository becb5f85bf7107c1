//! Whose CRLs may be about a certificate (RFC 5280 section 6.3.3).

use super::ca::Ca;
use super::facts::Link;
use super::points::Point;
use super::trust::Trust;

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
