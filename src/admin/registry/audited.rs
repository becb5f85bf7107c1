//! Who changed what, and who looked into somebody's history.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::most;
use crate::admin::Role;
use crate::admin::input::Listing;
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::store::Audited;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/audit",
            Role::Operator,
            list,
            "Every change, and every look into somebody's history, the newest first.",
        )
        .lists::<Nothing, Line>(),
    ]
}

/// Everything.
#[derive(Debug, Deserialize, IntoParams)]
struct Nothing {}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    id: String,
    at: Time,
    caller: String,
    role: String,
    action: String,
    target: String,
    #[schema(value_type = Object)]
    detail: Value,
}

async fn list(State(shared): State<Shared>, listing: Listing<Nothing>) -> Result<Json<Page<Line>>, Problem> {
    let after: Option<i64> = listing.after()?;
    let found = shared.registry()?.store().audited(after, most(listing.limit)).await?;
    let page = listing.page(found, |line| line.row);
    let shown = |line: Audited| Line {
        id: line.row.to_string(),
        at: Time(line.at),
        caller: line.caller,
        role: line.role,
        action: line.action,
        target: line.target,
        detail: serde_json::from_str(&line.detail).unwrap_or_default(),
    };
    Ok(Json(Page { items: page.items.into_iter().map(shown).collect(), next: page.next }))
}
