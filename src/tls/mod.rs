//! rustls driven by byte slices: server identities, resumption, the exporter. Who may in is asked of a [`Judge`]. It knows neither EAP, RADIUS nor pki, and reads no clock.

mod chain;
mod connection;
mod dealings;
mod server;
mod session;
mod ticket;
mod ticket_file;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::event::TlsVersion;
use crate::now::Wall;
use crate::secret::Secret;

pub use chain::{MAX_CHAIN, Unfit, client_chain};
pub use connection::{Connection, Established, Failure, Progress};
pub use server::{BadSettings, Server};
pub use ticket_file::{new_ticket_key_line, ticket_key_line, ticket_keys};

/// One `[[identity]]`.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// `name`
    pub name: Arc<str>,
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// DER of the private key: PKCS#8, PKCS#1 or SEC1.
    pub key: Secret,
}

/// A named group of `[tls].groups`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// x25519
    X25519,
    /// secp256r1
    Secp256r1,
    /// secp384r1
    Secp384r1,
    /// x25519mlkem768
    X25519MlKem768,
}

/// `[tls]` and `[[identity]]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[[identity]]`, in the file's order.
    pub identities: Vec<IdentitySettings>,
    /// `versions`
    pub versions: Vec<TlsVersion>,
    /// `groups`. All of them are spoken; of those, rustls takes what the client prefers, in TLS 1.3 if it can without another round.
    pub groups: Vec<Group>,
    /// `resumption`; zero: never.
    pub resumption: Duration,
    /// Keys of `ticket-key-file`: the first seals, all open. Empty: one made at random.
    pub ticket_keys: Vec<Secret>,
    /// Most TLS 1.2 sessions remembered by session id.
    pub max_session_ids: u64,
}

/// An alert that ends a handshake (RFC 8446 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// 43
    UnsupportedCertificate,
    /// 44
    CertificateRevoked,
    /// 45
    CertificateExpired,
    /// 46
    CertificateUnknown,
    /// 48
    UnknownCa,
    /// 49
    AccessDenied,
}

/// Decides about a client, inside the handshake and again on resumption. One for each conversation; it keeps what it decided.
pub trait Judge: Send + Sync + Debug {
    /// The client sent this chain (DER, leaf first, at least one) and has proved that it holds the leaf's key.
    /// `Ok`: let in; what it returns is kept in whatever can resume this session (`None`: nothing may).
    fn judge(&self, chain: &[&[u8]], now: Wall) -> Result<Option<Vec<u8>>, Alert>;

    /// A client offers to resume a session: `kept` is what [`Judge::judge`] returned then. `false`: a full handshake instead.
    ///
    /// It has yet to prove that it holds the session's secret, and may offer several: only when the handshake is [`Established`] and `resumed`, the last `true` was about this client.
    fn resume(&self, kept: &[u8], now: Wall) -> bool;
}
