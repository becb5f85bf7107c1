//! The figures for a person and for a program.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::figures::{Cost, Figures, ratio};
use super::process::Memory;
use super::tally::{Kind, milliseconds};

/// Percentiles that are told.
const PERCENTILES: [(&str, f64); 4] = [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9)];

/// Lines for a person.
pub(super) fn text(figures: &Figures) -> String {
    let Figures { tally, seen, .. } = figures;
    let mut out = String::new();
    let (answered, time, rate) = (seen.answered(), seen.time().as_secs_f64(), seen.rate());
    let ended = if seen.interrupted { ", ended early" } else { "" };
    let _ = writeln!(out, "{answered} logins in {time:.2} s{ended}: {rate:.1} a second");
    for (name, kind) in [("full", &tally.full), ("resumed", &tally.resumed)] {
        if !kind.latency.is_empty() {
            let _ = writeln!(out, "{}", line(name, kind));
        }
    }
    let counts = [
        (tally.not_resumed, "offered a session and got a full handshake"),
        (tally.repeats, "requests were sent again"),
        (tally.counts.strays, "datagrams were nobody's answer"),
        (seen.unsent, "datagrams were not taken by this machine"),
        (tally.late, "could not begin in time: too many were under way"),
        (tally.abandoned, "were under way at the end"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(out, "{count:>9}  {what}");
    }
    out.push_str(&costs(figures));
    if tally.failed() > 0 {
        let _ = writeln!(out, "{} logins failed:", tally.failed());
    }
    for (reason, count) in &tally.failures {
        let _ = writeln!(out, "{count:>9}  {reason}");
    }
    if tally.counts.unfit > 0 {
        out.push_str("what the access points are to say fits into no packet\n");
    }
    out
}

fn line(name: &str, kind: &Kind) -> String {
    let Kind { latency, requests } = kind;
    let each = ratio(*requests, ratio(latency.len(), 1.0));
    let mut line = format!("{name:<8} {:>8}  {each:.2} requests each ", latency.len());
    for (name, percentile) in PERCENTILES {
        let _ = write!(line, "  {name} {:.2}", milliseconds(latency, percentile));
    }
    let _ = write!(line, "  max {:.2} ms", milliseconds(latency, 100.0));
    line
}

fn costs(figures: &Figures) -> String {
    let mut out = String::new();
    let seen = &figures.seen;
    for (name, cost) in [("server", seen.server()), ("this program", seen.own())] {
        let Some(Cost { cpu, of_a_core, login }) = cost else { continue };
        let percent = of_a_core * 100.0;
        let _ = write!(out, "CPU of {name}: {:.3} ms a login, ", login.unwrap_or(cpu).as_secs_f64() * 1e3);
        let _ = writeln!(out, "{:.2} s in all, {percent:.0} % of a core", cpu.as_secs_f64());
    }
    if let Some(Memory { resident, peak }) = seen.memory {
        let _ = writeln!(out, "memory of server: {:.1} MiB, {:.1} MiB at most", mebibytes(resident), mebibytes(peak));
    }
    let busy = seen.own().map_or(0.0, |cost| cost.of_a_core / f64::from(figures.threads));
    if busy > 0.9 {
        out.push_str("this program itself was busy all the time: the server may be able to do more (--threads)\n");
    }
    out
}

fn mebibytes(octets: u64) -> f64 {
    ratio(octets, 1_048_576.0)
}

/// One object for a program.
pub(super) fn json(figures: &Figures) -> Value {
    let Figures { tally, seen, threads, resume } = figures;
    json!({
        "logins": seen.answered(),
        "seconds": seen.time().as_secs_f64(),
        "logins_per_second": rounded(seen.rate()),
        "interrupted": seen.interrupted,
        "threads": threads,
        "resume": resume,
        "full": kind(&tally.full),
        "resumed": kind(&tally.resumed),
        "all": kind(&tally.all()),
        "not_resumed": tally.not_resumed,
        "begun": tally.counts.begun,
        "failed": tally.failed(),
        "failures": tally.failures,
        "repeats": tally.repeats,
        "strays": tally.counts.strays,
        "unsent": seen.unsent,
        "late": tally.late,
        "abandoned": tally.abandoned,
        "own": seen.own().map(cost),
        "server": seen.server().map(|server| {
            let mut server = cost(server);
            server.insert("rss".to_owned(), json!(seen.memory.map(|memory| memory.resident)));
            server.insert("peak_rss".to_owned(), json!(seen.memory.map(|memory| memory.peak)));
            server
        }),
    })
}

fn kind(kind: &Kind) -> Value {
    let Kind { latency, requests } = kind;
    if latency.is_empty() {
        return json!({ "logins": 0 });
    }
    json!({
        "logins": latency.len(),
        "requests_per_login": rounded(ratio(*requests, ratio(latency.len(), 1.0))),
        "latency_ms": latencies(latency),
    })
}

fn latencies(latency: &Histogram<u64>) -> Map<String, Value> {
    let all = PERCENTILES.into_iter().chain([("max", 100.0)]);
    all.map(|(name, percentile)| (name.to_owned(), json!(rounded(milliseconds(latency, percentile))))).collect()
}

fn cost(cost: Cost) -> Map<String, Value> {
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1e7).round() / 1e4;
    [
        ("cpu_seconds", json!(cost.cpu.as_secs_f64())),
        ("cores", json!(rounded(cost.of_a_core))),
        ("cpu_ms_per_login", json!(cost.login.map(milliseconds))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
