//! The table of exchanges.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};

use super::peers::{Peer, Peers};
use super::receive::{Admitted, admit, dropped, label};
use super::reply::{self, Asked};
use super::status::StatusLimits;
use super::{ExchangeId, Hop, Outgoing, Received, Reply, Settings};
use crate::event::{Listener, MessageAuthenticator, Reason};
use crate::now::{Mono, Now};
use crate::quick::{Line, Map};
use crate::radius::{Attributes, Code, Packet, Type, hidden};
use crate::secret::Secret;

/// How often in any second the kept answer to one request is sent again.
pub const REPEATS_PER_SECOND: usize = 10;

/// The table of exchanges: a request in progress, or its answer kept for repeats.
/// Keyed by (peer, socket, code, Identifier), with the Request Authenticator telling a repeat from a new request (RFC 5080 section 2.2.2).
pub struct Exchanges {
    settings: Settings,
    entries: Map<Slot, Entry>,
    /// Those that wait for an answer, oldest first, and when each is forgotten.
    waiting: Line<ExchangeId, Due>,
    /// The same of those that have one, by the order in which they were answered.
    answered: Line<u64, Due>,
    /// The next number, of an exchange or an answer.
    next: u64,
    status_limits: StatusLimits,
    /// Where answers are written before they are kept.
    scratch: Vec<u8>,
}

/// What a request and its repeats have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Slot {
    address: IpAddr,
    port: u16,
    listener: Listener,
    socket: u16,
    code: Code,
    identifier: u8,
}

impl Slot {
    fn new(hop: &Hop, packet: &Packet<'_>) -> Self {
        Self {
            address: hop.peer.ip().to_canonical(),
            port: hop.peer.port(),
            listener: hop.listener,
            socket: hop.socket,
            code: packet.code(),
            identifier: packet.identifier(),
        }
    }
}

/// When what is in a slot is forgotten.
#[derive(Clone, Copy, Debug)]
struct Due {
    until: Mono,
    slot: Slot,
}

/// Tells a repeat from another request: the Request Authenticator, and Message-Authenticator, which covers all other octets; MD5 over them where there is none.
/// A NAS that uses an authenticator twice so never gets one user's answer for another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint([u8; 16], [u8; 16]);

impl Fingerprint {
    fn new(admitted: &Admitted<'_, '_>) -> Self {
        let packet = &admitted.packet;
        let all = match admitted.message_authenticator {
            Some(octets) => *octets,
            None => Md5::digest(packet.octets()).into(),
        };
        Self(*packet.authenticator(), all)
    }
}

struct Entry {
    fingerprint: Fingerprint,
    state: State,
}

enum State {
    Waiting(Waiting),
    Answered(Answered),
}

struct Waiting {
    id: ExchangeId,
    hop: Hop,
    peer: Arc<Peer>,
    asked: Asked,
}

struct Answered {
    id: ExchangeId,
    order: u64,
    octets: Arc<[u8]>,
    /// When it was sent again within the last second.
    repeats: VecDeque<Mono>,
}

impl Answered {
    fn may_repeat(&mut self, now: Mono) -> bool {
        while self.repeats.front().is_some_and(|sent| now.since(*sent) >= Duration::from_secs(1)) {
            self.repeats.pop_front();
        }
        let may = self.repeats.len() < REPEATS_PER_SECOND;
        if may {
            self.repeats.push_back(now);
        }
        may
    }
}

impl fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanges")
            .field("settings", &self.settings)
            .field("waiting", &self.waiting.len())
            .field("answered", &self.answered.len())
            .finish_non_exhaustive()
    }
}

