//! One file after the other, in the order in which they were named: what a later list says of a certificate counts.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinSet;

use super::api::{Api, Connector, Registered, Stopped, Target};
use super::item::{Entry, Flow, Found, Place, Sink, What};
use super::list::{self, Asked, Columns};
use super::report::Report;
use super::survey::{Kind, survey};
use super::{Args, certificates};
use crate::cli::credentials;
use crate::lock::lock;
use crate::observe::visible;

/// Entries that wait to be sent, for each request under way.
const WAITING: usize = 4;

/// Whether everything is registered. The error: a file or an argument can't be used.
pub(super) fn import(args: &Args) -> Result<bool, String> {
    let lengths = args.lists.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len());
    let report = Arc::new(Report::new(args.json, args.dry_run, lengths.sum()));
    let stopped = match args.dry_run {
        true => {
            read_all(args, &report);
            None
        }
        false => send_all(args, &report)?,
    };
    report.finish(stopped.as_deref());
    Ok(stopped.is_none() && report.tally().refused == 0)
}

/// Only reads and tells.
fn read_all(args: &Args, report: &Report) {
    for path in &args.lists {
        // Nobody ever has enough.
        let _ = read(path, &args.asked(&Columns::default()), report, &mut |Found { place, what }| {
            match what {
                What::Entry(entry) => report.would_send(&place, &entry),
                What::Refused(why) => report.refused(&place, &why),
                What::Ca => report.left_out(),
            }
            Flow::Continue(())
        });
    }
}

