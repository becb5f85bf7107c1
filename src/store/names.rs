//! The names of issued certificates, walked along one index without their rows, however many there are; and the rows of a few.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::certificates::{record, select};
use super::{Failure, Record, Store};
use crate::now::Wall;

/// Where a page of certificates by their end ended: the end as lists have it, and the row.
pub type Place = (i64, i64);

impl Store {
    /// The last row that there is; 0: none.
    pub(crate) async fn last_row(&self) -> Result<i64, Failure> {
        let last = "SELECT coalesce(max(id), 0) FROM certificate";
        self.read(move |connection| Box::pin(async move { sqlx::query_scalar(last).fetch_one(connection).await })).await
    }

    /// The authorities of certificates that have a serial; `None`: of none.
    pub async fn named_authorities(&self) -> Result<Vec<Option<String>>, Failure> {
        // A leap along the index for each; the last finds none, which stands for certificates of none.
        let leap = "WITH RECURSIVE one (name) AS (SELECT min(authority) FROM certificate INDEXED BY certificate_name \
             UNION ALL SELECT (SELECT min(authority) FROM certificate INDEXED BY certificate_name WHERE authority > name) FROM one WHERE name IS NOT NULL) SELECT name FROM one";
        self.read(move |connection| Box::pin(async move { sqlx::query_scalar(leap).fetch_all(connection).await })).await
    }

    /// Serials of an authority's certificates in the order of their texts, after one; as many as that, each at least once.
    pub async fn serials(&self, authority: Option<String>, after: String, most: i64) -> Result<Vec<String>, Failure> {
        // All in one value: what a row costs on its way here is more than what it costs to be found.
        let page = "SELECT group_concat(serial, ' ') FROM (SELECT serial FROM certificate INDEXED BY certificate_name WHERE authority IS ? AND serial > ? ORDER BY serial LIMIT ?)";
        self.read(move |connection| {
            Box::pin(async move {
                let query = sqlx::query_scalar(page).bind(authority).bind(after).bind(most);
                let serials: Option<String> = query.fetch_one(connection).await?;
                Ok(serials.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect())
            })
        })
        .await
    }

    /// Those of an authority's certificates with these serials of which it isn't written that the authority has revoked them.
    pub(crate) async fn unrevoked(
        &self,
        authority: Option<String>,
        serials: Vec<String>,
    ) -> Result<Vec<Record>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query: QueryBuilder<Sqlite> = select();
                query
                    .push(" FROM certificate c INDEXED BY certificate_name WHERE c.authority IS ")
                    .push_bind(authority);
                query.push(" AND c.serial IN (SELECT value FROM json_each(");
                query.push_bind(serde_json::Value::from(serials).to_string()).push(")) AND c.revoked IS NULL");
                query.build().fetch_all(connection).await?.iter().map(record).collect()
            })
        })
        .await
    }

    /// Certificates of which it is written that their authority has revoked them, that end at a time or later, after a place; and the place of the last.
    pub(crate) async fn written_revoked(
        &self,
        ends: Wall,
        after: Option<Place>,
        most: i64,
    ) -> Result<(Vec<Record>, Option<Place>), Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query: QueryBuilder<Sqlite> = select();
                query.push(", c.ends AS place FROM certificate c INDEXED BY certificate_other WHERE c.state = 0 AND c.state <> 2 AND c.revoked IS NOT NULL AND (c.ends, c.id) > (");
                let (end, row) = after.unwrap_or((ends.0.saturating_sub(1), i64::MAX));
                query.push_bind(end).push(", ").push_bind(row).push(") ORDER BY c.ends, c.id LIMIT ").push_bind(most);
                let rows = query.build().fetch_all(connection).await?;
                let records: Vec<_> = rows.iter().map(record).collect::<Result<_, _>>()?;
                let place = rows.last().map(|row| Ok::<_, sqlx::Error>((row.try_get("place")?, row.try_get("id")?)));
                Ok((records, place.transpose()?))
            })
        })
        .await
    }
}
