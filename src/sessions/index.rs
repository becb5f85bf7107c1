//! Who is where: sessions by Acct-Session-Id, by station, by device, by service.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::Device;
use super::session::{Session, SessionId};

type Named = (Arc<str>, Box<str>);

/// Sets of sessions; an empty one takes no place.
#[derive(Debug)]
struct Sets<K>(HashMap<K, BTreeSet<SessionId>>);

impl<K> Default for Sets<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Sets<K> {
    fn insert(&mut self, key: K, id: SessionId) {
        self.0.entry(key).or_default().insert(id);
    }

    fn remove(&mut self, key: &K, id: SessionId) {
        if let Some(set) = self.0.get_mut(key) {
            set.remove(&id);
            if set.is_empty() {
                self.0.remove(key);
            }
        }
    }

    fn get<'s>(&'s self, key: &K) -> impl Iterator<Item = SessionId> + use<'s, K> {
        self.0.get(key).into_iter().flatten().copied()
    }
}

/// All indices.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_acct: Sets<Named>,
    by_station: Sets<Named>,
    by_device: Sets<Arc<Device>>,
    by_service: HashMap<Option<Arc<str>>, usize>,
    /// Changes with the numbers by service.
    changes: u64,
}

impl Index {
    pub(super) fn insert(&mut self, session: &Session) {
        let (acct, station) = names(session);
        if let Some(acct) = acct {
            self.by_acct.insert(acct, session.id);
        }
        if let Some(station) = station {
            self.by_station.insert(station, session.id);
        }
        self.by_device.insert(Arc::clone(&session.device), session.id);
        *self.by_service.entry(session.service.clone()).or_default() += 1;
        self.changes += 1;
    }

    pub(super) fn remove(&mut self, session: &Session) {
        let (acct, station) = names(session);
        if let Some(acct) = acct {
            self.by_acct.remove(&acct, session.id);
        }
        if let Some(station) = station {
            self.by_station.remove(&station, session.id);
        }
        self.by_device.remove(&session.device, session.id);
        // Never forgotten, so that its gauge goes to zero: services are few.
        if let Some(count) = self.by_service.get_mut(&session.service) {
            *count = count.saturating_sub(1);
        }
        self.changes += 1;
    }

    pub(super) fn of_acct<'s>(
        &'s self,
        nas: &Arc<str>,
        acct_session: &str,
    ) -> impl Iterator<Item = SessionId> + use<'s> {
        self.by_acct.get(&(Arc::clone(nas), acct_session.into()))
    }

    pub(super) fn of_station<'s>(&'s self, nas: &Arc<str>, station: &str) -> impl Iterator<Item = SessionId> + use<'s> {
        self.by_station.get(&(Arc::clone(nas), station.into()))
    }

    pub(super) fn of_device<'s>(&'s self, device: &Arc<Device>) -> impl Iterator<Item = SessionId> + use<'s> {
        self.by_device.get(device)
    }

    /// One value for all of a device's sessions.
    pub(super) fn device(&self, device: &Device) -> Option<Arc<Device>> {
        self.by_device.0.get_key_value(device).map(|(device, _)| Arc::clone(device))
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = (Option<&Arc<str>>, usize)> {
        self.by_service.iter().map(|(service, count)| (service.as_ref(), *count))
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Nothing is left of any session.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_acct.0.is_empty() && self.by_station.0.is_empty() && self.by_device.0.is_empty()
    }
}

fn names(session: &Session) -> (Option<Named>, Option<Named>) {
    let named = |name: &Option<Box<str>>| Some((Arc::clone(&session.device.nas), name.clone()?));
    (named(&session.acct_session), named(&session.station))
}
