//! What the configuration says of services, and what a request says about what it asks for.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Method;
use crate::radius::Attributes;
use crate::radius::dictionary::Place;
use crate::secret::Secret;

/// What a request says about what is asked for, and by whom. Made from a packet by `access`.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Name of the NAS.
    pub nas: Arc<str>,
    /// What it may ask for; `None`: anything.
    pub allowed_services: Option<Vec<Arc<str>>>,
    /// `federation` of the NAS.
    pub federation: bool,
    /// The NAS is told by User-Name, beside others or alone, which session is to end.
    pub told_by_name: bool,
    /// The SSID, in whichever attribute it came.
    pub ssid: Option<String>,
    /// NAS-Port-Type's number (RFC 2865 section 5.41).
    pub nas_port_type: Option<u32>,
    /// NAS-Identifier
    pub nas_identifier: Option<String>,
    /// How the client wants to log in.
    pub method: Option<Method>,
    /// What the client calls itself before anybody knows who it is; `None`: nothing, or only by the name that was looked up.
    pub outer: Option<Arc<str>>,
}

/// `match` of a service: keys must all hold, of a list any, `nas-port-type` by number.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// `ssid`
    pub ssid: Option<Vec<String>>,
    /// `nas`
    pub nas: Option<Vec<Arc<str>>>,
    /// `nas-port-type`
    pub nas_port_type: Option<Vec<u32>>,
    /// `nas-identifier`
    pub nas_identifier: Option<Vec<String>>,
    /// `method`
    pub method: Option<Vec<Method>>,
}

/// `when` of a rule: keys must all hold, of a list any.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// `subject`: attribute → values.
    pub subject: Vec<(String, Vec<String>)>,
    /// `san`: globs (`*`, `?`) over all alternative names.
    pub san: Option<Vec<String>>,
    /// `authority`
    pub authority: Option<Vec<Arc<str>>>,
    /// `group`
    pub group: Option<Vec<Arc<str>>>,
    /// `nas`
    pub nas: Option<Vec<Arc<str>>>,
    /// `nas-port-type`
    pub nas_port_type: Option<Vec<u32>>,
    /// `policy-oid`
    pub policy_oid: Option<Vec<String>>,
    /// `method`
    pub method: Option<Vec<Method>>,
}

/// What a service or one of its rules grants. A later one replaces; attributes are added.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// `vlan`
    pub vlan: Option<String>,
    /// `filter-id`
    pub filter_id: Option<String>,
    /// `session-timeout`
    pub session_timeout: Option<Duration>,
    /// `attributes`, ready to be sent.
    pub attributes: Attributes,
}

/// One of `rules`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `when`
    pub when: When,
    /// What it grants.
    pub grants: Grants,
    /// `deny`
    pub deny: bool,
    /// `otp`: a one-time password is asked for on top of what is good enough for others.
    pub otp: bool,
}

/// What the password of a request says that asks for authorisation by name. Any other password is never such a request.
#[derive(Clone, Debug)]
pub enum AuthorizePassword {
    /// `common`: what stands in `password-file`.
    Common(Secret),
    /// `username`: the name itself.
    Username,
    /// `none`: there is none, or an empty one.
    None,
}

/// `authorize` of a service: the NAS has checked the certificate, and asks whether its owner may enter.
#[derive(Clone, Debug)]
pub struct Authorize {
    /// `name`: the part of the certificate that User-Name is.
    pub name: UsernameSource,
    /// `password`
    pub password: AuthorizePassword,
    /// `service-type` by its number (RFC 2865 section 5.6); `None`: whatever it is.
    pub service_type: Option<u32>,
    /// `certificate-attribute`: where the NAS sends the certificate's serial number or fingerprint; `None`: it doesn't.
    pub certificate: Option<Place>,
}

/// `otp.after` of a service: what a one-time password is the second factor to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtpAfter {
    /// `nas-password`: the NAS has checked a password.
    NasPassword,
    /// `certificate`: a good certificate of the user's, which the NAS has checked.
    Certificate,
}

/// `reply-username`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyUsername {
    /// The user's name by the certificate.
    Certificate,
    /// The outer identity, as the NAS knows it: one of the names that the certificate gives its user, else nobody is let in.
    Outer,
}

/// One `[[service]]`.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// `name`
    pub name: Arc<str>,
    /// `match`: any of these.
    pub matches: Vec<Match>,
    /// `authorities`
    pub authorities: Vec<Arc<str>>,
    /// `identity`: names in order; empty: all.
    pub identities: Vec<Arc<str>>,
    /// `realms`, lower case; `None`: not looked at.
    pub realms: Option<Vec<String>>,
    /// `reply-username`
    pub reply_username: ReplyUsername,
    /// What everybody gets.
    pub grants: Grants,
    /// `rules`
    pub rules: Vec<Rule>,
    /// `authorize`; `None`: nobody is let in by name.
    pub authorize: Option<Authorize>,
    /// `otp`; `None`: one-time passwords are no way in.
    pub otp: Option<OtpAfter>,
}

/// A part of a certificate that may name its user, of `username`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsernameSource {
    /// `san-email`
    SanEmail,
    /// `san-upn`
    SanUpn,
    /// `san-dns`
    SanDns,
    /// `san-uri`
    SanUri,
    /// `cn`
    Cn,
}

/// `username` and `username-form` of an authority.
#[derive(Clone, Debug)]
pub struct UsernameRule {
    /// The authority.
    pub authority: Arc<str>,
    /// The first that is there names the user; two values in one: ambiguous.
    pub sources: Vec<UsernameSource>,
    /// `lowercase`
    pub lowercase: bool,
    /// `strip-realm`
    pub strip_realm: bool,
}
