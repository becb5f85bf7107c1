//! How often Status-Server is answered.

use std::time::Duration;

use crate::now::Mono;

/// Most answers to Status-Server for each `[[nas]]` in a second, and at once after a pause. A campus may be one `[[nas]]` of thousands of access points, and each may ask
/// every few seconds (RFC 5997 section 4.1); beyond, the NAS counts us as slow and no more.
pub const STATUS_PER_SECOND: u32 = 100;

/// What one token is worth, in time.
const EACH: Duration = Duration::from_millis(1000 / STATUS_PER_SECOND as u64);

/// A bucket for each NAS, by its place in the configuration.
#[derive(Debug, Default)]
pub(super) struct StatusLimits {
    /// The moment from which on the bucket is full.
    full_at: Vec<Mono>,
}

impl StatusLimits {
    /// Takes a token of a NAS.
    pub(super) fn take(&mut self, now: Mono, index: usize) -> bool {
        if self.full_at.len() <= index {
            self.full_at.resize(index + 1, Mono::default());
        }
        let Some(full_at) = self.full_at.get_mut(index) else { return false };
        let next = (*full_at).max(now) + EACH;
        let fits = next.since(now) <= Duration::from_secs(1);
        if fits {
            *full_at = next;
        }
        fits
    }
}
