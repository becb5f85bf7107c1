//! The other side: an EAP-TLS client and the access point before it, for `login`, `load`, `demo` and the tests. Sans-IO like the rest of the core.

use std::sync::Arc;

use crate::event::TlsVersion;
use crate::exchange::Asker;
use crate::now::Wall;
use crate::secret::Secret;

/// Who logs in, and how.
#[derive(Debug)]
pub struct Settings {
    /// The outer identity.
    pub identity: String,
    /// The client's certificate chain, DER, leaf first; empty: none is sent.
    pub chain: Vec<Vec<u8>>,
    /// DER of its private key.
    pub key: Option<Secret>,
    /// Anchors for the server's certificate, DER; empty: any certificate is taken (tests).
    pub anchors: Vec<Vec<u8>>,
    /// The only TLS version to offer; `None`: both.
    pub version: Option<TlsVersion>,
    /// Octets of TLS data in one fragment.
    pub fragment_size: usize,
    /// Whether the length field is sent on unfragmented messages too.
    pub always_length: bool,
    /// Accepted server names; empty: none is checked.
    pub server_names: Vec<String>,
}

/// What an access point says of the station.
#[derive(Clone, Debug, Default)]
pub struct Station {
    /// The SSID, sent in Called-Station-Id after the access point's address.
    pub ssid: Option<String>,
    /// Calling-Station-Id.
    pub mac: String,
    /// Framed-MTU.
    pub framed_mtu: Option<u32>,
    /// NAS-Identifier.
    pub nas_identifier: Option<String>,
    /// More attributes for each request (Proxy-State, …).
    pub attributes: crate::radius::Attributes,
}

/// A client that can log in again and again; remembers sessions for resumption.
#[derive(Debug)]
pub struct Supplicant {
    _private: (),
}

impl Supplicant {
    /// Loads the key; the error is a sentence.
    pub fn new(settings: Settings) -> Result<Self, String> {
        todo!()
    }

    /// Begins a login; with `resume`, remembered sessions are offered.
    #[must_use]
    pub fn login(&self, asker: Arc<Asker>, station: Station, resume: bool, now: Wall) -> Login {
        todo!()
    }
}

/// How a login ended.
#[derive(Debug)]
pub struct Report {
    /// Whether Access-Accept came.
    pub accepted: bool,
    /// TLS version of the handshake.
    pub version: Option<TlsVersion>,
    /// Whether the handshake was abbreviated.
    pub resumed: bool,
    /// Requests sent, repeats not counted.
    pub requests: u32,
    /// The alert that the server sent, by number.
    pub alert_received: Option<u8>,
    /// The alert that we sent.
    pub alert_sent: Option<u8>,
    /// Whether EAP-Success or EAP-Failure came with the last answer.
    pub eap_success: Option<bool>,
    /// Whether the MPPE keys agree with the MSK; `None`: there were none.
    pub keys_agree: Option<bool>,
    /// What was wrong with the server's certificate.
    pub server_certificate: Option<String>,
    /// The last answer's octets, for whoever wants its attributes.
    pub reply: Vec<u8>,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Send this request (and again, unchanged, when no answer comes).
    Send(Vec<u8>),
    /// Not our reply: keep waiting.
    Ignored,
    /// It has ended.
    Done(Box<Report>),
}

/// One login.
#[derive(Debug)]
pub struct Login {
    _private: (),
}

impl Login {
    /// The first request.
    pub fn begin(&mut self) -> Vec<u8> {
        todo!()
    }

    /// Takes a datagram of the server.
    pub fn handle(&mut self, datagram: &[u8], now: Wall) -> Next {
        todo!()
    }
}
