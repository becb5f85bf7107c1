//! `[disconnect]`

use super::reader::Table;
use crate::sessions::disconnect::Automatic;

/// What happens to sessions whose certificate or user is condemned. `all_mute`: no NAS can be told.
pub(super) fn disconnect(root: &mut Table<'_>, all_mute: bool) -> Automatic {
    let standard = Automatic::default();
    let Some(mut table) = root.table("disconnect") else { return standard };
    let enabled = table.boolean("automatic", standard.enabled);
    let at_most = table.take("at-most");
    let count = at_most.as_ref().and_then(|item| item.integer(0..=10_000_000));
    let per = table.take("per");
    let pause = per.as_ref().and_then(|item| item.duration());
    if let Some(item) = per.filter(|_| pause.is_some_and(|pause| pause.is_zero())) {
        item.error("must be longer than nothing: `at-most` counts what goes within it; write \"1h\"");
    }
    if enabled && all_mute {
        table.warning("no [[nas]] has `disconnect`: nobody can be told to end a session, and those of a revoked certificate go on until they time out");
    }
    if let Some(item) = at_most.filter(|_| enabled && count == Some(0)) {
        item.warning("holds every session of a revoked certificate for an operator; nothing goes by itself but for an operator's own block");
    }
    table.finish();
    Automatic {
        enabled,
        at_most: count.and_then(|count| usize::try_from(count).ok()).unwrap_or(standard.at_most),
        per: pause.unwrap_or(standard.per),
    }
}
