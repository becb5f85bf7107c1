//! What the mass guard holds until somebody decides.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::stopping;
use crate::admin::Role;
use crate::admin::input::Listing;
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::sessions::disconnect;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/disconnects",
            Role::Viewer,
            list,
            "Sessions that have to go, and are so many that an operator decides; the oldest first.",
        )
        .lists::<Nothing, Batch>(),
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
    /// Their ids.
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
            sessions: batch.sessions.iter().map(|id| id.0.to_string()).collect(),
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
