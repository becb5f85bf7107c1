//! What is kept of a certificate, and what decides now → what it is like now.

use super::{View, id};
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::observe::Standing;
use crate::pki::{self, Distrust, Facts, Verdict};
use crate::standing::{Block, Status};
use crate::store::{Distrusted, Known, Record, Revoked};

/// From so long before its end a certificate may be renewed.
const RENEWABLE: i64 = 30 * 86_400;

/// What a certificate is like.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) status: Status,
    /// Since when; `None`: nobody knows.
    pub(super) since: Option<Wall>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) renewable: bool,
    pub(super) revoked: Option<Revoked>,
    /// Its owner's block.
    pub(super) owner: Option<Block>,
    /// What a login would be refused for, if anything is known.
    pub(super) reason: Reason,
    /// What there is to say of it beside that.
    pub(super) standing: Option<Standing>,
}

/// What its authority says of it.
struct Told {
    /// By its facts, where they are known.
    verdict: Option<Verdict>,
    evidence: Vec<Evidence>,
    is_good: bool,
    revoked: Option<Revoked>,
}

impl View {
    /// Judges a certificate by what decides now.
    pub(super) fn judge(&self, record: &Record, now: Wall) -> Judged {
        let known = &record.known;
        let Told { verdict, evidence, is_good, revoked } = self.told(record, now);
        let distrust = self.distrust(record).filter(|distrust| distrust.from <= now);
        let listed = known.listed.as_deref().and_then(Status::named);
        let is_issued = known.serial.is_some() || known.fingerprint.is_some();
        let ended = known.not_after.is_some_and(|end| end < now);
        let (status, since) = if let Some(revoked) = &revoked {
            (Status::Revoked, Some(revoked.since))
        } else if listed == Some(Status::Revoked) && !is_good {
            (Status::Revoked, None)
        } else if let Some(request) = &record.request {
            (Status::RevocationRequested, Some(request.since))
        } else if listed == Some(Status::RevocationRequested) {
            (Status::RevocationRequested, None)
        } else if let Some(distrust) = distrust {
            (Status::Distrusted, Some(distrust.from))
        } else if ended || (known.not_after.is_none() && listed == Some(Status::Expired)) {
            (Status::Expired, known.not_after)
        } else if is_issued {
            (Status::Valid, known.not_before)
        } else {
            (Status::Applied, Some(record.registered))
        };
        let owner = known.user.as_deref().and_then(|user| self.blocks.person(user, now)).cloned();
        let block = self.block(record, now);
        let reason = reason(verdict.as_ref(), status, block.is_some(), owner.is_some());
        let standing = standing(verdict.as_ref(), status, reason, revoked.is_some());
        let blocks = block.into_iter().chain(owner.clone());
        let evidence = evidence.into_iter().chain(blocks.map(blocked)).collect();
        let renewable = known.not_after.is_some_and(|end| now.0 >= end.0.saturating_sub(RENEWABLE));
        Judged { status, since, evidence, renewable, revoked, owner, reason, standing }
    }

    /// Its authority's revocation, by what decides now.
    pub(crate) fn revoked(&self, record: &Record, now: Wall) -> Option<Revoked> {
        self.told(record, now).revoked
    }

    /// Whether anything that decides now could revoke a certificate of this serial: whose could not, is revoked by nothing but what is written of it, unless a CA is ([`View::revokes_a_ca`]).
    pub(crate) fn may_revoke(&self, serial: &str) -> bool {
        self.revocation.may_revoke(&self.trust, &id::octets(serial))
    }

    /// Whether a CA above users' certificates is revoked.
    pub(crate) fn revokes_a_ca(&self, now: Wall) -> bool {
        self.revocation.revokes_a_ca(&self.trust, now)
    }

    fn told(&self, record: &Record, now: Wall) -> Told {
        let facts = self.facts(record);
        let verdict = facts.as_ref().map(|facts| pki::verdict(&self.trust, &self.revocation, facts, now));
        let evidence = match &verdict {
            Some(verdict) => verdict.evidence.clone(),
            None => self.listed(record, now).unwrap_or_default(),
        };
        let is_good = verdict.as_ref().is_some_and(|it| matches!(it.finding, Reason::Ok | Reason::OkGrace));
        let is_told = evidence.iter().any(|one| matches!(one, Evidence::Revoked { .. }));
        let revoked = match is_told {
            true => revoked_by(&evidence),
            // What was known once counts until something good is known.
            false => record.revoked.clone().filter(|_| !is_good),
        };
        Told { verdict, evidence, is_good, revoked }
    }

