//! Sessions that a supplicant remembers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// TLS 1.3 tickets kept; each is good for one handshake.
const TICKETS: usize = 8;

/// What one supplicant remembers of the one server that it talks to.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Sessions>);

#[derive(Debug, Default)]
struct Sessions {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
}

impl Memory {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One login's view of the memory: it always adds, and recalls only where resumption is offered.
#[derive(Debug)]
pub(super) struct Recall {
    pub(super) memory: Arc<Memory>,
    pub(super) offer: bool,
}

impl ClientSessionStore for Recall {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.memory.sessions().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.memory.sessions().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.memory.sessions().tls12 = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.memory.sessions().tls12.clone().filter(|_| self.offer)
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.memory.sessions().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut sessions = self.memory.sessions();
        if sessions.tickets.len() >= TICKETS {
            sessions.tickets.pop_front();
        }
        sessions.tickets.push_back(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.offer { self.memory.sessions().tickets.pop_back() } else { None }
    }
}
