//! Conversations without EAP: authorisation by name, and one-time passwords.
//!
//! The NAS has checked what comes first, a certificate or a password; we are asked whether its owner may enter. What is known of him is judged by the same decision as a handshake's certificate.
//! A conversation looks up the user's certificates, then, where somebody must be asked about the best of them, waits for that, then asks for a code and has it looked at: each once at most.

mod certificates;
mod road;

use std::hash::BuildHasher;
use std::sync::Arc;

use super::admitted::admitted;
use super::asked::is_same;
use super::gate::{self, Decided};
use super::lookup::{Attempt, Checked, Found, Lookup};
use super::reply::{self, Accept};
use super::turn::{Ended, Farewell, Turn};
use super::{Asked, Facts, FollowUp, Snapshot, State};
use crate::event::{Authentication, Evidence, Method, Outcome, Reason};
use crate::exchange::{Nas, Reply};
use crate::now::{Mono, Now};
use crate::otp;
use crate::policy::{Decision, OtpAfter, Realm, ReplyUsername, ServiceIndex, ServiceSettings};
use crate::quick::RandomState;
use crate::radius::TooLong;
use crate::secret::Secret;

/// Digits of a one-time password (RFC 4226 section 5.3). A password of another form is none: the NAS hands on what it has checked, and the code is asked for.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=8;
/// What the user is asked (Reply-Message, RFC 2865 section 5.18).
const PROMPT: &str = "One-time password: ";

/// Where a conversation stands.
#[derive(Debug)]
enum Phase {
    /// The user's certificates are looked up.
    Looking,
    /// The best of these certificates would do but for what somebody is asked about its revocation.
    Doubting(Vec<Arc<Facts>>),
    /// What comes before the code is good; the code is awaited.
    Prompting(Box<Decided>),
    /// A code is looked at.
    Checking(Box<Decided>),
    /// Nothing more.
    Over,
}

/// One conversation.
#[derive(Debug)]
pub struct Plain {
    phase: Phase,
    state: State,
    nas: Arc<Nas>,
    asked: Asked,
    /// What it decides by; `service` is an index of this one's policy.
    by: Arc<Snapshot>,
    service: Option<ServiceIndex>,
    /// A code that was typed beside the name.
    typed: Option<Secret>,
    /// Of the code that was typed last, by this hasher.
    last: Option<u64>,
    hasher: RandomState,
    started: Mono,
    rounds: u32,
}

impl Plain {
    /// The first request of a conversation: `state` will name it. `asked` is no EAP; `is_authentic`: it carries a Message-Authenticator, which is right.
    pub(super) fn begin(
        now: Now,
        by: &Arc<Snapshot>,
        nas: Arc<Nas>,
        state: State,
        asked: Asked,
        is_authentic: bool,
    ) -> (Self, Turn) {
        let (started, by) = (now.mono, Arc::clone(by));
        let (phase, hasher) = (Phase::Over, RandomState::default());
        let (typed, last, service, rounds) = (None, None, None, 1);
        let mut plain = Self { phase, state, nas, asked, by, service, typed, last, hasher, started, rounds };
        let turn = plain.first(now, is_authentic);
        // It has been read: no password stays for as long as others take, nor what strangers have added.
        plain.asked.said = None;
        (plain, turn)
    }

    fn first(&mut self, now: Now, is_authentic: bool) -> Turn {
        // Without it anybody on the way could write another name into the request (CVE-2024-3596), or learn from our answers which password is the right one, whatever `require-message-authenticator` says.
        if !is_authentic && road::is_any(&self.nas) && !self.nas.may_go_unsigned() {
            return Turn::Drop(Reason::MissingAuthenticator);
        }
        let method = match road::choose(&self.by, &self.nas, &mut self.asked) {
            Ok((method, service)) => {
                self.service = Some(service);
                method
            }
            Err((reason, evidence)) => {
                self.service = self.by.policy.route(&self.asked.hints);
                return self.refuse(now, reason, evidence);
            }
        };
        let Some(name) = self.name().map(str::to_owned) else {
            let fault = Evidence::Protocol("a request without a User-Name that is text".to_owned());
            return self.refuse(now, Reason::BadIdentity, vec![fault]);
        };
        let realm = name.rsplit_once('@').map(|(_, realm)| realm.to_lowercase());
        if self.service.is_none_or(|service| self.by.policy.realm(service, realm.as_deref()) == Realm::NotOurs) {
            return self.refuse(now, Reason::RealmNotOurs, vec![Evidence::Realm(realm.unwrap_or_default())]);
        }
        if method == Method::Otp {
            self.typed = self.asked.said.as_mut().and_then(|said| said.password.take()).filter(is_code);
        }
        if method == Method::Otp && self.settings().is_some_and(|it| it.otp == Some(OtpAfter::NasPassword)) {
            let decided = self.of_person(now, &name);
            return self.good(now, decided);
        }
        match certificates::search(self.settings(), &self.asked, &name) {
            Ok(search) => {
                self.phase = Phase::Looking;
                Turn::Look(Lookup::Certificates(search))
            }
            Err(fault) => self.refuse(now, Reason::NoGoodCertificate, vec![Evidence::Protocol(fault)]),
        }
    }

