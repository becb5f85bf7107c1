//! What became of one packet: one [`Event`], of which metrics, log and history are renderings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::now::{Now, Wall};

/// Writes an enum whose every variant has one fixed name for metrics, log and API.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[cfg_attr(feature = "daemon", derive(serde::Serialize, serde::Deserialize))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* #[cfg_attr(feature = "daemon", serde(rename = $text))] $variant,)+ }

        impl $name {
            /// Every value there is, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The fixed name, as metrics, log and API write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// What was done with a packet.
    Outcome {
        /// Access-Accept, or the answer to Status-Server.
        Accept = "accept",
        /// Access-Reject.
        Reject = "reject",
        /// Access-Challenge: the conversation goes on.
        Challenge = "challenge",
        /// Sent on to another server.
        Forward = "forward",
        /// No answer.
        Drop = "drop",
    }
}

named! {
    /// Why.
    Reason {
        /// Nothing stands against it.
        Ok = "ok",
        /// Nothing but the age of the revocation data, which the authority's `grace` still allows.
        OkGrace = "ok-grace",
        /// No service matches, or none that this NAS may ask for.
        NoService = "no-service",
        /// The NAS may not use this way to log in.
        MethodNotAllowed = "method-not-allowed",
        /// The packet came from an address that is no NAS of ours.
        UnknownNas = "unknown-nas",
        /// Message-Authenticator or Request Authenticator is wrong.
        BadAuthenticator = "bad-authenticator",
        /// Message-Authenticator is required and absent.
        MissingAuthenticator = "missing-authenticator",
        /// A repeat.
        Duplicate = "duplicate",
        /// Not a packet of RADIUS or EAP.
        Malformed = "malformed",
        /// More work than can be done in time; a bound is reached.
        Overload = "overload",
        /// State names no conversation that is alive.
        ConversationExpired = "conversation-expired",
        /// Round after round without progress.
        TooManyRounds = "too-many-rounds",
        /// The outer identity's realm isn't one of the service.
        RealmNotOurs = "realm-not-ours",
        /// The outer identity is no network access identifier (RFC 7542).
        BadIdentity = "bad-identity",
        /// The supplicant wants no EAP-TLS.
        EapNak = "eap-nak",
        /// The supplicant sent no certificate.
        NoCertificate = "no-certificate",
        /// No path to an authority of the service.
        UntrustedIssuer = "untrusted-issuer",
        /// Of a shared authority, but another organisation's.
        WrongOrganisation = "wrong-organisation",
        /// Before notBefore.
        NotYetValid = "not-yet-valid",
        /// After notAfter.
        Expired = "expired",
        /// Not made for network login.
        WrongPurpose = "wrong-purpose",
        /// The certificate names more than one user.
        IdentityAmbiguous = "identity-ambiguous",
        /// Revoked by its authority.
        Revoked = "revoked",
        /// Blocked here.
        Blocked = "blocked",
        /// The person is blocked here.
        UserBlocked = "user-blocked",
        /// The authority, or the part of its certificates this one belongs to, is no longer trusted.
        DistrustedAuthority = "distrusted-authority",
        /// Nothing says whether it is revoked.
        RevocationUnknown = "revocation-unknown",
        /// What says whether it is revoked is too old.
        RevocationStale = "revocation-stale",
        /// The client has not proved that it holds the key.
        BadSignature = "bad-signature",
        /// The supplicant ended the handshake with an alert.
        ClientAlert = "client-alert",
        /// The handshake failed.
        TlsFailure = "tls-failure",
        /// A rule refuses.
        Policy = "policy",
        /// The user has no good certificate.
        NoGoodCertificate = "no-good-certificate",
        /// Wrong password.
        PasswordWrong = "password-wrong",
        /// Wrong one-time password.
        OtpWrong = "otp-wrong",
        /// Too many one-time passwords tried.
        OtpThrottled = "otp-throttled",
        /// The request has been here before.
        ProxyLoop = "proxy-loop",
        /// No home server answers.
        HomeServerDown = "home-server-down",
        /// The home server refused.
        HomeServerReject = "home-server-reject",
        /// Refused again without looking: it tries too often.
        Damped = "damped",
        /// A fault of ours.
        Internal = "internal",
    }
}

named! {
    /// How the client logs in.
    #[derive(Default)]
    Method {
        /// EAP-TLS.
        EapTls = "eap-tls",
        /// The NAS checked the certificate and asks by name.
        Authorize = "authorize",
        /// A one-time password.
        Otp = "otp",
        /// None of these.
        #[default]
        None = "none",
    }
}

