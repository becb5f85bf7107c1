//! How many certificates there are of each kind.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::lists::Distrusted;
use super::{Failure, Store, walk};
use crate::now::Wall;

/// How many certificates there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Revoked by their authority.
    pub revoked: u64,
    /// A revocation is asked for.
    pub requested: u64,
    /// Issued, and distrusted.
    pub distrusted: u64,
    /// Else past their end.
    pub expired: u64,
    /// Neither.
    pub valid: u64,
    /// Not issued yet.
    pub applied: u64,
    /// Of those that a revocation is asked for: blocked here.
    pub unconfirmed: u64,
    /// Since when the oldest of them is.
    pub oldest: Option<Wall>,
    /// Of them: since before the time that was asked for.
    pub overdue: u64,
}

/// Of those that are blocked here and not revoked: how many, since when, how many since before a time.
const BLOCKED: &str = "SELECT count(*), min(requested), count(*) FILTER (WHERE requested < ?) FROM certificate WHERE block = 1 AND state = 1";

impl Store {
    /// Counts certificates, along one index; `overdue`: blocked before that and not revoked by their authority.
    pub(crate) async fn census(&self, now: Wall, distrusts: Vec<Distrusted>, overdue: Wall) -> Result<Census, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let row = question(now, &distrusts).build().fetch_one(&mut *connection).await?;
                let count = |column: usize| row.try_get::<f64, _>(column).map(|count| count as u64);
                let (issued, distrusted, expired) = (count(3)?, count(4)?, count(5)?);
                let blocked = sqlx::query(BLOCKED).bind(overdue.0).fetch_one(connection).await?;
                Ok(Census {
                    revoked: count(0)?,
                    requested: count(1)?,
                    applied: count(2)?,
                    distrusted,
                    expired,
                    valid: issued.saturating_sub(distrusted).saturating_sub(expired),
                    unconfirmed: blocked.try_get::<i64, _>(0)?.unsigned_abs(),
                    oldest: blocked.try_get::<Option<i64>, _>(1)?.map(Wall),
                    overdue: blocked.try_get::<i64, _>(2)?.unsigned_abs(),
                })
            })
        })
        .await
    }
}

fn question(now: Wall, distrusts: &[Distrusted]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "SELECT total(c.state = 0), total(c.state = 1), total(c.state = 3), total(c.state = 2), total(c.state = 2 AND",
    );
    walk::distrusted(&mut query, distrusts);
    query.push("), total(c.state = 2 AND NOT");
    walk::distrusted(&mut query, distrusts);
    query.push(" AND c.ends < ").push_bind(now.0).push(") FROM certificate c INDEXED BY certificate_state");
    query
}
