//! What the configuration itself knows of where revocation data is, before anybody has logged in.

use std::sync::Arc;

use super::facts::{Facts, NoPath};
use super::locations::Locations;
use super::trust::Trust;
use crate::event::Evidence;

impl Trust {
    /// What the configured intermediates say of themselves, those that only sign CRLs among them: name of the authority, the CA that has issued the intermediate, as in [`super::Link`], and where data about it is. Those that name no place are left out.
    pub fn locations(&self) -> impl Iterator<Item = (&Arc<str>, &[u8; 32], &Locations)> {
        self.authorities.iter().flat_map(|authority| {
            let places = authority.places.iter().filter(|(_, locations)| !locations.is_empty());
            places.map(|(issuer, locations)| (&authority.name, issuer, locations))
        })
    }

    /// The CAs, as in [`super::Link`], of whose certificates an authority's verdicts must know whether they are revoked: those that issue to its users, those above, and those above its signers of CRLs. Empty: there is no such authority.
    #[must_use]
    pub fn consulted(&self, authority: &str) -> &[[u8; 32]] {
        let authority = self.authorities.iter().find(|one| &*one.name == authority);
        authority.map_or(&[], |authority| authority.consulted.as_slice())
    }

    /// Facts of a `sample` (DER): any user's certificate that a CA of the authority's table has issued. Its dates don't matter and neither do `subject` and `purpose`: it only tells places, and those are the same for all of them.
    ///
    /// # Errors
    /// Why it isn't one, for an administrator.
    pub fn sample(&self, certificate: &[u8], authority: &str) -> Result<Arc<Facts>, String> {
        let facts = self.facts(&[certificate]).map_err(|no_path| why(&no_path))?;
        match &*facts.authority {
            own if own == authority => Ok(facts),
            other => Err(format!("it was issued by a CA of the authority {other:?}, not of {authority:?}")),
        }
    }
}

fn why(no_path: &NoPath) -> String {
    let texts = no_path.evidence.iter().filter_map(|one| match one {
        Evidence::Issuer(name) => {
            Some(format!("its issuer, {name:?}, is none of the configured CAs that issue to users"))
        }
        Evidence::Path(text) => Some(text.clone()),
        _ => None,
    });
    format!("it isn't a user's certificate of a configured authority: {}", texts.collect::<Vec<_>>().join("; "))
}
