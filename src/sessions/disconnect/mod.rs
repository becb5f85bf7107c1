//! Sessions that are told to end (RFC 5176): which wait, which have been said to their NAS, what the NAS says. Fair over NAS, and bounded: a session waits once, however many want it gone.
//!
//! - Who may go by itself: `guard`; what of that a restart must not forget: `past`.
//! - What a NAS is told: `said`; what is done when it says no: `refused`.

mod guard;
mod past;
mod refused;
mod said;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

pub use guard::{Automatic, Batch, BatchId, Cause, Guard, Settled};
pub use past::Past;

use super::Sessions;
use super::session::{Session, SessionId, Stage, State};
use crate::exchange::{Datagram, Due, Identify, Peers, Repeats, RequestId, Requests};
use crate::now::{Mono, Now};
use crate::radius::{Code, Packet, Type};
use refused::{is_asked_otherwise, is_told_again, pause};
use said::Said;

/// Error-Cause of a session that the NAS doesn't know (RFC 5176 section 3.5).
const CONTEXT_NOT_FOUND: u32 = 503;
/// Requests that wait for an answer, in all.
const MOST: usize = 2_048;
/// The same of one destination that answers.
const WINDOW: usize = 16;
/// The same of one that didn't, the last time.
const SILENT_WINDOW: usize = 1;
/// Orders that may wait for the end of one session.
const MOST_ORDERS: usize = 64;
/// Sessions beside it that one answer may name.
const MOST_OTHERS: usize = 1_000;

/// Who wants a session to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Somebody of this name, who waits for the result under this number.
    Order(u64, Arc<str>),
    /// It has been condemned: it is asked for until its NAS has answered, as long as it stays condemned.
    Condemned,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The NAS has ended it.
    Ack,
    /// It hasn't; by its Error-Cause (RFC 5176 section 3.5).
    Nak(Option<u32>),
    /// It didn't answer.
    NoAnswer,
    /// It wasn't even asked.
    NotPossible(Impossible),
}

impl Told {
    /// The names of all results.
    pub const NAMES: [&'static str; 4] = ["ack", "nak", "no-answer", "not-possible"];

    /// Its fixed name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let [ack, nak, no_answer, not_possible] = Self::NAMES;
        match self {
            Self::Ack => ack,
            Self::Nak(_) => nak,
            Self::NoAnswer => no_answer,
            Self::NotPossible(_) => not_possible,
        }
    }

    /// In words (English) what stands in the way, as far as that is known.
    #[must_use]
    pub fn detail(self) -> Option<&'static str> {
        match self {
            Self::Ack | Self::NoAnswer => None,
            Self::Nak(cause) => cause.and_then(said::error_cause),
            Self::NotPossible(why) => Some(why.text()),
        }
    }
}

/// Why a NAS wasn't asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// No such session is live.
    NoSession,
    /// Its NAS can't be told: it has no `disconnect`, or is none any more.
    NoWay,
    /// Nothing of `identify-by` is known of it, or only an anonymous name.
    NoName,
    /// Too many are asked for at once.
    TooMany,
}

impl Impossible {
    /// In words (English).
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSession => "no such session is live",
            Self::NoWay => "its NAS has no `disconnect`",
            Self::NoName => "nothing of its NAS's `identify-by` is known of it, or only a name that is nobody's",
            Self::TooMany => "too many are asked for at once",
        }
    }
}

/// What became of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The session.
    pub id: SessionId,
    /// As it was when its NAS was told; `None`: it was not live.
    pub session: Option<Box<Session>>,
    /// What its NAS says.
    pub told: Told,
    /// Those that have ended by an ACK: this one, and whatever else the same words say.
    pub ended: Vec<SessionId>,
    /// Who waits for this.
    pub orders: Vec<u64>,
    /// By their names.
    pub by: Vec<Arc<str>>,
    /// When each of `ended` had been heard of last.
    heard: Vec<Mono>,
    /// It was named by its Acct-Session-Id, among others.
    by_name: bool,
}

impl Disconnected {
    fn not(id: SessionId, session: Option<&Session>, why: Impossible, orders: Orders) -> Self {
        let session = session.cloned().map(Box::new);
        let (orders, by) = orders.into_iter().unzip();
        Self {
            id,
            session,
            told: Told::NotPossible(why),
            ended: Vec::new(),
            orders,
            by,
            heard: Vec::new(),
            by_name: false,
        }
    }

