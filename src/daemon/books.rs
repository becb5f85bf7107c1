//! Accounting records and sessions on their way from the hall to the registry; nothing here makes it wait.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::owed::{Owed, Written, enter};
use crate::engine::{Change, Notice, Record, Ticket};
use crate::net::Books;
use crate::now::Wall;
use crate::sessions::{Session, State};
use crate::store::{Entry, Store};

/// Changes of sessions that may wait beside the records.
const CHANGES: usize = 16_384;
/// Records of one COMMIT, and all that is written with them.
const RECORDS: usize = 512;
const BATCH: usize = 4_096;
/// How long a record waits for others, so that they come to the disk together.
const GATHER: Duration = Duration::from_millis(25);
/// How long that nobody waits for is gathered, if no record takes it along: less than what logins leave is, so that they share a COMMIT. Who has been let in and isn't accounted for yet is forgotten with a server that is killed meanwhile.
const LATER: Duration = Duration::from_millis(400);
/// How often it is tried again, if nothing else is to be written.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the last may take to be written when the server stops.
const PATIENCE: Duration = Duration::from_millis(500);

/// Something of the hall's that is to be written.
#[derive(Debug)]
enum Told {
    Record(Ticket, Box<Record>),
    Session(Change),
    Notice(Box<Notice>, Wall),
    /// Somebody waits until all that was told before is written, as far as it can be.
    Mark(oneshot::Sender<()>),
}

/// The hall's end. What nobody waits for wakes nobody either, while something is written now and then.
#[derive(Clone, Debug)]
struct Teller {
    tell: mpsc::Sender<Told>,
    /// Somebody waits.
    bell: Arc<Notify>,
    unwritten: Arc<AtomicU64>,
}

impl Teller {
    /// Has it written; never waits.
    fn tell(&self, told: Told) {
        if self.tell.try_send(told).is_err() {
            self.unwritten.fetch_add(1, Relaxed);
        }
    }
}

/// Where what becomes of sessions that have to go is told to be written down.
#[derive(Debug)]
pub(super) struct Notes(Option<Teller>);

impl Notes {
    /// Has it written; never waits.
    pub(super) fn note(&self, notice: Notice, at: Wall) {
        if let Some(teller) = &self.0 {
            teller.tell(Told::Notice(Box::new(notice), at));
            teller.bell.notify_one();
        }
    }
}

/// For who must not be told that something is done before the sessions that it is about are on disk.
#[derive(Clone, Debug)]
pub(super) struct Flush(Teller);

impl Flush {
    /// Waits until what the hall has told so far is written, though not for ever.
    pub(super) async fn flush(&self) {
        let (mark, passed) = oneshot::channel();
        self.0.tell(Told::Mark(mark));
        self.0.bell.notify_one();
        let _ = timeout(PATIENCE, passed).await;
    }
}

/// What writes the books, and how it ends.
#[derive(Debug)]
pub(super) struct Bookkeeping {
    /// `None`: nothing is kept.
    writing: Option<JoinHandle<()>>,
    /// Changes of sessions that found no room so far; the next of a session makes good for it.
    unwritten: Arc<AtomicU64>,
    bell: Arc<Notify>,
    flush: Option<Flush>,
}

impl Bookkeeping {
    /// For who must wait until sessions are on disk; `None`: nothing is kept.
    pub(super) fn flush(&self) -> Option<Flush> {
        self.flush.clone()
    }

    /// The hall's end, and the rest. `most`: how many records may wait at once. Without a registry nothing is written, and no NAS that accounts is answered.
    pub(super) fn begin(store: Option<Store>, most: usize) -> (Books, Notes, Self) {
        let (unwritten, bell) = (Arc::new(AtomicU64::default()), Arc::new(Notify::new()));
        let Some(store) = store else {
            return (Books::closed(), Notes(None), Self { writing: None, unwritten, bell, flush: None });
        };
        let (tell, told) = mpsc::channel(most.saturating_add(CHANGES));
        // As many again: a record whose time is up may be written all the same.
        let (say, written) = mpsc::channel(most.saturating_mul(2).max(1));
        let teller = Teller { tell, bell: Arc::clone(&bell), unwritten: Arc::clone(&unwritten) };
        let books = Books {
            record: Box::new(records(teller.clone(), say.clone())),
            session: Box::new(changes(teller.clone())),
            written,
        };
        let told = Inbox { told, bell: Arc::clone(&bell), is_busy: false };
        let writing = Some(tokio::spawn(write(told, say, store, Arc::clone(&unwritten))));
        let flush = Some(Flush(teller.clone()));
        (books, Notes(Some(teller)), Self { writing, unwritten, bell, flush })
    }

