//! What a finished EAP-TLS handshake leaves behind.

use super::packet::TYPE_TLS;
use crate::secret::Secret;

/// Octets of the MSK, and of the EMSK.
const MSK: usize = 64;

/// What EAP-TLS derives (RFC 5216 section 2.3, RFC 9190 section 2.3).
#[derive(Clone, Debug)]
pub struct Keys {
    /// MSK, 64 octets.
    pub msk: Secret,
    /// Session-Id: type octet ‖ method id; EAP-Key-Name is this (RFC 5247 section 1.4, RFC 4072 section 4.1.4).
    pub session_id: Vec<u8>,
}

impl Keys {
    /// From what TLS exports: MSK ‖ EMSK and the Method-Id. `None` unless there are exactly 128 octets of keys.
    #[must_use]
    pub(crate) fn from_export(material: &Secret, method_id: &[u8]) -> Option<Self> {
        let (msk, emsk) = material.expose().split_at_checked(MSK)?;
        if emsk.len() != MSK {
            return None;
        }
        let session_id = [&[TYPE_TLS], method_id].concat();
        Some(Self { msk: Secret::new(msk), session_id })
    }
}
