//! About whose certificates somebody can be asked.

use std::sync::Arc;

use super::Desk;
use crate::pki::Trust;

/// The CAs, each below an authority, for whose certificates there is a responder, in whatever health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Askable(Vec<(Arc<str>, [u8; 32])>);

impl Askable {
    /// As a desk knows it.
    pub(crate) fn of<T: Clone>(desk: &Desk<T>, trust: &Trust) -> Self {
        let of_authority = |name: Arc<str>| {
            let asked = trust.consulted(&name).iter().filter(|issuer| desk.askable(&name, issuer));
            asked.map(|issuer| (Arc::clone(&name), *issuer)).collect::<Vec<_>>()
        };
        Self(trust.authorities().flat_map(|authority| of_authority(authority.name)).collect())
    }

    /// Whether it is one of them.
    pub(crate) fn contains(&self, authority: &str, issuer: &[u8; 32]) -> bool {
        self.0.iter().any(|(name, ca)| &**name == authority && ca == issuer)
    }
}
