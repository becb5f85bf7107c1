//! A conversation on either road: EAP-TLS, or without EAP.

use std::sync::Arc;

use super::{Asked, Conversation, Ended, Farewell, FollowUp, Found, Plain, Snapshot, State, Turn, Worked};
use crate::event::Reason;
use crate::exchange::{Nas, Reply};
use crate::now::Now;

/// A conversation.
#[derive(Debug)]
pub enum Dialogue {
    /// EAP.
    Eap(Conversation),
    /// A name and a password.
    Plain(Plain),
}

impl Dialogue {
    /// The first request of a conversation: `state` will name it; `is_authentic`: it carries a Message-Authenticator, which is right.
    #[must_use]
    pub fn begin(
        now: Now,
        by: &Arc<Snapshot>,
        nas: Arc<Nas>,
        state: State,
        asked: Asked,
        is_authentic: bool,
    ) -> (Self, Turn) {
        if asked.said.is_some() {
            let (plain, turn) = Plain::begin(now, by, nas, state, asked, is_authentic);
            (Self::Plain(plain), turn)
        } else {
            let (conversation, turn) = Conversation::begin(now, by, nas, state, asked);
            (Self::Eap(conversation), turn)
        }
    }

    /// Whether a further request may be of this conversation: without EAP it is the name that says whose code it brings, and a NAS that takes two users for one lets neither in.
    #[must_use]
    pub fn is_of(&self, asked: &FollowUp) -> bool {
        match self {
            Self::Eap(_) => true,
            Self::Plain(plain) => plain.is_of(asked),
        }
    }

    /// A further request. `by`: what is in force now; `nas`: who asks, with what it may ask for now.
    pub fn hear(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, asked: FollowUp) -> Turn {
        match self {
            Self::Eap(conversation) => conversation.hear(now, by, nas, asked),
            Self::Plain(plain) => plain.hear(now, by, nas, asked),
        }
    }

    /// A further request whose EAP-Message attributes make no EAP packet (RFC 3579 section 3.1).
    pub(crate) fn unreadable(&mut self, now: Now) -> Turn {
        match self {
            Self::Eap(conversation) => conversation.unreadable(now),
            Self::Plain(_) => Turn::Drop(Reason::Malformed),
        }
    }

    /// The public-key work: see [`Conversation::work`].
    pub fn work(&mut self, now: Now) -> Worked {
        match self {
            Self::Eap(conversation) => conversation.work(now),
            Self::Plain(_) => Worked::Turn(Turn::Drop(Reason::Internal)),
        }
    }

    /// See [`Conversation::settle`].
    pub fn settle(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) -> Turn {
        match self {
            Self::Eap(conversation) => conversation.settle(now, by, nas),
            Self::Plain(_) => Turn::Drop(Reason::Internal),
        }
    }

    /// What was asked about a certificate is known, or has been waited for long enough.
    pub fn answered(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) -> Turn {
        match self {
            Self::Eap(conversation) => conversation.answered(now, by, nas),
            Self::Plain(plain) => plain.answered(now, by, nas),
        }
    }

    /// After [`Turn::Look`]: what was looked up.
    pub fn found(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>, found: Found) -> Turn {
        match self {
            Self::Eap(_) => Turn::Drop(Reason::Internal),
            Self::Plain(plain) => plain.found(now, by, nas, found),
        }
    }

    /// There was no room to look anything up, and the request gets no answer; whether the conversation can go on with the same request again.
    #[must_use]
    pub fn crowded_out(&mut self) -> bool {
        match self {
            Self::Eap(_) => false,
            Self::Plain(plain) => plain.crowded_out(),
        }
    }

    /// What is left of an ended conversation.
    #[must_use]
    pub(crate) fn farewell(self, reply: Reply) -> Farewell {
        match self {
            Self::Eap(conversation) => conversation.farewell(reply),
            Self::Plain(plain) => plain.farewell(reply),
        }
    }

    /// Whether more than a first question and answer has been done for it: such a conversation goes before new ones.
    #[must_use]
    pub(crate) fn is_begun(&self) -> bool {
        match self {
            Self::Eap(conversation) => conversation.is_begun(),
            Self::Plain(plain) => plain.is_begun(),
        }
    }

    /// Whether its supplicant has been told that it is refused, and only has to say that it knows.
    #[must_use]
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Self::Eap(conversation) => conversation.is_told(),
            Self::Plain(_) => false,
        }
    }

    /// The State that names it.
    #[must_use]
    pub fn state(&self) -> &State {
        match self {
            Self::Eap(conversation) => conversation.state(),
            Self::Plain(plain) => plain.state(),
        }
    }

    /// The client fell silent; `None`: it had said nothing yet.
    #[must_use]
    pub(crate) fn expire(self, now: Now) -> Option<Ended> {
        match self {
            Self::Eap(conversation) => conversation.expire(now),
            Self::Plain(plain) => plain.expire(now),
        }
    }
}
