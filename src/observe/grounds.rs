//! What a decision rests on, for programs: of the evidence that which says something of revocation, and how old it is.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::line::{MAX_VALUE, capped, rfc3339};
use crate::event::Evidence;
use crate::now::Wall;

/// Most that are told of one decision: a path has six certificates at most, and each may need several CRLs.
const MOST: usize = 16;

/// One object for each CRL, OCSP answer or their absence that was consulted, each entry that revokes, and each that disappeared. `now`: when it was decided; ages and spans are in seconds, and below zero where the other way round.
#[must_use]
pub(crate) fn revocation(evidence: &[Evidence], now: Wall, zone: &TimeZone) -> Vec<Value> {
    let date = |at: Wall| rfc3339(at, zone);
    let object = |fact: &Evidence| {
        Some(match fact {
            Evidence::Crl(crl) => json!({
                "kind": "crl",
                "authority": text(&crl.authority),
                "source": text(&crl.source),
                "number": crl.number.as_deref().map(text),
                "this_update": date(crl.this_update),
                "next_update": crl.next_update.map(date),
                "age": seconds(crl.this_update, now),
                "ends_in": crl.next_update.map(|end| seconds(now, end)),
            }),
            Evidence::NoCrl(issuer) => json!({ "kind": "no-crl", "issuer": text(issuer) }),
            Evidence::Ocsp(answer) => json!({
                "kind": "ocsp",
                "authority": text(&answer.authority),
                "source": text(&answer.source),
                "status": answer.status.name(),
                "this_update": date(answer.this_update),
                "next_update": date(answer.next_update),
                "age": seconds(answer.this_update, now),
                "ends_in": seconds(now, answer.next_update),
            }),
            Evidence::NoOcsp(issuer) => json!({ "kind": "no-ocsp", "issuer": text(issuer) }),
            Evidence::Vanished { source, since } => json!({
                "kind": "vanished",
                "source": text(source),
                "since": date(*since),
                "age": seconds(*since, now),
            }),
            Evidence::Revoked { at, reason, intermediate } => json!({
                "kind": "revoked",
                "at": date(*at),
                "reason": reason,
                "intermediate": intermediate,
            }),
            Evidence::Blocked { since, until, reason, by } => json!({
                "kind": "blocked",
                "since": date(*since),
                "until": until.map(date),
                "reason": text(reason),
                "by": text(by),
                "age": seconds(*since, now),
            }),
            _ => return None,
        })
    };
    evidence.iter().filter_map(object).take(MOST).collect()
}

/// From when on the certificate's authority is distrusted, where that concerns it.
#[must_use]
pub(crate) fn distrusted_from(evidence: &[Evidence], zone: &TimeZone) -> Option<String> {
    evidence.iter().find_map(|fact| match fact {
        Evidence::Distrust { from } => Some(rfc3339(*from, zone)),
        _ => None,
    })
}

fn text(text: &str) -> String {
    capped(text, MAX_VALUE).into_owned()
}

fn seconds(from: Wall, to: Wall) -> i64 {
    to.0.saturating_sub(from.0)
}
