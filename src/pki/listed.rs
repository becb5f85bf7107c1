//! What is said of a certificate that is known by its name alone.

use super::crl::reason_name;
use super::facts::Link;
use super::revocation::Revocation;
use super::settings::RevocationSource;
use super::trust::Trust;
use crate::event::Evidence;
use crate::now::Wall;

/// What says that a certificate is revoked, as evidence: first the entry, then who says so. `issuer`: by which of the authority's CAs it was issued, as in [`Link`]; `None`: any of them.
///
/// What nothing is said of isn't known to be good: that is [`verdict`](super::verdict())'s to say, with the chain's facts.
#[must_use]
pub fn listed(
    trust: &Trust,
    revocation: &Revocation,
    authority: &str,
    issuer: Option<[u8; 32]>,
    serial: &[u8],
    now: Wall,
) -> Option<Vec<Evidence>> {
    let is_meant = |id: &[u8; 32]| issuer.is_none_or(|issuer| issuer == *id);
    let issuers = trust.issuers.iter().filter(|one| &*one.authority.name == authority && is_meant(&one.id));
    let mut consulted = issuers.filter(|one| one.authority.revocation != RevocationSource::Off);
    consulted.find_map(|one| {
        let link = Link { issuer: one.id, serial: serial.to_vec(), ..Link::default() };
        let by_crl = revocation.revoked(trust, &link, now);
        let (entry, mut evidence) = by_crl
            .map(|(lister, entry)| (entry, lister.evidence(&Link { not_after: Wall(i64::MAX), ..link.clone() })))
            .or_else(|| revocation.revoked_by_answer(trust, &link, now))?;
        let reason = entry.reason.and_then(reason_name);
        evidence.insert(0, Evidence::Revoked { at: entry.at, reason, intermediate: false });
        Some(evidence)
    })
}
