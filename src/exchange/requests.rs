//! What we have asked others by UDP and not been answered: identifiers, repeats, and which reply belongs to which request.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Asker, BadReply};
use crate::now::Mono;
use crate::radius::{Attributes, Code, Packet, TooLong};
use crate::secret;

/// Destinations whose last Identifier is remembered while nothing is asked of them.
const MOST_IDLE: usize = 8_192;

/// When a request is sent again, and for how long (RFC 5080 section 2.2.1; each pause is a tenth longer or shorter, by chance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// IRT: the first pause.
    pub first: Duration,
    /// MRT: the longest; each is twice as long as the one before.
    pub longest: Duration,
    /// MRC: how often it is sent in all.
    pub most: u32,
    /// MRD: when it is given up.
    pub give_up: Duration,
}

impl Repeats {
    /// The values of RFC 5080: after 2, 4, 8 and 16 s, and nobody waits beyond 30.
    pub const STANDARD: Self = Self {
        first: Duration::from_secs(2),
        longest: Duration::from_secs(16),
        most: 5,
        give_up: Duration::from_secs(30),
    };

    /// The pause after one of so long; `None`: after the first time it is sent.
    pub(crate) fn pause(&self, before: Option<Duration>) -> Duration {
        let pause = before.map_or(self.first, |before| before.saturating_mul(2)).min(self.longest);
        // Without chance it is still right, and only no longer different from everybody else's.
        let chance = secret::random().map_or(100, |octets: [u8; 2]| u32::from(u16::from_be_bytes(octets)) % 201);
        pause.saturating_mul(900 + chance) / 1_000
    }
}

/// Names one request of ours. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A datagram to send from a socket that is no door.
#[derive(Clone)]
pub struct Datagram {
    /// Where it goes.
    pub to: SocketAddr,
    /// Its octets.
    pub octets: Arc<[u8]>,
}

impl fmt::Debug for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Datagram({} octets to {})", self.octets.len(), self.to)
    }
}

/// Why nothing was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// 256 requests wait for that destination's answer already: no Identifier is left.
    Full,
    /// The attributes don't fit into a packet.
    TooLong,
}

impl From<TooLong> for NotAsked {
    fn from(TooLong: TooLong) -> Self {
        Self::TooLong
    }
}

/// What is due.
#[derive(Clone, Debug)]
pub enum Due {
    /// To be sent once more: the same octets.
    Again(Datagram),
    /// Nobody has answered.
    Unanswered(RequestId),
}

/// The requests that wait for their answers.
#[derive(Debug)]
pub struct Requests {
    repeats: Repeats,
    destinations: HashMap<SocketAddr, Identifiers>,
    waiting: HashMap<RequestId, Waiting>,
    due: BTreeSet<(Mono, RequestId)>,
    next: u64,
}

/// Those of one destination. They go round, so that one is used again as late as possible: whoever looks for repeats may look at nothing else.
#[derive(Debug, Default)]
struct Identifiers {
    used: HashMap<u8, RequestId>,
    last: u8,
}

#[derive(Debug)]
struct Waiting {
    asker: Arc<Asker>,
    datagram: Datagram,
    identifier: u8,
    begun: Mono,
    sent: u32,
    pause: Duration,
    due: Mono,
}

impl Requests {
    /// None yet.
    #[must_use]
    pub fn new(repeats: Repeats) -> Self {
        let (destinations, waiting) = (HashMap::new(), HashMap::new());
        Self { repeats, destinations, waiting, due: BTreeSet::new(), next: 0 }
    }

