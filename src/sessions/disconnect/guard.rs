//! The mass guard: sessions that have to go by themselves, but not all at once because of somebody's mistake.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::session::{Condemned, Session, SessionId};
use super::Past;
use crate::event::{Evidence, Reason};
use crate::now::{Mono, Now, Wall};

/// How long sessions are gathered while others wait to be judged: those of one CRL are counted together.
const GATHER: Duration = Duration::from_secs(5);

/// `[disconnect]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Automatic {
    /// `automatic`; without it nobody is told by itself, not even for an operator's own block: he ends sessions one by one, and `condemned` of the API's sessions says which. It is never what stops an order, or a batch that he has released.
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
    /// These go, each for its cause.
    pub go: Vec<(Cause, BTreeSet<SessionId>)>,
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
    /// What the last process has let go, and whether its NAS has answered; until each has been judged once.
    left: HashMap<SessionId, bool>,
    gone: VecDeque<Gone>,
    next: u64,
    version: u64,
}

/// So many went by themselves.
#[derive(Debug)]
struct Gone {
    at: Mono,
    /// How long before that, where it was another process.
    before: Duration,
    count: usize,
}

impl Guard {
    /// Where the last process has left off; batches are numbered from `now`. `is_live`: whether a session still is.
    #[must_use]
    pub fn restored(now: Now, past: Past, is_live: impl Fn(SessionId) -> bool) -> Self {
        let Past { held, discarded, mut left, mut counted } = past;
        left.retain(|id, _| is_live(*id));
        counted.sort_unstable();
        let highest = held.iter().map(|batch| batch.id.0).max().unwrap_or(0);
        let live = |mut batch: Batch| {
            batch.sessions.retain(|id| is_live(*id));
            (!batch.sessions.is_empty()).then_some((batch.id, batch))
        };
        let stays = |batch: Batch| batch.sessions.into_iter().map(move |id| (id, batch.cause.clone()));
        let gone = |(at, count): (Wall, usize)| Gone { at: now.mono, before: at.until(now.wall), count };
        Self {
            gathered: BTreeMap::new(),
            gathered_since: None,
            batches: held.into_iter().filter_map(live).collect(),
            discarded: discarded.into_iter().flat_map(stays).filter(|(id, _)| is_live(*id)).collect(),
            left,
            gone: counted.into_iter().map(gone).collect(),
            next: highest.max(u64::try_from(now.wall.0).unwrap_or(0) << 16),
            version: 1,
        }
    }

    /// A session has to go. `true`: it goes at once, since an operator said so or it was let go before; else [`Guard::settle`] says what is done, unless it waits already, was discarded, or its NAS has been told before a restart.
    pub fn condemned(&mut self, now: Mono, by: Automatic, session: &Session, why: &Condemned) -> bool {
        if let Some(is_told) = self.left.remove(&session.id) {
            return !is_told;
        }
        if !by.enabled || why.own {
            return by.enabled;
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
    pub(crate) fn is_due(&self, now: Mono, all_judged: bool) -> bool {
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
        while self.gone.front().is_some_and(|gone| now.mono.since(gone.at).saturating_add(gone.before) >= by.per) {
            self.gone.pop_front();
        }
        for (cause, sessions) in std::mem::take(&mut self.gathered) {
            let gone: usize = self.gone.iter().map(|gone| gone.count).sum();
            if gone.saturating_add(sessions.len()) > by.at_most {
                settled.held.push(self.hold(now.wall, cause, sessions));
            } else {
                self.gone.push_back(Gone { at: now.mono, before: Duration::ZERO, count: sessions.len() });
                settled.go.push((cause, sessions));
            }
        }
        settled
    }

    fn hold(&mut self, since: Wall, cause: Cause, sessions: BTreeSet<SessionId>) -> BatchId {
        self.next += 1;
        self.version += 1;
        let id = BatchId(self.next);
        self.batches.insert(id, Batch { id, cause, since, sessions });
        id
    }

    /// All have been judged since the restart: those of the past that nothing stands against any more.
    pub(crate) fn forget_past(&mut self) -> Vec<SessionId> {
        self.left.drain().map(|(id, _)| id).collect()
    }

    /// Another number whenever [`Guard::batches`] may be others.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
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
        self.version += 1;
        self.batches.remove(&id)
    }

    /// An operator lets them stay, whatever else says the same. `None`: there is no such batch.
    pub fn discard(&mut self, id: BatchId) -> Option<Batch> {
        self.version += 1;
        let batch = self.batches.remove(&id)?;
        self.discarded.extend(batch.sessions.iter().map(|session| (*session, batch.cause.clone())));
        Some(batch)
    }

    /// These have ended: nobody has to decide about them any more.
    pub fn ended(&mut self, ids: &[SessionId]) {
        for id in ids {
            self.discarded.remove(id);
        }
        self.pardoned(ids);
    }

    /// Nothing stands against these any more. What an operator has discarded stays discarded.
    pub(crate) fn pardoned(&mut self, ids: &[SessionId]) {
        let waiting =
            |batches: &BTreeMap<BatchId, Batch>| batches.values().map(|batch| batch.sessions.len()).sum::<usize>();
        let before = waiting(&self.batches);
        for id in ids {
            self.left.remove(id);
        }
        for sessions in self.gathered.values_mut().chain(self.batches.values_mut().map(|batch| &mut batch.sessions)) {
            for id in ids {
                sessions.remove(id);
            }
        }
        self.gathered.retain(|_, sessions| !sessions.is_empty());
        self.batches.retain(|_, batch| !batch.sessions.is_empty());
        self.version += u64::from(waiting(&self.batches) != before);
        if self.gathered.is_empty() {
            self.gathered_since = None;
        }
    }
}
