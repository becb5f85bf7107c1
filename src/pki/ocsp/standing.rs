//! What the answers in use say of a certificate at a moment.

use std::sync::Arc;
use std::time::Duration;

use super::super::facts::Link;
use super::super::revocation::{Freshness, Revocation, SKEW};
use super::super::serials::Entry;
use super::super::trust::Trust;
use super::OcspAnswer;
use super::signer::Delegate;
use crate::event::Evidence;
use crate::now::Wall;

impl Revocation {
    /// That a responder has said "revoked", with what there is to show for it. However old the answer is; only one whose signer has been revoked doesn't count.
    pub(in super::super) fn revoked_by_answer(
        &self,
        trust: &Trust,
        link: &Link,
        now: Wall,
    ) -> Option<(Entry, Vec<Evidence>)> {
        let known = self.answers().revoked(&link.issuer, &link.serial)?;
        let entry = known.answer.entry?;
        let delegate = known.answer.delegate.as_ref();
        if delegate.is_some_and(|delegate| self.is_revoked(trust, delegate, now)) {
            return None;
        }
        let name = known.answer.name();
        let vanished = known.vanished.map(|since| Evidence::Vanished { source: Arc::clone(&name.source), since });
        Some((entry, std::iter::once(Evidence::Ocsp(name.clone())).chain(vanished).collect()))
    }

    /// What a responder says of a certificate otherwise, "good" or "unknown", and how old that is.
    pub(in super::super) fn answered(
        &self,
        trust: &Trust,
        link: &Link,
        grace: Duration,
        now: Wall,
    ) -> Option<(Freshness, Arc<OcspAnswer>)> {
        let answer = self.answers().newest(&link.issuer, &link.serial)?;
        // So it was loaded before the clock was turned back.
        if answer.name().this_update > now + SKEW {
            return None;
        }
        let standing = match &answer.delegate {
            Some(delegate) => self.standing_of_delegate(trust, delegate, grace, now)?,
            None => Freshness::Fresh,
        };
        let freshness = Freshness::at(Some(answer.name().next_update), grace, now);
        Some((freshness.max(standing), answer))
    }

    /// How well it is known that a delegate may still sign (RFC 6960 section 4.2.2.2.1); `None`: it may not, or nobody says.
    fn standing_of_delegate(
        &self,
        trust: &Trust,
        delegate: &Delegate,
        grace: Duration,
        now: Wall,
    ) -> Option<Freshness> {
        let link = &delegate.link;
        if now < link.not_before || now > link.not_after || self.is_revoked(trust, delegate, now) {
            return None;
        }
        if !delegate.must_be_covered {
            return Some(Freshness::Fresh);
        }
        self.covering(trust, link, false, grace, now).map(|covering| covering.freshness)
    }

    fn is_revoked(&self, trust: &Trust, delegate: &Delegate, now: Wall) -> bool {
        self.revoked(trust, &delegate.link, now).is_some()
    }
}
