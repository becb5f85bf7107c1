//! All CRLs in use, and what they say of a certificate at a moment.

use std::cmp::Ordering;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;
use std::time::Duration;

use super::ca::CaPath;
use super::crl::Crl;
use super::facts::Link;
use super::ocsp::Answers;
use super::points::ALL_REASONS;
use super::serials::{CERTIFICATE_HOLD, Entry};
use super::signers::{Role, Signer};
use super::trust::{Issuer, Trust};
use super::vanished::{Gone, Vanished};
use crate::event::Evidence;
use crate::now::Wall;
use crate::quick::Map;

/// How far a thisUpdate may lie ahead: clocks differ.
pub(super) const SKEW: Duration = Duration::from_secs(300);

/// Every CRL in use, by issuer; immutable, swapped whole.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    crls: Vec<Arc<Crl>>,
    /// By issuer, then by scope.
    lines: Map<[u8; 32], Vec<Line>>,
    answers: Arc<Answers>,
    vanished: Arc<Vanished>,
}

/// CRLs of one issuer and scope, the newest first. An older one counts only as long as the newer ones' thisUpdate lies ahead.
type Line = Vec<Arc<Crl>>;

/// How old the CRL or OCSP answer is that says "not revoked". A greater one is worse.
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
        let mut lines: Map<[u8; 32], Vec<Line>> = Map::default();
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
        Self { crls, lines, answers: Arc::default(), vanished: Arc::default() }
    }

    /// With these OCSP answers, which go on being taken in while this is in use.
    #[must_use]
    pub fn with_answers(self, answers: Arc<Answers>) -> Self {
        Self { answers, ..self }
    }

    /// The OCSP answers in use.
    #[must_use]
    pub fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// With these entries that have disappeared from CRLs; see [`Revocation::succeed`].
    #[must_use]
    pub(crate) fn with_vanished(self, vanished: Arc<Vanished>) -> Self {
        Self { vanished, ..self }
    }

    /// The entries that have disappeared from CRLs and count all the same.
    #[must_use]
    pub fn vanished(&self) -> &Arc<Vanished> {
        &self.vanished
    }

    /// The CRLs in it.
    pub fn crls(&self) -> impl Iterator<Item = &Arc<Crl>> {
        self.crls.iter()
    }

    /// Of each line the newest CRL, but for delta CRLs whose changes a complete one has.
    pub(super) fn newest(&self) -> Vec<&Arc<Crl>> {
        let newest = || self.lines.values().flatten().filter_map(|line| line.first());
        let is_overtaken = |delta: &Crl| {
            let has_changes = |crl: &&Arc<Crl>| crl.scope.completes(&delta.scope) && crl.age(delta).is_ge();
            newest().filter(|crl| crl.issuer == delta.issuer).any(|crl| has_changes(&crl))
        };
        newest().filter(|crl| !is_overtaken(crl)).collect()
    }

    /// The entry that revokes a certificate, whatever the age and scope of the CRL that holds it, or has held it.
    pub(super) fn revoked(&self, trust: &Trust, link: &Link, now: Wall) -> Option<(Lister<'_>, Entry)> {
        let issuer = trust.ca(&link.issuer)?.name;
        let listed = |signer: Signer<'_>| {
            let (crl, entry) = self.listed(signer, issuer, link, now)?;
            Some((Lister::Crl(crl), entry))
        };
        let vanished = |signer: Signer<'_>| {
            let gone = self.vanished.find(&signer.ca.id, issuer, &link.serial)?;
            Some((Lister::Vanished(gone), gone.entry))
        };
        trust.signers(link).find_map(listed).or_else(|| trust.signers(link).find_map(vanished))
    }

    fn listed(&self, signer: Signer<'_>, issuer: u64, link: &Link, now: Wall) -> Option<(&Crl, Entry)> {
        let is_about = |crl: &&Crl| crl.scope.indirect || signer.role.by().is_none();
        let mut consulted = self.lines(&signer.ca.id).iter().flat_map(|line| consulted(line, now)).filter(is_about);
        consulted.find_map(|crl| {
            let entry = crl.find(issuer, &link.serial)?;
            let counts = !self.is_overtaken(crl, now) && !self.is_released(crl, entry, issuer, link, now);
            counts.then_some((crl, entry))
        })
    }

    /// Whether it is a delta CRL whose changes a complete one of today already has: what was on hold then may be released.
    fn is_overtaken(&self, delta: &Crl, now: Wall) -> bool {
        let current = self.lines(&delta.issuer).iter().filter_map(|line| current(line, now));
        delta.scope.delta
            && current.filter(|crl| crl.scope.completes(&delta.scope)).any(|crl| crl.age(delta) != Ordering::Less)
    }

    /// Whether a certificate that was on hold has been taken off since, as the delta CRL of today says. Nothing else than a hold ends, and no delta ends it that is past its own nextUpdate.
    fn is_released(&self, complete: &Crl, entry: Entry, issuer: u64, link: &Link, now: Wall) -> bool {
        entry.reason == Some(CERTIFICATE_HOLD)
            && self.overlay(complete, now).is_some_and(|delta| {
                freshness(delta, Duration::ZERO, now) == Freshness::Fresh && delta.releases(issuer, &link.serial)
            })
    }

    /// Today's delta CRL over a complete one.
    fn overlay(&self, complete: &Crl, now: Wall) -> Option<&Crl> {
        let current = self.lines(&complete.issuer).iter().filter_map(|line| current(line, now));
        current.filter(|crl| crl.is_overlay_of(complete)).max_by(|one, other| one.age(other))
    }

    /// The freshest CRLs that together would list the certificate if it were revoked, for whatever reason.
    pub(super) fn covering(
        &self,
        trust: &Trust,
        link: &Link,
        is_ca: bool,
        grace: Duration,
        now: Wall,
    ) -> Option<Covering<'_>> {
        let moment = Moment { grace, now };
        let found = trust.signers(link).filter_map(|signer| {
            // Of two keys of one name the other's CRLs count only where the issuer's own key signs none: some CAs keep one list for each key.
            if signer.role == Role::RolledKey && !self.lines(&link.issuer).is_empty() {
                return None;
            }
            Some((signer, self.standing(trust, signer, link, moment)?))
        });
        let found: Vec<_> = found.collect();
        united(found.into_iter().flat_map(|(signer, standing)| self.parts(signer, standing, link, is_ca, moment)))
    }

    /// The freshest CRLs that would list at least some of the users' certificates of an issuer. Where these name as signer of their CRLs can't be known before they come: an indirect CRL counts if it lists one of them, or if the issuer's table has its signer.
    pub(super) fn covering_some_users(
        &self,
        trust: &Trust,
        issuer: &Issuer,
        grace: Duration,
        now: Wall,
    ) -> Option<Covering<'_>> {
        let moment = Moment { grace, now };
        let any = Link { issuer: issuer.id, ..Link::default() };
        let about = trust.ca(&issuer.id)?;
        let is_meant = |crl: &Crl| crl.list(about.name).is_some() || issuer.authority.has_ca(&crl.issuer);
        let is_about =
            |signer: &Signer<'_>, crl: &Crl| signer.role.by().is_none() || (crl.scope.indirect && is_meant(crl));
        let parts = trust.signers_for_some(about).flat_map(|signer| {
            let standing = self.standing(trust, signer, &any, moment);
            let crls = self.lines(&signer.ca.id).iter().filter_map(|line| current(line, now));
            crls.filter(move |crl| is_about(&signer, crl))
                .filter_map(move |crl| Some(self.part(crl, crl.scope.reasons_for_some(false), standing?, moment)))
        });
        united(parts)
    }

    /// What of a CA's CRLs is about a certificate.
    fn parts(
        &self,
        signer: Signer<'_>,
        standing: Freshness,
        link: &Link,
        is_ca: bool,
        moment: Moment,
    ) -> Vec<Part<'_>> {
        let current = self.lines(&signer.ca.id).iter().filter_map(|line| current(line, moment.now));
        current
            .map(|crl| (crl, crl.scope.reasons_for(is_ca, &link.points, signer.role.by())))
            .filter(|(_, reasons)| *reasons != 0)
            .map(|(crl, reasons)| self.part(crl, reasons, standing, moment))
            .collect()
    }

    /// A complete CRL, with its delta over it if that is the fresher one: then both are as fresh as the delta is (RFC 5280 section 5.2.4).
    fn part<'r>(&'r self, complete: &'r Crl, reasons: u16, standing: Freshness, moment: Moment) -> Part<'r> {
        let of = |crl: &Crl| freshness(crl, moment.grace, moment.now);
        let delta = self.overlay(complete, moment.now).filter(|delta| of(delta) <= of(complete));
        let newest = delta.unwrap_or(complete);
        Part { complete, delta, reasons, freshness: of(newest).max(standing), next_update: newest.next_update }
    }

    /// How well it is known that a CA which signs CRLs about another's certificates may still do so: its own certificate and those above it, by their dates and the CRLs that their issuers have signed, or that it has signed itself where it is named for that.
    fn standing(&self, trust: &Trust, signer: Signer<'_>, link: &Link, moment: Moment) -> Option<Freshness> {
        if signer.role == Role::Issuer {
            return Some(Freshness::Fresh);
        }
        let paths = signer.ca.paths_beside(trust.ca(&link.issuer)?);
        paths.filter_map(|path| self.standing_of_path(trust, signer, path, moment)).min()
    }

    fn standing_of_path(&self, trust: &Trust, signer: Signer<'_>, path: &CaPath, moment: Moment) -> Option<Freshness> {
        let mut worst = Freshness::Fresh;
        for (index, link) in path.links.iter().enumerate() {
            let is_valid = link.not_before <= moment.now && moment.now <= link.not_after;
            if !is_valid || self.revoked(trust, link, moment.now).is_some() {
                return None;
            }
            let is_ca = index > 0 || signer.ca.is_ca;
            let near = |other: &Signer<'_>| other.role == Role::Issuer || other.ca.id == signer.ca.id;
            let signers: Vec<_> = trust.signers(link).filter(near).collect();
            let parts = signers.into_iter().flat_map(|near| self.parts(near, Freshness::Fresh, link, is_ca, moment));
            worst = worst.max(united(parts)?.freshness);
        }
        Some(worst)
    }

    fn lines(&self, issuer: &[u8; 32]) -> &[Line] {
        self.lines.get(issuer).map_or(&[], Vec::as_slice)
    }
}

