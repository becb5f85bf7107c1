//! What rustls asks about one connection: the time, which identity, whether the client may in, what may resume it and what resumes.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert, StoresServerSessions};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};
use zeroize::Zeroizing;

use super::chain::{Unfit, client_chain};
use super::session::{self, Facts, Piece, Remembered, Session};
use super::{Alert, Failure, Judge, Server};
use crate::lock::lock;
use crate::now::Wall;
use crate::secret::Secret;

/// Most tickets that one connection opens: a ClientHello has room for many.
const MAX_OPENED: u8 = 8;

/// One connection's answers to rustls.
pub(super) struct Dealings {
    server: Arc<Server>,
    /// Indices of the server's identities, in order of preference.
    identities: Arc<[usize]>,
    context: Box<[u8]>,
    judge: Arc<dyn Judge>,
    wall: AtomicI64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the client sent; nothing of it is believed before it has been judged.
    chain: Arc<[CertificateDer<'static>]>,
    refusal: Option<Failure>,
    resumable: Option<Resumable>,
    opened: u8,
    ticket_sent: bool,
    stash: Option<Stash>,
}

/// A session that its id would resume: rustls' state as it came, and the chain that stands in it.
struct Stash {
    id: Vec<u8>,
    rustls_state: Zeroizing<Vec<u8>>,
    chain: Arc<[CertificateDer<'static>]>,
}

/// What may go into a ticket.
#[derive(Clone)]
struct Resumable {
    facts: Facts,
    /// What is cut out: known where this handshake is itself resumed, else the chain has to be found.
    pieces: Option<Vec<Piece>>,
}

impl Dealings {
    pub(super) fn new(
        server: Arc<Server>,
        identities: Arc<[usize]>,
        context: &[u8],
        judge: Arc<dyn Judge>,
        now: Wall,
    ) -> Self {
        let (context, wall) = (context.into(), AtomicI64::new(now.0));
        Self { server, identities, context, judge, wall, state: Mutex::default() }
    }

    /// Tells the time of the call that follows.
    pub(super) fn set_now(&self, now: Wall) {
        self.wall.store(now.0, Ordering::Relaxed);
    }

    /// Why the client was refused, if it was refused here.
    pub(super) fn refusal(&self) -> Option<Failure> {
        self.state().refusal.clone()
    }

    /// The session that its id would resume, once somebody commits it.
    pub(super) fn take_stash(&self) -> Option<(Vec<u8>, Remembered)> {
        let Stash { id, rustls_state, chain } = self.state().stash.take()?;
        let session = self.session(&rustls_state, &chain)?;
        let mut octets = Zeroizing::new(Vec::new());
        session.encode(&mut octets)?;
        Some((id, Remembered { context: self.context.clone(), session: Secret::new(octets.as_slice()) }))
    }

    /// The handshake has ended: nobody asks for the chain any more.
    pub(super) fn forget_chain(&self) {
        self.state().chain = Arc::default();
    }

    fn now(&self) -> Wall {
        Wall(self.wall.load(Ordering::Relaxed))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn refuse(&self, why: Failure, error: CertificateError) -> Error {
        self.state().refusal = Some(why);
        Error::InvalidCertificate(error)
    }

    /// The client holds the key of the leaf: now its chain may be judged.
    fn judge(&self) -> Result<HandshakeSignatureValid, Error> {
        let now = self.now();
        let chain = Arc::clone(&self.state().chain);
        let ders: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        let kept =
            self.judge.judge(&ders, now).map_err(|alert| self.refuse(Failure::Judged(alert), error_for(alert)))?;
        self.state().resumable = kept.map(|kept| Resumable { facts: Facts { issued: now, kept }, pieces: None });
        Ok(HandshakeSignatureValid::assertion())
    }

    /// rustls' state with our facts; `None`: nothing may resume this session.
    fn session(&self, rustls_state: &[u8], chain: &[CertificateDer<'_>]) -> Option<Session> {
        let resumable = self.state().resumable.clone()?;
        resumable.facts.remaining(self.now(), self.server.resumption)?;
        let pieces = match resumable.pieces {
            Some(pieces) => session::all_zero(rustls_state, &pieces).then_some(pieces)?,
            None => session::find(rustls_state, chain)?,
        };
        Session::new(resumable.facts, rustls_state, pieces)
    }

    /// Decides again whether a session may be resumed, and if so gives rustls its state back.
    fn resume(&self, session: Session) -> Option<Vec<u8>> {
        let now = self.now();
        session.facts.remaining(now, self.server.resumption)?;
        let rustls_state = session.state()?;
        if !self.judge.resume(&session.facts.kept, now) {
            return None;
        }
        self.state().resumable = Some(Resumable { facts: session.facts, pieces: Some(session.pieces) });
        Some(rustls_state)
    }

    fn may_open_another(&self) -> bool {
        let mut state = self.state();
        state.opened = state.opened.saturating_add(1);
        state.opened <= MAX_OPENED
    }
}

/// The error that makes rustls send just this alert.
fn error_for(alert: Alert) -> CertificateError {
    match alert {
        Alert::UnsupportedCertificate => CertificateError::InvalidPurpose,
        Alert::CertificateRevoked => CertificateError::Revoked,
        Alert::CertificateExpired => CertificateError::Expired,
        Alert::CertificateUnknown => CertificateError::Other(OtherError(Arc::new(Refused))),
        Alert::UnknownCa => CertificateError::UnknownIssuer,
        Alert::AccessDenied => CertificateError::ApplicationVerificationFailure,
    }
}

/// The judge said no; the details are in its own records.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused by the judge")
    }
}

impl std::error::Error for Refused {}

impl fmt::Debug for Dealings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dealings").field("judge", &self.judge).finish_non_exhaustive()
    }
}

