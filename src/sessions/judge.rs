//! Whether a live session has to go.

use super::session::{Condemned, Session, Tie};
use crate::now::Wall;
use crate::pki::{self, Revocation, Trust};
use crate::standing::Standing;

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
    /// What stands against a session. Whoever was let in goes only for what is known: revoked, blocked, distrusted; nobody goes because a CRL is late.
    #[must_use]
    pub fn judge(&self, session: &Session, now: Wall) -> Option<Condemned> {
        self.revoked(session, now)
    }

    fn revoked(&self, session: &Session, now: Wall) -> Option<Condemned> {
        let Some(Tie::Known(imprint)) = &session.tie else { return None };
        let verdict = pki::condemned(self.trust, self.revocation, imprint, now)?;
        Some(Condemned { reason: verdict.finding, evidence: verdict.evidence, since: now })
    }
}
