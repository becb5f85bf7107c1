//! One configuration's identities, versions, ticket keys and session ids.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, Error, InconsistentKeys, SignatureAlgorithm, SupportedCipherSuite, SupportedProtocolVersion,
};

use super::connection::Connection;
use super::dealings::Dealings;
use super::session::{LONGEST, SessionIds};
use super::ticket::{Keys, SHORTEST_SECRET};
use super::ticket_file::random_ticket_key;
use super::{Group, IdentitySettings, Judge, Settings};
use crate::event::TlsVersion;
use crate::now::Wall;
use crate::secret::Secret;

/// AES-128 first: it is the cheapest, and good enough for a key that lives for seconds.
const CIPHER_SUITES: &[SupportedCipherSuite] = &[
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Identities, versions, ticket keys and session ids of one configuration; immutable but for the session ids and what is stapled.
pub struct Server {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) identities: Vec<Identity>,
    /// Their indices, those with an ECDSA key first.
    cheapest_first: Arc<[usize]>,
    pub(super) resumption: Duration,
    pub(super) ticket_keys: Keys,
    pub(super) session_ids: SessionIds,
    /// The secret of `ticket_keys`, where no file gave one.
    random_key: Option<Secret>,
}

/// A certificate chain with its key, ready to sign.
pub(super) struct Identity {
    name: Arc<str>,
    /// Replaced whole when another OCSP answer is to be stapled: handshakes read it without waiting for anybody.
    key: ArcSwap<CertifiedKey>,
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
    /// Loads keys and checks that they fit their certificates. `previous`: whose random ticket key and session ids are taken over at a reload, and the OCSP answer stapled to each certificate that is still shown.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn new(settings: &Settings, previous: Option<&Self>) -> Result<Self, Vec<BadSettings>> {
        let provider = provider(&settings.groups);
        let mut bad = check(settings);
        let mut identities = Vec::new();
        for identity in &settings.identities {
            match Identity::load(identity, &provider) {
                Ok(identity) => identities.push(identity),
                Err(wrong) => bad.push(wrong),
            }
        }
        let tickets = Tickets::new(settings, previous).map_err(|text| bad.push(bad_tls("ticket-key-file", text))).ok();
        let Some(Tickets { keys, random }) = tickets.filter(|_| bad.is_empty()) else { return Err(bad) };
        for identity in &identities {
            identity.staple(previous.and_then(|server| server.stapled(identity)));
        }
        Ok(Self {
            provider,
            versions: settings.versions.iter().copied().map(rustls_version).collect(),
            cheapest_first: cheapest_first(&identities),
            identities,
            resumption: settings.resumption,
            ticket_keys: keys,
            session_ids: SessionIds::new(settings.max_session_ids, previous.map(|server| &server.session_ids)),
            random_key: random,
        })
    }

    /// A new connection. `identities`: names of those that this service shows, in order of preference: the first that the client can verify is taken.
    /// Empty: all, those with an ECDSA key first.
    /// `context`: what a resumed session must share (the service's name): others fall back to a full handshake.
    #[must_use]
    pub fn accept(
        self: &Arc<Self>,
        identities: &[Arc<str>],
        context: &[u8],
        judge: Arc<dyn Judge>,
        now: Wall,
    ) -> Connection {
        let preference = self.preference(identities);
        Connection::new(self, Arc::new(Dealings::new(Arc::clone(self), preference, context, judge, now)))
    }

    /// What is sent from the next handshake on to clients that ask how the certificate of `identity` stands (status_request, RFC 6066 section 8): an OCSP answer in DER, about its leaf,
    /// and good for as long as nobody replaces it: who staples sees to both. `None` or an empty one: nothing any more.
    pub fn staple(&self, identity: &str, ocsp: Option<Vec<u8>>) {
        if let Some(identity) = self.identities.iter().find(|known| &*known.name == identity) {
            identity.staple(ocsp);
        }
    }

    /// What is stapled here to the certificate of another configuration's identity.
    fn stapled(&self, other: &Identity) -> Option<Vec<u8>> {
        let leaf = other.key().cert.first().cloned();
        let same = self.identities.iter().find(|identity| identity.key().cert.first() == leaf.as_ref())?;
        same.key().ocsp.clone()
    }

    /// Whether any session may be resumed at all.
    pub(super) fn resumes(&self) -> bool {
        self.resumption >= Duration::from_secs(1)
    }

    fn preference(&self, names: &[Arc<str>]) -> Arc<[usize]> {
        if names.is_empty() {
            return Arc::clone(&self.cheapest_first);
        }
        let index = |name: &Arc<str>| self.identities.iter().position(|identity| identity.name == *name);
        names.iter().filter_map(index).collect()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.identities.iter().map(|identity| &*identity.name).collect();
        f.debug_struct("Server").field("identities", &names).finish_non_exhaustive()
    }
}