    /// See [`Dialogue::is_of`](super::Dialogue::is_of).
    pub(super) fn is_of(&self, asked: &FollowUp) -> bool {
        is_same(self.asked.user_name.as_deref(), asked.user_name.as_deref())
    }

    /// A further request of this conversation: the code that was asked for.
    pub(super) fn hear(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, asked: FollowUp) -> Turn {
        self.rounds = self.rounds.saturating_add(1);
        let decided = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Prompting(decided) => decided,
            // What it waits for is on its way.
            waiting => {
                self.phase = waiting;
                return Turn::Drop(Reason::Duplicate);
            }
        };
        let decided = self.renew(now, by, nas, &decided);
        if !decided.decision.accepts() {
            return self.refused(now, decided);
        }
        let code = asked.password.filter(|password| !password.is_empty());
        match code {
            Some(code) => self.check(now, decided, code),
            None => self.refuse_for(now, decided, Reason::OtpWrong, Vec::new()),
        }
    }

    /// What was looked up.
    pub(super) fn found(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, found: Found) -> Turn {
        match (std::mem::replace(&mut self.phase, Phase::Over), found) {
            (Phase::Looking, Found::Certificates(kept)) => {
                self.take_over(by, nas);
                self.choose(now, &kept)
            }
            (Phase::Checking(decided), Found::Code(checked)) => {
                let decided = self.renew(now, by, nas, &decided);
                self.checked(now, decided, checked)
            }
            (Phase::Looking, _) => self.refuse(now, Reason::NoGoodCertificate, vec![Evidence::RegistrySilent]),
            (Phase::Checking(decided), _) => {
                self.refuse_for(now, *decided, Reason::OtpWrong, vec![Evidence::RegistrySilent])
            }
            (phase, _) => {
                self.phase = phase;
                Turn::Drop(Reason::Duplicate)
            }
        }
    }

    /// After [`Turn::Doubt`]: what there is to know of the certificate is known, or has been waited for long enough. It asks nobody again.
    pub(super) fn answered(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) -> Turn {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Doubting(bearers) => {
                self.take_over(by, nas);
                match self.settle(now, &bearers) {
                    Ok(decided) => self.good(now, decided),
                    Err(reason) => self.refuse(now, reason, Vec::new()),
                }
            }
            phase => {
                self.phase = phase;
                Turn::Drop(Reason::Duplicate)
            }
        }
    }

    /// See [`Dialogue::crowded_out`](super::Dialogue::crowded_out). Who was asked for his code can give it again.
    pub(super) fn crowded_out(&mut self) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Checking(decided) if self.rounds > 1 => {
                self.phase = Phase::Prompting(decided);
                true
            }
            _ => false,
        }
    }

    /// The State that names it.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Whether somebody has been asked for a code: such a conversation goes before new ones.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self.phase, Phase::Prompting(_) | Phase::Checking(_))
    }

    /// What is left of it: the answer to its code, for a NAS that hasn't got it and sends the code again in a new request.
    pub(super) fn farewell(self, reply: Reply) -> Farewell {
        Farewell::new(self.last, self.hasher, reply).of(self.asked.user_name)
    }

    /// The user fell silent. `None`: nothing had been asked of him.
    pub(super) fn expire(self, now: Now) -> Option<Ended> {
        let Phase::Prompting(decided) = &self.phase else { return None };
        let mut authentication = self.authentication(now);
        authentication.evidence =
            vec![Evidence::Protocol("silence after the question for a one-time password".to_owned())];
        Decided::clone(decided).tell(&mut authentication);
        let (outcome, reason) = (Outcome::Drop, Reason::ConversationExpired);
        Some(Ended { outcome, reason, authentication, seen: None, admitted: None })
    }

    fn settings(&self) -> Option<&ServiceSettings> {
        self.service.and_then(|service| self.by.policy.service(service))
    }

    /// User-Name. One that is no text is nobody's: two that differ would read alike.
    fn name(&self) -> Option<&str> {
        let is_text = |name: &&str| !name.is_empty() && !name.contains(char::REPLACEMENT_CHARACTER);
        self.asked.user_name.as_deref().filter(is_text)
    }

    /// Somebody of whom no certificate is wanted.
    fn of_person(&self, now: Now, name: &str) -> Decided {
        Decided::of_person(&self.by, self.service, &name.to_ascii_lowercase().into(), &self.asked.hints, now.wall)
    }

    /// Goes on with the best of the certificates that the registry knows, once nothing has to be asked about it.
    fn choose(&mut self, now: Now, kept: &[Vec<u8>]) -> Turn {
        let service = match self.road() {
            Ok(service) => service,
            Err(reason) => return self.refuse(now, reason, Vec::new()),
        };
        let bearers = certificates::bearers(&self.by, service, self.name().unwrap_or_default(), kept);
        let presume =
            |facts: &Arc<Facts>| gate::presume(&self.by, service, Arc::clone(facts), &self.asked.hints, now.wall);
        let Some(best) = certificates::best(bearers.iter().map(presume).collect(), now.wall) else {
            return self.refuse(now, Reason::NoGoodCertificate, Vec::new());
        };
        if best.questions.is_empty() {
            return self.good(now, best);
        }
        self.phase = Phase::Doubting(bearers);
        Turn::Doubt(best.questions)
    }

    /// The best of the certificates by what is known now.
    fn settle(&self, now: Now, bearers: &[Arc<Facts>]) -> Result<Decided, Reason> {
        let (service, name) = (self.road()?, self.name().unwrap_or_default());
        let bearers = bearers.iter().filter(|facts| self.by.policy.bears(service, facts, name));
        let decide =
            |facts: &Arc<Facts>| gate::decide(&self.by, service, Arc::clone(facts), &self.asked.hints, now.wall);
        certificates::best(bearers.map(decide).collect(), now.wall).ok_or(Reason::NoGoodCertificate)
    }

    /// The service of the road that was taken, if that is still open.
    fn road(&self) -> Result<ServiceIndex, Reason> {
        let service = self.service.ok_or(Reason::NoService)?;
        let method = self.asked.hints.method.unwrap_or(Method::None);
        road::is_open(&self.by, &self.nas, method, service).then_some(service).ok_or(Reason::MethodNotAllowed)
    }

    fn good(&mut self, now: Now, decided: Decided) -> Turn {
        if !decided.decision.accepts() {
            return self.refused(now, decided);
        }
        if !self.wants_code(&decided.decision) {
            return self.accept(now, decided);
        }
        match self.typed.take() {
            Some(code) => self.check(now, decided, code),
            None => {
                self.phase = Phase::Prompting(Box::new(decided));
                Turn::Challenge(reply::prompt(PROMPT, &self.state))
            }
        }
    }

    fn wants_code(&self, decision: &Decision) -> bool {
        self.asked.hints.method == Some(Method::Otp) || decision.grant().is_some_and(|grant| grant.otp)
    }

    fn check(&mut self, now: Now, decided: Decided, code: Secret) -> Turn {
        let Some(user) = decided.decision.user().cloned() else {
            return self.refuse_for(now, decided, Reason::Internal, Vec::new());
        };
        self.last = Some(self.hasher.hash_one(Farewell::code(&code)));
        self.phase = Phase::Checking(Box::new(decided));
        let (nas, station) = (self.nas.name.clone(), self.asked.calling_station.clone());
        Turn::Look(Lookup::Code(Attempt { user, code, nas, station }))
    }

    fn checked(&mut self, now: Now, decided: Decided, checked: Checked) -> Turn {
        match checked {
            Checked::Right if decided.decision.accepts() => self.accept(now, decided),
            Checked::Right => self.refused(now, decided),
            Checked::Wrong => self.refuse_for(now, decided, Reason::OtpWrong, Vec::new()),
            Checked::Throttled => self.refuse_for(now, decided, Reason::OtpThrottled, Vec::new()),
            Checked::NotEnrolled => {
                let nobody = decided.decision.user().cloned().map(Evidence::NotEnrolled);
                self.refuse_for(now, decided, Reason::OtpWrong, nobody.into_iter().collect())
            }
            Checked::Sealed => self.refuse_for(now, decided, Reason::OtpWrong, vec![Evidence::NoSealKey]),
        }
    }

    /// Decides again, by what is in force and known now: people type slowly.
    fn renew(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, decided: &Decided) -> Decided {
        self.take_over(by, nas);
        let service = match self.road() {
            Ok(service) => service,
            Err(reason) => return decided.refused(reason),
        };
        let name = self.name().unwrap_or_default();
        match &decided.facts {
            Some(facts) if !self.by.policy.bears(service, facts, name) => decided.refused(Reason::NoGoodCertificate),
            _ => decided.again(&self.by, &self.asked.hints, now.wall),
        }
    }

    fn take_over(&mut self, by: &Arc<Snapshot>, nas: &Arc<Nas>) {
        self.asked.hints.allowed_services.clone_from(&nas.services);
        self.asked.hints.federation = nas.federation;
        self.asked.hints.told_by_name = nas.told_by_name();
        self.nas = Arc::clone(nas);
        self.by = Arc::clone(by);
        self.service = self.by.policy.route(&self.asked.hints);
    }

    fn accept(&mut self, now: Now, decided: Decided) -> Turn {
        let Some(grant) = decided.decision.grant().cloned() else { return self.refused(now, decided) };
        let is_outer = self.settings().is_some_and(|service| service.reply_username == ReplyUsername::Outer);
        let user_name = self.name().filter(|_| is_outer).unwrap_or(&grant.user).to_owned();
        let accept = Accept {
            by: &self.by,
            nas: &self.nas,
            asked: &self.asked,
            user_name: &user_name,
            decided: &decided,
            grant: &grant,
            keys: None,
            success: Vec::new(),
        };
        let reply = match accept.reply() {
            Ok(reply) => reply,
            Err(TooLong) => {
                let long = Evidence::Protocol("an attribute of the Accept is too long".to_owned());
                return self.refuse(now, Reason::Internal, vec![long]);
            }
        };
        let mut authentication = self.authentication(now);
        authentication.evidence = decided.decision.evidence().to_vec();
        let facts = decided.facts.as_deref();
        let admitted = admitted(&self.by, &self.asked, self.service, facts, &grant, &user_name);
        let reason = decided.decision.reason();
        decided.tell(&mut authentication);
        self.phase = Phase::Over;
        // The key was proved to the NAS, not to us: that counts as seen by nobody here.
        let ended =
            Ended { outcome: Outcome::Accept, reason, authentication, seen: None, admitted: Some(Box::new(admitted)) };
        Turn::End(reply, Box::new(ended))
    }

    fn refused(&mut self, now: Now, decided: Decided) -> Turn {
        let (reason, evidence) = (decided.decision.reason(), decided.decision.evidence().to_vec());
        self.refuse_for(now, decided, reason, evidence)
    }

    /// Refuses somebody of whom something is known.
    fn refuse_for(&mut self, now: Now, decided: Decided, reason: Reason, evidence: Vec<Evidence>) -> Turn {
        let mut authentication = self.authentication(now);
        authentication.evidence = evidence;
        decided.tell(&mut authentication);
        self.end(reason, authentication)
    }

    fn refuse(&mut self, now: Now, reason: Reason, evidence: Vec<Evidence>) -> Turn {
        let authentication = Authentication { evidence, ..self.authentication(now) };
        self.end(reason, authentication)
    }

    fn end(&mut self, reason: Reason, authentication: Authentication) -> Turn {
        self.phase = Phase::Over;
        let ended = Ended { outcome: Outcome::Reject, reason, authentication, seen: None, admitted: None };
        Turn::End(reply::reject(Vec::new()), Box::new(ended))
    }

    fn authentication(&self, now: Now) -> Authentication {
        Authentication {
            service: self.settings().map(|service| service.name.clone()),
            method: self.asked.hints.method.unwrap_or(Method::None),
            outer_identity: self.asked.user_name.clone(),
            mac: self.asked.marks.station.clone().map(Into::into),
            ssid: self.asked.hints.ssid.clone(),
            duration: now.mono.since(self.started),
            rounds: self.rounds,
            ..Authentication::default()
        }
    }
}

fn is_code(password: &Secret) -> bool {
    otp::digits(password.expose()).is_some_and(|digits| DIGITS.contains(&digits.len()))
}
