//! The server's side of EAP framing.

use super::fragments::{Joined, Receiver, Sender};
use super::packet::{self, Fragment, Packet, TYPE_IDENTITY, TYPE_NAK, TYPE_TLS};
use super::{BadIdentity, Fault, Identity, Settings};

/// Below this a Framed-MTU is not believed: RFC 2865 section 5.12 gives 64 as the least.
const LEAST_MTU: u32 = 64;

/// What stands in a frame of Framed-MTU octets beside the TLS data: the 802.1X header of 4 (RFC 3580 section 3.10 with RFC 3579 section 2.4), EAP's header of 4, type, flags, and the length of 4.
const OVERHEAD: u32 = 14;

/// Octets of TLS data that make a round one with progress. Less is what a last fragment, an alert or an acknowledgement brings, and what somebody sends who wants to stay for ever.
const PROGRESS: usize = 16;

/// What a supplicant's EAP packet means to the authenticator's side.
#[derive(Debug)]
pub enum Heard {
    /// Its identity.
    Identity(Result<Identity, BadIdentity>),
    /// A whole TLS message (a flight, reassembled), never empty.
    Message(Vec<u8>),
    /// An acknowledgement after our last fragment, or an empty response: the TLS side has nothing new to read.
    Acknowledged,
    /// Not yet a whole message: this goes back (an acknowledgement, or our next fragment).
    Reply(Vec<u8>),
    /// It wants one of these methods instead; empty: none at all.
    Nak(Vec<u8>),
    /// A repeat of an old response or a packet that RFC 3748 says to discard in silence.
    Discard,
}

/// What the supplicant may answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// An identity that the NAS has asked for: with any Identifier.
    First,
    /// The answer to our request for the identity.
    Identity,
    /// The answer to EAP-TLS start, which may be a Nak.
    Start,
    /// EAP-TLS.
    Tls,
    /// Nothing: it is our turn.
    Nothing,
}

/// The authenticator's side of EAP framing: which Identifier is awaited, what has been reassembled, what is still to be sent.
#[derive(Debug)]
pub struct Authenticator {
    awaited: Awaited,
    /// Of our last request; before that, of the first response. Either way that of the last response once it is our turn.
    identifier: u8,
    sender: Sender,
    receiver: Receiver,
    idle_rounds: u32,
    max_idle_rounds: u32,
}

impl Authenticator {
    /// `mtu`: the NAS's Framed-MTU, which lowers the fragment size: an EAP packet may be 4 octets shorter than it (RFC 3579 section 2.4, RFC 3580 section 3.10); below 64 it is not believed.
    #[must_use]
    pub fn new(settings: Settings, mtu: Option<u32>) -> Self {
        let by_mtu = mtu.filter(|&mtu| mtu >= LEAST_MTU).map(|mtu| mtu.saturating_sub(OVERHEAD));
        let by_mtu = by_mtu.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        Self {
            awaited: Awaited::First,
            identifier: 0,
            sender: Sender::new(settings.fragment_size.min(by_mtu), false),
            receiver: Receiver::new(settings.max_message),
            idle_rounds: 0,
            max_idle_rounds: settings.max_idle_rounds,
        }
    }

    /// Reads one EAP packet of the supplicant.
    ///
    /// # Errors
    /// The conversation has ended; [`Authenticator::failure`] is what to answer.
    pub fn hear(&mut self, eap: &[u8]) -> Result<Heard, Fault> {
        let first = self.awaited == Awaited::First;
        if first {
            self.identifier = eap.get(1).copied().unwrap_or(0);
        }
        let packet = Packet::parse(eap)?;
        let Some((kind @ 1.., data)) = packet.body.filter(|_| packet.code == packet::RESPONSE) else {
            return Err(Fault::Malformed);
        };
        if self.awaited == Awaited::Nothing || packet.identifier != self.identifier {
            return Ok(Heard::Discard);
        }
        match (kind, self.awaited) {
            (TYPE_IDENTITY, Awaited::First | Awaited::Identity) => {
                self.awaited = Awaited::Nothing;
                Ok(Heard::Identity(Identity::parse(data)))
            }
            (_, Awaited::First) => Err(Fault::Malformed),
            (TYPE_TLS, Awaited::Start | Awaited::Tls) => self.hear_tls(data),
            (TYPE_NAK, Awaited::Start) => {
                self.awaited = Awaited::Nothing;
                Ok(Heard::Nak(data.iter().copied().filter(|&method| method != 0).collect()))
            }
            // A response of another type than its request (RFC 3748 section 4.1), or a Nak after the method began (section 5.3.1).
            _ => Ok(Heard::Discard),
        }
    }

