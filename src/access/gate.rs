//! The decision inside the handshake: after the client has proved its key, and again when it offers to resume.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::Snapshot;
use crate::event::{Authentication, CertificateName, Evidence, Reason};
use crate::lock::lock;
use crate::now::Wall;
use crate::pki::{self, Facts, Question, Verdict};
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
    /// What has to be asked before the decision counts: it was made as if all of this had been answered well.
    pub(super) questions: Vec<Question>,
    /// Somebody of whom no certificate is wanted.
    person: Option<Arc<str>>,
    /// Whether the certificate is of an authority of ours, and of those that its `subject` is about.
    is_ours: bool,
}

impl Decided {
    /// The facts, if they are of a certificate of ours.
    pub(super) fn seen(&self) -> Option<Arc<Facts>> {
        self.facts.clone().filter(|_| self.is_ours)
    }

    /// Somebody of whom no certificate is wanted, since the NAS has checked his password.
    pub(super) fn of_person(
        by: &Snapshot,
        service: Option<ServiceIndex>,
        person: &Arc<str>,
        hints: &Hints,
        now: Wall,
    ) -> Self {
        let decision = match service {
            Some(service) => by.policy.decide_person(service, person, &by.standing, hints, now),
            None => Decision::refuse(Reason::NoService, Vec::new(), None),
        };
        let person = Some(person.clone());
        Self { decision, facts: None, certificate: None, questions: Vec::new(), person, is_ours: false }
    }

    /// Says whom it is about.
    pub(super) fn tell(self, authentication: &mut Authentication) {
        authentication.user = self.decision.user().cloned();
        authentication.certificate = self.certificate;
    }

    /// The same, refused after all.
    pub(super) fn refused(&self, reason: Reason) -> Self {
        Self { decision: Decision::refuse(reason, Vec::new(), None), questions: Vec::new(), ..self.clone() }
    }

    /// The same, refused since the name that was asked for is that of several users.
    pub(super) fn ambiguous(self, users: Vec<String>) -> Self {
        let decision = Decision::refuse(Reason::IdentityAmbiguous, vec![Evidence::Names(users)], None);
        Self { decision, questions: Vec::new(), ..self }
    }

    /// Decides again, by what is in force and known now, and asks nobody.
    pub(super) fn again(&self, by: &Snapshot, hints: &Hints, now: Wall) -> Self {
        let refuse = |reason| self.refused(reason);
        match (&self.facts, by.policy.route(hints)) {
            (Some(facts), Some(service)) => decide(by, service, facts.clone(), hints, now),
            (None, Some(service)) if let Some(person) = &self.person => {
                Self::of_person(by, Some(service), person, hints, now)
            }
            (_, None) => refuse(Reason::NoService),
            // Nobody is let in without a path.
            (None, _) => refuse(self.decision.reason()),
        }
    }
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
        lock(&self.decided).take()
    }

    fn keep(&self, decided: Decided) {
        *lock(&self.decided) = Some(decided);
    }
}

impl Judge for Gate {
    fn judge(&self, chain: &[&[u8]], now: Wall) -> Result<Option<Vec<u8>>, Alert> {
        match self.by.trust.facts(chain) {
            Err(refusal) => {
                let alert = alert_for(refusal.reason);
                let certificate = refusal.claimed.clone();
                self.keep(Decided {
                    decision: Decision::no_path(*refusal),
                    facts: None,
                    certificate,
                    questions: Vec::new(),
                    person: None,
                    is_ours: false,
                });
                Err(alert)
            }
            Ok(facts) => {
                let decided = presume(&self.by, self.service, facts, &self.hints, now);
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

    /// With questions open it says yes all the same, for what it allows is only to go on: the end of the abbreviated handshake asks, and gives nothing away before.
    /// The one thing that leaves earlier is TLS 1.2's renewed ticket, in our first flight. It makes nothing resumable that wasn't: it holds the same session, with the same facts and the time of the
    /// same full handshake, by which its end is reckoned; whoever can use it knows that session's secret, and could have come back with what was offered now; and each time it is offered, it is judged here anew.
    fn resume(&self, kept: &[u8], now: Wall) -> bool {
        let Some(facts) = Facts::decode(kept, &self.by.trust) else { return false };
        let decided = presume(&self.by, self.service, Arc::new(facts), &self.hints, now);
        let accepts = decided.decision.accepts();
        // A refusal is not kept: the full handshake that follows decides with the certificate at hand, and sends the right alert.
        if accepts {
            self.keep(decided);
        }
        accepts
    }
}

/// Facts of a verified chain → decision, for one service.
pub(super) fn decide(by: &Snapshot, service: ServiceIndex, facts: Arc<Facts>, hints: &Hints, now: Wall) -> Decided {
    let verdict = pki::verdict(&by.trust, &by.revocation, &facts, now);
    conclude(by, service, facts, &verdict, hints, now)
}

/// Decides as if every open question had been answered well, and says which are open. What is refused all the same needs no answer.
pub(super) fn presume(by: &Snapshot, service: ServiceIndex, facts: Arc<Facts>, hints: &Hints, now: Wall) -> Decided {
    // Before the verdict: of an answer that comes in between, the verdict knows.
    let questions = pki::questions(&by.trust, &by.revocation, &facts, now);
    let mut verdict = pki::verdict(&by.trust, &by.revocation, &facts, now);
    if questions.is_empty() || !hangs_on_revocation(verdict.finding) {
        return conclude(by, service, facts, &verdict, hints, now);
    }
    verdict.finding = Reason::Ok;
    let decided = conclude(by, service, facts, &verdict, hints, now);
    let questions = if decided.decision.accepts() { questions } else { Vec::new() };
    Decided { questions, ..decided }
}

/// Whether nothing stands against a certificate but what is not known, or not known well, of its revocation.
fn hangs_on_revocation(finding: Reason) -> bool {
    matches!(finding, Reason::Ok | Reason::OkGrace | Reason::RevocationUnknown | Reason::RevocationStale)
}

fn conclude(
    by: &Snapshot,
    service: ServiceIndex,
    facts: Arc<Facts>,
    verdict: &Verdict,
    hints: &Hints,
    now: Wall,
) -> Decided {
    let decision = by.policy.decide(service, &facts, verdict, &by.standing, hints, now);
    // The first that a verdict looks at; whatever else it finds, these hold.
    let is_ours = !matches!(verdict.finding, Reason::UntrustedIssuer | Reason::WrongOrganisation);
    Decided {
        decision,
        certificate: Some(facts.name()),
        facts: Some(facts),
        questions: Vec::new(),
        person: None,
        is_ours,
    }
}

/// The TLS alert that tells a supplicant why it is refused; the table of CONTRACT.md.
#[must_use]
pub(crate) fn alert_for(reason: Reason) -> Alert {
    match reason {
        Reason::Revoked | Reason::Blocked => Alert::CertificateRevoked,
        Reason::Expired | Reason::NotYetValid => Alert::CertificateExpired,
        Reason::UntrustedIssuer => Alert::UnknownCa,
        Reason::WrongPurpose => Alert::UnsupportedCertificate,
        Reason::WrongOrganisation | Reason::UserBlocked | Reason::BadIdentity | Reason::Policy => Alert::AccessDenied,
        // Never unknown_ca for these: the user would look for the wrong fault.
        _ => Alert::CertificateUnknown,
    }
}