    /// The session, if its NAS accounts for it and doesn't find it by the name that it gave itself, and hasn't spoken of it since.
    pub(super) fn not_found(&self, sessions: &Sessions) -> Option<SessionId> {
        let asked = self.session.as_deref().filter(|_| self.told == Told::Nak(Some(CONTEXT_NOT_FOUND)))?;
        let is_named = asked.stage == Stage::Started && self.by_name;
        let is_silent = sessions.get(self.id).is_some_and(|session| session.heard == asked.heard);
        (is_named && is_silent).then_some(self.id)
    }

    /// Those of `ended` that have not been heard of since the NAS was told.
    pub(super) fn silent<'s>(&'s self, sessions: &'s Sessions) -> impl Iterator<Item = SessionId> + use<'s> {
        let pairs = self.ended.iter().zip(&self.heard);
        pairs
            .filter(|(id, heard)| sessions.get(**id).is_some_and(|session| session.heard == **heard))
            .map(|(id, _)| *id)
    }
}

/// Whom the NAS are told of, and how.
#[derive(Clone, Copy, Debug)]
pub struct Online<'a> {
    /// Who is online.
    pub sessions: &'a Sessions,
    /// The NAS.
    pub peers: &'a Peers,
}

/// Sessions that are to end.
#[derive(Debug)]
pub struct Disconnects {
    requests: Requests,
    jobs: HashMap<SessionId, Job>,
    asked: HashMap<RequestId, Asked>,
    lanes: HashMap<SocketAddr, Lane>,
    /// Lanes that may be looked into, in turn.
    turns: VecDeque<SocketAddr>,
    again: BTreeSet<(Mono, SessionId)>,
    datagrams: VecDeque<Datagram>,
    results: VecDeque<Disconnected>,
}

/// Who waits under which number.
type Orders = Vec<(u64, Arc<str>)>;

/// A session that is to end.
#[derive(Debug, Default)]
struct Job {
    orders: Orders,
    condemned: bool,
    /// How often its NAS didn't answer, or said no, one after the other.
    failed: u32,
    /// By what its NAS was told of it by that alone, in vain.
    tried: Vec<Identify>,
    /// What alone it is to be told next; `None`: all that is known.
    alone: Option<Identify>,
    /// Until when nothing is done, if it waits for that.
    again: Option<Mono>,
    /// Its NAS has been asked, and has not yet answered.
    is_asked: bool,
}

/// A request on its way.
#[derive(Debug)]
struct Asked {
    lane: SocketAddr,
    session: Box<Session>,
    /// All that it says, and when each was heard of last.
    says: Vec<(SessionId, Mono)>,
    /// By what it names the session.
    by: Vec<Identify>,
}

/// What is for one destination.
#[derive(Debug)]
struct Lane {
    /// Of somebody who waits: these go first, and as many at once as to a NAS that answers.
    urgent: VecDeque<SessionId>,
    waiting: VecDeque<SessionId>,
    asked: usize,
    window: usize,
    has_turn: bool,
}

impl Default for Disconnects {
    fn default() -> Self {
        Self {
            requests: Requests::new(Repeats::STANDARD),
            jobs: HashMap::new(),
            asked: HashMap::new(),
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            again: BTreeSet::new(),
            datagrams: VecDeque::new(),
            results: VecDeque::new(),
        }
    }
}

impl Disconnects {
    /// A session is to end. It is asked for by [`Disconnects::handle_timeout`], which is due then.
    pub fn want(&mut self, now: Now, id: SessionId, wish: &Wish, online: Online<'_>) {
        let orders = match wish {
            Wish::Order(number, by) => vec![(*number, Arc::clone(by))],
            Wish::Condemned => Vec::new(),
        };
        let Some(session) = online.sessions.get(id) else {
            return self.results.push_back(Disconnected::not(id, None, Impossible::NoSession, orders));
        };
        if self.jobs.get(&id).is_some_and(|job| job.orders.len() + orders.len() > MOST_ORDERS) {
            return self.results.push_back(Disconnected::not(id, Some(session), Impossible::TooMany, orders));
        }
        let Some(lane) = destination(session, online.peers) else {
            return self.results.push_back(Disconnected::not(id, Some(session), Impossible::NoWay, orders));
        };
        let is_urgent = !orders.is_empty();
        let is_new = !self.jobs.contains_key(&id);
        let job = self.jobs.entry(id).or_default();
        job.orders.extend(orders);
        job.condemned |= *wish == Wish::Condemned;
        let rested = job.again.take().map(|again| self.again.remove(&(again, id))).is_some();
        if is_new || rested || (is_urgent && !job.is_asked) {
            self.line_up(lane, id, is_urgent);
        }
        self.send(now, online);
    }

