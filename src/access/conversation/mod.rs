//! The conversation: which packet may come next, and what is answered.

mod asking;
mod handshake;

use std::hash::BuildHasher;
use std::sync::Arc;

use super::admitted::admitted;
use super::gate::{Decided, Gate};
use super::reply::{self, Accept};
use super::turn::{Ended, Farewell, Lost, Turn};
use super::{Asked, FollowUp, Snapshot, State};
use crate::eap::{Authenticator, Fault, Heard, Identity};
use crate::event::{Authentication, Evidence, Method, Outcome, Reason, TlsVersion};
use crate::exchange::{Nas, Reply};
use crate::now::{Mono, Now};
use crate::policy::{Grant, Realm, ReplyUsername, ServiceIndex};
use crate::quick::RandomState;
use crate::{eap, radius};
use asking::Asking;
use handshake::{Finished, Handshake};

/// Where a conversation stands. Each state owns what is known in it; only [`Phase::Asking`] and [`Phase::Confirming`] have keys.
#[derive(Debug)]
enum Phase {
    /// We asked who it is.
    AwaitIdentity,
    /// EAP-TLS start has been sent.
    Started,
    /// Octets of the client wait to be read by TLS.
    Pending(Handshake, Vec<u8>),
    /// TLS waits for the client.
    Handshaking(Handshake),
    /// The client would be let in but for what somebody is asked about its certificate; our last flight is held back.
    Asking(Box<Asking>),
    /// The client is let in, our last flight has been sent, its acknowledgement is awaited.
    Confirming(Box<Decided>, Finished),
    /// The client is refused, the alert has been sent, its acknowledgement is awaited.
    Refusing(Box<Refusal>),
    /// Nothing more.
    Over,
}

#[derive(Debug)]
struct Refusal {
    reason: Reason,
    evidence: Vec<Evidence>,
    decided: Option<Decided>,
    tls: Option<TlsVersion>,
}

impl Refusal {
    fn new(reason: Reason, evidence: Vec<Evidence>) -> Self {
        Self { reason, evidence, decided: None, tls: None }
    }
}

/// One conversation.
#[derive(Debug)]
pub struct Conversation {
    eap: Authenticator,
    phase: Phase,
    state: State,
    nas: Arc<Nas>,
    asked: Asked,
    /// What it decides by; `service` is an index of this one's policy.
    by: Arc<Snapshot>,
    service: Option<ServiceIndex>,
    identity: Option<Identity>,
    started: Mono,
    rounds: u32,
    last: Option<Last>,
    hasher: RandomState,
}

/// The last response, and what it was answered with: the same response in another request gets the same answer, and TLS isn't stepped twice.
#[derive(Debug)]
struct Last {
    hash: u64,
    answer: Vec<u8>,
    repeats: u32,
}

/// How often one response is answered again in new requests; a supplicant that never gets further isn't one.
const MAX_REPEATS: u32 = 10;

impl Conversation {
    /// The first request of a conversation: `state` will name it.
    #[must_use]
    pub fn begin(now: Now, by: &Arc<Snapshot>, nas: Arc<Nas>, state: State, asked: Asked) -> (Self, Turn) {
        let mut conversation = Self {
            eap: Authenticator::new(by.eap, asked.framed_mtu),
            phase: Phase::AwaitIdentity,
            state,
            nas,
            service: by.policy.route(&asked.hints),
            by: by.clone(),
            asked,
            identity: None,
            started: now.mono,
            rounds: 1,
            last: None,
            hasher: RandomState::default(),
        };
        let turn = conversation.first(now);
        (conversation, turn)
    }

    fn first(&mut self, now: Now) -> Turn {
        let Some(packet) = self.asked.eap.take() else {
            let method = Evidence::Method(Method::None);
            return self.refuse(now, Refusal::new(Reason::MethodNotAllowed, vec![method]));
        };
        if !self.nas.methods.contains(&Method::EapTls) {
            return self.refuse(now, Refusal::new(Reason::MethodNotAllowed, vec![Evidence::Method(Method::EapTls)]));
        }
        if packet.is_empty() {
            let ask = self.eap.ask_identity();
            return self.challenge(ask);
        }
        self.heard(now, &packet)
    }

