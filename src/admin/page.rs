//! Lists come in pages.

use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// The query's keys that every list knows.
pub(super) const KEYS: [&str; 2] = ["limit", "cursor"];
/// Items of a page where nobody says how many.
pub(super) const LIMIT: usize = 50;
/// Most items of a page.
pub(super) const MOST: usize = 1000;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Page<T> {
    /// What there is.
    pub(super) items: Vec<T>,
    /// Asks for what follows; null at the end.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of something else.
    pub(super) fn map<U>(self, other: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(other).collect(), next: self.next }
    }
}

/// How much of a list is asked for, and from where on.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) limit: Option<String>,
    pub(super) cursor: Option<String>,
}

/// `limit`, as it counts.
pub(super) fn limit(asked: Option<&str>) -> Result<usize, Problem> {
    let limit = asked.map_or(Some(LIMIT), |asked| asked.parse().ok());
    limit.filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| {
        Problem::bad_request("the query can't be read").field("limit", format!("must be from 1 to {MOST}"))
    })
}
