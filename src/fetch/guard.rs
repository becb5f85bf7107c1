//! Reading what strangers have made: a panic in a reader costs what is read, and nothing else (R10).

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a reader that owns nothing but what it gives back; a panic in it is one more reason why there is nothing.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("reading it failed by a fault of ours".into()))
}
