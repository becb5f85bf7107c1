//! A NAS says no, or nothing: whether it is asked by other words, or later.

use super::{CONTEXT_NOT_FOUND, Told};
use crate::exchange::Identify;

/// Error-Cause of one that can end no more than one session, and finds several by what was said, or can't tell (the same section).
const MULTIPLE_SELECTION: u32 = 508;
/// One that says no is told again so often, about two hours long: it may be busy, or have to be set up for it. Then it is believed.
const REFUSALS: u32 = 10;

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
