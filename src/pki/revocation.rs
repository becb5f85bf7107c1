//! All CRLs in use, and what they say of a certificate at a moment.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;
use std::time::Duration;

use super::crl::Crl;
use super::facts::Link;
use super::points::Scope;
use super::serials::Entry;
use crate::now::Wall;

/// How far a thisUpdate may lie ahead: clocks differ.
const SKEW: Duration = Duration::from_secs(300);

/// Every CRL in use, by issuer; immutable, swapped whole.
#[derive(Debug, Default)]
pub struct Revocation {
    crls: Vec<Arc<Crl>>,
    /// By issuer, then by scope.
    lines: HashMap<[u8; 32], Vec<Line>>,
}

/// CRLs of one issuer and scope, the newest first. An older one counts only as long as the newer ones' thisUpdate lies ahead.
type Line = Vec<Arc<Crl>>;

/// How old the CRL is that says "not revoked". A greater one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freshness {
    /// Before nextUpdate.
    Fresh,
    /// Past nextUpdate, within the authority's grace.
    Grace,
    /// Past both, or it never said when the next would come.
    Stale,
}

impl Revocation {
    /// Of these CRLs; of several of one issuer and scope the highest number counts.
    #[must_use]
    pub fn new(crls: Vec<Arc<Crl>>) -> Self {
        let mut lines: HashMap<[u8; 32], Vec<Line>> = HashMap::new();
        for crl in &crls {
            let lines = match lines.entry(crl.issuer) {
                Slot::Occupied(slot) => slot.into_mut(),
                Slot::Vacant(slot) => slot.insert(Vec::new()),
            };
            match lines.iter_mut().find(|line| line.first().is_some_and(|other| other.scope == crl.scope)) {
                Some(line) => line.push(Arc::clone(crl)),
                None => lines.push(vec![Arc::clone(crl)]),
            }
        }
        for line in lines.values_mut().flatten() {
            line.sort_by(|one, other| other.age(one));
        }
        Self { crls, lines }
    }

    /// The CRLs in it.
    pub fn crls(&self) -> impl Iterator<Item = &Arc<Crl>> {
        self.crls.iter()
    }

    /// The entry that revokes a certificate, whatever the age and scope of the CRL that holds it.
    pub(super) fn revoked(&self, link: &Link, now: Wall) -> Option<(&Crl, Entry)> {
        self.lines(&link.issuer)
            .iter()
            .flat_map(|line| consulted(line, now))
            .filter(|crl| !self.is_overtaken(crl, now))
            .find_map(|crl| Some((crl, crl.find(&link.serial)?)))
    }

    /// Whether it is a delta CRL whose changes a complete one of today already has: what was on hold then may be released.
    fn is_overtaken(&self, delta: &Crl, now: Wall) -> bool {
        let current = self.lines(&delta.issuer).iter().filter_map(|line| current(line, now));
        delta.scope.delta
            && current.filter(|crl| crl.scope.completes(&delta.scope)).any(|crl| crl.age(delta) != Ordering::Less)
    }

    /// The freshest CRL that would list the certificate if it were revoked.
    pub(super) fn covering(&self, link: &Link, is_ca: bool, grace: Duration, now: Wall) -> Option<(&Crl, Freshness)> {
        self.freshest(&link.issuer, |scope| scope.covers(is_ca, &link.points), grace, now)
    }

    /// The freshest CRL of an issuer that lists at least some of the users' certificates.
    pub(super) fn covering_some_users(
        &self,
        issuer: &[u8; 32],
        grace: Duration,
        now: Wall,
    ) -> Option<(&Crl, Freshness)> {
        self.freshest(issuer, |scope| scope.covers_some(false), grace, now)
    }

    fn freshest(
        &self,
        issuer: &[u8; 32],
        covers: impl Fn(&Scope) -> bool,
        grace: Duration,
        now: Wall,
    ) -> Option<(&Crl, Freshness)> {
        let current = self.lines(issuer).iter().filter_map(|line| current(line, now));
        current
            .filter(|crl| covers(&crl.scope))
            .map(|crl| (crl, freshness(crl, grace, now)))
            .min_by_key(|(_, freshness)| *freshness)
    }

    fn lines(&self, issuer: &[u8; 32]) -> &[Line] {
        self.lines.get(issuer).map_or(&[], Vec::as_slice)
    }
}

fn has_begun(crl: &Crl, now: Wall) -> bool {
    crl.this_update <= now + SKEW
}

fn current(line: &Line, now: Wall) -> Option<&Crl> {
    line.iter().map(|crl| &**crl).find(|crl| has_begun(crl, now))
}

/// The current CRL and those that are newer: nothing that is revoked in one whose time hasn't come is let in.
fn consulted(line: &Line, now: Wall) -> impl Iterator<Item = &Crl> {
    let ahead = line.iter().take_while(|crl| !has_begun(crl, now)).count();
    line.iter().take(ahead + 1).map(|crl| &**crl)
}

fn freshness(crl: &Crl, grace: Duration, now: Wall) -> Freshness {
    match crl.next_update {
        Some(next) if now <= next => Freshness::Fresh,
        Some(next) if now <= next + grace => Freshness::Grace,
        _ => Freshness::Stale,
    }
}
