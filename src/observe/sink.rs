//! Events out of the hall, lines onto stderr: the hall counts and hands over, and never waits for whoever reads the log.
//!
//! Lines are written together: one of a decision (`info` and below) waits for others, for [`GATHERING`] at the longest, and the hall wakes nobody for it while lines come
//! again and again. A line that somebody should look at (`warn`, `error`) is written at once, with all that wait.

use std::borrow::Borrow;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use arc_swap::ArcSwap;
use tracing::Level;

use super::limiter::Limiter;
use super::line::Line;
use super::operational::Style;
use super::{LogSettings, Metrics, render};
use crate::event::{Event, Outcome, Reason};
use crate::lock::lock;
use crate::now::{Mono, Now};

/// Events that may wait for their line: a second or two of a very busy server, a few MiB.
const MAX_WAITING: usize = 8_192;
/// How long a line waits for others: one wake-up and one system call do for many logins. `net` gives the log twice as long when the process has to end.
const GATHERING: Duration = Duration::from_millis(50);
/// Octets written at once.
const BATCH: usize = 64 << 10;

/// Starts the thread that writes decisions.
#[derive(Debug)]
pub struct Observer;

/// Where the hall puts its events. When it is dropped, the thread writes what waits and ends.
#[derive(Debug)]
pub struct Sink {
    metrics: Arc<Metrics>,
    style: Arc<ArcSwap<Style>>,
    limiter: Mutex<Limiter>,
    waiting: SyncSender<Waiting>,
    /// Dropped after `waiting`, so that the thread then finds that nothing comes any more.
    writer: Gatherer,
}

/// The thread, which may be gathering.
#[derive(Debug)]
struct Gatherer(Thread);

impl Drop for Gatherer {
    fn drop(&mut self) {
        self.0.unpark();
    }
}

#[derive(Debug)]
struct Waiting {
    event: Arc<Event>,
    suppressed: u64,
}

impl Observer {
    /// Lines go to stderr. `node`: this server's name, in JSON lines.
    pub fn spawn(settings: &LogSettings, metrics: Arc<Metrics>, node: &str) -> io::Result<(Sink, JoinHandle<()>)> {
        Self::spawn_to(Box::new(io::stderr()), settings, metrics, node)
    }

    /// As [`Observer::spawn`], lines go to `to`.
    pub(crate) fn spawn_to(
        to: Box<dyn Write + Send>,
        settings: &LogSettings,
        metrics: Arc<Metrics>,
        node: &str,
    ) -> io::Result<(Sink, JoinHandle<()>)> {
        let (waiting, events) = sync_channel(MAX_WAITING);
        let style = Arc::new(ArcSwap::from_pointee(Style::new(settings)));
        let writer =
            Writer { to, metrics: metrics.clone(), style: style.clone(), node: node.to_owned(), lost: Lost::default() };
        let thread = thread::Builder::new().name("log".into()).spawn(move || writer.run(&events))?;
        let writer = Gatherer(thread.thread().clone());
        Ok((Sink { metrics, style, limiter: Mutex::default(), waiting, writer }, thread))
    }
}

impl Sink {
    /// Counts the event and hands it over to be logged. Never waits: a line for which there is no room is counted and lost.
    pub fn record(&self, event: impl Borrow<Event> + Into<Arc<Event>>) {
        let seen: &Event = event.borrow();
        self.metrics.record(seen);
        let level = render::level(seen);
        if !self.style.load().writes(level) {
            return;
        }
        let Some(suppressed) = self.may_log(seen) else { return };
        if self.waiting.try_send(Waiting { event: event.into(), suppressed }).is_err() {
            self.metrics.log_dropped().inc();
        }
        if is_urgent(level) {
            self.writer.0.unpark();
        }
    }

    /// Writes lines in another way from now on.
    pub(crate) fn set_log(&self, settings: &LogSettings) {
        self.style.store(Arc::new(Style::new(settings)));
    }

    /// Anybody can cause drops, and any NAS requests with a State that names nothing.
    fn may_log(&self, event: &Event) -> Option<u64> {
        if event.outcome != Outcome::Drop && event.reason != Reason::ConversationExpired {
            return Some(0);
        }
        lock(&self.limiter).allow(event.peer.ip(), event.at.mono)
    }
}

/// The thread's side.
struct Writer {
    to: Box<dyn Write + Send>,
    metrics: Arc<Metrics>,
    style: Arc<ArcSwap<Style>>,
    node: String,
    lost: Lost,
}

/// Lines lost, and how many of them a line has told of.
#[derive(Default)]
struct Lost {
    told: u64,
    told_at: Option<Mono>,
}

impl Writer {
    fn run(mut self, events: &Receiver<Waiting>) {
        // Only after a time in which nothing has come somebody has to wake this thread.
        while let Ok(first) = events.recv() {
            let mut batch = self.lines(&first);
            if !is_urgent(render::level(&first.event)) {
                gather();
            }
            while self.write(batch, events) {
                gather();
                batch = String::new();
            }
        }
    }

    /// Writes the batch and all that waits; whether there was anything, and more may come.
    fn write(&mut self, mut batch: String, events: &Receiver<Waiting>) -> bool {
        let mut wrote = false;
        loop {
            let next = events.try_recv();
            if let Ok(next) = &next {
                batch.push_str(&self.lines(next));
            }
            if next.is_err() && batch.is_empty() {
                return wrote && next.is_err_and(|error| error != TryRecvError::Disconnected);
            }
            if next.is_err() || batch.len() >= BATCH {
                // A log that can't be written can't be complained of in the log.
                let _ = self.to.write_all(batch.as_bytes());
                let _ = self.to.flush();
                batch.clear();
                wrote = true;
            }
        }
    }

    /// The event's line; before it, if lines have been lost, one that says so.
    fn lines(&mut self, waiting: &Waiting) -> String {
        let style = self.style.load_full();
        let line = render::line(&waiting.event, waiting.suppressed, &style.explainer);
        let mut text = String::new();
        if let Some(lost) = self.lost.line(self.metrics.log_dropped().get(), waiting.event.at) {
            text = lost.render(style.format, &style.explainer.zone, Some(&self.node));
        }
        text.push_str(&line.render(style.format, &style.explainer.zone, Some(&self.node)));
        text
    }
}

/// Whether somebody should look at it, and soon.
fn is_urgent(level: Level) -> bool {
    level <= Level::WARN
}

/// Waits for more lines, until an urgent one has come or none comes any more. Woken for nothing it writes a little earlier.
fn gather() {
    thread::park_timeout(GATHERING);
}

impl Lost {
    /// Once a second at most.
    fn line(&mut self, lost: u64, at: Now) -> Option<Line> {
        let recent = self.told_at.is_some_and(|told| at.mono.since(told) < Duration::from_secs(1));
        if lost == self.told || recent {
            return None;
        }
        let mut line = Line::new(at.wall, Level::WARN, "log lines were lost: whoever reads the log is too slow");
        line.field("lost", Some(lost.saturating_sub(self.told)));
        self.told = lost;
        self.told_at = Some(at.mono);
        Some(line)
    }
}
