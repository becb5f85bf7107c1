//! What a conversation answers, and what is left of it.

use std::hash::BuildHasher;
use std::sync::Arc;

use super::asked::is_same;
use super::{Asked, Facts, Lookup, Question, reply};
use crate::event::{Authentication, Evidence, Method, Outcome, Reason};
use crate::exchange::Reply;
use crate::quick::RandomState;
use crate::secret::Secret;
use crate::sessions::Admitted;

/// What a request leads to.
#[derive(Debug)]
pub enum Turn {
    /// An Access-Challenge.
    Challenge(Reply),
    /// The last answer.
    End(Reply, Box<Ended>),
    /// Public-key work is wanted before there is an answer: [`Conversation::work`](super::Conversation::work).
    Work(Lost),
    /// Somebody has to look something up before there is an answer: [`Dialogue::found`](super::Dialogue::found).
    Look(Lookup),
    /// Decided but for this: [`Dialogue::answered`](super::Dialogue::answered), once it is known or has been waited for long enough.
    Doubt(Vec<Question>),
    /// No answer.
    Drop(Reason),
}

/// What public-key work came to.
#[derive(Debug)]
pub enum Worked {
    /// An answer.
    Turn(Turn),
    /// All is done but the Accept: [`Conversation::settle`](super::Conversation::settle), by what is in force then.
    Settle,
    /// All is done, and decided but for this: [`Conversation::answered`](super::Conversation::answered), once it is known or has been waited for long enough.
    Ask(Vec<Question>),
}

/// What is answered when the work of a conversation is lost: it panicked.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    /// EAP-Failure.
    failure: Option<[u8; 4]>,
}

impl Lost {
    pub(super) fn new(failure: [u8; 4]) -> Self {
        Self { failure: Some(failure) }
    }

    /// The refusal, `internal`.
    #[must_use]
    pub fn answer(self) -> (Reply, Ended) {
        let authentication = Authentication { method: Method::EapTls, ..Authentication::default() };
        (
            reply::reject(self.failure.map_or_else(Vec::new, Vec::from)),
            Ended { outcome: Outcome::Reject, reason: Reason::Internal, authentication, seen: None, admitted: None },
        )
    }
}

/// The refusal of a first request whose EAP-Message attributes make no EAP packet. Which Identifier an EAP-Failure would want can't be known.
#[must_use]
pub fn unreadable() -> (Reply, Ended) {
    let evidence = vec![Evidence::Protocol("EAP-Message attributes that make no packet".to_owned())];
    let authentication = Authentication { method: Method::EapTls, evidence, ..Authentication::default() };
    (
        reply::reject(Vec::new()),
        Ended { outcome: Outcome::Reject, reason: Reason::Malformed, authentication, seen: None, admitted: None },
    )
}

/// How a conversation ended.
#[derive(Debug)]
pub struct Ended {
    /// `Accept` or `Reject`
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// Who, where, on which evidence.
    pub authentication: Authentication,
    /// What is known of a certificate whose chain and subject are verified and whose key the client has proved to hold, whether it was let in or not.
    pub seen: Option<Arc<Facts>>,
    /// Who was let in, after an Accept.
    pub admitted: Option<Box<Admitted>>,
}

/// The last answer of an ended conversation, and to what.
#[derive(Debug)]
pub struct Farewell {
    last: Option<u64>,
    hasher: RandomState,
    reply: Reply,
    /// Whose it is, where the code alone doesn't say.
    user_name: Option<String>,
}

impl Farewell {
    /// What is remembered of a one-time password.
    pub(super) fn code(code: &Secret) -> (&'static str, &[u8]) {
        ("code", code.expose())
    }

    pub(super) fn new(last: Option<u64>, hasher: RandomState, reply: Reply) -> Self {
        Self { last, hasher, reply, user_name: None }
    }

    /// Of a user, to nobody else.
    pub(super) fn of(self, user_name: Option<String>) -> Self {
        Self { user_name, ..self }
    }

    /// The last answer, if this is the last response again.
    #[must_use]
    pub fn again(&self, asked: &Asked) -> Option<Reply> {
        let hash = match &asked.said {
            Some(_) if !is_same(self.user_name.as_deref(), asked.user_name.as_deref()) => return None,
            Some(said) => self.hasher.hash_one(Self::code(said.password.as_ref()?)),
            None => self.hasher.hash_one(asked.eap.as_ref()?),
        };
        (self.last == Some(hash)).then(|| self.reply.clone())
    }
}
