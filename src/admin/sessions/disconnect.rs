//! A session is ended.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::stopping;
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::Path;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::sessions::SessionId;
use crate::sessions::disconnect::{Disconnected, Impossible, Told};

/// A NAS is asked for 30 s; others may have been asked before.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::post(
            "/api/v1/sessions/{id}/disconnect",
            Role::Operator,
            disconnect,
            "Has its NAS end a session (RFC 5176), and says what the NAS answers; one that doesn't is asked for 30 s. Whatever `[disconnect]` says.",
        )
        .gives::<Result>(200)
        .may_take(PATIENCE + Duration::from_secs(5)),
    ]
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Result {
    /// `ack`: its NAS has ended it; `nak`: it refuses, and `error-cause` says why; `no-answer`; `not-possible`: it can't be asked, and `detail` says why.
    result: &'static str,
    /// Error-Cause (RFC 5176 section 3.5) of a `nak` that has one.
    error_cause: Option<u32>,
    /// Why it is not possible, or what a `nak` means.
    detail: Option<&'static str>,
    /// Ids of the sessions that have ended: where its NAS can't be told of one alone, of whatever else it was told by the same name.
    ended: Vec<String>,
}

impl From<&Disconnected> for Result {
    fn from(done: &Disconnected) -> Self {
        let error_cause = match done.told {
            Told::Nak(cause) => cause,
            _ => None,
        };
        let ended = done.ended.iter().map(|id| id.0.to_string()).collect();
        Self { result: done.told.name(), error_cause, detail: done.told.detail(), ended }
    }
}

async fn disconnect(
    State(shared): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> std::result::Result<Json<Result>, Problem> {
    let unknown = || Problem::not_found("no such session is live");
    let id = SessionId(id.parse().map_err(|_| unknown())?);
    // By itself: whoever has asked may stop waiting, and it is written down all the same.
    let done = tokio::spawn(ended(shared, caller, id));
    done.await
        .unwrap_or_else(|_| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours")))?
        .map(Json)
        .ok_or_else(unknown)
}

/// What became of it, written down; `None`: there is no such session.
async fn ended(shared: Shared, caller: Caller, id: SessionId) -> std::result::Result<Option<Result>, Problem> {
    let online = shared.online()?;
    let target = id.0.to_string();
    let Ok(done) = timeout(PATIENCE, online.disconnect(id, caller.name.clone())).await else {
        shared.audit(&caller, "disconnect-session", target, json!({ "result": null })).await?;
        let late =
            "others are told of before it; it will be told, and GET /api/v1/disconnects/history says what came of it";
        return Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, late));
    };
    let done = done.ok_or_else(stopping)?;
    if done.told == Told::NotPossible(Impossible::NoSession) {
        return Ok(None);
    }
    let result = Result::from(&done);
    let session = done.session.as_deref();
    let detail = json!({
        "result": result.result,
        "error-cause": result.error_cause,
        "ended": result.ended,
        "user": session.and_then(|session| session.user.as_deref().or(session.user_name.as_deref())),
        "nas": session.map(|session| &*session.device.nas),
        "mac": session.and_then(|session| session.station.as_deref()),
    });
    shared.audit(&caller, "disconnect-session", target, detail).await?;
    Ok(Some(result))
}
