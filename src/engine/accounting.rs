//! Accounting: a record is handed out to be written, and its NAS is answered when it is; what it says of sessions counts at once.

use std::sync::Arc;

use super::asking::Asking;
use super::hall::{dropped, of_request};
use super::table::Request;
use super::{Engine, Kept, Output, Settings, Snapshot, Ticket};
use crate::event::{Event, Outcome, Reason};
use crate::exchange::Reply;
use crate::now::{Mono, Now};
use crate::quick::Map;
use crate::radius::{Attributes, Code, Packet};
use crate::sessions::{Admitted, Law, Record, Sessions};

/// Requests whose records are being written, and who is online.
#[derive(Debug)]
pub(super) struct Books {
    requests: Map<u64, Request>,
    asking: Asking,
    pub(super) sessions: Sessions,
}

impl Books {
    pub(super) fn new(now: Now, settings: Settings, kept: Vec<Kept>) -> Self {
        let mut sessions = Sessions::new(settings.sessions, now);
        sessions.restore(now, kept);
        Self { requests: Map::default(), asking: Asking::new(settings.records), sessions }
    }

    /// What sessions are judged by has changed.
    pub(super) fn judge_all(&mut self) {
        self.sessions.judge_all();
    }

    /// Whether no record waits.
    pub(super) fn is_settled(&self) -> bool {
        self.asking.is_empty()
    }

    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        self.asking.deadline().into_iter().chain(self.sessions.poll_timeout()).min()
    }

    fn take(&mut self, number: u64) -> Option<Request> {
        self.asking.remove(number);
        self.requests.remove(&number)
    }
}

fn law(snapshot: &Snapshot) -> Law<'_> {
    let by = &*snapshot.access;
    Law { trust: &by.trust, revocation: &by.revocation, standing: &by.standing, policy: &by.policy }
}

impl Engine {
    /// The live sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.books.sessions
    }

    /// An Accounting-Request. A record that comes again while it is being written has another packet, and is written under that one too: whichever is on disk first is answered.
    pub(super) fn account(&mut self, now: Now, request: Request, packet: &Packet<'_>) {
        if self.closed {
            return self.unanswered(now, request, Reason::Overload);
        }
        let snapshot = Arc::clone(&self.snapshot);
        let nas = &request.nas.name;
        let open = |class: &[u8], station: &[u8]| snapshot.access.handles.open_class(class, nas, station);
        let Ok(record) = Record::read(packet, nas, request.hop.peer.ip(), now.wall, open) else {
            return self.unanswered(now, request, Reason::Malformed);
        };
        self.books.sessions.account(now, &record, law(&snapshot));
        self.tell_changes(now);
        let number = self.table.next_number();
        if !self.books.asking.insert(now.mono, number, nas, nas) {
            return self.unanswered(now, request, Reason::Overload);
        }
        self.books.requests.insert(number, request);
        self.outputs.push_back(Output::Record(Ticket(number), Box::new(record)));
    }

    /// A record is on disk, or will not be. One that comes too late finds nobody: its NAS asks again, and it is the same record.
    pub(super) fn written(&mut self, now: Now, number: u64, written: bool) {
        let Some(request) = self.books.take(number) else { return };
        if written {
            let (eap, attributes) = (Vec::new(), Attributes::default());
            self.answer(now, &request, Reply { code: Code::ACCOUNTING_RESPONSE, eap, attributes, keys: None });
            let event = of_request(dropped(now, request.hop, Reason::Ok), &request);
            self.event(Event { outcome: Outcome::Accept, ..event });
        } else {
            self.unanswered(now, request, Reason::Internal);
        }
        self.drained();
    }

    /// Somebody has been let in.
    pub(super) fn admit(&mut self, now: Now, request: &Request, admitted: Admitted) {
        let snapshot = Arc::clone(&self.snapshot);
        let device = admitted.marks.device(&request.nas.name, request.hop.peer.ip());
        self.books.sessions.admit(now, admitted, &device, law(&snapshot));
        self.tell_changes(now);
    }

    /// Does what is due.
    pub(super) fn settle_books(&mut self, now: Now) {
        while let Some(number) = self.books.asking.expired(now.mono) {
            match self.books.take(number) {
                Some(request) => self.unanswered(now, request, Reason::Overload),
                None => break,
            }
        }
        let snapshot = Arc::clone(&self.snapshot);
        self.books.sessions.handle_timeout(now, law(&snapshot));
        self.tell_changes(now);
    }

    fn tell_changes(&mut self, now: Now) {
        self.pass_changes_on(now);
        self.settle_leaving(now);
    }
}
