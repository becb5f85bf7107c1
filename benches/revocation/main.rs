//! What revocation costs when CRLs grow: the index of ours, and logins with it, beside webpki's own check and OpenSSL's, measured in the same run.
//!
//! `cargo bench --bench revocation`; `-- --quick`: short CRLs, each thing a few times, as `cargo test --benches` has it. The table goes to stdout, progress to stderr.
#![expect(clippy::disallowed_methods, reason = "who measures takes the time")]

#[expect(dead_code, reason = "shared: the bench of logins uses more of it")]
#[path = "../shared/campus.rs"]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
mod index;
mod logins;
mod openssl;
mod webpki;
#[expect(dead_code, reason = "the same")]
#[path = "../shared/world.rs"]
mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use campus::{Campus, KeyKind};
use index::Index;
use logins::Logins;

/// How much is measured.
struct Amount {
    /// Entries of the CRLs, the empty one first: the others are compared with it.
    sizes: &'static [u32],
    /// Members, each with a certificate.
    members: usize,
    /// How often each member logs in, in each way.
    batches: usize,
    /// Look-ups in all.
    look_ups: u64,
    /// How often anything else is done, of which the shortest counts; what takes seconds less often.
    repeats: usize,
}

const WHOLE: Amount =
    Amount { sizes: &[0, 10_000, 100_000, 1_000_000], members: 64, batches: 30, look_ups: 200_000, repeats: 9 };
const QUICK: Amount = Amount { sizes: &[0, 10_000], members: 4, batches: 1, look_ups: 500, repeats: 1 };

/// What was measured with one CRL.
struct Row {
    entries: u32,
    crl_octets: usize,
    index: Index,
    webpki: webpki::Checks,
    openssl: Option<openssl::Checks>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let amount = if has("--quick") || has("--test") || !has("--bench") { QUICK } else { WHOLE };
    let mut campus = Campus::new(KeyKind::P256, KeyKind::P256, amount.members);
    let logins = logins::measure(&mut campus, &amount);
    let rows: Vec<Row> = amount.sizes.iter().map(|entries| row(&mut campus, *entries, &amount)).collect();
    print_index(&rows);
    print_costs(&rows, &logins);
}

fn row(campus: &mut Campus, entries: u32, amount: &Amount) -> Row {
    eprintln!("{entries} entries: the index, webpki, OpenSSL …");
    campus.publish(entries);
    Row {
        entries,
        crl_octets: campus.crl.len(),
        index: index::measure(campus, entries, amount),
        webpki: webpki::measure(campus, amount.repeats),
        openssl: openssl::measure(campus, amount.repeats),
    }
}

fn print_index(rows: &[Row]) {
    println!("{INDEX_HEAD}");
    let miss_alone = rows.first().map_or(0.0, |row| row.index.miss);
    for Row { entries, crl_octets, index, .. } in rows {
        let each = |octets: i64| if *entries == 0 { 0.0 } else { octets as f64 / f64::from(*entries) };
        println!(
            "{entries:>9} {:>9.1} {:>9.2} {:>9.2} {:>11.1} {:>10.1} {:>10.0} {:>10.0} {:>11.0}",
            mebibytes(*crl_octets as u64),
            index.load,
            index.hash,
            each(index.settled),
            mebibytes(index.peak),
            index.hit,
            index.miss,
            index.miss - miss_alone,
        );
    }
    println!("{INDEX_FOOT}");
}

const INDEX_HEAD: &str = "
The index
  entries   CRL MiB   load ms   hash ms octets each   peak MiB     hit ns    miss ns  look-up ns";
const INDEX_FOOT: &str = "
load: pki::Crl::load, once for each new CRL and off the hall; hash: SHA-256 over the CRL, all of its signature but 40 µs. The rest is the walk through its DER, and sorting.
octets each: settled; peak: while a CRL replaces one as long: the old in use, the new being built, its DER in hand. Counted at the allocator. Serials of 20 octets, the longest that may be, in no order, each with a reason.
hit, miss: pki::verdict about a serial drawn at random, which is or isn't listed; look-up: a miss less one with an empty CRL.
To hold on any machine: octets each ≤ 28, peak ≤ 128 MiB; look-up < 1,000 ns.";

fn print_costs(rows: &[Row], logins: &[Logins]) {
    println!("{COSTS_HEAD}");
    let Some((first, first_login)) = rows.first().zip(logins.first()) else { return };
    for (row, login) in rows.iter().zip(logins) {
        let (webpki, alone) = (&row.webpki, &first.webpki);
        print!("{:>9}", row.entries);
        print!("{}{}", cell(login.full, first_login.full), cell(login.resumed, first_login.resumed));
        print!("{}{:>9.1}", cell(webpki.owned, alone.owned), webpki.parse / 1e3);
        print!("{}", cell(webpki.borrowed, alone.borrowed));
        match row.openssl.as_ref().zip(first.openssl.as_ref()) {
            Some((checks, alone)) => {
                println!("{}{:>9.1}", cell(checks.each, alone.each), (checks.once - alone.once) / 1e3);
            }
            None => println!("  (there is no openssl here)"),
        }
    }
    println!("{COSTS_FOOT}");
}

/// Microseconds, and the ratio to what it takes with an empty CRL.
fn cell(time: f64, alone: f64) -> String {
    // Nothing where it was too short to be measured.
    let ratio = if alone > 0.0 { format!("{:.2}", time / alone) } else { String::new() };
    format!(" {time:>10.1} {ratio:>7}")
}

const COSTS_HEAD: &str = "
One check, µs, and its ratio to the same with an empty CRL
                          ours, a whole login                       webpki, one chain                openssl, one chain
  entries       full   ratio    resumed   ratio      owned   ratio parse ms   borrowed   ratio       each   ratio  read ms";
const COSTS_FOOT: &str = "
ours: in the engine, TLS 1.3, P-256, chain known, datagrams in to datagrams out. Engines with each CRL take turns, so that the ratio holds on any machine: ≤ 1.15 whatever the CRL's length.
webpki: verify_for_usage, which verifies the CRL's signature each time; owned: parsed into a map before; borrowed: searched as it came.
openssl: CPU time of `openssl verify -crl_check`, each chain after the first in one process; read: what the CRL adds to the time of a process that verifies one.";

fn mebibytes(octets: u64) -> f64 {
    octets as f64 / 1_048_576.0
}

/// How long it takes, in microseconds: the median.
fn median_of<T>(repeats: usize, work: impl FnMut() -> T) -> f64 {
    median(times(repeats, work))
}

/// The shortest that it takes, in microseconds: where what else the machine does only adds, and much.
fn shortest_of<T>(repeats: usize, work: impl FnMut() -> T) -> f64 {
    times(repeats, work).into_iter().min().unwrap_or_default().as_secs_f64() * 1e6
}

fn times<T>(repeats: usize, mut work: impl FnMut() -> T) -> Vec<Duration> {
    let time = |_| {
        let begun = Instant::now();
        black_box(work());
        begun.elapsed()
    };
    (0..repeats).map(time).collect()
}

/// Microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}
