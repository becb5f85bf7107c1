//! Who waits for somebody's answer: conversations about a certificate, records until they are written; bounded in number, in all and by NAS, and in time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Bounds;
use crate::now::Mono;

/// Who waits, and until when.
#[derive(Debug)]
pub(super) struct Asking {
    bounds: Bounds,
    waiting: HashMap<u64, (Mono, Arc<str>)>,
    deadlines: BTreeSet<(Mono, u64)>,
    by_nas: HashMap<Arc<str>, usize>,
}

impl Asking {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, waiting: HashMap::new(), deadlines: BTreeSet::new(), by_nas: HashMap::new() }
    }

    /// One of a NAS begins to wait; `false`: too many wait already.
    pub(super) fn insert(&mut self, now: Mono, number: u64, nas: &Arc<str>) -> bool {
        let own = self.by_nas.get(nas).copied().unwrap_or(0);
        if self.waiting.len() >= self.bounds.most || own >= self.bounds.nas_most {
            return false;
        }
        let deadline = now + self.bounds.timeout;
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

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
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

    const NOW: Mono = Mono(Duration::from_secs(100));

    fn asking() -> Asking {
        Asking::new(Bounds { timeout: Duration::from_secs(2), most: 3, nas_most: 2 })
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
