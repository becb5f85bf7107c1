//! Logins with CRLs of each length in force.

use std::time::Duration;

use sekisho::event::TlsVersion;
use sekisho::supplicant::Supplicant;

use crate::campus::Campus;
use crate::world::World;
use crate::{Amount, median};

/// Microseconds of the server's for one login.
pub(crate) struct Logins {
    pub(crate) full: f64,
    pub(crate) resumed: f64,
}

/// An engine with a CRL, and those that log in to it, with what they remember of it.
struct Side {
    entries: u32,
    world: World,
    supplicants: Vec<Supplicant>,
    full: Vec<Duration>,
    resumed: Vec<Duration>,
}

/// With a CRL of each length, in that order. All engines take turns, so that what else the machine does meets all alike.
pub(crate) fn measure(campus: &mut Campus, amount: &Amount) -> Vec<Logins> {
    eprintln!("logins with CRLs of {:?} entries …", amount.sizes);
    let mut sides: Vec<Side> = amount.sizes.iter().map(|entries| Side::new(campus, *entries)).collect();
    for _ in 0..amount.batches {
        for member in 0..amount.members {
            for side in &mut sides {
                side.log_in(member);
            }
        }
        // Nobody always comes after the same.
        sides.reverse();
    }
    sides.sort_by_key(|side| side.entries);
    sides.into_iter().map(|side| Logins { full: median(side.full), resumed: median(side.resumed) }).collect()
}

impl Side {
    fn new(campus: &mut Campus, entries: u32) -> Self {
        campus.publish(entries);
        let supplicant = |member| campus.supplicant(member, TlsVersion::Tls13);
        let supplicants: Vec<_> = (0..campus.members()).map(supplicant).collect();
        let mut world = World::new(campus);
        // The chains become known.
        for (supplicant, number) in supplicants.iter().zip(0..) {
            world.log_in(supplicant, number, false);
        }
        Self { entries, world, supplicants, full: Vec::new(), resumed: Vec::new() }
    }

    /// One full login and one that resumes it.
    fn log_in(&mut self, member: usize) {
        let number = u32::try_from(member).expect("a small campus");
        let supplicant = &self.supplicants[member];
        let full = self.world.log_in(supplicant, number, false);
        let resumed = self.world.log_in(supplicant, number, true);
        assert!(!full.resumed && resumed.resumed);
        self.full.push(full.server);
        self.resumed.push(resumed.server);
    }
}
