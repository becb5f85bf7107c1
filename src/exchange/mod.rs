//! One hop: who asks, is it a repeat, which answers are owed (RFC 2865, 3579, 5080, 5997). It opens and seals what a secret hides, and lets neither a secret nor a hidden value's cipher out.
//!
//! A datagram's way: [`Peers`] says whose it is, [`Packet::parse`](crate::radius::Packet::parse) whether it is a packet, the NAS's key whether it is authentic;
//! only then does [`Exchanges`] look whether it is a repeat. What is new goes out as [`Received::Request`] and waits for [`Exchanges::answer`].
//! Status-Server is answered on the spot. [`Asker`] is the other side, for what we ask others, and [`Requests`] waits for their answers.

mod asker;
mod peers;
mod receive;
mod reply;
mod requests;
mod status;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use asker::{Asker, BadReply};
pub use peers::{Disconnect, DisconnectSettings, Identify, Nas, NasSettings, Peers, Prefix, SHORT_SECRET};
pub use requests::{Datagram, Due, NotAsked, Repeats, RequestId, Requests};
pub use status::STATUS_PER_SECOND;
pub use table::{Exchanges, REPEATS_PER_SECOND};

use crate::event::{Listener, MessageAuthenticator, Reason, RequestCode};
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

/// Bounds of the table of exchanges.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an answer is kept after it was last asked for (RFC 5080 section 2.2.2: 5 to 30 s).
    pub keep_answer: Duration,
    /// How long a request without an answer is remembered.
    pub keep_unanswered: Duration,
    /// Most exchanges at once; beyond, the oldest answered one goes first.
    pub max_exchanges: usize,
}

/// Names one exchange that waits for its answer. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// A datagram to send.
#[derive(Clone)]
pub struct Outgoing {
    /// The way it goes.
    pub hop: Hop,
    /// Its octets.
    pub octets: Arc<[u8]>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the octets: sealed keys are among them.
        write!(f, "Outgoing({} octets to {})", self.octets.len(), self.hop.peer)
    }
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
        /// The exchange that it repeats.
        id: ExchangeId,
        /// What it is.
        code: RequestCode,
        /// What to send.
        outgoing: Outgoing,
        /// Who asked.
        nas: Arc<Nas>,
        /// `Present` or `Absent`
        message_authenticator: MessageAuthenticator,
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
