//! Who logs in, with what, from where.

use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, ClientConfig, Error, SignatureScheme, SupportedProtocolVersion};

use super::chance::Drawn;
use super::handshake::{Clock, Handshake};
use super::login::Login;
use super::memory::{Memory, Recall};
use super::share;
use super::verifier::{Thoroughness, Verifier};
use crate::event::TlsVersion;
use crate::exchange::Asker;
use crate::now::Wall;
use crate::secret::Secret;

static ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
static ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The outer identity.
    pub identity: String,
    /// The client's certificate chain, DER, leaf first; empty: none is sent.
    pub chain: Vec<Vec<u8>>,
    /// DER of its private key. Whether it fits the certificate is left to the server to find out.
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
    /// Calling-Station-Id; empty: none is sent.
    pub mac: String,
    /// Framed-MTU.
    pub framed_mtu: Option<u32>,
    /// NAS-Identifier.
    pub nas_identifier: Option<String>,
    /// More attributes for each request (Proxy-State, …); a NAS-Port-Type among them stands for the Wi-Fi's.
    pub attributes: crate::radius::Attributes,
}

/// A client that can log in again and again; remembers sessions for resumption.
#[derive(Debug)]
pub struct Supplicant(Arc<Client>);

/// What all logins of a supplicant share. Verifier and credential stay the same values: rustls resumes no session that was made with others.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) settings: Arc<Settings>,
    provider: Arc<CryptoProvider>,
    verifier: Arc<Verifier>,
    credential: Arc<Credential>,
    tls12: Tls12Resumption,
    clock: Arc<Clock>,
    memory: Arc<Memory>,
    configs: Configs,
}

/// What rustls wants to know, once for all handshakes that offer a session and once for those that don't.
#[derive(Clone, Debug, Default)]
struct Configs {
    offering: OnceLock<Arc<ClientConfig>>,
    bare: OnceLock<Arc<ClientConfig>>,
}

/// What a crowd spares itself that measures a server, where one person's login doesn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thrift {
    /// Once a signature of a server with a chain has been verified in full, those that follow in the same TLS version and scheme are taken as they come, for a minute.
    pub trusts_again: bool,
    /// The client's X25519 key is one that everybody knows, so that the key agreement costs nothing: whoever can read the datagrams can read the handshakes and take over their sessions.
    pub known_share: bool,
}

impl Supplicant {
    /// Loads the key; the error is a sentence.
    ///
    /// # Errors
    /// A chain without a key, a key or anchor that can't be read, a server name that is none.
    pub fn new(settings: Settings) -> Result<Self, String> {
        Self::load(settings, Tls12Resumption::SessionIdOrTickets, Thrift::default())
    }

    /// The same, for a crowd that spares itself what measures nothing.
    ///
    /// # Errors
    /// As above.
    pub fn thrifty(settings: Settings, thrift: Thrift) -> Result<Self, String> {
        Self::load(settings, Tls12Resumption::SessionIdOrTickets, thrift)
    }

    /// The same, but sessions of TLS 1.2 are resumed by their id alone, as wpa_supplicant does.
    ///
    /// # Errors
    /// As above.
    pub fn without_tickets(settings: Settings) -> Result<Self, String> {
        Self::load(settings, Tls12Resumption::SessionIdOnly, Thrift::default())
    }

    /// The same with another outer identity; it goes on with the same sessions.
    #[must_use]
    pub fn calling_itself(&self, identity: &str) -> Self {
        let settings = Settings { identity: identity.to_owned(), ..Settings::clone(&self.0.settings) };
        Self(Arc::new(Client { settings: Arc::new(settings), ..Client::clone(&self.0) }))
    }

