//! The kill switch on a real switch: how long after an operator's call he is answered, hostapd has closed the port, and its Disconnect-ACK is recorded.
//!
//! `cargo bench --bench kill_switch`: server, switch (hostapd) and device (wpa_supplicant) in network namespaces of their own, so it needs root, and the programs that `tests/run --setup` installs. Where there is neither it ends with a sentence that says so.
//! `-- --quick`: once, as `cargo test --benches` has it. The table goes to stdout, progress to stderr. A run takes 8 s, most of it hostapd's, until it listens to the same device again.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "who measures takes the time")]

#[expect(dead_code, reason = "shared: the tests use more of it")]
#[path = "../../tests/interop/api.rs"]
mod api;
#[expect(dead_code, unused_imports, reason = "the same")]
#[path = "../../tests/interop/eapol.rs"]
mod eapol;
#[path = "../../tests/interop/inside.rs"]
mod inside;
#[expect(dead_code, reason = "the same")]
#[path = "../../tests/interop/server.rs"]
mod server;
#[expect(dead_code, reason = "the same")]
#[path = "../../tests/interop/wire.rs"]
mod wire;

#[path = "../../tests/support"]
mod support {
    #[expect(dead_code, reason = "the same")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "the same")]
    pub(crate) mod http;
    #[expect(dead_code, reason = "the same")]
    pub(crate) mod pki;
    #[expect(dead_code, reason = "the same")]
    pub(crate) mod process;
    pub(crate) mod scratch;
}
use support::{http, pki, process, scratch};

use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use eapol::{Login, Tls};
use pki::pki;
use scratch::Scratch;
use wire::{Device, Site, Switch};

const RUNS: usize = 25;
/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long after the operator's call.
#[derive(Debug)]
struct Run {
    answered: Duration,
    closed: Duration,
    recorded: Duration,
}

fn main() {
    // Whoever runs a process owns its folder there.
    if std::fs::metadata("/proc/self").map(|it| it.uid()).ok() != Some(0) {
        eprintln!(
            "kill_switch: it needs root, to make network namespaces for a switch and a device: NOTHING WAS MEASURED"
        );
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let runs = if has("--quick") || has("--test") || !has("--bench") { 1 } else { RUNS };
    let site = Site::changed("", |text| text.replace("level = \"debug\"", "level = \"info\""));
    let mut switch = site.switch();
    let mut device = switch.plug(&Login::new(&pki().member_rsa, Tls::V13));
    let runs: Vec<Run> = (1..=runs)
        .map(|number| {
            let run = run(&site, &mut switch, &mut device);
            eprintln!("{number} of {runs}: {run:?}");
            run
        })
        .collect();
    println!("An operator's block of one certificate with one session, {} runs, in ms after his call:\n", runs.len());
    println!("{:<36} {:>8} {:>8} {:>8}", "", "min", "median", "max");
    print("answered (2xx)", runs.iter().map(|run| run.answered));
    print("port closed by hostapd", runs.iter().map(|run| run.closed));
    print("Disconnect-ACK in the server's log", runs.iter().map(|run| run.recorded));
}

/// Blocks, waits until all has happened, and undoes it.
fn run(site: &Site, switch: &mut Switch, device: &mut Device) -> Run {
    let scratch = Scratch::new();
    let events = events(switch, &scratch);
    let log = site.server.scratch.path().join("sekisho.err");
    let length = std::fs::metadata(&log).expect("the server logs").len();
    let begun = Instant::now();
    let run = thread::scope(|scope| {
        let closed = scope.spawn(move || closed(&events, begun));
        let recorded = scope.spawn(|| recorded(&log, length, begun));
        site.server.block(&pki().member_rsa);
        let answered = begun.elapsed();
        let [closed, recorded] = [closed, recorded].map(|waiting| waiting.join().expect("it has said why"));
        Run { answered, closed, recorded }
    });
    site.server.lift(&pki().member_rsa);
    switch.lets_in(device);
    run
}

/// What hostapd tells at once whoever asks for it: an event a datagram.
fn events(switch: &Switch, scratch: &Scratch) -> UnixDatagram {
    let events = UnixDatagram::bind(scratch.path().join("events")).expect("a socket");
    events.connect(switch.control().join(&switch.port)).expect("hostapd listens");
    events.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    events.send(b"ATTACH").expect("hostapd listens");
    let mut answer = [0; 16];
    let length = events.recv(&mut answer).expect("hostapd answers");
    assert_eq!(&answer[..length], b"OK\n");
    events
}

/// When hostapd says that the port is closed.
fn closed(events: &UnixDatagram, begun: Instant) -> Duration {
    let mut event = [0; 4_096];
    loop {
        let length = events.recv(&mut event).expect("hostapd closes the port");
        if String::from_utf8_lossy(&event[..length]).contains(wire::CLOSED) {
            return begun.elapsed();
        }
    }
}

/// When the server's log says that the session has ended; it is written behind what it tells of.
fn recorded(log: &Path, from: u64, begun: Instant) -> Duration {
    let mut log = std::fs::File::open(log).expect("the server logs");
    log.seek(SeekFrom::Start(from)).expect("it only grows");
    let mut said = String::new();
    while begun.elapsed() < PATIENCE {
        log.read_to_string(&mut said).expect("text");
        if said.contains(" disconnected user=") {
            return begun.elapsed();
        }
        thread::sleep(Duration::from_micros(100));
    }
    panic!("no Disconnect-ACK: {said}");
}

fn print(what: &str, times: impl Iterator<Item = Duration>) {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    println!("{what:<36} {min:>8.2} {median:>8.2} {max:>8.2}");
}
