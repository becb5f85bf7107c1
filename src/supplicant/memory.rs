//! Sessions that a supplicant remembers.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::lock::lock;
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// What one supplicant remembers of the one server that it talks to.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Sessions>);

#[derive(Debug, Default)]
struct Sessions {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// The newest alone, good for one handshake: other supplicants keep no more, and hostapd 2.10 refuses who comes with an older one.
    tls13: Option<Tls13ClientSessionValue>,
}

impl Memory {
    pub(super) fn has_session(&self) -> bool {
        let sessions = self.sessions();
        sessions.tls12.is_some() || sessions.tls13.is_some()
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.0)
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
        self.memory.sessions().tls13 = Some(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.offer { self.memory.sessions().tls13.take() } else { None }
    }
}
