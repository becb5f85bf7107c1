//! Who must do something: lists of certificates with a question of their own, as JSON or CSV.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::certificates::state;
use super::shown::{Certificate, Device, shown};
use super::{Registry, View, id, most};
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
use crate::observe::Note;
use crate::standing::Status;
use crate::store::{self, Certificates, Owner, Position, Record};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Certificates that are looked up at once for a table.
const PIECE: usize = 500;

pub(super) fn table() -> Vec<Route> {
    vec![
        report("/api/v1/reports/expiring", expiring, "Who must renew soon."),
        report(
            "/api/v1/reports/old-authority",
            old_authority,
            "Who still has a certificate of an authority that is to be distrusted, or is.",
        ),
        report("/api/v1/reports/unused", unused, "Valid, and never seen."),
        report(
            "/api/v1/reports/unconfirmed",
            unconfirmed,
            "Blocked here for so many days, and not revoked by its authority.",
        ),
    ]
}

/// What a report is about, by what is asked for.
type About<F> = fn(&F, &View, Wall) -> Result<Report, Problem>;

fn report<F>(path: &'static str, about: About<F>, summary: &'static str) -> Route
where
    F: DeserializeOwned + IntoParams + Send + Sync + 'static,
{
    let handler = move |State(shared): State<Shared>, caller: Caller, headers: HeaderMap, listing: Listing<F>| async move {
        let report = about(&listing.filter, &shared.registry()?.view(), shared.status.now())?;
        answer(&shared, &caller, &headers, listing, report).await
    };
    Route::get(path, Role::Viewer, handler, summary).lists::<F, Reported>().answers(200, "text/csv")
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
    /// The id of that.
    renewed_as: Option<String>,
    /// Devices that used this one after that had begun, and haven't used that since.
    still_used_by: Vec<String>,
    /// From when on its authority is distrusted, where that is planned or begun.
    distrusted_from: Option<Time>,
    /// Days since it was blocked here.
    blocked_for: Option<i64>,
    /// What is to be done, in the configured language.
    note: String,
}

/// What somebody is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// To renew.
    Renewal,
    /// That nobody has seen it.
    Unused,
    /// To ask the CA what has become of the revocation.
    Unconfirmed,
}

/// A report: what is looked for, and which of what is found belongs to it.
struct Report {
    kind: Kind,
    which: Certificates,
    status: Option<Status>,
    now: Wall,
}

fn days(asked: Option<i64>, default: i64) -> Result<i64, Problem> {
    let days = asked.unwrap_or(default);
    let bad = || Problem::bad_request("the query can't be read").field("days", "must be from 0 to 36500");
    Some(days).filter(|days| (0..=36_500).contains(days)).ok_or_else(bad)
}

fn expiring(asked: &Days, view: &View, now: Wall) -> Result<Report, Problem> {
    let ends = Some((now, Wall(now.0.saturating_add(days(asked.days, 30)? * DAY))));
    let which = Certificates { state: Some(state(Status::Valid, view, now)), ends, ..Certificates::default() };
    Ok(Report { kind: Kind::Renewal, which, status: Some(Status::Valid), now })
}

fn old_authority(_: &Nothing, view: &View, now: Wall) -> Result<Report, Problem> {
    let (distrusts, wanted) = (view.distrusts(None), store::Issued::Distrusted);
    let state = Some(store::State::Issued { now, distrusts, wanted });
    // Who has passed its end anyway has nothing to do with the end of its authority.
    let ends = Some((now, Wall(i64::MAX)));
    let which = Certificates { state, ends, ..Certificates::default() };
    Ok(Report { kind: Kind::Renewal, which, status: None, now })
}

fn unused(_: &Nothing, view: &View, now: Wall) -> Result<Report, Problem> {
    let state = Some(state(Status::Valid, view, now));
    let which = Certificates { state, unseen: true, ..Certificates::default() };
    Ok(Report { kind: Kind::Unused, which, status: Some(Status::Valid), now })
}

fn unconfirmed(asked: &Days, _: &View, now: Wall) -> Result<Report, Problem> {
    let blocked_before = Some(Wall(now.0.saturating_sub(days(asked.days, 0)? * DAY)));
    let which = Certificates { state: Some(store::State::Requested), blocked_before, ..Certificates::default() };
    Ok(Report { kind: Kind::Unconfirmed, which, status: Some(Status::RevocationRequested), now })
}

