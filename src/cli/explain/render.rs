//! The answer, for a person and for a program.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Case, Open};
use crate::event::Outcome;
use crate::now::Wall;
use crate::observe::{self, Unasked, certificate_id, escape_in_json, visible};
use crate::policy::Grant;

/// What the decision leads to.
fn outcome(answer: &Answer) -> Outcome {
    if answer.decision.accepts() { Outcome::Accept } else { Outcome::Reject }
}

/// A paragraph for each service.
pub(super) fn text(case: &Case, answers: &[Answer]) -> String {
    let mut text = String::new();
    if let Some(certificate) = case.certificate() {
        let _ = writeln!(text, "{}  {}", certificate_id(&certificate), visible(&certificate.subject));
    }
    for open in &case.open {
        let _ = writeln!(text, "  ? {}", case.explainer.unasked(&open.unasked));
    }
    for answer in answers {
        let _ = writeln!(text, "\n{}: {} {}", visible(&answer.service), outcome(answer), answer.decision.reason());
        if let Some(user) = answer.decision.user() {
            let _ = writeln!(text, "  user: {}", visible(user));
        }
        if let Some(grant) = answer.decision.grant() {
            let _ = writeln!(text, "  {}", granted(grant));
        }
        let _ = writeln!(text, "  {}", answer.explanation.summary);
        for evidence in &answer.explanation.evidence {
            let _ = writeln!(text, "  - {evidence}");
        }
        let _ = writeln!(text, "  => {}", answer.explanation.next);
    }
    text
}

fn granted(grant: &Grant) -> String {
    let mut words = vec![format!("session-timeout: {} s", grant.session_timeout.as_secs())];
    words.extend(grant.vlan.as_ref().map(|vlan| format!("vlan: {}", visible(vlan))));
    words.extend(grant.filter_id.as_ref().map(|filter| format!("filter-id: {}", visible(filter))));
    words.join(", ")
}

/// One object, in one line.
pub(super) fn json(case: &Case, answers: &[Answer]) -> String {
    let certificate = case.certificate().map(|certificate| {
        json!({
            "id": certificate_id(&certificate),
            "authority": certificate.authority.as_deref(),
            "subject": certificate.subject,
            "not_after": date(case, certificate.not_after),
        })
    });
    let problems = case.problems().map(|(file, text)| json!({ "file": file, "text": text }));
    let object = json!({
        "at": date(case, case.at),
        "certificate": certificate,
        "accepted": answers.iter().any(|answer| answer.decision.accepts()),
        "decisions": answers.iter().map(|answer| decision(case, answer)).collect::<Vec<_>>(),
        "questions": case.open.iter().map(|open| question(case, open)).collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    });
    escape_in_json(&object.to_string()) + "\n"
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
        "outcome": outcome(answer).name(),
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
