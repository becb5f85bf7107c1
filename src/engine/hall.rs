//! The engine itself: which table an arrival goes to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::accounting::Books;
use super::disconnects::Leaving;
use super::ended::Ended as LastAnswers;
use super::queue::Queue;
use super::table::{Full, Request, Slot, Table};
use super::{Arrival, Done, Facts, Kept, Order, Output, Past, Settings, Snapshot, Step, Stepped, Ticket};
use crate::access::{self, Asked, Conversation, Dialogue, Ended, FollowUp, Found, Keeper, State, Turn, Worked};
use crate::event::{Event, MessageAuthenticator, Outcome, Reason, RequestCode};
use crate::exchange::{Exchanges, Hop, Received, Reply};
use crate::now::{Mono, Now};
use crate::radius::{Code, Packet};
use crate::secret::NoRandom;

/// The hall.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    pub(super) snapshot: Arc<Snapshot>,
    exchanges: Exchanges,
    keeper: Keeper,
    pub(super) table: Table,
    last_answers: LastAnswers,
    queue: Queue,
    pub(super) books: Books,
    pub(super) leaving: Leaving,
    pub(super) outputs: VecDeque<Output>,
    /// No conversation begins any more, and no record is taken.
    pub(super) closed: bool,
    draining: Option<Ticket>,
}

impl Engine {
    /// Empty tables. The error: there are no random octets for the key of State.
    pub fn new(settings: Settings, snapshot: Arc<Snapshot>) -> Result<Self, NoRandom> {
        Self::restored(Now::default(), settings, snapshot, Vec::new(), Past::default())
    }

    /// With sessions that were live when the last process ended, and what had been decided about those that have to go. `now`: when this one begins; its sessions are numbered from there.
    pub fn restored(
        now: Now,
        settings: Settings,
        snapshot: Arc<Snapshot>,
        sessions: Vec<Kept>,
        past: Past,
    ) -> Result<Self, NoRandom> {
        let books = Books::new(now, settings, sessions);
        Ok(Self {
            snapshot,
            exchanges: Exchanges::new(settings.exchange),
            keeper: Keeper::new()?,
            table: Table::new(settings),
            last_answers: LastAnswers::new(settings.max_conversations, settings.conversation_timeout),
            queue: Queue::new(),
            leaving: Leaving::restored(now, past, &books.sessions),
            books,
            outputs: VecDeque::new(),
            closed: false,
            draining: None,
            settings,
        })
    }

