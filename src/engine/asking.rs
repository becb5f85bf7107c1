//! Who waits for somebody's answer: conversations about a certificate, records until they are written; bounded in number, in all and by NAS, and in time. An authority whose responders are slow takes no place from others'.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Bounds;
use crate::now::Mono;
use crate::quick::Map;

/// Who waits, and until when.
#[derive(Debug)]
pub(super) struct Asking {
    bounds: Bounds,
    waiting: Map<u64, Waiting>,
    deadlines: BTreeSet<(Mono, u64)>,
    by_nas: Counts,
    by_authority: Counts,
}

#[derive(Debug)]
struct Waiting {
    deadline: Mono,
    nas: Arc<str>,
    authority: Arc<str>,
}

/// How many there are of each name; those of which there is none aren't in it.
#[derive(Debug, Default)]
struct Counts(Map<Arc<str>, usize>);

impl Counts {
    fn of(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or(0)
    }

    fn add(&mut self, name: &Arc<str>) {
        *self.0.entry(name.clone()).or_default() += 1;
    }

    fn remove(&mut self, name: &str) {
        if let Some(count) = self.0.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(name);
            }
        }
    }
}

impl Asking {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (waiting, deadlines) = (Map::default(), BTreeSet::new());
        Self { bounds, waiting, deadlines, by_nas: Counts::default(), by_authority: Counts::default() }
    }

    /// A conversation of a NAS begins to wait for what is said of an authority's certificates; `false`: too many wait already.
    pub(super) fn insert(&mut self, now: Mono, number: u64, nas: &Arc<str>, authority: &Arc<str>) -> bool {
        let Bounds { most, nas_most, reserved, .. } = self.bounds;
        let is_full = self.waiting.len() >= most || self.by_nas.of(nas) >= nas_most;
        if is_full && self.by_authority.of(authority) >= reserved {
            return false;
        }
        let deadline = now + self.bounds.timeout;
        self.remove(number);
        self.waiting.insert(number, Waiting { deadline, nas: nas.clone(), authority: authority.clone() });
        self.deadlines.insert((deadline, number));
        self.by_nas.add(nas);
        self.by_authority.add(authority);
        true
    }

    /// It waits no more; `false`: it didn't.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let Some(Waiting { deadline, nas, authority }) = self.waiting.remove(&number) else { return false };
        self.deadlines.remove(&(deadline, number));
        self.by_nas.remove(&nas);
        self.by_authority.remove(&authority);
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

    fn bounds(most: usize, nas_most: usize) -> Bounds {
        Bounds { timeout: Duration::from_secs(2), most, nas_most, reserved: 16 }
    }

    #[test]
    fn so_many_wait_and_so_many_of_one_nas() {
        let (one, other, ca): (Arc<str>, Arc<str>, Arc<str>) = ("one".into(), "other".into(), "ca".into());
        let bounds = bounds(30, 20);
        let mut asking = Asking::new(bounds);
        for number in 0..20 {
            assert!(asking.insert(NOW, number, &one, &ca), "{number}");
        }
        assert!(!asking.insert(NOW, 20, &one, &ca), "one more of one NAS");
        for number in 21..31 {
            assert!(asking.insert(NOW, number, &other, &ca), "{number}");
        }
        assert!(!asking.insert(NOW, 31, &other, &ca), "one more in all");
        assert!(asking.remove(1) && !asking.remove(1) && !asking.remove(31));
        assert!(asking.insert(NOW, 32, &other, &ca));
        for number in 0..33 {
            asking.remove(number);
        }
        assert!(asking.by_nas.0.is_empty() && asking.by_authority.0.is_empty() && asking.deadlines.is_empty());
    }

    #[test]
    fn an_authority_for_whose_answers_everybody_waits_takes_no_place_from_another() {
        let (nas, slow, well): (Arc<str>, Arc<str>, Arc<str>) = ("nas".into(), "slow".into(), "well".into());
        let bounds = bounds(40, 30);
        let mut asking = Asking::new(bounds);
        let slow = (0..100).filter(|number| asking.insert(NOW, *number, &nas, &slow)).count();
        assert_eq!(slow, 30);
        let well = (100..200).filter(|number| asking.insert(NOW, *number, &nas, &well)).count();
        assert_eq!(well, 16);
    }

    #[test]
    fn each_has_its_time_and_the_first_goes_first() {
        let mut asking = Asking::new(bounds(3, 2));
        assert_eq!(asking.deadline(), None);
        asking.insert(NOW, 1, &"one".into(), &"ca".into());
        asking.insert(NOW + Duration::from_secs(1), 2, &"one".into(), &"ca".into());
        assert_eq!(asking.deadline(), Some(NOW + Duration::from_secs(2)));
        assert_eq!(asking.expired(NOW + Duration::from_millis(1_999)), None);
        assert_eq!(asking.expired(NOW + Duration::from_secs(9)), Some(1));
        asking.remove(1);
        assert_eq!(asking.deadline(), Some(NOW + Duration::from_secs(3)));
    }
}
