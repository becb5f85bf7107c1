//! What would be decided for a certificate, and why, by the very code that serves: for the command and for the API. It fetches nothing.

mod json;
mod open;

use std::sync::Arc;

use crate::event::{CertificateName, Method};
use crate::fetch::known::Known;
use crate::fetch::{self, Loaded};
use crate::now::Wall;
use crate::observe::{Asked, Explainer, Explanation};
use crate::pki::{self, Facts, NoPath, Trust};
use crate::policy::{Decision, Hints, Match, Policy, ServiceIndex, ServiceSettings};

pub(crate) use json::json;
pub(crate) use open::Open;

/// NAS-Port-Type of an access point: Wireless - IEEE 802.11 (RFC 2865 section 5.41).
const WIRELESS: u32 = 19;

/// What decisions rest on.
#[derive(Clone, Debug)]
pub(crate) struct Grounds {
    pub(crate) policy: Arc<Policy>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) loaded: Loaded,
}

/// A certificate that is asked about.
#[derive(Debug)]
pub(crate) struct Case {
    grounds: Grounds,
    /// Facts of the chain, or why there are none.
    facts: Result<Arc<Facts>, Box<NoPath>>,
    /// What a login would ask of OCSP responders.
    pub(crate) open: Vec<Open>,
    pub(crate) at: Wall,
    pub(crate) explainer: Explainer,
}

/// What one service would decide.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) service: Arc<str>,
    pub(crate) decision: Decision,
    pub(crate) explanation: Explanation,
}

impl Case {
    /// `chain`: DER, leaf first. `fetch`: by which what responders were told is read from files.
    pub(crate) fn new(
        grounds: Grounds,
        fetch: &fetch::Settings,
        chain: &[Vec<u8>],
        at: Wall,
        explainer: Explainer,
    ) -> Self {
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        let facts = grounds.trust.facts(&chain);
        let open = match &facts {
            Ok(facts) => {
                let known = Known::new(fetch, &grounds.trust);
                open::questions(&grounds.trust, &grounds.loaded, &known, facts, at)
            }
            Err(_) => Vec::new(),
        };
        Self { grounds, facts, open, at, explainer }
    }

    /// What the service named, or each, would decide; the error: there is none of that name.
    pub(crate) fn answers(&self, service: Option<&str>) -> Result<Vec<Answer>, String> {
        let policy = &self.grounds.policy;
        let services: Vec<_> =
            policy.services().filter(|(_, settings)| service.is_none_or(|name| &*settings.name == name)).collect();
        if let (Some(service), []) = (service, services.as_slice()) {
            let names: Vec<_> = policy.services().map(|(_, settings)| settings.name.to_string()).collect();
            return Err(format!("there is no service {service:?}; there are: {}", names.join(", ")));
        }
        Ok(services.into_iter().map(|(index, settings)| self.decide(index, settings)).collect())
    }

    fn decide(&self, index: ServiceIndex, service: &ServiceSettings) -> Answer {
        let Grounds { policy, trust, loaded } = &self.grounds;
        let decision = match &self.facts {
            Err(refusal) => Decision::no_path((**refusal).clone()),
            Ok(facts) => {
                let verdict = pki::verdict(trust, &loaded.revocation, facts, self.at);
                policy.decide(index, facts, &verdict, &loaded.standing, &hints(service), self.at)
            }
        };
        let user = decision.user().cloned();
        let asked = Asked { at: self.at, user: user.as_deref(), service: Some(&service.name), ..Asked::default() };
        let explanation = self.explainer.explain(decision.reason(), decision.evidence(), &asked);
        Answer { service: service.name.clone(), decision, explanation }
    }

    /// Files that don't count, or not at that time: (file, sentence).
    pub(crate) fn problems(&self) -> impl Iterator<Item = (String, String)> {
        let loaded = &self.grounds.loaded;
        let unusable = loaded.problems.iter().map(|it| (it.source.to_string(), it.text.clone()));
        let later = loaded.crls.iter().filter(|crl| crl.this_update > self.at).map(|crl| {
            let text =
                "this CRL was issued after the time asked for, and says nothing about it; the one before it is needed";
            (crl.source.to_string(), text.to_owned())
        });
        unusable.chain(later)
    }

    /// What the certificate is called, as far as it can be read.
    pub(crate) fn certificate(&self) -> Option<CertificateName> {
        match &self.facts {
            Ok(facts) => Some(facts.name()),
            Err(refusal) => refusal.claimed.clone(),
        }
    }
}

/// A request as it would usually come for the service: what its first `match` for EAP-TLS asks for, from an access point where that names an SSID. Rules may look at it.
fn hints(service: &ServiceSettings) -> Hints {
    let is_tls = |wanted: &&Match| wanted.method.as_ref().is_none_or(|methods| methods.contains(&Method::EapTls));
    let wanted = service.matches.iter().find(is_tls).cloned().unwrap_or_default();
    let first = |list: Option<Vec<String>>| list.and_then(|list| list.into_iter().next());
    let ssid = first(wanted.ssid);
    let port_type = wanted.nas_port_type.and_then(|list| list.first().copied());
    Hints {
        told_by_name: false,
        nas: wanted.nas.and_then(|list| list.first().cloned()).unwrap_or_default(),
        allowed_services: None,
        federation: false,
        nas_port_type: port_type.or(ssid.is_some().then_some(WIRELESS)),
        ssid,
        nas_identifier: first(wanted.nas_identifier),
        method: Some(Method::EapTls),
        outer: None,
    }
}
