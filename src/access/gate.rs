//! The decision inside the handshake: after the client has proved its key, and again when it offers to resume.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Snapshot;
use crate::event::{CertificateName, Reason};
use crate::now::Wall;
use crate::pki::{self, Facts};
use crate::policy::{Decision, Hints, ServiceIndex};
use crate::tls::{Alert, Judge};

/// What was decided, and from what, so that it can be decided again.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) decision: Decision,
    /// Of a chain that was verified; none where there was no path.
    pub(super) facts: Option<Arc<Facts>>,
    /// What the certificate is called, for the log.
    pub(super) certificate: Option<CertificateName>,
}

/// Judges the client of one conversation for the service that it asked for.
pub(super) struct Gate {
    by: Arc<Snapshot>,
    service: ServiceIndex,
    hints: Arc<Hints>,
    decided: Mutex<Option<Decided>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Gate {
    pub(super) fn new(by: Arc<Snapshot>, service: ServiceIndex, hints: Arc<Hints>) -> Self {
        Self { by, service, hints, decided: Mutex::new(None) }
    }

    /// The last decision, taken out.
    pub(super) fn take(&self) -> Option<Decided> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, decided: Decided) {
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(decided);
    }
}

impl Judge for Gate {
    fn judge(&self, chain: &[&[u8]], now: Wall) -> Result<Option<Vec<u8>>, Alert> {
        match self.by.trust.facts(chain) {
            Err(refusal) => {
                let alert = alert_for(refusal.reason);
                let certificate = refusal.claimed.clone();
                self.keep(Decided { decision: Decision::no_path(*refusal), facts: None, certificate });
                Err(alert)
            }
            Ok(facts) => {
                let decided = decide(&self.by, self.service, facts, &self.hints, now);
                let reason = decided.decision.reason();
                let answer = if decided.decision.accepts() {
                    Ok(decided.facts.as_ref().map(|facts| facts.encode()))
                } else {
                    Err(alert_for(reason))
                };
                self.keep(decided);
                answer
            }
        }
    }

    fn resume(&self, kept: &[u8], now: Wall) -> bool {
        let Some(facts) = Facts::decode(kept, &self.by.trust) else { return false };
        let decided = decide(&self.by, self.service, Arc::new(facts), &self.hints, now);
        let accepts = decided.decision.accepts();
        // A refusal is not kept: the full handshake that follows decides with the certificate at hand, and sends the right alert.
        if accepts {
            self.keep(decided);
        }
        accepts
    }
}

/// Facts of a verified chain → decision, for one service.
pub(super) fn decide(
    by: &Arc<Snapshot>,
    service: ServiceIndex,
    facts: Arc<Facts>,
    hints: &Hints,
    now: Wall,
) -> Decided {
    let verdict = pki::verdict(&by.trust, &by.revocation, &facts, now);
    let decision = by.policy.decide(service, &facts, &verdict, &by.standing, hints, now);
    Decided { decision, certificate: Some(facts.name()), facts: Some(facts) }
}

/// The TLS alert that tells a supplicant why it is refused; the table of CONTRACT.md.
#[must_use]
pub fn alert_for(reason: Reason) -> Alert {
    match reason {
        Reason::Revoked | Reason::Blocked => Alert::CertificateRevoked,
        Reason::Expired | Reason::NotYetValid => Alert::CertificateExpired,
        Reason::UntrustedIssuer => Alert::UnknownCa,
        Reason::WrongPurpose => Alert::UnsupportedCertificate,
        Reason::WrongOrganisation | Reason::UserBlocked | Reason::Policy => Alert::AccessDenied,
        // Never unknown_ca for these: the user would look for the wrong fault.
        _ => Alert::CertificateUnknown,
    }
}
