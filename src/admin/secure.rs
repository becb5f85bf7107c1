//! TLS on the door: its certificate, and clients who must show one too.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, InconsistentKeys, OtherError, ServerConfig,
    SignatureScheme,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Peer, Status};
use crate::event::Reason;
use crate::lock::lock;
use crate::secret::Secret;
use crate::tls::{Unfit, client_chain};

/// How long a handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long somebody who was refused has to read the alert before the connection is reset, and how much he may send meanwhile.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 64 << 10;
/// `[admin].chain` and `key`, ready to be shown.
pub struct Tls {
    key: Arc<CertifiedKey>,
    provider: Arc<CryptoProvider>,
    /// The DNS names of the certificate, lower case: requests may use them for this server.
    names: Vec<String>,
}

/// What is wrong with chain or key: (key in the configuration, sentence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTls {
    /// Which key of `[admin]`.
    pub key: &'static str,
    /// What is wrong.
    pub text: &'static str,
}

impl Tls {
    /// Checks that the key fits its certificate. `chain`: DER, leaf first; `names`: the DNS names in the leaf.
    pub fn new(chain: Vec<Vec<u8>>, key: &Secret, names: &[String]) -> Result<Self, BadTls> {
        let bad = |key, text| BadTls { key, text };
        let provider = default_provider();
        let key = PrivateKeyDer::try_from(key.expose())
            .map_err(|_| bad("key", "no private key as PKCS#8, PKCS#1 or SEC1"))?;
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = CertifiedKey::from_der(chain, key.clone_key(), &provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                bad("key", "it isn't the key of the chain's first certificate (the server's own must come first)")
            }
            Error::InvalidCertificate(_) => bad("chain", "the first certificate can't be read"),
            _ => bad("key", "this private key can't be used: RSA with 2048 to 8192 bits, ECDSA with P-256, P-384 or P-521, or Ed25519"),
        })?;
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let tls = Self { key: Arc::new(key), provider: Arc::new(provider), names };
        // Nothing of it depends on who connects.
        tls.config(None).map_err(|_| bad("chain", "no TLS can be spoken with it"))?;
        Ok(tls)
    }

    /// Whether a request may use this name for this server; a wildcard stands for one label.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let below = name.split_once('.').map(|(_, below)| below);
        self.names.iter().any(|known| match known.strip_prefix("*.") {
            Some(known) => below == Some(known),
            None => *known == name,
        })
    }

    /// For one connection. Nothing is ever resumed: every connection is judged.
    fn config(&self, asking: Option<Arc<Asking>>) -> Result<Arc<ServerConfig>, Error> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = match asking {
            Some(asking) => builder.with_client_cert_verifier(asking),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&self.key))));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("names", &self.names).finish_non_exhaustive()
    }
}

/// The same certificate.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

impl Eq for Tls {}

/// Why no connection came about.
#[derive(Debug)]
pub(super) struct Failed {
    /// Why the client's certificate isn't good, where it was judged.
    pub(super) judged: Option<Reason>,
    pub(super) error: io::Error,
    /// Where an alert may still be read.
    stream: Option<TcpStream>,
}

impl Failed {
    fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { judged: None, error: io::Error::other(error), stream: None }
    }

    /// Ends the connection, not before its alert can have been read.
    pub(super) async fn close(self) {
        if let Some(stream) = self.stream {
            let_read(stream).await;
        }
    }
}

/// Shakes hands. `authorities`: of whom the client must show a certificate; empty: it need show none.
pub(super) async fn accept(
    stream: TcpStream,
    tls: &Tls,
    authorities: &[Arc<str>],
    status: &Arc<dyn Status>,
) -> Result<(TlsStream<TcpStream>, Option<Peer>), Failed> {
    let asking = (!authorities.is_empty()).then(|| Arc::new(Asking::new(status, authorities, &tls.provider)));
    let config = tls.config(asking.clone()).map_err(Failed::new)?;
    let handshake = TlsAcceptor::from(config).accept(stream).into_fallible();
    let shaken = timeout(HANDSHAKE, handshake).await.map_err(Failed::new)?;
    let judged = asking.and_then(|asking| asking.state().judged.take());
    match (shaken, judged) {
        (Ok(stream), None) if authorities.is_empty() => Ok((stream, None)),
        (Ok(stream), Some(Ok(peer))) => Ok((stream, Some(peer))),
        (Ok(_), _) => Err(Failed::new("the client was not judged")),
        (Err((error, stream)), judged) => {
            Err(Failed { judged: judged.and_then(Result::err), error, stream: Some(stream) })
        }
    }
}

/// Closes a connection so that its last octets, an alert, can be read: what the client has sent beyond would make the system reset it.
async fn let_read(mut stream: TcpStream) {
    let linger = async {
        let _ = stream.shutdown().await;
        let (mut left, mut octets) = (LINGER_OCTETS, [0; 1024]);
        while let Ok(read @ 1..) = stream.read(&mut octets).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    let _ = timeout(LINGER, linger).await;
}

/// One connection's look at a client certificate.
struct Asking {
    status: Arc<dyn Status>,
    authorities: Vec<Arc<str>>,
    provider: Arc<CryptoProvider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the client sent; nothing of it is believed before it has been judged.
    chain: Vec<CertificateDer<'static>>,
    judged: Option<Result<Peer, Reason>>,
}

impl Asking {
    fn new(status: &Arc<dyn Status>, authorities: &[Arc<str>], provider: &Arc<CryptoProvider>) -> Self {
        let (status, provider) = (Arc::clone(status), Arc::clone(provider));
        Self { status, authorities: authorities.to_vec(), provider, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The client holds the key of the leaf: now its chain may be judged.
    fn judge(&self) -> Result<HandshakeSignatureValid, Error> {
        let chain = std::mem::take(&mut self.state().chain);
        let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        let judged = self.status.peer(&chain, &self.authorities);
        let answer = match &judged {
            Ok(_) => Ok(HandshakeSignatureValid::assertion()),
            Err(reason) => Err(Error::InvalidCertificate(error_for(*reason))),
        };
        self.state().judged = Some(judged);
        answer
    }
}

/// The error that makes rustls send the alert that CONTRACT.md has for the reason.
fn error_for(reason: Reason) -> CertificateError {
    match reason {
        Reason::Revoked | Reason::Blocked => CertificateError::Revoked,
        Reason::Expired | Reason::NotYetValid => CertificateError::Expired,
        Reason::UntrustedIssuer => CertificateError::UnknownIssuer,
        Reason::WrongPurpose => CertificateError::InvalidPurpose,
        Reason::WrongOrganisation | Reason::UserBlocked | Reason::Policy => {
            CertificateError::ApplicationVerificationFailure
        }
        reason => CertificateError::Other(OtherError(Arc::new(Refused(reason)))),
    }
}

#[derive(Debug)]
struct Refused(Reason);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.0)
    }
}

impl std::error::Error for Refused {}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("authorities", &self.authorities).finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Asking {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// Only bounds and records the chain: the client has yet to prove that it holds the key.
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = client_chain(leaf, rest).map_err(|unfit| match unfit {
            Unfit::TooMuch(_) => Error::InvalidCertificate(CertificateError::InvalidPurpose),
            Unfit::Unreadable(error) => error,
        })?;
        self.state().chain = chain;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)?;
        self.judge()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)?;
        self.judge()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
