//! What a restart must not forget.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{cause, session};
use crate::now::Wall;
use crate::sessions::SessionId;
use crate::sessions::disconnect::{Batch, BatchId, Past};
use crate::store::number;

/// A batch that waits; one that has been written stays as it is.
pub(in crate::store) async fn held(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO batch (id, reason, authority, since) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    let query = sqlx::query(insert).bind(number(batch.id.0)).bind(batch.cause.reason.name());
    let query = query.bind(batch.cause.authority.as_deref()).bind(batch.since.0);
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(());
    }
    for id in &batch.sessions {
        let insert = sqlx::query("INSERT INTO batch_session (batch, session) VALUES (?, ?)");
        insert.bind(number(batch.id.0)).bind(number(id.0)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// These go by themselves.
pub(in crate::store) async fn going(
    connection: &mut SqliteConnection,
    sessions: &BTreeSet<SessionId>,
    at: Wall,
) -> Result<(), sqlx::Error> {
    for id in sessions {
        let insert = "INSERT OR REPLACE INTO leaving (session, since, counted, told) VALUES (?, ?, 1, 0)";
        sqlx::query(insert).bind(number(id.0)).bind(at.0).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Nothing stands against these any more. What was discarded stays discarded.
pub(in crate::store) async fn pardoned(
    connection: &mut SqliteConnection,
    sessions: &[SessionId],
) -> Result<(), sqlx::Error> {
    const LEAVE: &str = "DELETE FROM batch_session WHERE session = ? \
         AND batch IN (SELECT id FROM batch WHERE decision IS NULL OR decision = 'released')";
    for id in sessions {
        for sql in ["DELETE FROM leaving WHERE session = ?", LEAVE] {
            sqlx::query(sql).bind(number(id.0)).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

pub(super) async fn past(connection: &mut SqliteConnection, since: Wall) -> Result<Past, sqlx::Error> {
    const BATCHES: &str = "SELECT b.id, b.reason, b.authority, b.since, b.decision, s.session FROM batch b \
         JOIN batch_session s ON s.batch = b.id JOIN session live ON live.id = s.session AND live.ended IS NULL ORDER BY b.id";
    const LEFT: &str =
        "SELECT l.session, l.told FROM leaving l JOIN session live ON live.id = l.session AND live.ended IS NULL";
    const COUNTED: &str = "SELECT since, count(*) FROM leaving WHERE counted = 1 AND since > ? GROUP BY since";
    let mut past = Past::default();
    let (mut held, mut discarded) = (BTreeMap::new(), BTreeMap::new());
    for row in sqlx::query(BATCHES).fetch_all(&mut *connection).await? {
        let id = session(row.try_get(5)?)?;
        match row.try_get::<Option<&str>, _>(4)? {
            None => join(&mut held, &row, id)?,
            Some("discarded") => join(&mut discarded, &row, id)?,
            Some(_) => drop(past.left.insert(id, false)),
        }
    }
    (past.held, past.discarded) = (held.into_values().collect(), discarded.into_values().collect());
    for row in sqlx::query(LEFT).fetch_all(&mut *connection).await? {
        past.left.insert(session(row.try_get(0)?)?, row.try_get(1)?);
    }
    for row in sqlx::query(COUNTED).bind(since.0).fetch_all(connection).await? {
        let count = usize::try_from(row.try_get::<i64, _>(1)?).unwrap_or(usize::MAX);
        past.counted.push((Wall(row.try_get(0)?), count));
    }
    Ok(past)
}

fn join(batches: &mut BTreeMap<BatchId, Batch>, row: &SqliteRow, id: SessionId) -> Result<(), sqlx::Error> {
    let name = BatchId(session(row.try_get(0)?)?.0);
    let (cause, since) = (cause(row.try_get(1)?, row.try_get(2)?)?, Wall(row.try_get(3)?));
    let batch = batches.entry(name).or_insert_with(|| Batch { id: name, cause, since, sessions: BTreeSet::new() });
    batch.sessions.insert(id);
    Ok(())
}
