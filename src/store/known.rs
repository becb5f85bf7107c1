//! What becomes known of a certificate is added to what is known of it.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::record::Known;
use crate::now::Wall;
use crate::pki;

/// The row of what is known, with this added to it; whether it is new. What is known better stays: a login or a certificate says more than a list.
pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    known: &Known,
    by: &str,
    at: Wall,
) -> Result<(i64, bool), sqlx::Error> {
    let (row, is_new) = match same(connection, known).await? {
        Some(row) => (row, false),
        None => {
            let insert = "INSERT INTO certificate (registered, registered_by) VALUES (?, ?) RETURNING id";
            (sqlx::query_scalar(insert).bind(at.0).bind(by).fetch_one(&mut *connection).await?, true)
        }
    };
    // `same` has preferred one that is issued.
    if let Some(application) = applied(connection, known).await?.filter(|application| application.row != row) {
        fold(connection, application.row, row).await?;
    }
    let set = "UPDATE certificate SET fingerprint = coalesce(fingerprint, ?1), der = coalesce(der, ?2), authority = coalesce(?3, authority), serial = coalesce(?4, serial), issuer = coalesce(?5, issuer), application = coalesce(?6, application), subject = CASE WHEN ?7 = '' OR (facts IS NOT NULL AND ?14 IS NULL) THEN subject ELSE ?7 END, cn = coalesce(?8, cn), mail = CASE WHEN facts IS NOT NULL AND ?14 IS NULL THEN coalesce(mail, ?9) ELSE coalesce(?9, mail) END, user = coalesce(?10, user), not_before = coalesce(?11, not_before), not_after = coalesce(?12, not_after), listed = coalesce(?13, listed), facts = coalesce(?14, facts) WHERE id = ?15";
    let query = sqlx::query(set).bind(octets(&known.fingerprint)).bind(known.der.as_deref());
    let query = query.bind(&known.authority).bind(&known.serial).bind(octets(&known.issuer)).bind(&known.application);
    let query = query.bind(&known.subject).bind(&known.cn).bind(&known.mail).bind(&known.user);
    let query = query.bind(known.not_before.map(|at| at.0)).bind(known.not_after.map(|at| at.0)).bind(&known.listed);
    query.bind(known.facts.as_deref()).bind(row).execute(&mut *connection).await?;
    index(connection, row).await?;
    Ok((row, is_new))
}

/// The row that a certificate or a record is already known by.
pub(super) async fn same(connection: &mut SqliteConnection, known: &Known) -> Result<Option<i64>, sqlx::Error> {
    if let Some(fingerprint) = &known.fingerprint {
        let by_fingerprint = sqlx::query_scalar("SELECT id FROM certificate WHERE fingerprint = ?");
        let found = by_fingerprint.bind(fingerprint.as_slice()).fetch_optional(&mut *connection).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let application = applied(connection, known).await?;
    if let Some(issued) = application.as_ref().filter(|application| application.serial.is_some()) {
        return Ok(Some(issued.row));
    }
    if let (Some(authority), Some(serial)) = (&known.authority, &known.serial) {
        // One that is known by its name alone; another certificate of that name is another certificate.
        let by_name = "SELECT id FROM certificate WHERE authority = ?1 AND serial = ?2 AND (fingerprint IS NULL OR ?3) ORDER BY id LIMIT 1";
        let by_name = sqlx::query_scalar(by_name).bind(authority).bind(serial).bind(known.fingerprint.is_none());
        let found = by_name.fetch_optional(&mut *connection).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(application.map(|application| application.row))
}

/// What is known by the number of an application.
struct Application {
    row: i64,
    authority: Option<String>,
    serial: Option<String>,
}

async fn applied(connection: &mut SqliteConnection, known: &Known) -> Result<Option<Application>, sqlx::Error> {
    let Some(number) = &known.application else { return Ok(None) };
    let find = sqlx::query("SELECT id, authority, serial FROM certificate WHERE application = ?").bind(number);
    let found = find.fetch_optional(connection).await?;
    let application = |row: sqlx::sqlite::SqliteRow| {
        Ok(Application { row: row.try_get(0)?, authority: row.try_get(1)?, serial: row.try_get(2)? })
    };
    found.map(application).transpose()
}

/// Whose application it is, where it is another certificate's: who may name one may not give its name, and its block with it, to another.
pub(super) async fn conflict(connection: &mut SqliteConnection, known: &Known) -> Result<Option<String>, sqlx::Error> {
    let Some(Application { authority, serial: Some(serial), .. }) = applied(connection, known).await? else {
        return Ok(None);
    };
    let is_other = known.serial.as_ref().is_some_and(|named| *named != serial)
        || known.authority.as_ref().zip(authority.as_ref()).is_some_and(|(named, authority)| named != authority);
    let number = known.application.as_deref().unwrap_or_default();
    Ok(is_other.then(|| format!("application {number} is that of {}:{serial}", authority.unwrap_or_default())))
}

/// An application turns out to be that of a certificate which is known already.
async fn fold(connection: &mut SqliteConnection, application: i64, into: i64) -> Result<(), sqlx::Error> {
    let take = "UPDATE certificate AS c SET subject = CASE WHEN c.subject = '' THEN a.subject ELSE c.subject END, cn = coalesce(c.cn, a.cn), mail = coalesce(c.mail, a.mail), registered = min(c.registered, a.registered) FROM certificate AS a WHERE c.id = ? AND a.id = ?";
    sqlx::query(take).bind(into).bind(application).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM certificate WHERE id = ?").bind(application).execute(connection).await.map(drop)
}

/// Makes it be found by the names that a verified chain says, besides.
pub(super) async fn name(connection: &mut SqliteConnection, row: i64, facts: &[u8]) -> Result<(), sqlx::Error> {
    add(connection, row, &keys(pki::names(facts))).await
}

fn keys(names: Vec<String>) -> BTreeSet<String> {
    names.iter().map(|name| name.to_lowercase()).filter(|name| !name.is_empty()).collect()
}

async fn add(connection: &mut SqliteConnection, row: i64, keys: &BTreeSet<String>) -> Result<(), sqlx::Error> {
    for key in keys {
        let insert = "INSERT INTO search (key, certificate) VALUES (?, ?) ON CONFLICT DO NOTHING";
        sqlx::query(insert).bind(key).bind(row).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Makes it be found by what is known of it now.
async fn index(connection: &mut SqliteConnection, row: i64) -> Result<(), sqlx::Error> {
    let read = sqlx::query("SELECT mail, cn, serial, facts FROM certificate WHERE id = ?").bind(row);
    let found = read.fetch_one(&mut *connection).await?;
    let mut names = Vec::new();
    for column in 0..3 {
        names.extend(found.try_get::<Option<String>, _>(column)?);
    }
    let facts: Option<Vec<u8>> = found.try_get("facts")?;
    names.extend(facts.map(|facts| pki::names(&facts)).unwrap_or_default());
    let keys = keys(names);
    add(connection, row, &keys).await?;
    let mut forget = QueryBuilder::<Sqlite>::new("DELETE FROM search WHERE certificate = ");
    forget.push_bind(row).push(" AND key NOT IN (");
    let mut list = forget.separated(", ");
    for key in &keys {
        list.push_bind(key);
    }
    forget.push(")").build().execute(connection).await.map(drop)
}

fn octets(hash: &Option<[u8; 32]>) -> Option<&[u8]> {
    hash.as_ref().map(<[u8; 32]>::as_slice)
}
