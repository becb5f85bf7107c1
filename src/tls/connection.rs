//! One handshake, driven by octets.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use rustls::compress::CompressionCache;
use rustls::server::ServerConnection;
use rustls::{CertificateError, ConfigBuilder, Error, HandshakeKind, ProtocolVersion, ServerConfig, WantsVersions};
use zeroize::Zeroizing;

use super::dealings::Dealings;
use super::wire::Wire;
use super::{Alert, Server};
use crate::event::TlsVersion;
use crate::now::Wall;
use crate::secret::Secret;

/// MSK ‖ EMSK.
const KEYS: usize = 128;
/// Length of Method-Id, in both versions.
const METHOD_ID: usize = 64;
/// The EAP method's type, the context of TLS 1.3's exporters (RFC 9190 section 2.3).
const EAP_TLS: &[u8] = &[0x0d];
/// The number of the alert by which a client takes its leave.
const CLOSE_NOTIFY: u8 = 0;
/// Protected success: one octet of application data (RFC 9190 section 2.1.1).
const PROTECTED_SUCCESS: &[u8] = &[0];

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
    /// Whether it was abbreviated: [`Judge::resume`](super::Judge::resume) said yes last, and was told what [`Judge::judge`](super::Judge::judge) had returned in the full handshake.
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
pub struct Connection {
    /// Gone as soon as the handshake has ended: it holds 15 kB and more.
    handshake: Option<Handshake>,
    output: Vec<u8>,
    version: Option<TlsVersion>,
    server: Arc<Server>,
    dealings: Arc<Dealings>,
}

struct Handshake {
    tls: ServerConnection,
    from_client: Wire,
    to_client: Wire,
}

impl Connection {
    pub(super) fn new(server: &Arc<Server>, dealings: Arc<Dealings>) -> Self {
        let tls = configuration(server, &dealings).and_then(|config| ServerConnection::new(Arc::new(config)));
        let handshake = tls.ok().map(|tls| Handshake { tls, from_client: Wire::default(), to_client: Wire::default() });
        Self { handshake, output: Vec::new(), version: None, server: Arc::clone(server), dealings }
    }

    /// Reads octets of the client. Never called again after `Established` or `Failed`.
    pub fn receive(&mut self, octets: &[u8], now: Wall) -> Progress {
        self.dealings.set_now(now);
        let Some(mut handshake) = self.handshake.take() else {
            return Progress::Failed(Failure::Protocol("the handshake has ended".to_owned()));
        };
        let result = handshake.read(octets);
        self.version = handshake.version();
        handshake.write(&mut self.output);
        let result = result.and_then(|done| if done { handshake.establish().map(Some) } else { Ok(None) });
        handshake.write(&mut self.output);
        if !matches!(result, Ok(None)) {
            self.dealings.forget_chain();
        }
        match result {
            Ok(None) => {
                self.handshake = Some(handshake);
                Progress::Continue
            }
            Ok(Some(established)) => Progress::Established(established),
            Err(failure) => Progress::Failed(self.dealings.refusal().unwrap_or(failure)),
        }
    }

    /// Everything that is to be sent, taken out.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The version, once negotiated.
    #[must_use]
    pub fn version(&self) -> Option<TlsVersion> {
        self.version
    }

