//! Route: hints → road. Decide: facts, verdict, standing, hints → [`Decision`]. It does no I/O, sees no packets and writes no attributes.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{Authentication, Evidence, Method, Reason};
use crate::now::Wall;
use crate::pki::{Facts, NoPath, SubjectRule, Verdict};
use crate::radius::Attributes;
use crate::standing::Standing;

/// What a request says about what is asked for, and by whom. Made from a packet by `access`.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Name of the NAS.
    pub nas: Arc<str>,
    /// What it may ask for; `None`: anything.
    pub allowed_services: Option<Vec<Arc<str>>>,
    /// `federation` of the NAS.
    pub federation: bool,
    /// The SSID, in whichever attribute it came.
    pub ssid: Option<String>,
    /// NAS-Port-Type's number (RFC 2865 section 5.41).
    pub nas_port_type: Option<u32>,
    /// NAS-Identifier
    pub nas_identifier: Option<String>,
    /// How the client wants to log in.
    pub method: Option<Method>,
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
}

/// `reply-username`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyUsername {
    /// The user's name by the certificate.
    Certificate,
    /// The outer identity, as the NAS knows it.
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

/// All services, prepared; immutable.
#[derive(Debug)]
pub struct Policy {
    _private: (),
}

/// A service that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceIndex(pub usize);

/// Whether an outer identity's realm is one of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// It is, or the service does not look.
    Ours,
    /// It is not.
    NotOurs,
}

impl Policy {
    /// Prepares the services.
    #[must_use]
    pub fn new(services: Vec<ServiceSettings>, usernames: Vec<UsernameRule>) -> Self {
        todo!()
    }

    /// The service that is asked for: one that the NAS may not ask for is skipped, the first that matches is it; with `federation` the one named "eduroam". `None`: reject, `no-service`.
    #[must_use]
    pub fn route(&self, hints: &Hints) -> Option<ServiceIndex> {
        todo!()
    }

    /// A service's settings. An index is only ever made by [`Policy::route`] or [`Policy::service_named`] of the same policy; another's is answered with `None`.
    #[must_use]
    pub fn service(&self, index: ServiceIndex) -> Option<&ServiceSettings> {
        todo!()
    }

    /// By name.
    #[must_use]
    pub fn service_named(&self, name: &str) -> Option<ServiceIndex> {
        todo!()
    }

    /// Whether the realm (lower case, `None`: there is none) is one of the service: exact without case, `.x` everything below x, "" none at all.
    #[must_use]
    pub fn realm(&self, service: ServiceIndex, realm: Option<&str>) -> Realm {
        todo!()
    }

    /// **The** decision. Whoever judges a client calls this, nobody else decides.
    /// `facts`: what pki made of the chain; `verdict`: judged at `now`.
    #[must_use]
    pub fn decide(
        &self,
        service: ServiceIndex,
        facts: &Facts,
        verdict: &Verdict,
        standing: &Standing,
        hints: &Hints,
        now: Wall,
    ) -> Decision {
        todo!()
    }
}

/// What was decided, why, and what it gives.
#[derive(Clone, Debug)]
pub struct Decision {
    /// `Ok` and `OkGrace` let in; every other refuses.
    pub reason: Reason,
    /// On what it rests.
    pub evidence: Vec<Evidence>,
    /// The user by the certificate.
    pub user: Option<Arc<str>>,
    /// Set where, and only where, it lets in.
    pub grant: Option<Grant>,
}

/// What somebody who is let in gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The user by the certificate.
    pub user: Arc<str>,
    /// VLAN by id or name.
    pub vlan: Option<String>,
    /// Filter-Id
    pub filter_id: Option<String>,
    /// Never beyond the end of the certificate or of its path.
    pub session_timeout: Duration,
    /// More for the Accept.
    pub attributes: Attributes,
}

impl Decision {
    /// Whether it lets in.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.grant.is_some()
    }

    /// The refusal of a chain without a path.
    #[must_use]
    pub fn no_path(refusal: NoPath) -> Self {
        Self { reason: refusal.reason, evidence: refusal.evidence, user: None, grant: None }
    }
}
