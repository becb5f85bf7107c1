//! What became of the sessions that were to end.

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::live::named;
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::Listing;
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::registry::most;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::sessions::SessionId;
use crate::sessions::disconnect::Told;
use crate::store::{Ending, Endings};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/disconnects/history",
            Role::Viewer,
            list,
            "What became of each session that was to end, the newest first: who wanted it and why, and what its NAS said; for `retain-sessions`.",
        )
        .lists::<Filter, Disconnect>(),
    ]
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
struct Filter {
    /// The user, without ASCII case.
    user: Option<String>,
    /// An id of a certificate.
    certificate: Option<String>,
    /// The id of a session.
    session: Option<String>,
    /// `ack`, `nak`, `no-answer` or `not-possible`.
    result: Option<String>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
struct Disconnect {
    id: String,
    at: Time,
    session: String,
    /// By the certificate, else as the NAS called him.
    user: Option<String>,
    /// SHA-256 of the certificate's DER.
    certificate: Option<String>,
    service: Option<String>,
    nas: String,
    mac: Option<String>,
    /// Why it had to go, as a login would have been refused; null: nothing stood against it.
    reason: Option<String>,
    /// The authority that said so.
    authority: Option<String>,
    /// Names of the tokens that ordered it; null: it went by itself.
    by: Option<String>,
    /// `ack`, `nak`, `no-answer` or `not-possible`.
    result: String,
    /// Error-Cause (RFC 5176 section 3.5).
    #[serde(rename = "error-cause")]
    error_cause: Option<u32>,
    /// The same in words.
    detail: Option<String>,
    /// Ids of the sessions that ended by it.
    ended: Vec<String>,
}

impl From<Ending> for Disconnect {
    fn from(ending: Ending) -> Self {
        Self {
            id: ending.row.to_string(),
            at: Time(ending.at),
            session: ending.session.0.to_string(),
            user: ending.user,
            certificate: ending.fingerprint.map(|fingerprint| HEXLOWER.encode(&fingerprint)),
            service: ending.service,
            nas: ending.nas,
            mac: ending.mac,
            reason: ending.reason,
            authority: ending.authority,
            by: ending.ordered_by,
            result: ending.result,
            error_cause: ending.error_cause,
            detail: ending.detail,
            ended: serde_json::from_str(&ending.ended).unwrap_or_default(),
        }
    }
}

async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    listing: Listing<Filter>,
) -> Result<Json<Page<Disconnect>>, Problem> {
    let registry = shared.registry()?;
    let after: Option<(i64, i64)> = listing.after()?;
    let Filter { user, certificate, session, result } = &listing.filter;
    let bad = |field: &str, detail: &str| Problem::bad_request("the query can't be read").field(field, detail);
    if result.as_deref().is_some_and(|result| !Told::NAMES.contains(&result)) {
        return Err(bad("result", "is none of the contract's"));
    }
    let number = session.as_deref().map(|id| id.parse().map(SessionId)).transpose();
    let number = number.map_err(|_| bad("session", "is no id of a session"))?;
    let named = match certificate {
        Some(text) => Some(named(&shared, text).await?),
        None => None,
    };
    let target = user.as_ref().or(certificate.as_ref()).or(session.as_ref()).cloned().unwrap_or_default();
    let detail = json!({ "of": "disconnects", "user": user, "certificate": certificate, "session": session });
    shared.audit(&caller, "look-into-history", target, detail).await?;
    let fingerprint = match named.map(|named| named.fingerprint) {
        // Nobody with a certificate that nobody has seen was ever told to go.
        Some(None) => return Ok(Json(Page { items: Vec::new(), next: None })),
        Some(some) => some,
        None => None,
    };
    let which = Endings { user: user.clone(), fingerprint, session: number, result: result.clone() };
    let found = registry.store().endings(which, after, most(listing.limit)).await?;
    Ok(Json(listing.page(found, |one: &Ending| (one.at.0, one.row)).map(Disconnect::from)))
}
