//! Why octets are no answer.

use super::super::der::BadDer;

/// Why a responder's octets are no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOcsp {
    /// For the label `result` of a metric: one of [`BadOcsp::LABELS`].
    pub label: &'static str,
    /// What is wrong, for an administrator.
    pub text: String,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)+) => {
        /// What may be wrong with a response.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Refusal {
            $($(#[$doc])* $name,)+
        }

        impl BadOcsp {
            /// Every label that there is.
            pub const LABELS: &'static [&'static str] = &[$($label),+];
        }

        impl Refusal {
            fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }
        }
    };
}

refusals! {
    /// Not an OCSPResponse in DER: a page of HTML, or a response with a field that isn't as it must be.
    Malformed = "malformed",
    /// More octets, answers, certificates or extensions than anybody needs.
    TooLarge = "too-large",
    /// responseStatus malformedRequest (RFC 6960 section 4.2.1).
    MalformedRequest = "malformed-request",
    /// responseStatus internalError.
    InternalError = "internal-error",
    /// responseStatus tryLater.
    TryLater = "try-later",
    /// responseStatus sigRequired.
    SignatureRequired = "signature-required",
    /// responseStatus unauthorized.
    Unauthorized = "unauthorized",
    /// A responseType other than id-pkix-ocsp-basic, another version, a responseStatus that RFC 6960 doesn't have.
    Unsupported = "unsupported",
    /// A critical extension that isn't known.
    Critical = "critical-extension",
    /// Whoever signed it may not (RFC 6960 section 4.2.2.2).
    Signer = "signer",
    /// Its signature is wrong, or of an algorithm that isn't accepted.
    Signature = "signature",
    /// A nonce was sent, and none came back.
    NoNonce = "no-nonce",
    /// A nonce was sent, and another came back.
    OtherNonce = "other-nonce",
    /// It is about others than the certificate in question.
    OtherCertificate = "other-certificate",
    /// It says nothing of when there will be a newer one.
    NoNextUpdate = "no-next-update",
    /// It is past its nextUpdate.
    Stale = "stale",
    /// It is from the future.
    Future = "future",
    /// The certificate's issuer is none of the configured CAs.
    UnknownIssuer = "unknown-issuer",
}

impl Refusal {
    /// With a sentence for an administrator.
    pub(super) fn because(self, text: impl Into<String>) -> BadOcsp {
        BadOcsp { label: self.label(), text: text.into() }
    }
}

impl From<BadDer> for BadOcsp {
    fn from(BadDer: BadDer) -> Self {
        Refusal::Malformed.because("it isn't an OCSP response in DER")
    }
}
