//! Who may speak for a CA (RFC 6960 section 4.2.2.2): itself, or whom it has issued a certificate for that.

use super::super::certificate::Certificate;
use super::super::facts::Link;
use super::super::name;
use super::super::revocation::SKEW;
use super::super::signature::{BadSignature, Signed};
use super::issuer::Issuer;
use super::refusal::{BadOcsp, Refusal};
use super::response::Response;
use crate::now::Wall;

/// id-kp-OCSPSigning
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// Whom a CA has charged with its answers. Whether it still may is judged whenever an answer of it is consulted.
#[derive(Debug)]
pub(super) struct Delegate {
    pub(super) link: Link,
    /// Whether a CRL must say that its certificate isn't revoked: it tells where its revocation data is, and doesn't say that nobody need look (RFC 6960 section 4.2.2.2.1).
    pub(super) must_be_covered: bool,
}

/// When the delegate must have been valid.
#[derive(Clone, Copy, Debug)]
pub(super) enum Validity {
    /// At this moment.
    At(Wall),
    /// When it signed: it may have ended since.
    WhenSigned,
}

/// Checks who has signed a response about certificates of `issuer`, and the signature. `None`: the CA itself.
pub(super) fn signer(
    response: &Response<'_>,
    issuer: Issuer<'_>,
    validity: Validity,
) -> Result<Option<Delegate>, BadOcsp> {
    let mut refusal = Refusal::Signer
        .because(format!("its signer is neither {} nor one of the certificates that it brings", issuer.text));
    if response.responder.is(issuer.name, issuer.spki) {
        match verify(&response.signed, issuer.spki) {
            Ok(()) => return Ok(None),
            Err(found) => refusal = found,
        }
    }
    for der in &response.certificates {
        let Ok(certificate) = Certificate::read(der) else { continue };
        let is_issuer = certificate.key.raw == issuer.spki;
        if is_issuer || !response.responder.is(certificate.subject.as_raw(), certificate.key.raw) {
            continue;
        }
        match delegate(&certificate, response, issuer, validity) {
            Ok(delegate) => return Ok(Some(delegate)),
            Err(found) => refusal = found,
        }
    }
    Err(refusal)
}

fn delegate(
    certificate: &Certificate<'_>,
    response: &Response<'_>,
    issuer: Issuer<'_>,
    validity: Validity,
) -> Result<Delegate, BadOcsp> {
    let text = name::shown(&certificate.subject);
    check_delegate(certificate, issuer)
        .and_then(|()| check_dates(certificate, response, validity))
        .map_err(|what| Refusal::Signer.because(format!("its signer {text} {what}")))?;
    verify(&response.signed, certificate.key.raw)?;
    let must_be_covered = certificate.has_sources && !certificate.no_check;
    Ok(Delegate { link: certificate.link(issuer.id), must_be_covered })
}

fn check_delegate(certificate: &Certificate<'_>, issuer: Issuer<'_>) -> Result<(), &'static str> {
    if certificate.issuer.as_raw() != issuer.name {
        return Err("is a delegate of another CA");
    }
    match certificate.signed.verify(issuer.spki) {
        Err(BadSignature::Wrong) => return Err("isn't issued with the CA's key"),
        Err(BadSignature::Weak) => return Err("has a certificate whose signature's algorithm isn't accepted"),
        Ok(()) => {}
    }
    let may_sign = |purposes: &Vec<String>| purposes.iter().any(|purpose| purpose == OCSP_SIGNING);
    if !certificate.purposes.as_ref().is_some_and(may_sign) {
        return Err("may not sign OCSP responses: extendedKeyUsage lacks OCSPSigning");
    }
    if certificate.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return Err("may not sign OCSP responses: keyUsage lacks digitalSignature");
    }
    if certificate.is_ca {
        return Err("is a CA, and not the one that issued the certificate");
    }
    if certificate.unknown_critical.is_some() || certificate.has_name_constraints {
        return Err("has a critical extension that isn't known");
    }
    if !certificate.key_is_strong() {
        return Err("has a key that isn't accepted");
    }
    Ok(())
}

fn check_dates(certificate: &Certificate<'_>, response: &Response<'_>, validity: Validity) -> Result<(), &'static str> {
    match validity {
        Validity::At(now) if now > certificate.not_after => Err("has expired"),
        Validity::At(now) if now < certificate.not_before => Err("isn't valid yet"),
        Validity::WhenSigned if response.produced_at > certificate.not_after + SKEW => {
            Err("had expired when it signed")
        }
        Validity::At(_) | Validity::WhenSigned => Ok(()),
    }
}

fn verify(signed: &Signed<'_>, spki: &[u8]) -> Result<(), BadOcsp> {
    signed.verify(spki).map_err(|bad| {
        Refusal::Signature.because(match bad {
            BadSignature::Wrong => "its signature is wrong: it was changed, or made with another key",
            BadSignature::Weak => "its signature's algorithm isn't accepted",
        })
    })
}