/// What lists a certificate as revoked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lister<'r> {
    Crl(&'r Crl),
    /// What has listed it.
    Vanished(Gone<'r>),
}

impl Lister<'_> {
    /// Of one that has listed it for as long as a CA must, up to its end (RFC 5280 section 3.3), with the certificate's dates.
    pub(super) fn evidence(self, link: &Link) -> Vec<Evidence> {
        let gone = match self {
            Self::Crl(crl) => return vec![Evidence::Crl(crl.name())],
            Self::Vanished(gone) => gone,
        };
        let vanished = Evidence::Vanished { source: Arc::clone(gone.source), since: gone.since };
        let Link { not_before, not_after, .. } = *link;
        let dates = (not_after < gone.since).then_some(Evidence::Validity { not_before, not_after });
        std::iter::once(vanished).chain(dates).collect()
    }
}

/// When it is judged, and how long past nextUpdate a CRL still counts.
#[derive(Clone, Copy)]
struct Moment {
    grace: Duration,
    now: Wall,
}

/// A CRL's share of what there is to know of a certificate.
struct Part<'r> {
    complete: &'r Crl,
    delta: Option<&'r Crl>,
    /// For which reasons it would list the certificate.
    reasons: u16,
    freshness: Freshness,
    next_update: Option<Wall>,
}

