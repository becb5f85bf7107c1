//! The answer, for a program.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Case, Open};
use crate::event::Outcome;
use crate::now::Wall;
use crate::observe::{self, Unasked, certificate_id};

impl Answer {
    /// What the decision leads to.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.decision.accepts() { Outcome::Accept } else { Outcome::Reject }
    }
}

/// One object.
pub(crate) fn json(case: &Case, answers: &[Answer]) -> Value {
    let certificate = case.certificate().map(|certificate| {
        json!({
            "id": certificate_id(&certificate),
            "authority": certificate.authority.as_deref(),
            "subject": certificate.subject,
            "not_after": date(case, certificate.not_after),
        })
    });
    let problems = case.problems().map(|(file, text)| json!({ "file": file, "text": text }));
    json!({
        "at": date(case, case.at),
        "certificate": certificate,
        "accepted": answers.iter().any(|answer| answer.decision.accepts()),
        "decisions": answers.iter().map(|answer| decision(case, answer)).collect::<Vec<_>>(),
        "questions": case.open.iter().map(|open| question(case, open)).collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

/// What a login would ask first.
fn question(case: &Case, open: &Open) -> Value {
    let Unasked { is_kept, responders, told, .. } = &open.unasked;
    json!({
        "certificate": open.id,
        "kept": if *is_kept { "stale" } else { "none" },
        "responders": responders,
        "told": told,
        "explanation": case.explainer.unasked(&open.unasked),
    })
}

fn decision(case: &Case, answer: &Answer) -> Value {
    let (evidence, zone) = (answer.decision.evidence(), &case.explainer.zone);
    let grant = answer.decision.grant().map(|grant| {
        json!({
            "session_timeout": grant.session_timeout.as_secs(),
            "vlan": grant.vlan,
            "filter_id": grant.filter_id,
        })
    });
    json!({
        "service": &*answer.service,
        "outcome": answer.outcome().name(),
        "reason": answer.decision.reason().name(),
        "user": answer.decision.user().map(|user| &**user),
        "explanation": answer.explanation.sentence(),
        "summary": answer.explanation.summary,
        "evidence": answer.explanation.evidence,
        "revocation": observe::revocation(evidence, case.at, zone),
        "distrusted_from": observe::distrusted_from(evidence, zone),
        "next": answer.explanation.next,
        "grant": grant,
    })
}

/// RFC 3339, in the configuration's time zone.
fn date(case: &Case, at: Wall) -> Option<String> {
    let at = Timestamp::from_second(at.0).ok()?.to_zoned(case.explainer.zone.clone());
    Some(at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
