//! Who must do something: lists of certificates with a question of their own, as JSON or CSV.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::certificates::state;
use super::shown::{Certificate, shown};
use super::{Registry, most};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::csv;
use crate::admin::input::Listing;
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::now::Wall;
use crate::standing::Status;
use crate::store::{Certificates, Position, Record};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Certificates that are looked up at once for a table.
const PIECE: usize = 500;

pub(super) fn table() -> Vec<Route> {
    let report = |route: Route| route.answers(200, "text/csv");
    vec![
        report(
            Route::get("/api/v1/reports/expiring", Role::Viewer, expiring, "Who must renew soon.")
                .lists::<Days, Reported>(),
        ),
        report(
            Route::get(
                "/api/v1/reports/old-authority",
                Role::Viewer,
                old_authority,
                "Who still has a certificate of an authority that is to be distrusted, or is.",
            )
            .lists::<Nothing, Reported>(),
        ),
        report(
            Route::get("/api/v1/reports/unused", Role::Viewer, unused, "Valid, and never seen.")
                .lists::<Nothing, Reported>(),
        ),
        report(
            Route::get(
                "/api/v1/reports/unconfirmed",
                Role::Viewer,
                unconfirmed,
                "Blocked here for so many days, and not revoked by its authority.",
            )
            .lists::<Days, Reported>(),
        ),
    ]
}

/// How many days.
#[derive(Debug, Deserialize, IntoParams)]
struct Days {
    /// 30, where it isn't said; of `unconfirmed` 0.
    #[param(minimum = 0, maximum = 36500)]
    days: Option<i64>,
}

/// Everything.
#[derive(Debug, Deserialize, IntoParams)]
struct Nothing {}

/// A certificate of a report.
#[derive(Debug, Serialize, ToSchema)]
struct Reported {
    #[serde(flatten)]
    certificate: Certificate,
    /// Days until its end, below zero after it.
    days_left: Option<i64>,
    /// Whether its owner has a valid one that ends later.
    renewed: bool,
    /// Devices that still used this one after that was there.
    still_used_by: Vec<String>,
    /// From when on its authority is distrusted, where that is planned or begun.
    distrusted_from: Option<Time>,
    /// Days since it was blocked here.
    blocked_for: Option<i64>,
}

/// A report: what is looked for, and which of what is found belongs to it.
struct Report {
    which: Certificates,
    status: Option<Status>,
    now: Wall,
}

fn days(asked: Option<i64>, default: i64) -> Result<i64, Problem> {
    let days = asked.unwrap_or(default);
    let bad = || Problem::bad_request("the query can't be read").field("days", "must be from 0 to 36500");
    Some(days).filter(|days| (0..=36_500).contains(days)).ok_or_else(bad)
}

async fn expiring(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    listing: Listing<Days>,
) -> Result<Response, Problem> {
    let now = shared.status.now();
    let days = days(listing.filter.days, 30)?;
    let state = state(Status::Valid, &shared.registry()?.view(), now);
    let ends = Some((now, Wall(now.0.saturating_add(days * DAY))));
    let which = Certificates { state: Some(state), ends, ..Certificates::default() };
    report(&shared, &caller, &headers, listing, Report { which, status: Some(Status::Valid), now }).await
}

async fn old_authority(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    listing: Listing<Nothing>,
) -> Result<Response, Problem> {
    let now = shared.status.now();
    let view = shared.registry()?.view();
    let ending = view.trust.authorities().filter_map(|one| one.distrust.map(|distrust| (one.name, distrust)));
    let distrusts = ending.map(|(name, distrust)| crate::store::Distrusted {
        authority: name.to_string(),
        issued_before: distrust.issued_before,
        issued_after: distrust.issued_after,
    });
    let (distrusts, wanted) = (distrusts.collect(), crate::store::Issued::Distrusted);
    let state = Some(crate::store::State::Issued { now, distrusts, wanted });
    // Who has passed its end anyway has nothing to do with the end of its authority.
    let ends = Some((now, Wall(i64::MAX)));
    let which = Certificates { state, ends, ..Certificates::default() };
    report(&shared, &caller, &headers, listing, Report { which, status: None, now }).await
}

async fn unused(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    listing: Listing<Nothing>,
) -> Result<Response, Problem> {
    let now = shared.status.now();
    let state = Some(state(Status::Valid, &shared.registry()?.view(), now));
    let which = Certificates { state, unseen: true, ..Certificates::default() };
    report(&shared, &caller, &headers, listing, Report { which, status: Some(Status::Valid), now }).await
}

async fn unconfirmed(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    listing: Listing<Days>,
) -> Result<Response, Problem> {
    let now = shared.status.now();
    let days = days(listing.filter.days, 0)?;
    let before = Some(Wall(now.0.saturating_sub(days * DAY)));
    let state = Some(crate::store::State::Requested);
    let which = Certificates { state, blocked_before: before, ..Certificates::default() };
    let status = Some(Status::RevocationRequested);
    report(&shared, &caller, &headers, listing, Report { which, status, now }).await
}

