//! What is on disk, and what has to go there: not every answer as it comes, but so that after a restart there is one about everybody that is good for a while.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::Problem;
use super::super::file::Stamp;
use super::super::guard::guarded;
use super::query::Answered;
use super::store::{self, Sheet, Store};
use crate::event::OcspStatus;
use crate::lock::lock;
use crate::now::{Mono, Now, Wall};
use crate::pki::{OcspAnswer, Origin, Trust};

/// Answers written in one go.
const MAX_AT_ONCE: usize = 64;
/// How long an answer that has ended is kept: a "good" of last month helps nobody, not even with `grace`.
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// How soon writing is tried again that failed.
const AGAIN: Duration = Duration::from_secs(60);

/// Files have their names' temporary ones beside them, so only one writes at a time: a desk that is replaced may still be writing.
static WRITING: Mutex<()> = Mutex::new(());

/// Everything on disk that is any good, and what is to be written and removed.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    store: Store,
    most: usize,
    kept: HashMap<String, Kept>,
    /// Whom to remove first where there are too many: those that don't say "revoked", and of these the first that ends.
    order: BTreeSet<(bool, Wall, String)>,
    /// To be written, by name.
    unkept: BTreeMap<String, (Sheet, Kept)>,
    /// To be removed.
    surplus: BTreeSet<String>,
    writing: bool,
    /// When writing may be tried again, and why it failed.
    failure: Option<(Mono, String)>,
    /// What is wrong with what was there at the start.
    bad: Option<String>,
}

/// An answer on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    status: OcspStatus,
    this_update: Wall,
    next_update: Wall,
}

/// What is to be written and removed.
#[derive(Debug)]
pub(super) struct Writing {
    store: Store,
    sheets: Vec<(String, Sheet, Kept)>,
    surplus: Vec<String>,
}

/// What of it has been done.
#[derive(Debug)]
pub(super) struct Written {
    kept: Vec<(String, Wall, Kept)>,
    removed: Vec<String>,
    failure: Option<String>,
}

impl Kept {
    fn of(answer: &OcspAnswer) -> Self {
        let name = answer.name();
        Self { status: name.status, this_update: name.this_update, next_update: name.next_update }
    }

    fn revokes(self) -> bool {
        self.status == OcspStatus::Revoked
    }

    fn life(self) -> Range<Wall> {
        self.this_update..self.next_update
    }

    /// Whether a newer answer to the same question is worth being written.
    fn gives_way_to(self, newer: Self, now: Wall) -> bool {
        let life = self.life();
        let has_half = now.until(life.end) >= life.start.until(life.end) / 2;
        self.status != newer.status || !has_half
    }
}

impl Shelf {
    /// Reads everything that is on disk of these authorities and verifies it again. It changes nothing there.
    pub(super) fn read(
        store: Store,
        most: u64,
        is_wanted: impl Fn(&str) -> bool,
        trust: &Trust,
        now: Wall,
    ) -> (Self, Vec<Arc<OcspAnswer>>) {
        let mut shelf = Self::empty(store, usize::try_from(most).unwrap_or(usize::MAX));
        let mut answers = HashMap::new();
        let mut bad: Vec<(String, String)> = Vec::new();
        for name in shelf.list() {
            match shelf.take_up(&name, &is_wanted, trust, now) {
                Ok(Some(answer)) => {
                    shelf.note(name.clone(), Kept::of(&answer));
                    answers.insert(name, answer);
                    shelf.limit();
                }
                Ok(None) => {}
                Err(text) => bad.push((name, text)),
            }
        }
        bad.sort();
        if let Some((name, text)) = bad.first() {
            shelf.bad = Some(format!(
                "{} answers that were kept are not used; of them {name}: {text}; they are asked for again",
                bad.len()
            ));
        }
        let answers = answers.into_iter().filter(|(name, _)| shelf.kept.contains_key(name));
        let answers = answers.map(|(_, answer)| answer).collect();
        (shelf, answers)
    }

    fn empty(store: Store, most: usize) -> Self {
        Self {
            store,
            most: most.max(1),
            kept: HashMap::new(),
            order: BTreeSet::new(),
            unkept: BTreeMap::new(),
            surplus: BTreeSet::new(),
            writing: false,
            failure: None,
            bad: None,
        }
    }

    /// The names of what is on disk; what doesn't belong there is surplus.
    fn list(&mut self) -> Vec<String> {
        match self.store.names() {
            Ok((names, left)) => {
                self.surplus.extend(left);
                names
            }
            Err(error) => {
                self.bad = Some(format!("what was kept cannot be listed: {error}"));
                Vec::new()
            }
        }
    }

    /// One file. `None`: it isn't wanted now.
    fn take_up(
        &mut self,
        name: &str,
        is_wanted: impl Fn(&str) -> bool,
        trust: &Trust,
        now: Wall,
    ) -> Result<Option<Arc<OcspAnswer>>, String> {
        let loaded = self.store.read(name).map_err(|error| error.to_string()).and_then(|sheet| {
            if !is_wanted(&sheet.question.authority) {
                return Ok(None);
            }
            load(&sheet, trust, now).map(Some)
        });
        let ended = match &loaded {
            Ok(Some(answer)) if answer.revokes() => None,
            Ok(Some(answer)) => Some(answer.name().next_update),
            // Whatever it is, it is of no use: when it was written tells how long for.
            Ok(None) | Err(_) => self.store.written(name),
        };
        if ended.is_some_and(|ended| ended + KEPT_FOR < now) {
            self.surplus.insert(name.to_owned());
            return Ok(None);
        }
        loaded
    }