/// CRLs that together would list a certificate if it were revoked.
pub(super) struct Covering<'r> {
    pub(super) crls: Vec<&'r Crl>,
    /// Of the oldest.
    pub(super) freshness: Freshness,
    /// When the first of them is due again.
    pub(super) next_update: Option<Wall>,
}

/// The freshest parts that are about all reasons together.
fn united<'r>(parts: impl Iterator<Item = Part<'r>>) -> Option<Covering<'r>> {
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|part| part.freshness);
    let mut covering = Covering { crls: Vec::new(), freshness: Freshness::Fresh, next_update: None };
    let mut known = 0;
    for part in parts {
        if part.reasons & !known == 0 {
            continue;
        }
        known |= part.reasons;
        covering.freshness = covering.freshness.max(part.freshness);
        let earlier = covering.next_update.into_iter().chain(part.next_update).min();
        covering.next_update = earlier;
        covering.crls.extend(std::iter::once(part.complete).chain(part.delta));
        if known == ALL_REASONS {
            return Some(covering);
        }
    }
    None
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
    Freshness::at(crl.next_update, grace, now)
}

impl Freshness {
    /// Of what is to be followed by something newer at nextUpdate.
    pub(super) fn at(next_update: Option<Wall>, grace: Duration, now: Wall) -> Self {
        match next_update {
            Some(next) if now <= next => Self::Fresh,
            Some(next) if now <= next + grace => Self::Grace,
            _ => Self::Stale,
        }
    }
}
