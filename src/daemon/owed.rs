//! What could not be written into the books yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::now::Wall;
use crate::sessions::{End, Kept, SessionId};
use crate::store::{Entry, Failure, Store};

/// Entries of one COMMIT.
const BATCH: usize = 512;
/// Sessions of which something may be owed to a file that can't be written, and notices.
const MOST: usize = 65_536;

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
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
            Err(Failure::Refused(_) | Failure::Conflict(_)) => Self::Refused,
            Err(Failure::Busy | Failure::Unusable(_)) => Self::NotYet,
        }
    }
}

/// Which entries are on disk. Where one spoils a batch, each is tried by itself.
pub(super) async fn enter(store: &Store, entries: Arc<[Entry]>) -> Vec<Written> {
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
pub(super) struct Owed {
    fates: BTreeMap<SessionId, Fate>,
    /// What else there is to tell, of those that have to go.
    notices: VecDeque<Entry>,
}

/// What became of one: how it is, and how it ended.
#[derive(Debug, Default)]
struct Fate {
    put: Option<Box<Kept>>,
    ended: Option<(End, Wall)>,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.fates.is_empty() && self.notices.is_empty()
    }

    /// How many there was no room for.
    pub(super) fn add<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> u64 {
        let mut missed = 0;
        for entry in entries {
            missed += match entry {
                // Its NAS tells again.
                Entry::Record(_) => 0,
                Entry::Put(kept) => self.fated(kept.session.id, |fate| fate.put = Some(kept.clone())),
                Entry::Ended(ids, why, at) => {
                    ids.iter().map(|id| self.fated(*id, |fate| fate.ended = Some((*why, *at)))).sum()
                }
                Entry::Held(_) | Entry::Going(..) | Entry::Told(..) | Entry::Pardoned(_) => self.noticed(entry),
            };
        }
        missed
    }

    fn fated(&mut self, id: SessionId, set: impl FnOnce(&mut Fate)) -> u64 {
        if self.fates.len() >= MOST && !self.fates.contains_key(&id) {
            return 1;
        }
        set(self.fates.entry(id).or_default());
        0
    }

    fn noticed(&mut self, entry: &Entry) -> u64 {
        if self.notices.len() >= MOST {
            return 1;
        }
        self.notices.push_back(entry.clone());
        0
    }

    /// Writes it; whether nothing is owed any more.
    pub(super) async fn settle(&mut self, store: &Store) -> bool {
        while !self.fates.is_empty() {
            let first: Vec<_> = self.fates.iter().take(BATCH).collect();
            let ids: Vec<_> = first.iter().map(|(id, _)| **id).collect();
            let entries: Vec<_> = first.into_iter().flat_map(|(id, fate)| fate.entries(*id)).collect();
            if enter(store, entries.into()).await.contains(&Written::NotYet) {
                return false;
            }
            for id in ids {
                self.fates.remove(&id);
            }
        }
        while !self.notices.is_empty() {
            let entries: Arc<[_]> = self.notices.iter().take(BATCH).cloned().collect();
            if enter(store, Arc::clone(&entries)).await.contains(&Written::NotYet) {
                return false;
            }
            self.notices.drain(..entries.len());
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