    /// Takes in what arrived.
    pub fn handle(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Datagram { hop, octets } => self.datagram(now, hop, octets),
            Arrival::Order(ticket, Order::Swap(snapshot)) => {
                let begins = snapshot.disconnect.enabled && !self.snapshot.disconnect.enabled;
                self.snapshot = snapshot;
                if begins {
                    self.begin_disconnecting(now);
                }
                self.last_answers.clear();
                self.exchanges.forget_accepts();
                self.books.judge_all();
                self.outputs.push_back(Output::Done(ticket, Done::Carried));
            }
            Arrival::Answer(Ticket(number)) => self.answered(now, number),
            Arrival::Found(Ticket(number), found) => self.found(now, number, found),
            Arrival::Written(Ticket(number), written) => self.written(now, number, written),
            Arrival::Reply { from, octets } => self.replied(now, from, octets),
            Arrival::Order(ticket, Order::Drain) => {
                self.closed = true;
                self.draining = Some(ticket);
                self.drained();
            }
            Arrival::Order(ticket, order) => self.order_about_sessions(now, ticket, &order),
        }
    }

    /// Takes a Step back; `took`: how long it ran, by which the queue is measured.
    pub fn resume(&mut self, now: Now, stepped: Stepped, took: Duration) {
        let Stepped { number, begun, result } = stepped;
        self.queue.measured(begun, took);
        let Some((slot, request)) =
            self.table.get_mut(number).and_then(|slot| slot.pending.take().map(|request| (slot, request)))
        else {
            return;
        };
        let Some((mut conversation, worked)) = result else {
            let (reply, ended) = std::mem::take(&mut slot.lost).answer();
            return self.end(now, number, request, reply, ended);
        };
        let turn = match worked {
            Worked::Turn(turn) => turn,
            Worked::Settle => match self.snapshot.peers.find(request.hop.peer.ip()) {
                Some(nas) => conversation.settle(now, &self.snapshot.access, nas),
                None => return self.stranger(now, number, request),
            },
            Worked::Ask(questions) => {
                slot.conversation = Some(conversation);
                slot.pending = Some(request);
                return self.ask(now, number, questions);
            }
        };
        slot.conversation = Some(conversation);
        self.turn(now, number, request, turn);
    }

    /// Who asked is no NAS of ours any more.
    pub(super) fn stranger(&mut self, now: Now, number: u64, request: Request) {
        self.table.remove(number);
        self.unanswered(now, request, Reason::UnknownNas);
        self.drained();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.exchanges.handle_timeout(now);
        self.last_answers.expire(now.mono);
        while let Some((number, looks)) = self.table.unanswered(now.mono) {
            if looks { self.found(now, number, Found::Nothing) } else { self.answered(now, number) }
        }
        self.settle_books(now);
        while let Some(number) = self.table.expired(now.mono) {
            let Some(slot) = self.table.remove(number) else { break };
            self.gone(now, slot, Reason::ConversationExpired);
        }
        self.drained();
    }

    /// A conversation is over, without an answer.
    fn gone(&mut self, now: Now, slot: Slot, why: Reason) {
        if let Some(request) = slot.pending {
            self.unanswered(now, request, why);
        } else if let Some(Ended { outcome, reason, authentication, seen, admitted: _ }) =
            slot.conversation.and_then(|conversation| conversation.expire(now))
        {
            let event = Event { code: None, nas: Some(slot.nas.name.clone()), ..dropped(now, slot.hop, reason) };
            self.event(Event { outcome, authentication: Some(Box::new(authentication)), ..event });
            self.seen(seen);
        }
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next piece of work: of begun conversations first. Whoever takes it must give it back by [`Engine::resume`].
    pub fn poll_step(&mut self) -> Option<Step> {
        loop {
            let (number, begun) = self.queue.pop()?;
            // One that had to go meanwhile needs no work.
            if let Some(conversation) = self.table.get_mut(number).and_then(|slot| slot.conversation.take()) {
                return Some(Step { number, conversation, begun });
            }
        }
    }

    /// Pieces of work that wait to be taken.
    #[must_use]
    pub fn waiting_steps(&self) -> usize {
        self.queue.len()
    }

    /// When [`Engine::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let due = [
            self.exchanges.poll_timeout(),
            self.table.deadline(),
            self.last_answers.deadline(),
            self.books.poll_timeout(),
            self.leaving.poll_timeout(),
        ];
        due.into_iter().flatten().min()
    }

    /// Conversations that are alive.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.table.len()
    }

    fn datagram(&mut self, now: Now, hop: Hop, octets: &[u8]) {
        let peers = self.snapshot.peers.clone();
        let event = dropped(now, hop, Reason::Duplicate);
        match self.exchanges.receive(now, &peers, hop, octets) {
            Received::Dropped { reason, code, nas, message_authenticator, superseded: _ } => {
                let nas = nas.map(|nas| nas.name.clone());
                let code = Some(code);
                self.event(Event { reason, code, nas, message_authenticator, ..event });
            }
            Received::Repeat { id, code, outgoing, nas, message_authenticator } => {
                self.table.repeated(now.mono, id);
                self.outputs.push_back(Output::Send(outgoing));
                let (code, message_authenticator) = (Some(code), Some(message_authenticator));
                self.event(Event { nas: Some(nas.name.clone()), code, message_authenticator, ..event });
            }
            Received::Status { outgoing, nas } => {
                self.outputs.push_back(Output::Send(outgoing));
                let message_authenticator = Some(MessageAuthenticator::Present);
                let (outcome, reason, code) = (Outcome::Accept, Reason::Ok, Some(RequestCode::StatusServer));
                self.event(Event {
                    nas: Some(nas.name.clone()),
                    message_authenticator,
                    outcome,
                    reason,
                    code,
                    ..event
                });
            }
            // The late answer of the exchange that this one ends finds no exchange to go to.
            Received::Request { id, nas, packet, message_authenticator, superseded: _ } => {
                let is_accounting = packet.code() == Code::ACCOUNTING_REQUEST;
                let code = if is_accounting { RequestCode::AccountingRequest } else { RequestCode::AccessRequest };
                let request = Request { hop, exchange: id, code, nas, message_authenticator };
                if is_accounting { self.account(now, request, &packet) } else { self.request(now, request, &packet) }
            }
        }
    }

    fn request(&mut self, now: Now, request: Request, packet: &Packet<'_>) {
        let state = State::of(packet);
        let nas = request.hop.peer.ip();
        // A State is no secret, and its answer goes to whoever asks last: without a Message-Authenticator nobody goes on with a handshake or a name, nor asks for its end again.
        let is_signed = request.message_authenticator == MessageAuthenticator::Present || request.nas.may_go_unsigned();
        if state.is_some() && !is_signed {
            return self.unanswered(now, request, Reason::MissingAuthenticator);
        }
        let password = || self.exchanges.password(request.exchange, packet);
        if let Some(number) = state.and_then(|state| self.table.named(state, nas)) {
            return match FollowUp::read(packet, password) {
                Ok(asked) if !self.table.is_of(number, &asked) => self.unanswered(now, request, Reason::BadIdentity),
                Ok(asked) => self.go_on(now, number, request, asked),
                Err(_) => self.break_off(now, number, request),
            };
        }
        match Asked::read(packet, &request.nas, password) {
            Ok(asked) => match state {
                None => self.begin(now, request, asked),
                Some(state) => {
                    let number = self.keeper.open(state, nas);
                    self.too_late(now, request, number, asked);
                }
            },
            Err(_) => {
                let (reply, ended) = access::unreadable();
                self.answer(now, &request, reply);
                self.ended(now, &request, ended);
            }
        }
    }

    fn break_off(&mut self, now: Now, number: u64, request: Request) {
        let idle = self.table.get_mut(number).filter(|slot| slot.pending.is_none());
        match idle.and_then(|slot| slot.conversation.as_mut()) {
            Some(conversation) => {
                let turn = conversation.unreadable(now);
                self.turn(now, number, request, turn);
            }
            None => self.unanswered(now, request, Reason::Malformed),
        }
    }

    /// The conversation that State names isn't alive, or was never ours.
    fn too_late(&mut self, now: Now, request: Request, number: Option<u64>, asked: Asked) {
        if let Some(reply) = number.and_then(|number| self.last_answers.again(number, &asked)) {
            self.answer(now, &request, reply);
            return self.event(of_request(dropped(now, request.hop, Reason::Duplicate), &request));
        }
        let (reply, ended) = Conversation::expired(&self.snapshot.access, asked);
        self.answer(now, &request, reply);
        self.ended(now, &request, ended);
    }

    fn begin(&mut self, now: Now, request: Request, asked: Asked) {
        if self.closed || self.queue.waiting() >= self.settings.max_waiting {
            return self.unanswered(now, request, Reason::Overload);
        }
        let number = self.table.next_number();
        let Ok(state) = self.keeper.make(number, request.hop.peer.ip()) else {
            return self.unanswered(now, request, Reason::Internal);
        };
        let station = asked.crowd();
        let is_authentic = request.message_authenticator == MessageAuthenticator::Present;
        let (nas, access) = (request.nas.clone(), &self.snapshot.access);
        let (conversation, turn) = Dialogue::begin(now, access, nas, state, asked, is_authentic);
        // One that ends with its first answer takes no place.
        if matches!(turn, Turn::Challenge(_) | Turn::Look(_) | Turn::Doubt(_)) {
            if let Err(Full) = self.table.make_room(&request.nas) {
                return self.unanswered(now, request, Reason::Overload);
            }
            self.table.insert(now.mono, number, conversation, &request, station);
            while let Some(slot) = self.table.next_evicted() {
                self.gone(now, slot, Reason::Overload);
            }
        }
        self.turn(now, number, request, turn);
    }

    fn go_on(&mut self, now: Now, number: u64, request: Request, asked: FollowUp) {
        let full = self.queue.waiting() >= self.settings.max_waiting;
        let Some(slot) = self.table.get_mut(number) else { return };
        if let Some(earlier) = slot.pending.take() {
            // Work is under way, and the NAS asks with a new authenticator: the answer goes to the newest (RFC 5080 section 2.2.2).
            slot.pending = Some(request);
            return self.unanswered(now, earlier, Reason::Duplicate);
        }
        let Some(conversation) = slot.conversation.as_mut() else {
            return self.unanswered(now, request, Reason::Duplicate);
        };
        if full && !conversation.is_begun() {
            return self.unanswered(now, request, Reason::Overload);
        }
        let turn = conversation.hear(now, &self.snapshot.access, &request.nas, asked);
        slot.hop = request.hop;
        self.table.touch(now.mono, number);
        self.turn(now, number, request, turn);
    }

    /// Carries out what a conversation wants.
    pub(super) fn turn(&mut self, now: Now, number: u64, request: Request, turn: Turn) {
        match turn {
            Turn::Drop(reason) => self.unanswered(now, request, reason),
            Turn::Challenge(reply) => {
                self.answer(now, &request, reply);
                self.table.answered(now.mono, number, request.exchange);
                self.table.ranked(number);
                let event = of_request(dropped(now, request.hop, Reason::Ok), &request);
                self.event(Event { outcome: Outcome::Challenge, ..event });
            }
            Turn::End(reply, ended) => self.end(now, number, request, reply, *ended),
            Turn::Look(lookup) => {
                let Some(slot) = self.table.get_mut(number) else { return };
                slot.pending = Some(request);
                self.table.ranked(number);
                self.look(now, number, lookup);
            }
            Turn::Doubt(questions) => {
                let Some(slot) = self.table.get_mut(number) else { return };
                slot.pending = Some(request);
                self.ask(now, number, questions);
            }
            Turn::Work(lost) => {
                let Some(slot) = self.table.get_mut(number) else { return };
                let begun = slot.conversation.as_ref().is_some_and(|conversation| conversation.is_begun());
                slot.pending = Some(request);
                slot.lost = lost;
                self.queue.push(number, begun);
            }
        }
    }

    fn end(&mut self, now: Now, number: u64, request: Request, reply: Reply, ended: Ended) {
        if let Some(conversation) = self.table.remove(number).and_then(|slot| slot.conversation) {
            self.last_answers.insert(now.mono, number, conversation.farewell(reply.clone()));
        }
        self.answer(now, &request, reply);
        self.ended(now, &request, ended);
        self.drained();
    }

    pub(super) fn answer(&mut self, now: Now, request: &Request, reply: Reply) {
        let outgoing = self.exchanges.answer(now, request.exchange, reply);
        self.outputs.extend(outgoing.map(Output::Send));
    }

    fn ended(&mut self, now: Now, request: &Request, ended: Ended) {
        let Ended { outcome, reason, authentication, seen, admitted } = ended;
        let event = of_request(dropped(now, request.hop, reason), request);
        self.event(Event { outcome, authentication: Some(Box::new(authentication)), ..event });
        self.seen(seen);
        if let Some(admitted) = admitted {
            self.admit(now, request, *admitted);
        }
    }

    fn seen(&mut self, facts: Option<Arc<Facts>>) {
        self.outputs.extend(facts.map(Output::Seen));
    }

    /// No answer will come.
    pub(super) fn unanswered(&mut self, now: Now, request: Request, reason: Reason) {
        self.exchanges.abandon(request.exchange);
        self.event(of_request(dropped(now, request.hop, reason), &request));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn drained(&mut self) {
        if self.table.len() == 0
            && self.books.is_settled()
            && let Some(ticket) = self.draining.take()
        {
            self.outputs.push_back(Output::Done(ticket, Done::Carried));
        }
    }
}

/// The event of a datagram of which nothing more is known.
pub(super) fn dropped(at: Now, hop: Hop, reason: Reason) -> Event {
    Event {
        at,
        listener: hop.listener,
        peer: hop.peer,
        code: Some(RequestCode::Other),
        nas: None,
        message_authenticator: None,
        outcome: Outcome::Drop,
        reason,
        authentication: None,
    }
}

/// Adds what is known of an authentic request.
pub(super) fn of_request(event: Event, request: &Request) -> Event {
    Event {
        code: Some(request.code),
        nas: Some(request.nas.name.clone()),
        message_authenticator: Some(request.message_authenticator),
        ..event
    }
}
