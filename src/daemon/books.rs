//! Accounting records and sessions on their way from the hall to the registry; nothing here makes it wait.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::{Change, Notice, Record, Ticket};
use crate::net::Books;
use crate::now::Wall;
use crate::sessions::{Session, State};
use crate::store::{Entry, Failure, Store};

/// Changes of sessions that may wait beside the records.
const CHANGES: usize = 16_384;
/// Entries of one COMMIT.
const BATCH: usize = 512;
/// How long the last may take to be written when the server stops.
const PATIENCE: Duration = Duration::from_millis(500);

/// Something of the hall's that is to be written.
#[derive(Debug)]
enum Told {
    Record(Ticket, Box<Record>),
    Session(Change),
    Notice(Box<Notice>, Wall),
}

/// Where what becomes of sessions that have to go is told to be written down.
#[derive(Debug)]
pub(super) struct Notes(Option<mpsc::Sender<Told>>, Arc<AtomicU64>);

impl Notes {
    /// Has it written; never waits.
    pub(super) fn note(&self, notice: Notice, at: Wall) {
        if let Some(tell) = &self.0
            && tell.try_send(Told::Notice(Box::new(notice), at)).is_err()
        {
            self.1.fetch_add(1, Relaxed);
        }
    }
}

/// What writes the books, and how it ends.
#[derive(Debug)]
pub(super) struct Bookkeeping {
    /// `None`: nothing is kept.
    writing: Option<JoinHandle<()>>,
    /// Changes of sessions that found no room so far; the next of a session makes good for it.
    unwritten: Arc<AtomicU64>,
}

impl Bookkeeping {
    /// The hall's end, and the rest. `most`: how many records may wait at once. Without a registry nothing is written, and no NAS that accounts is answered.
    pub(super) fn begin(store: Option<Store>, most: usize) -> (Books, Notes, Self) {
        let unwritten = Arc::new(AtomicU64::default());
        let Some(store) = store else {
            return (Books::closed(), Notes(None, Arc::clone(&unwritten)), Self { writing: None, unwritten });
        };
        let (tell, told) = mpsc::channel(most.saturating_add(CHANGES));
        // As many again: a record whose time is up may be written all the same.
        let (say, written) = mpsc::channel(most.saturating_mul(2).max(1));
        let notes = Notes(Some(tell.clone()), Arc::clone(&unwritten));
        let books = Books {
            record: Box::new(records(tell.clone(), say.clone())),
            session: Box::new(changes(tell, Arc::clone(&unwritten))),
            written,
        };
        (books, notes, Self { writing: Some(tokio::spawn(write(told, say, store))), unwritten })
    }

    /// Changes of sessions that found no room so far.
    pub(super) fn unwritten(&self) -> u64 {
        self.unwritten.load(Relaxed)
    }

    /// After the hall has ended: writes what it has told.
    pub(super) async fn end(self) {
        if let Some(writing) = self.writing {
            // What isn't done by then would not be done soon.
            let _ = timeout(PATIENCE, writing).await;
        }
    }
}

fn records(tell: mpsc::Sender<Told>, say: mpsc::Sender<(Ticket, bool)>) -> impl FnMut(Ticket, Box<Record>) {
    move |ticket, record| {
        if tell.try_send(Told::Record(ticket, record)).is_err() {
            // If this finds no room either, the hall waits until its time is up.
            let _ = say.try_send((ticket, false));
        }
    }
}

fn changes(tell: mpsc::Sender<Told>, unwritten: Arc<AtomicU64>) -> impl FnMut(Change) {
    move |change| {
        if tell.try_send(Told::Session(change)).is_err() {
            unwritten.fetch_add(1, Relaxed);
        }
    }
}

/// Writes in the order of the hall until it has ended.
async fn write(mut told: mpsc::Receiver<Told>, say: mpsc::Sender<(Ticket, bool)>, store: Store) {
    let mut batch = Vec::new();
    while told.recv_many(&mut batch, BATCH).await > 0 {
        let (mut tickets, mut entries) = (Vec::new(), Vec::new());
        for one in batch.drain(..) {
            match one {
                Told::Record(ticket, record) => {
                    tickets.push((ticket, entries.len()));
                    entries.push(Entry::Record(record));
                }
                Told::Session(Change::Put(kept)) => entries.push(Entry::Put(kept)),
                Told::Session(Change::Ended(ids, why, at)) => entries.push(Entry::Ended(ids, why, at)),
                Told::Session(Change::Condemned(session)) => condemned(&session),
                Told::Session(Change::Pardoned(ids)) => entries.push(Entry::Pardoned(ids)),
                Told::Notice(notice, at) => entries.push(match *notice {
                    Notice::Held(batch) => Entry::Held(batch),
                    Notice::Going(_, ids) => Entry::Going(ids, at),
                    Notice::Disconnected(done) => Entry::Told(done, at),
                }),
            }
        }
        let written = enter(&store, entries.into()).await;
        for (ticket, index) in tickets {
            let is_written = written.get(index).copied().unwrap_or(false);
            // The hall may have ended; what else it had told is written all the same.
            let _ = say.send((ticket, is_written)).await;
        }
    }
}

/// Which entries are on disk. Where one spoils a batch, each is tried by itself.
async fn enter(store: &Store, entries: Arc<[Entry]>) -> Vec<bool> {
    match store.enter(Arc::clone(&entries)).await {
        Ok(()) => vec![true; entries.len()],
        Err(Failure::Refused(_)) if entries.len() > 1 => {
            let mut written = Vec::with_capacity(entries.len());
            for entry in &*entries {
                written.push(store.enter([entry.clone()].into()).await.is_ok());
            }
            written
        }
        Err(_) => vec![false; entries.len()],
    }
}

/// That it has to go; what became of it is told when its NAS has answered.
fn condemned(session: &Session) {
    let State::Condemned(why) = &session.state else { return };
    let (user, reason) = (session.user.as_deref().unwrap_or("unknown"), why.reason);
    let (nas, station) = (&*session.device.nas, session.station.as_deref().unwrap_or("unknown"));
    tracing::warn!(user, nas, station, %reason, "a live session has to go");
}