    fn hear_tls(&mut self, data: &[u8]) -> Result<Heard, Fault> {
        let fragment = Fragment::parse(data)?;
        self.awaited = Awaited::Nothing;
        if self.sender.pending() {
            return self.hear_acknowledgement(&fragment);
        }
        self.count_round(&fragment)?;
        Ok(match self.receiver.add(&fragment)? {
            Joined::More => Heard::Reply(self.ask(Awaited::Tls, Fragment::EMPTY)),
            Joined::Whole(message) if message.is_empty() => Heard::Acknowledged,
            Joined::Whole(message) => Heard::Message(message),
        })
    }

    /// While fragments of ours are left, the supplicant may do nothing but acknowledge.
    fn hear_acknowledgement(&mut self, fragment: &Fragment<'_>) -> Result<Heard, Fault> {
        if fragment.more || !fragment.data.is_empty() {
            return Err(Fault::Malformed);
        }
        Ok(Heard::Reply(self.next_fragment()))
    }

    /// Rounds that bring little are counted and never forgotten: whoever brings one octet at a time, in one message or in many, comes to the end of its rounds.
    fn count_round(&mut self, fragment: &Fragment<'_>) -> Result<(), Fault> {
        if fragment.data.len() < PROGRESS {
            self.idle_rounds = self.idle_rounds.saturating_add(1);
        }
        if self.idle_rounds >= self.max_idle_rounds { Err(Fault::TooManyRounds) } else { Ok(()) }
    }

    /// EAP-Request/Identity.
    pub fn ask_identity(&mut self) -> Vec<u8> {
        self.advance(Awaited::Identity);
        packet::write(packet::REQUEST, self.identifier, TYPE_IDENTITY, &[])
    }

    /// EAP-TLS start: flag S, no length field (RFC 9190 section 2.1.9).
    pub fn start(&mut self) -> Vec<u8> {
        self.ask(Awaited::Start, Fragment::START)
    }

    /// Begins to send a flight of TLS octets: its first fragment as an EAP-Request. An empty flight is sent as an empty EAP-TLS request.
    pub fn send(&mut self, flight: Vec<u8>) -> Vec<u8> {
        self.sender.load(flight);
        self.next_fragment()
    }

    fn next_fragment(&mut self) -> Vec<u8> {
        self.advance(Awaited::Tls);
        self.sender.next(|fragment| fragment.write(packet::REQUEST, self.identifier))
    }

    fn ask(&mut self, awaited: Awaited, fragment: Fragment<'_>) -> Vec<u8> {
        self.advance(awaited);
        fragment.write(packet::REQUEST, self.identifier)
    }

    /// A new request has another Identifier than the one before it (RFC 3748 section 4.1).
    fn advance(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        self.identifier = self.identifier.wrapping_add(1);
    }

    /// EAP-Success (code 3) with the Identifier of the last response (RFC 3748 section 4.2).
    #[must_use]
    pub fn success(&self) -> Vec<u8> {
        packet::write_bare(packet::SUCCESS, self.identifier).to_vec()
    }

    /// EAP-Failure (code 4).
    #[must_use]
    pub fn failure(&self) -> Vec<u8> {
        self.failure_octets().to_vec()
    }

    /// The same, for whoever only keeps it in case.
    #[must_use]
    pub(crate) fn failure_octets(&self) -> [u8; 4] {
        packet::write_bare(packet::FAILURE, self.identifier)
    }

    /// Octets held, for the accounting of memory.
    #[must_use]
    pub fn held(&self) -> usize {
        self.sender.held().saturating_add(self.receiver.held())
    }
}