    fn load(settings: Settings, tls12: Tls12Resumption, thrift: Thrift) -> Result<Self, String> {
        let mut provider = CryptoProvider { secure_random: &Drawn, ..aws_lc_rs::default_provider() };
        if thrift.known_share {
            share::make_known(&mut provider.kx_groups);
        }
        let algorithms = provider.signature_verification_algorithms;
        let thoroughness = if thrift.trusts_again { Thoroughness::Once } else { Thoroughness::Always };
        let verifier = Verifier::new(&settings.anchors, &settings.server_names, algorithms, thoroughness)?;
        let credential = Credential::new(&settings, &provider)?;
        Ok(Self(Arc::new(Client {
            settings: Arc::new(settings),
            provider: Arc::new(provider),
            verifier: Arc::new(verifier),
            credential: Arc::new(credential),
            tls12,
            clock: Arc::default(),
            memory: Arc::default(),
            configs: Configs::default(),
        })))
    }

    /// Somebody else who trusts the same servers: what is known of them is shared, so that a crowd verifies a server's chain once.
    ///
    /// # Errors
    /// A chain without a key, or a key that can't be read.
    pub fn beside(&self, identity: String, chain: Vec<Vec<u8>>, key: Option<Secret>) -> Result<Self, String> {
        let settings = Settings { identity, chain, key, ..(*self.0.settings).clone() };
        let credential = Arc::new(Credential::new(&settings, &self.0.provider)?);
        let client = Client { settings: Arc::new(settings), credential, ..(*self.0).clone() };
        Ok(Self(Arc::new(client.without_memory())))
    }

    /// Another device of the same person: key and what is known of the server are shared, sessions it remembers for itself.
    #[must_use]
    pub fn device(&self) -> Self {
        Self(Arc::new((*self.0).clone().without_memory()))
    }

    /// Whether there is a session that the next login could offer.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.0.memory.has_session()
    }

    /// Begins a login; with `resume`, remembered sessions are offered.
    #[must_use]
    pub fn login(&self, asker: Arc<Asker>, station: Station, resume: bool, now: Wall) -> Login {
        Login::new(self.0.clone(), asker, &station, resume, now)
    }

    #[cfg(test)]
    pub(super) fn handshake(&self) -> Handshake {
        self.0.handshake(false, Wall(0)).unwrap()
    }
}

impl Client {
    /// A configuration names the memory, so it goes with it.
    fn without_memory(self) -> Self {
        Self { memory: Arc::default(), configs: Configs::default(), ..self }
    }

    /// A handshake that has not begun.
    pub(super) fn handshake(&self, resume: bool, now: Wall) -> Result<Handshake, Error> {
        self.clock.set(now);
        let known = if resume { &self.configs.offering } else { &self.configs.bare };
        let config = match known.get() {
            Some(config) => config.clone(),
            None => {
                let config = Arc::new(self.config(resume)?);
                known.get_or_init(|| config).clone()
            }
        };
        Handshake::new(config, self.clock.clone())
    }

    fn config(&self, resume: bool) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_details(self.provider.clone(), self.clock.clone())
            .with_protocol_versions(self.versions())?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier.clone())
            .with_client_cert_resolver(self.credential.clone());
        config.enable_sni = false;
        let recall = Recall { memory: self.memory.clone(), offer: resume };
        config.resumption = Resumption::store(Arc::new(recall)).tls12_resumption(self.tls12);
        Ok(config)
    }

    fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        match self.settings.version {
            Some(TlsVersion::Tls12) => ONLY_TLS12,
            Some(TlsVersion::Tls13) => ONLY_TLS13,
            None => ALL_VERSIONS,
        }
    }
}

/// Shows the one certificate to any server, whatever authorities it names.
#[derive(Debug)]
struct Credential(Option<Arc<CertifiedKey>>);

impl Credential {
    fn new(settings: &Settings, provider: &CryptoProvider) -> Result<Self, String> {
        if settings.chain.is_empty() {
            return Ok(Self(None));
        }
        let key = settings.key.as_ref().ok_or("the certificate has no private key")?;
        let key = PrivateKeyDer::try_from(key.expose().to_vec())
            .map_err(|_| "the private key is neither PKCS#8, PKCS#1 nor SEC1")?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| format!("the private key can't be used: {error}"))?;
        let chain = settings.chain.iter().cloned().map(CertificateDer::from).collect();
        Ok(Self(Some(Arc::new(CertifiedKey::new(chain, key)))))
    }
}

impl ResolvesClientCert for Credential {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
