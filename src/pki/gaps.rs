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
        let asks_crls = |issuer: &&Issuer| issuer.authority.revocation.order().contains(&Source::Crl);
        let mut gaps = Vec::new();
        for issuer in self.issuers.iter().filter(asks_crls) {
            let grace = issuer.authority.grace;
            let users = (issuer.id, revocation.covering_some_users(&issuer.id, grace, now));
            let cas = issuer.links.iter().map(|link| (link.issuer, revocation.covering(link, true, grace, now)));
            for (ca, found) in std::iter::once(users).chain(cas) {
                let gap = self.gap(issuer, &ca, found);
                if gap.finding != Reason::Ok && !gaps.contains(&gap) {
                    gaps.push(gap);
                }
            }
        }
        gaps
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
