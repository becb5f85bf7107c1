//! What is answered.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::auth::{Throttle, require_token};
use super::guard::{MAX_BODY, guard};
use super::problem::Problem;
use super::{Settings, Status};

/// Paths that anybody may look at; `/metrics` has a switch of its own.
pub(super) const OPEN: [&str; 4] = ["/", "/healthz", "/readyz", "/openapi.json"];

/// What every request shares.
#[derive(Clone)]
pub struct Shared {
    settings: Arc<ArcSwap<Settings>>,
    pub(super) status: Arc<dyn Status>,
    pub(super) node: Arc<str>,
    pub(super) throttle: Arc<Throttle>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).field("node", &self.node).finish_non_exhaustive()
    }
}

impl Shared {
    /// `node`: the name of this server, which requests may use for it.
    #[must_use]
    pub fn new(settings: Settings, node: Arc<str>, status: Arc<dyn Status>) -> Self {
        Self { settings: Arc::new(ArcSwap::from_pointee(settings)), status, node, throttle: Arc::default() }
    }

    /// Other tokens from now on.
    pub fn swap(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }
}

/// Everything there is. `guard` is the outermost, then the token; a path that doesn't exist is no exception.
pub(super) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(shared.clone(), require_token))
        .layer(from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let readiness = shared.status.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": readiness.ready, "degraded": readiness.degraded }))).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.status.metrics()).into_response()
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

async fn not_found() -> Problem {
    Problem(StatusCode::NOT_FOUND, "there is nothing by that path")
}

async fn not_allowed() -> Problem {
    Problem(StatusCode::METHOD_NOT_ALLOWED, "this path doesn't know that method")
}