    /// Changes of sessions that found no room so far.
    pub(super) fn unwritten(&self) -> u64 {
        self.unwritten.load(Relaxed)
    }

    /// After the hall has ended: writes what it has told.
    pub(super) async fn end(self) {
        if let Some(writing) = self.writing {
            self.bell.notify_one();
            // What isn't done by then would not be done soon.
            let _ = timeout(PATIENCE, writing).await;
        }
    }
}

fn records(teller: Teller, say: mpsc::Sender<(Ticket, bool)>) -> impl FnMut(Ticket, Box<Record>) {
    move |ticket, record| {
        if teller.tell.try_send(Told::Record(ticket, record)).is_err() {
            // If this finds no room either, the hall waits until its time is up.
            let _ = say.try_send((ticket, false));
        }
        teller.bell.notify_one();
    }
}

fn changes(teller: Teller) -> impl FnMut(Change) {
    move |change| teller.tell(Told::Session(change))
}

/// Writes in the order of the hall until it has ended.
async fn write(mut inbox: Inbox, say: mpsc::Sender<(Ticket, bool)>, store: Store, unwritten: Arc<AtomicU64>) {
    let mut owed = Owed::default();
    loop {
        let batch = inbox.gather(!owed.is_empty()).await;
        let is_over = batch.is_empty() && inbox.is_over();
        let (tickets, entries, marks) = sorted(batch);
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
        for mark in marks {
            // Whoever waited may have gone.
            let _ = mark.send(());
        }
        if is_over {
            break;
        }
    }
}

/// The other end.
struct Inbox {
    told: mpsc::Receiver<Told>,
    bell: Arc<Notify>,
    /// Something was told of late: there will be more, and nobody need wake this for it.
    is_busy: bool,
}

impl Inbox {
    /// What has been told, at most a batch, after a moment in which many NAS can share a COMMIT. Nothing: nothing was told for a while, something is owed for long enough, or the hall has ended.
    async fn gather(&mut self, is_owing: bool) -> Vec<Told> {
        let mut batch = Vec::new();
        if !self.is_busy {
            let limit = if is_owing { AGAIN } else { Duration::MAX };
            let _ = timeout(limit, self.told.recv_many(&mut batch, 1)).await;
        }
        let is_idle = batch.is_empty() && !self.is_busy;
        if !is_idle && self.told.len() < BATCH && !self.told.is_closed() {
            self.rest().await;
        }
        let mut records = batch.iter().filter(|told| told.is_record()).count();
        while records < RECORDS
            && batch.len() < BATCH
            && let Ok(next) = self.told.try_recv()
        {
            records += usize::from(next.is_record());
            batch.push(next);
        }
        self.is_busy = !batch.is_empty();
        batch
    }

    /// Until it is worth while, or urgent.
    async fn rest(&self) {
        if timeout(LATER, self.bell.notified()).await.is_ok() && !self.told.is_closed() {
            sleep(GATHER).await;
        }
    }

    /// The hall has ended, and all that it has told is known.
    fn is_over(&self) -> bool {
        self.told.is_closed() && self.told.is_empty()
    }
}

impl Told {
    fn is_record(&self) -> bool {
        matches!(self, Self::Record(..))
    }
}

/// Who waits for what was told before.
type Marks = Vec<oneshot::Sender<()>>;

/// What is to be written, and which of it somebody waits for.
fn sorted(batch: Vec<Told>) -> (Vec<(Ticket, usize)>, Arc<[Entry]>, Marks) {
    let (mut tickets, mut entries, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for one in batch {
        match one {
            Told::Record(ticket, record) => {
                tickets.push((ticket, entries.len()));
                entries.push(Entry::Record(record));
            }
            Told::Mark(mark) => marks.push(mark),
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
    (tickets, entries.into(), marks)
}

/// That it has to go; what became of it is told when its NAS has answered.
fn condemned(session: &Session) {
    let State::Condemned(why) = &session.state else { return };
    let (user, reason) = (session.user.as_deref().unwrap_or("unknown"), why.reason);
    let (nas, station) = (&*session.device.nas, session.station.as_deref().unwrap_or("unknown"));
    tracing::warn!(user, nas, station, %reason, "a live session has to go");
}
