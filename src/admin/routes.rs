//! What is answered: the table of every route, and the router that is made of it.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Gate, require_token};
use super::guard::guard;
use super::input::MAX_BODY;
use super::problem::Problem;
use super::registry;
use super::route::{Access, Accesses, Route, Times, mount};
use super::sessions;
use super::shared::Shared;
use super::{authorities, explain, openapi};

/// Every route there is: whoever adds an area adds its table here.
pub(super) fn table() -> Vec<Route> {
    let areas = [open(), authorities::routes(), explain::routes(), registry::table(), sessions::table()];
    areas.into_iter().flatten().collect()
}

/// What anybody may see.
fn open() -> Vec<Route> {
    vec![
        Route::get("/", Access::Open, page, "The dashboard's page; it holds no data.").answers(200, "text/html"),
        Route::get("/healthz", Access::Open, healthz, "Alive.").answers(200, "text/plain"),
        Route::get("/readyz", Access::Open, readyz, "Whether requests should be sent here.")
            .gives::<Readyz>(200)
            .gives::<Readyz>(503),
        Route::get("/openapi.json", Access::Open, described, "This.").answers(200, "application/json"),
        Route::get(
            "/metrics",
            Access::Metrics,
            metrics,
            "Metrics in Prometheus' text format; open, or for viewers where `open-metrics = false`.",
        )
        .answers(200, "text/plain"),
    ]
}

/// Everything there is. `guard` is the outermost, then the token; a path that doesn't exist is no exception.
pub(super) fn router(shared: Shared) -> Router {
    let table = table();
    let times = Arc::new(Times::of(&table));
    let gate = Gate { shared: shared.clone(), accesses: Arc::new(Accesses::of(&table)) };
    mount(table)
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(gate, require_token))
        .layer(from_fn_with_state((shared.clone(), times), guard))
        .with_state(shared)
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the server can decide anything.
#[derive(Debug, Serialize, ToSchema)]
struct Readyz {
    /// What is not as it should be, in sentences.
    degraded: Vec<String>,
    /// Whether at least one service can decide.
    ready: bool,
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let readiness = shared.status.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readyz { ready: readiness.ready, degraded: readiness.degraded })).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.status.metrics()).into_response()
}

async fn described() -> Response {
    Json(openapi::document(&table())).into_response()
}

async fn not_found() -> Problem {
    Problem::not_found("there is nothing by that path")
}

async fn not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path doesn't know that method")
}
