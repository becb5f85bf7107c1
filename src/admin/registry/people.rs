//! People are blocked, and let in again.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{line, most, sessions};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::etag::{self, ETag, IfMatch};
use crate::admin::input::{Body, Listing, Path};
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::policy::is_hidden;
use crate::store::{Change, Person, PersonCondition};

/// Longest name (RFC 2865 section 5.1), longest reason, in octets.
const LONGEST_NAME: usize = 253;
const LONGEST_REASON: usize = 1024;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/users/blocked", Role::Viewer, list, "People who are blocked.")
            .lists::<Nothing, BlockedUser>(),
        Route::get("/api/v1/users/{name}/block", Role::Viewer, one, "A person's block.")
            .gives::<BlockedUser>(200)
            .versioned(),
        Route::post(
            "/api/v1/users/{name}/block",
            Role::Operator,
            block,
            "Blocks a person, by every method and every certificate, present and future.",
        )
        .may_take::<Asked>()
        .gives::<BlockedUser>(200)
        .for_a_version(),
        Route::delete("/api/v1/users/{name}/block", Role::Operator, unblock, "Lets a person in again.")
            .answers(204, "")
            .for_a_version(),
    ]
}

/// Everybody.
#[derive(Debug, Deserialize, IntoParams)]
struct Nothing {}

/// Why, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BlockUser)]
struct Asked {
    /// In words, on one line.
    #[serde(default)]
    #[schema(max_length = 1024)]
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

impl From<Person> for BlockedUser {
    fn from(Person { name, since, until, reason, by }: Person) -> Self {
        Self { user: name, since: Time(since), until: until.map(Time), by, reason }
    }
}

async fn list(State(shared): State<Shared>, listing: Listing<Nothing>) -> Result<Json<Page<BlockedUser>>, Problem> {
    let after: Option<String> = listing.after()?;
    let found = shared.registry()?.store().people(after, most(listing.limit)).await?;
    Ok(Json(listing.page(found, |person| person.name.clone()).map(BlockedUser::from)))
}

async fn one(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let person = shared.registry()?.store().person(&user(&name)?).await?.ok_or_else(nobody)?;
    let version = version(&person);
    etag::shown_as(&headers, &BlockedUser::from(person), &version)
}

async fn block(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    matches: IfMatch,
    Body(asked): Body<Asked>,
) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    let now = shared.status.now();
    let name = user(&name)?;
    let Asked { reason, until } = asked;
    let bad =
        |field: &str, detail: String| Problem::unprocessable("nobody can be blocked like this").field(field, detail);
    if reason.len() > LONGEST_REASON {
        return Err(bad("reason", format!("is longer than {LONGEST_REASON} octets")));
    }
    if reason.contains(is_hidden) {
        return Err(bad("reason", "holds characters that don't show".into()));
    }
    if until.is_some_and(|until| until.0 <= now) {
        return Err(bad("until", "is past".into()));
    }
    let audited = line(
        &shared,
        &caller,
        "block-user",
        &name,
        json!({ "reason": reason, "until": until, "sessions": sessions(registry) }),
    );
    let person = Person { name, since: now, until: until.map(|until| until.0), reason, by: caller.name.to_string() };
    let change = registry.store().block_person(person, condition(matches), audited).await?;
    let person = changed(change)?;
    registry.enforce().await?;
    let version = version(&person);
    let shown = BlockedUser::from(person);
    Ok((version.header(&shown), Json(shown)).into_response())
}

async fn unblock(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    matches: IfMatch,
) -> Result<StatusCode, Problem> {
    let registry = shared.registry()?;
    let name = user(&name)?;
    let audited = line(&shared, &caller, "unblock-user", &name, json!({}));
    changed(registry.store().unblock_person(&name, condition(matches), audited).await?)?;
    registry.enforce().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn version(person: &Person) -> ETag {
    ETag::of(format!("{person:?}").as_bytes())
}

/// Checked by the one who writes, so that concurrent changes don't lose each other.
fn condition(matches: IfMatch) -> PersonCondition {
    Box::new(move |person| matches.check(person.map(version).as_ref()).is_ok())
}

fn changed(change: Change<Person>) -> Result<Person, Problem> {
    match change {
        Change::Made(person) => Ok(person),
        Change::Other => Err(etag::changed()),
        Change::Missing | Change::Nothing | Change::Held => Err(nobody()),
    }
}

fn nobody() -> Problem {
    Problem::not_found("nobody of this name is blocked here")
}

/// As people are compared.
pub(super) fn user(name: &str) -> Result<String, Problem> {
    let bad = |detail: String| Problem::bad_request("the path can't be read").field("name", detail);
    if name.len() > LONGEST_NAME {
        return Err(bad(format!("is longer than {LONGEST_NAME} octets")));
    }
    if name.trim().is_empty() || name.contains(is_hidden) {
        return Err(bad("can't be a user's name".into()));
    }
    Ok(name.trim().to_ascii_lowercase())
}
