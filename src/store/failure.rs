//! Why a change or a look was not made.

use std::fmt;
use std::sync::Arc;

/// Why a change or a look was not made. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Too much waits, or it took too long: try again later.
    Busy,
    /// The file can't be used: the disk is full, or it is damaged.
    Unusable(Arc<str>),
    /// The database refuses this change.
    Refused(Arc<str>),
    /// It contradicts what is known.
    Conflict(Arc<str>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the registry has too much to do"),
            Self::Unusable(why) => write!(f, "the registry can't be used: {why}"),
            Self::Refused(why) => write!(f, "the registry refuses it: {why}"),
            Self::Conflict(why) => write!(f, "this contradicts what is known: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

/// SQLite's primary result codes that say something of a statement alone: ERROR, CONSTRAINT, TOOBIG, MISMATCH, RANGE.
const OF_THE_STATEMENT: [u32; 5] = [1, 19, 18, 20, 25];

impl Failure {
    pub(super) fn stopped() -> Self {
        Self::Unusable("it has stopped".into())
    }

    /// What doesn't concern one statement alone concerns the file.
    pub(super) fn of(error: &sqlx::Error) -> Self {
        let text = |error: &dyn fmt::Display| Arc::from(error.to_string());
        match error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Database(database) if is_of_the_statement(database.code().as_deref()) => {
                Self::Refused(text(database))
            }
            sqlx::Error::Database(database) => Self::Unusable(text(database)),
            sqlx::Error::Encode(_)
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::RowNotFound => Self::Refused(text(error)),
            _ => Self::Unusable(text(error)),
        }
    }
}

fn is_of_the_statement(code: Option<&str>) -> bool {
    // The extended code's low octet is the primary one.
    let primary = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    primary.is_some_and(|primary| OF_THE_STATEMENT.contains(&primary))
}