impl TimeProvider for Dealings {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().0).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl ResolvesServerCert for Dealings {
    /// The first identity that the client can verify. Where it can verify none, rustls is given the first all the same: it then sends handshake_failure.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = || self.identities.iter().filter_map(|index| Some(self.server.identities.get(*index)?.key()));
        let usable = keys().find(|key| key.key.choose_scheme(hello.signature_schemes()).is_some());
        usable.or_else(|| keys().next())
    }
}

impl ClientCertVerifier for Dealings {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// Only bounds and records the chain: the client has yet to prove that it holds the key, and anybody can send a copy of somebody's certificate.
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = client_chain(leaf, rest).map_err(|unfit| match unfit {
            Unfit::TooMuch(why) => self.refuse(Failure::Protocol(why), CertificateError::InvalidPurpose),
            Unfit::Unreadable(error) => error,
        })?;
        self.state().chain = chain.into();
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.server.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signature, algorithms).map_err(bad_signature)?;
        self.judge()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.server.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signature, algorithms).map_err(bad_signature)?;
        self.judge()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.server.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whatever the verification found wrong with key and signature together is one thing to the client: decrypt_error.
fn bad_signature(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadEncoding) => error,
        Error::InvalidCertificate(_) => Error::InvalidCertificate(CertificateError::BadSignature),
        _ => error,
    }
}

impl ProducesTickets for Dealings {
    fn enabled(&self) -> bool {
        self.server.resumes()
    }

    /// Seconds; what is left of the full handshake's.
    fn lifetime(&self) -> u32 {
        let (now, whole) = (self.now(), self.server.resumption.min(session::LONGEST));
        let state = self.state();
        let left = state.resumable.as_ref().and_then(|resumable| resumable.facts.remaining(now, whole));
        u32::try_from(left.unwrap_or_default().as_secs()).unwrap_or(u32::MAX)
    }

    /// rustls asks for tickets after the client's Finished, or after [`Dealings::resume`] has said yes: in both cases the judge has been heard.
    fn encrypt(&self, rustls_state: &[u8]) -> Option<Vec<u8>> {
        let chain = Arc::clone(&self.state().chain);
        let ticket = self.server.ticket_keys.seal(&self.session(rustls_state, &chain)?, &self.context)?;
        let mut state = self.state();
        state.ticket_sent = true;
        // Its id is of no use to it then.
        state.stash = None;
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if !self.server.resumes() || !self.may_open_another() {
            return None;
        }
        self.resume(self.server.ticket_keys.open(ticket, &self.context)?)
    }
}

impl StoresServerSessions for Dealings {
    /// Only stashed: it can be resumed when the whole conversation has ended well, see [`Dealings::take_stash`].
    fn put(&self, id: Vec<u8>, rustls_state: Vec<u8>) -> bool {
        let rustls_state = Zeroizing::new(rustls_state);
        let mut state = self.state();
        // A client that was given a ticket has no use for its id.
        if state.ticket_sent || state.resumable.is_none() {
            return false;
        }
        state.stash = Some(Stash { id, rustls_state, chain: Arc::clone(&state.chain) });
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        if !self.server.resumes() {
            return None;
        }
        let remembered = self.server.session_ids.get(id)?;
        if remembered.context != self.context {
            return None;
        }
        let session = Session::decode(remembered.session.expose())?;
        if session.facts.remaining(self.now(), self.server.resumption).is_none() {
            self.server.session_ids.forget(id);
            return None;
        }
        self.resume(session)
    }

    /// Only TLS 1.3 without tickets would take a session out, and we never have that.
    fn take(&self, _id: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn can_cache(&self) -> bool {
        self.server.resumes() && self.server.session_ids.most() > 0
    }
}
