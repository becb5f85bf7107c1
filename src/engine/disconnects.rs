//! Sessions that have to go: condemned ones past the guard, and whatever an operator orders, on their way to their NAS.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Done, Engine, Notice, Order, Output, Ticket};
use crate::now::{Mono, Now};
use crate::sessions::disconnect::{Batch, BatchId, Disconnected, Disconnects, Guard, Online, Past, Settled, Wish};
use crate::sessions::{Change, Session, SessionId, Sessions, State};

/// Who has to go.
#[derive(Debug)]
pub(super) struct Leaving {
    guard: Guard,
    disconnects: Disconnects,
    /// Not all sessions have been judged since the start.
    is_new: bool,
}

impl Leaving {
    /// Where the last process has left off.
    pub(super) fn restored(now: Now, past: Past, sessions: &Sessions) -> Self {
        let guard = Guard::restored(now, past, |id| sessions.get(id).is_some());
        Self { guard, disconnects: Disconnects::default(), is_new: true }
    }

    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        self.guard.poll_timeout().into_iter().chain(self.disconnects.poll_timeout()).min()
    }
}

impl Engine {
    /// An operator's order about sessions.
    pub(super) fn order_about_sessions(&mut self, now: Now, ticket: Ticket, order: &Order) {
        let done = match order {
            Order::Look(which, after, most) => Done::Looked(Box::new(self.books.sessions.look(which, *after, *most))),
            Order::Disconnect(id, by) => {
                self.want(now, [*id], &Wish::Order(ticket.0, Arc::clone(by)));
                return self.tell_of_leaving(now);
            }
            Order::Release(id) => {
                let released = self.leaving.guard.release(*id);
                let sessions = released.iter().flat_map(|batch| &batch.sessions).copied().collect::<Vec<_>>();
                self.want(now, sessions, &Wish::Condemned);
                self.tell_of_leaving(now);
                Done::Batch(released.map(Box::new))
            }
            Order::Discard(id) => Done::Batch(self.leaving.guard.discard(*id).map(Box::new)),
            Order::Held => Done::Held(self.leaving.guard.batches().cloned().collect()),
            Order::Swap(_) | Order::Drain => return,
        };
        self.outputs.push_back(Output::Done(ticket, done));
    }

    /// A datagram came to where NAS are told from.
    pub(super) fn replied(&mut self, now: Now, from: SocketAddr, octets: &[u8]) {
        let online = Online { sessions: &self.books.sessions, peers: &self.snapshot.peers };
        self.leaving.disconnects.replied(now, from, octets, online);
        self.tell_of_leaving(now);
    }

    /// Tells what has changed in the table, and sees what it means for those that have to go.
    pub(super) fn pass_changes_on(&mut self, now: Now) {
        while let Some(change) = self.books.sessions.poll_change() {
            match &change {
                Change::Condemned(session) => self.condemned(now, session),
                Change::Ended(ids, ..) => self.leaving.guard.ended(ids),
                Change::Pardoned(ids) => self.leaving.guard.pardoned(ids),
                Change::Put(_) => {}
            }
            self.outputs.push_back(Output::Session(change));
        }
    }

    /// What the guard holds, and a number that is another whenever that may be something else.
    pub fn held(&self) -> (u64, impl Iterator<Item = &Batch>) {
        (self.leaving.guard.version(), self.leaving.guard.batches())
    }

    /// Sessions go by themselves from now on: those that have had to for a while, too.
    pub(super) fn begin_disconnecting(&mut self, now: Now) {
        let condemned = self.books.sessions.iter().filter(|session| session.state != State::Good);
        for session in condemned.cloned().collect::<Vec<_>>() {
            self.condemned(now, &session);
        }
    }

    fn condemned(&mut self, now: Now, session: &Session) {
        let State::Condemned(why) = &session.state else { return };
        if self.leaving.guard.condemned(now.mono, self.snapshot.disconnect, session, why) {
            self.want(now, [session.id], &Wish::Condemned);
        }
    }

    /// Does what is due about those that have to go.
    pub(super) fn settle_leaving(&mut self, now: Now) {
        let all_judged = self.books.sessions.all_judged();
        if all_judged && std::mem::replace(&mut self.leaving.is_new, false) {
            let pardoned = self.leaving.guard.forget_past();
            if !pardoned.is_empty() {
                self.outputs.push_back(Output::Session(Change::Pardoned(pardoned)));
            }
        }
        if self.leaving.guard.is_due(now.mono, all_judged) {
            let Settled { go, held } = self.leaving.guard.settle(now, self.snapshot.disconnect);
            for (cause, sessions) in go {
                self.want(now, sessions.iter().copied(), &Wish::Condemned);
                self.outputs.push_back(Output::Notice(Notice::Going(cause, sessions)));
            }
            held.into_iter().for_each(|id| self.tell_of_batch(id));
        }
        if self.leaving.disconnects.poll_timeout().is_some_and(|due| due <= now.mono) {
            let online = Online { sessions: &self.books.sessions, peers: &self.snapshot.peers };
            self.leaving.disconnects.handle_timeout(now, online);
        }
        self.tell_of_leaving(now);
    }

    fn want(&mut self, now: Now, ids: impl IntoIterator<Item = SessionId>, wish: &Wish) {
        let peers = Arc::clone(&self.snapshot.peers);
        for id in ids {
            let online = Online { sessions: &self.books.sessions, peers: &peers };
            self.leaving.disconnects.want(now, id, wish, online);
        }
    }

    fn tell_of_batch(&mut self, id: BatchId) {
        let batch = self.leaving.guard.batch(id).cloned();
        self.outputs.extend(batch.map(|batch| Output::Notice(Notice::Held(Box::new(batch)))));
    }

    fn tell_of_leaving(&mut self, now: Now) {
        while let Some(datagram) = self.leaving.disconnects.poll_datagram() {
            self.outputs.push_back(Output::Request(datagram));
        }
        while let Some(done) = self.leaving.disconnects.poll_result() {
            self.books.sessions.disconnected(now, &done);
            self.tell_of_disconnected(done);
        }
        self.pass_changes_on(now);
    }

    fn tell_of_disconnected(&mut self, done: Disconnected) {
        for order in &done.orders {
            self.outputs.push_back(Output::Done(Ticket(*order), Done::Disconnected(Box::new(done.clone()))));
        }
        self.outputs.push_back(Output::Notice(Notice::Disconnected(Box::new(done))));
    }
}
