//! Where revocation data is missing or old, before anybody is refused for it.

use std::sync::Arc;

use super::revocation::{Covering, Revocation};
use super::settings::RevocationSource;
use super::trust::{Issuer, Trust};
use super::verdict::finding;
use crate::event::Reason;
use crate::now::Wall;

/// A CA of whose CRL there is none, or none that is fresh, and no responder that could be asked instead.
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
    /// Whether the authority consults CRLs.
    pub wants_crl: bool,
    /// Whether it consults OCSP, too, and nobody knows a responder.
    pub wants_responder: bool,
}

/// What can be said of an authority's certificates at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Its name.
    pub authority: Arc<str>,
    /// Whether any certificate of it can be let in: every CA above the users of at least one issuing CA has a CRL that counts or a responder that can be asked, or none is wanted.
    pub decides: bool,
    /// Its CAs of whose certificates nothing fresh can be known.
    pub gaps: Vec<Gap>,
}

/// Name of an authority and one of its CAs, as in [`super::Link`].
type Askable<'a> = dyn Fn(&str, &[u8; 32]) -> bool + 'a;

#[derive(Clone, Copy)]
struct Moment<'a> {
    revocation: &'a Revocation,
    askable: &'a Askable<'a>,
    now: Wall,
}

impl Trust {
    /// What `/readyz` rests on: every authority. Of partitioned CRLs one is enough.
    ///
    /// `askable`: whether there is a responder to ask about the certificates that a CA, as in [`super::Link`], has issued for an authority; asked only where the authority consults OCSP.
    #[must_use]
    pub fn coverage(&self, revocation: &Revocation, askable: &Askable<'_>, now: Wall) -> Vec<Coverage> {
        let moment = Moment { revocation, askable, now };
        let mut all: Vec<Coverage> = Vec::new();
        for issuer in &self.issuers {
            let name = &issuer.authority.name;
            let gaps = self.gaps_above(issuer, moment);
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

    /// The CAs from an issuing one up to the anchor of whose CRL there is none, or none that is fresh, and no responder.
    fn gaps_above(&self, issuer: &Issuer, moment: Moment<'_>) -> Vec<Gap> {
        let Moment { revocation, askable, now } = moment;
        let source = issuer.authority.revocation;
        if source == RevocationSource::Off {
            return Vec::new();
        }
        let grace = issuer.authority.grace;
        let by_crl = source.consults_crls();
        let users = || revocation.covering_some_users(self, issuer, grace, now);
        let cas = issuer.links.iter().map(|link| {
            let found = || revocation.covering(self, link, true, grace, now);
            (link.issuer, by_crl.then(found).flatten())
        });
        let all = std::iter::once((issuer.id, by_crl.then(users).flatten())).chain(cas);
        let gaps = all.map(|(ca, found)| (ca, self.gap(issuer, &ca, found.as_ref())));
        let is_open = |(ca, gap): &([u8; 32], Gap)| {
            gap.finding != Reason::Ok && !(gap.wants_responder && askable(&issuer.authority.name, ca))
        };
        gaps.filter(is_open).map(|(_, gap)| gap).collect()
    }

    fn gap(&self, issuer: &Issuer, ca: &[u8; 32], found: Option<&Covering<'_>>) -> Gap {
        let source = issuer.authority.revocation;
        Gap {
            authority: Arc::clone(&issuer.authority.name),
            issuer: self.ca(ca).map(|ca| ca.text.clone()).unwrap_or_default(),
            finding: finding(found.map(|covering| covering.freshness)),
            next_update: found.and_then(|covering| covering.next_update),
            wants_crl: source.consults_crls(),
            wants_responder: source.consults_ocsp(),
        }
    }
}
