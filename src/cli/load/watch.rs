//! Sees to it that a load begins, is measured and ends in time, or when somebody ends it.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::course::Course;
use super::driver::Shared;
use super::figures::{Look, Seen};
use super::process::Process;
use super::progress::Progress;
use crate::net::Clock;
use crate::now::Mono;

/// How often somebody is told how far it is.
const TELL: Duration = Duration::from_millis(200);

/// Who watches.
pub(super) struct Watch {
    course: Course,
    clock: Clock,
    server: Option<Process>,
    progress: Progress,
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Watch {
    /// From now on signals are caught.
    pub(super) fn new(
        course: Course,
        clock: Clock,
        server: Option<Process>,
        progress: Progress,
    ) -> Result<Self, String> {
        let words = |error: std::io::Error| error.to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(words)?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(words)?;
        let terminate = signal(SignalKind::terminate()).map_err(words)?;
        drop(entered);
        Ok(Self { course, clock, server, progress, runtime, interrupt, terminate })
    }

    /// Returns when so many threads have ended.
    pub(super) fn run(self, shared: &Shared, threads: usize) -> Seen {
        let Self { course, clock, server, mut progress, runtime, mut interrupt, mut terminate } = self;
        let look = || Look {
            at: clock.mono(),
            answered: shared.answered.load(Relaxed),
            own: Process::own().usage(),
            server: server.as_ref().and_then(Process::usage),
        };
        let threads = u64::try_from(threads).unwrap_or(u64::MAX);
        let mut from = look();
        let mut warming = Some(Mono(course.warm_up)).filter(|warm| *warm > Mono::default());
        let mut to = None;
        let mut interrupted = false;
        runtime.block_on(async {
            while shared.over.load(Relaxed) < threads {
                let now = clock.mono();
                if warming.is_some_and(|warm| warm <= now) && to.is_none() {
                    (warming, from) = (None, look());
                }
                if to.is_none() && course.duration.is_some_and(|duration| Mono(duration) <= now) {
                    to = Some(look());
                    shared.stop();
                }
                progress.tell(now, shared, to.is_some());
                let end = course.duration.map(Mono).filter(|_| to.is_none());
                let next = warming.into_iter().chain(end).map(|then| then.since(now)).fold(TELL, Duration::min);
                tokio::select! {
                    () = tokio::time::sleep(next) => {}
                    () = shared.ended.notified() => {}
                    _ = interrupt.recv() => interrupted = true,
                    _ = terminate.recv() => interrupted = true,
                }
                if interrupted {
                    to.get_or_insert_with(look);
                    shared.abandon();
                }
            }
        });
        progress.end();
        let to = to.unwrap_or_else(look);
        // Ended before it was warm: all of it was before.
        if warming.is_some() {
            from = to.clone();
        }
        let memory = server.as_ref().and_then(Process::memory);
        Seen { from, to, memory, unsent: shared.unsent.load(Relaxed), interrupted }
    }
}
