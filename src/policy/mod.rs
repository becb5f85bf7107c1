//! Route: hints → road. Decide: facts, verdict, standing, hints → [`Decision`]. It does no I/O, sees no packets and writes no attributes.

mod decision;
mod federation;
mod glob;
mod live;
mod person;
mod route;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod username;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use decision::{Decision, Grant};
pub use live::Online;
pub use settings::{
    Authorize, AuthorizePassword, Grants, Hints, Match, OtpAfter, ReplyUsername, Rule, ServiceSettings, UsernameRule,
    UsernameSource, When,
};
pub use username::{is_anonymous, is_hidden};

use crate::event::{Evidence, Method, Reason};
use crate::now::Wall;
use crate::pki::{Facts, Verdict};
use crate::standing::{Block, Blocks, Standing};

/// The service that a federation NAS always asks for.
const FEDERATION_SERVICE: &str = "eduroam";

/// How long a session lasts where neither the service nor a rule says: a working day. Without any, an access point would never ask again and a revocation never be noticed there.
pub const DEFAULT_SESSION_TIMEOUT: Duration = Duration::from_secs(8 * 60 * 60);

/// All services, prepared; immutable.
#[derive(Debug)]
pub struct Policy {
    services: Vec<ServiceSettings>,
    usernames: HashMap<Arc<str>, UsernameRule>,
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
    /// Prepares the services. An authority that `usernames` does not list is read by [`UsernameRule::new`].
    #[must_use]
    pub fn new(services: Vec<ServiceSettings>, usernames: Vec<UsernameRule>) -> Self {
        let usernames = usernames.into_iter().map(|rule| (rule.authority.clone(), rule)).collect();
        Self { services, usernames }
    }

    /// The service that is asked for: one that the NAS may not ask for is skipped, the first that matches is it; with `federation` the one named "eduroam". `None`: reject, `no-service`.
    #[must_use]
    pub fn route(&self, hints: &Hints) -> Option<ServiceIndex> {
        self.services
            .iter()
            .position(|service| hints.may_ask_for(&service.name) && service.is_asked_for(hints))
            .map(ServiceIndex)
    }

    /// A service's settings. An index is only ever made by [`Policy::route`] or [`Policy::service_named`] of the same policy; another's is answered with `None`.
    #[must_use]
    pub fn service(&self, index: ServiceIndex) -> Option<&ServiceSettings> {
        self.services.get(index.0)
    }

    /// All services, in the order of the configuration.
    pub fn services(&self) -> impl Iterator<Item = (ServiceIndex, &ServiceSettings)> {
        self.services.iter().enumerate().map(|(index, service)| (ServiceIndex(index), service))
    }

    /// By name.
    #[must_use]
    pub fn service_named(&self, name: &str) -> Option<ServiceIndex> {
        self.services.iter().position(|service| &*service.name == name).map(ServiceIndex)
    }

    /// Whether the realm (lower case, `None`: there is none) is one of the service: exact without case, `.x` everything below x, "" none at all.
    #[must_use]
    pub fn realm(&self, service: ServiceIndex, realm: Option<&str>) -> Realm {
        match self.service(service) {
            Some(service) if service.takes_realm(realm) => Realm::Ours,
            _ => Realm::NotOurs,
        }
    }