    /// A new answer has come.
    pub(super) fn take(&mut self, answered: Answered, now: Wall) {
        let Answered { answer, der } = answered;
        let (kept, name) = (Kept::of(&answer), store::name(&answer.question));
        let is_kept = self.kept.get(&name).is_some_and(|before| !before.gives_way_to(kept, now));
        let is_full = self.unkept.len() >= self.most && !self.unkept.contains_key(&name);
        if is_kept && !self.unkept.contains_key(&name) || is_full && !kept.revokes() {
            return;
        }
        let (question, url) = (answer.question.clone(), Arc::clone(&answer.name().source));
        self.unkept.insert(name, (Sheet { question, url, fetched: now, der }, kept));
    }

    /// What was to be written by another, and isn't yet; verified with the trust of now.
    pub(super) fn take_over(&mut self, other: &Self, trust: &Trust, now: Wall) -> Vec<Arc<OcspAnswer>> {
        let verified = other.unkept.values().filter_map(|(sheet, _)| {
            let answer = load(sheet, trust, now).ok()?;
            Some((Arc::clone(&answer), Answered { answer, der: sheet.der.clone() }))
        });
        let mut answers = Vec::new();
        for (answer, answered) in verified {
            self.take(answered, now);
            answers.push(answer);
        }
        answers
    }

    /// What is to be done on disk now; one thing at a time.
    pub(super) fn begin(&mut self, now: Mono) -> Option<Writing> {
        let waits = self.failure.as_ref().is_some_and(|(until, _)| now < *until);
        if self.writing || waits || self.unkept.is_empty() && self.surplus.is_empty() {
            return None;
        }
        self.writing = true;
        let sheets = self.unkept.iter().take(MAX_AT_ONCE);
        let sheets = sheets.map(|(name, (sheet, kept))| (name.clone(), sheet.clone(), *kept)).collect();
        let surplus = self.surplus.iter().take(MAX_AT_ONCE).cloned().collect();
        Some(Writing { store: self.store.clone(), sheets, surplus })
    }

    /// What has been done. What to say, if that is news.
    pub(super) fn finish(&mut self, written: Written, now: Now) -> Option<Result<String, String>> {
        self.writing = false;
        for name in written.removed {
            self.surplus.remove(&name);
        }
        for (name, fetched, kept) in written.kept {
            // A newer one may have come meanwhile.
            if self.unkept.get(&name).is_some_and(|(sheet, other)| (sheet.fetched, *other) == (fetched, kept)) {
                self.unkept.remove(&name);
            }
            self.surplus.remove(&name);
            self.note(name, kept);
        }
        self.limit();
        let had = self.failure.take().is_some();
        self.failure = written.failure.map(|text| (now.mono + AGAIN, text));
        match &self.failure {
            Some((_, text)) if !had => Some(Err(format!("{}: {}", self.place(), unkept(text)))),
            None if had => Some(Ok(format!("{}: OCSP answers are kept again", self.place()))),
            _ => None,
        }
    }

    fn note(&mut self, name: String, kept: Kept) {
        if let Some(before) = self.kept.insert(name.clone(), kept) {
            self.order.remove(&(before.revokes(), before.next_update, name.clone()));
        }
        self.order.insert((kept.revokes(), kept.next_update, name));
    }

    fn limit(&mut self) {
        while self.kept.len() > self.most {
            let Some((_, _, name)) = self.order.pop_first() else { return };
            self.kept.remove(&name);
            self.surplus.insert(name);
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let failure = self.failure.as_ref().map(|(_, text)| unkept(text));
        let texts = failure.into_iter().chain(self.bad.clone());
        texts.map(|text| Problem { source: self.place().into(), text, fatal: false }).collect()
    }

    fn place(&self) -> String {
        self.store.folder.display().to_string()
    }
}

fn unkept(text: &str) -> String {
    format!("OCSP answers cannot be kept, and will be missing after a restart: {text}")
}

fn load(sheet: &Sheet, trust: &Trust, now: Wall) -> Result<Arc<OcspAnswer>, String> {
    let load = || OcspAnswer::load(&sheet.der, &sheet.question, &sheet.url, Origin::Kept, trust, now);
    guarded(|| load().map(Arc::new).map_err(|bad| bad.text))
}

impl Store {
    /// When a file was last written to.
    fn written(&self, name: &str) -> Option<Wall> {
        Stamp::of(&self.folder.join(name)).ok().map(|stamp| stamp.written())
    }
}

impl Writing {
    /// It waits for the disk.
    pub(super) fn run(self) -> Written {
        let _writing = lock(&WRITING);
        let mut written = Written { kept: Vec::new(), removed: Vec::new(), failure: None };
        for name in self.surplus {
            match self.store.remove(&name) {
                Ok(()) => written.removed.push(name),
                Err(error) => written.failure = Some(error.to_string()),
            }
        }
        for (name, sheet, kept) in self.sheets {
            match self.store.write(&sheet) {
                Ok(()) => written.kept.push((name, sheet.fetched, kept)),
                Err(error) => written.failure = Some(error.to_string()),
            }
        }
        if !written.kept.is_empty()
            && let Err(error) = super::super::keep::sync(&self.store.folder)
        {
            written.failure = Some(error.to_string());
        }
        written
    }
}

impl Written {
    /// Of a writing that ended by a fault of ours.
    pub(super) fn none() -> Self {
        Self { kept: Vec::new(), removed: Vec::new(), failure: Some("a fault of ours".into()) }
    }
}