/// Why it didn't come to the end, if it didn't.
fn send_all(args: &Args, report: &Arc<Report>) -> Result<Option<String>, String> {
    let api = Arc::new(api(args)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let otherwise = match args.columns.lacks_some() {
        true => runtime.block_on(api.columns()),
        false => Ok(Columns::default()),
    };
    let otherwise = match otherwise {
        Ok(otherwise) => otherwise,
        Err(Stopped(why)) => return Ok(Some(why)),
    };
    for path in &args.lists {
        let sent = runtime.block_on(send(path, args.asked(&otherwise), usize::from(args.concurrency), &api, report));
        if let Err(Stopped(why)) = sent {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

fn api(args: &Args) -> Result<Api, String> {
    let (Some(url), Some(token_file)) = (&args.api, &args.token_file) else {
        return Err("--api and --token-file are missing".to_owned());
    };
    Access { api: url, token_file, ca: args.ca.as_deref() }.open()
}

/// Where the API is, and what opens it.
pub(in crate::cli) struct Access<'a> {
    pub(in crate::cli) api: &'a str,
    pub(in crate::cli) token_file: &'a Path,
    pub(in crate::cli) ca: Option<&'a Path>,
}

impl Access<'_> {
    /// Nothing is sent yet.
    pub(in crate::cli) fn open(&self) -> Result<Api, String> {
        let target = Target::parse(self.api).map_err(|why| format!("--api: {why}"))?;
        let roots = self.ca.map(credentials::read_certificates).transpose()?;
        let connector = Connector::new(target, roots.as_deref())?;
        let token = credentials::read_secret(self.token_file)?;
        Api::new(connector, &token).map_err(|why| format!("{}: {why}", self.token_file.display()))
    }
}

/// One file: a thread reads it, tasks send what it finds.
async fn send(
    path: &Path,
    asked: Asked,
    concurrency: usize,
    api: &Arc<Api>,
    report: &Arc<Report>,
) -> Result<(), Stopped> {
    let (sender, receiver) = mpsc::channel(concurrency * WAITING);
    let reader = {
        let (path, report) = (path.to_owned(), Arc::clone(report));
        std::thread::spawn(move || {
            // Whether more was wanted is known to who stopped.
            let _ = read(&path, &asked, &report, &mut |Found { place, what }| match what {
                What::Entry(entry) => match sender.blocking_send((place, entry)) {
                    Ok(()) => Flow::Continue(()),
                    Err(_) => {
                        report.unsent();
                        Flow::Break(())
                    }
                },
                What::Refused(why) => {
                    report.refused(&place, &why);
                    Flow::Continue(())
                }
                What::Ca => {
                    report.left_out();
                    Flow::Continue(())
                }
            });
        })
    };
    let queue = Arc::new(Queue { receiver: AsyncMutex::new(receiver), stopped: Mutex::default() });
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        workers.spawn(work(Arc::clone(&queue), Arc::clone(api), Arc::clone(report)));
    }
    while workers.join_next().await.is_some() {}
    // It has ended: the channel is empty and closed, from this side or that.
    let is_sound = reader.join().is_ok();
    let stopped = lock(&queue.stopped).take();
    match stopped {
        Some(stopped) => Err(stopped),
        None if is_sound => Ok(()),
        None => Err(Stopped(format!("{}: reading it failed", path.display()))),
    }
}

/// What is to be sent.
struct Queue {
    receiver: AsyncMutex<mpsc::Receiver<(Place, Entry)>>,
    /// Why nothing more can be.
    stopped: Mutex<Option<Stopped>>,
}

impl Queue {
    fn has_stopped(&self) -> bool {
        lock(&self.stopped).is_some()
    }

    /// The first reason is the one that is told.
    async fn stop(&self, why: Stopped) {
        lock(&self.stopped).get_or_insert(why);
        self.receiver.lock().await.close();
    }

    async fn next(&self) -> Option<(Place, Entry)> {
        self.receiver.lock().await.recv().await
    }
}

/// Sends one entry after the other.
async fn work(queue: Arc<Queue>, api: Arc<Api>, report: Arc<Report>) {
    let mut connection = None;
    while let Some((place, entry)) = queue.next().await {
        if queue.has_stopped() {
            report.unsent();
            continue;
        }
        match api.register(&mut connection, &entry).await {
            Ok(Registered::New) => report.new_one(),
            Ok(Registered::Known) => report.known(),
            Ok(Registered::Refused(why)) => report.refused(&place, &why),
            Err(why) => {
                report.unsent();
                queue.stop(why).await;
            }
        }
    }
}

/// Reads a file to its end, or until nobody wants more.
fn read(path: &Path, asked: &Asked, report: &Report, sink: &mut Sink<'_>) -> Flow {
    let name: Arc<str> = path.display().to_string().into();
    match try_read(path, &name, asked, report, sink) {
        Ok(flow) => flow,
        Err(error) => sink(Found::refused(Place::file(&name), error.to_string())),
    }
}

fn try_read(path: &Path, name: &Arc<str>, asked: &Asked, report: &Report, sink: &mut Sink<'_>) -> io::Result<Flow> {
    let mut file = File::open(path)?;
    let kind = survey(BufReader::new(&file))?;
    if file.rewind().is_err() {
        let why = "it can be read only once; write it to a file";
        return Ok(sink(Found::refused(Place::file(name), why)));
    }
    let reader = Counted { reader: BufReader::new(file), report };
    match kind {
        Err(why) => Ok(sink(Found::refused(Place::file(name), why))),
        Ok(kind) => read_as(kind, name, reader, asked, sink, &mut |note| report.say(&note)),
    }
}

/// Reads what is known to be of this kind.
pub(super) fn read_as(
    kind: Kind,
    name: &Arc<str>,
    reader: impl BufRead,
    asked: &Asked,
    sink: &mut Sink<'_>,
    note: &mut dyn FnMut(String),
) -> io::Result<Flow> {
    match kind {
        Kind::Pem => certificates::read_pem(name, reader, sink),
        Kind::Der => certificates::read_der(name, reader, sink),
        Kind::List(form) => {
            let (encoding, separator) = (form.encoding.name(), form.separator.name());
            let mut note = |columns: String| {
                note(format!("{}: {encoding}, parted by {separator}, columns {columns}", visible(name)));
            };
            list::read(name, reader, form, asked, sink, &mut note)
        }
    }
}

/// A reader that tells how far it is.
struct Counted<'a, R> {
    reader: R,
    report: &'a Report,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(out)?;
        self.report.read(read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, octets: usize) {
        self.report.read(octets as u64);
        self.reader.consume(octets);
    }
}
