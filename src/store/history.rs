//! Decisions: kept in batches, found again, forgotten in time. Under pressure they are dropped, and counted.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::certificates::{Sighting, hash};
use super::record::Decided;
use super::sightings::saw;
use super::{Failure, Store, rows};
use crate::now::Wall;

/// Decisions that are forgotten in one go: among millions each costs a look into every index, and whoever blocks somebody waits for all of them.
const FORGOTTEN: i64 = 250;

/// Something that a login leaves behind.
#[derive(Clone, Debug)]
pub enum Trace {
    /// A decision.
    Decided(Box<Decided>),
    /// A certificate.
    Seen(Box<Sighting>),
}

/// Which decisions; everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// The user, without ASCII case.
    pub user: Option<String>,
    /// Calling-Station-Id.
    pub mac: Option<String>,
    /// `outcome`
    pub outcome: Option<String>,
    /// `reason`
    pub reason: Option<String>,
    /// The certificate.
    pub fingerprint: Option<[u8; 32]>,
    /// Not before.
    pub since: Option<Wall>,
}

impl Store {
    /// Keeps what a login leaves behind, if there is room for it. Never waits.
    pub fn trace(&self, trace: Trace) {
        self.watch.left();
        if self.traces.try_send(trace).is_err() {
            self.watch.settled(1);
            self.watch.dropped(1);
        }
    }

    /// Decisions, the newest first, after a position (time, number).
    pub async fn decisions(
        &self,
        which: Decisions,
        after: Option<(i64, i64)>,
        most: i64,
    ) -> Result<Vec<Decided>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = question(which, after, most);
                query.build().fetch_all(connection).await?.iter().map(decided).collect()
            })
        })
        .await
    }

    /// Forgets some of the decisions before a time; whether there may be more.
    pub async fn forget_decisions(&self, before: Wall) -> Result<bool, Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                let forget = "DELETE FROM authentication WHERE id IN (SELECT id FROM authentication WHERE at < ? ORDER BY at LIMIT ?)";
                let query = sqlx::query(forget).bind(before.0).bind(FORGOTTEN);
                Ok(query.execute(connection).await?.rows_affected() >= FORGOTTEN.unsigned_abs())
            })
        })
        .await
    }
}

/// Along the index of what picks out the fewest. Nearly all are accepted, `ok`: those are found along the time.
fn question(which: Decisions, after: Option<(i64, i64)>, most: i64) -> QueryBuilder<Sqlite> {
    let Decisions { user, mac, outcome, reason, fingerprint, since } = which;
    let index = match (&fingerprint, &mac, &user, reason.as_deref(), outcome.as_deref()) {
        (Some(_), ..) => "fingerprint",
        (_, Some(_), ..) => "mac",
        (_, _, Some(_), ..) => "user",
        (.., Some(reason), _) if reason != "ok" => "reason",
        (.., Some(outcome)) if outcome != "accept" => "outcome",
        _ => "at",
    };
    let mut query = QueryBuilder::new("SELECT * FROM authentication INDEXED BY authentication_");
    query.push(index).push(" WHERE at >= ").push_bind(since.map_or(i64::MIN, |at| at.0));
    match index {
        "reason" => drop(query.push(" AND reason <> 'ok'")),
        "outcome" => drop(query.push(" AND outcome <> 'accept'")),
        _ => {}
    }
    for (column, value) in [("user", user), ("mac", mac), ("outcome", outcome), ("reason", reason)] {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value);
        }
    }
    if let Some(fingerprint) = fingerprint {
        query.push(" AND fingerprint = ").push_bind(fingerprint.to_vec());
    }
    if let Some((at, row)) = after {
        query.push(" AND (at, id) < (").push_bind(at).push(", ").push_bind(row).push(")");
    }
    query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(most);
    query
}

/// Keeps what logins have left behind, within a transaction; how many of these the database refuses.
pub(super) async fn keep(connection: &mut SqliteConnection, traces: &[Trace]) -> Result<usize, Failure> {
    let (mut decided, mut seen) = (Vec::new(), Vec::new());
    for trace in traces {
        match trace {
            Trace::Decided(one) => decided.push(&**one),
            Trace::Seen(one) => seen.push(&**one),
        }
    }
    let refused = rows::write(connection, &decided, |connection, piece| Box::pin(insert(connection, piece))).await?;
    let unseen = rows::write(connection, &seen, |connection, piece| Box::pin(saw(connection, piece))).await?;
    Ok(refused + unseen)
}

/// How many of them are none that can be kept: left out and not refused, since what could be refused half-way SQLite would have to copy pages for.
async fn insert(connection: &mut SqliteConnection, decisions: &[&Decided]) -> Result<usize, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT OR IGNORE INTO authentication (at, outcome, reason, user, outer_identity, fingerprint, authority, serial, service, method, nas, peer, mac, ssid, tls, resumed, duration_ms, evidence) ",
    );
    query.push_values(decisions, |mut row, one| {
        row.push_bind(one.at.0).push_bind(&one.outcome).push_bind(&one.reason).push_bind(&one.user);
        row.push_bind(&one.outer_identity).push_bind(one.fingerprint.as_ref().map(<[u8; 32]>::as_slice));
        row.push_bind(&one.authority).push_bind(&one.serial).push_bind(&one.service).push_bind(&one.method);
        row.push_bind(&one.nas).push_bind(&one.peer).push_bind(&one.mac).push_bind(&one.ssid).push_bind(&one.tls);
        row.push_bind(one.resumed).push_bind(one.duration_ms).push_bind(&one.evidence);
    });
    let inserted = query.build().execute(connection).await?.rows_affected();
    Ok(decisions.len().saturating_sub(usize::try_from(inserted).unwrap_or(usize::MAX)))
}

fn decided(row: &SqliteRow) -> Result<Decided, sqlx::Error> {
    Ok(Decided {
        row: row.try_get("id")?,
        at: Wall(row.try_get("at")?),
        outcome: row.try_get("outcome")?,
        reason: row.try_get("reason")?,
        user: row.try_get("user")?,
        outer_identity: row.try_get("outer_identity")?,
        fingerprint: hash(row, "fingerprint")?,
        authority: row.try_get("authority")?,
        serial: row.try_get("serial")?,
        service: row.try_get("service")?,
        method: row.try_get("method")?,
        nas: row.try_get("nas")?,
        peer: row.try_get("peer")?,
        mac: row.try_get("mac")?,
        ssid: row.try_get("ssid")?,
        tls: row.try_get("tls")?,
        resumed: row.try_get("resumed")?,
        duration_ms: row.try_get("duration_ms")?,
        evidence: row.try_get("evidence")?,
    })
}
