//! Sekisho beside FreeRADIUS and hostapd: the same certificates, the same core, in turns, under the load of `sekisho load`.
//!
//! `benches/peers/run` installs the two and runs this; `cargo bench --bench peers` is this alone. Behind `--`:
//! `--quick`: one short round; `--rounds N`; `--seconds N` for each measurement; `--only TEXT`: only the lines whose name holds it; `--without-million`: no CRL of a million entries;
//! `--sekisho FILE`: another build of the program; `--svg FILE`: where the picture goes.
//! The servers have one core to themselves (the first that this may use), the generator has the others. Everything is on loopback.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "who measures takes the time and asks servers"
)]

#[expect(dead_code, reason = "shared: the other benches use more of it")]
#[path = "../shared/campus.rs"]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
mod measure;
#[path = "../shared/pem.rs"]
mod pem;
mod picture;
mod report;
mod servers;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;

use campus::{Campus, KeyKind};
use measure::{Generator, Load, Seen, median};
use report::{Line, Report};
use servers::{Files, Kind, Server};

const MEMBERS: usize = 16;

/// How much is measured.
#[derive(Clone, Debug)]
struct Amount {
    rounds: usize,
    time: Duration,
    only: Option<String>,
    million: bool,
}

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pace {
    Saturated,
    /// Of its own rate when it was saturated in the same round.
    Half,
    Hundred,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    key: KeyKind,
    version: TlsVersion,
    resume: bool,
    entries: u32,
    pace: Pace,
}

impl Scenario {
    const fn full(key: KeyKind, version: TlsVersion) -> Self {
        Self { key, version, resume: false, entries: 0, pace: Pace::Saturated }
    }

    fn name(self) -> String {
        let login = if self.resume { "resumed" } else { "full" };
        let crl = match self.entries {
            0 => String::new(),
            entries => format!(", CRL of {} entries", report::thousands(entries)),
        };
        let pace = match self.pace {
            Pace::Saturated => "",
            Pace::Half => ", half of that",
            Pace::Hundred => ", 100 a second",
        };
        format!("{login}, {}, TLS {}{crl}{pace}", self.key, self.version.name())
    }

    pub(crate) fn is_full_at_saturation(self) -> bool {
        !self.resume && self.pace == Pace::Saturated
    }

    /// But for resumption and pace.
    pub(crate) fn same_handshake(self, other: &Self) -> bool {
        (self.key, self.version, self.entries) == (other.key, other.version, other.entries)
    }

    /// A peer with a long CRL takes so long for each that more at once would make the access points ask again.
    fn at_once(self) -> u32 {
        if self.entries >= 1_000_000 { 12 } else { 48 }
    }
}

/// Grouped by what the servers must be started anew for.
fn scenarios() -> Vec<Scenario> {
    use KeyKind::{P256, Rsa};
    use TlsVersion::{Tls12, Tls13};
    let mut scenarios = Vec::new();
    for key in [Rsa, P256] {
        let full = Scenario::full(key, Tls13);
        scenarios.push(full);
        scenarios.push(Scenario { pace: Pace::Half, ..full });
        scenarios.push(Scenario { pace: Pace::Hundred, ..full });
        scenarios.push(Scenario::full(key, Tls12));
        for version in [Tls12, Tls13] {
            scenarios.push(Scenario { resume: true, ..Scenario::full(key, version) });
        }
    }
    for (key, entries) in [(Rsa, 100_000), (P256, 100_000), (Rsa, 1_000_000), (P256, 1_000_000)] {
        scenarios.push(Scenario { entries, ..Scenario::full(key, Tls13) });
    }
    scenarios
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test: then nothing is started.
    if !has("--bench") || has("--test") {
        return println!("peers: needs FreeRADIUS and hostapd; benches/peers/run measures");
    }
    let value = |wanted: &str| arguments.iter().skip_while(|argument| *argument != wanted).nth(1).cloned();
    let quick = has("--quick");
    let rounds = value("--rounds").map(|rounds| rounds.parse().expect("--rounds: a number"));
    let seconds = value("--seconds").map(|text| Duration::from_secs_f64(text.parse().expect("--seconds: a number")));
    let amount = Amount {
        rounds: rounds.unwrap_or(if quick { 1 } else { 3 }),
        time: seconds.unwrap_or(Duration::from_millis(if quick { 1_500 } else { 5_000 })),
        only: value("--only"),
        million: !quick && !has("--without-million"),
    };
    let sekisho = value("--sekisho").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_sekisho")), PathBuf::from);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let svg = value("--svg").map_or_else(|| dir.join("peers.svg"), PathBuf::from);
    let report = measure_all(&amount, &sekisho, &dir);
    println!("{report}");
    fs::write(dir.join("peers.txt"), report.to_string()).expect("the bench's own directory");
    fs::write(&svg, picture::draw(&report)).unwrap_or_else(|error| panic!("{}: {error}", svg.display()));
    println!("The picture is {}.", svg.display());
}

