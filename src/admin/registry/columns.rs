//! Where the columns of the CA's lists are, for whoever imports one.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Role;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::store;

pub(super) fn table() -> Vec<Route> {
    let summary = "Where the columns of the CA's lists are: `import-columns` of the configuration.";
    vec![Route::get("/api/v1/import-columns", Role::Registrar, columns, summary).gives::<ImportColumns>(200)]
}

/// From 1; 0: not there.
#[derive(Debug, Serialize, ToSchema)]
struct ImportColumns {
    application: usize,
    subject: usize,
    mail: usize,
    serial: usize,
    authority: usize,
    status: usize,
}

async fn columns(State(shared): State<Shared>) -> Result<Json<ImportColumns>, Problem> {
    let store::Columns { application, subject, mail, serial, authority, status } = shared.registry()?.columns();
    Ok(Json(ImportColumns { application, subject, mail, serial, authority, status }))
}
