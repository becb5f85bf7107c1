//! Threads that run Steps when more than one waits.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::clock::Clock;
use super::told::told;
use crate::engine::{Step, Stepped};
use crate::lock::lock;

/// A Step that has been run, and how long that took.
pub(super) struct Finished {
    pub(super) stepped: Stepped,
    pub(super) took: Duration,
}

/// Runs a Step here.
pub(super) fn run(step: Step, clock: &Clock) -> Finished {
    let begin = clock.now();
    let stepped = step.run(begin);
    Finished { stepped, took: clock.mono().since(begin.mono) }
}

/// How long whoever writes the log has to tell what was decided before the end: twice what a line may wait for others.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Runs `work`; a panic in it ends the process instead of leaving half a server, as soon as the log has told what was decided before.
pub(super) fn end_process_on_panic(who: &str, work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        tracing::error!("{who} has panicked: the process ends, to be started again");
        last_lines();
        std::process::abort();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this thread is at its end, and a log that nobody reads must not keep it from it"
)]
fn last_lines() {
    thread::sleep(LAST_LINES);
}

/// The helpers. They end when this is dropped.
pub(super) struct Helpers {
    steps: SyncSender<Step>,
    finished: UnboundedReceiver<Finished>,
    count: usize,
    busy: usize,
}

impl Helpers {
    /// Starts `count` threads.
    pub(super) fn spawn(count: usize, clock: Clock) -> io::Result<Self> {
        let (steps, waiting) = sync_channel(count);
        // No bound is needed: there are never more than `count` on their way.
        let (done, finished) = unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..count {
            let (waiting, done) = (Arc::clone(&waiting), done.clone());
            thread::Builder::new()
                .name(format!("helper-{number}"))
                .spawn(move || end_process_on_panic("a helper", || help(&waiting, &done, &clock)))?;
        }
        Ok(Self { steps, finished, count, busy: 0 })
    }

    /// Whether one has nothing to do.
    pub(super) fn idle(&self) -> bool {
        self.busy < self.count
    }

    /// Gives a Step to an idle helper; back it comes if none takes it.
    pub(super) fn give(&mut self, step: Step) -> Result<(), Step> {
        match self.steps.try_send(step) {
            Ok(()) => {
                self.busy += 1;
                Ok(())
            }
            Err(TrySendError::Full(step) | TrySendError::Disconnected(step)) => Err(step),
        }
    }

    /// What a helper has finished, if any has; else the hall is woken then.
    pub(super) fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<Finished> {
        let finished = ready!(told(self.finished.poll_recv(cx)));
        self.busy -= 1;
        Poll::Ready(finished)
    }
}

fn help(waiting: &Mutex<Receiver<Step>>, done: &UnboundedSender<Finished>, clock: &Clock) {
    loop {
        let step = lock(waiting).recv();
        let Ok(step) = step else { return };
        if done.send(run(step, clock)).is_err() {
            return;
        }
    }
}
