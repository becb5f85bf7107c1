//! Lists of certificates, page by page: walked along an index in the list's own order from where the page before ended, so that a page costs the same whatever else there is.
//!
//! Those that were issued are walked authority by authority, merged: an authority that is distrusted as a whole is left out, or is all that is walked.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::certificates::{record, select};
use super::lists::{Certificates, Distrusted, Issued, Position, State};
use super::record::Record;
use super::{Failure, Store};

/// So few keys are looked through for whatever else is asked for. Tests have fewer certificates.
const FEW_KEYS: i64 = if cfg!(test) { 50 } else { 2_000 };
/// So few certificates are looked through for their keys.
const FEW_CANDIDATES: i64 = if cfg!(test) { 500 } else { 20_000 };

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
                let page = question(connection, &which, after.as_ref(), most).await?;
                let Some(mut page) = page else { return Ok(Vec::new()) };
                let rows = page.build().fetch_all(connection).await?;
                let item = |row: &SqliteRow| {
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

/// What a list is sorted by, and then by the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// The first of a certificate's keys that begins so.
    Key,
    /// When a revocation was asked for.
    Requested,
    /// When it ends.
    Ends,
    /// Nothing but the row.
    Row,
}

impl Order {
    fn of(which: &Certificates) -> Self {
        let Certificates { state, prefix, authority, ends, unseen, blocked_before } = which;
        if prefix.is_some() {
            Self::Key
        } else if blocked_before.is_some() {
            Self::Requested
        } else if state.is_some() || authority.is_some() || ends.is_some() || *unseen {
            Self::Ends
        } else {
            Self::Row
        }
    }

    /// What it is, and the row.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Key => ("s.key", "s.certificate"),
            Self::Requested => ("c.requested", "c.id"),
            Self::Ends => ("c.ends", "c.id"),
            Self::Row => ("c.id", "c.id"),
        }
    }
}

/// What of certificates stands together in an index.
#[derive(Debug)]
struct Part {
    index: &'static str,
    /// Those of an authority alone; `Some(None)`: of none.
    authority: Option<Option<String>>,
}

/// A page of a list; `None`: there is nothing in it.
async fn question(
    connection: &mut SqliteConnection,
    which: &Certificates,
    after: Option<&Position>,
    most: i64,
) -> Result<Option<QueryBuilder<Sqlite>>, sqlx::Error> {
    let order = Order::of(which);
    let parts = match parts(connection, which).await? {
        Some(parts) if parts.is_empty() => return Ok(None),
        Some(parts) if order != Order::Key || is_narrow(connection, which, &parts).await? => parts,
        _ => Vec::new(),
    };
    let mut query = QueryBuilder::new("");
    if parts.is_empty() {
        page(&mut query, which, order, None, after);
    }
    for (number, part) in parts.iter().enumerate() {
        query.push(if number > 0 { " UNION ALL " } else { "" });
        page(&mut query, which, order, Some(part), after);
    }
    query.push(" ORDER BY place, number LIMIT ").push_bind(most);
    Ok(Some(query))
}

/// What is to be walked; `None`: all.
async fn parts(connection: &mut SqliteConnection, which: &Certificates) -> Result<Option<Vec<Part>>, sqlx::Error> {
    let index = match which {
        Certificates { state: Some(State::Issued { .. }), unseen: true, .. } => "certificate_unseen",
        Certificates { blocked_before: Some(_), .. } => "certificate_blocked",
        Certificates { state: Some(State::Issued { .. }), .. }
        | Certificates { state: Some(_), authority: Some(_), .. } => "certificate_state",
        Certificates { state: Some(_), .. } => "certificate_other",
        Certificates { authority: Some(_), .. } => "certificate_authority",
        Certificates { ends: Some(_), .. } => "certificate_ends",
        _ => return Ok(None),
    };
    let Some(State::Issued { distrusts, wanted, .. }) = &which.state else {
        return Ok(Some(vec![Part { index, authority: None }]));
    };
    let authorities = match &which.authority {
        Some(authority) => vec![Some(authority.clone())],
        None => authorities(connection).await?,
    };
    let walked = authorities.into_iter().filter(|authority| may_hold(authority.as_deref(), distrusts, *wanted));
    Ok(Some(walked.map(|authority| Part { index, authority: Some(authority) }).collect()))
}

/// Whether what is wanted can be an authority's.
fn may_hold(authority: Option<&str>, distrusts: &[Distrusted], wanted: Issued) -> bool {
    let mut concerned = distrusts.iter().filter(|one| Some(&*one.authority) == authority);
    match wanted {
        Issued::Distrusted => concerned.next().is_some(),
        Issued::Expired | Issued::Valid => {
            !concerned.any(|one| one.issued_before.is_none() && one.issued_after.is_none())
        }
    }
}

/// The authorities of those that were issued: a leap along the index for each.
async fn authorities(connection: &mut SqliteConnection) -> Result<Vec<Option<String>>, sqlx::Error> {
    let leap = "WITH RECURSIVE one (name) AS (SELECT min(authority) FROM certificate INDEXED BY certificate_state WHERE state = 2 \
         UNION ALL SELECT (SELECT min(authority) FROM certificate INDEXED BY certificate_state WHERE state = 2 AND authority > name) FROM one WHERE name IS NOT NULL) SELECT name FROM one";
    // The last leap finds none, which stands for certificates of none.
    sqlx::query_scalar(leap).fetch_all(connection).await
}