impl Exchanges {
    /// An empty table.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            entries: Map::default(),
            waiting: Line::default(),
            answered: Line::default(),
            next: 0,
            status_limits: StatusLimits::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes a datagram in: who, authentic, repeat or new. An Access-Request from a NAS whose Message-Authenticator is missing or wrong touches nothing in here.
    pub fn receive<'a>(&mut self, now: Now, peers: &Arc<Peers>, hop: Hop, datagram: &'a [u8]) -> Received<'a> {
        let admitted = match admit(peers, &hop, datagram) {
            Ok(admitted) => admitted,
            Err(dropped) => return dropped,
        };
        if admitted.packet.code() == Code::STATUS_SERVER {
            return self.status(now, hop, &admitted);
        }
        self.handle_timeout(now);
        let slot = Slot::new(&hop, &admitted.packet);
        let fingerprint = Fingerprint::new(&admitted);
        match self.entries.get_mut(&slot) {
            Some(entry) if entry.fingerprint == fingerprint => {
                let received = repeat(entry, now, hop, &admitted);
                if matches!(received, Received::Repeat { .. }) {
                    self.keep_longer(now, slot);
                }
                received
            }
            _ => self.begin(now, hop, slot, fingerprint, admitted),
        }
    }

    /// A new request: ends what had its slot, and waits in it.
    fn begin<'a>(
        &mut self,
        now: Now,
        hop: Hop,
        slot: Slot,
        fingerprint: Fingerprint,
        admitted: Admitted<'a, '_>,
    ) -> Received<'a> {
        let superseded = self.remove(&slot);
        let Admitted { peer, packet, .. } = admitted;
        let message_authenticator = looked_at(&admitted);
        if !self.make_room() {
            return Received::Dropped {
                reason: Reason::Overload,
                code: label(packet.code()),
                nas: Some(peer.nas.clone()),
                message_authenticator: Some(message_authenticator),
                superseded,
            };
        }
        let id = ExchangeId(self.number());
        let waiting = Waiting { id, hop, peer: peer.clone(), asked: asked(&packet) };
        let until = now.mono + self.settings.keep_unanswered;
        self.waiting.insert(id, Due { until, slot });
        self.entries.insert(slot, Entry { fingerprint, state: State::Waiting(waiting) });
        Received::Request { id, nas: peer.nas.clone(), packet, message_authenticator, superseded }
    }

    /// Answers Status-Server, which leaves no trace (RFC 5997 section 4.2): Access-Accept, and Accounting-Response at the accounting door.
    fn status<'a>(&mut self, now: Now, hop: Hop, admitted: &Admitted<'a, '_>) -> Received<'a> {
        let Admitted { peer, packet, .. } = admitted;
        let refuse = |reason| dropped(reason, label(packet.code()), Some(peer), Some(looked_at(admitted)));
        if !self.status_limits.take(now.mono, peer.nas.index) {
            return refuse(Reason::Overload);
        }
        let accounting = hop.listener == Listener::Accounting;
        let code = if accounting { Code::ACCOUNTING_RESPONSE } else { Code::ACCESS_ACCEPT };
        match reply::write_bare(&mut self.scratch, peer, &asked(packet), code) {
            Ok(()) => Received::Status {
                outgoing: Outgoing { hop, octets: self.scratch.as_slice().into() },
                nas: peer.nas.clone(),
            },
            Err(_) => refuse(Reason::Malformed),
        }
    }

    /// Seals and keeps the answer. `None`: the exchange has ended meanwhile (superseded, too old), nothing is sent.
    /// An answer that does not fit into 4,096 octets is sent as Access-Reject without attributes.
    pub fn answer(&mut self, now: Now, id: ExchangeId, reply: Reply) -> Option<Outgoing> {
        let Due { until, slot } = self.waiting.remove(&id)?;
        let entry = self.entries.remove(&slot)?;
        let State::Waiting(waiting) = entry.state else { return None };
        if until <= now.mono {
            return None;
        }
        self.write(&waiting, &reply)?;
        let octets: Arc<[u8]> = self.scratch.as_slice().into();
        let order = self.number();
        let answered = Answered { id, order, octets: octets.clone(), repeats: VecDeque::new() };
        let until = now.mono + self.settings.keep_answer;
        self.answered.insert(order, Due { until, slot });
        self.entries.insert(slot, Entry { state: State::Answered(answered), ..entry });
        Some(Outgoing { hop: waiting.hop, octets })
    }

    /// A NAS that still asks has not got the answer: it is kept as long again. Otherwise a NAS whose timers have grown (RFC 5080 section 2.2.1: to 16 s) would begin a finished conversation anew.
    fn keep_longer(&mut self, now: Now, slot: Slot) {
        let order = self.number();
        if let Some(Entry { state: State::Answered(answered), .. }) = self.entries.get_mut(&slot) {
            self.answered.remove(&answered.order);
            self.answered.insert(order, Due { until: now.mono + self.settings.keep_answer, slot });
            answered.order = order;
        }
    }

    fn write(&mut self, waiting: &Waiting, reply: &Reply) -> Option<()> {
        let Waiting { peer, asked, .. } = waiting;
        reply::write(&mut self.scratch, peer, asked, reply)
            .or_else(|_| reply::write_bare(&mut self.scratch, peer, asked, Code::ACCESS_REJECT))
            .ok()
    }

    /// No answer will come; a repeat counts as new.
    pub fn abandon(&mut self, id: ExchangeId) {
        if let Some(Due { slot, .. }) = self.waiting.remove(&id) {
            self.entries.remove(&slot);
        }
    }

    /// Forgets every Access-Accept that is kept for repeats: what it rests on is no longer in force, so a repeat is asked anew.
    pub(crate) fn forget_accepts(&mut self) {
        let is_accept = |entry: &Entry| matches!(&entry.state, State::Answered(answered) if answered.octets.first() == Some(&Code::ACCESS_ACCEPT.0));
        let accepts: Vec<Slot> =
            self.entries.iter().filter(|(_, entry)| is_accept(entry)).map(|(slot, _)| *slot).collect();
        for slot in accepts {
            self.remove(&slot);
        }
    }

    /// The User-Password of a request that waits for its answer (RFC 2865 section 5.2). `None`: it carries none, it is malformed, or the exchange has ended.
    #[must_use]
    pub fn password(&self, id: ExchangeId, packet: &Packet<'_>) -> Option<Secret> {
        let entry = self.entries.get(&self.waiting.get(&id)?.slot)?;
        let State::Waiting(waiting) = &entry.state else { return None };
        let value = packet.first(Type::USER_PASSWORD)?;
        hidden::reveal_password(waiting.peer.key.secret(), packet.authenticator(), value)
    }

    /// When something in here grows too old.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.oldest().map(|due| due.until)
    }

    /// Forgets what is too old.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(due) = self.oldest().filter(|due| due.until <= now.mono) {
            self.remove(&due.slot);
        }
    }

    /// What is forgotten next, and when: either list is in the order of its ends.
    fn oldest(&self) -> Option<Due> {
        let firsts = [self.waiting.front().map(|(_, due)| *due), self.answered.front().map(|(_, due)| *due)];
        firsts.into_iter().flatten().min_by_key(|due| due.until)
    }

    /// Makes room for one more at the cost of the oldest answer; false where all wait for one.
    fn make_room(&mut self) -> bool {
        while self.entries.len() >= self.settings.max_exchanges {
            let Some((_, Due { slot, .. })) = self.answered.pop_front() else { return false };
            self.entries.remove(&slot);
        }
        true
    }

    /// Frees a slot. `Some`: its exchange was waiting for an answer.
    fn remove(&mut self, slot: &Slot) -> Option<ExchangeId> {
        match self.entries.remove(slot)?.state {
            State::Waiting(waiting) => {
                self.waiting.remove(&waiting.id);
                Some(waiting.id)
            }
            State::Answered(answered) => {
                self.answered.remove(&answered.order);
                None
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// How many wait and how many are answered, where both lists and the table agree with each other.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        assert_eq!(self.entries.len(), self.waiting.len() + self.answered.len());
        for (slot, entry) in &self.entries {
            let listed = match &entry.state {
                State::Waiting(waiting) => self.waiting.get(&waiting.id),
                State::Answered(answered) => self.answered.get(&answered.order),
            };
            assert_eq!(listed.map(|due| &due.slot), Some(slot));
        }
        (self.waiting.len(), self.answered.len())
    }
}

/// A repeat: dropped while its request is in progress, else its answer once more.
fn repeat<'a>(entry: &mut Entry, now: Now, hop: Hop, admitted: &Admitted<'a, '_>) -> Received<'a> {
    let Admitted { peer, packet, .. } = admitted;
    if let State::Answered(answered) = &mut entry.state
        && answered.may_repeat(now.mono)
    {
        let outgoing = Outgoing { hop, octets: answered.octets.clone() };
        let message_authenticator = looked_at(admitted);
        let (code, nas) = (label(packet.code()), peer.nas.clone());
        return Received::Repeat { id: answered.id, code, outgoing, nas, message_authenticator };
    }
    dropped(Reason::Duplicate, label(packet.code()), Some(peer), Some(looked_at(admitted)))
}

fn looked_at(admitted: &Admitted<'_, '_>) -> MessageAuthenticator {
    match admitted.message_authenticator {
        Some(_) => MessageAuthenticator::Present,
        None => MessageAuthenticator::Absent,
    }
}

/// What the reply will need of a request. A Proxy-State that came in one attribute goes out in one.
fn asked(packet: &Packet<'_>) -> Asked {
    let mut proxy_states = Attributes::default();
    for value in packet.all(Type::PROXY_STATE) {
        // A value that was in an attribute fits into one.
        let _ = proxy_states.push(Type::PROXY_STATE, value);
    }
    Asked { identifier: packet.identifier(), authenticator: *packet.authenticator(), proxy_states }
}
