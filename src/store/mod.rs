//! The registry on disk: certificates, people and the sealed keys of their codes, decisions, accounting records and sessions, what was changed by whom. SQLite in `state-dir`; no SQL type leaves this module, and no rule is kept in it.
//!
//! [`Store::open`] starts a thread that owns the file. Every change is a job for its one writer, which commits jobs in batches: whoever waits for one is answered
//! after the COMMIT that holds it, so that what he is told survives the end of the process and of the machine. Readers have connections of their own, and never wait for the writer.
//! When the disk is full or the file is damaged jobs fail, [`Store::health`] says so, and the writer tries again until it succeeds; nothing else stops. What is blocked stands in a file beside it too ([`Standby`]).
//!
//! Another area's tables: a file in `migrations`, a line in `schema`, and a file here with methods of [`Store`] that call `write` and `read`.

mod accounting;
mod answering;
mod audit;
mod census;
mod certificates;
mod connect;
mod disconnects;
mod failure;
mod fresh;
mod health;
mod history;
mod known;
mod lists;
mod names;
mod otp;
mod people;
mod record;
mod rows;
mod schema;
mod settings;
mod sightings;
mod standby;
mod unnamed;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

pub use accounting::{Entry, Wanted};
pub use census::Census;
pub use certificates::{Change, Condition, Owner, Sighting, serial_text};
pub use disconnects::{Decision, Ending, Endings, Settled};
pub use failure::Failure;
pub use health::Health;
pub use history::{Decisions, Trace};
pub use lists::{Certificates, Distrusted, Issued, Position, State};
pub use names::Place;
pub use otp::Enrolled;
pub use people::PersonCondition;
pub use record::{Audited, Blocked, Decided, Device, Id, Known, Person, Record, Request, Revoked};
pub use settings::{Columns, Settings};
pub use standby::{BLOCKS, Inherited, Standby};

use health::Watch;
use writer::{FEW_TRACES, Job, Typed};

/// The file's name in `state-dir`.
pub const FILE: &str = "registry.sqlite";

/// Changes that may wait for the writer.
const JOBS: usize = 4_096;
/// Decisions and sightings that may wait for the writer: some seconds of a very busy server.
const TRACES: usize = 16_384;
/// How long a look may take.
const LOOK: Duration = Duration::from_secs(8);

/// What a job or a look does with its connection.
pub(crate) type Doing<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// The registry. Copies are the same; when the last is dropped, what waits is written and the thread ends.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Box<dyn Job>>,
    traces: mpsc::Sender<Trace>,
    readers: SqlitePool,
    /// For looks that a login waits for: no list of a million rows stands before them.
    urgent: SqlitePool,
    watch: Arc<Watch>,
    /// What is blocked, beside the database.
    page: Arc<standby::Page>,
}

impl Store {
    /// Starts the thread that owns `state_dir`/[`FILE`], and waits until it has opened the file or failed to: a bad file is no error here, but a bad [`Health`]. A file that another server has is one.
    pub fn open(state_dir: &Path) -> std::io::Result<(Self, JoinHandle<()>)> {
        Self::resume(state_dir, None)
    }

    /// The same; `inherited`, what stands in the file beside it ([`Standby`]), is in the database before anything else is.
    pub fn resume(state_dir: &Path, inherited: Option<Inherited>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, received) = mpsc::channel(JOBS);
        let (traces, left) = mpsc::channel(TRACES);
        let watch = Arc::new(Watch::default());
        let ([readers, urgent], thread) =
            writer::spawn(state_dir.join(FILE), inherited, received, left, Arc::clone(&watch))?;
        let page = Arc::new(standby::Page::new(state_dir));
        Ok((Self { jobs, traces, readers, urgent, watch, page }, thread))
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.watch.health()
    }

    /// Writes what waits and ends; whatever is asked for afterwards fails.
    pub fn close(&self) {
        self.watch.closing.notify_one();
    }

    /// Decisions were lost before they came here.
    pub fn lost(&self, decisions: usize) {
        self.watch.dropped(decisions);
    }

    /// Has the writer do something, and returns after it has been committed.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Doing<'c, T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Typed::new(work, answer));
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Failure::Busy,
            mpsc::error::TrySendError::Closed(_) => Failure::stopped(),
        })?;
        answered.await.unwrap_or_else(|_| Err(Failure::stopped()))
    }

    /// Waits until what logins have left behind so far is written; not where nothing can be.
    ///
    /// # Errors
    ///
    /// The file can't be used.
    pub async fn catch_up(&self) -> Result<(), Failure> {
        if self.health().fault.is_some() {
            return Ok(());
        }
        let mut waiting = self.watch.open();
        while waiting > 0 && self.watch.open() > 0 {
            // Some of them are written with each change, which comes after what is being written.
            self.write(|_| Box::pin(async { Ok(()) })).await?;
            waiting = waiting.saturating_sub(FEW_TRACES);
        }
        Ok(())
    }

    /// Looks something up, in one state of the whole file.
    pub(super) async fn read<T, F>(&self, look: F) -> Result<T, Failure>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Doing<'c, T> + Send,
    {
        read(&self.readers, look).await
    }

    /// The same, for a login that waits for it.
    async fn read_urgently<T, F>(&self, look: F) -> Result<T, Failure>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Doing<'c, T> + Send,
    {
        read(&self.urgent, look).await
    }
}

async fn read<T, F>(readers: &SqlitePool, look: F) -> Result<T, Failure>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Doing<'c, T> + Send,
{
    let looked = async {
        let mut transaction = readers.begin().await?;
        look(&mut transaction).await
    };
    match tokio::time::timeout(LOOK, looked).await {
        Ok(looked) => looked.map_err(|error| Failure::of(&error)),
        Err(_) => Err(Failure::Busy),
    }
}

/// SQLite's integers are signed; a counter that goes beyond stands still.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
