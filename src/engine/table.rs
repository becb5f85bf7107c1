//! The conversations that are alive: bounded, by age, by NAS, by station.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::Settings;
use super::asking::Asking;
use crate::access::{Dialogue, FollowUp, Found, Lookup, Lost, State};
use crate::event::{MessageAuthenticator, RequestCode};
use crate::exchange::{ExchangeId, Hop, Nas};
use crate::now::Mono;
use crate::quick::{Line, LineOf, Map};

/// Live conversations of one station at one NAS (E12). Beyond, the oldest goes that its supplicant has not gone on with, else the oldest: whoever spoofs an address,
/// or sends a request that he has seen again from other ports, ends nobody's login by that alone.
const PER_STATION: usize = 3;
/// A conversation may take so many times its timeout in all.
const TOTAL: u32 = 10;
/// What is left to one whose supplicant has been told by an alert that it is refused. Most acknowledge that at once (RFC 9190 section 2.1.4); strongSwan hangs up, and the decision is known only when the conversation ends.
const TOLD: Duration = Duration::from_secs(10);

/// A request that waits for an answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) hop: Hop,
    pub(super) exchange: ExchangeId,
    pub(super) code: RequestCode,
    pub(super) nas: Arc<Nas>,
    pub(super) message_authenticator: MessageAuthenticator,
}

/// A conversation and what the hall knows of it.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` while a Step has it.
    pub(super) conversation: Option<Box<Dialogue>>,
    /// The State attribute's octets.
    pub(super) state: Vec<u8>,
    pub(super) nas: Arc<Nas>,
    /// Where its last request came from.
    pub(super) hop: Hop,
    /// What a Step is to answer.
    pub(super) pending: Option<Request>,
    /// What to answer if the Step is lost.
    pub(super) lost: Lost,
    /// What is looked up for it.
    looked: Option<Looked>,
    /// The exchange that was answered last.
    answered: Option<ExchangeId>,
    station: Option<String>,
    started: Mono,
    deadline: Mono,
    /// Its deadline isn't in the order in which it was heard of.
    is_last: bool,
}

impl Slot {
    /// Whether its supplicant has been told that it is refused.
    fn is_told(&self) -> bool {
        self.conversation.as_ref().is_some_and(|conversation| conversation.is_told())
    }
}

/// A kind of [`Lookup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    Certificates,
    Code,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Conversations by how much each would be missed.
#[derive(Debug, Default)]
struct Ranks {
    /// By the time that each has left, which is the same for all from the last that was heard of it: so they are in the order of their deadlines.
    by_age: Line<u64, Mono>,
    /// Those that get no more time, whatever is heard of them, or less than the others.
    at_end: BTreeSet<(Mono, u64)>,
    /// Nothing has come back from the supplicant yet. The oldest first.
    first_round: LineOf<u64>,
}

impl Ranks {
    fn len(&self) -> usize {
        self.by_age.len() + self.at_end.len()
    }

    /// When at least half are conversations that nobody has gone on with, the oldest of those: a flood of identities ends nothing that has begun (E11).
    /// Otherwise the one that has been silent longest. Without this, whoever begins handshakes and leaves (T11) would hold every place until the timeout, at a tenth of the rate that we can answer.
    fn least_missed(&self) -> Option<u64> {
        if self.first_round.len() >= self.len().div_ceil(2) {
            self.first_round.front().copied()
        } else {
            self.first().map(|(_, number)| number)
        }
    }

    /// The one whose deadline comes first, and when that is.
    fn first(&self) -> Option<(Mono, u64)> {
        let oldest = self.by_age.front().map(|(number, deadline)| (*deadline, *number));
        oldest.into_iter().chain(self.at_end.first().copied()).min()
    }

    fn begin(&mut self, deadline: Mono, number: u64) {
        self.by_age.insert(number, deadline);
        self.first_round.insert(number);
    }

    /// It has time until the deadline, and had until `before`; `is_last`: that isn't in the order in which it was heard of, from now on.
    fn extend(&mut self, before: Mono, deadline: Mono, number: u64, is_last: bool) {
        if is_last {
            if self.by_age.remove(&number).is_none() {
                self.at_end.remove(&(before, number));
            }
            self.at_end.insert((deadline, number));
        } else {
            self.by_age.insert(number, deadline);
        }
    }

    fn remove(&mut self, deadline: Mono, number: u64) {
        if self.by_age.remove(&number).is_none() {
            self.at_end.remove(&(deadline, number));
        }
        self.first_round.remove(&number);
    }
}

