//! One hop: who asks, is it a repeat, which answers are owed (RFC 2865, 3579, 5080, 5997). It opens and seals what a secret hides, and lets neither a secret nor a hidden value's cipher out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Listener, MessageAuthenticator, Method, Reason, RequestCode};
use crate::now::{Mono, Now};
use crate::radius::{Attributes, Code, Packet};
use crate::secret::Secret;

/// Where a datagram came in and who sent it; the answer goes back the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The door.
    pub listener: Listener,
    /// Which of the door's sockets, from 0.
    pub socket: u16,
    /// The address that was asked: the answer leaves from it.
    pub local: Option<IpAddr>,
    /// Who asked.
    pub peer: SocketAddr,
}

/// A network: address and prefix length in bits. IPv4-mapped IPv6 addresses count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// Its address, bits after the prefix zero.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub bits: u8,
}

/// One `[[nas]]`.
#[derive(Clone, Debug)]
pub struct NasSettings {
    /// `name`
    pub name: Arc<str>,
    /// `address`
    pub address: Vec<Prefix>,
    /// `secret`
    pub secret: Secret,
    /// `services`; `None`: any.
    pub services: Option<Vec<Arc<str>>>,
    /// `methods`
    pub methods: Vec<Method>,
    /// `require-message-authenticator`
    pub require_message_authenticator: bool,
    /// `limit-proxy-state`
    pub limit_proxy_state: bool,
    /// `max-conversations`; 0: no cap of its own.
    pub max_conversations: usize,
    /// `class`
    pub class: bool,
    /// `federation`
    pub federation: bool,
}

/// A NAS as the rest of the core sees it: no secret.
#[derive(Debug)]
pub struct Nas {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// `name`
    pub name: Arc<str>,
    /// `services`; `None`: any.
    pub services: Option<Vec<Arc<str>>>,
    /// `methods`
    pub methods: Vec<Method>,
    /// `max-conversations`; 0: no cap of its own.
    pub max_conversations: usize,
    /// `class`
    pub class: bool,
    /// `federation`
    pub federation: bool,
}

/// All NAS with their secrets, immutable; looked up by the longest prefix.
#[derive(Debug)]
pub struct Peers {
    _private: (),
}

impl Peers {
    /// Prepares the keyed HMAC of each. The same prefix in two tables is an error: (index of the second, sentence).
    pub fn new(settings: &[NasSettings]) -> Result<Self, Vec<(usize, String)>> {
        todo!()
    }

    /// Who that address is.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Nas>> {
        todo!()
    }
}

/// Bounds of the table of exchanges.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an answer is kept for repeats (RFC 5080 section 2.2.2: 5 to 30 s).
    pub keep_answer: Duration,
    /// How long a request without an answer is remembered.
    pub keep_unanswered: Duration,
    /// Most exchanges at once; beyond, the oldest answered one goes first.
    pub max_exchanges: usize,
}

/// Names one exchange that waits for its answer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExchangeId(pub u64);

/// A datagram to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The way it goes.
    pub hop: Hop,
    /// Its octets.
    pub octets: Arc<[u8]>,
}

/// What a datagram turned out to be.
#[derive(Debug)]
pub enum Received<'a> {
    /// Nothing is answered.
    Dropped {
        /// Why.
        reason: Reason,
        /// What it said it was.
        code: RequestCode,
        /// Who sent it, where known.
        nas: Option<Arc<Nas>>,
        /// What its Message-Authenticator was like, where looked at.
        message_authenticator: Option<MessageAuthenticator>,
        /// Set where somebody's exchange was superseded (RFC 5080: same source and Identifier, another authenticator): its late answer is never sent.
        superseded: Option<ExchangeId>,
    },
    /// The answer to a repeat: the same octets again.
    Repeat {
        /// What to send.
        outgoing: Outgoing,
        /// Who asked.
        nas: Arc<Nas>,
    },
    /// The answer to Status-Server (RFC 5997).
    Status {
        /// What to send.
        outgoing: Outgoing,
        /// Who asked.
        nas: Arc<Nas>,
    },
    /// Something new; it waits for [`Exchanges::answer`] or [`Exchanges::abandon`].
    Request {
        /// To answer by.
        id: ExchangeId,
        /// Who asked.
        nas: Arc<Nas>,
        /// The request; authenticators have been checked.
        packet: Packet<'a>,
        /// `Present` or `Absent`
        message_authenticator: MessageAuthenticator,
        /// The exchange that this one ends (same source and Identifier, another authenticator); its late answer is never sent.
        superseded: Option<ExchangeId>,
    },
}

