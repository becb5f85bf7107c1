//! The client has done its part, and nobody knows yet whether its certificate is revoked: our last flight waits for the answer.

use std::sync::Arc;

use super::handshake::Finished;
use super::{Conversation, Phase};
use crate::access::Snapshot;
use crate::access::gate::Decided;
use crate::access::turn::{Turn, Worked};
use crate::exchange::Nas;
use crate::now::Now;
use crate::tls::Connection;

/// A handshake that is over but for our last flight. Whoever drops this has let nobody in: no octet of the flight has left (in TLS 1.2 the client misses our Finished,
/// in TLS 1.3 the protected success, in both the tickets), and nothing that could be resumed is kept.
#[derive(Debug)]
pub(super) struct Asking {
    /// What it would make resumable is committed with the Accept or never.
    connection: Box<Connection>,
    /// Lets in, as if every question had been answered well.
    pub(super) decided: Decided,
    pub(super) finished: Finished,
    flight: Vec<u8>,
}

impl Conversation {
    pub(super) fn ask(
        &mut self,
        connection: Box<Connection>,
        decided: Decided,
        finished: Finished,
        flight: Vec<u8>,
    ) -> Worked {
        let questions = decided.questions.clone();
        self.phase = Phase::Asking(Box::new(Asking { connection, decided, finished, flight }));
        Worked::Ask(questions)
    }

    /// After [`Worked::Ask`], once what there is to know is known or has been waited for long enough: the answer, by what is in force now and what its NAS may ask for now. It asks nobody again.
    ///
    /// A refusal is a bare EAP-Failure: TLS is over for the client's part, and an alert would come after the flight that it waits for.
    pub fn answered(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) -> Turn {
        let Asking { mut connection, decided, finished, flight } = match std::mem::replace(&mut self.phase, Phase::Over)
        {
            Phase::Asking(asking) => *asking,
            _ => return self.out_of_turn(now, "an answer that nobody has asked for"),
        };
        self.phase = Phase::Confirming(Box::new(decided), finished);
        self.take_over(nas);
        self.renew(now, by);
        if !matches!(&self.phase, Phase::Confirming(decided, _) if decided.decision.accepts()) {
            return self.acknowledged(now);
        }
        connection.commit();
        let turn = if flight.is_empty() { self.acknowledged(now) } else { self.send(flight) };
        self.remember(&turn);
        turn
    }
}
