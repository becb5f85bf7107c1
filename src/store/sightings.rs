//! Certificates that were judged at logins: nearly all are known already, and only when and where they were seen is written.

use std::collections::{BTreeMap, HashMap};

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::certificates::{Sighting, hash};
use super::known::upsert;
use super::record::{Device, Known};
use super::rows::pieces;
use crate::now::Wall;

/// Devices kept of one certificate, the newest: who holds a good one can make up addresses.
const DEVICES: i64 = 32;

/// Writes all of these, and leaves none out. What has been written of them once may be written again.
pub(super) async fn saw(connection: &mut SqliteConnection, seen: &[&Sighting]) -> Result<usize, sqlx::Error> {
    let mut kept = find(connection, seen).await?;
    let mut rows = Vec::with_capacity(seen.len());
    for sighting in seen {
        let fingerprint = sighting.known.fingerprint.unwrap_or_default();
        rows.push(match kept.get(&fingerprint).filter(|kept| kept.has(&sighting.known)) {
            Some(kept) => kept.row,
            None => {
                // What is kept of it changes now.
                kept.remove(&fingerprint);
                upsert(connection, &sighting.known, "login", sighting.at).await?.0
            }
        });
    }
    let seen: Vec<_> = rows.into_iter().zip(seen.iter().copied()).collect();
    saw_certificates(connection, &seen).await?;
    saw_devices(connection, &seen).await?;
    Ok(0)
}

/// When they were seen, each certificate once.
async fn saw_certificates(connection: &mut SqliteConnection, seen: &[(i64, &Sighting)]) -> Result<(), sqlx::Error> {
    let mut times: BTreeMap<i64, (Wall, Wall)> = BTreeMap::new();
    for (row, Sighting { at, .. }) in seen {
        let (_, last) = times.entry(*row).or_insert((*at, *at));
        *last = (*last).max(*at);
    }
    let times: Vec<_> = times.into_iter().collect();
    for piece in pieces(&times) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH seen (certificate, first, last) AS (");
        query.push_values(piece, |mut values, (row, (first, last))| {
            values.push_bind(*row).push_bind(first.0).push_bind(last.0);
        });
        query.push(") UPDATE certificate SET first_seen = coalesce(first_seen, first), last_seen = max(coalesce(last_seen, last), last) FROM seen WHERE id = seen.certificate");
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Where.
async fn saw_devices(connection: &mut SqliteConnection, seen: &[(i64, &Sighting)]) -> Result<(), sqlx::Error> {
    let devices = seen.iter().filter_map(|(row, sighting)| Some((*row, sighting.device.as_ref()?)));
    let devices: Vec<_> = devices.collect();
    for piece in pieces(&devices) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO device (certificate, mac, service, nas, last_seen) ");
        query.push_values(piece, |mut values, (row, Device { mac, service, nas, last_seen })| {
            values.push_bind(*row).push_bind(mac).push_bind(service).push_bind(nas).push_bind(last_seen.0);
        });
        query.push(" ON CONFLICT DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)");
        query.build().execute(&mut *connection).await?;
        forget(connection, piece.iter().map(|(row, _)| *row)).await?;
    }
    Ok(())
}

/// Of each certificate only its newest devices are kept.
async fn forget(connection: &mut SqliteConnection, rows: impl Iterator<Item = i64>) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT certificate FROM device WHERE certificate IN (");
    let mut list = query.separated(", ");
    for row in rows {
        list.push_bind(row);
    }
    query.push(") GROUP BY certificate HAVING count(*) > ").push_bind(DEVICES);
    for row in query.build().fetch_all(&mut *connection).await? {
        let forget = "DELETE FROM device WHERE certificate = ?1 AND (mac, service, nas) IN (SELECT mac, service, nas FROM device WHERE certificate = ?1 ORDER BY last_seen DESC LIMIT -1 OFFSET ?2)";
        let query = sqlx::query(forget).bind(row.try_get::<i64, _>(0)?).bind(DEVICES);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// What is kept of a certificate that was found by its fingerprint.
struct Kept {
    row: i64,
    has_der: bool,
    known: Known,
}

impl Kept {
    /// Whether to add this would change nothing, as `upsert` adds.
    fn has(&self, more: &Known) -> bool {
        fn same<T: PartialEq>(kept: &Option<T>, more: &Option<T>) -> bool {
            more.is_none() || kept == more
        }
        let Self { known: kept, has_der, .. } = self;
        // What a chain has said isn't taken from one who knows less.
        let stays = kept.facts.is_some() && more.facts.is_none();
        let has_mail = if stays && kept.mail.is_some() { true } else { same(&kept.mail, &more.mail) };
        more.application.is_none()
            && (*has_der || more.der.is_none())
            && (stays || more.subject.is_empty() || kept.subject == more.subject)
            && has_mail
            && same(&kept.facts, &more.facts)
            && same(&kept.authority, &more.authority)
            && same(&kept.serial, &more.serial)
            && same(&kept.issuer, &more.issuer)
            && same(&kept.cn, &more.cn)
            && same(&kept.user, &more.user)
            && same(&kept.not_before, &more.not_before)
            && same(&kept.not_after, &more.not_after)
            && same(&kept.listed, &more.listed)
    }
}

/// Those that are known, by fingerprint.
async fn find(connection: &mut SqliteConnection, seen: &[&Sighting]) -> Result<HashMap<[u8; 32], Kept>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT id, fingerprint, der IS NOT NULL AS has_der, facts, authority, serial, issuer, subject, cn, mail, user, not_before, not_after, listed FROM certificate WHERE fingerprint IN (",
    );
    let mut list = query.separated(", ");
    for sighting in seen {
        list.push_bind(sighting.known.fingerprint.as_ref().map(<[u8; 32]>::as_slice));
    }
    let rows = query.push(")").build().fetch_all(connection).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        if let Some(fingerprint) = hash(row, "fingerprint")? {
            found.insert(fingerprint, kept(row)?);
        }
    }
    Ok(found)
}

fn kept(row: &SqliteRow) -> Result<Kept, sqlx::Error> {
    let wall = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(Wall));
    let known = Known {
        facts: row.try_get("facts")?,
        authority: row.try_get("authority")?,
        serial: row.try_get("serial")?,
        issuer: hash(row, "issuer")?,
        subject: row.try_get("subject")?,
        cn: row.try_get("cn")?,
        mail: row.try_get("mail")?,
        user: row.try_get("user")?,
        not_before: wall("not_before")?,
        not_after: wall("not_after")?,
        listed: row.try_get("listed")?,
        ..Known::default()
    };
    Ok(Kept { row: row.try_get("id")?, has_der: row.try_get("has_der")?, known })
}
