//! Certificates that have come to be known lately.

use sqlx::{QueryBuilder, Sqlite};

use super::certificates::{record, select};
use super::{Failure, Record, Store};
use crate::now::Wall;

impl Store {
    /// Issued certificates after a row, or first judged at a login since a time, in the order of their rows.
    pub async fn fresh(&self, after: i64, since: Wall, most: i64) -> Result<Vec<Record>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query: QueryBuilder<Sqlite> = select();
                // Two look-ups in two indexes, whatever there is.
                query.push(" FROM certificate c WHERE c.serial IS NOT NULL AND c.id IN (SELECT id FROM (SELECT id FROM certificate WHERE serial IS NOT NULL AND id > ");
                query.push_bind(after).push(" ORDER BY id LIMIT ").push_bind(most);
                query.push(") UNION SELECT id FROM (SELECT id FROM certificate WHERE first_seen >= ").push_bind(since.0);
                query.push(" ORDER BY first_seen LIMIT ").push_bind(most).push(")) ORDER BY c.id");
                query.build().fetch_all(connection).await?.iter().map(record).collect()
            })
        })
        .await
    }
}
