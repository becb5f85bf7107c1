//! The supplicant's side of EAP framing.

use super::fragments::{Joined, Receiver, Sender};
use super::packet::{self, Fragment, Packet, TYPE_IDENTITY, TYPE_NAK, TYPE_NOTIFICATION, TYPE_TLS};
use super::{Fault, Settings};

/// What an authenticator's EAP packet means to the supplicant's side.
#[derive(Debug)]
pub enum Told {
    /// It asks who we are: [`Peer::identity`].
    Identity,
    /// EAP-TLS begins: [`Peer::send`] the ClientHello.
    Start,
    /// A whole TLS message; empty: an acknowledgement or an empty request. [`Peer::send`] what TLS has to say, be it nothing.
    Message(Vec<u8>),
    /// Not yet a whole message, or nothing for TLS: this goes back.
    Reply(Vec<u8>),
    /// It wants this method, which isn't EAP-TLS: [`Peer::nak`].
    Other(u8),
    /// EAP-Success: to be believed only by whoever knows that the handshake has ended well.
    Success,
    /// EAP-Failure.
    Failure,
}

/// The supplicant's side of EAP framing: answers with the Identifier that it was asked with.
#[derive(Debug)]
pub struct Peer {
    identifier: u8,
    sender: Sender,
    receiver: Receiver,
}

impl Peer {
    /// `always_length`: the length field stands on unfragmented messages too, as some supplicants have it.
    #[must_use]
    pub fn new(settings: Settings, always_length: bool) -> Self {
        Self {
            identifier: 0,
            sender: Sender::new(settings.fragment_size, always_length),
            receiver: Receiver::new(settings.max_message),
        }
    }

    /// Reads one EAP packet of the authenticator.
    ///
    /// # Errors
    /// It is none, or one that contradicts what came before.
    pub fn hear(&mut self, eap: &[u8]) -> Result<Told, Fault> {
        let packet = Packet::parse(eap)?;
        match (packet.code, packet.body) {
            (packet::SUCCESS, None) => Ok(Told::Success),
            (packet::FAILURE, None) => Ok(Told::Failure),
            (packet::REQUEST, Some((kind @ 1.., data))) => {
                self.identifier = packet.identifier;
                self.hear_request(kind, data)
            }
            _ => Err(Fault::Malformed),
        }
    }

    fn hear_request(&mut self, kind: u8, data: &[u8]) -> Result<Told, Fault> {
        match kind {
            TYPE_IDENTITY => Ok(Told::Identity),
            TYPE_NOTIFICATION => {
                Ok(Told::Reply(packet::write(packet::RESPONSE, self.identifier, TYPE_NOTIFICATION, &[])))
            }
            TYPE_TLS => self.hear_tls(&Fragment::parse(data)?),
            other => Ok(Told::Other(other)),
        }
    }

    fn hear_tls(&mut self, fragment: &Fragment<'_>) -> Result<Told, Fault> {
        if fragment.start {
            return Ok(Told::Start);
        }
        if self.sender.pending() {
            return if fragment.data.is_empty() {
                Ok(Told::Reply(self.next_fragment()))
            } else {
                Err(Fault::Malformed)
            };
        }
        Ok(match self.receiver.add(fragment)? {
            Joined::More => Told::Reply(Fragment::EMPTY.write(packet::RESPONSE, self.identifier)),
            Joined::Whole(message) => Told::Message(message),
        })
    }

    /// EAP-Response/Identity.
    #[must_use]
    pub fn identity(&self, text: &str) -> Vec<u8> {
        packet::write(packet::RESPONSE, self.identifier, TYPE_IDENTITY, &[text.as_bytes()])
    }

    /// A Nak that asks for EAP-TLS.
    #[must_use]
    pub fn nak(&self) -> Vec<u8> {
        packet::write(packet::RESPONSE, self.identifier, TYPE_NAK, &[&[TYPE_TLS]])
    }

    /// Begins to send a flight of TLS octets: its first fragment as an EAP-Response. An empty flight is an acknowledgement.
    pub fn send(&mut self, flight: Vec<u8>) -> Vec<u8> {
        self.sender.load(flight);
        self.next_fragment()
    }

    fn next_fragment(&mut self) -> Vec<u8> {
        self.sender.next(|fragment| fragment.write(packet::RESPONSE, self.identifier))
    }
}
