//! The audit.

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::record::Audited;
use super::{Failure, Store};
use crate::now::Wall;

impl Store {
    /// Keeps a line.
    pub async fn audit(&self, line: Audited) -> Result<(), Failure> {
        self.write(move |connection| Box::pin(async move { insert(connection, &line).await })).await
    }

    /// Lines, the newest first, below a number.
    pub async fn audited(&self, below: Option<i64>, most: i64) -> Result<Vec<Audited>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Sqlite>::new(
                    "SELECT id, at, caller, role, action, target, detail FROM audit WHERE id < ",
                );
                query.push_bind(below.unwrap_or(i64::MAX)).push(" ORDER BY id DESC LIMIT ").push_bind(most);
                let rows = query.build().fetch_all(connection).await?;
                let line = |row: &sqlx::sqlite::SqliteRow| {
                    Ok(Audited {
                        row: row.try_get(0)?,
                        at: Wall(row.try_get(1)?),
                        caller: row.try_get(2)?,
                        role: row.try_get(3)?,
                        action: row.try_get(4)?,
                        target: row.try_get(5)?,
                        detail: row.try_get(6)?,
                    })
                };
                rows.iter().map(line).collect()
            })
        })
        .await
    }
}

pub(super) async fn insert(connection: &mut SqliteConnection, line: &Audited) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO audit (at, caller, role, action, target, detail) VALUES (?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(insert).bind(line.at.0).bind(&line.caller).bind(&line.role).bind(&line.action);
    query.bind(&line.target).bind(&line.detail).execute(connection).await.map(drop)
}
