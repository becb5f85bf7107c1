//! Decisions that were made.

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::certificates::unknown;
use super::{View, id, most};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::{Listing, Path};
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::event::{Evidence, Outcome, Reason};
use crate::observe::Asked;
use crate::store::{Decided, Decisions, Id};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/authentications", Role::Viewer, list, "Decisions, the newest first.")
            .lists::<Filter, Decision>(),
        Route::get(
            "/api/v1/certificates/{id}/authentications",
            Role::Viewer,
            of_certificate,
            "Decisions about a certificate, the newest first.",
        )
        .lists::<Nothing, Decision>(),
    ]
}

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
struct Filter {
    /// The user, without ASCII case.
    user: Option<String>,
    /// Calling-Station-Id in any notation of a MAC address.
    mac: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
    /// Not before.
    #[param(value_type = Option<String>)]
    since: Option<Time>,
}

/// Everything.
#[derive(Debug, Deserialize, IntoParams)]
struct Nothing {}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
struct Decision {
    id: String,
    at: Time,
    outcome: String,
    reason: String,
    /// What was decided, on what it rests, and what to do next, in the configured language.
    explanation: String,
    user: Option<String>,
    outer_identity: Option<String>,
    /// SHA-256 of the certificate's DER.
    certificate: Option<String>,
    authority: Option<String>,
    serial: Option<String>,
    service: Option<String>,
    method: String,
    nas: Option<String>,
    mac: Option<String>,
    ssid: Option<String>,
    tls: Option<String>,
    resumed: bool,
    duration_ms: i64,
}

async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    listing: Listing<Filter>,
) -> Result<Json<Page<Decision>>, Problem> {
    let Filter { user, mac, outcome, reason, since } = &listing.filter;
    let bad = |field: &str| Problem::bad_request("the query can't be read").field(field, "is none of the contract's");
    if outcome.as_deref().is_some_and(|name| !Outcome::ALL.iter().any(|one| one.name() == name)) {
        return Err(bad("outcome"));
    }
    if reason.as_deref().is_some_and(|name| !Reason::ALL.iter().any(|one| one.name() == name)) {
        return Err(bad("reason"));
    }
    let target = user.clone().or_else(|| mac.clone()).unwrap_or_default();
    let which = Decisions {
        user: user.clone(),
        mac: mac.as_deref().map(normal_mac),
        outcome: outcome.clone(),
        reason: reason.clone(),
        since: since.map(|since| since.0),
        fingerprint: None,
    };
    decisions(&shared, &caller, &listing, which, target).await
}

async fn of_certificate(
    State(shared): State<Shared>,
    caller: Caller,
    Path(text): Path<String>,
    listing: Listing<Nothing>,
) -> Result<Json<Page<Decision>>, Problem> {
    let id = id::parse(&text)?;
    let fingerprint = match &id {
        Id::Fingerprint(fingerprint) => *fingerprint,
        _ => {
            let registry = shared.registry()?;
            registry.catch_up().await;
            let record = registry.store().certificate(id.clone()).await?.ok_or_else(unknown)?;
            match record.known.fingerprint {
                Some(fingerprint) => fingerprint,
                None => return Ok(Json(Page { items: Vec::new(), next: None })),
            }
        }
    };
    let which = Decisions { fingerprint: Some(fingerprint), ..Decisions::default() };
    decisions(&shared, &caller, &listing, which, id::text(&id)).await
}

/// Whose history is looked into is written down first.
async fn decisions<F>(
    shared: &Shared,
    caller: &Caller,
    listing: &Listing<F>,
    which: Decisions,
    target: String,
) -> Result<Json<Page<Decision>>, Problem> {
    let registry = shared.registry()?;
    let after: Option<(i64, i64)> = listing.after()?;
    let detail = json!({ "outcome": which.outcome, "reason": which.reason, "since": which.since.map(Time) });
    shared.audit(caller, "look-into-history", target, detail).await?;
    registry.catch_up().await;
    let found = registry.store().decisions(which, after, most(listing.limit)).await?;
    let view = registry.view();
    let page = listing.page(found, |one| (one.at.0, one.row));
    Ok(Json(Page { items: page.items.into_iter().map(|one| shown(&view, one)).collect(), next: page.next }))
}

fn shown(view: &View, one: Decided) -> Decision {
    let evidence: Vec<Evidence> = evidence(&one.evidence);
    let reason = Reason::ALL.iter().copied().find(|reason| reason.name() == one.reason);
    let asked = Asked {
        at: one.at,
        user: one.user.as_deref(),
        peer: one.peer.parse().ok(),
        nas: one.nas.as_deref(),
        service: one.service.as_deref(),
    };
    let explain = |reason| view.explainer.explain(reason, &evidence, &asked).sentence();
    Decision {
        id: one.row.to_string(),
        at: Time(one.at),
        explanation: reason.map(explain).unwrap_or_default(),
        outcome: one.outcome,
        reason: one.reason,
        user: one.user,
        outer_identity: one.outer_identity,
        certificate: one.fingerprint.map(|fingerprint| HEXLOWER.encode(&fingerprint)),
        authority: one.authority,
        serial: one.serial,
        service: one.service,
        method: one.method,
        nas: one.nas,
        mac: one.mac,
        ssid: one.ssid,
        tls: one.tls,
        resumed: one.resumed,
        duration_ms: one.duration_ms,
    }
}

/// What can be read of it: an older version may have written more.
fn evidence(kept: &str) -> Vec<Evidence> {
    let values: Vec<serde_json::Value> = serde_json::from_str(kept).unwrap_or_default();
    values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

/// As `access` writes it: lower-case pairs with colons; else as it came.
fn normal_mac(text: &str) -> String {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
    if digits.len() != 12 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return text.to_owned();
    }
    let lower: Vec<char> = digits.to_ascii_lowercase().chars().collect();
    lower.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}
