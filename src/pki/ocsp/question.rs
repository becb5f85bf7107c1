//! What is asked of a responder.

use std::sync::Arc;

use super::super::trust::Trust;
use super::issuer::Issuer;

/// A certificate of which somebody wants to know whether it is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Name of the authority in the configuration below which it is.
    pub authority: Arc<str>,
    /// Who has issued it, as in [`super::super::Link`].
    pub issuer: [u8; 32],
    /// Its serial, as in [`super::super::Link`].
    pub serial: Vec<u8>,
}

impl Question {
    /// The DER of an OCSPRequest for this one certificate (RFC 6960 section 4.1.1), its certID by SHA-1, which every responder knows (RFC 5019 section 2.1.1). `nonce`: what the answer must repeat, of 1 to 128 octets, better 32 (RFC 9654 section 2.1).
    /// `None`: its issuer is none of the CAs of `trust`.
    #[must_use]
    pub fn request(&self, trust: &Trust, nonce: Option<&[u8]>) -> Option<Vec<u8>> {
        Issuer::from(trust.ca(&self.issuer)?).request(&self.serial, nonce)
    }
}