    /// A request whose State names no conversation that is alive: refused at once, so that the supplicant begins anew instead of waiting.
    #[must_use]
    pub fn expired(by: &Snapshot, asked: Asked) -> (Reply, Ended) {
        let mut eap = Authenticator::new(by.eap, None);
        let failure = match &asked.eap {
            Some(packet) => {
                // What it says doesn't matter, only its Identifier, which EAP-Failure repeats.
                let _ = eap.hear(packet);
                eap.failure()
            }
            None => Vec::new(),
        };
        let authentication = Authentication {
            method: asked.hints.method.unwrap_or(Method::None),
            outer_identity: asked.user_name,
            mac: asked.marks.station.map(Into::into),
            ssid: asked.hints.ssid,
            ..Authentication::default()
        };
        (
            reply::reject(failure),
            Ended {
                outcome: Outcome::Reject,
                reason: Reason::ConversationExpired,
                authentication,
                seen: None,
                admitted: None,
            },
        )
    }

    /// A further request of this conversation. `by`: what is in force now; `nas`: who asks, with what it may ask for now.
    pub fn hear(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, asked: FollowUp) -> Turn {
        self.rounds = self.rounds.saturating_add(1);
        let Some(packet) = asked.eap else { return Turn::Drop(Reason::Malformed) };
        // What the NAS wants in the Accept, it may say with any request.
        self.asked.wants_cui |= asked.wants_cui;
        self.asked.wants_key_name |= asked.wants_key_name;
        // Whatever it says, its answer is on its way.
        if matches!(self.phase, Phase::Asking(_)) {
            return Turn::Drop(Reason::Duplicate);
        }
        let hash = self.hasher.hash_one(&packet);
        if let Some(last) = self.last.as_mut().filter(|last| last.hash == hash) {
            last.repeats += 1;
            if last.repeats > MAX_REPEATS {
                return Turn::Drop(Reason::Duplicate);
            }
            return Turn::Challenge(reply::challenge(last.answer.clone(), &self.state));
        }
        self.keep_up(now, by, nas);
        let turn = self.heard(now, &packet);
        match &turn {
            Turn::Challenge(reply) => self.last = Some(Last { hash, answer: reply.eap.clone(), repeats: 0 }),
            Turn::Work(_) | Turn::End(..) => self.last = Some(Last { hash, answer: Vec::new(), repeats: 0 }),
            Turn::Look(_) | Turn::Doubt(_) | Turn::Drop(_) => {}
        }
        turn
    }

    /// A further request whose EAP-Message attributes make no EAP packet (RFC 3579 section 3.1): the end.
    pub(crate) fn unreadable(&mut self, now: Now) -> Turn {
        self.out_of_turn(now, "EAP-Message attributes that make no packet")
    }

    /// Goes on by what is in force now, if that isn't what it was; what its NAS may ask for may have changed too.
    fn keep_up(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) {
        if !Arc::ptr_eq(&self.by, by) {
            self.take_over(nas);
            self.renew(now, by);
        }
    }

    /// What its NAS may ask for now.
    fn take_over(&mut self, nas: &Arc<Nas>) {
        self.asked.hints.allowed_services.clone_from(&nas.services);
        self.asked.hints.federation = nas.federation;
        self.asked.hints.told_by_name = nas.told_by_name();
        self.nas = nas.clone();
    }

    /// What is in force has changed. A handshake that has begun goes on by what it began with; what was decided is decided again.
    fn renew(&mut self, now: Now, by: &Arc<Snapshot>) {
        match &mut self.phase {
            Phase::AwaitIdentity | Phase::Started => {}
            Phase::Confirming(decided, _) => **decided = decided.again(by, &self.asked.hints, now.wall),
            _ => return,
        }
        self.service = by.policy.route(&self.asked.hints);
        self.by = by.clone();
    }

    /// What is left of an ended conversation.
    #[must_use]
    pub(crate) fn farewell(self, reply: Reply) -> Farewell {
        Farewell::new(self.last.map(|last| last.hash), self.hasher, reply)
    }

    /// Whether public-key work has begun: such a conversation goes before new ones.
    #[must_use]
    pub(crate) fn is_begun(&self) -> bool {
        match &self.phase {
            Phase::AwaitIdentity | Phase::Started => false,
            Phase::Pending(handshake, _) => handshake.is_begun(),
            _ => true,
        }
    }

    /// Whether the supplicant has been told by an alert that it is refused, and only has to acknowledge that.
    #[must_use]
    pub(crate) fn is_told(&self) -> bool {
        matches!(self.phase, Phase::Refusing(_))
    }

