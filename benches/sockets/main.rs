//! What a login costs the whole server, socket in to socket out, when requests always wait for it: CPU by thread, as the kernel counts it, beside the cryptography alone.
//!
//! `cargo bench --bench sockets`; `-- --seconds N` for each line, `-- --server PATH` for another build of it.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "who measures takes the time, and asks as a NAS does"
)]

#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/campus.rs"]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
#[path = "../login/primitives.rs"]
mod primitives;
mod server;
mod stations;
#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/world.rs"]
mod world;

use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;

use campus::{Campus, KeyKind};
use primitives::{Primitives, Work};
use server::Server;

/// Stations that log in at once.
const STATIONS: usize = 48;

struct Line {
    name: &'static str,
    keys: KeyKind,
    version: TlsVersion,
    resumed: bool,
}

const LINES: [Line; 5] = [
    Line { name: "1.2 resumed", keys: KeyKind::P256, version: TlsVersion::Tls12, resumed: true },
    Line { name: "1.3 resumed", keys: KeyKind::P256, version: TlsVersion::Tls13, resumed: true },
    Line { name: "1.2 P-256 full", keys: KeyKind::P256, version: TlsVersion::Tls12, resumed: false },
    Line { name: "1.3 P-256 full", keys: KeyKind::P256, version: TlsVersion::Tls13, resumed: false },
    Line { name: "1.2 RSA full", keys: KeyKind::Rsa, version: TlsVersion::Tls12, resumed: false },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let measures = arguments.iter().any(|argument| argument == "--bench");
    let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let seconds = value("--seconds").and_then(|seconds| seconds.parse().ok());
    let seconds = seconds.unwrap_or(if measures { 5.0 } else { 0.2 });
    let built = value("--server").map(String::as_str).or(option_env!("CARGO_BIN_EXE_sekisho"));
    let Some(program) = built.map(|path| std::path::absolute(path).expect("a path")) else {
        return println!("the core alone was built, so there is no server: name one by --server PATH");
    };
    let primitives = Primitives::new();
    println!(
        "{STATIONS} stations; CPU of the server's threads for a login, µs; a packet: what is left of it without the cryptography"
    );
    println!(
        "{:<16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9} {:>9}",
        "", "logins/s", "hall", "helpers", "others", "crypto", "requests", "a packet", "wake-ups"
    );
    for keys in [KeyKind::P256, KeyKind::Rsa] {
        let campus = Campus::new(keys, keys, STATIONS);
        let server = Server::start(&campus, &program);
        println!(
            "server with {keys}: ready after {} ms, idle with {:?} KiB resident, of its own",
            server.ready_after.as_millis(),
            server.resident()
        );
        for line in LINES.iter().filter(|line| line.keys == keys) {
            measure(&campus, &server, &primitives, line, Duration::from_secs_f64(seconds));
        }
        println!("{:?} KiB resident, of its own, in the end", server.resident());
    }
}

fn measure(campus: &Campus, server: &Server, primitives: &Primitives, line: &Line, time: Duration) {
    let stations = stations::Stations::start(campus, server.address, line.version, line.resumed);
    std::thread::sleep(time / 5);
    let (before, begun, logins) = (server.threads(), Instant::now(), stations.logins());
    std::thread::sleep(time);
    let (after, took, logins) = (server.threads(), begun.elapsed(), stations.logins() - logins);
    let packets = stations.stop();
    let spent = after.since(&before);
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / logins as f64;
    let requests = packets.len();
    let work = work(line, packets);
    let crypto = alone(primitives, &work);
    let [hall, helpers, others] = [spent.hall, spent.helpers, spent.others].map(each);
    println!(
        "{:<16} {:>9.0} {hall:>9.1} {helpers:>9.1} {others:>9.1} {crypto:>9.1} {requests:>8} {:>9.1} {:>9.2}",
        line.name,
        logins as f64 / took.as_secs_f64(),
        (hall + helpers + others - crypto) / requests as f64,
        spent.switches as f64 / logins as f64,
    );
}

fn work(line: &Line, packets: Vec<(usize, usize)>) -> Work {
    Work {
        sign: (!line.resumed).then_some(line.keys),
        verify: line.keys,
        // The chain is known after the first.
        verifications: usize::from(!line.resumed),
        agreement: !line.resumed || line.version == TlsVersion::Tls13,
        version: line.version,
        resumed: line.resumed,
        packets,
    }
}

/// µs of one login's cryptography.
fn alone(primitives: &Primitives, work: &Work) -> f64 {
    let time = |_| {
        let begun = world::cpu();
        (0..16).for_each(|_| primitives.run(work));
        (world::cpu() - begun) / 16
    };
    median((0..31).map(time).collect())
}

/// Microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}
