//! The mass guard: sessions that have to go by themselves, but not all at once because of somebody's mistake.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::session::{Condemned, Session, SessionId};
use crate::event::{Evidence, Reason};
use crate::now::{Mono, Now, Wall};

/// How long sessions are gathered while others wait to be judged: those of one CRL are counted together.
const GATHER: Duration = Duration::from_secs(5);

/// `[disconnect]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// `automatic`
    pub enabled: bool,
    /// `at-most`
    pub at_most: usize,
    /// `per`
    pub per: Duration,
}

impl Default for Automatic {
    fn default() -> Self {
        Self { enabled: true, at_most: 200, per: Duration::from_secs(60 * 60) }
    }
}

/// Why sessions have to go that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// As a login would be refused.
    pub reason: Reason,
    /// The authority whose CRL or responder says so.
    pub authority: Option<Arc<str>>,
}

impl From<&Condemned> for Cause {
    fn from(condemned: &Condemned) -> Self {
        let authority = condemned.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Crl(crl) => Some(Arc::clone(&crl.authority)),
            Evidence::Ocsp(ocsp) => Some(Arc::clone(&ocsp.authority)),
            _ => None,
        });
        Self { reason: condemned.reason, authority }
    }
}

/// Names a batch; never used twice, over restarts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId(pub u64);

/// Sessions that wait for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// Why they have to go.
    pub cause: Cause,
    /// Since when they wait.
    pub since: Wall,
    /// Those that are live.
    pub sessions: BTreeSet<SessionId>,
}

/// What is to be done with those that have been gathered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// These go.
    pub go: Vec<SessionId>,
    /// These batches are new.
    pub held: Vec<BatchId>,
}

/// Counts what goes by itself. Of one cause all go or all wait: half of a mistake would be a mistake too.
#[derive(Debug)]
pub struct Guard {
    gathered: BTreeMap<Cause, BTreeSet<SessionId>>,
    gathered_since: Option<Mono>,
    batches: BTreeMap<BatchId, Batch>,
    /// What an operator has decided that it stays, and for what cause it was to go.
    discarded: HashMap<SessionId, Cause>,
    gone: VecDeque<(Mono, usize)>,
    next: u64,
}

impl Guard {
    /// Nothing waits. `now`: batches are numbered from there.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            gathered: BTreeMap::new(),
            gathered_since: None,
            batches: BTreeMap::new(),
            discarded: HashMap::new(),
            gone: VecDeque::new(),
            next: u64::try_from(now.wall.0).unwrap_or(0) << 16,
        }
    }

    /// A session has to go. `true`: it goes at once, since an operator said so; else [`Guard::settle`] says what is done, unless it waits already or was discarded.
    pub fn condemned(&mut self, now: Mono, by: Automatic, session: &Session, why: &Condemned) -> bool {
        if !by.enabled {
            return false;
        }
        if matches!(why.reason, Reason::Blocked | Reason::UserBlocked) {
            return true;
        }
        let (id, cause) = (session.id, Cause::from(why));
        let is_held = || self.batches.values().any(|batch| batch.cause == cause && batch.sessions.contains(&id));
        if self.discarded.get(&id) != Some(&cause) && !is_held() {
            self.gathered.entry(cause).or_default().insert(id);
            self.gathered_since.get_or_insert(now);
        }
        false
    }

    /// Whether sessions are gathered and, as others are still judged, wait for those of the same cause.
    #[must_use]
    pub fn is_due(&self, now: Mono, all_judged: bool) -> bool {
        self.gathered_since.is_some_and(|since| all_judged || now.since(since) >= GATHER)
    }

    /// When those that are gathered have waited long enough.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.gathered_since.map(|since| since + GATHER)
    }

    /// Decides about what has been gathered.
    pub fn settle(&mut self, now: Now, by: Automatic) -> Settled {
        let mut settled = Settled::default();
        self.gathered_since = None;
        while self.gone.front().is_some_and(|(at, _)| now.mono.since(*at) >= by.per) {
            self.gone.pop_front();
        }
        for (cause, sessions) in std::mem::take(&mut self.gathered) {
            let gone: usize = self.gone.iter().map(|(_, count)| count).sum();
            if gone.saturating_add(sessions.len()) > by.at_most {
                settled.held.push(self.hold(now.wall, cause, sessions));
            } else {
                self.gone.push_back((now.mono, sessions.len()));
                settled.go.extend(sessions);
            }
        }
        settled
    }

    fn hold(&mut self, since: Wall, cause: Cause, sessions: BTreeSet<SessionId>) -> BatchId {
        self.next += 1;
        let id = BatchId(self.next);
        self.batches.insert(id, Batch { id, cause, since, sessions });
        id
    }

    /// What waits for an operator.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.values()
    }

    /// One of them.
    #[must_use]
    pub fn batch(&self, id: BatchId) -> Option<&Batch> {
        self.batches.get(&id)
    }

    /// An operator lets them go. `None`: there is no such batch.
    pub fn release(&mut self, id: BatchId) -> Option<Batch> {
        self.batches.remove(&id)
    }

    /// An operator lets them stay, whatever else says the same. `None`: there is no such batch.
    pub fn discard(&mut self, id: BatchId) -> Option<Batch> {
        let batch = self.batches.remove(&id)?;
        self.discarded.extend(batch.sessions.iter().map(|session| (*session, batch.cause.clone())));
        Some(batch)
    }

    /// These have ended: nobody has to decide about them any more.
    pub fn ended(&mut self, ids: &[SessionId]) {
        for id in ids {
            self.discarded.remove(id);
        }
        for sessions in self.gathered.values_mut().chain(self.batches.values_mut().map(|batch| &mut batch.sessions)) {
            for id in ids {
                sessions.remove(id);
            }
        }
        self.gathered.retain(|_, sessions| !sessions.is_empty());
        self.batches.retain(|_, batch| !batch.sessions.is_empty());
        if self.gathered.is_empty() {
            self.gathered_since = None;
        }
    }
}
