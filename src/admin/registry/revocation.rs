//! A revocation is asked for, and lifted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::certificates::unknown;
use super::shown::{Certificate, shown, version};
use super::{Registry, id, line, sessions};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::etag::{self, IfMatch};
use crate::admin::input::{Body, Path};
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::event::CRL_REASONS;
use crate::now::Wall;
use crate::store::{Change, Condition, Id, Record, Request};

/// Longest note in octets.
const LONGEST: usize = 4096;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::post(
            "/api/v1/certificates/{id}/revocation",
            Role::Registrar,
            ask,
            "A revocation is asked for; with `block` the certificate is refused here when this answers. A serial that nobody has seen yet may be blocked too.",
        )
        .may_take::<Asked>()
        .gives::<Certificate>(200)
        .for_a_version(),
        Route::delete(
            "/api/v1/certificates/{id}/revocation",
            Role::Operator,
            lift,
            "Lifts what was asked for here; never the authority's own revocation.",
        )
        .gives::<Certificate>(200)
        .for_a_version(),
    ]
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// CRLReason's name (RFC 5280 section 5.3.1).
    #[serde(default = "unspecified")]
    reason: String,
    /// In words.
    #[serde(default)]
    note: String,
    /// Whether it is refused here from now on; false only shows the status.
    #[serde(default = "blocks")]
    block: bool,
}

fn unspecified() -> String {
    "unspecified".into()
}

fn blocks() -> bool {
    true
}

async fn ask(
    State(shared): State<Shared>,
    caller: Caller,
    Path(text): Path<String>,
    matches: IfMatch,
    Body(asked): Body<Asked>,
) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    let id = id::parse(&text)?;
    let Asked { reason, note, block } = asked;
    let bad = |field: &str, detail: String| {
        Problem::unprocessable("a revocation can't be asked for like this").field(field, detail)
    };
    if !CRL_REASONS.contains(&&*reason) {
        return Err(bad("reason", format!("is none of RFC 5280's: {}", CRL_REASONS.join(", "))));
    }
    if note.len() > LONGEST {
        return Err(bad("note", format!("is longer than {LONGEST} octets")));
    }
    if let Id::Name(authority, _) = &id
        && !registry.view().trust.authorities().any(|one| *one.name == **authority)
    {
        return Err(Problem::not_found("no [[authority]] of the configuration has that name"));
    }
    let now = shared.status.now();
    let mut detail = json!({ "reason": reason, "note": note, "block": block });
    if block {
        detail["sessions"] = sessions(registry).into();
    }
    let audited = line(&shared, &caller, "request-revocation", &id::text(&id), detail);
    let request = Request { since: now, by: caller.name.to_string(), reason, note, block };
    registry.catch_up().await;
    let change = registry.store().request(id, request, condition(matches), audited).await?;
    answer(registry, change, "there is nothing to revoke: it is not issued yet", now).await
}

async fn lift(
    State(shared): State<Shared>,
    caller: Caller,
    Path(text): Path<String>,
    matches: IfMatch,
) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    let id = id::parse(&text)?;
    let audited = line(&shared, &caller, "lift-revocation", &id::text(&id), json!({}));
    let change = registry.store().lift(id, condition(matches), audited).await?;
    let nothing =
        "nothing was asked for here, so there is nothing to lift; what the authority has revoked stays revoked";
    answer(registry, change, nothing, shared.status.now()).await
}

/// Checked by the one who writes, so that concurrent changes don't lose each other.
fn condition(matches: IfMatch) -> Condition {
    Box::new(move |record| matches.check(record.map(version).as_ref()).is_ok())
}

/// In force before it is told.
async fn answer(
    registry: &dyn Registry,
    change: Change<Record>,
    nothing: &'static str,
    now: Wall,
) -> Result<Response, Problem> {
    let record = match change {
        Change::Made(record) => record,
        Change::Missing => return Err(unknown()),
        Change::Nothing => return Err(Problem::new(StatusCode::CONFLICT, nothing)),
        Change::Held => {
            let held = "this is blocked here, and only an operator's DELETE takes that back";
            return Err(Problem::new(StatusCode::CONFLICT, held));
        }
        Change::Other => return Err(etag::changed()),
    };
    registry.enforce().await?;
    let certificate = shown(registry, std::slice::from_ref(&record), now).await?.pop();
    Ok((version(&record).header(&certificate), Json(certificate)).into_response())
}
