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
    /// `None`: the section isn't there, and nothing is kept.
    pub(super) settings: Option<Settings>,
    /// `max-sessions`
    pub(super) max_sessions: usize,
}

/// `accounting`: where records come in, which must be kept.
pub(super) fn registry(root: &mut Table<'_>, accounting: &[SocketAddr]) -> Registry {
    let Some(mut table) = root.table("registry") else {
        if !accounting.is_empty() {
            root.missing("registry", "[listen].accounting is open, and no record may be answered that isn't kept; add the section, or close that door");
        }
        return Registry { settings: None, max_sessions: usize::try_from(MAX_SESSIONS).unwrap_or(usize::MAX) };
    };
    let max_sessions = table.integer("max-sessions", 1_000..=10_000_000, MAX_SESSIONS);
    Registry { settings: Some(settings(table)), max_sessions: usize::try_from(max_sessions).unwrap_or(usize::MAX) }
}

fn settings(mut table: Table<'_>) -> Settings {
    if let Some(item) = table.take("database") {
        database(&item);
    }
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

fn database(item: &Item<'_>) {
    match item.text() {
        None | Some("sqlite") => {}
        Some(text) if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            item.not_built("the registry in PostgreSQL");
        }
        Some(text) => item.error(format!("\"{text}\" is no database; write \"sqlite\", which is kept in state-dir")),
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
    let mut column = |key| usize::try_from(table.integer(key, 0..=1000, 0)).ok().filter(|number| *number > 0);
    let columns = Columns {
        subject: column("subject"),
        mail: column("mail"),
        serial: column("serial"),
        status: column("status"),
    };
    table.finish();
    columns
}
