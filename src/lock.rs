//! Locks that a panic doesn't shut.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a mutex guards, also where somebody has panicked with it: his work ends there, and nobody else's.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
