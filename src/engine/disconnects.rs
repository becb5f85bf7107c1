//! Sessions that have to go: condemned ones past the guard, and whatever an operator orders, on their way to their NAS.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Done, Engine, Notice, Order, Output, Ticket};
use crate::now::{Mono, Now};
use crate::sessions::disconnect::{BatchId, Disconnected, Disconnects, Guard, Online, Settled, Wish};
use crate::sessions::{Change, Session, SessionId, State};

/// Who has to go.
#[derive(Debug)]
pub(super) struct Leaving {
    guard: Guard,
    disconnects: Disconnects,
}

impl Leaving {
    pub(super) fn new(now: Now) -> Self {
        Self { guard: Guard::new(now), disconnects: Disconnects::default() }
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
                Change::Put(_) => {}
            }
            self.outputs.push_back(Output::Session(change));
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
        if self.leaving.guard.is_due(now.mono, all_judged) {
            let Settled { go, held } = self.leaving.guard.settle(now, self.snapshot.disconnect);
            self.want(now, go, &Wish::Condemned);
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
