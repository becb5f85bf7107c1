//! Chance that repeats itself.

use std::time::Duration;

/// A small generator of repeatable numbers (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    /// Seeds next to each other give numbers that have nothing in common.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// What `SEKISHO_SEED` says, else another one each time. It is printed, to be said again.
    pub(crate) fn from_environment() -> Self {
        let said = std::env::var("SEKISHO_SEED").ok().and_then(|seed| seed.parse().ok());
        let mut octets = [0; 4];
        aws_lc_rs::rand::fill(&mut octets).expect("the system has randomness");
        let seed = said.unwrap_or_else(|| u64::from(u32::from_be_bytes(octets)));
        eprintln!("SEKISHO_SEED={seed}");
        Self::new(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// From 0 to below a bound, which isn't 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    pub(crate) fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[7]
    }

    pub(crate) fn percent(&mut self, of: u64) -> bool {
        self.next() % 100 < of
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.next() % (to - from))
    }

    pub(crate) fn delay(&mut self) -> Duration {
        Duration::from_micros(200 + self.next() % 400_000)
    }

    pub(crate) fn jitter(&mut self, time: Duration) -> Duration {
        time * u32::try_from(90 + self.next() % 21).expect("small") / 100
    }
}