async fn report<F>(
    shared: &Shared,
    caller: &Caller,
    headers: &HeaderMap,
    listing: Listing<F>,
    report: Report,
) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    if csv::is_wanted(headers) {
        shared.audit(caller, "take-report", "csv", json!({})).await?;
        return Ok(table_of(shared.clone(), report));
    }
    let after: Option<Position> = listing.after()?;
    let found = registry.store().certificates(report.which.clone(), after, most(listing.limit)).await?;
    let page = listing.page(found, |(_, position)| position.clone());
    let records = page.items.into_iter().map(|(record, _)| record).collect();
    let mut response = Json(Page { items: report.items(registry, records).await?, next: page.next }).into_response();
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

impl Report {
    async fn items(&self, registry: &dyn Registry, records: Vec<Record>) -> Result<Vec<Reported>, Problem> {
        let users = records.iter().filter_map(|record| record.known.user.clone()).collect();
        let latest: HashMap<String, Record> = registry.store().latest(users).await?.into_iter().collect();
        let certificates = shown(registry, &records, self.now).await?;
        let view = registry.view();
        let item = |(record, certificate): (&Record, Certificate)| {
            let user = record.known.user.as_ref().map(|user| user.to_ascii_lowercase());
            let newer = user
                .and_then(|user| latest.get(&user))
                .filter(|newer| newer.row != record.row && newer.known.not_after > record.known.not_after);
            let since = newer.map(|newer| newer.first_seen.unwrap_or(newer.registered));
            let used =
                certificate.devices.iter().filter(|device| since.is_some_and(|since| device.last_seen.0 > since));
            let still_used_by = used.map(|device| device.mac.clone()).collect();
            let authority = view.trust.authorities().find(|one| Some(&*one.name) == record.known.authority.as_deref());
            let blocked = record.request.as_ref().filter(|request| request.block);
            Reported {
                days_left: record.known.not_after.map(|end| end.0.saturating_sub(self.now.0).div_euclid(DAY)),
                renewed: newer.is_some(),
                still_used_by,
                distrusted_from: authority.and_then(|one| one.distrust).map(|distrust| Time(distrust.from)),
                blocked_for: blocked.map(|request| self.now.0.saturating_sub(request.since.0).div_euclid(DAY)),
                certificate,
            }
        };
        let items = records.iter().zip(certificates).map(item);
        let belongs = |one: &Reported| match self.status {
            Some(status) => one.certificate.status == status.name(),
            // Of an authority that ends: whoever is revoked has nothing to change.
            None => one.certificate.status != Status::Revoked.name(),
        };
        Ok(items.filter(belongs).collect())
    }
}

const COLUMNS: [&str; 18] = [
    "id",
    "authority",
    "serial",
    "subject",
    "mail",
    "user",
    "not_before",
    "not_after",
    "status",
    "status_ja",
    "days_left",
    "renewed",
    "still_used_by",
    "distrusted_from",
    "blocked_since",
    "blocked_by",
    "blocked_for",
    "last_seen",
];

/// The whole of it, sent while it is made.
fn table_of(shared: Shared, report: Report) -> Response {
    let (mut writer, response) = csv::stream(&COLUMNS);
    tokio::spawn(async move {
        let mut after: Option<Position> = None;
        loop {
            // A table that can't be finished is cut off, and whoever reads can tell.
            let Ok(registry) = shared.registry() else { return };
            let found = registry.store().certificates(report.which.clone(), after.take(), most(PIECE)).await;
            let Ok(mut found) = found else { return };
            let goes_on = found.len() > PIECE;
            found.truncate(PIECE);
            after = found.last().map(|(_, position)| position.clone());
            let records = found.into_iter().map(|(record, _)| record).collect();
            let Ok(items) = report.items(registry, records).await else { return };
            for item in &items {
                if writer.row(row(item).iter().map(String::as_str)).await.is_err() {
                    return;
                }
            }
            if !goes_on {
                break;
            }
        }
        // Nobody may read any more.
        let _ = writer.end().await;
    });
    response
}

fn row(item: &Reported) -> Vec<String> {
    let one = &item.certificate;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: Option<Time>| time.map(Time::text).unwrap_or_default();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        one.id.clone(),
        text(&one.authority),
        text(&one.serial),
        one.subject.clone(),
        text(&one.mail),
        text(&one.user),
        time(one.not_before),
        time(one.not_after),
        one.status.to_owned(),
        one.status_ja.to_owned(),
        number(item.days_left),
        item.renewed.to_string(),
        item.still_used_by.join(" "),
        time(item.distrusted_from),
        time(one.blocked.as_ref().map(|blocked| blocked.since)),
        one.blocked.as_ref().map(|blocked| blocked.by.clone()).unwrap_or_default(),
        number(item.blocked_for),
        time(one.last_seen),
    ]
}
