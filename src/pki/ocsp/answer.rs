//! One answer of a responder: verified once, its dates judged whenever it is consulted.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::super::revocation::SKEW;
use super::super::serials::{CERTIFICATE_HOLD, Entry};
use super::super::trust::Trust;
use super::Question;
use super::issuer::{Issuer, nonce_value};
use super::refusal::{BadOcsp, Refusal};
use super::response::{Response, Single, Status};
use super::signer::{Delegate, Validity, signer};
use crate::event::{OcspName, OcspStatus};
use crate::now::Wall;

/// How far ahead of thisUpdate a nextUpdate counts. Some responders promise decades; refusing them would lock out everybody whom they answer for, but
/// whoever holds back newer answers mustn't live on an old one for ever.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A verified answer about one certificate.
#[derive(Debug)]
pub struct OcspAnswer {
    /// What it answers.
    pub question: Question,
    name: OcspName,
    /// Since when and why it is revoked, if it is.
    pub(super) entry: Option<Entry>,
    /// Who has signed it, unless the CA itself.
    pub(super) delegate: Option<Delegate>,
}

/// Where octets come from, and so what they must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A responder has just sent them: they must be of today. `nonce`: what was sent, if it was; it must come back (RFC 9654).
    Fetched {
        /// The nonce of the request.
        nonce: Option<&'a [u8]>,
    },
    /// Our own disk has kept them. They may be past nextUpdate and their signer's certificate may have ended, since that is judged whenever they are consulted; "revoked" counts for ever.
    Kept,
}

impl OcspAnswer {
    /// Reads an OCSPResponse (DER) to `question`, and believes nothing that isn't signed by the issuer or by a delegate of it.
    ///
    /// `source`: the responder's address.
    ///
    /// # Errors
    /// [`BadOcsp`]: it is no answer.
    pub fn load(
        octets: &[u8],
        question: &Question,
        source: &Arc<str>,
        origin: Origin<'_>,
        trust: &Trust,
        now: Wall,
    ) -> Result<Self, BadOcsp> {
        let unknown = || Refusal::UnknownIssuer.because("the certificate's issuer is none of the configured CAs");
        let issuer = trust.ca(&question.issuer).ok_or_else(unknown)?;
        Self::of(octets, question, issuer.into(), source, origin, now)
    }

    /// The same, whoever the issuer is.
    pub(super) fn of(
        octets: &[u8],
        question: &Question,
        issuer: Issuer<'_>,
        source: &Arc<str>,
        origin: Origin<'_>,
        now: Wall,
    ) -> Result<Self, BadOcsp> {
        let response = Response::read(octets)?;
        let delegate = signer(&response, issuer, origin.validity(now))?;
        origin.check_nonce(&response)?;
        let single = worst(&response, &issuer, &question.serial)?;
        let next_update = check_dates(&response, single, origin, now)?;
        let (status, entry) = match single.status {
            Status::Good => (OcspStatus::Good, None),
            Status::Unknown => (OcspStatus::Unknown, None),
            Status::Revoked(entry) => (OcspStatus::Revoked, Some(entry)),
        };
        let name = OcspName {
            authority: Arc::clone(&question.authority),
            source: Arc::clone(source),
            status,
            this_update: single.this_update,
            next_update,
        };
        Ok(Self { question: question.clone(), name, entry, delegate })
    }

    /// What it says, who said so and when. A nextUpdate more than a year after thisUpdate is cut to that.
    #[must_use]
    pub fn name(&self) -> &OcspName {
        &self.name
    }

    /// Until when somebody who verifies it believes it: its nextUpdate, or the end of its signer's certificate.
    #[must_use]
    pub fn end(&self) -> Wall {
        let signer = self.delegate.as_ref().map_or(self.name.next_update, |delegate| delegate.link.not_after);
        signer.min(self.name.next_update)
    }

    /// Whether it says that the certificate is revoked, or on hold.
    #[must_use]
    pub fn revokes(&self) -> bool {
        self.entry.is_some()
    }

    /// Since when and why it is revoked.
    #[cfg(test)]
    pub(crate) fn entry(&self) -> Option<(Wall, Option<u8>)> {
        self.entry.map(|entry| (entry.at, entry.reason))
    }

    /// Whether it says that the certificate is revoked for good: only a hold ever ends (RFC 5280 section 5.3.1).
    pub(super) fn revokes_for_good(&self) -> bool {
        self.entry.is_some_and(|entry| entry.reason != Some(CERTIFICATE_HOLD))
    }
}

impl Origin<'_> {
    fn validity(self, now: Wall) -> Validity {
        match self {
            Self::Fetched { .. } => Validity::At(now),
            Self::Kept => Validity::WhenSigned,
        }
    }

    fn check_nonce(self, response: &Response<'_>) -> Result<(), BadOcsp> {
        let Self::Fetched { nonce: Some(nonce) } = self else { return Ok(()) };
        match response.nonce {
            Some(found) if *found == *nonce_value(nonce) => Ok(()),
            Some(_) => Err(Refusal::OtherNonce.because(
                "its nonce isn't the one that was sent: it answers another request; a responder that never repeats nonces needs `ocsp-nonce = false`",
            )),
            None => Err(Refusal::NoNonce.because(
                "it has no nonce, so it may be an old one replayed; a responder that hands out answers made ahead needs `ocsp-nonce = false`",
            )),
        }
    }
}

/// What a response says of the certificate; where it says several things, the worst.
fn worst<'r, 'a>(response: &'r Response<'a>, issuer: &Issuer<'_>, serial: &[u8]) -> Result<&'r Single<'a>, BadOcsp> {
    let is_ours = |single: &&Single<'_>| single.id.serial.as_deref() == Some(serial) && issuer.is_named_in(&single.id);
    let severity = |single: &&Single<'_>| match single.status {
        Status::Good => 0,
        Status::Unknown => 1,
        Status::Revoked(Entry { reason: Some(CERTIFICATE_HOLD), .. }) => 2,
        Status::Revoked(_) => 3,
    };
    let ours = response.singles.iter().filter(is_ours);
    ours.max_by_key(|single| (severity(single), Reverse(single.next_update)))
        .ok_or_else(|| Refusal::OtherCertificate.because("it says nothing of the certificate that was asked about"))
}

/// RFC 6960 section 3.2 (5) and (6); until when it counts.
fn check_dates(response: &Response<'_>, single: &Single<'_>, origin: Origin<'_>, now: Wall) -> Result<Wall, BadOcsp> {
    let Some(next_update) = single.next_update else {
        return Err(Refusal::NoNextUpdate
            .because("it has no nextUpdate, so it may be as old as it likes (openssl ocsp: -nmin or -ndays)"));
    };
    let counts_for_ever = origin == Origin::Kept && matches!(single.status, Status::Revoked(_));
    if !counts_for_ever && single.this_update.max(response.produced_at) > now + SKEW {
        return Err(Refusal::Future
            .because("its thisUpdate or producedAt lies ahead: the responder's clock, or ours, is wrong"));
    }
    if next_update < single.this_update {
        return Err(Refusal::Stale.because("its nextUpdate is before its thisUpdate"));
    }
    if next_update < now && origin != Origin::Kept {
        return Err(Refusal::Stale.because("it is past its nextUpdate"));
    }
    Ok(next_update.min(single.this_update + LONGEST))
}
