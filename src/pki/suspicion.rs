//! Which certificates could be revoked by what is known: asked of a whole registry before any of them is judged.

use super::revocation::Revocation;
use super::trust::Trust;
use crate::now::Wall;

impl Revocation {
    /// Whether anything could revoke a certificate of this serial, whoever has issued it: too many rather than too few, so whose serial is not among them, [`verdict`](super::verdict()) and [`listed`](super::listed()) call revoked only for a CA above it ([`Revocation::revokes_a_ca`]).
    #[must_use]
    pub fn may_revoke(&self, trust: &Trust, serial: &[u8]) -> bool {
        self.crls().any(|crl| crl.lists.iter().any(|(_, serials)| serials.find(serial).is_some()))
            || self.vanished().knows(serial)
            || trust.issuers.iter().any(|issuer| self.answers().revokes(&issuer.id, serial))
    }

    /// Whether a CA that stands above users' certificates is revoked.
    #[must_use]
    pub fn revokes_a_ca(&self, trust: &Trust, now: Wall) -> bool {
        trust
            .issuers
            .iter()
            .flat_map(|issuer| &issuer.links)
            .any(|link| self.revoked(trust, link, now).is_some() || self.revoked_by_answer(trust, link, now).is_some())
    }
}
