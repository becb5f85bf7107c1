//! The one writer: jobs in, batches committed, answers out.

use std::fs::{self, File};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use super::health::Watch;
use super::{Doing, Failure, Inherited, Trace, connect, history, standby};

/// Jobs of one COMMIT.
const BATCH: usize = 512;
/// Decisions and sightings of one COMMIT, alone and beside jobs that somebody waits for.
const MOST_TRACES: usize = 4_096;
pub(super) const FEW_TRACES: usize = 1_024;
/// How long what logins leave behind is gathered, if no job takes it along: each COMMIT writes whole pages, and waits for the disk.
const GATHER: Duration = Duration::from_millis(500);
/// How a batch begins.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// A file that could not be used is tried again this often, if no job does it before.
const AGAIN: Duration = Duration::from_secs(2);

/// Octets of the log beside the file from which on looks are waited for, so that it can begin anew: SQLite alone never does it while somebody always looks.
const LONG_LOG: u64 = 16 << 20;
/// How long they are.
const LOOKS: &str = "PRAGMA busy_timeout = 300";
/// If they took longer: when the log has grown so much more.
const LONGER_LOG: u64 = 4 << 20;

/// Something to be written.
pub(super) trait Job: Send {
    /// Does it; the result is kept.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Pin<Box<dyn Future<Output = Ran> + Send + 'c>>;

    /// Whether nobody misses it when it fails. Such a job is never refused.
    fn is_nobodys(&self) -> bool {
        false
    }

    /// Tells whoever waits: it is on the disk, or it is not.
    fn tell(self: Box<Self>, committed: Result<(), Failure>);
}

/// What became of a job within its batch.
#[derive(Debug)]
pub(super) enum Ran {
    /// It is done, if the batch is committed.
    Done,
    /// It is not, and the others are none the worse.
    Refused,
    /// Nothing can be written.
    Unusable(Failure),
}

/// A job with a result of its own.
pub(super) struct Typed<T, F> {
    work: Option<F>,
    result: Option<Result<T, Failure>>,
    answer: oneshot::Sender<Result<T, Failure>>,
}

impl<T, F> Typed<T, F> {
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T, Failure>>) -> Self {
        Self { work: Some(work), result: None, answer }
    }
}

impl<T, F> Job for Typed<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Doing<'c, T> + Send + 'static,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Pin<Box<dyn Future<Output = Ran> + Send + 'c>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return Ran::Refused };
            match work(connection).await {
                Ok(result) => {
                    self.result = Some(Ok(result));
                    Ran::Done
                }
                Err(error) => {
                    let failure = Failure::of(&error);
                    self.result = Some(Err(failure.clone()));
                    if matches!(failure, Failure::Unusable(_)) { Ran::Unusable(failure) } else { Ran::Refused }
                }
            }
        })
    }

    fn tell(self: Box<Self>, committed: Result<(), Failure>) {
        let Self { result, answer, .. } = *self;
        let result = committed.and_then(|()| result.unwrap_or_else(|| Err(Failure::stopped())));
        // Who asked may have stopped waiting.
        let _ = answer.send(result);
    }
}

/// What logins have left behind; nobody waits for it.
struct Traces {
    traces: Vec<Trace>,
    /// Of these the database wants none.
    refused: usize,
    watch: Arc<Watch>,
}

impl Job for Traces {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Pin<Box<dyn Future<Output = Ran> + Send + 'c>> {
        Box::pin(async move {
            match history::keep(connection, &self.traces).await {
                Ok(refused) => {
                    self.refused = refused;
                    Ran::Done
                }
                Err(failure) => Ran::Unusable(failure),
            }
        })
    }

    fn is_nobodys(&self) -> bool {
        true
    }

    fn tell(self: Box<Self>, committed: Result<(), Failure>) {
        self.watch.dropped(if committed.is_ok() { self.refused } else { self.traces.len() });
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        self.watch.settled(self.traces.len());
    }
}

/// Nobody's job, to see whether the file can be written.
struct Probe;

