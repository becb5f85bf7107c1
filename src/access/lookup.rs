//! What a conversation without EAP has somebody else look up, and what is found.

use std::sync::Arc;

use crate::secret::Secret;

/// What is to be looked up.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// Certificates in the registry.
    Certificates(Search),
    /// Whether a one-time password is right. Asking counts: no code is right twice.
    Code(Attempt),
}

/// By what certificates are looked for. Only those are found whose chain our own judge has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// By a name in them, without ASCII case.
    Name(String),
    /// SHA-256 of the DER.
    Fingerprint([u8; 32]),
    /// Serial, big-endian without leading zeros, of whatever authority.
    Serial(Vec<u8>),
}

/// A one-time password that somebody has typed.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who it is to be.
    pub user: Arc<str>,
    /// What was typed.
    pub code: Secret,
    /// Name of the NAS.
    pub nas: Arc<str>,
    /// Calling-Station-Id as it came: guessing is slowed for each, so that nobody locks somebody else out.
    pub station: Vec<u8>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Certificates, each as [`Facts::encode`](crate::pki::Facts::encode) has written it.
    Certificates(Vec<Vec<u8>>),
    /// A code has been looked at.
    Code(Checked),
    /// Nobody could look, or not in time.
    Nothing,
    /// Too much is looked for at once: nobody has looked, and whoever asks again may have more luck.
    NoRoom,
}

/// What became of a one-time password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is right, and used up on disk.
    Right,
    /// It is not, or has been used before.
    Wrong,
    /// It wasn't looked at: too many have been tried.
    Throttled,
    /// The user has no secret to make codes of.
    NotEnrolled,
    /// He has one, and no seal-key opens it.
    Sealed,
}
