//! A NAS says no, or nothing: whether it is asked by other words, or later.

use std::time::Duration;

use super::{CONTEXT_NOT_FOUND, Told};
use crate::exchange::Identify;

/// Error-Cause of one that can end no more than one session, and finds several by what was said, or can't tell (the same section).
const MULTIPLE_SELECTION: u32 = 508;
/// One that says no is told again so often, about two hours long: it may be busy, or have to be set up for it. Then it is believed.
const REFUSALS: u32 = 16;
/// The first pause after a no. strongSwan says it of a session that it is just working on: while it waits for the answer to the session's Start, for one.
const SOON: Duration = Duration::from_secs(2);
/// The first after silence: a session that had to go still has to.
const LATER: Duration = Duration::from_secs(60);
/// Each pause is twice as long as the one before, up to this.
const LATEST: Duration = Duration::from_secs(15 * 60);

/// Whether fewer words may do what these haven't: the NAS finds several sessions by them, or none, and none of them is the name that it gave the session itself (RFC 5176 section 3.5).
pub(super) fn is_asked_otherwise(told: Told, said: &[Identify]) -> bool {
    match told {
        Told::Nak(Some(MULTIPLE_SELECTION)) => true,
        Told::Nak(Some(CONTEXT_NOT_FOUND)) => !said.contains(&Identify::AcctSessionId),
        _ => false,
    }
}

/// Whether a session that has to go is asked for later. One that its NAS doesn't find by its own name is gone, or not yet there.
pub(super) fn is_told_again(told: Told, by_name: bool, failed: u32) -> bool {
    match told {
        Told::NoAnswer => true,
        Told::Nak(Some(CONTEXT_NOT_FOUND)) => !by_name && failed < REFUSALS,
        Told::Nak(_) => failed < REFUSALS,
        Told::Ack | Told::NotPossible(_) => false,
    }
}

/// When it is told again.
pub(super) fn pause(told: Told, failed: u32) -> Duration {
    let first = if matches!(told, Told::Nak(_)) { SOON } else { LATER };
    first.saturating_mul(1 << failed.min(9)).min(LATEST)
}