/// All slots, by number. Numbers are used once.
#[derive(Debug)]
pub(super) struct Table {
    slots: Map<u64, Slot>,
    ranks: Ranks,
    /// Those of NASes that had a cap when they began.
    by_nas: Map<Arc<str>, Ranks>,
    /// Stations are what strangers call themselves.
    by_station: HashMap<(Arc<str>, String), VecDeque<u64>>,
    /// By the exchange that was answered last.
    by_exchange: Map<ExchangeId, u64>,
    /// Those that had to go, although a Step was wanted for them or their supplicants have been told that they are refused.
    evicted: Vec<Slot>,
    /// Which of them wait for an answer about a certificate, or out of the registry.
    asking: Asking,
    /// What the registry is called among those whose answers are awaited: no authority has an empty name.
    registry: Arc<str>,
    next: u64,
    capacity: usize,
    timeout: Duration,
}

impl Table {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings { max_conversations: capacity, conversation_timeout: timeout, .. } = settings;
        Self {
            slots: Map::default(),
            ranks: Ranks::default(),
            by_nas: Map::default(),
            by_station: HashMap::new(),
            by_exchange: Map::default(),
            evicted: Vec::new(),
            asking: Asking::new(settings.asking()),
            registry: "".into(),
            next: 1,
            capacity,
            timeout,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The number that the next conversation will have.
    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Slot> {
        self.slots.get_mut(&number)
    }

    /// The conversation with the NAS at an address that a State names: it is the whole State that this one was given, so nobody has made it up.
    pub(super) fn named(&self, state: &[u8], nas: IpAddr) -> Option<u64> {
        let number = State::claimed(state)?;
        let slot = self.slots.get(&number)?;
        let same = slot.hop.peer.ip().to_canonical() == nas.to_canonical() && slot.state.as_slice().ct_eq(state).into();
        same.then_some(number)
    }

    /// Whether a request with a conversation's State may be one of its own.
    pub(super) fn is_of(&self, number: u64, asked: &FollowUp) -> bool {
        let conversation = self.slots.get(&number).and_then(|slot| slot.conversation.as_ref());
        conversation.is_none_or(|conversation| conversation.is_of(asked))
    }

    /// Makes room for one more of a NAS: among its own where it has a cap and has reached it, among all where all is full.
    pub(super) fn make_room(&mut self, nas: &Nas) -> Result<(), Full> {
        let own =
            self.by_nas.get(&nas.name).filter(|own| nas.max_conversations > 0 && own.len() >= nas.max_conversations);
        let full = (self.slots.len() >= self.capacity).then_some(&self.ranks);
        if let Some(ranks) = own.or(full) {
            let number = ranks.least_missed().ok_or(Full)?;
            self.evict(number);
        }
        Ok(())
    }

    pub(super) fn insert(
        &mut self,
        now: Mono,
        number: u64,
        conversation: Dialogue,
        request: &Request,
        station: Option<String>,
    ) {
        let Request { hop, nas, .. } = request;
        let (hop, nas) = (*hop, nas.clone());
        let deadline = now + self.timeout;
        self.ranks.begin(deadline, number);
        if nas.max_conversations > 0 {
            self.by_nas.entry(nas.name.clone()).or_default().begin(deadline, number);
        }
        if let Some(station) = &station {
            self.make_room_for(&nas.name, station, number);
        }
        let state = conversation.state().octets.clone();
        let conversation = Some(Box::new(conversation));
        let slot = Slot {
            conversation,
            state,
            nas,
            hop,
            pending: None,
            lost: Lost::default(),
            looked: None,
            answered: None,
            station,
            started: now,
            deadline,
            is_last: false,
        };
        self.slots.insert(number, slot);
    }

    fn make_room_for(&mut self, nas: &Arc<str>, station: &str, number: u64) {
        let alive = self.by_station.entry((nas.clone(), station.to_owned())).or_default();
        let idle = alive.iter().find(|number| self.ranks.first_round.contains(number));
        let goes = idle.or(alive.front()).copied().filter(|_| alive.len() >= PER_STATION);
        alive.push_back(number);
        if let Some(goes) = goes {
            self.evict(goes);
        }
    }

    fn evict(&mut self, number: u64) {
        let slot = self.remove(number);
        self.evicted.extend(slot.filter(|slot| slot.pending.is_some() || slot.is_told()));
    }

    /// One that has made room for others, and of which there is something to tell.
    pub(super) fn next_evicted(&mut self) -> Option<Slot> {
        self.evicted.pop()
    }

    /// Its supplicant has answered: it has time again, and is no longer the first to go.
    pub(super) fn touch(&mut self, now: Mono, number: u64) {
        self.extend(now, number, false);
    }

    fn extend(&mut self, now: Mono, number: u64, is_repeat: bool) {
        let Some(slot) = self.slots.get_mut(&number) else { return };
        let is_told = slot.is_told();
        let timeout = if is_told { self.timeout.min(TOLD) } else { self.timeout };
        let (deadline, end) = (now + timeout, slot.started + self.timeout * TOTAL);
        slot.is_last |= is_told || end <= deadline;
        let before = std::mem::replace(&mut slot.deadline, deadline.min(end));
        let own = if slot.nas.max_conversations > 0 { self.by_nas.get_mut(&slot.nas.name) } else { None };
        for ranks in std::iter::once(&mut self.ranks).chain(own) {
            ranks.extend(before, slot.deadline, number, slot.is_last);
            if !is_repeat {
                ranks.first_round.remove(&number);
            }
        }
    }

    /// One that has begun is no longer the first to go, although its user has yet to answer: who has been asked for a code types slowly, and a code that is looked at is used up.
    pub(super) fn ranked(&mut self, number: u64) {
        let Some(slot) = self.slots.get(&number) else { return };
        if slot.conversation.as_ref().is_some_and(|conversation| conversation.is_begun()) {
            let own = if slot.nas.max_conversations > 0 { self.by_nas.get_mut(&slot.nas.name) } else { None };
            for ranks in std::iter::once(&mut self.ranks).chain(own) {
                ranks.first_round.remove(&number);
            }
        }
    }

    /// An exchange of it has been answered.
    pub(super) fn answered(&mut self, now: Mono, number: u64, exchange: ExchangeId) {
        let Some(slot) = self.slots.get_mut(&number) else { return };
        let is_told = slot.is_told();
        if let Some(earlier) = slot.answered.replace(exchange) {
            self.by_exchange.remove(&earlier);
        }
        self.by_exchange.insert(exchange, number);
        if is_told {
            self.extend(now, number, true);
        }
    }

    /// The NAS asks again for the last answer: the answer was lost, and the conversation has time again.
    pub(super) fn repeated(&mut self, now: Mono, exchange: ExchangeId) {
        if let Some(number) = self.by_exchange.get(&exchange).copied() {
            self.extend(now, number, true);
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Slot> {
        let slot = self.slots.remove(&number)?;
        self.asking.remove(number);
        self.ranks.remove(slot.deadline, number);
        if let Some(exchange) = slot.answered {
            self.by_exchange.remove(&exchange);
        }
        if slot.nas.max_conversations > 0
            && let Some(own) = self.by_nas.get_mut(&slot.nas.name)
        {
            own.remove(slot.deadline, number);
            if own.len() == 0 {
                self.by_nas.remove(&slot.nas.name);
            }
        }
        if let Some(station) = &slot.station {
            let key = (slot.nas.name.clone(), station.clone());
            if let Some(alive) = self.by_station.get_mut(&key) {
                alive.retain(|other| *other != number);
                if alive.is_empty() {
                    self.by_station.remove(&key);
                }
            }
        }
        Some(slot)
    }

    /// It waits for an answer about a certificate of this authority from now on; `false`: too many wait already.
    pub(super) fn ask(&mut self, now: Mono, number: u64, authority: &Arc<str>) -> bool {
        let Self { slots, asking, .. } = self;
        slots.get(&number).is_some_and(|slot| asking.insert(now, number, &slot.nas.name, authority))
    }

    /// It waits until something is looked up from now on; `false`: too many wait already.
    pub(super) fn look(&mut self, now: Mono, number: u64, lookup: &Lookup) -> bool {
        let Self { slots, asking, registry, .. } = self;
        let Some(slot) = slots.get_mut(&number) else { return false };
        let waits = asking.insert(now, number, &slot.nas.name, registry);
        slot.looked = waits.then_some(match lookup {
            Lookup::Certificates(_) => Looked::Certificates,
            Lookup::Code(_) => Looked::Code,
        });
        waits
    }

    /// It waits no more for what was looked up; `false`: it didn't, or is gone.
    pub(super) fn stop_looking(&mut self, number: u64, found: &Found) -> bool {
        let Some(slot) = self.slots.get_mut(&number) else { return false };
        let is_it = matches!(
            (slot.looked, found),
            (Some(_), Found::Nothing | Found::NoRoom)
                | (Some(Looked::Certificates), Found::Certificates(_))
                | (Some(Looked::Code), Found::Code(_))
        );
        if is_it {
            slot.looked = None;
        }
        is_it && self.asking.remove(number)
    }

    /// It waits for an answer no more; `false`: it didn't, or is gone.
    pub(super) fn stop_asking(&mut self, number: u64) -> bool {
        let looks = self.slots.get(&number).is_some_and(|slot| slot.looked.is_some());
        !looks && self.asking.remove(number)
    }

    /// One that has waited long enough for an answer, and whether for something that is looked up.
    pub(super) fn unanswered(&self, now: Mono) -> Option<(u64, bool)> {
        let number = self.asking.expired(now)?;
        Some((number, self.slots.get(&number).is_some_and(|slot| slot.looked.is_some())))
    }

    pub(super) fn deadline(&self) -> Option<Mono> {
        let expires = self.ranks.first().map(|(deadline, _)| deadline);
        expires.into_iter().chain(self.asking.deadline()).min()
    }

    /// One whose time is over.
    pub(super) fn expired(&self, now: Mono) -> Option<u64> {
        self.ranks.first().filter(|(deadline, _)| *deadline <= now).map(|(_, number)| number)
    }
}