    /// **The** decision. Whoever judges a client calls this, nobody else decides.
    /// `facts`: what pki made of the chain; `verdict`: judged at `now`.
    ///
    /// The first that stands against it is the reason: the service's `authorities`, what makes it no certificate of ours or a revoked one, our blocks, the rest of the verdict, the user's name, the name that he goes by, the rules.
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
        let Some(service) = self.service(service) else {
            return Decision::refuse(Reason::Internal, Vec::new(), None);
        };
        let user = match self.admit(&service.authorities, facts, verdict, standing, now) {
            Ok(user) => user,
            Err(refusal) => return *refusal,
        };
        if let Some(names) = self.goes_by_another(service, facts, hints) {
            return Decision::refuse(Reason::BadIdentity, vec![Evidence::Outer(names)], Some(user));
        }
        let lasts = now.until(facts.path_not_after);
        let basis =
            Basis { facts: Some(facts), evidence: &verdict.evidence, grace: verdict.finding == Reason::OkGrace, lasts };
        conclude(service, user, basis, standing, hints)
    }

    /// The decision about somebody of whom no certificate is wanted: the NAS has checked his password, and calls him by this name. His block, then the rules, none of which holds that looks at a certificate.
    #[must_use]
    pub fn decide_person(
        &self,
        service: ServiceIndex,
        name: &str,
        standing: &Standing,
        hints: &Hints,
        now: Wall,
    ) -> Decision {
        let Some(service) = self.service(service) else {
            return Decision::refuse(Reason::Internal, Vec::new(), None);
        };
        if service.otp != Some(OtpAfter::NasPassword) || !username::is_good(name) {
            return Decision::refuse(Reason::NoGoodCertificate, Vec::new(), None);
        }
        let strips = service.authorities.iter().any(|authority| self.rule(authority).strip_realm);
        let user: &Arc<str> = &match person::user(service, strips, name) {
            Ok(user) => user,
            Err(why) => return Decision::refuse(Reason::BadIdentity, vec![Evidence::Protocol(why.to_owned())], None),
        };
        if let Some(block) = standing.blocks().called(user, now) {
            return Decision::refuse(Reason::UserBlocked, vec![blocked_by(block)], Some(user.clone()));
        }
        let basis = Basis { facts: None, evidence: &[], grace: false, lasts: Duration::MAX };
        conclude(service, user.clone(), basis, standing, hints)
    }

    /// Whether a certificate bears the name that is asked for, without ASCII case: in the part that `authorize` of the service says, else as its user.
    #[must_use]
    pub fn bears(&self, service: ServiceIndex, facts: &Facts, name: &str) -> bool {
        match self.service(service).and_then(|service| service.authorize.as_ref()) {
            Some(authorize) => authorize.name.is_borne(facts, name),
            None => self.user(facts).is_some_and(|user| user.eq_ignore_ascii_case(name)),
        }
    }

    /// The user by the certificate; `None`: it doesn't name exactly one.
    #[must_use]
    pub fn user(&self, facts: &Facts) -> Option<Arc<str>> {
        self.username(facts).ok()
    }

    /// What holds against a certificate whatever is asked for, or its user: [`Policy::decide`] without a service, for those who ask for none (the admin door's clients).
    /// `authorities`: of whom it must be.
    ///
    /// # Errors
    /// The refusal.
    pub fn admit(
        &self,
        authorities: &[Arc<str>],
        facts: &Facts,
        verdict: &Verdict,
        standing: &Standing,
        now: Wall,
    ) -> Result<Arc<str>, Box<Decision>> {
        if !authorities.contains(&facts.authority) {
            let evidence = vec![Evidence::Issuer(facts.authority.to_string())];
            return Err(Box::new(Decision::refuse(Reason::UntrustedIssuer, evidence, None)));
        }
        let name = self.username(facts);
        if !stands_before_blocks(verdict.finding)
            && let Some(refused) = blocked(facts, name.as_ref().ok(), standing.blocks(), now)
        {
            return Err(Box::new(refused));
        }
        if let Some(reason) = refusal(verdict, facts, now) {
            let user = name.ok().filter(|_| vouched(reason));
            return Err(Box::new(Decision::refuse(reason, evidence(verdict, facts, reason), user)));
        }
        name.map_err(|names| Box::new(Decision::refuse(Reason::IdentityAmbiguous, vec![Evidence::Names(names)], None)))
    }

    /// The names that the NAS may know somebody by, where it is to go by the outer identity and that is none of them: whoever chooses it freely goes by another's name,
    /// under which he is accounted for, and by which that other is thrown off when he is to go. A name that is nobody's is good where sessions go by more than names.
    fn goes_by_another(&self, service: &ServiceSettings, facts: &Facts, hints: &Hints) -> Option<Vec<String>> {
        let outer = hints.outer.as_deref().filter(|outer| !outer.is_empty())?;
        if service.reply_username != ReplyUsername::Outer || (hints.goes_by_more_than_names() && is_anonymous(outer)) {
            return None;
        }
        let rule = self.rule(&facts.authority);
        (!rule.is_borne(facts, outer)).then(|| rule.names(facts))
    }

    /// The user by the certificate, or the names that stand in the way.
    fn username(&self, facts: &Facts) -> Result<Arc<str>, Vec<String>> {
        self.rule(&facts.authority).read(facts)
    }

    fn rule(&self, authority: &Arc<str>) -> Cow<'_, UsernameRule> {
        let known = self.usernames.get(authority).map(Cow::Borrowed);
        known.unwrap_or_else(|| Cow::Owned(UsernameRule::new(authority.clone())))
    }
}

