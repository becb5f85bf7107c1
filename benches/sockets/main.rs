//! What a login costs the whole server, socket in to socket out: CPU by thread, as the kernel counts it, beside the cryptography alone, and the system calls of the hall for each packet;
//! when requests always wait for it, and when a hundred logins begin in a second, so that each packet wakes it.
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
mod echo;
#[path = "../shared/pem.rs"]
mod pem;
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
/// Logins a second where the server mostly sleeps.
const RATE: u32 = 100;

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
    let packets = if measures { 2_500 } else { 50 };
    println!(
        "the least: a thread that only sends each packet back costs {:.1} µs for each at 500 a second, {:.1} µs one after the other",
        echo::cost(packets, Some(5 * RATE)),
        echo::cost(packets, None)
    );
    let primitives = Primitives::new();
    println!(
        "{STATIONS} stations; CPU of the server's threads for a login, µs; for a packet: what is left of all and of hall and helpers without the cryptography, µs, how often threads and the hall wait, and what the hall asks of the kernel"
    );
    println!(
        "{:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>4} | {:>8} {:>8} {:>6} {:>6}  calls",
        "",
        "logins/s",
        "hall",
        "helpers",
        "store",
        "log",
        "others",
        "crypto",
        "",
        "a packet",
        "of hall",
        "waits",
        "hall's"
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
            for rate in [None, Some(RATE)] {
                measure(&campus, &server, &primitives, line, rate, Duration::from_secs_f64(seconds));
            }
        }
        println!("{:?} KiB resident, of its own, in the end", server.resident());
    }
}

fn measure(campus: &Campus, server: &Server, primitives: &Primitives, line: &Line, rate: Option<u32>, time: Duration) {
    let stations = stations::Stations::start(campus, server.address, line.version, line.resumed, rate);
    std::thread::sleep(time / 5);
    let (before, begun, logins) = (server.threads(), Instant::now(), stations.logins());
    std::thread::sleep(time);
    let (after, took, logins) = (server.threads(), begun.elapsed(), stations.logins() - logins);
    // It costs so much itself that it is a time of its own.
    let calls = server.calls(time / 2);
    let packets = stations.stop();
    let spent = after.since(&before);
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / logins as f64;
    let requests = packets.len();
    let work = work(line, packets);
    let crypto = alone(primitives, &work);
    let [hall, helpers, store, log, others] =
        [spent.hall, spent.helpers, spent.store, spent.log, spent.others].map(each);
    let packet = |of: f64| of / requests as f64;
    let waits = |waits: u64| packet(waits as f64 / logins as f64);
    println!(
        "{:<16} {:>8.0} {hall:>8.1} {helpers:>8.1} {store:>8.1} {log:>8.1} {others:>8.1} {crypto:>8.1} /{requests:>3} | {:>8.1} {:>8.1} {:>6.2} {:>6.2}  {calls}",
        line.name,
        logins as f64 / took.as_secs_f64(),
        packet(hall + helpers + store + log + others - crypto),
        packet(hall + helpers - crypto),
        waits(spent.waits),
        waits(spent.hall_waits),
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
