//! Codes by time (RFC 6238), out of a key that an authenticator app shares.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::now::Wall;
use crate::secret::{NoRandom, Secret, random};

/// Digits of a code: the one number that every app knows.
pub const DIGITS: usize = 6;
/// Seconds of a step (RFC 6238 section 4.1, X).
pub const PERIOD: i64 = 30;
/// Octets of a key: as many as HMAC-SHA-1's output (RFC 4226 section 4, R6).
const OCTETS: usize = 20;

/// The key of one user's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Secret);

impl Key {
    /// A fresh one. The error: the operating system has no random octets.
    pub fn random() -> Result<Self, NoRandom> {
        Ok(Self(Secret::new(random::<OCTETS>()?)))
    }

    pub(super) fn new(octets: Secret) -> Option<Self> {
        (octets.len() == OCTETS).then_some(Self(octets))
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    /// The step whose code was typed, in any form that [`digits`] reads, of those within the window (so many steps before and after the present one, RFC 6238 section 5.2) that come after the last one used. All of the window is looked at, however soon it is found.
    #[must_use]
    pub fn step(&self, typed: &[u8], now: Wall, window: u8, last: Option<u64>) -> Option<u64> {
        let typed = digits(typed)?;
        let present = u64::try_from(now.0.div_euclid(PERIOD)).ok()?;
        let (mut found, mut step) = (Choice::from(0), 0_u64);
        for counter in present.saturating_sub(window.into())..=present.saturating_add(window.into()) {
            let fresh = Choice::from(u8::from(last.is_none_or(|last| counter > last)));
            let good = self.code(counter).as_slice().ct_eq(typed.expose()) & fresh & !found;
            step.conditional_assign(&counter, good);
            found |= good;
        }
        bool::from(found).then_some(step)
    }

    /// HOTP (RFC 4226 section 5.3) as digits.
    #[must_use]
    pub fn code(&self, counter: u64) -> [u8; DIGITS] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let octets = tag.as_ref();
        let offset = usize::from(octets.last().copied().unwrap_or(0) & 0x0f);
        let chosen = octets.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let mut number = u32::from_be_bytes(chosen) & 0x7fff_ffff;
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        digits
    }

    /// The code of this moment, as an app shows it.
    #[must_use]
    pub fn shown(&self, now: Wall) -> [u8; DIGITS] {
        self.code(u64::try_from(now.0.div_euclid(PERIOD)).unwrap_or(0))
    }

    /// What an app makes of [`uri`](Self::uri).
    #[must_use]
    pub fn read(uri: &str) -> Option<Self> {
        let (_, settings) = uri.strip_prefix("otpauth://totp/")?.split_once('?')?;
        let key = settings.split('&').find_map(|setting| setting.strip_prefix("secret="))?;
        Self::new(Secret::new(BASE32_NOPAD.decode(key.as_bytes()).ok()?))
    }

    /// What an authenticator app reads, as a QR code: a secret.
    #[must_use]
    pub fn uri(&self, issuer: &str, user: &str) -> Secret {
        let (issuer, user) = (escaped(issuer), escaped(user));
        let key = BASE32_NOPAD.encode(self.0.expose());
        Secret::new(format!(
            "otpauth://totp/{issuer}:{user}?secret={key}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        ))
    }
}

/// What was typed, as digits: apps show "123 456", and a Japanese keyboard may write them at full width. `None`: there is something else in it.
#[must_use]
pub fn digits(typed: &[u8]) -> Option<Secret> {
    let typed = std::str::from_utf8(typed).ok()?;
    let mut digits = Zeroizing::new(Vec::with_capacity(typed.len()));
    for c in typed.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{3000}')) {
        let full_width = u32::from(c).checked_sub(u32::from('０')).filter(|digit| *digit < 10);
        digits.push(b'0' + u8::try_from(c.to_digit(10).or(full_width)?).ok()?);
    }
    Some(Secret::new(digits.as_slice()))
}

/// Percent-encoded (RFC 3986 section 2.1) but for what is unreserved.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
    out
}
