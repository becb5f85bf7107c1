//! Conversations that wait until others have looked something up or asked somebody: they begin to, they have waited long enough, or there is no room for them.

use std::sync::Arc;

use super::hall::Engine;
use super::{Found, Lookup, Output, Question, Ticket};
use crate::access::{self, Dialogue, Turn};
use crate::event::Reason;
use crate::exchange::Nas;
use crate::now::Now;

impl Engine {
    /// Lets a conversation wait until its questions are answered, if not too many wait already; meanwhile the request stays without an answer.
    pub(super) fn ask(&mut self, now: Now, number: u64, questions: Vec<Question>) {
        // All of them are about one path, so about one authority's.
        let may_wait = questions.first().is_some_and(|one| self.table.ask(now.mono, number, &one.authority));
        if may_wait {
            self.outputs.push_back(Output::Ask(Ticket(number), questions));
        } else {
            self.decide(now, number);
        }
    }

    /// Lets a conversation wait until something has been looked up, if not too many wait already; meanwhile the request stays without an answer.
    pub(super) fn look(&mut self, now: Now, number: u64, lookup: Lookup) {
        if self.table.look(now.mono, number, &lookup) {
            self.outputs.push_back(Output::Look(Ticket(number), lookup));
        } else {
            self.crowded_out(now, number);
        }
    }

    /// There is no room to look it up: no answer, so that the NAS asks again, here or elsewhere. Whoever has been asked for a code is still there then.
    fn crowded_out(&mut self, now: Now, number: u64) {
        let Some(slot) = self.table.get_mut(number) else { return };
        let Some(request) = slot.pending.take() else { return };
        let stays = slot.conversation.as_mut().is_some_and(|conversation| conversation.crowded_out());
        if !stays {
            self.table.remove(number);
        }
        self.unanswered(now, request, Reason::Overload);
        self.drained();
    }

    /// Something has been looked up. Each thing is looked up once for a conversation: what comes too late, or to nothing, finds nobody.
    pub(super) fn found(&mut self, now: Now, number: u64, found: Found) {
        match self.table.stop_looking(number, &found).then_some(found) {
            Some(Found::NoRoom) => self.crowded_out(now, number),
            Some(found) => {
                self.waited(now, number, |conversation, access, nas| conversation.found(now, access, nas, found));
            }
            None => {}
        }
    }

    /// What a conversation has asked is answered. It asks once, and its number is used once: an answer that comes too late, or to nothing, finds nobody.
    pub(super) fn answered(&mut self, now: Now, number: u64) {
        if self.table.stop_asking(number) {
            self.decide(now, number);
        }
    }

    /// The decision that was held back, by what is known now.
    fn decide(&mut self, now: Now, number: u64) {
        self.waited(now, number, |conversation, access, nas| conversation.answered(now, access, nas));
    }

    /// A conversation has waited, and goes on with the request that it left without an answer.
    fn waited(
        &mut self,
        now: Now,
        number: u64,
        go_on: impl FnOnce(&mut Dialogue, &Arc<access::Snapshot>, &Arc<Nas>) -> Turn,
    ) {
        let Some(slot) = self.table.get_mut(number) else { return };
        let Some(conversation) = slot.conversation.as_mut() else { return };
        let Some(request) = slot.pending.take() else { return };
        let Some(nas) = self.snapshot.peers.find(request.hop.peer.ip()) else {
            return self.stranger(now, number, request);
        };
        let turn = go_on(conversation, &self.snapshot.access, nas);
        self.turn(now, number, request, turn);
    }
}
