//! rustls driven by byte slices: server identities, resumption, the exporter. Who may in is asked of a [`Judge`]. It knows neither EAP, RADIUS nor pki, and reads no clock.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::event::TlsVersion;
use crate::now::Wall;
use crate::secret::Secret;

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
    /// `groups`, in the order of preference.
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
    fn resume(&self, kept: &[u8], now: Wall) -> bool;
}

/// Identities, versions, ticket keys and session ids of one configuration; immutable but for the session ids.
#[derive(Debug)]
pub struct Server {
    _private: (),
}

/// What is wrong with an identity or key: (name of the identity, key in the configuration, sentence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSettings {
    /// Which identity; `None`: `[tls]`.
    pub identity: Option<Arc<str>>,
    /// Which key of the table.
    pub key: &'static str,
    /// What is wrong, in words for an administrator.
    pub text: String,
}

impl Server {
    /// Loads keys and checks that they fit their certificates. `previous`: whose random ticket key and session ids are taken over at a reload.
    pub fn new(settings: &Settings, previous: Option<&Self>) -> Result<Self, Vec<BadSettings>> {
        todo!()
    }

    /// A new connection. `identities`: names of those that this service shows, in order of preference (P-256 is chosen first where the client can);
    /// `context`: what a resumed session must share (the service's name): others fall back to a full handshake.
    #[must_use]
    pub fn accept(
        self: &Arc<Self>,
        identities: &[Arc<str>],
        context: &[u8],
        judge: Arc<dyn Judge>,
        now: Wall,
    ) -> Connection {
        todo!()
    }
}

/// How a handshake stands after the last octets.
#[derive(Debug)]
pub enum Progress {
    /// It goes on; [`Connection::take_output`] has what to send.
    Continue,
    /// It is finished: the client is let in; output may hold tickets and the protected success (RFC 9190 section 2.1.1).
    Established(Established),
    /// It has failed; output may hold the alert.
    Failed(Failure),
}

/// What a finished handshake is.
#[derive(Debug)]
pub struct Established {
    /// TLS version.
    pub version: TlsVersion,
    /// What [`Judge::judge`] had returned in the full handshake, where this one was abbreviated.
    pub resumed: bool,
    /// MSK ‖ EMSK, 128 octets (RFC 5216 section 2.3, RFC 9190 section 2.3).
    pub keys: Secret,
    /// Method-Id for Session-Id: 1.2 client.random ‖ server.random; 1.3 the exporter's `EXPORTER_EAP_TLS_Method-Id`, 64 octets.
    pub method_id: Vec<u8>,
}

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The judge refused.
    Judged(Alert),
    /// The client sent no certificate.
    NoCertificate,
    /// CertificateVerify does not hold.
    BadSignature,
    /// The client sent this alert.
    ClientAlert(u8),
    /// Anything else, in words.
    Protocol(String),
}

/// One handshake, server's side.
#[derive(Debug)]
pub struct Connection {
    _private: (),
}

impl Connection {
    /// Reads octets of the client. Never called again after `Established` or `Failed`.
    pub fn receive(&mut self, octets: &[u8], now: Wall) -> Progress {
        todo!()
    }

    /// Everything that is to be sent, taken out.
    pub fn take_output(&mut self) -> Vec<u8> {
        todo!()
    }

    /// The version, once negotiated.
    #[must_use]
    pub fn version(&self) -> Option<TlsVersion> {
        todo!()
    }

    /// The Accept is decided: makes a stashed TLS 1.2 session id resumable.
    pub fn commit(&mut self) {
        todo!()
    }
}
