//! Lists of certificates, page by page, quick at a million of them: each walks along an index from where the page before ended.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::certificates::{record, select};
use super::record::Record;
use super::{Failure, Store};
use crate::now::Wall;

/// Where a page of a list ended: what the list is sorted by, and the row.
pub type Position = (String, i64);

/// Which certificates; everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// By what is known of them.
    pub state: Option<State>,
    /// Beginning of mail, CN or serial, in lower case.
    pub prefix: Option<String>,
    /// Name of the authority.
    pub authority: Option<String>,
    /// notAfter from … to, both inclusive; sorted by it.
    pub ends: Option<(Wall, Wall)>,
    /// Never judged at a login.
    pub unseen: bool,
    /// Blocked here, since before a time.
    pub blocked_before: Option<Wall>,
}

/// What certificates are like, with the time and with what is distrusted.
#[derive(Clone, Debug)]
pub enum State {
    /// Their authority has revoked them.
    Revoked,
    /// A revocation is asked for.
    Requested,
    /// Not issued yet.
    Applied,
    /// Issued, and nothing else stands against them but this.
    Issued {
        /// When it is asked.
        now: Wall,
        /// What is distrusted then.
        distrusts: Vec<Distrusted>,
        /// What of them is wanted.
        wanted: Issued,
    },
}

/// What is wanted of certificates that are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// Distrusted.
    Distrusted,
    /// Else past their end.
    Expired,
    /// Neither.
    Valid,
}

/// Certificates of an authority that are distrusted, by their notBefore.
#[derive(Clone, Debug)]
pub struct Distrusted {
    /// Name of the authority.
    pub authority: String,
    /// Before this; `None`: any.
    pub issued_before: Option<Wall>,
    /// After this; `None`: any.
    pub issued_after: Option<Wall>,
}

impl Store {
    /// A page of a list, after a position.
    pub async fn certificates(
        &self,
        which: Certificates,
        after: Option<Position>,
        most: i64,
    ) -> Result<Vec<(Record, Position)>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = question(&which, after.as_ref(), most);
                let rows = query.build().fetch_all(connection).await?;
                let item = |row: &sqlx::sqlite::SqliteRow| {
                    let record = record(row)?;
                    let key: String = row.try_get("key")?;
                    let position = (key, record.row);
                    Ok((record, position))
                };
                rows.iter().map(item).collect()
            })
        })
        .await
    }
}

/// Sorted by key where a prefix is asked for, by end where that is, else by row.
fn question(which: &Certificates, after: Option<&Position>, most: i64) -> QueryBuilder<Sqlite> {
    let mut query = select();
    let order = match (&which.prefix, which.ends) {
        (Some(prefix), _) => {
            by_key(&mut query, prefix, after);
            "s.key, s.certificate"
        }
        (None, Some(_)) => {
            query.push(", CAST(c.not_after AS TEXT) AS key FROM certificate c WHERE true");
            if let Some((key, row)) = after {
                let end: i64 = key.parse().unwrap_or(i64::MAX);
                query.push(" AND (c.not_after, c.id) > (").push_bind(end).push(", ").push_bind(*row).push(")");
            }
            "c.not_after, c.id"
        }
        (None, None) => {
            query.push(", '' AS key FROM certificate c WHERE c.id > ").push_bind(after.map_or(0, |(_, row)| *row));
            "c.id"
        }
    };
    narrow(&mut query, which);
    query.push(" ORDER BY ").push(order).push(" LIMIT ").push_bind(most);
    query
}

/// Each certificate once, at the first of its keys that begins so.
fn by_key(query: &mut QueryBuilder<Sqlite>, prefix: &str, after: Option<&Position>) {
    query.push(", s.key AS key FROM search s CROSS JOIN certificate c ON c.id = s.certificate WHERE s.key >= ");
    query.push_bind(prefix.to_owned());
    if let Some(end) = end_of(prefix) {
        query.push(" AND s.key < ").push_bind(end);
    }
    if let Some((key, row)) = after {
        query.push(" AND (s.key, s.certificate) > (").push_bind(key.clone()).push(", ").push_bind(*row).push(")");
    }
    query.push(
        " AND NOT EXISTS (SELECT 1 FROM search o WHERE o.certificate = s.certificate AND o.key < s.key AND o.key >= ",
    );
    query.push_bind(prefix.to_owned()).push(")");
}

