//! What is known of the places where revocation data is, for whoever asks nobody.

use super::Settings;
use super::learned::Learned;
use super::ocsp::AuthoritySettings;
use crate::pki::Trust;

/// Who would be asked.
#[derive(Debug)]
pub(crate) struct Known {
    asked: Vec<AuthoritySettings>,
    learned: Learned,
}

impl Known {
    /// Takes what the configuration and its certificates tell, and reads what members told before.
    pub(crate) fn new(settings: &Settings, trust: &Trust) -> Self {
        Self { asked: settings.ocsp.authorities.clone(), learned: Learned::new(settings, trust, None) }
    }

    /// Whether the authority's certificates themselves tell who is asked about them: it consults OCSP, and `ocsp` names nobody.
    pub(crate) fn is_told_by_certificates(&self, authority: &str) -> bool {
        self.asked.iter().any(|one| *one.authority == *authority && one.responders.is_empty())
    }

    /// The responders of certificates below an authority that this CA, as in [`crate::pki::Link`], has issued; `None`: of all of its CAs.
    pub(crate) fn responders(&self, authority: &str, issuer: Option<&[u8; 32]>) -> Vec<String> {
        let configured = self.asked.iter().filter(|one| *one.authority == *authority);
        let configured = configured.flat_map(|one| &one.responders).map(ToString::to_string);
        let is_meant = |of: &[u8; 32]| issuer.is_none_or(|issuer| issuer == of);
        let told = self.learned.responders().filter(|place| *place.authority == *authority && is_meant(&place.issuer));
        let mut all: Vec<String> = configured.chain(told.map(|place| place.url.to_string())).collect();
        let mut seen = std::collections::HashSet::new();
        all.retain(|url| seen.insert(url.clone()));
        all
    }
}