/// The keys of an Accept (RFC 2548): MS-MPPE-Recv-Key = MSK[0..32], MS-MPPE-Send-Key = MSK[32..64].
#[derive(Clone, Debug)]
pub struct Keys {
    /// The 64 octets of the MSK.
    pub msk: Secret,
}

/// What is answered. Message-Authenticator and Proxy-State are added by the hop.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Access-Accept, -Reject, -Challenge.
    pub code: Code,
    /// The EAP packet, split into EAP-Message attributes.
    pub eap: Vec<u8>,
    /// Everything in the clear, State included.
    pub attributes: Attributes,
    /// What is sealed with the secret.
    pub keys: Option<Keys>,
}

/// The table of exchanges: a request in progress, or its answer kept for repeats.
/// Keyed by (peer, socket, code, Identifier), with the Request Authenticator telling a repeat from a new request (RFC 5080 section 2.2.2).
#[derive(Debug)]
pub struct Exchanges {
    settings: Settings,
}

impl Exchanges {
    /// An empty table.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Takes a datagram in: who, authentic, repeat or new. An Access-Request from a NAS whose Message-Authenticator is missing or wrong touches nothing in here.
    pub fn receive<'a>(&mut self, now: Now, peers: &Arc<Peers>, hop: Hop, datagram: &'a [u8]) -> Received<'a> {
        todo!()
    }

    /// Seals and keeps the answer. `None`: the exchange has ended meanwhile (superseded, too old), nothing is sent.
    /// An answer that does not fit into 4,096 octets is sent as Access-Reject without attributes.
    pub fn answer(&mut self, now: Now, id: ExchangeId, reply: Reply) -> Option<Outgoing> {
        todo!()
    }

    /// No answer will come; a repeat counts as new.
    pub fn abandon(&mut self, id: ExchangeId) {
        todo!()
    }

    /// When something in here grows too old.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        todo!()
    }

    /// Forgets what is too old.
    pub fn handle_timeout(&mut self, now: Now) {
        todo!()
    }
}

/// The other side of a hop: for what we ask others, with their secret.
#[derive(Debug)]
pub struct Asker {
    secret: Secret,
}

impl Asker {
    /// With the secret shared with the server to be asked.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }

    /// An Access-Request (or Status-Server) with Message-Authenticator first, EAP split, the given attributes after. `authenticator` must be random.
    pub fn request(
        &self,
        code: Code,
        identifier: u8,
        authenticator: [u8; 16],
        eap: &[u8],
        attributes: &Attributes,
    ) -> Result<Vec<u8>, crate::radius::TooLong> {
        todo!()
    }

    /// Checks a reply: Identifier, Response Authenticator, Message-Authenticator (required).
    pub fn reply<'a>(&self, request: &[u8], datagram: &'a [u8]) -> Result<Packet<'a>, BadReply> {
        todo!()
    }

    /// Opens MS-MPPE-Recv-Key and MS-MPPE-Send-Key (RFC 2548 section 2.4.2, 2.4.3): the first 64 octets of the MSK.
    #[must_use]
    pub fn keys(&self, request: &[u8], reply: &Packet<'_>) -> Option<Secret> {
        todo!()
    }
}

/// Why a datagram is not the reply that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReply {
    /// No packet.
    Malformed,
    /// Another Identifier or source.
    NotOurs,
    /// Response Authenticator is wrong: usually the secret.
    BadAuthenticator,
    /// Message-Authenticator is missing.
    MissingMessageAuthenticator,
    /// Message-Authenticator is wrong.
    BadMessageAuthenticator,
}
