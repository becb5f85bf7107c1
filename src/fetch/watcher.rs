//! Files that are read once and looked at again.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::file::{self, Stamp};
use super::guard::guarded;
use super::{LastSuccess, Loaded, Problem, Settings};
use crate::now::Wall;
use crate::pki::{Crl, Revocation, Trust};
use crate::standing::Standing;

/// Longest CRL file in octets.
const MAX_CRL: u64 = 128 << 20;
/// Longest group file in octets.
const MAX_GROUP: u64 = 16 << 20;
/// Looks after which a file is read although it goes on changing.
const MAX_UNSETTLED: u8 = 2;

/// Every watched file with what was last good in it.
#[derive(Debug)]
pub struct Watcher {
    crls: Vec<Watched<Arc<Crl>>>,
    groups: Vec<Watched<Arc<str>>>,
}

/// How a file was found, or why it could not be looked at.
type State = Result<Stamp, io::ErrorKind>;

/// One file.
#[derive(Debug)]
struct Watched<T> {
    /// Authority or group.
    name: Arc<str>,
    path: PathBuf,
    source: Arc<str>,
    /// The state of the file that was last read, or why it could not be looked at; `None`: to be read at the next look.
    seen: Option<State>,
    /// Another state that the last looks found, and how many looks ago it left `seen`.
    pending: Option<(State, u8)>,
    good: Option<T>,
    last_success: Option<Wall>,
    problem: Option<String>,
}

impl Watcher {
    /// Reads every file. `previous`: whose good content counts on where a file is no good now.
    #[must_use]
    pub fn new(settings: &Settings, trust: &Trust, now: Wall, previous: Option<&Self>) -> Self {
        let mut watcher = Self {
            crls: watched(&settings.crls, previous.map_or(&[], |p| &p.crls)),
            groups: watched(&settings.groups, previous.map_or(&[], |p| &p.groups)),
        };
        watcher.look(trust, now);
        watcher
    }

    /// The same before it has read anything: the next look reads everything.
    #[must_use]
    pub fn unread(settings: &Settings) -> Self {
        Self { crls: watched(&settings.crls, &[]), groups: watched(&settings.groups, &[]) }
    }

    /// Looks at every file and reads those that changed. Whether anything that [`Watcher::loaded`] says is another now, but for the times of success.
    pub fn look(&mut self, trust: &Trust, now: Wall) -> bool {
        let mut changed = false;
        for crl in &mut self.crls {
            changed |= crl.look(now, |crl| crl.read_crl(trust));
        }
        for group in &mut self.groups {
            changed |= group.look(now, Watched::read_group);
        }
        changed
    }

    /// What the files hold, as of the last look.
    #[must_use]
    pub fn loaded(&self) -> Loaded {
        let crls: Vec<Arc<Crl>> = self.crls.iter().filter_map(|crl| crl.good.clone()).collect();
        let groups: Vec<(Arc<str>, String)> = self
            .groups
            .iter()
            .filter_map(|group| Some((Arc::clone(&group.name), group.good.as_deref()?.to_owned())))
            .collect();
        Loaded {
            crls: crls.iter().map(|crl| crl.summary()).collect(),
            revocation: Arc::new(Revocation::new(crls)),
            standing: Arc::new(Standing::new(&groups)),
            problems: self.problems().collect(),
            last_success: self.last_success(),
            askable: Default::default(),
        }
    }

    /// When each CRL source was last good; grows with every look.
    #[must_use]
    pub(crate) fn last_success(&self) -> Vec<LastSuccess> {
        let of = |crl: &Watched<Arc<Crl>>| LastSuccess {
            authority: Arc::clone(&crl.name),
            source: Arc::clone(&crl.source),
            at: crl.last_success,
            failure: None,
        };
        self.crls.iter().map(of).collect()
    }

    fn problems(&self) -> impl Iterator<Item = Problem> {
        let crls = self.crls.iter().filter_map(|crl| crl.problem(false));
        let groups = self.groups.iter().filter_map(|group| group.problem(group.good.is_none()));
        crls.chain(groups)
    }
}

