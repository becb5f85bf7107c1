//! `GET /api/v1/authorities`: who may issue, and how fresh what we know of their revocations is.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::input::Listing;
use super::problem::Problem;
use super::route::Route;
use super::shared::Shared;
use super::time::Time;
use super::{Role, csv, etag};

pub(super) fn routes() -> Vec<Route> {
    let summary = "Who may issue, how fresh what is known of their revocations is, and how their responders are; as a table, a line for each CRL.";
    let route = Route::get("/api/v1/authorities", Role::Viewer, authorities, summary);
    vec![route.lists::<Filter, Authority>().answers(200, "text/csv")]
}

/// Nothing is left out.
#[derive(Debug, Deserialize, IntoParams)]
struct Filter {}

/// An `[[authority]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Authority {
    /// `name`
    pub name: String,
    /// The CAs that issue for it.
    pub issuers: Vec<String>,
    /// notAfter of the anchor.
    pub anchor_not_after: Time,
    /// `revocation`
    pub revocation: &'static str,
    /// `distrust`
    #[schema(required)]
    pub distrust: Option<Distrust>,
    /// Its CRLs: those that are, and those that should be.
    pub crls: Vec<Crl>,
    /// Its OCSP responders.
    pub responders: Vec<Responder>,
    /// Entries that have disappeared from its CRLs before their certificates' end: they stay revoked here.
    pub vanished: Vanished,
    /// What is not as it should be, in sentences.
    pub problems: Vec<String>,
}

/// From when on it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Distrust {
    /// `from`
    pub from: Time,
    /// `issued-before`
    #[schema(required)]
    pub issued_before: Option<Time>,
    /// `issued-after`
    #[schema(required)]
    pub issued_after: Option<Time>,
}

/// A source of a CRL, and the one in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Crl {
    /// A URL or file.
    pub source: String,
    /// cRLNumber in hexadecimal; this and the next are null where none is in use.
    #[schema(required)]
    pub number: Option<String>,
    /// thisUpdate
    #[schema(required)]
    pub this_update: Option<Time>,
    /// nextUpdate
    #[schema(required)]
    pub next_update: Option<Time>,
    /// Revoked certificates in it.
    #[schema(required)]
    pub entries: Option<u64>,
    /// When it was last read or fetched, and found good.
    #[schema(required)]
    pub last_fetch: Option<Time>,
    /// What became of the last attempt, where it failed.
    #[schema(required)]
    pub error: Option<String>,
}

/// An OCSP responder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Responder {
    /// Its URL.
    pub source: String,
    /// False: it failed so often that it is left alone for a while.
    pub up: bool,
    /// When an answer of it was last good.
    #[schema(required)]
    pub last_success: Option<Time>,
}

/// Entries that have disappeared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vanished {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<VanishedEntry>,
}

/// One that has disappeared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VanishedEntry {
    /// Serial of the certificate in hexadecimal.
    pub serial: String,
    /// When the CA revoked it.
    pub revoked: Time,
    /// CRLReason.
    #[schema(required)]
    pub reason: Option<String>,
    /// Which CRL listed it.
    pub source: String,
    /// When it was seen to be gone.
    pub gone: Time,
}

async fn authorities(
    State(shared): State<Shared>,
    headers: HeaderMap,
    listing: Listing<Filter>,
) -> Result<Response, Problem> {
    let after: Option<usize> = listing.after()?;
    let all = shared.status.authorities().into_iter().enumerate();
    let found = all.skip(after.map_or(0, |after| after.saturating_add(1))).take(listing.limit + 1);
    let page = listing.page(found.collect(), |(index, _)| *index).map(|(_, authority)| authority);
    match csv::is_wanted(&headers) {
        true => Ok(table(&page.items)),
        false => etag::shown(&headers, &page),
    }
}

fn table(authorities: &[Authority]) -> Response {
    let columns = ["authority", "crl", "number", "this_update", "next_update", "entries", "last_fetch", "error"];
    let time = |time: Option<Time>| time.map(Time::text).unwrap_or_default();
    let rows = authorities.iter().flat_map(|authority| authority.crls.iter().map(|crl| (authority.name.clone(), crl)));
    let rows = rows.map(|(name, crl)| {
        vec![
            name,
            crl.source.clone(),
            crl.number.clone().unwrap_or_default(),
            time(crl.this_update),
            time(crl.next_update),
            crl.entries.map(|entries| entries.to_string()).unwrap_or_default(),
            time(crl.last_fetch),
            crl.error.clone().unwrap_or_default(),
        ]
    });
    csv::table(&columns, rows)
}
