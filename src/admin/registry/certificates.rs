//! Looks at certificates.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::shown::{Certificate, shown, version};
use super::{View, id, most};
use crate::admin::Role;
use crate::admin::etag;
use crate::admin::input::{Listing, Path};
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::now::Wall;
use crate::standing::Status;
use crate::store::{self, Certificates, Issued, Position};

/// A hundred years.
const LONGEST_SPAN: i64 = 36_500 * 86_400;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/certificates", Role::Viewer, list, "Certificates that are known.")
            .lists::<Filter, Certificate>(),
        Route::get("/api/v1/certificates/{id}", Role::Viewer, one, "One certificate.")
            .gives::<Certificate>(200)
            .versioned(),
        Route::get("/api/v1/certificates/{id}/status", Role::Status, status, "Its status alone.")
            .gives::<Standing>(200),
    ]
}

/// Which certificates.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(rename_all = "kebab-case")]
pub(super) struct Filter {
    /// `revoked`, `revocation-requested`, `distrusted`, `expired`, `valid` or `applied`.
    status: Option<String>,
    /// Beginning of mail, CN or serial.
    q: Option<String>,
    /// Name of the authority.
    authority: Option<String>,
    /// That end within so many days, or a span: `30`, `30d`, `12h`.
    expiring_within: Option<String>,
}

impl Filter {
    /// What is looked for.
    fn wanted(self, view: &View, now: Wall) -> Result<(Certificates, Option<Status>), Problem> {
        let bad = |field: &str, detail: &str| Problem::bad_request("the query can't be read").field(field, detail);
        let status = self.status.map(|name| {
            let known = || Status::ALL.map(Status::name).join(", ");
            Status::named(&name).ok_or_else(|| bad("status", &format!("is none; there are: {}", known())))
        });
        let status = status.transpose()?;
        let span = self.expiring_within.as_deref().map(|text| {
            span(text)
                .ok_or_else(|| bad("expiring-within", "is no number of days, like 30, nor a span, like 30d or 12h"))
        });
        let ends = span.transpose()?.map(|span| (now, Wall(now.0.saturating_add(span))));
        let prefix = self.q.map(|text| prefix(&text)).filter(|text| !text.is_empty());
        let state = status.map(|status| state(status, view, now));
        Ok((Certificates { state, prefix, authority: self.authority, ends, ..Certificates::default() }, status))
    }
}

/// As mail, CN and serial are kept to be found.
fn prefix(text: &str) -> String {
    let text = text.trim().to_lowercase();
    id::beginning_of_serial(&text).unwrap_or(text)
}

/// Seconds of a span as the configuration has them, or of days.
fn span(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.get(digits.len()..)? {
        "" | "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let span = digits.parse::<i64>().ok().filter(|_| is_number)?.checked_mul(seconds)?;
    (span <= LONGEST_SPAN).then_some(span)
}

/// What is kept of certificates with a status.
pub(super) fn state(status: Status, view: &View, now: Wall) -> store::State {
    let issued = |wanted| store::State::Issued { now, distrusts: view.distrusts(Some(now)), wanted };
    match status {
        Status::Revoked => store::State::Revoked,
        Status::RevocationRequested => store::State::Requested,
        Status::Distrusted => issued(Issued::Distrusted),
        Status::Expired => issued(Issued::Expired),
        Status::Valid => issued(Issued::Valid),
        Status::Applied => store::State::Applied,
    }
}

async fn list(State(shared): State<Shared>, listing: Listing<Filter>) -> Result<Json<Page<Certificate>>, Problem> {
    let registry = shared.registry()?;
    let now = shared.status.now();
    let after: Option<Position> = listing.after()?;
    let Listing { filter, limit, .. } = &listing;
    let filter = Filter {
        status: filter.status.clone(),
        q: filter.q.clone(),
        authority: filter.authority.clone(),
        expiring_within: filter.expiring_within.clone(),
    };
    registry.catch_up().await;
    let (which, status) = filter.wanted(&registry.view(), now)?;
    let found = registry.store().certificates(which, after, most(*limit)).await?;
    let page = listing.page(found, |(_, position)| position.clone());
    let records: Vec<_> = page.items.into_iter().map(|(record, _)| record).collect();
    let mut items = shown(registry, &records, now).await?;
    // What is known better than what was written down last.
    items.retain(|one| status.is_none_or(|status| one.status == status.name()));
    Ok(Json(Page { items, next: page.next }))
}

async fn one(State(shared): State<Shared>, Path(text): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    let id = id::parse(&text)?;
    registry.catch_up().await;
    let record = registry.store().certificate(id).await?.ok_or_else(unknown)?;
    let certificate = shown(registry, std::slice::from_ref(&record), shared.status.now()).await?;
    etag::shown_as(&headers, &certificate.first(), &version(&record))
}

pub(super) fn unknown() -> Problem {
    Problem::not_found("this certificate is not known here")
}

/// A certificate's status.
#[derive(Debug, Serialize, ToSchema)]
struct Standing {
    id: String,
    /// As of a certificate.
    status: &'static str,
    since: Option<Time>,
}

async fn status(State(shared): State<Shared>, Path(text): Path<String>) -> Result<Json<Standing>, Problem> {
    let registry = shared.registry()?;
    let id = id::parse(&text)?;
    registry.catch_up().await;
    let record = registry.store().certificate(id).await?.ok_or_else(unknown)?;
    let judged = registry.view().judge(&record, shared.status.now());
    Ok(Json(Standing { id: id::of(&record.known), status: judged.status.name(), since: judged.since.map(Time) }))
}
