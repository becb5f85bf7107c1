//! EAP (RFC 3748) and the EAP-TLS method (RFC 5216, RFC 9190): identity, fragments, keys. It knows no RADIUS attributes and lets nobody in.

use crate::secret::Secret;

/// EAP-TLS's type number.
pub const TYPE_TLS: u8 = 13;

/// Bounds of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Octets of TLS data in one fragment that we send.
    pub fragment_size: usize,
    /// Longest reassembled EAP-TLS message in octets.
    pub max_message: usize,
    /// Rounds without progress before the conversation is ended.
    pub max_idle_rounds: u32,
}

/// The outer identity (RFC 7542, RFC 3748 section 5.1): routes, and is never the user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The text as it came.
    pub text: String,
    /// What follows the last `@`, lower case; `None`: a bare name or nothing at all.
    pub realm: Option<String>,
}

/// Why an identity is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadIdentity {
    /// Not UTF-8, or with control characters.
    Text,
    /// Over 253 octets.
    Length,
    /// `user@`, or a realm that is no host name's form (RFC 7542 section 2.2).
    Realm,
}

impl Identity {
    /// Reads what an EAP-Response/Identity carries. "@realm" and the empty text are anonymous and good.
    pub fn parse(octets: &[u8]) -> Result<Self, BadIdentity> {
        todo!()
    }
}

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
    /// It wants one of these methods instead.
    Nak(Vec<u8>),
    /// A repeat of an old response or a packet that RFC 3748 says to discard in silence.
    Discard,
}

/// Why the EAP side of a conversation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not an EAP packet, or one of a kind that a supplicant never sends.
    Malformed,
    /// A message that is longer than [`Settings::max_message`].
    TooLong,
    /// Lengths that contradict each other.
    Length,
    /// Too many rounds without progress.
    TooManyRounds,
}

/// The authenticator's side of EAP framing: which Identifier is awaited, what has been reassembled, what is still to be sent.
#[derive(Debug)]
pub struct Authenticator {
    settings: Settings,
}

impl Authenticator {
    /// `mtu`: the NAS's Framed-MTU, which lowers the fragment size (an EAP packet plus RADIUS must fit; below 64 it is not believed).
    #[must_use]
    pub fn new(settings: Settings, mtu: Option<u32>) -> Self {
        todo!()
    }

    /// Reads one EAP packet of the supplicant.
    pub fn hear(&mut self, eap: &[u8]) -> Result<Heard, Fault> {
        todo!()
    }

    /// EAP-Request/Identity.
    pub fn ask_identity(&mut self) -> Vec<u8> {
        todo!()
    }

    /// EAP-TLS start: flag S, no length field (RFC 9190 section 2.1.9).
    pub fn start(&mut self) -> Vec<u8> {
        todo!()
    }

    /// Begins to send a flight of TLS octets: its first fragment as an EAP-Request. An empty flight is sent as an empty EAP-TLS request.
    pub fn send(&mut self, flight: Vec<u8>) -> Vec<u8> {
        todo!()
    }

    /// EAP-Success (code 3) with the Identifier of the last response (RFC 3748 section 4.2).
    #[must_use]
    pub fn success(&self) -> Vec<u8> {
        todo!()
    }

    /// EAP-Failure (code 4).
    #[must_use]
    pub fn failure(&self) -> Vec<u8> {
        todo!()
    }

    /// Octets held, for the accounting of memory.
    #[must_use]
    pub fn held(&self) -> usize {
        todo!()
    }
}

/// What EAP-TLS derives (RFC 5216 section 2.3, RFC 9190 section 2.3).
#[derive(Clone, Debug)]
pub struct Keys {
    /// MSK, 64 octets.
    pub msk: Secret,
    /// EMSK, 64 octets.
    pub emsk: Secret,
    /// Session-Id: type octet ‖ method id; EAP-Key-Name is this.
    pub session_id: Vec<u8>,
}
