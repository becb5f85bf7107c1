//! Whether the server's certificate is good.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::lock::lock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, ProtocolVersion, RootCertStore, SignatureScheme};

/// How long a chain that was found good is not looked at again.
const KEPT: Duration = Duration::from_secs(60);
/// Chains that are remembered: a name may stand for several servers.
const MOST: usize = 8;

thread_local! {
    /// Octets of the OCSP answer that came with the certificate just verified. rustls shows it to the verifier alone, and that is shared by all handshakes of a supplicant, since no session of another one would be resumed;
    /// but it is called on the thread that drives the handshake, within that call.
    static STAPLED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Octets of the OCSP answer that came with the server's certificate, 0: none did; `None`: this thread has verified no certificate since this was last asked.
pub(super) fn take_stapled() -> Option<usize> {
    STAPLED.take()
}

/// Checks path, dates and purpose by the given anchors, and the name where names are given: an EAP server's name is told by nobody but the supplicant's own settings.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Empty: any certificate is taken.
    roots: RootCertStore,
    /// Empty: any name is.
    names: Vec<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    thoroughness: Thoroughness,
    /// The chains that were found good: one server has one or two, and who logs in a thousand times a second pays for their signatures once.
    good: Mutex<Vec<Good>>,
}

/// How often a server must prove that it has the key of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thoroughness {
    /// In each handshake.
    Always,
    /// As often as its chain is looked at, in each TLS version and with each scheme.
    Once,
}

/// A chain that is good, and since when that is known.
#[derive(Debug)]
struct Good {
    chain: Vec<CertificateDer<'static>>,
    since: UnixTime,
    /// How the server has proved since then that it has the key.
    proofs: Vec<Proof>,
}

type Proof = (ProtocolVersion, SignatureScheme);

impl Good {
    fn is_fresh(&self, now: UnixTime) -> bool {
        now.as_secs().checked_sub(self.since.as_secs()).is_some_and(|age| age < KEPT.as_secs())
    }

    fn is_of(&self, certificate: &CertificateDer<'_>) -> bool {
        self.chain.first() == Some(certificate)
    }

    fn covers(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], now: UnixTime) -> bool {
        self.is_fresh(now)
            && self.chain.split_first().is_some_and(|(leaf, above)| leaf == end_entity && above == intermediates)
    }
}

impl Verifier {
    /// The error is a sentence.
    pub(super) fn new(
        anchors: &[Vec<u8>],
        names: &[String],
        algorithms: WebPkiSupportedAlgorithms,
        thoroughness: Thoroughness,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for anchor in anchors {
            let anchor = CertificateDer::from(anchor.clone());
            roots
                .add(anchor)
                .map_err(|error| format!("an anchor for the server's certificate can't be used: {error}"))?;
        }
        let name =
            |name: &String| ServerName::try_from(name.clone()).map_err(|_| format!("{name:?} is no server name"));
        let names = names.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Self { roots, names, algorithms, thoroughness, good: Mutex::default() })
    }

    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let certificate = ParsedCertificate::try_from(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if !self.roots.is_empty() {
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &self.roots,
                intermediates,
                now,
                self.algorithms.all,
            )
            .map_err(|error| match error {
                // By name it is of one of the authorities, by key it is not.
                Error::InvalidCertificate(CertificateError::BadSignature) => CertificateError::UnknownIssuer.into(),
                other => other,
            })?;
        }
        self.verify_name(&certificate)
    }

    fn good(&self) -> MutexGuard<'_, Vec<Good>> {
        lock(&self.good)
    }

    /// `verify`: checks the signature by which the server shows that it has the certificate's key. The chain has been looked at just before.
    fn prove(
        &self,
        certificate: &CertificateDer<'_>,
        proof: Proof,
        verify: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let is_proved = |good: &Good| good.is_of(certificate) && good.proofs.contains(&proof);
        if self.thoroughness == Thoroughness::Once && self.good().iter().any(is_proved) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let valid = verify()?;
        if self.thoroughness == Thoroughness::Once {
            let mut chains = self.good();
            let of_it = chains.iter_mut().filter(|good| good.is_of(certificate) && !good.proofs.contains(&proof));
            of_it.for_each(|good| good.proofs.push(proof));
        }
        Ok(valid)
    }

    fn verify_name(&self, certificate: &ParsedCertificate<'_>) -> Result<(), Error> {
        let mut result = Ok(());
        for name in &self.names {
            result = verify_server_name(certificate, name);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        STAPLED.set(Some(ocsp.len()));
        if !self.good().iter().any(|good| good.covers(end_entity, intermediates, now)) {
            self.verify_chain(end_entity, intermediates, now)?;
            let chain = std::iter::once(end_entity).chain(intermediates).map(|one| one.clone().into_owned()).collect();
            let mut good = self.good();
            good.retain(|good| good.is_fresh(now));
            if good.len() >= MOST {
                good.remove(0);
            }
            good.push(Good { chain, since: now, proofs: Vec::new() });
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.prove(certificate, (ProtocolVersion::TLSv1_2, signature.scheme), || {
            verify_tls12_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.prove(certificate, (ProtocolVersion::TLSv1_3, signature.scheme), || {
            verify_tls13_signature(message, certificate, signature, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
