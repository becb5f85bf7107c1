//! Whether a live session has to go.

use super::session::{Condemned, Session, Tie};
use crate::event::{Evidence, Reason};
use crate::now::Wall;
use crate::pki::{self, Revocation, Trust};
use crate::standing::{Block, Standing};

/// What sessions are judged by; of one snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    /// Authorities, and which of them are distrusted.
    pub trust: &'a Trust,
    /// CRLs and OCSP answers.
    pub revocation: &'a Revocation,
    /// Blocks.
    pub standing: &'a Standing,
}

impl Law<'_> {
    /// What stands against a session, in the order of a login's reasons. Whoever was let in goes only for what is known: revoked, blocked, distrusted; nobody goes because a CRL is late.
    #[must_use]
    pub fn judge(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let by_authority = self.by_authority(session, now);
        let is_revoked = by_authority.as_ref().is_some_and(|it| it.reason == Reason::Revoked);
        if is_revoked { by_authority } else { self.blocked(session, now).or(by_authority) }
    }

    fn by_authority(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let Some(Tie::Known(imprint)) = &session.tie else { return None };
        let verdict = pki::condemned(self.trust, self.revocation, imprint, now)?;
        Some(Condemned { reason: verdict.finding, evidence: verdict.evidence, since: now })
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
        let (reason, block) = match certificate {
            Some(block) => (Reason::Blocked, block),
            None => (Reason::UserBlocked, blocks.person(user?, now)?),
        };
        let Block { since, until, reason: why, by } = block.clone();
        Some(Condemned { reason, evidence: vec![Evidence::Blocked { since, until, reason: why, by }], since: now })
    }
}