named! {
    /// The TLS version of a handshake.
    TlsVersion {
        /// TLS 1.2.
        Tls12 = "1.2",
        /// TLS 1.3.
        Tls13 = "1.3",
    }
}

named! {
    /// A door that packets come through.
    Listener {
        /// Authentication over UDP.
        Auth = "auth",
        /// Accounting over UDP.
        Accounting = "accounting",
        /// RADIUS over TLS.
        Radsec = "radsec",
    }
}

named! {
    /// The code of a request, as a metric's label.
    RequestCode {
        /// Access-Request.
        AccessRequest = "access-request",
        /// Accounting-Request.
        AccountingRequest = "accounting-request",
        /// Status-Server.
        StatusServer = "status-server",
        /// Any other, or unreadable.
        Other = "other",
    }
}

named! {
    /// What a request's Message-Authenticator was like.
    MessageAuthenticator {
        /// There, and right.
        Present = "present",
        /// Not there.
        Absent = "absent",
        /// There, and wrong.
        Bad = "bad",
    }
}

named! {
    /// What an OCSP answer says of a certificate (RFC 6960 section 2.2).
    OcspStatus {
        /// Not revoked.
        Good = "good",
        /// Revoked, or on hold.
        Revoked = "revoked",
        /// The responder doesn't know it.
        Unknown = "unknown",
    }
}

/// What became of one packet, or of a conversation whose supplicant fell silent.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it was decided.
    pub at: Now,
    /// Where the packet came in.
    pub listener: Listener,
    /// Who sent it, by address.
    pub peer: SocketAddr,
    /// What it was; `None`: there was no packet, but a conversation's time was up.
    pub code: Option<RequestCode>,
    /// Name of the NAS in the configuration; `None`: not one of ours.
    pub nas: Option<Arc<str>>,
    /// Its Message-Authenticator; `None`: it was not looked at.
    pub message_authenticator: Option<MessageAuthenticator>,
    /// What was done.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// At the end of a conversation, or where a request was decided at once: who, where, by which evidence.
    pub authentication: Option<Box<Authentication>>,
}

/// Who was let in or refused. Texts are as they came and may hold control characters: who renders them escapes them.
#[derive(Clone, Debug, Default)]
pub struct Authentication {
    /// The service asked for; `None`: none matched.
    pub service: Option<Arc<str>>,
    /// How.
    pub method: Method,
    /// The user by the certificate's own names; never the outer identity.
    pub user: Option<Arc<str>>,
    /// What the supplicant called itself outside of TLS.
    pub outer_identity: Option<String>,
    /// The client's certificate, where one was seen and its key proved.
    pub certificate: Option<CertificateName>,
    /// Calling-Station-Id in its normal form, twelve lower-case hex digits with colons; else as it came.
    pub mac: Option<String>,
    /// The SSID asked for.
    pub ssid: Option<String>,
    /// TLS version, once there is one.
    pub tls: Option<TlsVersion>,
    /// Whether the handshake was abbreviated.
    pub resumed: bool,
    /// From the first request of the conversation to here.
    pub duration: Duration,
    /// Requests of the conversation, this one included.
    pub rounds: u32,
    /// What the decision rests on.
    pub evidence: Vec<Evidence>,
}

/// What a certificate is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateName {
    /// SHA-256 of the DER.
    pub fingerprint: [u8; 32],
    /// Name of its authority in the configuration; `None`: of none.
    pub authority: Option<Arc<str>>,
    /// Serial number, big-endian octets as in the DER without a leading zero.
    pub serial: Vec<u8>,
    /// The subject in RFC 4514's text form.
    pub subject: String,
    /// notAfter.
    pub not_after: Wall,
}

