//! The 256 Identifiers of one port.

/// Logins behind one access point at once: the rest of the Identifiers stay free, so that each is used again as late as may be, for servers that look for repeats by little else.
pub(super) const MOST: usize = 224;

/// One port.
#[derive(Debug)]
pub(super) struct AccessPoint {
    name: String,
    /// Which login waits for the answer to each Identifier.
    users: Vec<Option<usize>>,
    used: usize,
    last: u8,
}

impl AccessPoint {
    pub(super) fn new(number: u16) -> Self {
        Self { name: format!("load-{number}"), users: vec![None; 256], used: 0, last: 0 }
    }

    /// Its NAS-Identifier.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether another login may begin here.
    pub(super) fn has_room(&self) -> bool {
        self.used < MOST
    }

    /// The next Identifier that nobody uses.
    pub(super) fn free(&self) -> Option<u8> {
        let next = (1..=u8::MAX).map(|step| self.last.wrapping_add(step));
        { next }.find(|identifier| self.user(*identifier).is_none())
    }

    /// Who waits for an answer to it.
    pub(super) fn user(&self, identifier: u8) -> Option<usize> {
        self.users.get(usize::from(identifier)).copied().flatten()
    }

    pub(super) fn take(&mut self, identifier: u8, user: usize) {
        if let Some(place) = self.users.get_mut(usize::from(identifier)) {
            self.used += usize::from(place.replace(user).is_none());
            self.last = identifier;
        }
    }

    pub(super) fn release(&mut self, identifier: u8) {
        if let Some(place) = self.users.get_mut(usize::from(identifier)) {
            self.used -= usize::from(place.take().is_some());
        }
    }
}