    /// Asks: a request whose authenticator is a digest, Message-Authenticator first (RFC 5176 sections 2.3 and 3.6). It is repeated until there is an answer, with the same Identifier and octets:
    /// only so the other side knows it for a repeat and answers as it did before (RFC 5080 section 2.2.2). An Event-Timestamp among the attributes therefore says when it was asked first:
    /// that is no older than [`Repeats::give_up`], far less than the 300 s that RFC 5176 section 6.3 lets a packet be on its way.
    pub fn ask(
        &mut self,
        now: Mono,
        to: SocketAddr,
        asker: &Arc<Asker>,
        code: Code,
        attributes: &Attributes,
    ) -> Result<(RequestId, Datagram), NotAsked> {
        let to = canonical(to);
        let identifier = self.free(to).ok_or(NotAsked::Full)?;
        let octets = asker.request(code, identifier, [0; 16], &[], attributes)?;
        self.next += 1;
        let id = RequestId(self.next);
        let datagram = Datagram { to, octets: octets.into() };
        let pause = self.repeats.pause(None);
        let due = self.due_after(now, now, pause);
        let waiting = Waiting {
            asker: Arc::clone(asker),
            datagram: datagram.clone(),
            identifier,
            begun: now,
            sent: 1,
            pause,
            due,
        };
        let identifiers = self.destinations.entry(to).or_default();
        identifiers.used.insert(identifier, id);
        identifiers.last = identifier;
        self.due.insert((due, id));
        self.waiting.insert(id, waiting);
        Ok((id, datagram))
    }

    /// Takes a datagram as a reply, if it is an authentic one to what waits.
    pub fn reply<'a>(&mut self, from: SocketAddr, octets: &'a [u8]) -> Result<(RequestId, Packet<'a>), BadReply> {
        let identifier = Packet::parse(octets).map_err(|_| BadReply::Malformed)?.identifier();
        let id = self.destinations.get(&canonical(from)).and_then(|one| one.used.get(&identifier)).copied();
        let (id, waiting) = id.and_then(|id| Some((id, self.waiting.get(&id)?))).ok_or(BadReply::NotOurs)?;
        let reply = waiting.asker.reply(&waiting.datagram.octets, octets)?;
        self.forget(id);
        Ok((id, reply))
    }

    /// The next thing that is due, until there is nothing more.
    pub fn handle_timeout(&mut self, now: Mono) -> Option<Due> {
        let (_, id) = self.due.first().copied().filter(|(due, _)| *due <= now)?;
        let repeats = self.repeats;
        let waiting = self.waiting.get(&id)?;
        let over = now.since(waiting.begun) >= repeats.give_up || waiting.sent >= repeats.most;
        if over {
            self.forget(id);
            return Some(Due::Unanswered(id));
        }
        let (begun, sent, pause) = (waiting.begun, waiting.sent + 1, repeats.pause(Some(waiting.pause)));
        let due = self.due_after(now, begun, pause);
        let waiting = self.waiting.get_mut(&id)?;
        self.due.remove(&(waiting.due, id));
        self.due.insert((due, id));
        (waiting.sent, waiting.pause, waiting.due) = (sent, pause, due);
        Some(Due::Again(waiting.datagram.clone()))
    }

    /// When [`Requests::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.due.first().map(|(due, _)| *due)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The end of a pause, but no later than when all is given up.
    fn due_after(&self, now: Mono, begun: Mono, pause: Duration) -> Mono {
        (now + pause).min(begun + self.repeats.give_up)
    }

    /// An Identifier that none of the destination's requests has.
    fn free(&mut self, to: SocketAddr) -> Option<u8> {
        if self.destinations.len() >= MOST_IDLE {
            self.destinations.retain(|_, identifiers| !identifiers.used.is_empty());
        }
        let Some(identifiers) = self.destinations.get(&to) else { return Some(0) };
        (1..=u8::MAX)
            .map(|step| identifiers.last.wrapping_add(step))
            .chain([identifiers.last])
            .find(|identifier| !identifiers.used.contains_key(identifier))
    }

    fn forget(&mut self, id: RequestId) {
        let Some(waiting) = self.waiting.remove(&id) else { return };
        self.due.remove(&(waiting.due, id));
        if let Some(identifiers) = self.destinations.get_mut(&waiting.datagram.to) {
            identifiers.used.remove(&waiting.identifier);
        }
    }
}

/// As it is compared: a reply's may come in IPv6's form.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
