//! Chance that repeats itself.

use std::time::Duration;

/// A small generator of repeatable numbers (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    /// Seeds next to each other give numbers that have nothing in common.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
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

    pub(crate) fn delay(&mut self) -> Duration {
        Duration::from_micros(200 + self.next() % 400_000)
    }

    pub(crate) fn jitter(&mut self, time: Duration) -> Duration {
        time * u32::try_from(90 + self.next() % 21).expect("small") / 100
    }
}