    /// The State that names it.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    fn heard(&mut self, now: Now, packet: &[u8]) -> Turn {
        match self.eap.hear(packet) {
            Err(fault) => {
                let reason = if fault == Fault::TooManyRounds { Reason::TooManyRounds } else { Reason::Malformed };
                self.refuse(now, Refusal::new(reason, vec![Evidence::Protocol(format!("EAP: {fault}"))]))
            }
            Ok(Heard::Discard) => Turn::Drop(Reason::Duplicate),
            Ok(Heard::Reply(packet)) => self.challenge(packet),
            Ok(Heard::Nak(wants)) => self.refuse(now, Refusal::new(Reason::EapNak, vec![Evidence::NakWants(wants)])),
            Ok(Heard::Identity(identity)) => self.identified(now, identity),
            Ok(Heard::Message(octets)) => self.message(now, octets),
            Ok(Heard::Acknowledged) => self.acknowledged(now),
        }
    }

    fn identified(&mut self, now: Now, identity: Result<Identity, eap::BadIdentity>) -> Turn {
        if !matches!(self.phase, Phase::AwaitIdentity) {
            return self.out_of_turn(now, "an identity in the middle of a handshake");
        }
        let identity = match identity {
            Ok(identity) => identity,
            Err(fault) => {
                let fault = Evidence::Protocol(format!("outer identity: {fault}"));
                return self.refuse(now, Refusal::new(Reason::BadIdentity, vec![fault]));
            }
        };
        let realm = identity.realm.clone();
        self.asked.hints.outer = Some(identity.text.as_str().into());
        self.identity = Some(identity);
        let Some(service) = self.service else {
            return self.refuse(now, Refusal::new(Reason::NoService, Vec::new()));
        };
        if self.by.policy.realm(service, realm.as_deref()) == Realm::NotOurs {
            let realm = Evidence::Realm(realm.unwrap_or_default());
            return self.refuse(now, Refusal::new(Reason::RealmNotOurs, vec![realm]));
        }
        self.phase = Phase::Started;
        let start = self.eap.start();
        self.challenge(start)
    }

    fn message(&mut self, now: Now, octets: Vec<u8>) -> Turn {
        let handshake = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Started => match self.service {
                Some(service) => {
                    let hints = Arc::new(self.asked.hints.clone());
                    Handshake::new(Gate::new(self.by.clone(), service, hints))
                }
                None => return self.refuse(now, Refusal::new(Reason::NoService, Vec::new())),
            },
            Phase::Handshaking(handshake) => handshake,
            // Some supplicants answer an alert with one of their own instead of an acknowledgement; ours stands.
            Phase::Refusing(refusal) => return self.refuse(now, *refusal),
            _ => return self.out_of_turn(now, "TLS octets where none are awaited"),
        };
        self.phase = Phase::Pending(handshake, octets);
        Turn::Work(Lost::new(self.eap.failure_octets()))
    }

    fn acknowledged(&mut self, now: Now) -> Turn {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Confirming(decided, finished) => self.accept(now, *decided, finished),
            Phase::Refusing(refusal) => self.refuse(now, *refusal),
            _ => self.out_of_turn(now, "an acknowledgement where none is awaited"),
        }
    }

    fn out_of_turn(&mut self, now: Now, what: &str) -> Turn {
        self.refuse(now, Refusal::new(Reason::Malformed, vec![Evidence::Protocol(what.to_owned())]))
    }

    fn accept(&mut self, now: Now, decided: Decided, finished: Finished) -> Turn {
        let Some(grant) = decided.decision.grant() else {
            let reason = decided.decision.reason();
            let evidence = decided.decision.evidence().to_vec();
            return self.refuse(now, Refusal { reason, evidence, decided: Some(decided), tls: Some(finished.version) });
        };
        let accept = Accept {
            by: &self.by,
            nas: &self.nas,
            asked: &self.asked,
            user_name: self.user_name(grant),
            decided: &decided,
            grant,
            keys: Some(&finished.keys),
            success: self.eap.success(),
        };
        match accept.reply() {
            Ok(reply) => {
                let (reason, seen) = (decided.decision.reason(), decided.seen());
                let mut authentication = self.authentication(now);
                authentication.evidence = decided.decision.evidence().to_vec();
                authentication.tls = Some(finished.version);
                authentication.resumed = finished.resumed;
                let name = self.user_name(grant);
                let admitted = admitted(&self.by, &self.asked, self.service, decided.facts.as_deref(), grant, name);
                decided.tell(&mut authentication);
                let admitted = Some(Box::new(admitted));
                let ended = Ended { outcome: Outcome::Accept, reason, authentication, seen, admitted };
                self.phase = Phase::Over;
                Turn::End(reply, Box::new(ended))
            }
            Err(radius::TooLong) => {
                let long = Evidence::Protocol("an attribute of the Accept is too long".to_owned());
                self.refuse(now, Refusal::new(Reason::Internal, vec![long]))
            }
        }
    }

    /// User-Name of the Accept (`reply-username`).
    fn user_name<'a>(&'a self, grant: &'a Grant) -> &'a str {
        let service = self.service.and_then(|service| self.by.policy.service(service));
        match &self.identity {
            Some(identity)
                if service.is_some_and(|service| service.reply_username == ReplyUsername::Outer)
                    && !identity.text.is_empty() =>
            {
                &identity.text
            }
            _ => &grant.user,
        }
    }

    fn challenge(&mut self, packet: Vec<u8>) -> Turn {
        Turn::Challenge(reply::challenge(packet, &self.state))
    }

    fn refuse(&mut self, now: Now, refusal: Refusal) -> Turn {
        let is_eap = self.asked.hints.method == Some(Method::EapTls);
        let failure = if is_eap { self.eap.failure() } else { Vec::new() };
        self.phase = Phase::Over;
        Turn::End(reply::reject(failure), Box::new(self.refused(now, refusal)))
    }

    fn refused(&self, now: Now, refusal: Refusal) -> Ended {
        let mut authentication = self.authentication(now);
        authentication.evidence = refusal.evidence;
        authentication.tls = refusal.tls;
        let seen = refusal.decided.as_ref().and_then(Decided::seen);
        if let Some(decided) = refusal.decided {
            decided.tell(&mut authentication);
        }
        Ended { outcome: Outcome::Reject, reason: refusal.reason, authentication, seen, admitted: None }
    }

    /// The supplicant or its NAS fell silent. Whoever was told by an alert that it is refused has been refused; of others it says how far they got,
    /// since a supplicant that doesn't trust our certificate often says nothing more. `None`: it had not even said who it is.
    #[must_use]
    pub(crate) fn expire(mut self, now: Now) -> Option<Ended> {
        self.identity.as_ref()?;
        let mut authentication = self.authentication(now);
        let mut would_let_in = None;
        let silent_after = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Refusing(refusal) => return Some(self.refused(now, *refusal)),
            Phase::AwaitIdentity | Phase::Over => return None,
            Phase::Started => "EAP-TLS start: the device may have no profile for EAP-TLS",
            Phase::Pending(..) | Phase::Handshaking(_) => {
                "a flight of the handshake: the device may not trust the server's certificate, or wait for its user"
            }
            Phase::Asking(asking) => {
                let Asking { decided, finished, .. } = *asking;
                would_let_in = Some((decided, finished));
                "a question about the certificate, which nobody has answered in time"
            }
            Phase::Confirming(decided, finished) => {
                would_let_in = Some((*decided, finished));
                "the end of the handshake"
            }
        };
        authentication.evidence = vec![Evidence::Protocol(format!("silence after {silent_after}"))];
        let seen = would_let_in.as_ref().and_then(|(decided, _)| decided.seen());
        if let Some((decided, finished)) = would_let_in {
            authentication.tls = Some(finished.version);
            decided.tell(&mut authentication);
        }
        Some(Ended {
            outcome: Outcome::Drop,
            reason: Reason::ConversationExpired,
            authentication,
            seen,
            admitted: None,
        })
    }

    fn authentication(&self, now: Now) -> Authentication {
        let service = self.service.and_then(|service| self.by.policy.service(service));
        Authentication {
            service: service.map(|service| service.name.clone()),
            method: self.asked.hints.method.unwrap_or(Method::None),
            user: None,
            outer_identity: self
                .identity
                .as_ref()
                .map(|identity| identity.text.clone())
                .or_else(|| self.asked.user_name.clone()),
            certificate: None,
            mac: self.asked.marks.station.clone().map(Into::into),
            ssid: self.asked.hints.ssid.clone(),
            tls: None,
            resumed: false,
            duration: now.mono.since(self.started),
            rounds: self.rounds,
            evidence: Vec::new(),
        }
    }
}
