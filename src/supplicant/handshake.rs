//! The client's end of TLS, driven by byte slices.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind, ProtocolVersion,
};

use super::verifier;
use crate::eap::Keys;
use crate::event::TlsVersion;
use crate::now::Wall;
use crate::secret::Secret;

/// MSK ‖ EMSK.
const KEYS: usize = 128;
/// The context of TLS 1.3's exporter (RFC 9190 section 2.3).
const METHOD: Option<&[u8]> = Some(&[crate::eap::TYPE_TLS]);
/// Content type of an alert record (RFC 8446 section 5.1).
const ALERT: u8 = 21;
/// Where the random stands in a flight that begins with a ClientHello or ServerHello: after record header, handshake header and version.
const RANDOM: std::ops::Range<usize> = 11..43;

/// What rustls takes for the time: that of the call.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    pub(super) fn set(&self, now: Wall) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.load(Ordering::Relaxed)).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// One handshake, client's side.
#[derive(Debug)]
pub(super) struct Handshake {
    connection: ClientConnection,
    clock: Arc<Clock>,
    client_random: Option<[u8; 32]>,
    server_random: Option<[u8; 32]>,
    finished: bool,
    protected: bool,
    stapled: Option<usize>,
    alert_sent: Option<u8>,
    error: Option<Error>,
}

impl Handshake {
    /// `config` must take its time from `clock`.
    pub(super) fn new(config: Arc<ClientConfig>, clock: Arc<Clock>) -> Result<Self, Error> {
        // Never sent (no SNI) and never compared: the verifier knows the names.
        let name = ServerName::try_from("radius.invalid").map_err(|_| Error::General("server name".to_owned()))?;
        Ok(Self {
            connection: ClientConnection::new(config, name)?,
            clock,
            client_random: None,
            server_random: None,
            finished: false,
            protected: false,
            stapled: None,
            alert_sent: None,
            error: None,
        })
    }

    /// The ClientHello.
    pub(super) fn begin(&mut self) -> Vec<u8> {
        let flight = self.take_output();
        self.client_random = random_of(&flight);
        flight
    }

    /// Takes a flight of the server; what is to be sent back, which may be nothing or an alert.
    pub(super) fn receive(&mut self, flight: &[u8], now: Wall) -> Vec<u8> {
        self.clock.set(now);
        if self.error.is_some() {
            return Vec::new();
        }
        self.server_random = self.server_random.or_else(|| random_of(flight));
        let read = self.read(flight);
        let output = self.take_output();
        match read {
            Ok(()) => self.finished = !self.connection.is_handshaking(),
            Err(error) => {
                self.alert_sent = alert_in(&output, &error);
                self.error = Some(error);
            }
        }
        output
    }

    /// rustls takes some 4 kB of a longer flight at a time.
    fn read(&mut self, mut flight: &[u8]) -> Result<(), Error> {
        while !flight.is_empty() {
            let taken = self.connection.read_tls(&mut flight).map_err(|error| Error::General(error.to_string()))?;
            let state = self.connection.process_new_packets();
            self.stapled = verifier::take_stapled().or(self.stapled);
            let state = state?;
            if state.plaintext_bytes_to_read() > 0 {
                let mut told = vec![0xff; state.plaintext_bytes_to_read()];
                let length = self.connection.reader().read(&mut told).unwrap_or(0);
                self.protected |= told.get(..length) == Some(&[0]);
            }
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    fn take_output(&mut self) -> Vec<u8> {
        let mut output = Vec::new();
        while self.connection.wants_write() {
            // Writing into memory fails only when there is nothing to write.
            if !self.connection.write_tls(&mut output).is_ok_and(|written| written > 0) {
                break;
            }
        }
        output
    }

    /// Whether it is finished as we see it.
    pub(super) fn is_finished(&self) -> bool {
        self.finished && self.error.is_none()
    }

    /// MSK, once the handshake is finished (RFC 5216 section 2.3, RFC 9190 section 2.3).
    pub(super) fn msk(&self) -> Option<Secret> {
        Some(Keys::from_export(&self.material()?, &[])?.msk)
    }

    /// Session-Id, once the handshake is finished: few servers tell theirs, and it costs as much as the MSK.
    pub(super) fn session_id(&self) -> Option<Vec<u8>> {
        Some(Keys::from_export(&self.material()?, &self.method_id()?)?.session_id)
    }

    fn material(&self) -> Option<Secret> {
        let (label, context) = match self.version() {
            Some(TlsVersion::Tls13) => (&b"EXPORTER_EAP_TLS_Key_Material"[..], METHOD),
            _ => (&b"client EAP encryption"[..], None),
        };
        self.exported(vec![0; KEYS], label, context).map(Secret::new)
    }

    fn method_id(&self) -> Option<Vec<u8>> {
        match self.version() {
            Some(TlsVersion::Tls13) => self.exported(vec![0; 64], b"EXPORTER_EAP_TLS_Method-Id", METHOD),
            _ => Some([self.client_random?, self.server_random?].concat()),
        }
    }

    fn exported(&self, into: Vec<u8>, label: &[u8], context: Option<&[u8]>) -> Option<Vec<u8>> {
        let exported = self.is_finished().then(|| self.connection.export_keying_material(into, label, context));
        exported?.ok()
    }

    /// Whether the one octet 0x00 has come, by which a server says that it has let us in (RFC 9190 section 2.1.1); `None`: TLS 1.2 knows no such thing.
    pub(super) fn protected_success(&self) -> Option<bool> {
        (self.version() == Some(TlsVersion::Tls13)).then_some(self.protected)
    }

    /// Octets of the OCSP answer that came with the server's certificate, 0: none did; `None`: no certificate has come.
    pub(super) fn stapled(&self) -> Option<usize> {
        self.stapled
    }

    pub(super) fn version(&self) -> Option<TlsVersion> {
        match self.connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
            ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
            _ => None,
        }
    }

    pub(super) fn resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    pub(super) fn alert_received(&self) -> Option<u8> {
        match self.error {
            Some(Error::AlertReceived(alert)) => Some(alert.into()),
            _ => None,
        }
    }

    pub(super) fn alert_sent(&self) -> Option<u8> {
        self.alert_sent
    }

    /// What is wrong with the server's certificate.
    pub(super) fn server_certificate(&self) -> Option<String> {
        match &self.error {
            Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Some("its issuer is none of the trusted authorities, and no path leads to one".to_owned())
            }
            Some(Error::InvalidCertificate(error)) => Some(error.to_string()),
            Some(Error::NoCertificatesPresented) => Some("the server sent no certificate".to_owned()),
            _ => None,
        }
    }

    pub(super) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}

fn random_of(flight: &[u8]) -> Option<[u8; 32]> {
    flight.get(RANDOM)?.try_into().ok()
}

/// Which alert the output ends with: read where it is in the clear, else derived as rustls derives it from the error.
fn alert_in(output: &[u8], error: &Error) -> Option<u8> {
    if let Some(&[ALERT, _, _, 0, 2, _, description]) = output.last_chunk::<7>() {
        return Some(description);
    }
    if output.is_empty() {
        return None;
    }
    match error {
        Error::InvalidCertificate(error) => Some(AlertDescription::from(error.clone()).into()),
        Error::InvalidMessage(error) => Some(AlertDescription::from(*error).into()),
        _ => None,
    }
}
