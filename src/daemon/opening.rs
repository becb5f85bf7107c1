//! The registry before anything is decided: who is blocked must be known by then, whatever has become of the database.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::{StartError, system};
use crate::admin;
use crate::engine::{Kept, Past};
use crate::fetch::Problem;
use crate::now::Wall;
use crate::standing::{BY_LIST, Blocks};
use crate::store::{BLOCKS, Blocked, FILE, Failure, Inherited, Settings, Standby, Store, Wanted};

/// What has been opened before anything is decided.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) thread: JoinHandle<()>,
    pub(super) blocks: Arc<Blocks>,
    /// Who was online when the last process ended.
    pub(super) sessions: Vec<Kept>,
    /// What had been decided about those who have to go.
    pub(super) past: Past,
    /// There was one here before.
    pub(super) is_heir: bool,
}

/// Opens the database and reads what is blocked, who is online, `most` at most, and who of them has to go; what went by itself since `counted` is counted. A database that can't be used stops nobody: who is blocked is known by the file beside it, too.
///
/// # Errors
///
/// Neither tells who is blocked, so nobody may be let in; or there is no thread.
pub(super) fn open(state_dir: &Path, settings: &Settings, most: usize, counted: Wall) -> Result<Opened, StartError> {
    let standby = Standby::read(state_dir);
    // Before there is one: the next start would find it, and nobody blocked in it.
    if let Standby::Bad(why) = &standby
        && std::fs::metadata(state_dir.join(FILE)).map_or(true, |file| file.len() == 0)
    {
        return Err(unknown(state_dir, why, "there is nothing in"));
    }
    let inherited = match &standby {
        Standby::Good(blocked) => Some(Inherited { blocked: blocked.clone(), by_list: BY_LIST }),
        Standby::Absent | Standby::Bad(_) => None,
    };
    let is_heir = inherited.is_some();
    let (store, thread) = Store::resume(state_dir, inherited).map_err(system)?;
    let (read, sessions, past) = first(&store, settings, most, counted).map_err(system)?;
    let sessions = sessions.inspect_err(|failure| tracing::error!("who was online can't be read: {failure}"));
    let past = past.inspect_err(|failure| {
        tracing::error!("what was decided about those who have to go can't be read: {failure}");
    });
    let beside = state_dir.join(BLOCKS);
    let blocked = match (read, standby) {
        (Ok(blocked), Standby::Good(_) | Standby::Absent) => blocked,
        (Ok(blocked), Standby::Bad(why)) => {
            tracing::error!("{why}; it is written anew from {FILE}");
            blocked
        }
        (Err(failure), Standby::Good(blocked)) => {
            tracing::error!("{failure}; who was blocked stays blocked, by {}", beside.display());
            blocked
        }
        (Err(failure), Standby::Absent) => {
            tracing::error!("{failure}; nobody was ever blocked here, for there is no {}", beside.display());
            Blocked::default()
        }
        (Err(_), Standby::Bad(why)) => return Err(unknown(state_dir, &why, "nothing can be read from")),
    };
    let blocks = Arc::new(admin::blocks(blocked, settings.blocks_requested));
    let (sessions, past) = (sessions.unwrap_or_default(), past.unwrap_or_default());
    Ok(Opened { store, thread, blocks, sessions, past, is_heir })
}

/// Both can't be read: whoever is blocked would be let in.
fn unknown(state_dir: &Path, why: &str, what: &str) -> StartError {
    let text = format!(
        "{why}, and {what} {FILE}: nobody knows who is blocked, so nothing starts with it; restore either from a backup, or delete {BLOCKS} to let in again whoever was blocked"
    );
    StartError::Files(vec![Problem { source: state_dir.display().to_string().into(), text, fatal: true }])
}

type First = (Result<Blocked, Failure>, Result<Vec<Kept>, Failure>, Result<Past, Failure>);

/// What the database says before anybody else asks it, on a thread of its own: whoever starts a server may be inside of a runtime.
fn first(store: &Store, settings: &Settings, most: usize, counted: Wall) -> std::io::Result<First> {
    let read = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let wanted = Wanted { most, ..Wanted::default() };
        let all = async {
            let blocked = store.blocked(settings.blocks_requested).await;
            (blocked, store.sessions(wanted).await, store.past(counted).await)
        };
        Ok(runtime.block_on(all))
    };
    let read = std::thread::scope(|scope| scope.spawn(read).join());
    read.unwrap_or_else(|_| Err(std::io::Error::other("reading the registry failed by a fault of ours")))
}
