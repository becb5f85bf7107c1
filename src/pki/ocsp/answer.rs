//! One answer of a responder: verified once, its dates judged whenever it is consulted.

use std::sync::Arc;

use super::super::trust::Trust;
use super::Question;
use crate::event::{OcspName, OcspStatus};
use crate::now::Wall;

/// A verified answer about one certificate.
#[derive(Debug)]
pub struct OcspAnswer {
    /// What it answers.
    pub question: Question,
    name: OcspName,
}

/// Why a responder's octets are no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOcsp {
    /// For the label `result` of a metric: one of a closed list.
    pub label: &'static str,
    /// What is wrong, for an administrator.
    pub text: String,
}

impl OcspAnswer {
    /// Reads an OCSPResponse (DER) to `question`, and believes nothing that isn't signed by the issuer or by a delegate of it.
    ///
    /// `source`: the responder's address. `nonce`: what was sent; it must come back. `None`: none was sent, or the answer comes from our own disk.
    ///
    /// # Errors
    /// [`BadOcsp`]: it is no answer.
    pub fn load(
        _octets: &[u8],
        _question: &Question,
        _source: &Arc<str>,
        _nonce: Option<&[u8]>,
        _trust: &Trust,
        _now: Wall,
    ) -> Result<Self, BadOcsp> {
        Err(BadOcsp { label: "rejected", text: "not an OCSP answer".to_owned() })
    }

    /// What it says, who said so and when.
    #[must_use]
    pub fn name(&self) -> &OcspName {
        &self.name
    }

    /// Whether it says that the certificate is revoked.
    #[must_use]
    pub fn revokes(&self) -> bool {
        self.name.status == OcspStatus::Revoked
    }
}
