//! What everything that grows adds to the price of a login: CRLs, NASes, blocks, half-open conversations.

use std::process::ExitCode;
use std::time::Duration;

use sekisho::event::TlsVersion;
use sekisho::supplicant::Supplicant;

use crate::campus::{Campus, KeyKind};
use crate::compare;
use crate::counting::{self, done, measured};
use crate::world::{Around, World};

/// The argument by which this program does what is counted.
pub(crate) const INSIDE: &str = "--inside-growth";

const TIMES: usize = 9;
/// Pairs whose times are compared.
const PAIRS: usize = 200;
const WARM: u32 = 12;
/// Where a ratio is above this, it's told which functions are to blame.
const MOST: f64 = 1.02;

struct Case {
    name: &'static str,
    crl: u32,
    around: Around,
}

const NOTHING: Around = Around { nas: 1, blocks: 0, half_open: 0 };

/// The first is what the others are compared with.
const CASES: [Case; 3] = [
    Case { name: "nothing", crl: 0, around: NOTHING },
    Case { name: "CRL with 1,000,000 entries", crl: 1_000_000, around: NOTHING },
    Case {
        name: "10,000 NASes, 100,000 blocks, 19,000 half-open",
        crl: 0,
        around: Around { nas: 10_000, blocks: 100_000, half_open: 19_000 },
    },
];

/// One side of the comparison, ready for logins.
struct Side {
    world: World,
    supplicant: Supplicant,
    number: u32,
}

impl Side {
    fn new(campus: &mut Campus, case: &Case) -> Self {
        campus.publish(case.crl);
        let supplicant = campus.supplicant(0, TlsVersion::Tls13);
        let mut side = Self { world: World::with(campus, &case.around, &supplicant), supplicant, number: 0 };
        for _ in 0..WARM {
            side.number += 1;
            side.world.log_in(&side.supplicant, side.number, false);
            side.world.log_in(&side.supplicant, side.number, true);
        }
        side
    }

    fn log_in(&mut self, resume: bool) -> Duration {
        self.number += 1;
        self.world.log_in(&self.supplicant, self.number, resume).server
    }
}

/// Under callgrind.
pub(crate) fn inside() {
    let mut campus = Campus::new(KeyKind::P256, KeyKind::P256, 1);
    for case in &CASES {
        let mut side = Side::new(&mut campus, case);
        for resume in [false, true] {
            for _ in 0..TIMES {
                side.number += 1;
                side.world.log_in_within(&side.supplicant, side.number, resume, |serve| measured(serve));
                done();
            }
        }
    }
}

pub(crate) fn report() -> ExitCode {
    let names: Vec<String> =
        CASES.iter().flat_map(|case| ["full", "resumed"].map(|kind| format!("{}: {kind}", case.name))).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    let counts = match counting::count(INSIDE, inside, &borrowed, TIMES) {
        Ok(counts) => counts,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::FAILURE;
        }
    };
    let times = times();
    println!(
        "TLS 1.3, P-256, chain known; instructions of our own functions for a login; time: median of the ratios of {PAIRS} pairs"
    );
    for (index, count) in counts.iter().enumerate() {
        let base = &counts[index % 2];
        let ratio = count.instructions as f64 / base.instructions as f64;
        println!("{:<58} {:>9} instructions  {ratio:.4}   time {:.2}", count.name, count.instructions, times[index]);
        if ratio > MOST {
            print!("{}", compare::between(count, base));
        }
    }
    ExitCode::SUCCESS
}

/// For each case, full and resumed: what a login takes beside one with nothing, each pair in turns.
fn times() -> Vec<f64> {
    let mut campus = Campus::new(KeyKind::P256, KeyKind::P256, 1);
    let mut sides: Vec<Side> = CASES.iter().map(|case| Side::new(&mut campus, case)).collect();
    let mut ratios = vec![Vec::new(); CASES.len() * 2];
    for pair in 0..PAIRS {
        for (kind, resume) in [false, true].into_iter().enumerate() {
            let mut took = vec![Duration::ZERO; CASES.len()];
            for turn in 0..CASES.len() {
                let case = (turn + pair) % CASES.len();
                took[case] = sides[case].log_in(resume);
            }
            for (case, took_here) in took.iter().enumerate() {
                ratios[case * 2 + kind].push(took_here.as_secs_f64() / took[0].as_secs_f64());
            }
        }
    }
    ratios.into_iter().map(median).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
