//! What a half-open conversation holds, all included. `cargo bench --bench memory`.
#![expect(clippy::disallowed_methods, reason = "who measures takes the time")]

#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/campus.rs"]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
mod half_open;
#[expect(dead_code, reason = "shared: others use more of it")]
#[path = "../shared/world.rs"]
mod world;

fn main() {
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let measures = std::env::args().any(|argument| argument == "--bench");
    half_open::report(if measures { 5_000 } else { 20 });
}
