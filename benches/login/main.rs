//! What a login costs the server, from datagram to datagram, beside the sum of the cryptographic primitives that it performs, measured in the same run.
//!
//! `cargo bench --bench login`; `-- --quick`: each once, as `cargo test --benches` has it;
//! `-- --only TEXT`: only the lines that hold this text; `-- --steps`: public-key work on two threads beside one.
#![expect(clippy::disallowed_methods, reason = "who measures takes the time")]

#[expect(dead_code, reason = "shared: the bench of revocation uses more of it")]
#[path = "../shared/campus.rs"]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
mod primitives;
mod steps;
#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/world.rs"]
mod world;

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::time::Duration;

use sekisho::event::TlsVersion;
use sekisho::supplicant::Supplicant;

use campus::{Campus, KeyKind};
use primitives::{Primitives, Work};
use world::World;

/// How much is measured.
#[derive(Clone, Copy)]
struct Amount {
    /// How often each member logs in.
    batches: usize,
    /// Members, each with a certificate.
    members: usize,
}

const WHOLE: Amount = Amount { batches: 60, members: 16 };
const QUICK: Amount = Amount { batches: 1, members: 2 };

/// The keys of server and clients; each client's certificate has been issued by the anchor itself, whose key is of the client's kind.
const KEYS: [(KeyKind, KeyKind); 3] =
    [(KeyKind::Rsa, KeyKind::Rsa), (KeyKind::P256, KeyKind::P256), (KeyKind::P256, KeyKind::Rsa)];

/// What the server knows of who logs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    /// Nothing: the chain's signature is verified too.
    New,
    /// The chain is in the cache of verified ones.
    Known,
    /// There is a session to resume.
    Resumed,
}

impl Login {
    fn text(self) -> &'static str {
        match self {
            Self::New => "full, chain new",
            Self::Known => "full, chain known",
            Self::Resumed => "resumed",
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let amount = if has("--quick") || has("--test") || !has("--bench") { QUICK } else { WHOLE };
    if has("--steps") {
        return steps::report();
    }
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    report(amount, only.map_or("", String::as_str));
}

fn report(amount: Amount, only: &str) {
    let primitives = Primitives::new();
    println!("{primitives}");
    println!("{HEAD}");
    for (server, client) in KEYS {
        let lines: Vec<_> = lines(server, client).into_iter().filter(|(name, ..)| name.contains(only)).collect();
        if lines.is_empty() {
            continue;
        }
        let campus = Campus::new(server, client, amount.members);
        for (name, version, login) in lines {
            let line = measure(&campus, &primitives, version, login, amount.batches);
            println!("{name:<38} {line}");
        }
    }
    println!("{FOOT}");
}

fn lines(server: KeyKind, client: KeyKind) -> Vec<(String, TlsVersion, Login)> {
    let mut lines = Vec::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        for login in [Login::New, Login::Known, Login::Resumed] {
            lines.push((format!("{} {server}/{client} {}", text(version), login.text()), version, login));
        }
    }
    lines
}

const HEAD: &str = "TLS, key of server/client, login        server µs  primitives µs  ratio  rest µs  requests";
const FOOT: &str = "
server: from datagram in to datagram out, events taken out and dropped; no sockets, no log. All members log in at once, so that requests wait as at saturation. Medians; each batch is followed by its primitives.
primitives: signature, verification of CertificateVerify and of the chain, X25519 key and agreement, HMAC-MD5 and MD5 over each packet of the login;
hash of the transcript, key schedule, records and tickets sealed, State, Class, the keys of the Accept, random octets.";

fn text(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    }
}

fn measure(campus: &Campus, primitives: &Primitives, version: TlsVersion, login: Login, batches: usize) -> String {
    let mut world = World::new(campus);
    let supplicants: Vec<Supplicant> = (0..campus.members()).map(|member| campus.supplicant(member, version)).collect();
    let resume = login == Login::Resumed;
    // The first makes sessions to resume, and fills the cache of chains.
    for (supplicant, member) in supplicants.iter().zip(0..) {
        world.log_in(supplicant, member, resume);
    }
    let (mut logins, mut alone, mut requests) = (Vec::new(), Vec::new(), 0);
    for _ in 0..batches {
        if login == Login::New {
            world.forget_chains(campus);
        }
        let measured = world.log_in_together(&supplicants, resume);
        assert_eq!(measured.resumed, resume, "{version:?} {}", login.text());
        requests = measured.packets.len();
        let work = work(campus, version, login, measured.packets);
        let begun = world::cpu();
        supplicants.iter().for_each(|_| primitives.run(&work));
        alone.push((world::cpu() - begun) / u32::try_from(supplicants.len()).expect("a small campus"));
        logins.push(measured.server);
    }
    let (server, alone) = (median(logins), median(alone));
    format!("{server:>10.1} {alone:>14.1} {:>6.2} {:>8.1} {:>9}", server / alone, server - alone, requests)
}

fn work(campus: &Campus, version: TlsVersion, login: Login, packets: Vec<(usize, usize)>) -> Work {
    let full = login != Login::Resumed;
    Work {
        sign: full.then_some(campus.server_kind),
        verify: campus.client_kind,
        verifications: match login {
            Login::New => 2,
            Login::Known => 1,
            Login::Resumed => 0,
        },
        agreement: full || version == TlsVersion::Tls13,
        version,
        resumed: !full,
        packets,
    }
}

/// Microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}