    /// The Accept is decided: makes a stashed TLS 1.2 session id resumable.
    pub fn commit(&mut self) {
        if let Some((id, remembered)) = self.dealings.take_stash() {
            self.server.session_ids.insert(id, remembered);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Handshake {
    /// Feeds rustls; `true`: the handshake is complete.
    fn read(&mut self, octets: &[u8]) -> Result<bool, Failure> {
        self.from_client.read(octets);
        let mut rest = octets;
        while !rest.is_empty() {
            let read = self.tls.read_tls(&mut rest).map_err(|error| Failure::Protocol(error.to_string()))?;
            self.tls.process_new_packets().map_err(failure)?;
            if !self.tls.is_handshaking() {
                return Ok(true);
            }
            if read == 0 {
                return Err(Failure::Protocol("octets after the end".to_owned()));
            }
        }
        if self.from_client.closed() { Err(Failure::ClientAlert(CLOSE_NOTIFY)) } else { Ok(false) }
    }

    /// Takes what a complete handshake gives, and says so to the client where TLS 1.3 wants it.
    fn establish(&mut self) -> Result<Established, Failure> {
        let version = self.version().ok_or_else(|| Failure::Protocol("no version was negotiated".to_owned()))?;
        let resumed = self.tls.handshake_kind() == Some(HandshakeKind::Resumed);
        let (keys, method_id) = match version {
            TlsVersion::Tls12 => (self.export(b"client EAP encryption", None)?, self.randoms()?),
            TlsVersion::Tls13 => {
                let method_id = self.export::<METHOD_ID>(b"EXPORTER_EAP_TLS_Method-Id", Some(EAP_TLS))?;
                (self.export(b"EXPORTER_EAP_TLS_Key_Material", Some(EAP_TLS))?, method_id.to_vec())
            }
        };
        if version == TlsVersion::Tls13 {
            self.tls.writer().write_all(PROTECTED_SUCCESS).map_err(|error| Failure::Protocol(error.to_string()))?;
        }
        let keys: Zeroizing<[u8; KEYS]> = keys;
        Ok(Established { version, resumed, keys: Secret::new(keys.as_slice()), method_id })
    }

    fn export<const N: usize>(&self, label: &[u8], context: Option<&[u8]>) -> Result<Zeroizing<[u8; N]>, Failure> {
        let octets = Zeroizing::new([0; N]);
        self.tls.export_keying_material(octets, label, context).map_err(failure)
    }

    fn randoms(&self) -> Result<Vec<u8>, Failure> {
        let both = self.from_client.random().zip(self.to_client.random());
        let (client, server) = both.ok_or_else(|| Failure::Protocol("a hello's random is missing".to_owned()))?;
        Ok([client, server].concat())
    }

    fn version(&self) -> Option<TlsVersion> {
        match self.tls.protocol_version()? {
            ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
            ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
            _ => None,
        }
    }

    /// Moves to `output` all that rustls has to send, the alert of a failed handshake too.
    fn write(&mut self, output: &mut Vec<u8>) {
        let before = output.len();
        while self.tls.wants_write() {
            // Writing into memory can't fail; if rustls has nothing after all, this ends too.
            if !matches!(self.tls.write_tls(output), Ok(written) if written > 0) {
                break;
            }
        }
        self.to_client.read(output.get(before..).unwrap_or_default());
    }
}

/// One configuration a connection: each of its parts knows which conversation it is about. It costs a quarter of a microsecond.
fn configuration(server: &Server, dealings: &Arc<Dealings>) -> Result<ServerConfig, Error> {
    let builder: ConfigBuilder<ServerConfig, WantsVersions> =
        ServerConfig::builder_with_details(Arc::clone(&server.provider), Arc::clone(dealings) as _);
    let mut config = builder
        .with_protocol_versions(&server.versions)?
        .with_client_cert_verifier(Arc::clone(dealings) as _)
        .with_cert_resolver(Arc::clone(dealings) as _);
    config.session_storage = Arc::clone(dealings) as _;
    config.ticketer = Arc::clone(dealings) as _;
    config.ignore_client_order = true;
    config.send_tls13_tickets = usize::from(server.resumes());
    config.max_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.cert_compressors = Vec::new();
    config.cert_decompressors = Vec::new();
    config.cert_compression_cache = Arc::new(CompressionCache::Disabled);
    Ok(config)
}

fn failure(error: Error) -> Failure {
    match error {
        Error::NoCertificatesPresented => Failure::NoCertificate,
        Error::InvalidCertificate(CertificateError::BadSignature) => Failure::BadSignature,
        Error::AlertReceived(alert) => Failure::ClientAlert(alert.into()),
        other => Failure::Protocol(other.to_string()),
    }
}
