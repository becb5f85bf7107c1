//! Accounting records and sessions on their way from the hall to the registry; nothing here makes it wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::engine::{Change, Record, Ticket};
use crate::net::Books;
use crate::now::Wall;
use crate::sessions::{End, Kept, Session, SessionId, State};
use crate::store::{Entry, Failure, Store};

/// Changes of sessions that may wait beside the records.
const CHANGES: usize = 16_384;
/// Entries of one COMMIT.
const BATCH: usize = 512;
/// How long a record waits for others, so that they come to the disk together.
const GATHER: Duration = Duration::from_millis(25);
/// Sessions of which something may be owed to a file that can't be written.
const OWED: usize = 65_536;
/// How often it is tried again, if nothing else is to be written.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the last may take to be written when the server stops.
const PATIENCE: Duration = Duration::from_millis(500);

/// Something of the hall's that is to be written.
#[derive(Debug)]
enum Told {
    Record(Ticket, Box<Record>),
    Session(Change),
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
    pub(super) fn begin(store: Option<Store>, most: usize) -> (Books, Self) {
        let unwritten = Arc::new(AtomicU64::default());
        let Some(store) = store else { return (Books::closed(), Self { writing: None, unwritten }) };
        let (tell, told) = mpsc::channel(most.saturating_add(CHANGES));
        // As many again: a record whose time is up may be written all the same.
        let (say, written) = mpsc::channel(most.saturating_mul(2).max(1));
        let books = Books {
            record: Box::new(records(tell.clone(), say.clone())),
            session: Box::new(changes(tell, Arc::clone(&unwritten))),
            written,
        };
        (books, Self { writing: Some(tokio::spawn(write(told, say, store, Arc::clone(&unwritten)))), unwritten })
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
async fn write(
    mut told: mpsc::Receiver<Told>,
    say: mpsc::Sender<(Ticket, bool)>,
    store: Store,
    unwritten: Arc<AtomicU64>,
) {
    let mut owed = Owed::default();
    loop {
        let batch = gather(&mut told, !owed.is_empty()).await;
        let is_over = batch.is_empty() && told.is_closed() && told.is_empty();
        let (tickets, entries) = sorted(batch);
        // In their order: a session must not begin after it has ended.
        let written = match owed.settle(&store).await {
            true => enter(&store, Arc::clone(&entries)).await,
            false => vec![Written::NotYet; entries.len()],
        };
        let missed = owed.add(entries.iter().zip(&written).filter(|(_, it)| **it == Written::NotYet).map(|(it, _)| it));
        unwritten.fetch_add(missed, Relaxed);
        for (ticket, index) in tickets {
            let is_written = written.get(index) == Some(&Written::Yes);
            // The hall may have ended; what else it had told is written all the same.
            let _ = say.send((ticket, is_written)).await;
        }
        if is_over {
            break;
        }
    }
}

/// What has been told, at most a batch; a moment is waited for more of it, so that many NAS share a COMMIT. Nothing: the hall has ended, or something is owed for long enough.
async fn gather(told: &mut mpsc::Receiver<Told>, is_owing: bool) -> Vec<Told> {
    let mut batch = Vec::new();
    if is_owing {
        let _ = timeout(AGAIN, told.recv_many(&mut batch, BATCH)).await;
    } else {
        told.recv_many(&mut batch, BATCH).await;
    }
    if !batch.is_empty() && batch.len() < BATCH {
        sleep(GATHER).await;
        while batch.len() < BATCH
            && let Ok(next) = told.try_recv()
        {
            batch.push(next);
        }
    }
    batch
}

/// What is to be written, and which of it somebody waits for.
fn sorted(batch: Vec<Told>) -> (Vec<(Ticket, usize)>, Arc<[Entry]>) {
    let (mut tickets, mut entries) = (Vec::new(), Vec::new());
    for one in batch {
        match one {
            Told::Record(ticket, record) => {
                tickets.push((ticket, entries.len()));
                entries.push(Entry::Record(record));
            }
            Told::Session(Change::Put(kept)) => entries.push(Entry::Put(kept)),
            Told::Session(Change::Ended(ids, why, at)) => entries.push(Entry::Ended(ids, why, at)),
            Told::Session(Change::Condemned(session)) => condemned(&session),
        }
    }
    (tickets, entries.into())
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// It is on disk.
    Yes,
    /// It never will be.
    Refused,
    /// The file could not be written.
    NotYet,
}

impl Written {
    fn of(done: Result<(), Failure>) -> Self {
        match done {
            Ok(()) => Self::Yes,
            Err(Failure::Refused(_)) => Self::Refused,
            Err(Failure::Busy | Failure::Unusable(_)) => Self::NotYet,
        }
    }
}

/// Which entries are on disk. Where one spoils a batch, each is tried by itself.
async fn enter(store: &Store, entries: Arc<[Entry]>) -> Vec<Written> {
    if entries.is_empty() {
        return Vec::new();
    }
    match Written::of(store.enter(Arc::clone(&entries)).await) {
        Written::Refused if entries.len() > 1 => {
            let mut written = Vec::with_capacity(entries.len());
            for entry in &*entries {
                written.push(Written::of(store.enter([entry.clone()].into()).await));
            }
            written
        }
        all => vec![all; entries.len()],
    }
}

/// What has become of sessions while the file could not be written. A NAS tells of a record again until it is acknowledged; that its session has ended, the hall tells once,
/// and without it whoever has gone would be back after a restart.
#[derive(Debug, Default)]
struct Owed(BTreeMap<SessionId, Fate>);

/// What became of one: how it is, and how it ended.
#[derive(Debug, Default)]
struct Fate {
    put: Option<Box<Kept>>,
    ended: Option<(End, Wall)>,
}

impl Owed {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there was no room for.
    fn add<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> u64 {
        let mut missed = 0;
        for entry in entries {
            let ids = match entry {
                // Its NAS tells again.
                Entry::Record(_) => continue,
                Entry::Put(kept) => std::slice::from_ref(&kept.session.id),
                Entry::Ended(ids, ..) => ids,
            };
            for id in ids {
                if self.0.len() >= OWED && !self.0.contains_key(id) {
                    missed += 1;
                    continue;
                }
                let fate = self.0.entry(*id).or_default();
                match entry {
                    Entry::Record(_) => {}
                    Entry::Put(kept) => fate.put = Some(kept.clone()),
                    Entry::Ended(_, why, at) => fate.ended = Some((*why, *at)),
                }
            }
        }
        missed
    }

    /// Writes it; whether nothing is owed any more.
    async fn settle(&mut self, store: &Store) -> bool {
        while !self.0.is_empty() {
            let first: Vec<_> = self.0.iter().take(BATCH).collect();
            let ids: Vec<_> = first.iter().map(|(id, _)| **id).collect();
            let entries: Vec<_> = first.into_iter().flat_map(|(id, fate)| fate.entries(*id)).collect();
            if enter(store, entries.into()).await.contains(&Written::NotYet) {
                return false;
            }
            for id in ids {
                self.0.remove(&id);
            }
        }
        true
    }
}

impl Fate {
    fn entries(&self, id: SessionId) -> impl Iterator<Item = Entry> + use<> {
        let put = self.put.clone().map(Entry::Put);
        let ended = self.ended.map(|(why, at)| Entry::Ended(vec![id], why, at));
        put.into_iter().chain(ended)
    }
}

/// That it has to go; what became of it is told when its NAS has answered.
fn condemned(session: &Session) {
    let State::Condemned(why) = &session.state else { return };
    let (user, reason) = (session.user.as_deref().unwrap_or("unknown"), why.reason);
    let (nas, station) = (&*session.device.nas, session.station.as_deref().unwrap_or("unknown"));
    tracing::warn!(user, nas, station, %reason, "a live session has to go");
}
