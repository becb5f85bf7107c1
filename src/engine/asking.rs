//! Conversations that wait for somebody's answer about a certificate: bounded in number, in all and by NAS, and in time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Settings;
use crate::now::Mono;

/// Who waits, and until when.
#[derive(Debug)]
pub(super) struct Asking {
    settings: Settings,
    waiting: HashMap<u64, (Mono, Arc<str>)>,
    deadlines: BTreeSet<(Mono, u64)>,
    by_nas: HashMap<Arc<str>, usize>,
}

impl Asking {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, waiting: HashMap::new(), deadlines: BTreeSet::new(), by_nas: HashMap::new() }
    }

    /// A conversation of a NAS begins to wait; `false`: too many wait already.
    pub(super) fn insert(&mut self, now: Mono, number: u64, nas: &Arc<str>) -> bool {
        let own = self.by_nas.get(nas).copied().unwrap_or(0);
        if self.waiting.len() >= self.settings.max_asking || own >= self.settings.nas_max_asking {
            return false;
        }
        let deadline = now + self.settings.ask_timeout;
        self.remove(number);
        self.waiting.insert(number, (deadline, nas.clone()));
        self.deadlines.insert((deadline, number));
        *self.by_nas.entry(nas.clone()).or_default() += 1;
        true
    }

    /// It waits no more; `false`: it didn't.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let Some((deadline, nas)) = self.waiting.remove(&number) else { return false };
        self.deadlines.remove(&(deadline, number));
        if let Some(own) = self.by_nas.get_mut(&nas) {
            *own -= 1;
            if *own == 0 {
                self.by_nas.remove(&nas);
            }
        }
        true
    }

    pub(super) fn deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// One that has waited long enough.
    pub(super) fn expired(&self, now: Mono) -> Option<u64> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::tests::settings;

    const NOW: Mono = Mono(Duration::from_secs(100));

    fn asking() -> Asking {
        let bounds = Settings { ask_timeout: Duration::from_secs(2), max_asking: 3, nas_max_asking: 2, ..settings() };
        Asking::new(bounds)
    }

    #[test]
    fn so_many_wait_and_so_many_of_one_nas() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut asking = asking();
        assert!(asking.insert(NOW, 1, &one) && asking.insert(NOW, 2, &one));
        assert!(!asking.insert(NOW, 3, &one), "a third of one NAS");
        assert!(asking.insert(NOW, 4, &other));
        assert!(!asking.insert(NOW, 5, &other), "a fourth in all");
        assert!(asking.remove(1) && !asking.remove(1) && !asking.remove(3));
        assert!(asking.insert(NOW, 6, &other));
        for number in [2, 4, 6] {
            assert!(asking.remove(number));
        }
        assert!(asking.by_nas.is_empty() && asking.deadlines.is_empty());
    }

    #[test]
    fn each_has_its_time_and_the_first_goes_first() {
        let mut asking = asking();
        assert_eq!(asking.deadline(), None);
        asking.insert(NOW, 1, &"one".into());
        asking.insert(NOW + Duration::from_secs(1), 2, &"one".into());
        assert_eq!(asking.deadline(), Some(NOW + Duration::from_secs(2)));
        assert_eq!(asking.expired(NOW + Duration::from_millis(1_999)), None);
        assert_eq!(asking.expired(NOW + Duration::from_secs(9)), Some(1));
        asking.remove(1);
        assert_eq!(asking.deadline(), Some(NOW + Duration::from_secs(3)));
    }
}
