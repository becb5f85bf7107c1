//! Whether a live session has to go.

use super::session::{Condemned, Session, Tie};
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::{self, Revocation, Trust};
use crate::policy::{Online, Policy};
use crate::standing::{Block, Standing};

/// What sessions are judged by; of one snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    /// Authorities, and which of them are distrusted.
    pub trust: &'a Trust,
    /// CRLs and OCSP answers.
    pub revocation: &'a Revocation,
    /// Blocks, and groups.
    pub standing: &'a Standing,
    /// The rules of services.
    pub policy: &'a Policy,
}

impl Law<'_> {
    /// What stands against a session, in the order of a login's reasons. Whoever was let in goes only for what is known: revoked, blocked, distrusted, refused by a rule; nobody goes because a CRL is late.
    #[must_use]
    pub fn judge(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let (by_authority, blocked) = (self.by_authority(session, now), self.blocked(session, now));
        let own = blocked.as_ref().is_some_and(|it| it.own);
        let is_revoked = by_authority.as_ref().is_some_and(|it| it.reason == Reason::Revoked);
        let first = if is_revoked { by_authority } else { blocked.or(by_authority) };
        Some(Condemned { own, ..first.or_else(|| self.by_rule(session, now))? })
    }

    fn by_authority(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let Some(Tie::Known(imprint)) = &session.tie else { return None };
        let verdict = pki::condemned(self.trust, self.revocation, imprint, now)?;
        Some(Condemned { reason: verdict.finding, evidence: verdict.evidence, since: now, own: false })
    }

    fn by_rule(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let authority = match &session.tie {
            Some(Tie::Known(imprint)) => Some(&**imprint.authority()),
            Some(Tie::Fingerprint(_)) => return None,
            None => None,
        };
        let (service, user) = (session.service.as_deref()?, session.user.as_deref()?);
        let online = Online { service, user, authority, nas: &session.device.nas, method: session.method };
        let (rule, groups) = self.policy.refuses(&online, self.standing)?;
        let groups = (!groups.is_empty()).then_some(Evidence::Groups(groups));
        let evidence = groups.into_iter().chain([Evidence::Rule(rule)]).collect();
        Some(Condemned { reason: Reason::Policy, evidence, since: now, own: false })
    }

    fn blocked(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let blocks = self.standing.blocks();
        let certificate = session.tie.as_ref().and_then(|tie| match tie {
            Tie::Known(it) => blocks.certificate(it.fingerprint(), it.authority(), it.serial(), now),
            // Of no authority that is known: by its fingerprint alone.
            Tie::Fingerprint(fingerprint) => blocks.certificate(fingerprint, "", &[], now),
        });
        // Of one that nobody here has let in, all that is known is what its NAS says.
        let user = session.user.as_deref().or(session.user_name.as_deref());
        let by_name = |user| match (&session.tie, &session.user) {
            (None, Some(_)) => blocks.called(user, now),
            _ => blocks.person(user, now),
        };
        let (reason, block) = match certificate {
            Some(block) => (Reason::Blocked, block),
            None => (Reason::UserBlocked, by_name(user?)?),
        };
        let own = block.is_own();
        let Block { since, until, reason: why, by } = block.clone();
        Some(Condemned { reason, evidence: vec![Evidence::Blocked { since, until, reason: why, by }], since: now, own })
    }
}
