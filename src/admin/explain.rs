//! `POST /api/v1/explain`: what would be decided for a certificate, and why.

use axum::Json;
use axum::extract::State;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Role;
use super::input::Body;
use super::problem::Problem;
use super::route::Route;
use super::shared::Shared;
use super::time::Time;
use crate::now::Wall;
use crate::tls::MAX_CHAIN;

pub(super) fn routes() -> Vec<Route> {
    let summary = "What would be decided for a certificate, and why, as `sekisho explain` says it; fetches nothing.";
    vec![Route::post("/api/v1/explain", Role::Viewer, explain, summary).takes::<Asked>().gives::<Explained>(200)]
}

/// A certificate that is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Explain)]
struct Asked {
    /// The certificate, and after it those of its chain that are sent with it.
    pem: String,
    /// Which service is asked for; without it, each.
    service: Option<String>,
    /// When; without it, now. By the CRLs and groups that there are now.
    at: Option<Time>,
    /// The language of the explanations; without it, the configuration's.
    lang: Option<Lang>,
}

/// A language of explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// What is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// DER, leaf first; at least one.
    pub chain: Vec<Vec<u8>>,
    /// A service's name; `None`: each.
    pub service: Option<String>,
    /// `None`: now.
    pub at: Option<Wall>,
    /// `None`: the configuration's.
    pub lang: Option<Lang>,
}

/// Why nothing was explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// There is no service of that name; a sentence that says which there are.
    NoService(String),
    /// Nothing has been loaded yet, or a fault of ours.
    Unable,
}

/// What was decided: as `sekisho explain --json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
struct Explained(Value);

async fn explain(State(shared): State<Shared>, Body(asked): Body<Asked>) -> Result<Json<Explained>, Problem> {
    let Asked { pem, service, at, lang } = asked;
    let question = Question { chain: chain(&pem)?, service, at: at.map(|Time(at)| at), lang };
    match shared.status.explain(question).await {
        Ok(explained) => Ok(Json(Explained(explained))),
        Err(Unexplained::NoService(text)) => {
            Err(Problem::unprocessable("nothing would be decided").field("service", text))
        }
        Err(Unexplained::Unable) => Err(Problem::unavailable("this can't be explained at the moment")),
    }
}

fn chain(pem: &str) -> Result<Vec<Vec<u8>>, Problem> {
    let wrong = |detail: String| Problem::unprocessable("the certificate can't be read").field("pem", detail);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).take(MAX_CHAIN + 1).collect();
    let chain = chain.map_err(|error| wrong(format!("PEM that can't be read: {error}")))?;
    match chain.len() {
        0 => Err(wrong("no certificate in PEM is in it".into())),
        1..=MAX_CHAIN => Ok(chain.iter().map(|one| one.to_vec()).collect()),
        _ => Err(wrong(format!("at most {MAX_CHAIN} certificates are taken"))),
    }
}