/// One fact that a decision rests on. Explanations are written from these.
#[cfg_attr(feature = "daemon", derive(serde::Serialize, serde::Deserialize))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The certificate's dates.
    Validity {
        /// notBefore
        not_before: Wall,
        /// notAfter
        not_after: Wall,
    },
    /// Who issued the certificate, in RFC 4514's text form, when it is nobody we trust.
    Issuer(String),
    /// What a path lacked, in words (English), when none was found although the issuer is known.
    Path(String),
    /// An attribute of the subject is not as the authority's `subject` wants it.
    Organisation {
        /// Short name of the attribute: `O`, `C`.
        attribute: String,
        /// What the configuration wants.
        wanted: String,
        /// What the certificate has; `None`: nothing.
        found: Option<String>,
    },
    /// The extended key usages found, by name or dotted OID; `None`: the extension is absent.
    Purposes(Option<Vec<String>>),
    /// A policy OID that is required and absent, or present and refused.
    CertificatePolicy {
        /// Dotted OID.
        oid: String,
        /// True: required, absent. False: refused, present.
        required: bool,
    },
    /// A CRL that was consulted.
    Crl(CrlName),
    /// No CRL of this issuer (RFC 4514 text) is known.
    NoCrl(String),
    /// An OCSP answer that was consulted.
    Ocsp(OcspName),
    /// No OCSP answer about a certificate of this issuer (RFC 4514 text) is known.
    NoOcsp(String),
    /// What revoked it doesn't say so any more: an entry that disappeared. It stays revoked.
    Vanished {
        /// Who said so: path or address.
        source: Arc<str>,
        /// Since when it says so no more.
        since: Wall,
    },
    /// The CRL's entry.
    Revoked {
        /// revocationDate
        at: Wall,
        /// CRLReason's name in RFC 5280: `keyCompromise`.
        #[cfg_attr(feature = "daemon", serde(deserialize_with = "crl_reason"))]
        reason: Option<CrlReason>,
        /// Whether an intermediate is revoked, not the certificate itself.
        intermediate: bool,
    },
    /// Blocked here, the certificate or its owner as the reason says.
    Blocked {
        /// Since when.
        since: Wall,
        /// Until when; `None`: until it is lifted.
        until: Option<Wall>,
        /// Why, as whoever did it has said.
        reason: Arc<str>,
        /// Who did it: name of an API token.
        by: Arc<str>,
    },
    /// The authority is distrusted from here on; ahead where the certificate was let in.
    Distrust {
        /// `distrust.from`
        from: Wall,
    },
    /// The names that would each be the user.
    Names(Vec<String>),
    /// The names of which the outer identity must be one, since the NAS knows the session by it.
    Outer(Vec<String>),
    /// A realm that is not of the service.
    Realm(String),
    /// A TLS alert that the client sent, by its number.
    ClientAlert(u8),
    /// What TLS or EAP did not like, in words (English).
    Protocol(String),
    /// EAP methods that the supplicant asked for instead, by number.
    NakWants(Vec<u8>),
    /// The rule (from 1) of the service that refuses.
    Rule(usize),
    /// The rule (from 1) of the service that wants a one-time password, where nobody can be asked for one.
    RuleWantsCode(usize),
    /// Groups that the user is in.
    Groups(Vec<Arc<str>>),
    /// The method that was asked for and isn't allowed.
    Method(Method),
    /// The user, by this name, has no secret to make one-time passwords of.
    NotEnrolled(Arc<str>),
    /// No seal-key that is configured opens the user's secret.
    NoSealKey,
    /// The registry could not be asked, or not in time.
    RegistrySilent,
}

/// Which CRL, and how old it is.
#[cfg_attr(feature = "daemon", derive(serde::Serialize, serde::Deserialize))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlName {
    /// Name of the authority in the configuration.
    pub authority: Arc<str>,
    /// Where it came from: path or address.
    pub source: Arc<str>,
    /// cRLNumber as a decimal or 0x-hex text.
    pub number: Option<String>,
    /// thisUpdate
    pub this_update: Wall,
    /// nextUpdate
    pub next_update: Option<Wall>,
}

/// Which OCSP answer, and how old it is.
#[cfg_attr(feature = "daemon", derive(serde::Serialize, serde::Deserialize))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspName {
    /// Name of the authority in the configuration.
    pub authority: Arc<str>,
    /// The responder's address.
    pub source: Arc<str>,
    /// What it says.
    pub status: OcspStatus,
    /// thisUpdate
    pub this_update: Wall,
    /// nextUpdate
    pub next_update: Wall,
}

/// A name out of [`CRL_REASONS`].
pub type CrlReason = &'static str;

/// CRLReason (RFC 5280 section 5.3.1) by its names.
pub const CRL_REASONS: [&str; 10] = [
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "removeFromCRL",
    "privilegeWithdrawn",
    "aACompromise",
];

#[cfg(feature = "daemon")]
fn crl_reason<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<&'static str>, D::Error> {
    let name: Option<String> = serde::Deserialize::deserialize(reader)?;
    Ok(name.and_then(|name| CRL_REASONS.into_iter().find(|known| *known == name)))
}
