//! Guessing tokens is slow work.

use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Refusal;
use super::problem::Problem;
use crate::lock::lock;

/// How long a wrong token waits for its answer.
const DELAY: Duration = Duration::from_millis(500);
/// Wrong tokens that wait at once; more are sent away at once.
const WAITING: usize = 16;
/// The log gets one line in this time, whoever guesses how often.
const LINE: Duration = Duration::from_secs(1);

/// Slows down who guesses.
#[derive(Debug)]
pub(super) struct Throttle {
    places: Semaphore,
    line: Mutex<Line>,
}

/// When something was last logged, and how much was not since.
#[derive(Debug, Default)]
struct Line {
    last: Option<Instant>,
    unsaid: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING), line: Mutex::default() }
    }
}

impl Throttle {
    /// The answer to a wrong token, later; a right one never comes here. `about`: the token's name, where it has one.
    pub(super) async fn refuse(&self, refusal: Refusal, about: &str) -> Problem {
        self.log(refusal, about);
        let Ok(_place) = self.places.try_acquire() else {
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens at once");
        };
        tokio::time::sleep(DELAY).await;
        Problem::new(StatusCode::UNAUTHORIZED, refusal.sentence())
    }

    /// The audit of refusals: strangers can't fill a disk with it. `about`: whose token, or what was found.
    pub(super) fn log(&self, refusal: Refusal, about: &str) {
        let mut line = lock(&self.line);
        if line.last.is_some_and(|last| last.elapsed() < LINE) {
            line.unsaid = line.unsaid.saturating_add(1);
            return;
        }
        let Line { unsaid, .. } = std::mem::replace(&mut *line, Line { last: Some(Instant::now()), unsaid: 0 });
        tracing::warn!("admin: refused: {} ({about:?}; {unsaid} more since the line before)", refusal.name());
    }
}
