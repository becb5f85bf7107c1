//! One-time passwords (RFC 4226, RFC 6238): what a code is, how its key is kept sealed, how guessing is slowed. No I/O and no clock.

mod code;
mod guesses;
mod seal;
mod seal_keys;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use code::{DIGITS, Key, PERIOD, digits, escaped};
pub use guesses::{Guesses, Who};
pub use seal::{BadSeal, Resealed, Sealer};
pub use seal_keys::seal_keys;

/// `[otp]`
#[derive(Clone, Debug)]
pub struct Settings {
    /// `issuer`: what an authenticator app shows beside the name.
    pub issuer: Arc<str>,
    /// Seals keys with `seal-key`.
    pub sealer: Arc<Sealer>,
    /// `window`: so many steps before and after the present one are good too.
    pub window: u8,
    /// `attempts`
    pub attempts: Attempts,
}

/// `attempts`: so many wrong codes are looked at at once, and as many more in each such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// `each`
    pub each: u32,
    /// `per`
    pub per: Duration,
}
