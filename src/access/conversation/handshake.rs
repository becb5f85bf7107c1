//! The part of a conversation that is public-key work: octets into TLS, a flight or the end out of it.

use std::sync::Arc;

use super::{Conversation, Phase, Refusal};
use crate::access::Snapshot;
use crate::access::gate::Gate;
use crate::access::turn::{Turn, Worked};
use crate::eap;
use crate::event::{Evidence, Reason, TlsVersion};
use crate::exchange::Nas;
use crate::now::Now;
use crate::tls::{Connection, Established, Failure, Progress};

/// A TLS handshake and who judges it.
pub(super) struct Handshake {
    connection: Option<Box<Connection>>,
    gate: Arc<Gate>,
    /// Octets of the client since TLS last had an answer: it keeps them until it has a whole message of its own.
    unanswered: usize,
}

impl Handshake {
    pub(super) fn new(gate: Gate) -> Self {
        Self { connection: None, gate: Arc::new(gate), unanswered: 0 }
    }

    /// Whether TLS has been asked anything yet.
    pub(super) fn is_begun(&self) -> bool {
        self.connection.is_some()
    }

    /// Counts octets that TLS had no answer to; whether there are more than `most`.
    fn goes_over(&mut self, octets: usize, most: usize) -> bool {
        self.unanswered = self.unanswered.saturating_add(octets);
        self.unanswered > most
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// What is left of a handshake that went well; the connection is gone, and its memory.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) keys: eap::Keys,
    pub(super) version: TlsVersion,
    pub(super) resumed: bool,
}

impl Conversation {
    /// The public-key work: reads the pending octets with TLS, judges, and makes the answer. Runs on any thread.
    pub fn work(&mut self, now: Now) -> Worked {
        let Phase::Pending(mut handshake, octets) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return Worked::Turn(self.out_of_turn(now, "no work is pending"));
        };
        let mut connection = match handshake.connection.take() {
            Some(connection) => connection,
            None => Box::new(self.connect(now, &handshake.gate)),
        };
        let progress = connection.receive(&octets, now.wall);
        let flight = connection.take_output();
        let worked = match progress {
            // One flight cut into many messages is no longer than one message may be.
            Progress::Continue if flight.is_empty() && handshake.goes_over(octets.len(), self.by.eap.max_message) => {
                Worked::Turn(self.out_of_turn(now, "TLS octets without end"))
            }
            Progress::Continue => {
                if !flight.is_empty() {
                    handshake.unanswered = 0;
                }
                handshake.connection = Some(connection);
                self.phase = Phase::Handshaking(handshake);
                Worked::Turn(self.send(flight))
            }
            Progress::Established(established) => {
                self.established(now, &handshake.gate, connection, established, flight)
            }
            Progress::Failed(failure) => {
                let version = connection.version();
                drop(connection);
                Worked::Turn(self.failed(now, &handshake.gate, failure, version, flight))
            }
        };
        if let Worked::Turn(turn) = &worked {
            self.remember(turn);
        }
        worked
    }

    /// After [`Worked::Settle`]: the last answer, decided again where what is in force has changed during the work. `nas`: who asks, with what it may ask for now.
    pub fn settle(&mut self, now: Now, by: &Arc<Snapshot>, nas: &Arc<Nas>) -> Turn {
        self.keep_up(now, by, nas);
        self.acknowledged(now)
    }

    /// The same response in another request is to get the same answer.
    pub(super) fn remember(&mut self, turn: &Turn) {
        if let (Some(last), Turn::Challenge(reply)) = (&mut self.last, turn) {
            last.answer.clone_from(&reply.eap);
        }
    }

    pub(super) fn send(&mut self, flight: Vec<u8>) -> Turn {
        let packet = self.eap.send(flight);
        self.challenge(packet)
    }

    fn connect(&self, now: Now, gate: &Arc<Gate>) -> Connection {
        let service = self.service.and_then(|service| self.by.policy.service(service));
        let (identities, context) = service.map_or((&[][..], &b""[..]), |s| (&s.identities[..], s.name.as_bytes()));
        self.by.tls.accept(identities, context, gate.clone(), now.wall)
    }

    fn established(
        &mut self,
        now: Now,
        gate: &Gate,
        mut connection: Box<Connection>,
        established: Established,
        flight: Vec<u8>,
    ) -> Worked {
        let keys = eap::Keys::from_export(&established.keys, &established.method_id);
        let (Some(decided), Some(keys)) = (gate.take(), keys) else {
            let nothing = Evidence::Protocol("a handshake without decision or keys".to_owned());
            return Worked::Turn(self.refuse(now, Refusal::new(Reason::Internal, vec![nothing])));
        };
        let finished = Finished { keys, version: established.version, resumed: established.resumed };
        if !decided.questions.is_empty() {
            return self.ask(connection, decided, finished, flight);
        }
        connection.commit();
        self.phase = Phase::Confirming(Box::new(decided), finished);
        if flight.is_empty() { Worked::Settle } else { Worked::Turn(self.send(flight)) }
    }

    fn failed(&mut self, now: Now, gate: &Gate, failure: Failure, tls: Option<TlsVersion>, flight: Vec<u8>) -> Turn {
        let mut refusal = match failure {
            Failure::Judged(_) => match gate.take() {
                Some(decided) => Refusal {
                    reason: decided.decision.reason(),
                    evidence: decided.decision.evidence().to_vec(),
                    decided: Some(decided),
                    tls,
                },
                None => {
                    Refusal::new(Reason::Internal, vec![Evidence::Protocol("refused without a decision".to_owned())])
                }
            },
            Failure::NoCertificate => Refusal::new(Reason::NoCertificate, Vec::new()),
            Failure::BadSignature => Refusal::new(Reason::BadSignature, Vec::new()),
            Failure::ClientAlert(alert) => Refusal::new(Reason::ClientAlert, vec![Evidence::ClientAlert(alert)]),
            Failure::Protocol(text) => Refusal::new(Reason::TlsFailure, vec![Evidence::Protocol(text)]),
        };
        refusal.tls = tls;
        if flight.is_empty() {
            return self.refuse(now, refusal);
        }
        // RFC 9190 section 2.1.4: the alert, the peer's acknowledgement, then EAP-Failure.
        self.phase = Phase::Refusing(Box::new(refusal));
        self.send(flight)
    }
}