fn measure_all(amount: &Amount, sekisho: &Path, dir: &Path) -> Report {
    let cores = cores();
    let (server_core, own) = cores.split_first().filter(|(_, own)| !own.is_empty()).expect("two cores at least");
    let generator = Generator { sekisho, cores: &own[..own.len().min(4)] };
    let begun = Instant::now();
    let versions = Kind::ALL.map(|kind| kind.version(sekisho));
    let mut report = Report::new(versions.join(", "), amount.rounds, amount.time);
    let mut left: Vec<Scenario> = scenarios();
    left.retain(|scenario| {
        (amount.million || scenario.entries < 1_000_000)
            && amount.only.as_ref().is_none_or(|only| scenario.name().contains(only.as_str()))
    });
    while let Some(first) = left.first().copied() {
        let together = |scenario: &Scenario| (scenario.key, scenario.entries) == (first.key, first.entries);
        let group: Vec<Scenario> = left.iter().copied().filter(together).collect();
        left.retain(|scenario| !together(scenario));
        eprintln!("{:>5.0} s  {} with {} CRL entries", begun.elapsed().as_secs_f64(), first.key, first.entries);
        let mut stage = Stage::set(first, dir, sekisho, *server_core);
        report.lines.extend(stage.measure(&group, amount, &generator));
        report.memory.push(stage.memory(&first));
    }
    report.set_apart();
    report
}

/// The cores that this process may use.
fn cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("Linux");
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.trim().parse::<usize>().expect("a core");
        number(first)..=number(last)
    };
    list.split(',').flat_map(range).collect()
}

/// All servers with one campus.
struct Stage<'a> {
    files: Vec<Files>,
    servers: Vec<Server>,
    sekisho: &'a Path,
    core: usize,
}

impl<'a> Stage<'a> {
    fn set(scenario: Scenario, dir: &Path, sekisho: &'a Path, core: usize) -> Self {
        let mut campus = Campus::new(scenario.key, scenario.key, MEMBERS);
        campus.publish(scenario.entries);
        let of = |kind: Kind| dir.join(format!("{}-{}-{}", kind.name(), scenario.key, scenario.entries));
        let files: Vec<Files> = Kind::ALL
            .map(|kind| {
                let _ = fs::remove_dir_all(of(kind));
                Files::write(of(kind), &campus)
            })
            .into();
        let servers = Kind::ALL.iter().zip(&files).map(|(kind, files)| Server::start(*kind, files, sekisho, core));
        Self { servers: servers.collect(), files, sekisho, core }
    }

    /// Round by round, and in each round server by server, so that whatever else this machine does befalls all.
    fn measure(&mut self, group: &[Scenario], amount: &Amount, generator: &Generator<'_>) -> Vec<Line> {
        let mut seen: Vec<[Vec<Seen>; 3]> = vec![<[Vec<Seen>; 3]>::default(); group.len()];
        for round in 0..amount.rounds {
            let mut saturated = [0.0; 3];
            for (scenario, seen) in group.iter().zip(&mut seen) {
                for turn in 0..self.servers.len() {
                    // There and back again: ABC, CBA.
                    let index = if round % 2 == 0 { turn } else { self.servers.len() - 1 - turn };
                    self.make_room(index);
                    let one = self.measure_one(index, *scenario, saturated[index], amount, generator);
                    if scenario.pace == Pace::Saturated && !scenario.resume {
                        saturated[index] = one.rate;
                    }
                    let (name, kind) = (scenario.name(), self.servers[index].kind.name());
                    eprintln!(
                        "         {name}: {kind} {:.3} ms, {:.0} a second, {:.0} % busy",
                        one.cpu,
                        one.rate,
                        one.busy * 100.0
                    );
                    seen[index].push(one);
                }
            }
        }
        let lines = group.iter().zip(seen);
        lines.map(|(scenario, seen)| Line { scenario: *scenario, seen: seen.map(|all| Seen::median(&all)) }).collect()
    }

    /// hostapd remembers so many logins that it is full after one measurement.
    fn make_room(&mut self, index: usize) {
        if self.servers[index].kind == Kind::Hostapd {
            self.servers[index] = Server::start(Kind::Hostapd, &self.files[index], self.sekisho, self.core);
        }
    }

    fn measure_one(
        &self,
        index: usize,
        scenario: Scenario,
        saturated: f64,
        amount: &Amount,
        generator: &Generator<'_>,
    ) -> Seen {
        let Scenario { version, resume, pace, .. } = scenario;
        let rate = match pace {
            Pace::Saturated => None,
            Pace::Half => Some((saturated / 2.0).max(1.0)),
            Pace::Hundred => Some(100.0),
        };
        let load = Load { version, resume, rate, at_once: scenario.at_once(), time: amount.time };
        generator.run(&self.servers[index], &self.files[index], load)
    }

    fn memory(&self, scenario: &Scenario) -> report::Memory {
        let of = |figure: fn(&Server) -> f64| [0, 1, 2].map(|index| figure(&self.servers[index]));
        report::Memory {
            name: format!("{}, CRL of {} entries", scenario.key, report::thousands(scenario.entries)),
            started: of(|server| median(vec![server.started.as_secs_f64()])),
            idle: of(|server| server.idle as f64),
            loaded: of(|server| server.resident() as f64),
        }
    }
}
