//! Sockets, timers, and the only clock: performs the engine's outputs, decides nothing about a packet.
//!
//! [`Doors::bind`] opens the sockets; [`Hall::spawn`] starts the one thread that owns them and the engine. Others reach the engine through the channel of orders
//! and hear of it through the sink of events and [`Gauges`]; what the engine wants to know of revocation is looked for by whoever made its [`Inquiry`], what it wants looked up is found by whoever made its [`Desk`], and what it wants written is written by whoever made its [`Books`]. The hall ends when the channel of orders is closed.

mod books;
mod clock;
mod desk;
mod door;
mod hall;
mod helpers;
mod inquiry;
mod outlets;
mod poller;
mod told;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use crate::engine::{BatchId, Cause};
use crate::now::Wall;

pub use books::Books;
pub use clock::Clock;
pub use desk::Desk;
pub use door::{BindError, Doors};
pub use hall::{Command, Hall, Heartbeat};
pub use inquiry::Inquiry;

/// `[listen]` and `[server].workers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `auth`
    pub auth: Vec<SocketAddr>,
    /// `accounting`
    pub accounting: Vec<SocketAddr>,
    /// Threads that may help with public-key work; 0: one less than there are cores.
    pub workers: usize,
}

impl Settings {
    /// How many threads help.
    #[must_use]
    pub fn helpers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if self.workers == 0 { cores() - 1 } else { self.workers }
    }
}

/// Sessions that have to go for one cause, and wait for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The batch.
    pub id: BatchId,
    /// Why they have to go.
    pub cause: Cause,
    /// Since when they wait.
    pub since: Wall,
    /// How many are live.
    pub sessions: usize,
}

/// What the hall is like at the moment; read by anybody.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Conversations that are alive.
    pub conversations: AtomicUsize,
    /// Steps that wait to be taken.
    pub waiting_steps: AtomicUsize,
    /// Rounds of the hall so far: how often it looked at everything.
    pub rounds: AtomicU64,
    /// Answers that the system did not take.
    pub unsent: AtomicU64,
    /// Times that receiving failed.
    pub receive_errors: AtomicU64,
    /// Live sessions of each service that has had any; `None`: of none that we know.
    pub sessions: Mutex<Vec<(Option<Arc<str>>, usize)>>,
    /// What waits for an operator, the oldest first.
    pub held: Mutex<Vec<Held>>,
}
