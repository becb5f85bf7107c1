//! The hall: arrivals in, outputs and events out. It owns every table, and holds no protocol rules.
//!
//! Whoever drives it calls [`Engine::handle`], [`Engine::resume`] and [`Engine::handle_timeout`] for what the world does; after each, [`Engine::poll_output`] until it is empty,
//! then [`Engine::poll_step`] for work to be run anywhere and given back by `resume`, and sleeps until [`Engine::poll_timeout`] at the latest. Nothing else changes state.

use std::sync::Arc;
use std::time::Duration;

use crate::access;
use crate::event::Event;
use crate::exchange::{self, Hop, Outgoing, Peers};
use crate::now::{Mono, Now};

/// Bounds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of the table of exchanges.
    pub exchange: exchange::Settings,
    /// `[eap].max-conversations`
    pub max_conversations: usize,
    /// `[eap].conversation-timeout`
    pub conversation_timeout: Duration,
    /// How much public-key work may wait; beyond, new conversations are dropped.
    pub max_waiting: Duration,
}

/// Everything that decisions rest on; immutable, swapped whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Who may ask.
    pub peers: Arc<Peers>,
    /// What conversations decide by.
    pub access: Arc<access::Snapshot>,
}

/// Names an order, to match its `Done`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What comes in.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// A datagram.
    Datagram {
        /// Its way.
        hop: Hop,
        /// Its octets.
        octets: &'a [u8],
    },
    /// Something that the shell wants done.
    Order(Ticket, Order),
}

/// What the shell may want.
#[derive(Clone, Debug)]
pub enum Order {
    /// Decide by this from now on. Bounds stay as they were at the start, but for the settings in here.
    Swap(Arc<Snapshot>),
    /// Begin no more conversations; `Done` comes when the last has ended.
    Drain,
}

/// What goes out.
#[derive(Debug)]
pub enum Output {
    /// A datagram to send.
    Send(Outgoing),
    /// What became of a packet.
    Event(Event),
    /// An order has been carried out.
    Done(Ticket),
}

/// Public-key work of one conversation: owns all that it needs, runs on any thread.
#[derive(Debug)]
pub struct Step {
    _private: (),
}

/// A [`Step`] that has been run.
#[derive(Debug)]
pub struct Stepped {
    _private: (),
}

impl Step {
    /// Does the work. A panic in it ends this conversation and no other.
    #[must_use]
    pub fn run(self, now: Now) -> Stepped {
        todo!()
    }
}

/// The hall.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
}

impl Engine {
    /// Empty tables.
    #[must_use]
    pub fn new(settings: Settings, snapshot: Arc<Snapshot>) -> Self {
        todo!()
    }

    /// Takes in what arrived.
    pub fn handle(&mut self, now: Now, arrival: Arrival<'_>) {
        todo!()
    }

    /// Takes a Step back; `took`: how long it ran, by which the queue is measured.
    pub fn resume(&mut self, now: Now, stepped: Stepped, took: Duration) {
        todo!()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        todo!()
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        todo!()
    }

    /// The next piece of work: of begun conversations first. Whoever takes it must give it back by [`Engine::resume`].
    pub fn poll_step(&mut self, now: Now) -> Option<Step> {
        todo!()
    }

    /// Pieces of work that wait to be taken.
    #[must_use]
    pub fn waiting_steps(&self) -> usize {
        todo!()
    }

    /// When [`Engine::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        todo!()
    }

    /// Conversations that are alive.
    #[must_use]
    pub fn conversations(&self) -> usize {
        todo!()
    }
}
