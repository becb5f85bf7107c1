//! The hall: arrivals in, outputs and events out. It owns every table, and holds no protocol rules.
//!
//! Whoever drives it calls [`Engine::handle`], [`Engine::resume`] and [`Engine::handle_timeout`] for what the world does; after each, [`Engine::poll_output`] until it is empty,
//! then [`Engine::poll_step`] for work to be run anywhere and given back by `resume`, and sleeps until [`Engine::poll_timeout`] at the latest. Nothing else changes state.

mod accounting;
mod asking;
mod disconnects;
mod ended;
mod hall;
mod queue;
mod step;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use crate::access::{Attempt, Checked, Facts, Found, Lookup, Question, Search};
pub use crate::exchange::Datagram;
pub use crate::sessions::disconnect::{Automatic, Batch, BatchId, Cause, Disconnected, Past, Told};
pub use crate::sessions::{Change, Kept, Looked, Record, SessionId, Which};
pub use hall::Engine;
pub use step::{Step, Stepped};

use crate::access;
use crate::event::Event;
use crate::exchange::{self, Hop, Outgoing, Peers};
use crate::sessions;

/// Bounds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of the table of exchanges.
    pub exchange: exchange::Settings,
    /// `[eap].max-conversations`
    pub max_conversations: usize,
    /// `[eap].conversation-timeout`: how long a conversation waits for its next request; ten times that is the most it may take.
    pub conversation_timeout: Duration,
    /// How much public-key work may wait; beyond, new conversations are dropped.
    pub max_waiting: Duration,
    /// How long a conversation waits for what it has asked by [`Output::Ask`]; then it is decided with what is known.
    pub ask_timeout: Duration,
    /// How many conversations may wait for that at once; beyond, they are decided at once.
    pub max_asking: usize,
    /// How many of one NAS.
    pub nas_max_asking: usize,
    /// So many may wait for answers about any authority\'s certificates, however many wait for others: one whose responders are slow takes no place from another.
    pub reserved_asking: usize,
    /// Accounting records that wait until they are written; beyond, or after that time, there is no answer and the NAS asks again.
    pub records: Bounds,
    /// Of the table of live sessions.
    pub sessions: sessions::Settings,
}

/// How many may wait for something, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long each.
    pub timeout: Duration,
    /// How many at once.
    pub most: usize,
    /// How many of one NAS.
    pub nas_most: usize,
    /// So many of any one authority in any case.
    pub reserved: usize,
}

impl Settings {
    fn asking(&self) -> Bounds {
        Bounds {
            timeout: self.ask_timeout,
            most: self.max_asking,
            nas_most: self.nas_max_asking,
            reserved: self.reserved_asking,
        }
    }
}

/// Everything that decisions rest on; immutable, swapped whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Who may ask.
    pub peers: Arc<Peers>,
    /// What conversations decide by.
    pub access: Arc<access::Snapshot>,
    /// What happens to sessions that are condemned.
    pub disconnect: Automatic,
}

/// Names an order, to match its `Done`; a question, to match its `Answer`; a record, to match its `Written`.
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
    /// What was asked by [`Output::Ask`] has been answered as far as it will be: what there is to know is where decisions look for it.
    Answer(Ticket),
    /// What [`Output::Look`] asked for has been looked up.
    Found(Ticket, Found),
    /// What was told by [`Output::Record`] is on disk, or is not and will not be.
    Written(Ticket, bool),
    /// A datagram came to where [`Output::Request`] is sent from.
    Reply {
        /// Who sent it.
        from: SocketAddr,
        /// Its octets.
        octets: &'a [u8],
    },
}

/// What the shell may want.
#[derive(Clone, Debug)]
pub enum Order {
    /// Decide by this from now on. Bounds stay as they were at the start, but for the settings in here.
    Swap(Arc<Snapshot>),
    /// Begin no more conversations; `Done` comes when the last has ended.
    Drain,
    /// Which sessions are live? So many at most, after one.
    Look(Box<Which>, Option<SessionId>, usize),
    /// Have its NAS end a session (RFC 5176), as somebody wants; `Done` comes when the NAS has answered, or will not.
    Disconnect(SessionId, Arc<str>),
    /// Let a batch go that the guard holds.
    Release(BatchId),
    /// Let its sessions stay.
    Discard(BatchId),
    /// What does the guard hold?
    Held,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is carried out.
    Carried,
    /// Sessions that are live.
    Looked(Box<Looked>),
    /// What the NAS says.
    Disconnected(Box<Disconnected>),
    /// The batch that was released or discarded; `None`: there is none of that name.
    Batch(Option<Box<Batch>>),
    /// What the guard holds, the oldest first.
    Held(Vec<Batch>),
}

/// What somebody should hear of.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A NAS was told to end a session, or couldn't be.
    Disconnected(Box<Disconnected>),
    /// So many have to go at once that an operator decides.
    Held(Box<Batch>),
    /// These go by themselves.
    Going(Cause, BTreeSet<SessionId>),
}

/// What goes out.
#[derive(Debug)]
pub enum Output {
    /// A datagram to send.
    Send(Outgoing),
    /// What became of a packet.
    Event(Event),
    /// What came of an order.
    Done(Ticket, Done),
    /// A datagram to send from a socket of its own: something is asked of a NAS. What comes back is an [`Arrival::Reply`].
    Request(Datagram),
    /// Something about sessions that have to go.
    Notice(Notice),
    /// A conversation waits until these are answered, by [`Arrival::Answer`] with the same ticket, or its time is up.
    Ask(Ticket, Vec<Question>),
    /// A conversation waits until this is looked up, by [`Arrival::Found`] with the same ticket, or its time is up.
    Look(Ticket, Lookup),
    /// An accounting record to be written down. Its NAS is answered after [`Arrival::Written`] with the same ticket, and never before; the same record may come again under another.
    Record(Ticket, Box<Record>),
    /// What has become of a live session.
    Session(Change),
    /// A certificate whose chain and subject are verified, and whose key the client has proved to hold, was judged.
    Seen(Arc<Facts>),
}
