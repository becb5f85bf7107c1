//! Where revocation data is missing or old, before anybody is refused for it.

use std::sync::Arc;

use super::revocation::{Covering, Revocation};
use super::trust::{Issuer, Trust};
use super::verdict::{Source, finding};
use crate::event::Reason;
use crate::now::Wall;

/// A CA of whose CRL there is none, or none that is fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Name of the authority whose certificates it concerns.
    pub authority: Arc<str>,
    /// The CA, in RFC 4514's text form.
    pub issuer: String,
    /// What a certificate below it meets: `RevocationUnknown`, `RevocationStale` or `OkGrace`.
    pub finding: Reason,
    /// nextUpdate of the freshest CRL that there is.
    pub next_update: Option<Wall>,
}

/// What can be said of an authority's certificates at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Its name.
    pub authority: Arc<str>,
    /// Whether any certificate of it can be let in: every CA above the users of at least one issuing CA has a CRL that counts, or none is asked for.
    pub decides: bool,
    /// Its CAs without a fresh CRL.
    pub gaps: Vec<Gap>,
}

impl Trust {
    /// What `/readyz` rests on: every authority. Of partitioned CRLs one is enough.
    #[must_use]
    pub fn coverage(&self, revocation: &Revocation, now: Wall) -> Vec<Coverage> {
        let mut all: Vec<Coverage> = Vec::new();
        for issuer in &self.issuers {
            let name = &issuer.authority.name;
            let gaps = self.gaps_above(issuer, revocation, now);
            let decides = gaps.iter().all(|gap| gap.finding == Reason::OkGrace);
            match all.iter_mut().find(|coverage| coverage.authority == *name) {
                Some(coverage) => {
                    coverage.decides |= decides;
                    coverage
                        .gaps
                        .extend(gaps.into_iter().filter(|gap| !coverage.gaps.contains(gap)).collect::<Vec<_>>());
                }
                None => all.push(Coverage { authority: Arc::clone(name), decides, gaps }),
            }
        }
        all
    }

    /// The CAs from an issuing one up to the anchor of whose CRL there is none, or none that is fresh.
    fn gaps_above(&self, issuer: &Issuer, revocation: &Revocation, now: Wall) -> Vec<Gap> {
        let order = issuer.authority.revocation.order();
        if order.is_empty() {
            return Vec::new();
        }
        if !order.contains(&Source::Crl) {
            return vec![self.gap(issuer, &issuer.id, None)];
        }
        let grace = issuer.authority.grace;
        let users = (issuer.id, revocation.covering_some_users(self, &issuer.id, grace, now));
        let cas = issuer.links.iter().map(|link| (link.issuer, revocation.covering(self, link, true, grace, now)));
        let gaps = std::iter::once(users).chain(cas).map(|(ca, found)| self.gap(issuer, &ca, found.as_ref()));
        gaps.filter(|gap| gap.finding != Reason::Ok).collect()
    }

    fn gap(&self, issuer: &Issuer, ca: &[u8; 32], found: Option<&Covering<'_>>) -> Gap {
        Gap {
            authority: Arc::clone(&issuer.authority.name),
            issuer: self.ca(ca).map(|ca| ca.text.clone()).unwrap_or_default(),
            finding: finding(found.map(|covering| covering.freshness)),
            next_update: found.and_then(|covering| covering.next_update),
        }
    }
}
