//! What became of everything, for people and programs.

use std::io::Write;
use std::sync::{Mutex, MutexGuard};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::item::{Entry, Place};
use crate::lock::lock;
use crate::observe::{escape_in_json, visible};

/// How many there were of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) new: u64,
    pub(super) known: u64,
    /// By us or by the API.
    pub(super) refused: u64,
    /// Certificates of CAs.
    pub(super) left_out: u64,
    /// Read and not sent: with `--dry-run`, or when nothing more could be sent.
    pub(super) unsent: u64,
}

/// Tells while it goes on, and at the end. Keeps no more than numbers.
pub(super) struct Report {
    is_json: bool,
    is_dry: bool,
    bar: ProgressBar,
    tally: Mutex<Tally>,
}

impl Report {
    /// `octets`: the length of all files, for the progress bar on a terminal.
    pub(super) fn new(is_json: bool, is_dry: bool, octets: u64) -> Self {
        // Hidden where stderr is no terminal.
        let bar = ProgressBar::new(octets);
        let style = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { is_json, is_dry, bar, tally: Mutex::default() }
    }

    pub(super) fn tally(&self) -> Tally {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    fn count(&self, count: impl FnOnce(&mut Tally)) {
        let mut tally = self.lock();
        count(&mut tally);
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{} new, {} known, {} refused", tally.new, tally.known, tally.refused));
        }
    }

    /// So many octets more were read.
    pub(super) fn read(&self, octets: u64) {
        self.bar.inc(octets);
    }

    pub(super) fn new_one(&self) {
        self.count(|tally| tally.new += 1);
    }

    pub(super) fn known(&self) {
        self.count(|tally| tally.known += 1);
    }

    pub(super) fn left_out(&self) {
        self.count(|tally| tally.left_out += 1);
    }

    pub(super) fn unsent(&self) {
        self.count(|tally| tally.unsent += 1);
    }

    /// It isn't registered: why.
    pub(super) fn refused(&self, place: &Place, why: &str) {
        self.count(|tally| tally.refused += 1);
        if self.is_json {
            self.print(located(place, "refused", why.into()));
        } else {
            self.say(&format!("{place}: refused: {}", visible(why)));
        }
    }

    /// With `--dry-run`, what would be sent.
    pub(super) fn would_send(&self, place: &Place, entry: &Entry) {
        self.unsent();
        if self.is_json {
            self.print(located(place, "would_send", entry.json()));
        }
    }

    /// A line for people.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// The end. `stopped`: why not everything was sent.
    pub(super) fn finish(&self, stopped: Option<&str>) {
        self.bar.finish_and_clear();
        let tally = self.tally();
        if let Some(why) = stopped {
            eprintln!("sekisho import: stopped: {}", visible(why));
        }
        match self.is_json {
            true => self.print(json(&tally, self.is_dry, stopped)),
            false => write(&text(&tally, self.is_dry)),
        }
    }

    fn print(&self, value: Value) {
        self.bar.suspend(|| write(&escape_in_json(&value.to_string())));
    }
}

/// A line on stdout. Whoever closed it doesn't want to know.
fn write(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn located(place: &Place, what: &str, value: Value) -> Value {
    let mut object = Map::new();
    object.insert("file".to_owned(), place.file.as_ref().into());
    let numbers = [("line", place.line), ("certificate", place.certificate)];
    object.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into()))));
    object.insert(what.to_owned(), value);
    Value::Object(object)
}

fn json(tally: &Tally, is_dry: bool, stopped: Option<&str>) -> Value {
    let Tally { new, known, refused, left_out, unsent } = tally;
    json!({ "summary": {
        "new": new, "known": known, "refused": refused, "left_out": left_out, "unsent": unsent,
        "dry_run": is_dry, "stopped": stopped,
    } })
}

fn text(tally: &Tally, is_dry: bool) -> String {
    let Tally { new, known, refused, left_out, unsent } = tally;
    let mut text = match is_dry {
        true => format!("{unsent} would be sent, {refused} refused"),
        false => format!("{new} new, {known} known, {refused} refused"),
    };
    if *left_out > 0 {
        text += &format!(", {left_out} left out (certificates of authorities)");
    }
    if !is_dry && *unsent > 0 {
        text += &format!(", {unsent} read and not sent");
    }
    text
}