    /// A datagram that came to where requests are sent from. What isn't an authentic answer to one of them changes nothing.
    pub(crate) fn replied(&mut self, now: Now, from: SocketAddr, octets: &[u8], online: Online<'_>) {
        let Ok((request, reply)) = self.requests.reply(from, octets) else { return };
        self.finish(now, request, verdict(&reply), online);
        self.send(now, online);
    }

    /// Repeats, gives up, and tries again what was given up.
    pub fn handle_timeout(&mut self, now: Now, online: Online<'_>) {
        while let Some(due) = self.requests.handle_timeout(now.mono) {
            match due {
                Due::Again(datagram) => self.datagrams.push_back(datagram),
                Due::Unanswered(request) => self.finish(now, request, Told::NoAnswer, online),
            }
        }
        while let Some((_, id)) = self.again.first().copied().filter(|(at, _)| *at <= now.mono) {
            self.again.pop_first();
            let lane = online.sessions.get(id).and_then(|session| destination(session, online.peers));
            match (lane, self.jobs.get_mut(&id)) {
                (Some(lane), Some(job)) => {
                    job.again = None;
                    self.line_up(lane, id, false);
                }
                _ => drop(self.jobs.remove(&id)),
            }
        }
        self.send(now, online);
    }

    /// When [`Disconnects::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.requests.poll_timeout().into_iter().chain(self.again.first().map(|(at, _)| *at)).min()
    }

    /// The next datagram to send.
    pub(crate) fn poll_datagram(&mut self) -> Option<Datagram> {
        self.datagrams.pop_front()
    }

    /// The next result.
    pub(crate) fn poll_result(&mut self) -> Option<Disconnected> {
        self.results.pop_front()
    }

    fn line_up(&mut self, to: SocketAddr, id: SessionId, is_urgent: bool) {
        let new =
            || Lane { urgent: VecDeque::new(), waiting: VecDeque::new(), asked: 0, window: WINDOW, has_turn: false };
        let lane = self.lanes.entry(to).or_insert_with(new);
        let line = if is_urgent { &mut lane.urgent } else { &mut lane.waiting };
        line.push_back(id);
        if !std::mem::replace(&mut lane.has_turn, true) {
            self.turns.push_back(to);
        }
    }

    /// One of each destination in turn, as many as may be under way.
    fn send(&mut self, now: Now, online: Online<'_>) {
        while self.asked.len() < MOST
            && let Some(to) = self.turns.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(&to) else { continue };
            lane.has_turn = false;
            let next = lane.next();
            if let Some(id) = next {
                self.ask(now, to, id, online);
            }
            self.take_turn(to, next.is_some());
        }
    }

    /// A lane has its turn again if there is something that may be asked; one of which nothing is left is forgotten.
    fn take_turn(&mut self, to: SocketAddr, has_moved: bool) {
        let Some(lane) = self.lanes.get_mut(&to) else { return };
        if lane.is_empty() && lane.asked == 0 {
            self.lanes.remove(&to);
        } else if has_moved && !lane.is_empty() && !std::mem::replace(&mut lane.has_turn, true) {
            self.turns.push_back(to);
        }
    }

    fn ask(&mut self, now: Now, lane: SocketAddr, id: SessionId, online: Online<'_>) {
        // It may stand in both lines of its lane, and was asked from the other.
        let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.is_asked && job.again.is_none()) else { return };
        let session = online.sessions.get(id);
        // Lifted meanwhile, and nobody else wants it.
        if job.orders.is_empty() && session.is_none_or(|session| session.state == State::Good) {
            self.jobs.remove(&id);
            return;
        }
        let alone = job.alone;
        match self.asked(now, session, alone, online) {
            Ok((request, asked)) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.is_asked = true;
                }
                self.asked.insert(request, Asked { lane, ..asked });
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.asked += 1;
                }
            }
            Err(why) => {
                let orders = self.jobs.remove(&id).unwrap_or_default().orders;
                self.results.push_back(Disconnected::not(id, session, why, orders));
            }
        }
    }

    /// Says it to the NAS as it is known now.
    fn asked(
        &mut self,
        now: Now,
        session: Option<&Session>,
        alone: Option<Identify>,
        online: Online<'_>,
    ) -> Result<(RequestId, Asked), Impossible> {
        let session = session.ok_or(Impossible::NoSession)?;
        let nas = online.peers.find(session.peer()).ok_or(Impossible::NoWay)?;
        let disconnect = nas.disconnect.as_ref().ok_or(Impossible::NoWay)?;
        let identify_by = alone.as_ref().map_or(&*disconnect.identify_by, std::slice::from_ref);
        let said = Said::of(session, identify_by).ok_or(Impossible::NoName)?;
        let attributes = said.attributes(now.wall).map_err(|_| Impossible::NoName)?;
        let to = disconnect.destination(session.peer());
        let (request, datagram) = self
            .requests
            .ask(now.mono, to, &disconnect.asker, Code::DISCONNECT_REQUEST, &attributes)
            .map_err(|_| Impossible::TooMany)?;
        self.datagrams.push_back(datagram);
        let others = online.sessions.of_device(&session.device).filter(|it| it.id != session.id && said.fits(it));
        let says = [session].into_iter().chain(others.take(MOST_OTHERS)).map(|it| (it.id, it.heard)).collect();
        Ok((request, Asked { lane: to, session: Box::new(session.clone()), says, by: said.by().to_vec() }))
    }

    fn finish(&mut self, now: Now, request: RequestId, told: Told, online: Online<'_>) {
        let Some(Asked { lane: to, session, says, by: said }) = self.asked.remove(&request) else { return };
        if let Some(lane) = self.lanes.get_mut(&to) {
            lane.asked = lane.asked.saturating_sub(1);
            lane.window = if told == Told::NoAnswer { SILENT_WINDOW } else { WINDOW };
        }
        self.take_turn(to, true);
        let id = session.id;
        let mut job = self.jobs.remove(&id).unwrap_or_default();
        job.is_asked = false;
        if is_asked_otherwise(told, &said) && job.choose(&said, id, online) {
            self.line_up(to, id, !job.orders.is_empty());
            self.jobs.insert(id, job);
            return;
        }
        let by_name = said.contains(&Identify::AcctSessionId);
        let (orders, by) = std::mem::take(&mut job.orders).into_iter().unzip();
        let (ended, heard) = if told == Told::Ack { says.into_iter().unzip() } else { (Vec::new(), Vec::new()) };
        self.results.push_back(Disconnected { id, session: Some(session), told, ended, orders, by, heard, by_name });
        if job.condemned && is_told_again(told, by_name, job.failed) {
            let again = now.mono + pause(told, job.failed);
            let failed = job.failed.saturating_add(1);
            self.jobs.insert(id, Job { condemned: true, failed, again: Some(again), ..Job::default() });
            self.again.insert((again, id));
        }
    }
}

