//! The server's own certificate: what a responder says of it is stapled to its handshakes (RFC 6066 section 8).

use std::sync::Arc;

use super::super::certificate::Certificate;
use super::super::name;
use super::answer::Origin;
use super::issuer::Issuer;
use super::refusal::BadOcsp;
use super::{OcspAnswer, Question};
use crate::now::Wall;

/// A certificate that we show ourselves, and its issuer, who needn't be an authority.
#[derive(Clone, Debug)]
pub struct OwnCertificate {
    question: Question,
    issuer_name: Vec<u8>,
    issuer_spki: Vec<u8>,
    issuer_text: String,
}

impl OwnCertificate {
    /// Reads a chain (DER, the server's certificate first, then whoever has issued it). `name`: what the answers' authority is called.
    ///
    /// # Errors
    /// A sentence for an administrator: nobody could be asked about it, or no answer could be verified.
    pub fn read(chain: &[&[u8]], name: &Arc<str>) -> Result<Self, String> {
        let (leaf, others) = chain.split_first().ok_or("the chain is empty")?;
        let leaf = Certificate::read(leaf).map_err(|what| format!("the server's certificate: {what}"))?;
        let issuer = *others.first().ok_or(
            "the chain holds the server's certificate alone: without its issuer's, which belongs behind it, no OCSP answer could be verified",
        )?;
        let issuer = Certificate::read(issuer).map_err(|what| format!("the chain's second certificate: {what}"))?;
        if issuer.subject.as_raw() != leaf.issuer.as_raw() || leaf.signed.verify(issuer.key.raw).is_err() {
            return Err("the chain's second certificate isn't the issuer of the first".to_owned());
        }
        let question =
            Question { authority: Arc::clone(name), issuer: issuer.authority_id(), serial: leaf.serial.clone() };
        Ok(Self {
            question,
            issuer_name: issuer.subject.as_raw().to_vec(),
            issuer_spki: issuer.key.raw.to_vec(),
            issuer_text: name::shown(&issuer.subject),
        })
    }

    /// The responders that a certificate (DER) names (authorityInfoAccess with id-ad-ocsp), http and https only, whoever its issuer is; none where it can't be read.
    #[must_use]
    pub fn responders_in(certificate: &[u8]) -> Vec<String> {
        Certificate::read(certificate).map_or_else(|_| Vec::new(), |certificate| certificate.locations.ocsp)
    }

    /// As [`Question::request`].
    #[must_use]
    pub fn request(&self, nonce: Option<&[u8]>) -> Option<Vec<u8>> {
        self.issuer().request(&self.question.serial, nonce)
    }

    /// As [`OcspAnswer::load`]. Whether its delegate has been revoked is for the clients to judge.
    ///
    /// # Errors
    /// [`BadOcsp`]: it is no answer.
    pub fn load(&self, octets: &[u8], source: &Arc<str>, origin: Origin<'_>, now: Wall) -> Result<OcspAnswer, BadOcsp> {
        OcspAnswer::of(octets, &self.question, self.issuer(), source, origin, now)
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer { id: self.question.issuer, name: &self.issuer_name, spki: &self.issuer_spki, text: &self.issuer_text }
    }
}