impl Identity {
    fn load(settings: &IdentitySettings, provider: &CryptoProvider) -> Result<Self, BadSettings> {
        let bad =
            |key, text: &str| BadSettings { identity: Some(Arc::clone(&settings.name)), key, text: text.to_owned() };
        let chain: Vec<_> = settings.chain.iter().cloned().map(CertificateDer::from).collect();
        let leaf = chain.first().ok_or_else(|| bad("chain", "there is no certificate in it"))?;
        ParsedCertificate::try_from(leaf)
            .map_err(|_| bad("chain", "the first certificate can't be read: it has to be X.509 version 3"))?;
        let key = PrivateKeyDer::try_from(settings.key.expose())
            .map_err(|_| bad("key", "no private key as PKCS#8, PKCS#1 or SEC1"))?;
        let key = CertifiedKey::from_der(chain, key.clone_key(), provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                bad("key", "it isn't the key of the chain's first certificate (the server's own must come first)")
            }
            Error::InvalidCertificate(CertificateError::BadEncoding) => {
                bad("chain", "the first certificate can't be read")
            }
            _ => bad("key", "this private key can't be used: RSA with 2048 to 8192 bits, ECDSA with P-256, P-384 or P-521, or Ed25519"),
        })?;
        Ok(Self { name: Arc::clone(&settings.name), key: ArcSwap::from_pointee(key) })
    }

    /// Chain, key, and what is stapled today.
    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        self.key.load_full()
    }

    fn staple(&self, ocsp: Option<Vec<u8>>) {
        let ocsp = ocsp.filter(|ocsp| !ocsp.is_empty());
        self.key.store(Arc::new(CertifiedKey { ocsp, ..CertifiedKey::clone(&self.key.load()) }));
    }

    fn is_ecdsa(&self) -> bool {
        self.key().key.algorithm() == SignatureAlgorithm::ECDSA
    }
}

fn cheapest_first(identities: &[Identity]) -> Arc<[usize]> {
    let indices = |ecdsa| identities.iter().enumerate().filter(move |(_, identity)| identity.is_ecdsa() == ecdsa);
    indices(true).chain(indices(false)).map(|(index, _)| index).collect()
}

/// The ticket keys, and the random secret they come from where no file gives any.
struct Tickets {
    keys: Keys,
    random: Option<Secret>,
}

impl Tickets {
    fn new(settings: &Settings, previous: Option<&Server>) -> Result<Self, String> {
        let random = match (settings.ticket_keys.is_empty(), previous.and_then(|server| server.random_key.clone())) {
            (false, _) => None,
            (true, Some(key)) => Some(key),
            (true, None) => Some(random_ticket_key()?),
        };
        let secrets = random.as_ref().map_or(settings.ticket_keys.as_slice(), std::slice::from_ref);
        let keys = Keys::new(secrets).ok_or("no keys can be derived from it")?;
        Ok(Self { keys, random })
    }
}

fn check(settings: &Settings) -> Vec<BadSettings> {
    let mut bad = Vec::new();
    let mut must = |holds: bool, key, text: &str| {
        if !holds {
            bad.push(bad_tls(key, text.to_owned()));
        }
    };
    must(!settings.identities.is_empty(), "identity", "without an [[identity]] no client can be let in");
    must(!settings.versions.is_empty(), "versions", "at least one of \"1.3\" and \"1.2\" is needed");
    must(!settings.groups.is_empty(), "groups", "at least one group is needed");
    let only_hybrid = settings.groups.iter().all(|group| *group == Group::X25519MlKem768);
    let speaks_12 = settings.versions.contains(&TlsVersion::Tls12);
    must(
        !speaks_12 || !only_hybrid || settings.groups.is_empty(),
        "groups",
        "TLS 1.2 needs one beside \"x25519mlkem768\"",
    );
    must(settings.resumption <= LONGEST, "resumption", "at most 7 days (RFC 8446 section 4.6.1)");
    let long = settings.ticket_keys.iter().all(|key| key.len() >= SHORTEST_SECRET);
    must(long, "ticket-key-file", "each key has at least 32 octets");
    bad
}

fn bad_tls(key: &'static str, text: String) -> BadSettings {
    BadSettings { identity: None, key, text }
}

fn provider(groups: &[Group]) -> Arc<CryptoProvider> {
    let kx_groups = groups.iter().copied().map(rustls_group).collect();
    Arc::new(CryptoProvider { cipher_suites: CIPHER_SUITES.to_vec(), kx_groups, ..default_provider() })
}

fn rustls_group(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519 => kx_group::X25519,
        Group::Secp256r1 => kx_group::SECP256R1,
        Group::Secp384r1 => kx_group::SECP384R1,
        Group::X25519MlKem768 => kx_group::X25519MLKEM768,
    }
}

fn rustls_version(version: TlsVersion) -> &'static SupportedProtocolVersion {
    match version {
        TlsVersion::Tls12 => &TLS12,
        TlsVersion::Tls13 => &TLS13,
    }
}