async fn answer<F>(
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
        let successors = Successors::of(registry, &records, self.now).await?;
        let certificates = shown(registry, &records, self.now).await?;
        let view = registry.view();
        let items = records.iter().zip(certificates).map(|(record, one)| self.item(&view, &successors, record, one));
        let belongs = |one: &Reported| match self.status {
            Some(status) => one.certificate.status == status.name(),
            // Of an authority that ends: whoever is revoked has nothing to change.
            None => one.certificate.status != Status::Revoked.name(),
        };
        Ok(items.filter(belongs).collect())
    }

    fn item(&self, view: &View, successors: &Successors, record: &Record, certificate: Certificate) -> Reported {
        let newer = successors.after(record);
        let still_used_by = newer.map(|newer| successors.still_used_by(&certificate, newer)).unwrap_or_default();
        let authority = view.trust.authorities().find(|one| Some(&*one.name) == record.known.authority.as_deref());
        let distrusted_from = authority.and_then(|one| one.distrust).map(|distrust| distrust.from);
        let blocked = record.request.as_ref().filter(|request| request.block);
        let blocked_for = blocked.map(|request| self.now.0.saturating_sub(request.since.0).div_euclid(DAY));
        let ends = distrusted_from.into_iter().chain(record.known.not_after).min();
        let note = match (self.kind, newer) {
            (Kind::Renewal, None) => Note::Renew { before: ends },
            (Kind::Renewal, Some(_)) if still_used_by.is_empty() => Note::Renewed,
            (Kind::Renewal, Some(_)) => Note::StillUsed { by: &still_used_by },
            (Kind::Unused, _) => Note::Unused,
            (Kind::Unconfirmed, _) => Note::Unconfirmed { days: blocked_for.unwrap_or_default() },
        };
        Reported {
            days_left: record.known.not_after.map(|end| end.0.saturating_sub(self.now.0).div_euclid(DAY)),
            renewed: newer.is_some(),
            renewed_as: newer.map(|newer| id::of(&newer.known)),
            note: view.explainer.note(&note, self.now),
            still_used_by,
            distrusted_from: distrusted_from.map(Time),
            blocked_for,
            certificate,
        }
    }
}

/// The certificates that people have got since.
struct Successors {
    by_owner: HashMap<Owner, Record>,
    /// When which device last used one, by its row.
    used: HashMap<(i64, String), Wall>,
}

impl Successors {
    async fn of(registry: &dyn Registry, records: &[Record], now: Wall) -> Result<Self, Problem> {
        let owners: HashSet<Owner> = records.iter().filter_map(|record| Owner::of(&record.known)).collect();
        let newest = registry.store().latest(owners.into_iter().collect()).await?;
        let begun = |record: &Record| record.known.not_before.is_none_or(|begins| begins <= now);
        let by_owner: HashMap<_, _> = newest.into_iter().filter(|(_, record)| begun(record)).collect();
        let rows: Vec<i64> = by_owner.values().map(|record| record.row).collect();
        let mut used = HashMap::new();
        for (row, device) in registry.store().devices(rows).await? {
            let last = used.entry((row, device.mac)).or_insert(device.last_seen);
            *last = device.last_seen.max(*last);
        }
        Ok(Self { by_owner, used })
    }

    /// What has come after one: its owner's newest, where that ends later.
    fn after(&self, record: &Record) -> Option<&Record> {
        let newer = self.by_owner.get(&Owner::of(&record.known)?)?;
        (newer.row != record.row && newer.known.not_after > record.known.not_after).then_some(newer)
    }

    /// Devices that used the old one after the newer began, and not the newer since.
    fn still_used_by(&self, old: &Certificate, newer: &Record) -> Vec<String> {
        let began = newer.known.not_before.unwrap_or(newer.registered);
        let mut last = BTreeMap::<&str, Wall>::new();
        for Device { mac, last_seen, .. } in &old.devices {
            let seen = last.entry(mac).or_insert(last_seen.0);
            *seen = last_seen.0.max(*seen);
        }
        let has_changed = |mac: &str, seen| self.used.get(&(newer.row, mac.to_owned())).is_some_and(|at| *at >= seen);
        let still = last.into_iter().filter(|(mac, seen)| *seen > began && !has_changed(mac, *seen));
        still.map(|(mac, _)| mac.to_owned()).collect()
    }
}

const COLUMNS: [&str; 20] = [
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
    "renewed_as",
    "still_used_by",
    "distrusted_from",
    "blocked_since",
    "blocked_by",
    "blocked_for",
    "last_seen",
    "note",
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
        text(&item.renewed_as),
        item.still_used_by.join(" "),
        time(item.distrusted_from),
        time(one.blocked.as_ref().map(|blocked| blocked.since)),
        one.blocked.as_ref().map(|blocked| blocked.by.clone()).unwrap_or_default(),
        number(item.blocked_for),
        time(one.last_seen),
        item.note.clone(),
    ]
}