/// Files to watch, none read yet, with what was good of the same name and path before.
fn watched<T: Clone>(files: &[(Arc<str>, PathBuf)], previous: &[Watched<T>]) -> Vec<Watched<T>> {
    let one = |(name, path): &(Arc<str>, PathBuf)| {
        let before = previous.iter().find(|old| old.name == *name && old.path == *path);
        Watched {
            name: Arc::clone(name),
            path: path.clone(),
            source: path.display().to_string().into(),
            seen: None,
            pending: None,
            good: before.and_then(|old| old.good.clone()),
            last_success: before.and_then(|old| old.last_success),
            problem: None,
        }
    };
    files.iter().map(one).collect()
}

impl<T> Watched<T> {
    /// Reads the file if it isn't as it was; whether what it says is another now.
    fn look(&mut self, now: Wall, read: impl FnOnce(&Self) -> Result<Read<T>, Refused>) -> bool {
        let state = Stamp::of(&self.path).map_err(|error| error.kind());
        if self.seen == Some(state) {
            self.pending = None;
            if self.problem.is_none() {
                self.last_success = Some(now);
            }
            return false;
        }
        if self.seen.is_some() && !self.settled(state) {
            return false;
        }
        self.pending = None;
        match read(self) {
            Ok(fresh) => {
                // `None`, somebody was writing: what came is good as it stands, the next look reads it again.
                self.seen = fresh.stamp.map(Ok);
                self.good = Some(fresh.content);
                self.last_success = Some(now);
                self.problem = None;
                true
            }
            Err(refused) => {
                // What could not be read may be readable the next time although the file is the same.
                self.seen = if refused.again { state.err().map(Err) } else { Some(state) };
                self.problem.replace(refused.text.clone()) != Some(refused.text)
            }
        }
    }

    /// A file that has just changed may be half written, and half a list of suspended users is a valid list: it is read when it has stood still from one look to the next,
    /// or when it never does.
    fn settled(&mut self, state: State) -> bool {
        match self.pending {
            Some((pending, looks)) if pending == state || looks >= MAX_UNSETTLED => true,
            pending => {
                self.pending = Some((state, pending.map_or(1, |(_, looks)| looks + 1)));
                false
            }
        }
    }

    fn problem(&self, fatal: bool) -> Option<Problem> {
        let text = self.problem.clone()?;
        Some(Problem { source: Arc::clone(&self.source), text, fatal })
    }

    /// Octets of the file.
    fn octets(&self, limit: u64) -> Result<(Vec<u8>, Option<Stamp>), Refused> {
        file::read(&self.path, limit)
            .map_err(|error| Refused { text: format!("cannot be read: {error}; {}", self.consequence()), again: true })
    }

    fn consequence(&self) -> &'static str {
        if self.good.is_some() { "what it held before goes on counting" } else { "nothing of it counts" }
    }
}

/// Why a file is not taken.
struct Refused {
    text: String,
    /// Whether to try again although the file stays as it is.
    again: bool,
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self { text, again: false }
    }
}

/// What was read.
struct Read<T> {
    content: T,
    stamp: Option<Stamp>,
}

impl Watched<Arc<Crl>> {
    fn read_crl(&self, trust: &Trust) -> Result<Read<Arc<Crl>>, Refused> {
        let (octets, stamp) = self.octets(MAX_CRL)?;
        let load = || Crl::load(&octets, &self.name, &self.source, trust).map_err(|bad| bad.text);
        let crl = guarded(load).map_err(|text| format!("authority {}: {text}; {}", self.name, self.consequence()))?;
        if let Some(good) = &self.good
            && !same(&crl, good)
            && !crl.supersedes(good)
        {
            return Err(format!("authority {}: older than the CRL in use, which goes on counting", self.name).into());
        }
        Ok(Read { content: Arc::new(crl), stamp })
    }
}

/// Whether a CRL is the one in use, read again.
fn same(crl: &Crl, good: &Crl) -> bool {
    crl.summary() == good.summary()
}

impl Watched<Arc<str>> {
    fn read_group(&self) -> Result<Read<Arc<str>>, Refused> {
        let (octets, stamp) = self.octets(MAX_GROUP)?;
        let text = String::from_utf8(octets)
            .map_err(|bad| format!("not UTF-8 at octet {}; {}", bad.utf8_error().valid_up_to(), self.consequence()))?;
        Ok(Read { content: text.into(), stamp })
    }
}
