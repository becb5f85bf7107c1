//! People are blocked, and let in again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{line, sessions};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::{Body, Path};
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::policy::is_hidden;
use crate::store::Person;

/// Longest name (RFC 2865 section 5.1), longest reason.
const LONGEST: (usize, usize) = (253, 1024);

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::post(
            "/api/v1/users/{name}/block",
            Role::Operator,
            block,
            "Blocks a person, by every method and every certificate, present and future.",
        )
        .takes::<Asked>()
        .gives::<BlockedUser>(200),
        Route::delete("/api/v1/users/{name}/block", Role::Operator, unblock, "Lets a person in again.")
            .answers(204, ""),
    ]
}

/// Why, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    reason: String,
    /// null: until it is lifted.
    until: Option<Time>,
}

/// A person who is blocked.
#[derive(Debug, Serialize, ToSchema)]
struct BlockedUser {
    user: String,
    since: Time,
    until: Option<Time>,
    by: String,
    reason: String,
}

async fn block(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<BlockedUser>, Problem> {
    let registry = shared.registry()?;
    let now = shared.status.now();
    let name = user(&name)?;
    let Asked { reason, until } = asked;
    let bad =
        |field: &str, detail: &str| Problem::unprocessable("nobody can be blocked like this").field(field, detail);
    if reason.len() > LONGEST.1 {
        return Err(bad("reason", "is too long"));
    }
    if until.is_some_and(|until| until.0 <= now) {
        return Err(bad("until", "is past"));
    }
    let person = Person {
        name: name.clone(),
        since: now,
        until: until.map(|until| until.0),
        reason: reason.clone(),
        by: caller.name.to_string(),
    };
    let audited = line(
        &shared,
        &caller,
        "block-user",
        &name,
        json!({ "reason": reason, "until": until, "sessions": sessions(registry) }),
    );
    registry.store().block_person(person, audited).await?;
    registry.enforce().await?;
    Ok(Json(BlockedUser { user: name, since: Time(now), until, by: caller.name.to_string(), reason }))
}

async fn unblock(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let registry = shared.registry()?;
    let name = user(&name)?;
    let audited = line(&shared, &caller, "unblock-user", &name, json!({}));
    if !registry.store().unblock_person(&name, audited).await? {
        return Err(Problem::not_found("nobody of this name is blocked here"));
    }
    registry.enforce().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// As people are compared.
fn user(name: &str) -> Result<String, Problem> {
    if name.trim().is_empty() || name.len() > LONGEST.0 || name.contains(is_hidden) {
        return Err(Problem::bad_request("the path can't be read").field("name", "can't be a user's name"));
    }
    Ok(name.trim().to_ascii_lowercase())
}
