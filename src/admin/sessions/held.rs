//! What the mass guard holds until somebody decides, and what he decides.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::stopping;
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::{Listing, Path};
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::registry::line;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::sessions::disconnect::{self, BatchId};
use crate::store::{Decision, Settled};

/// Sessions that a batch shows itself.
const SHOWN: usize = 1_000;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/disconnects",
            Role::Viewer,
            list,
            "Sessions that have to go, and are so many for one cause that an operator decides; the oldest first.",
        )
        .lists::<Nothing, Batch>(),
        Route::post(
            "/api/v1/disconnects/{batch}/release",
            Role::Operator,
            release,
            "Lets them go: from now on their NAS are told, over restarts too, until each has answered. Once more changes nothing; 409: it was discarded.",
        )
        .gives::<Batch>(200),
        Route::post(
            "/api/v1/disconnects/{batch}/discard",
            Role::Operator,
            discard,
            "Lets them stay, whatever else says the same, until something else stands against them. Once more changes nothing; 409: it was released.",
        )
        .gives::<Batch>(200),
    ]
}

/// Everything.
#[derive(Debug, Deserialize, IntoParams)]
struct Nothing {}

/// Sessions that have to go for one cause, and wait together.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Batch {
    id: String,
    /// As their logins would be refused now.
    reason: &'static str,
    /// The authority whose CRL or responder says so.
    authority: Option<String>,
    /// Since when they wait.
    since: Time,
    /// How many are live.
    count: usize,
    /// The ids of the first thousand; all of them, and whose they are: GET /api/v1/sessions?batch=…
    sessions: Vec<String>,
}

impl From<&disconnect::Batch> for Batch {
    fn from(batch: &disconnect::Batch) -> Self {
        Self {
            id: batch.id.0.to_string(),
            reason: batch.cause.reason.name(),
            authority: batch.cause.authority.as_deref().map(str::to_owned),
            since: Time(batch.since),
            count: batch.sessions.len(),
            sessions: batch.sessions.iter().take(SHOWN).map(|id| id.0.to_string()).collect(),
        }
    }
}

async fn list(State(shared): State<Shared>, listing: Listing<Nothing>) -> Result<Json<Page<Batch>>, Problem> {
    let after = listing.after::<u64>()?;
    let held = shared.online()?.held().await.ok_or_else(stopping)?;
    let rest = held.into_iter().filter(|batch| after.is_none_or(|after| batch.id.0 > after));
    let rest = rest.take(listing.limit.saturating_add(1)).collect();
    Ok(Json(listing.page(rest, |batch: &disconnect::Batch| batch.id.0).map(|batch| Batch::from(&batch))))
}

async fn release(State(shared): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Json<Batch>, Problem> {
    decided(shared, caller, id, Decision::Released).await
}

async fn discard(State(shared): State<Shared>, caller: Caller, Path(id): Path<String>) -> Result<Json<Batch>, Problem> {
    decided(shared, caller, id, Decision::Discarded).await
}

async fn decided(shared: Shared, caller: Caller, id: String, decision: Decision) -> Result<Json<Batch>, Problem> {
    let id = BatchId(id.parse().map_err(|_| unknown())?);
    // By itself: what is written down is done, also for somebody who stops waiting.
    let done = tokio::spawn(async move { decide(&shared, &caller, id, decision).await });
    done.await.unwrap_or_else(|_| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours")))
}

/// On the disk, then done, then answered: whatever happens in between, a restart does the rest.
async fn decide(shared: &Shared, caller: &Caller, id: BatchId, decision: Decision) -> Result<Json<Batch>, Problem> {
    let online = shared.online()?;
    let held = online.held().await.ok_or_else(stopping)?;
    let held = held.into_iter().find(|batch| batch.id == id);
    let action = match decision {
        Decision::Released => "release-disconnects",
        Decision::Discarded => "discard-disconnects",
    };
    let batch = match &shared.registry {
        Some(registry) => {
            let cause = held.as_ref().map(|batch| (batch.cause.reason.name(), batch.cause.authority.as_deref()));
            let count = held.as_ref().map(|batch| batch.sessions.len());
            let (reason, authority) = cause.unzip();
            let detail = json!({ "reason": reason, "authority": authority.flatten(), "sessions": count });
            let audited = line(shared, caller, action, &id.0.to_string(), detail);
            match registry.store().settle(id, held, decision, shared.status.now(), audited).await? {
                Settled::Now(batch) | Settled::Before(batch) => batch,
                Settled::Otherwise => {
                    return Err(Problem::new(StatusCode::CONFLICT, "it has been decided otherwise before"));
                }
                Settled::Missing => return Err(unknown()),
            }
        }
        None => {
            let batch = held.ok_or_else(unknown)?;
            shared.audit(caller, action, id.0.to_string(), json!({ "sessions": batch.sessions.len() })).await?;
            batch
        }
    };
    let done = match decision {
        Decision::Released => online.release(id).await,
        Decision::Discarded => online.discard(id).await,
    };
    // It may have been done before, and all of it may have ended meanwhile.
    done.ok_or_else(stopping)?;
    Ok(Json(Batch::from(&batch)))
}

fn unknown() -> Problem {
    Problem::not_found("there is no such batch; what waits is listed by GET /api/v1/disconnects")
}
