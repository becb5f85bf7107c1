//! Accounting records and sessions.

mod live;
mod records;

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::SqliteConnection;

pub use live::Wanted;

use live::Fates;

use super::{Failure, Store, disconnects};
use crate::now::Wall;
use crate::sessions::disconnect::{Batch, Disconnected};
use crate::sessions::{End, Kept, Record, SessionId};

/// Sessions and records of one COMMIT at most, when old ones are thrown away: nobody waits long for it.
const PURGED_AT_ONCE: i64 = 250;

/// Something to be written into the books, in its order.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A record; one that is there already stays as it is.
    Record(Box<Record>),
    /// A session is like this now.
    Put(Box<Kept>),
    /// These have ended.
    Ended(Vec<SessionId>, End, Wall),
    /// These have to go, and wait for an operator.
    Held(Box<Batch>),
    /// These go by themselves.
    Going(BTreeSet<SessionId>, Wall),
    /// What became of one that was to end.
    Told(Box<Disconnected>, Wall),
    /// Nothing stands against these any more.
    Pardoned(Vec<SessionId>),
}

impl Store {
    /// Writes all of these, or none.
    pub(crate) async fn enter(&self, entries: Arc<[Entry]>) -> Result<(), Failure> {
        self.write(move |connection| Box::pin(async move { enter(connection, &entries).await })).await
    }

    /// Throws away records of before a time, sessions that had ended by then and what became of those that were to end, some of them; how many. To be called again until there are none.
    pub(crate) async fn purge_sessions(&self, before: Wall) -> Result<u64, Failure> {
        let purge = [
            "DELETE FROM accounting WHERE id IN (SELECT id FROM accounting WHERE happened < ? LIMIT ?)",
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE ended < ? LIMIT ?)",
        ];
        self.write(move |connection| {
            Box::pin(async move {
                let mut purged = 0;
                for sql in purge {
                    let query = sqlx::query(sql).bind(before.0).bind(PURGED_AT_ONCE);
                    purged += query.execute(&mut *connection).await?.rows_affected();
                }
                purged += disconnects::forget(connection, before, PURGED_AT_ONCE).await?;
                Ok(purged)
            })
        })
        .await
    }
}

async fn enter(connection: &mut SqliteConnection, entries: &[Entry]) -> Result<(), sqlx::Error> {
    // What is written at once says nothing of the sessions' own rows.
    let mut fates = Fates::default();
    for entry in entries {
        match entry {
            Entry::Record(record) => records::insert(connection, record).await?,
            Entry::Put(kept) => fates.put(kept),
            Entry::Ended(ids, why, at) => fates.ended(ids, *why, *at),
            Entry::Held(batch) => disconnects::held(connection, batch).await?,
            Entry::Going(ids, at) => disconnects::going(connection, ids, *at).await?,
            Entry::Told(done, at) => disconnects::told(connection, done, *at).await?,
            Entry::Pardoned(ids) => disconnects::pardoned(connection, ids).await?,
        }
    }
    fates.write(connection).await
}
