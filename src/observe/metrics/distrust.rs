//! Who still uses an authority that is distrusted, or is going to be: how often, and how many certificates.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use prometheus::{Gauge, IntCounter};

use super::{Families, seconds};
use crate::event::{Authentication, Event, Evidence, Outcome};
use crate::lock::lock;
use crate::now::Wall;

/// Certificates of one authority that are told apart; 8 octets each, and what a table takes.
const MAX_CERTIFICATES: usize = 100_000;

/// The authorities that the configuration gives a `distrust`.
#[derive(Debug, Default)]
pub(super) struct Distrusts(Mutex<HashMap<Arc<str>, Distrust>>);

/// One of them.
#[derive(Debug)]
struct Distrust {
    accepts: IntCounter,
    rejects: IntCounter,
    certificates: Gauge,
    /// The first octets of the fingerprints: nobody chooses them who can't make the authority issue.
    seen: HashSet<u64>,
}

impl Distrust {
    fn new(families: &Families, authority: &str) -> Self {
        let logins =
            |outcome: Outcome| families.distrust_authentications.with_label_values(&[authority, outcome.name()]);
        Self {
            accepts: logins(Outcome::Accept),
            rejects: logins(Outcome::Reject),
            certificates: families.distrust_certificates.with_label_values(&[authority]),
            seen: HashSet::new(),
        }
    }

    fn see(&mut self, fingerprint: &[u8; 32]) {
        let prefix = fingerprint.first_chunk().copied().map_or(0, u64::from_be_bytes);
        if self.seen.len() < MAX_CERTIFICATES && self.seen.insert(prefix) {
            self.certificates.set(self.seen.len() as f64);
        }
    }
}

impl Distrusts {
    /// These and no others; what was counted of one that stays goes on.
    pub(super) fn set(&self, families: &Families, authorities: &[(Arc<str>, Wall)]) {
        let mut known = lock(&self.0);
        let mut before = std::mem::take(&mut *known);
        families.distrust_from.reset();
        for (name, from) in authorities {
            let distrust = before.remove(name).unwrap_or_else(|| Distrust::new(families, name));
            families.distrust_from.with_label_values(&[&**name]).set(seconds(*from));
            known.insert(Arc::clone(name), distrust);
        }
        for gone in before.keys() {
            for outcome in [Outcome::Accept, Outcome::Reject] {
                // An error means that there is no such series.
                let _ = families.distrust_authentications.remove_label_values(&[&**gone, outcome.name()]);
            }
            let _ = families.distrust_certificates.remove_label_values(&[&**gone]);
        }
    }

    /// Counts a login with a certificate that a `distrust` concerns: its evidence says so, before and after the date.
    pub(super) fn record(&self, event: &Event, authentication: &Authentication) {
        let is_concerned = authentication.evidence.iter().any(|fact| matches!(fact, Evidence::Distrust { .. }));
        let Some(certificate) = authentication.certificate.as_ref().filter(|_| is_concerned) else { return };
        let Some(authority) = &certificate.authority else { return };
        let mut known = lock(&self.0);
        let Some(distrust) = known.get_mut(authority) else { return };
        match event.outcome {
            Outcome::Accept => distrust.accepts.inc(),
            Outcome::Reject => distrust.rejects.inc(),
            _ => return,
        }
        distrust.see(&certificate.fingerprint);
    }
}