impl Job for Probe {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> Pin<Box<dyn Future<Output = Ran> + Send + 'c>> {
        Box::pin(async move {
            match execute(connection, "UPDATE probe SET written = written + 1").await {
                Ok(()) => Ran::Done,
                Err(failure) => Ran::Unusable(failure),
            }
        })
    }

    fn is_nobodys(&self) -> bool {
        true
    }

    fn tell(self: Box<Self>, _committed: Result<(), Failure>) {}
}

/// Starts the thread; returns when it has tried to open the file. The only error is that it is another server's, or that there is no thread.
pub(super) fn spawn(
    file: PathBuf,
    inherited: Option<Inherited>,
    jobs: mpsc::Receiver<Box<dyn Job>>,
    traces: mpsc::Receiver<Trace>,
    watch: Arc<Watch>,
) -> io::Result<([SqlitePool; 2], JoinHandle<()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (opened, waits) = std::sync::mpsc::channel();
    let run = move || {
        runtime.block_on(async {
            let lock = match connect::lock(&file) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return drop(opened.send(Err(error))),
                lock => lock.ok(),
            };
            let readers = [connect::readers(&file), connect::readers(&file)];
            let mut writer = Writer {
                file,
                inherited,
                jobs,
                traces,
                watch,
                long_log: LONG_LOG,
                lock,
                begun: None,
                connection: None,
            };
            writer.probe().await;
            // Who waits for it holds the other end.
            let _ = opened.send(Ok(readers.clone()));
            writer.run().await;
            for readers in readers {
                readers.close().await;
            }
        });
    };
    let thread = thread::Builder::new().name("store".into()).spawn(run)?;
    let readers = waits.recv().map_err(|_| io::Error::other("the registry's thread has ended"))??;
    Ok((readers, thread))
}

struct Writer {
    file: PathBuf,
    /// What was blocked before this process began, until it is in the database.
    inherited: Option<Inherited>,
    jobs: mpsc::Receiver<Box<dyn Job>>,
    traces: mpsc::Receiver<Trace>,
    watch: Arc<Watch>,
    /// Octets of the log from which on it is to begin anew.
    long_log: u64,
    /// `None`: the directory could not be used so far.
    lock: Option<File>,
    /// The number of a file that had nothing in it when it was opened, until it is in use.
    begun: Option<u64>,
    /// `None`: the file could not be opened, or had to be closed.
    connection: Option<SqliteConnection>,
}