    /// What is distrusted at a moment; `None`: ever, as far as it is planned.
    pub(crate) fn distrusts(&self, at: Option<Wall>) -> Vec<Distrusted> {
        let planned = self.trust.authorities().filter_map(|one| Some((one.name, one.distrust?)));
        let begun = planned.filter(|(_, distrust)| at.is_none_or(|at| distrust.from <= at));
        let kept = begun.map(|(name, distrust)| Distrusted {
            authority: name.to_string(),
            issued_before: distrust.issued_before,
            issued_after: distrust.issued_after,
        });
        kept.collect()
    }

    /// What its verified chain has said; by the certificate itself where that can't be read any more.
    pub(super) fn facts(&self, record: &Record) -> Option<Facts> {
        let kept = record.known.facts.as_deref().and_then(|kept| Facts::decode(kept, &self.trust));
        let read = || {
            let der = record.known.der.as_deref()?;
            self.trust.facts(&[der]).ok().map(|facts| Facts::clone(&facts))
        };
        kept.or_else(read)
    }

    fn listed(&self, record: &Record, now: Wall) -> Option<Vec<Evidence>> {
        let (authority, serial) = record.known.authority.as_deref().zip(record.known.serial.as_deref())?;
        pki::listed(&self.trust, &self.revocation, authority, record.known.issuer, &id::octets(serial), now)
    }

    /// The distrust that concerns it, begun or to come.
    fn distrust(&self, record: &Record) -> Option<Distrust> {
        let authority = record.known.authority.as_deref()?;
        let distrust = self.trust.authorities().find(|one| &*one.name == authority)?.distrust?;
        let issued = record.known.not_before;
        let concerned = distrust.issued_before.is_none_or(|before| issued.is_some_and(|issued| issued < before))
            && distrust.issued_after.is_none_or(|after| issued.is_some_and(|issued| issued > after));
        concerned.then_some(distrust)
    }

    /// Its block: what was asked for here, or what is in force because a list of the CA's says so.
    fn block(&self, record: &Record, now: Wall) -> Option<Block> {
        if let Some(request) = record.request.as_ref().filter(|request| request.block) {
            let (reason, by) = (request.reason.as_str().into(), request.by.as_str().into());
            return Some(Block { since: request.since, until: None, reason, by });
        }
        let Known { fingerprint, authority, serial, .. } = &record.known;
        let (authority, serial) = (authority.as_deref()?, id::octets(serial.as_deref()?));
        self.blocks.certificate(&fingerprint.unwrap_or_default(), authority, &serial, now).cloned()
    }
}

fn blocked(Block { since, until, reason, by }: Block) -> Evidence {
    Evidence::Blocked { since, until, reason, by }
}

/// As the one decision has it, for the sentence that explains it.
fn reason(verdict: Option<&Verdict>, status: Status, is_blocked: bool, owner_blocked: bool) -> Reason {
    match (status, verdict) {
        (Status::Revoked, _) => Reason::Revoked,
        _ if is_blocked => Reason::Blocked,
        _ if owner_blocked => Reason::UserBlocked,
        (_, Some(verdict)) => verdict.finding,
        (Status::Distrusted, None) => Reason::DistrustedAuthority,
        (Status::Expired, None) => Reason::Expired,
        _ => Reason::RevocationUnknown,
    }
}

/// Where no reason of a login tells it.
fn standing(verdict: Option<&Verdict>, status: Status, reason: Reason, is_told: bool) -> Option<Standing> {
    match (status, reason) {
        (Status::Revoked, _) => (!is_told).then_some(Standing::Listed),
        (_, Reason::Blocked | Reason::UserBlocked) => None,
        (Status::RevocationRequested, _) => Some(Standing::Requested),
        (Status::Applied, _) => Some(Standing::Applied),
        (Status::Valid, Reason::Ok) => Some(Standing::Good),
        (Status::Valid, _) if verdict.is_none() => Some(Standing::Unseen),
        _ => None,
    }
}

/// The authority's revocation, by what shows it.
pub(super) fn revoked_by(evidence: &[Evidence]) -> Option<Revoked> {
    let (since, reason) = evidence.iter().find_map(|one| match one {
        Evidence::Revoked { at, reason, .. } => Some((*at, *reason)),
        _ => None,
    })?;
    let source = evidence.iter().find_map(|one| match one {
        Evidence::Crl(crl) => Some(crl.source.to_string()),
        Evidence::Ocsp(answer) => Some(answer.source.to_string()),
        Evidence::Vanished { source, .. } => Some(source.to_string()),
        _ => None,
    });
    Some(Revoked { since, reason: reason.map(str::to_owned), source: source.unwrap_or_default() })
}
