//! Guessing tokens is slow work.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::problem::Problem;

/// How long a wrong token waits for its answer.
const DELAY: Duration = Duration::from_millis(500);
/// Wrong tokens that wait at once; more are sent away at once.
const WAITING: usize = 16;

/// Slows down who guesses.
#[derive(Debug)]
pub(super) struct Throttle(Semaphore);

impl Default for Throttle {
    fn default() -> Self {
        Self(Semaphore::new(WAITING))
    }
}

impl Throttle {
    /// The answer to a wrong token, later; a right one never comes here.
    pub(super) async fn refuse(&self, detail: &'static str) -> Problem {
        let Ok(_place) = self.0.try_acquire() else {
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens at once");
        };
        tracing::warn!("admin: refused: {detail}");
        tokio::time::sleep(DELAY).await;
        Problem::new(StatusCode::UNAUTHORIZED, detail)
    }
}
