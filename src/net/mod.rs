//! Sockets, timers, and the only clock: performs the engine's outputs, decides nothing about a packet.

use std::net::SocketAddr;

/// `[listen]` and `[server].workers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `auth`
    pub auth: Vec<SocketAddr>,
    /// Threads that may help with public-key work; 0: one less than there are cores.
    pub workers: usize,
}
