//! Who is online: bounded in number, aged by the clock, judged in slices.

mod apply;
mod sweep;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use super::disconnect::Disconnected;
use super::ended::Ended;
use super::index::Index;
use super::session::{Kept, Session, SessionId, Stage, State};
use super::{Device, Law};
use crate::now::{Mono, Now, Wall};
use sweep::Sweep;

/// Sessions that are looked at before others have their turn: about a millisecond.
const SLICE: usize = 512;

/// Bounds of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `[registry].max-sessions`. Beyond, one of nobody that we know makes room, else one that no NAS has accounted for, else any: the one that is nearest to its end. About 1 KiB each.
    pub max_sessions: usize,
}

/// Why a session is no longer live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its NAS says so.
    Stop,
    /// Its NAS has restarted.
    Restart,
    /// Its station has another at the same place, or its NAS another by the same name.
    Replaced,
    /// Nobody has spoken of it for long enough.
    Silent,
    /// It made room for others.
    Overflow,
    /// Its NAS has ended it because we said so, and doesn't account for it.
    Disconnected,
    /// Its NAS knows nothing of it.
    NotFound,
}

impl End {
    /// Its fixed name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Replaced => "replaced",
            Self::Silent => "silent",
            Self::Overflow => "overflow",
            Self::Disconnected => "disconnected",
            Self::NotFound => "not-found",
        }
    }
}

/// What has changed, for whoever keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session is like this now.
    Put(Box<Kept>),
    /// These have ended.
    Ended(Vec<SessionId>, End, Wall),
    /// A session that was good has to go, or one that had to go is blocked by an operator besides. It may be told again after a restart.
    Condemned(Box<Session>),
    /// These were condemned, and nothing stands against them any more.
    Pardoned(Vec<SessionId>),
}

/// The live sessions.
#[derive(Debug)]
pub struct Sessions {
    settings: Settings,
    all: BTreeMap<SessionId, Session>,
    index: Index,
    deadlines: BTreeSet<(Mono, SessionId)>,
    /// Of those that no certificate stands behind: a NAS can make up as many as it likes.
    strangers: BTreeSet<(Mono, SessionId)>,
    /// Of those that no NAS accounts for.
    provisional: BTreeSet<(Mono, SessionId)>,
    ended: Ended,
    sweep: Sweep,
    changes: VecDeque<Change>,
    next: u64,
}

impl Sessions {
    /// None. `now`: numbers of sessions begin with the time, so that a restarted server never uses one again.
    #[must_use]
    pub fn new(settings: Settings, now: Now) -> Self {
        Self {
            settings,
            all: BTreeMap::new(),
            index: Index::default(),
            deadlines: BTreeSet::new(),
            strangers: BTreeSet::new(),
            provisional: BTreeSet::new(),
            ended: Ended::default(),
            sweep: Sweep::new(now.mono),
            changes: VecDeque::new(),
            next: u64::try_from(now.wall.0).unwrap_or(0) << 24,
        }
    }

    /// Takes over sessions that were live when the last process ended, all to be judged anew. Those that would have been silent for too long meanwhile have ended.
    pub(crate) fn restore(&mut self, now: Now, kept: Vec<Kept>) {
        let (kept, silent): (Vec<_>, Vec<_>) = kept.into_iter().partition(|kept| kept.until > now.wall);
        if !silent.is_empty() {
            let ids = silent.iter().map(|kept| kept.session.id).collect();
            self.changes.push_back(Change::Ended(ids, End::Silent, now.wall));
        }
        for Kept { mut session, until } in kept {
            if self.all.len() >= self.settings.max_sessions || self.all.contains_key(&session.id) {
                continue;
            }
            self.next = self.next.max(session.id.0);
            session.device = self.device(&session.device);
            session.state = State::Good;
            session.heard = now.mono;
            session.until = now.mono + now.wall.until(until);
            self.link(session);
        }
        self.judge_all();
    }

