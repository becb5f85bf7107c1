//! How the file is opened.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::{Failure, schema};

/// Looks at once.
const READERS: u32 = 4;
/// How long a look waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// How long another process that has the file is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// The same, where it was less for a while.
pub(super) const WAIT: &str = "PRAGMA busy_timeout = 5000";

/// What has been committed and isn't in the file itself yet.
pub(super) fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The file beside it that says whose it is.
const LOCK: &str = "registry.lock";

/// Whose the registry is, until this is dropped or the process ends, however it ends: of two servers in one directory each would know only its own half of who is blocked and who is online.
/// `WouldBlock`: another's. SQLite's own locks are no help, since they are held for a moment only; and the file itself must not be opened twice, since to close it would lose them.
pub(super) fn lock(file: &Path) -> io::Result<File> {
    let path = file.with_file_name(LOCK);
    make_folder(file)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let whose =
                format!("{} belongs to another server that runs: each wants a state-dir of its own", path.display());
            Err(io::Error::new(io::ErrorKind::WouldBlock, whose))
        }
    }
}

/// The writer's connection, to a file whose tables are up to date. `begun`: which file had nothing in it when it was opened, if any; an attempt that fails half-way leaves its number there for the next.
pub(super) async fn writer(file: &Path, begun: &mut Option<u64>) -> Result<SqliteConnection, Failure> {
    create(file).map_err(|error| Failure::Unusable(format!("{}: {error}", file.display()).into()))?;
    let mut connection = options(file).connect().await.map_err(|error| Failure::of(&error))?;
    // What was opened says it, and not what lay there a moment ago: somebody may be moving a damaged one away just now.
    let is_empty = sqlx::query_scalar("SELECT count(*) = 0 FROM sqlite_schema").fetch_one(&mut connection).await;
    let is_empty = is_empty.map_err(|error| Failure::of(&error))?;
    let number = fs::metadata(file).ok().map(|file| file.ino());
    *begun = number.filter(|number| is_empty || *begun == Some(*number));
    schema::migrate(&mut connection).await.map_err(|error| Failure::Unusable(error.to_string().into()))?;
    Ok(connection)
}

/// Connections for looks, each opened when it is needed.
pub(super) fn readers(file: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN)
        .connect_lazy_with(options(file).create_if_missing(false).pragma("query_only", "on"))
}

/// Write-ahead, so that looks and changes don't wait for each other; and on the disk when it is said to be.
fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // What a statement or a job may have to undo is kept in memory, and not in files of its own.
        .pragma("temp_store", "memory")
        // Neither what is asked nor that it took its time belongs into an administrator's log, at any level.
        .disable_statement_logging()
}

/// Names and histories of people: for the owner alone. The files beside it take its permissions. Of a new server the state directory isn't there yet.
fn create(file: &Path) -> io::Result<()> {
    make_folder(file)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

fn make_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}
