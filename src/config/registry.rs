//! `[registry]`

use std::net::SocketAddr;
use std::time::Duration;

use super::reader::{Item, Table};
use crate::store::{Columns, Settings};

/// eduroam asks for six months.
const RETAIN: Duration = Duration::from_secs(180 * 86_400);
/// Below, an operator could not even find out what happened yesterday.
const SHORTEST: Duration = Duration::from_secs(86_400);

/// A CA takes from ten minutes to days.
const UNCONFIRMED: Duration = Duration::from_secs(3 * 86_400);

/// Live sessions, where `max-sessions` isn't given.
const MAX_SESSIONS: u64 = 200_000;

/// `[registry]`
pub(super) struct Registry {
    /// `None`: nothing is kept.
    pub(super) settings: Option<Settings>,
    /// `max-sessions`
    pub(super) max_sessions: usize,
}

/// Without the section every key has its default. `accounting`: where records come in, which must be kept.
pub(super) fn registry(mut table: Table<'_>, accounting: &[SocketAddr]) -> Registry {
    let max_sessions = table.integer("max-sessions", 1_000..=10_000_000, MAX_SESSIONS);
    let database = table.take("database");
    let is_kept = database.as_ref().is_none_or(is_kept);
    if let Some(database) = database.filter(|_| !is_kept && !accounting.is_empty()) {
        database.error("[listen].accounting is open, and no record may be answered that isn't kept; write \"sqlite\", or close that door");
    }
    let settings = settings(table);
    Registry {
        settings: is_kept.then_some(settings),
        max_sessions: usize::try_from(max_sessions).unwrap_or(usize::MAX),
    }
}

/// Whether anything is; what is wrong counts as wished.
fn is_kept(database: &Item<'_>) -> bool {
    match database.text() {
        None | Some("sqlite") => true,
        Some("none") => false,
        Some(text) if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            database.not_built("the registry in PostgreSQL");
            true
        }
        Some(text) => {
            database.error(format!("\"{text}\" is no database; write \"sqlite\", which is kept in state-dir, or \"none\": nobody can be blocked here then"));
            true
        }
    }
}

fn settings(mut table: Table<'_>) -> Settings {
    let authentications = table.take("retain-authentications").and_then(|item| retain(&item));
    let sessions = table.take("retain-sessions").and_then(|item| retain(&item));
    let unconfirmed_after = table.take("unconfirmed-after").and_then(|item| item.duration());
    let blocks_requested = table.choice("requested", &[("status", false), ("block", true)], false);
    let columns = table.table("import-columns").map(columns).unwrap_or_default();
    table.finish();
    Settings {
        retain_authentications: authentications.unwrap_or(RETAIN),
        retain_sessions: sessions.unwrap_or(RETAIN),
        unconfirmed_after: unconfirmed_after.unwrap_or(UNCONFIRMED),
        blocks_requested,
        columns,
    }
}

fn retain(item: &Item<'_>) -> Option<Duration> {
    let retain = item.duration()?;
    if retain < SHORTEST {
        item.warning("less than a day is kept: nobody could find out tomorrow why somebody was refused today");
    }
    Some(retain)
}

fn columns(mut table: Table<'_>) -> Columns {
    let otherwise = Columns::default();
    let mut column = |key, otherwise: usize| {
        let number = table.integer(key, 0..=1000, u64::try_from(otherwise).unwrap_or(0));
        usize::try_from(number).unwrap_or(otherwise)
    };
    let columns = Columns {
        application: column("application", otherwise.application),
        subject: column("subject", otherwise.subject),
        mail: column("mail", otherwise.mail),
        serial: column("serial", otherwise.serial),
        authority: column("authority", otherwise.authority),
        status: column("status", otherwise.status),
    };
    table.finish();
    columns
}