    /// How many are live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A session that is live.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.all.get(&id)
    }

    /// Those at one device.
    pub(crate) fn of_device<'s>(&'s self, device: &Arc<Device>) -> impl Iterator<Item = &'s Session> + use<'s> {
        self.index.of_device(device).filter_map(|id| self.all.get(&id))
    }

    /// Whether none waits to be judged.
    #[must_use]
    pub(crate) fn all_judged(&self) -> bool {
        self.sweep.is_over()
    }

    /// A NAS has ended sessions because we said so. Those that it accounts for end by its Stop; of the others nothing will be heard any more.
    /// What it has accounted for and, asked by the very name that it gave, doesn't find any more has ended, and its Stop was lost (RFC 5176 section 3.5, 503 Session Context Not Found).
    /// One that hasn't begun may only not be there yet: it stays, and is told of again when it begins.
    pub fn disconnected(&mut self, now: Now, done: &Disconnected) {
        if let Some(id) = done.not_found(self) {
            self.end(now, vec![id], End::NotFound, now.wall);
        }
        let is_provisional =
            |id: &SessionId| self.all.get(id).is_some_and(|session| session.stage == Stage::Provisional);
        let ids = done.silent(self).filter(is_provisional).collect();
        self.end(now, ids, End::Disconnected, now.wall);
    }

    /// All that are live, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.all.values()
    }

    /// Those with a higher number.
    pub(super) fn after(&self, id: Option<SessionId>) -> impl Iterator<Item = &Session> {
        self.all.range((id.map_or(Unbounded, Excluded), Unbounded)).map(|(_, session)| session)
    }

    /// How many there are of each service that has had any; `None`: of none that we know.
    pub fn counts(&self) -> impl Iterator<Item = (Option<&Arc<str>>, usize)> {
        self.index.counts()
    }

    /// Another number whenever [`Sessions::counts`] may be others.
    #[must_use]
    pub fn counts_version(&self) -> u64 {
        self.index.changes()
    }

    /// What has changed, in order.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// What sessions are judged by has changed: all of them are judged, slice by slice, by [`Sessions::handle_timeout`].
    pub(crate) fn judge_all(&mut self) {
        if !self.all.is_empty() {
            self.sweep.begin();
        }
    }

    /// When [`Sessions::handle_timeout`] wants to be called; at once while sessions wait to be judged.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        if self.all.is_empty() {
            return None;
        }
        let silent = self.deadlines.first().map(|(until, _)| *until);
        silent.into_iter().chain([self.sweep.due()]).min()
    }

    /// Ends what has been silent for too long, and judges a slice of those that wait for it.
    pub fn handle_timeout(&mut self, now: Now, law: Law<'_>) {
        let due = self.deadlines.iter().take_while(|(until, _)| *until <= now.mono).take(SLICE);
        let silent: Vec<SessionId> = due.map(|(_, id)| *id).collect();
        self.end(now, silent, End::Silent, now.wall);
        let slice = self.sweep.slice(now.mono, SLICE, &self.all);
        for id in slice {
            self.judge(now, id, law);
        }
    }

    /// Judges one by what is in force. "Newly condemned" is the step from good to condemned; one whose block was lifted is good again.
    fn judge(&mut self, now: Now, id: SessionId, law: Law<'_>) {
        let Some(session) = self.all.get_mut(&id) else { return };
        match (law.judge(session, now.wall), &session.state) {
            (Some(condemned), State::Good) => {
                session.state = State::Condemned(Box::new(condemned));
                self.changes.push_back(Change::Condemned(Box::new(session.clone())));
            }
            // What was held or left alone goes for an operator's own block.
            (Some(condemned), State::Condemned(before)) if condemned.own && !before.own => {
                session.state = State::Condemned(Box::new(condemned));
                self.changes.push_back(Change::Condemned(Box::new(session.clone())));
            }
            (Some(condemned), State::Condemned(before)) if before.own && !condemned.own => {
                session.state = State::Condemned(Box::new(condemned));
            }
            (None, State::Condemned(_)) => {
                session.state = State::Good;
                self.changes.push_back(Change::Pardoned(vec![id]));
            }
            _ => {}
        }
    }

    fn next_id(&mut self) -> SessionId {
        self.next += 1;
        SessionId(self.next)
    }

    fn device(&self, device: &Device) -> Arc<Device> {
        self.index.device(device).unwrap_or_else(|| Arc::new(device.clone()))
    }

    /// Puts a session in, or back in.
    fn link(&mut self, session: Session) {
        self.index.insert(&session);
        self.deadlines.insert((session.until, session.id));
        if session.tie.is_none() {
            self.strangers.insert((session.until, session.id));
        }
        if session.stage == Stage::Provisional {
            self.provisional.insert((session.until, session.id));
        }
        self.all.insert(session.id, session);
    }

    /// Takes a session out.
    fn unlink(&mut self, id: SessionId) -> Option<Session> {
        let session = self.all.remove(&id)?;
        self.index.remove(&session);
        self.deadlines.remove(&(session.until, id));
        self.strangers.remove(&(session.until, id));
        self.provisional.remove(&(session.until, id));
        Some(session)
    }

    /// A new session: room is made, it is told of, and judged.
    fn open(&mut self, now: Now, session: Session, law: Law<'_>) {
        while self.all.len() >= self.settings.max_sessions.max(1) {
            let first = self.strangers.first().or(self.provisional.first()).or(self.deadlines.first());
            let Some((_, id)) = first.copied() else { break };
            self.end(now, vec![id], End::Overflow, now.wall);
        }
        self.keep(now, session, law);
    }

    /// A session as it is now.
    fn keep(&mut self, now: Now, mut session: Session, law: Law<'_>) {
        session.heard = now.mono;
        session.until = now.mono + session.patience();
        let until = now.wall + session.patience();
        let id = session.id;
        self.changes.push_back(Change::Put(Box::new(Kept { session: session.clone(), until })));
        self.link(session);
        self.judge(now, id, law);
    }

    /// Takes one out, to be put back in by [`Sessions::keep`] when it is as it is now.
    fn take(&mut self, id: Option<SessionId>) -> Option<Session> {
        self.unlink(id?)
    }

    fn end(&mut self, now: Now, ids: Vec<SessionId>, why: End, at: Wall) {
        let ended: Vec<SessionId> = ids.into_iter().filter(|id| self.forget(now.mono, *id, why, at)).collect();
        if !ended.is_empty() {
            self.changes.push_back(Change::Ended(ended, why, at));
        }
    }

    /// Takes one out for ever.
    fn forget(&mut self, now: Mono, id: SessionId, why: End, at: Wall) -> bool {
        let Some(session) = self.unlink(id) else { return false };
        // What was only thought to have ended may be spoken of again.
        if matches!(why, End::Stop | End::Restart)
            && let Some(acct_session) = session.acct_session
        {
            self.ended.insert(now, session.device, acct_session, at);
        }
        true
    }

    /// The table and its indices agree.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let provisional = self.all.values().filter(|it| it.stage == Stage::Provisional).count();
        let strangers = self.all.values().filter(|it| it.tie.is_none()).count();
        assert_eq!((self.deadlines.len(), self.provisional.len()), (self.all.len(), provisional));
        assert_eq!(self.strangers.len(), strangers);
        assert_eq!(self.counts().map(|(_, count)| count).sum::<usize>(), self.all.len());
        for session in self.all.values() {
            assert!(self.deadlines.contains(&(session.until, session.id)));
            assert!(self.index.of_device(&session.device).any(|id| id == session.id));
        }
        assert!(!self.all.is_empty() || self.index.is_empty());
        assert!(self.all.len() <= self.settings.max_sessions);
    }
}
