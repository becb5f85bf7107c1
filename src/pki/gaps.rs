//! Where revocation data is missing or old, before anybody is refused for it.

use std::sync::Arc;

use super::crl::Crl;
use super::revocation::{Freshness, Revocation};
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

impl Trust {
    /// What `/readyz` and `check` complain of. Only authorities that ask CRLs are looked at; of partitioned CRLs one is enough.
    #[must_use]
    pub fn gaps(&self, revocation: &Revocation, now: Wall) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for gap in self.issuers.iter().flat_map(|issuer| self.gaps_below(issuer, revocation, now)) {
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
        }
        gaps
    }

    /// Authorities of whose certificates some can be let in: below at least one of their issuers no CRL is missing or too old.
    #[must_use]
    pub fn deciding(&self, revocation: &Revocation, now: Wall) -> Vec<Arc<str>> {
        let decides = |issuer: &&Issuer| {
            self.gaps_below(issuer, revocation, now).iter().all(|gap| gap.finding == Reason::OkGrace)
        };
        self.issuers.iter().filter(decides).map(|issuer| Arc::clone(&issuer.authority.name)).collect()
    }

    /// What certificates that an issuer issues meet; an authority that asks no CRLs has no gaps.
    fn gaps_below(&self, issuer: &Issuer, revocation: &Revocation, now: Wall) -> Vec<Gap> {
        if !issuer.authority.revocation.order().contains(&Source::Crl) {
            return Vec::new();
        }
        let grace = issuer.authority.grace;
        let users = (issuer.id, revocation.covering_some_users(&issuer.id, grace, now));
        let cas = issuer.links.iter().map(|link| (link.issuer, revocation.covering(link, true, grace, now)));
        let all = std::iter::once(users).chain(cas).map(|(ca, found)| self.gap(issuer, &ca, found));
        all.filter(|gap| gap.finding != Reason::Ok).collect()
    }

    fn gap(&self, issuer: &Issuer, ca: &[u8; 32], found: Option<(&Crl, Freshness)>) -> Gap {
        Gap {
            authority: Arc::clone(&issuer.authority.name),
            issuer: self.ca(ca).map(|ca| ca.text.clone()).unwrap_or_default(),
            finding: finding(found.map(|(_, freshness)| freshness)),
            next_update: found.and_then(|(crl, _)| crl.next_update),
        }
    }
}
