//! The table.

use std::fmt;
use std::time::Duration;

use crate::measure::Seen;
use crate::servers::Kind;
use crate::{Pace, Scenario};

/// One line: the medians of the servers, in the order of [`Kind::ALL`].
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) scenario: Scenario,
    pub(crate) seen: [Seen; 3],
}

/// What the servers hold.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) name: String,
    /// Seconds.
    pub(crate) started: [f64; 3],
    /// Octets.
    pub(crate) idle: [f64; 3],
    pub(crate) loaded: [f64; 3],
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) versions: String,
    pub(crate) rounds: usize,
    time: Duration,
    pub(crate) lines: Vec<Line>,
    pub(crate) memory: Vec<Memory>,
    /// Of the machine before the first measurement.
    load: f64,
}

impl Report {
    pub(crate) fn new(versions: String, rounds: usize, time: Duration) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default();
        Self { versions, rounds, time, lines: Vec::new(), memory: Vec::new(), load }
    }
}

impl Report {
    /// Takes the full logins out of what resumed ones are said to cost.
    pub(crate) fn set_apart(&mut self) {
        let full: Vec<Line> = self.lines.iter().filter(|line| line.scenario.is_full_at_saturation()).cloned().collect();
        for line in self.lines.iter_mut().filter(|line| line.scenario.resume) {
            let Some(full) = full.iter().find(|full| full.scenario.same_handshake(&line.scenario)) else { continue };
            for (seen, full) in line.seen.iter_mut().zip(full.seen) {
                seen.set_apart(full.cpu);
            }
        }
    }
}

impl Line {
    /// How many times as much CPU a peer needs.
    pub(crate) fn times(&self, peer: usize) -> f64 {
        let [ours, ..] = self.seen;
        if ours.cpu > 0.0 { self.seen[peer].cpu / ours.cpu } else { 0.0 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { versions, rounds, time, .. } = self;
        writeln!(f, "{versions}")?;
        writeln!(f, "Medians of {rounds} rounds of {:.1} s each; the server alone on one core.\n", time.as_secs_f64())?;
        self.costs(f)?;
        self.rates(f)?;
        self.latencies(f)?;
        self.held(f)
    }
}

impl Report {
    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, "CPU of the server for one login, ms", ["Sekisho", "FreeRADIUS", "hostapd", "×", "×"])?;
        for line in &self.lines {
            let [a, b, c] = line.seen.map(|seen| format!("{:.3}", seen.cpu));
            let times = |peer| format!("{:.1}", line.times(peer));
            row(f, &line.scenario.name(), [a, b, c, times(1), times(2)])?;
        }
        writeln!(f)
    }

    fn rates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, "Logins a second; requests for one", ["Sekisho", "FreeRADIUS", "hostapd", "", ""])?;
        for line in self.lines.iter().filter(|line| line.scenario.pace == Pace::Saturated) {
            // Below, the server did not have all of its core to do: it could do more.
            let mark = |seen: Seen| if seen.busy < 0.9 { "≥" } else { "" };
            let [a, b, c] = line.seen.map(|seen| format!("{}{:.0}; {:.1}", mark(seen), seen.rate, seen.requests));
            row(f, &line.scenario.name(), [a, b, c, String::new(), String::new()])?;
        }
        for line in &self.lines {
            for (seen, kind) in line.seen.iter().zip(Kind::ALL) {
                if line.scenario.resume && seen.resumed < 0.99 {
                    let (name, kind, percent) = (line.scenario.name(), kind.name(), seen.resumed * 100.0);
                    let full = seen.full;
                    writeln!(
                        f,
                        "  {name}: {kind} resumed {percent:.0} %; its CPU is without the others, {full:.3} ms each"
                    )?;
                }
                if seen.failed > 0.0 {
                    writeln!(f, "  {}: at {} {:.1} % failed", line.scenario.name(), kind.name(), seen.failed * 100.0)?;
                }
            }
        }
        let own = self.lines.iter().map(|line| line.seen[0].own).fold(0.0, f64::max);
        writeln!(
            f,
            "  The generator needed up to {own:.3} ms of its own cores for a login. ≥: the server's core was not busy all the time, be it for the generator or for others on this machine (load average {:.1}).\n",
            self.load
        )
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, "Latency p50; p99, ms", ["Sekisho", "FreeRADIUS", "hostapd", "", ""])?;
        for line in self.lines.iter().filter(|line| line.scenario.pace != Pace::Saturated) {
            let [a, b, c] = line.seen.map(|seen| format!("{:.1}; {:.1}", seen.p50, seen.p99));
            row(f, &line.scenario.name(), [a, b, c, String::new(), String::new()])?;
        }
        writeln!(f)
    }

    fn held(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, "Memory idle; after the load, MiB; start, s", ["Sekisho", "FreeRADIUS", "hostapd", "", ""])?;
        for Memory { name, started, idle, loaded } in &self.memory {
            let cell = |index: usize| {
                let mebibytes = |octets: f64| octets / 1_048_576.0;
                format!("{:.0}; {:.0}; {:.2}", mebibytes(idle[index]), mebibytes(loaded[index]), started[index])
            };
            row(f, name, [cell(0), cell(1), cell(2), String::new(), String::new()])?;
        }
        Ok(())
    }
}

fn head(f: &mut fmt::Formatter<'_>, title: &str, columns: [&str; 5]) -> fmt::Result {
    row(f, title, columns.map(str::to_owned))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, [a, b, c, d, e]: [String; 5]) -> fmt::Result {
    writeln!(f, "{}", format!("{name:<56} {a:>14} {b:>14} {c:>14} {d:>6} {e:>6}").trim_end())
}

/// 100000 as people write it.
pub(crate) fn thousands(number: u32) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}
