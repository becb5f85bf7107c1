//! The answer, for a person.

use std::fmt::Write;

use crate::explain::{Answer, Case};
use crate::observe::{certificate_id, visible};
use crate::policy::Grant;

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
        let _ = writeln!(text, "\n{}: {} {}", visible(&answer.service), answer.outcome(), answer.decision.reason());
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
