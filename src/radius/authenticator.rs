//! Request Authenticator, Response Authenticator, Message-Authenticator: which rule holds for which code, made and checked.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Code, HEADER, Malformed, Packet};
use crate::secret::Secret;

/// What stands in the Authenticator field of a packet.
///
/// Message-Authenticator is always HMAC-MD5 over the packet with its own sixteen octets zero; what stands in the Authenticator field meanwhile differs from rule to rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A request with random octets (RFC 2865 section 3); they stand there for Message-Authenticator too (RFC 3579 section 3.2).
    Random,
    /// A request with MD5 over the packet, zeros standing there, and the secret (RFC 2866 section 3, RFC 5176 section 2.3); zeros stand there for Message-Authenticator too.
    Digest,
    /// A reply with MD5 over the packet, the request's Authenticator standing there, and the secret (RFC 2865 section 3); that stands there for Message-Authenticator too.
    Reply,
}

/// Whether a packet must carry Message-Authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Always,
    /// It may; whoever reads it may want more, and with EAP-Message it always must (RFC 3579 section 3.2).
    Sometimes,
}

/// Which rule holds for which code, and whether Message-Authenticator must be there (RFC 3579, RFC 5176 section 3.6, RFC 5997 section 3, RFC 7930; replies: CVE-2024-3596).
const RULES: [(Code, Rule, Need); 14] = [
    (Code::ACCESS_REQUEST, Rule::Random, Need::Sometimes),
    (Code::ACCESS_ACCEPT, Rule::Reply, Need::Always),
    (Code::ACCESS_REJECT, Rule::Reply, Need::Always),
    (Code::ACCESS_CHALLENGE, Rule::Reply, Need::Always),
    (Code::ACCOUNTING_REQUEST, Rule::Digest, Need::Sometimes),
    (Code::ACCOUNTING_RESPONSE, Rule::Reply, Need::Sometimes),
    (Code::STATUS_SERVER, Rule::Random, Need::Always),
    (Code::DISCONNECT_REQUEST, Rule::Digest, Need::Sometimes),
    (Code::DISCONNECT_ACK, Rule::Reply, Need::Sometimes),
    (Code::DISCONNECT_NAK, Rule::Reply, Need::Sometimes),
    (Code::COA_REQUEST, Rule::Digest, Need::Sometimes),
    (Code::COA_ACK, Rule::Reply, Need::Sometimes),
    (Code::COA_NAK, Rule::Reply, Need::Sometimes),
    (Code::PROTOCOL_ERROR, Rule::Reply, Need::Always),
];

impl Rule {
    /// The rule of a code; `None`: a code that isn't known, whose packets can't be checked.
    #[must_use]
    pub fn of(code: Code) -> Option<(Self, Need)> {
        RULES.iter().find(|(known, ..)| *known == code).map(|(_, rule, need)| (*rule, *need))
    }
}

/// Why a packet isn't from somebody who knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthentic {
    /// The code has no rule, or another one: a reply where a request is wanted.
    Code,
    /// Two Message-Authenticators, or one of a wrong length.
    Malformed,
    /// Request or Response Authenticator is wrong: usually the secret.
    Authenticator,
    /// Message-Authenticator is wrong: usually the secret.
    MessageAuthenticator,
    /// Message-Authenticator is missing where the code always wants it.
    Missing,
}

impl From<Malformed> for Unauthentic {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

const ZEROS: [u8; 16] = [0; 16];

/// A shared secret with its HMAC state ready.
#[derive(Clone)]
pub struct Key {
    secret: Secret,
    hmac: Hmac<Md5>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Prepares a shared secret of any length.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { hmac: keyed(secret.expose()), secret }
    }

    /// The secret, for what is hidden with it.
    #[must_use]
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Checks a request by the rule of its code, in constant time. `Ok`: its Message-Authenticator's sixteen octets, where it carries one.
    pub fn check_request<'a>(&self, packet: &Packet<'a>) -> Result<Option<&'a [u8; 16]>, Unauthentic> {
        match Rule::of(packet.code()) {
            Some((Rule::Random, need)) => self.check_message_authenticator(packet, packet.authenticator(), need),
            Some((Rule::Digest, need)) => {
                self.check_digest(packet, &ZEROS)?;
                self.check_message_authenticator(packet, &ZEROS, need)
            }
            Some((Rule::Reply, _)) | None => Err(Unauthentic::Code),
        }
    }

    /// Checks a reply by the rule of its code, given the Request Authenticator of what it answers, in constant time. `Ok`: as for a request.
    pub fn check_reply<'a>(
        &self,
        reply: &Packet<'a>,
        request_authenticator: &[u8; 16],
    ) -> Result<Option<&'a [u8; 16]>, Unauthentic> {
        let Some((Rule::Reply, need)) = Rule::of(reply.code()) else { return Err(Unauthentic::Code) };
        self.check_digest(reply, request_authenticator)?;
        self.check_message_authenticator(reply, request_authenticator, need)
    }

    fn check_digest(&self, packet: &Packet<'_>, field: &[u8; 16]) -> Result<(), Unauthentic> {
        let right = self.digest(packet.octets(), field).ct_eq(packet.authenticator());
        if right.into() { Ok(()) } else { Err(Unauthentic::Authenticator) }
    }

    fn check_message_authenticator<'a>(
        &self,
        packet: &Packet<'a>,
        field: &[u8; 16],
        need: Need,
    ) -> Result<Option<&'a [u8; 16]>, Unauthentic> {
        let Some(at) = packet.message_authenticator_at()? else {
            return if need == Need::Always { Err(Unauthentic::Missing) } else { Ok(None) };
        };
        let found = packet.octets().get(at..).and_then(|octets| octets.first_chunk()).ok_or(Unauthentic::Malformed)?;
        let right = self.message_authenticator(packet.octets(), field, at).ct_eq(found);
        if right.into() { Ok(Some(found)) } else { Err(Unauthentic::MessageAuthenticator) }
    }

    /// HMAC-MD5 over a packet, `field` standing for its Authenticator and zeros for the sixteen octets at `at`: the parts are hashed where they lie.
    pub(super) fn message_authenticator(&self, octets: &[u8], field: &[u8; 16], at: usize) -> [u8; 16] {
        let mut hmac = self.hmac.clone();
        hmac.update(octets.get(..4).unwrap_or_default());
        hmac.update(field);
        hmac.update(octets.get(HEADER..at).unwrap_or_default());
        hmac.update(&ZEROS);
        hmac.update(octets.get(at + ZEROS.len()..).unwrap_or_default());
        hmac.finalize().into_bytes().into()
    }

    /// MD5 over a packet, `field` standing for its Authenticator, and the secret.
    pub(super) fn digest(&self, octets: &[u8], field: &[u8; 16]) -> [u8; 16] {
        Md5::new()
            .chain_update(octets.get(..4).unwrap_or_default())
            .chain_update(field)
            .chain_update(octets.get(HEADER..).unwrap_or_default())
            .chain_update(self.secret.expose())
            .finalize()
            .into()
    }
}

/// HMAC-MD5 under a key of any length (RFC 2104 section 2: a longer one than a block is hashed first).
fn keyed(secret: &[u8]) -> Hmac<Md5> {
    let mut block = Zeroizing::new([0; 64]);
    let hashed;
    let key = if secret.len() > block.len() {
        hashed = Zeroizing::new(<[u8; 16]>::from(Md5::digest(secret)));
        hashed.as_slice()
    } else {
        secret
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::new((&*block).into())
}