/// Whether it is quicker to look through what else is asked for than through what begins so.
async fn is_narrow(
    connection: &mut SqliteConnection,
    which: &Certificates,
    parts: &[Part],
) -> Result<bool, sqlx::Error> {
    let Some(prefix) = which.prefix.as_deref() else { return Ok(false) };
    let mut query = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM search s WHERE true");
    begins(&mut query, prefix, None);
    query.push(" LIMIT ").push_bind(FEW_KEYS).push(")");
    if query.build_query_scalar::<i64>().fetch_one(&mut *connection).await? < FEW_KEYS {
        return Ok(false);
    }
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    for (number, part) in parts.iter().enumerate() {
        query.push(if number > 0 { " UNION ALL SELECT 1" } else { "SELECT 1" });
        from(&mut query, Some(part), false);
        narrow(&mut query, which, Some(part), true);
    }
    query.push(" LIMIT ").push_bind(FEW_CANDIDATES).push(")");
    Ok(query.build_query_scalar::<i64>().fetch_one(connection).await? < FEW_CANDIDATES)
}

/// What of a page is in a part; `part`: `None`: along the keys, or the rows.
fn page(
    query: &mut QueryBuilder<Sqlite>,
    which: &Certificates,
    order: Order,
    part: Option<&Part>,
    after: Option<&Position>,
) {
    let (place, number) = order.columns();
    query
        .push(select().into_string())
        .push(", ")
        .push(place)
        .push(" AS place, ")
        .push(number)
        .push(" AS number, CAST(");
    query.push(place).push(" AS TEXT) AS key");
    from(query, part, order == Order::Key);
    if let Some(prefix) = &which.prefix {
        begins(query, prefix, after);
        first_key(query, prefix);
    } else if let Some((key, row)) = after {
        let ended: i64 = key.parse().unwrap_or(i64::MAX);
        match order {
            Order::Row => query.push(" AND c.id > ").push_bind(*row),
            _ => {
                query.push(" AND (").push(place).push(", c.id) > (").push_bind(ended).push(", ");
                query.push_bind(*row).push(")")
            }
        };
    }
    narrow(query, which, part, after.is_none());
}

fn from(query: &mut QueryBuilder<Sqlite>, part: Option<&Part>, with_keys: bool) {
    match (part, with_keys) {
        (None, true) => query.push(" FROM search s CROSS JOIN certificate c ON c.id = s.certificate WHERE true"),
        (None, false) => query.push(" FROM certificate c WHERE true"),
        (Some(part), with_keys) => {
            query.push(" FROM certificate c INDEXED BY ").push(part.index);
            query.push(if with_keys { " CROSS JOIN search s ON s.certificate = c.id" } else { "" }).push(" WHERE true")
        }
    };
}

/// Keys that begin so, from where a page ended: one bound below, or SQLite may walk from the other.
fn begins(query: &mut QueryBuilder<Sqlite>, prefix: &str, after: Option<&Position>) {
    match after {
        Some((key, row)) => {
            query.push(" AND (s.key, s.certificate) > (").push_bind(key.clone()).push(", ");
            query.push_bind(*row).push(")")
        }
        None => query.push(" AND s.key >= ").push_bind(prefix.to_owned()),
    };
    if let Some(end) = end_of(prefix) {
        query.push(" AND s.key < ").push_bind(end);
    }
}

/// Each certificate once, at the first of its keys that begins so.
fn first_key(query: &mut QueryBuilder<Sqlite>, prefix: &str) {
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

/// What else is asked for; `is_first`: there was no page before, whose end is the bound below.
fn narrow(query: &mut QueryBuilder<Sqlite>, which: &Certificates, part: Option<&Part>, is_first: bool) {
    match &which.state {
        None => {}
        Some(State::Revoked) => drop(query.push(" AND c.state = 0 AND c.state <> 2")),
        Some(State::Requested) => drop(query.push(" AND c.state = 1 AND c.state <> 2")),
        Some(State::Applied) => drop(query.push(" AND c.state = 3 AND c.state <> 2")),
        Some(State::Issued { distrusts, wanted, .. }) => {
            query.push(" AND c.state = 2").push(if *wanted == Issued::Distrusted { " AND" } else { " AND NOT" });
            distrusted(query, distrusts);
        }
    }
    let of_part = part.and_then(|part| part.authority.clone());
    if let Some(authority) = of_part.or_else(|| which.authority.clone().map(Some)) {
        query.push(" AND c.authority IS ").push_bind(authority);
    }
    let (from, to) = window(which);
    if from > i64::MIN && (is_first || which.prefix.is_some()) {
        query.push(" AND c.ends >= ").push_bind(from);
    }
    if to < i64::MAX {
        query.push(" AND c.ends <= ").push_bind(to);
    }
    if which.unseen {
        query.push(" AND c.last_seen IS NULL");
    }
    if let Some(before) = which.blocked_before {
        query.push(" AND c.block = 1 AND c.requested <= ").push_bind(before.0);
    }
}

/// From when to when they end, both inclusive.
fn window(which: &Certificates) -> (i64, i64) {
    // Whose end isn't known ends at no time that can be asked for.
    let (from, to) = which.ends.map_or((i64::MIN, i64::MAX), |(from, to)| (from.0, to.0.min(i64::MAX - 1)));
    match &which.state {
        Some(State::Issued { now, wanted: Issued::Expired, .. }) => (from, to.min(now.0.saturating_sub(1))),
        Some(State::Issued { now, wanted: Issued::Valid, .. }) => (from.max(now.0), to),
        _ => (from, to),
    }
}

/// Whether they are distrusted.
pub(super) fn distrusted(query: &mut QueryBuilder<Sqlite>, distrusts: &[Distrusted]) {
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
