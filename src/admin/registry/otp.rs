//! One-time passwords: a user is enrolled, which makes the key that his app and this server share, and enrolled no more.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::line;
use super::people::user;
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::{Body, Path};
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::otp::Key;
use crate::store::{Change, Enrolled};

pub(super) fn table() -> Vec<Route> {
    const PATH: &str = "/api/v1/users/{name}/otp";
    vec![
        Route::get(PATH, Role::Viewer, one, "Since when a user has one-time passwords; never of what they are made.")
            .gives::<Otp>(200),
        Route::post(
            PATH,
            Role::Operator,
            enrol,
            "Enrols a user for one-time passwords; tells this once what his app reads as a QR code, a secret.",
        )
        .may_take::<Asked>()
        .gives::<Fresh>(201),
        Route::delete(PATH, Role::Operator, unenrol, "Takes a user's one-time passwords away.").answers(204, ""),
    ]
}

/// Whether somebody who is enrolled gets another key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolUser)]
struct Asked {
    /// The key that his app has now makes no right codes any more.
    #[serde(default)]
    replace: bool,
}

/// A user who is enrolled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnrolledUser)]
struct Otp {
    user: String,
    /// Since when.
    enrolled: Time,
    by: String,
}

/// A user who has just been enrolled.
#[derive(Serialize, ToSchema)]
#[schema(as = NewlyEnrolledUser)]
struct Fresh {
    user: String,
    /// `otpauth://…`; told this once.
    uri: String,
    enrolled: Time,
}

async fn one(State(shared): State<Shared>, Path(name): Path<String>) -> Result<Json<Otp>, Problem> {
    let (registry, _) = (shared.registry()?, shared.otp()?);
    let Enrolled { user, at, by, .. } = registry.store().otp_of(&user(&name)?).await?.ok_or_else(nobody)?;
    Ok(Json(Otp { user, enrolled: Time(at), by }))
}

async fn enrol(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
    Body(Asked { replace }): Body<Asked>,
) -> Result<Response, Problem> {
    let (registry, settings) = (shared.registry()?, shared.otp()?);
    let (user, now) = (user(&name)?, shared.status.now());
    let no_randomness = |_| Problem::unavailable("the system has no randomness");
    let key = Key::random().map_err(no_randomness)?;
    let sealed = settings.sealer.seal(&user, &key).map_err(no_randomness)?;
    let audited = line(&shared, &caller, "enrol-otp", &user, json!({ "replace": replace }));
    let enrolled = Enrolled { user, sealed, last: None, at: now, by: caller.name.to_string() };
    match registry.store().enrol(enrolled, replace, audited).await? {
        Change::Made(Enrolled { user, at, .. }) => {
            let uri = key.uri(&settings.issuer, &user);
            let uri = String::from_utf8_lossy(uri.expose()).into_owned();
            Ok((StatusCode::CREATED, Json(Fresh { user, uri, enrolled: Time(at) })).into_response())
        }
        _ => {
            let enrolled = "this user is enrolled already; with `\"replace\": true` (on the command line --replace) he gets another key, and the old one makes no right codes any more";
            Err(Problem::new(StatusCode::CONFLICT, enrolled))
        }
    }
}

/// Possible without `[otp]`, too: it takes something away.
async fn unenrol(
    State(shared): State<Shared>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let registry = shared.registry()?;
    let user = user(&name)?;
    let audited = line(&shared, &caller, "remove-otp", &user, json!({}));
    match registry.store().unenrol(&user, audited).await? {
        Change::Made(()) => Ok(StatusCode::NO_CONTENT),
        _ => Err(nobody()),
    }
}

fn nobody() -> Problem {
    Problem::not_found("nobody of this name is enrolled for one-time passwords")
}