/// The first text that is beyond all with a prefix; `None`: there is none.
fn end_of(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = ((u32::from(last) + 1)..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

fn narrow(query: &mut QueryBuilder<Sqlite>, which: &Certificates) {
    match &which.state {
        None => {}
        Some(State::Revoked) => drop(query.push(" AND c.state = 0")),
        Some(State::Requested) => drop(query.push(" AND c.state = 1")),
        Some(State::Applied) => drop(query.push(" AND c.state = 3")),
        Some(State::Issued { now, distrusts, wanted }) => {
            query.push(" AND c.state = 2 AND");
            if *wanted != Issued::Distrusted {
                query.push(" NOT");
            }
            distrusted(query, distrusts);
            match wanted {
                Issued::Distrusted => {}
                Issued::Expired => expired(query.push(" AND"), *now),
                Issued::Valid => expired(query.push(" AND NOT"), *now),
            }
        }
    }
    if let Some(authority) = &which.authority {
        query.push(" AND c.authority = ").push_bind(authority.clone());
    }
    if let Some((from, to)) = which.ends {
        query.push(" AND c.not_after >= ").push_bind(from.0).push(" AND c.not_after <= ").push_bind(to.0);
    }
    if which.unseen {
        query.push(" AND c.last_seen IS NULL");
    }
    if let Some(before) = which.blocked_before {
        query.push(" AND c.requested IS NOT NULL AND c.block = 1 AND c.requested <= ").push_bind(before.0);
    }
}

/// Whether they are distrusted.
fn distrusted(query: &mut QueryBuilder<Sqlite>, distrusts: &[Distrusted]) {
    query.push(" (false");
    for Distrusted { authority, issued_before, issued_after } in distrusts {
        query.push(" OR (coalesce(c.authority, '') = ").push_bind(authority.clone());
        if let Some(before) = issued_before {
            query.push(" AND coalesce(c.not_before, 0) < ").push_bind(before.0);
        }
        if let Some(after) = issued_after {
            query.push(" AND coalesce(c.not_before, 0) > ").push_bind(after.0);
        }
        query.push(")");
    }
    query.push(")");
}

/// Whether they are past their end, or, where nobody knows that, a list says so.
fn expired(query: &mut QueryBuilder<Sqlite>, now: Wall) {
    query.push(" (coalesce(c.not_after, iif(c.listed = 'expired', -9223372036854775808, 9223372036854775807)) < ");
    query.push_bind(now.0).push(")");
}

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

impl Store {
    /// Counts certificates; `overdue`: blocked before that and not revoked by their authority.
    pub async fn census(&self, now: Wall, distrusts: Vec<Distrusted>, overdue: Wall) -> Result<Census, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT total(c.state = 0), total(c.state = 1), total(c.state = 3), total(c.state = 2), total(c.state = 2 AND");
                distrusted(&mut query, &distrusts);
                query.push("), total(c.state = 2 AND NOT");
                distrusted(&mut query, &distrusts);
                expired(query.push(" AND"), now);
                query.push(") FROM certificate c");
                let row = query.build().fetch_one(&mut *connection).await?;
                let count = |column: usize| row.try_get::<f64, _>(column).map(|count| count as u64);
                let (issued, distrusted, expired) = (count(3)?, count(4)?, count(5)?);
                let blocked = "SELECT count(*), min(requested), count(*) FILTER (WHERE requested < ?) FROM certificate WHERE block = 1 AND state = 1";
                let blocked = sqlx::query(blocked).bind(overdue.0).fetch_one(connection).await?;
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