impl Job {
    /// Chooses what alone the session may be named by, where nobody else at its device has the same; whether there is anything left.
    fn choose(&mut self, said: &[Identify], id: SessionId, online: Online<'_>) -> bool {
        if let [one] = said {
            self.tried.push(*one);
        }
        let session = online.sessions.get(id);
        let disconnect = session.and_then(|it| online.peers.find(it.peer())?.disconnect.as_ref());
        let Some((session, disconnect)) = session.zip(disconnect) else { return false };
        let is_unique = |by: &&Identify| {
            Said::of(session, std::slice::from_ref(*by))
                .is_some_and(|said| !online.sessions.of_device(&session.device).any(|it| it.id != id && said.fits(it)))
        };
        let left = disconnect.identify_by.iter().filter(|by| !self.tried.contains(by));
        self.alone = left.into_iter().find(is_unique).copied();
        self.alone.is_some()
    }
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.waiting.is_empty()
    }

    /// The next that may be asked.
    fn next(&mut self) -> Option<SessionId> {
        let urgent = if self.asked < WINDOW { self.urgent.pop_front() } else { None };
        urgent.or_else(|| if self.asked < self.window { self.waiting.pop_front() } else { None })
    }
}

fn destination(session: &Session, peers: &Peers) -> Option<SocketAddr> {
    Some(peers.find(session.peer())?.disconnect.as_ref()?.destination(session.peer()))
}

fn verdict(reply: &Packet<'_>) -> Told {
    match reply.code() {
        Code::DISCONNECT_ACK => Told::Ack,
        _ => Told::Nak(reply.integer(Type::ERROR_CAUSE)),
    }
}
