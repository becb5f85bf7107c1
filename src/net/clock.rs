//! The clock.

use std::time::{Instant, SystemTime};

use crate::now::{Mono, Now, Wall};

/// Tells the time. Copies tell the same.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: fn() -> Wall,
}

impl Clock {
    /// Monotonic time begins here.
    #[must_use]
    pub fn start() -> Self {
        Self::with_wall(system_wall)
    }

    /// The same with another wall clock.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(super) fn with_wall(wall: fn() -> Wall) -> Self {
        Self { start: Instant::now(), wall }
    }

    /// Both clocks now.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { mono: self.mono(), wall: (self.wall)() }
    }

    /// How long the clock has run.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn mono(&self) -> Mono {
        Mono(self.start.elapsed())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_wall() -> Wall {
    SystemTime::now().into()
}
