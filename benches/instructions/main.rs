//! Instructions of our own functions for the codec and for one login each, counted by callgrind and compared with what `counts.txt` says, within 2 %.
//!
//! `cargo bench --no-default-features --bench instructions`; `-- --write` writes the file anew; `-- --growth` shows what CRLs, NASes, blocks and half-open conversations add to a login.
//! Time says little on a machine that does something else too; this says the same everywhere. What picks its code by processor is left out: the cryptography of aws-lc and the C library.
#![expect(clippy::disallowed_methods, reason = "who measures takes the time")]

#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/campus.rs"]
mod campus;
mod codec;
mod compare;
mod counting;
#[path = "../shared/crl.rs"]
mod crl;
mod growth;
#[path = "../shared/hop.rs"]
mod hop;
mod logins;
#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/world.rs"]
mod world;

use std::process::ExitCode;

/// Each is counted so often; the median is taken, since keys and signatures are random and tables grow now and then. Odd.
const TIMES: usize = 9;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    if has(counting::INSIDE) {
        run_all();
        return ExitCode::SUCCESS;
    }
    if has(growth::INSIDE) {
        growth::inside();
        return ExitCode::SUCCESS;
    }
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    if !has("--bench") || has("--test") {
        run_all();
        return ExitCode::SUCCESS;
    }
    if has("--growth") {
        return growth::report();
    }
    let counts = match counting::count(counting::INSIDE, run_all, &names(), TIMES) {
        Ok(counts) => counts,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::FAILURE;
        }
    };
    if has("--write") { compare::write(&counts) } else { compare::report(&counts) }
}

/// What is counted, in the order of [`run_all`].
fn names() -> Vec<&'static str> {
    codec::NAMES.iter().chain(&logins::NAMES).copied().collect()
}

/// Does all of it, and says after each that it is done.
fn run_all() {
    codec::run(TIMES);
    logins::run(TIMES);
}