impl Writer {
    /// Until nobody can ask for anything any more.
    async fn run(mut self) {
        let mut rest = interval(GATHER);
        rest.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe = interval(AGAIN);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                job = self.jobs.recv() => match job {
                    Some(job) => {
                        self.jobs(job).await;
                        // It has taken them along.
                        if self.traces.is_empty() {
                            rest.reset();
                        }
                    }
                    None => break,
                },
                () = self.watch.closing.notified() => break,
                _ = rest.tick() => {
                    self.traces(MOST_TRACES).await;
                    if self.traces.len() >= MOST_TRACES {
                        rest.reset_immediately();
                    }
                }
                _ = probe.tick() => self.probe().await,
            }
        }
        self.jobs.close();
        while let Some(job) = self.jobs.recv().await {
            self.jobs(job).await;
        }
        while !self.traces.is_empty() && self.watch.health().fault.is_none() {
            self.traces(MOST_TRACES).await;
        }
        if let Some(connection) = self.connection.take() {
            // What isn't in the main file yet stands in the one beside it.
            let _ = sqlx::Connection::close(connection).await;
        }
    }

    /// A batch of what waits, with some of what logins have left behind: somebody waits for this one.
    async fn jobs(&mut self, first: Box<dyn Job>) {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = self.jobs.try_recv()
        {
            batch.push(next);
        }
        if !self.traces.is_empty() {
            batch.push(Box::new(self.gather(FEW_TRACES)));
        }
        self.batch(batch).await;
    }

    async fn traces(&mut self, most: usize) {
        if !self.traces.is_empty() {
            let gathered = self.gather(most);
            self.batch(vec![Box::new(gathered)]).await;
        }
    }

    fn gather(&mut self, most: usize) -> Traces {
        let mut traces = Vec::new();
        while traces.len() < most
            && let Ok(trace) = self.traces.try_recv()
        {
            traces.push(trace);
        }
        Traces { traces, refused: 0, watch: Arc::clone(&self.watch) }
    }

    /// Whether an idle file that was bad can be used again.
    async fn probe(&mut self) {
        if self.connection.is_none() || self.watch.health().fault.is_some() {
            self.batch(vec![Box::new(Probe)]).await;
        }
    }

    async fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let committed = self.commit(&mut jobs).await;
        match &committed {
            Ok(()) => self.watch.good(),
            Err(failure) => self.watch.bad(failure, jobs.iter().filter(|job| !job.is_nobodys()).count()),
        }
        for job in jobs {
            job.tell(committed.clone());
        }
        if committed.is_ok() {
            self.shorten_log().await;
        }
    }

    /// Brings everything of a log that has grown long into the file, and empties it.
    async fn shorten_log(&mut self) {
        let log = connect::log_of(&self.file);
        let length = || fs::metadata(&log).map_or(0, |log| log.len());
        if length() < self.long_log {
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        for sql in [LOOKS, "PRAGMA wal_checkpoint(TRUNCATE)", connect::WAIT] {
            if let Err(failure) = execute(connection, sql).await {
                tracing::warn!("the registry's log can't be emptied: {failure}");
            }
        }
        let length = length();
        self.long_log = if length < LONG_LOG { LONG_LOG } else { length.saturating_add(LONGER_LOG) };
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        if self.lock.is_none() {
            let lock = connect::lock(&self.file);
            self.lock =
                Some(lock.map_err(|error| Failure::Unusable(format!("{}: {error}", self.file.display()).into()))?);
        }
        if self.connection.is_none() {
            let mut connection = connect::writer(&self.file, &mut self.begun).await?;
            let is_new = self.begun.is_some();
            if let Some(inherited) = &self.inherited {
                if is_new {
                    tracing::error!("{} was gone or empty, and is begun anew", self.file.display());
                }
                // What this refuses is nobody's job.
                let adopted = standby::adopt(&mut connection, inherited).await;
                adopted.map_err(|error| Failure::Unusable(error.to_string().into()))?;
                self.inherited = None;
            }
            self.connection = Some(connection);
            if self.begun.take().is_some() {
                self.watch.begins();
            }
        }
        let Some(connection) = &mut self.connection else { return Err(Failure::stopped()) };
        let committed = transaction(connection, jobs).await;
        if committed.is_err()
            && let Some(connection) = self.connection.take()
        {
            // A new connection knows nothing of a half-done transaction.
            let _ = sqlx::Connection::close_hard(connection).await;
        }
        committed
    }
}

async fn transaction(connection: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
    execute(connection, BEGIN).await?;
    for (index, job) in jobs.iter_mut().enumerate() {
        // Before the first there is nothing that must not be undone with it.
        let is_apart = index > 0 && !job.is_nobodys();
        if is_apart {
            execute(connection, "SAVEPOINT job").await?;
        }
        match job.run(connection).await {
            Ran::Refused if is_apart => execute(connection, "ROLLBACK TO job").await?,
            Ran::Refused if index == 0 => {
                execute(connection, "ROLLBACK").await?;
                execute(connection, BEGIN).await?;
            }
            Ran::Done | Ran::Refused => {}
            Ran::Unusable(failure) => return Err(failure),
        }
        if is_apart {
            execute(connection, "RELEASE job").await?;
        }
    }
    execute(connection, "COMMIT").await
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Failure> {
    sqlx::query(sql).execute(connection).await.map(drop).map_err(|error| match Failure::of(&error) {
        // What these refuse is nobody's job.
        Failure::Refused(why) => Failure::Unusable(why),
        failure => failure,
    })
}
