//! What a login costs whatever the registry holds: in the engine, with blocks in memory, and at the real server.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;

use crate::campus::Campus;
use crate::house::{Serving, Spent};
use crate::world::{Around, World};

/// Blocks in memory.
const BLOCKS: [u32; 3] = [0, 1_000, 100_000];

/// A login in the engine, with so many blocks.
pub(crate) struct Login {
    pub(crate) blocks: u32,
    pub(crate) resumed: bool,
    /// Microseconds: the median.
    pub(crate) time: f64,
    /// Less the first's, the median of pairs.
    pub(crate) ratio: f64,
    pub(crate) allocations: u64,
}

/// Engines take turns, so that the ratio holds on any machine.
pub(crate) fn in_the_engine(campus: &Campus, batches: usize) -> Vec<Login> {
    let supplicants: Vec<_> =
        (0..campus.members()).map(|member| campus.supplicant(member, TlsVersion::Tls13)).collect();
    let mut logins = Vec::new();
    for resumed in [false, true] {
        let mut worlds = BLOCKS.map(|number| World::among(campus, &Around { nas: 1, blocks: number, half_open: 0 }));
        for world in &mut worlds {
            for (supplicant, member) in supplicants.iter().zip(0..) {
                world.log_in(supplicant, member, resumed);
            }
        }
        let mut times = BLOCKS.map(|_| Vec::new());
        for batch in 0..batches {
            for (supplicant, member) in supplicants.iter().zip(0..) {
                for turn in 0..worlds.len() {
                    let which = (turn + batch) % worlds.len();
                    // A session is the server's own: each world resumes its own by a first login.
                    if resumed {
                        worlds[which].log_in(supplicant, member, false);
                    }
                    let measured = worlds[which].log_in(supplicant, member, resumed);
                    times[which].push(measured.server.as_secs_f64() * 1e6);
                }
            }
        }
        let first = times[0].clone();
        for ((number, world), times) in BLOCKS.into_iter().zip(&mut worlds).zip(times) {
            let ratio = median(times.iter().zip(&first).map(|(time, first)| time / first).collect());
            if resumed {
                world.log_in(&supplicants[0], 0, false);
            }
            let allocations = Cell::new(0);
            let counted = world.log_in_within(&supplicants[0], 0, resumed, |serve| {
                let mut answer = None;
                let made = allocation_counter::measure(|| answer = serve()).count_total;
                allocations.set(allocations.get() + made);
                answer
            });
            assert_eq!(counted.resumed, resumed);
            logins.push(Login { blocks: number, resumed, time: median(times), ratio, allocations: allocations.get() });
        }
    }
    logins
}

/// At the real server.
pub(crate) struct Served {
    pub(crate) full: Duration,
    pub(crate) resumed: Duration,
    pub(crate) logins: usize,
    /// Calls of read and write by the hall and its helpers meanwhile, and their octets.
    pub(crate) file_calls: (u64, u64),
}

pub(crate) fn at_the_server(campus: &Campus, serving: &Serving, batches: usize) -> Served {
    let supplicants: Vec<_> = (0..2).map(|member| campus.supplicant(member, TlsVersion::Tls13)).collect();
    let (mut full, mut resumed) = (Vec::new(), Vec::new());
    let before = serving.file_calls();
    for _ in 0..batches {
        for (supplicant, member) in supplicants.iter().zip(0..) {
            for (resume, times) in [(false, &mut full), (true, &mut resumed)] {
                let (time, logged_in) = serving.log_in(supplicant, member, resume);
                assert!(logged_in, "nothing stands against it");
                times.push(time);
            }
        }
    }
    let logins = full.len() + resumed.len();
    let middle = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let after = serving.file_calls();
    let file_calls = (after.0 - before.0, after.1 - before.1);
    Served { full: middle(full), resumed: middle(resumed), logins, file_calls }
}

/// How logins come to the server.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// A hundred a second: each of its packets wakes whom it concerns.
    Calm,
    /// As many at once as this.
    Busy(u32),
}

impl Pace {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Calm => "100 logins a second".to_owned(),
            Self::Busy(stations) => format!("{stations} stations without rest"),
        }
    }
}

/// Between two logins of a calm day.
const CALM: Duration = Duration::from_millis(10);
/// Until what was left behind is written.
const WRITTEN: Duration = Duration::from_millis(1_500);

/// What each kind of thread uses for a full login, everything that is written later included.
pub(crate) fn by_thread(campus: &Campus, serving: &Serving, pace: Pace, logins: u32) -> BTreeMap<String, (f64, f64)> {
    let before = serving.threads();
    let log_in =
        |supplicant: &_, member| assert!(serving.log_in(supplicant, member, false).1, "nothing stands against it");
    match pace {
        Pace::Calm => {
            let supplicant = campus.supplicant(0, TlsVersion::Tls13);
            let begun = Instant::now();
            for number in 0..logins {
                thread::sleep((CALM * number).saturating_sub(begun.elapsed()));
                log_in(&supplicant, number % 64);
            }
        }
        Pace::Busy(stations) => thread::scope(|scope| {
            // Something stands against the others.
            for (station, member) in (0..stations).zip((0..2).cycle()) {
                let (supplicant, log_in) = (campus.supplicant(member, TlsVersion::Tls13), &log_in);
                scope.spawn(move || (0..logins / stations).for_each(|_| log_in(&supplicant, station)));
            }
        }),
    }
    thread::sleep(WRITTEN);
    let each = |(name, after): (String, Spent)| {
        let before = before.get(&name).copied().unwrap_or_default();
        let processor = after.processor.saturating_sub(before.processor).as_secs_f64() * 1e6;
        let switches = after.switches.saturating_sub(before.switches) as f64;
        (name, (processor / f64::from(logins), switches / f64::from(logins)))
    };
    serving.threads().into_iter().map(each).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
