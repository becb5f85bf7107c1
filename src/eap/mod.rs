//! EAP (RFC 3748) and the EAP-TLS method (RFC 5216, RFC 9190): identity, fragments, keys. It knows no RADIUS attributes and lets nobody in.
//!
//! [`Authenticator`] is the server's side of the framing, [`Peer`] the supplicant's. Both cut what they send with one sender of fragments and join what they hear with one receiver;
//! neither looks into the TLS octets that it carries.

mod authenticator;
mod fragments;
mod identity;
mod keys;
mod packet;
mod peer;

#[cfg(test)]
mod tests;

pub use authenticator::{Authenticator, Heard};
pub use identity::{BadIdentity, Identity};
pub use keys::Keys;
pub use packet::{TYPE_IDENTITY, TYPE_NAK, TYPE_TLS};
pub use peer::{Peer, Told};

use std::fmt;

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

/// Why the EAP side of a conversation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not an EAP packet, or one of a kind that the other side never sends.
    Malformed,
    /// A message that is longer than [`Settings::max_message`].
    TooLong,
    /// Lengths that contradict each other.
    Length,
    /// Too many rounds without progress.
    TooManyRounds,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an EAP packet that may come here",
            Self::TooLong => "an EAP-TLS message that is too long",
            Self::Length => "lengths that contradict each other",
            Self::TooManyRounds => "round after round without progress",
        })
    }
}
