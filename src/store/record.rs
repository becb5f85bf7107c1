//! What is kept, as others see it.

use crate::now::Wall;

/// What is known of a certificate by whoever registers or sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of the DER.
    pub fingerprint: Option<[u8; 32]>,
    /// The DER; only of a chain that our own judge has verified.
    pub der: Option<Vec<u8>>,
    /// What a verified chain says of it, in the compact form of tickets.
    pub facts: Option<Vec<u8>>,
    /// Name of the authority in the configuration.
    pub authority: Option<String>,
    /// Serial in lower-case hex, whole octets, without leading zeros.
    pub serial: Option<String>,
    /// By which of the authority's CAs it was issued, as `pki` names it.
    pub issuer: Option<[u8; 32]>,
    /// Number of the application.
    pub application: Option<String>,
    /// Subject in RFC 4514's text form; empty: not known.
    pub subject: String,
    /// CN, mail address.
    pub cn: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// The user by the authority's `username`.
    pub user: Option<String>,
    /// notBefore
    pub not_before: Option<Wall>,
    /// notAfter
    pub not_after: Option<Wall>,
    /// What a list of the CA's says of it: a status of the contract.
    pub listed: Option<String>,
}

/// What a certificate is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// SHA-256 of the DER.
    Fingerprint([u8; 32]),
    /// Name of the authority, and serial as in [`Known::serial`].
    Name(String, String),
    /// Number of the application.
    Application(String),
}

/// A certificate as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub row: i64,
    /// What is known of it.
    pub known: Known,
    /// Ours.
    pub request: Option<Request>,
    /// Its authority's.
    pub revoked: Option<Revoked>,
    /// When it was registered.
    pub registered: Wall,
    /// When it first was judged at a login.
    pub first_seen: Option<Wall>,
    /// When it last was.
    pub last_seen: Option<Wall>,
}

/// A revocation that was asked for here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Since when.
    pub since: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// In words.
    pub note: String,
    /// Whether it is refused here.
    pub block: bool,
}

/// A revocation by the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// revocationDate
    pub since: Wall,
    /// CRLReason's name.
    pub reason: Option<String>,
    /// Where it is said.
    pub source: String,
}

/// Where a certificate was last seen from a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// Calling-Station-Id.
    pub mac: String,
    /// Service; empty: none.
    pub service: String,
    /// Name of the NAS; empty: none.
    pub nas: String,
    /// When.
    pub last_seen: Wall,
}

/// A person's block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// User in ASCII lower case.
    pub name: String,
    /// Since when.
    pub since: Wall,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Wall>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: String,
}

/// Everything that is blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Certificates.
    pub certificates: Vec<Record>,
    /// People.
    pub people: Vec<Person>,
}

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its number, upwards in time; 0: not kept yet.
    pub row: i64,
    /// When.
    pub at: Wall,
    /// Who: name of a token, and whose certificate came with it.
    pub caller: String,
    /// The caller's role.
    pub role: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: String,
    /// How, in JSON.
    pub detail: String,
}

/// A decision as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Its number, upwards in time; 0: not kept yet.
    pub row: i64,
    /// When.
    pub at: Wall,
    /// `outcome` by its name.
    pub outcome: String,
    /// `reason` by its name.
    pub reason: String,
    /// The user by the certificate.
    pub user: Option<String>,
    /// What the supplicant called itself.
    pub outer_identity: Option<String>,
    /// SHA-256 of the certificate's DER.
    pub fingerprint: Option<[u8; 32]>,
    /// Its authority.
    pub authority: Option<String>,
    /// Its serial in hex.
    pub serial: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// How.
    pub method: String,
    /// Name of the NAS.
    pub nas: Option<String>,
    /// Address of the NAS.
    pub peer: String,
    /// Calling-Station-Id.
    pub mac: Option<String>,
    /// SSID.
    pub ssid: Option<String>,
    /// TLS version.
    pub tls: Option<String>,
    /// Whether the handshake was abbreviated.
    pub resumed: bool,
    /// From the first request to the decision.
    pub duration_ms: i64,
    /// What it rests on: a JSON array.
    pub evidence: String,
}