/// What the rules are asked on.
struct Basis<'a> {
    facts: Option<&'a Facts>,
    evidence: &'a [Evidence],
    /// On revocation data that is past its end.
    grace: bool,
    /// Until the first certificate of the path ends.
    lasts: Duration,
}

/// The rules have the last word.
fn conclude(
    service: &ServiceSettings,
    user: Arc<str>,
    basis: Basis<'_>,
    standing: &Standing,
    hints: &Hints,
) -> Decision {
    let Basis { facts, evidence, grace, lasts } = basis;
    let groups = standing.groups_of(&user);
    let groups_evidence = (!groups.is_empty()).then(|| Evidence::Groups(groups.clone()));
    let refuse = |rule: Evidence| {
        let evidence = groups_evidence.clone().into_iter().chain([rule]).collect();
        Decision::refuse(Reason::Policy, evidence, Some(user.clone()))
    };
    match rules::apply(service, &rules::Asked { facts, groups: &groups, hints }) {
        Err(denied_by) => refuse(Evidence::Rule(denied_by)),
        // Nobody can be asked for a code within EAP-TLS.
        Ok((_, Some(wants_code))) if hints.method == Some(Method::EapTls) => {
            refuse(Evidence::RuleWantsCode(wants_code))
        }
        Ok((grants, wants_code)) => {
            let evidence = evidence.iter().cloned().chain(groups_evidence).collect();
            let grant = Grant { otp: wants_code.is_some(), ..grant(user, grants, lasts, hints.federation) };
            Decision::accept(grace, evidence, grant)
        }
    }
}

/// What no block hides: a certificate that is none of ours, or that its authority has revoked for good.
fn stands_before_blocks(finding: Reason) -> bool {
    matches!(finding, Reason::UntrustedIssuer | Reason::WrongOrganisation | Reason::WrongPurpose | Reason::Revoked)
}

/// Refuses a certificate that is blocked here, or whose owner is.
fn blocked(facts: &Facts, user: Option<&Arc<str>>, blocks: &Blocks, now: Wall) -> Option<Decision> {
    let certificate = blocks.certificate(&facts.fingerprint, &facts.authority, &facts.serial, now);
    let person = || user.and_then(|user| blocks.person(user, now));
    let (reason, block) = match certificate {
        Some(block) => (Reason::Blocked, block),
        None => (Reason::UserBlocked, person()?),
    };
    Some(Decision::refuse(reason, vec![blocked_by(block)], user.cloned()))
}

fn blocked_by(block: &Block) -> Evidence {
    let Block { since, until, reason, by } = block.clone();
    Evidence::Blocked { since, until, reason, by }
}

/// What the verdict has against the certificate. A path that has ended is refused whatever the verdict says: facts may come out of a ticket.
fn refusal(verdict: &Verdict, facts: &Facts, now: Wall) -> Option<Reason> {
    match verdict.finding {
        Reason::Ok | Reason::OkGrace if now > facts.path_not_after => Some(Reason::Expired),
        Reason::Ok | Reason::OkGrace => None,
        reason => Some(reason),
    }
}

fn evidence(verdict: &Verdict, facts: &Facts, reason: Reason) -> Vec<Evidence> {
    let mut evidence = verdict.evidence.clone();
    if reason != verdict.finding {
        evidence.push(Evidence::Validity { not_before: facts.not_before, not_after: facts.path_not_after });
    }
    evidence
}

/// Whether a refused certificate still says whose it is. Another organisation's may bear a name like one of ours, and must not be found in that person's history.
fn vouched(reason: Reason) -> bool {
    !matches!(reason, Reason::UntrustedIssuer | Reason::WrongOrganisation)
}

/// `remaining`: until the first certificate of the path ends. One second is the least: notAfter is inclusive, and many a NAS takes 0 for "no limit".
fn grant(user: Arc<str>, grants: Grants, remaining: Duration, federation: bool) -> Grant {
    let wanted = grants.session_timeout.unwrap_or(DEFAULT_SESSION_TIMEOUT);
    let ours = |value: Option<String>| value.filter(|_| !federation);
    Grant {
        user,
        vlan: ours(grants.vlan),
        filter_id: ours(grants.filter_id),
        session_timeout: wanted.min(remaining).max(Duration::from_secs(1)),
        attributes: if federation {
            federation::without_vlan_and_filter(&grants.attributes)
        } else {
            grants.attributes
        },
        otp: false,
    }
}
