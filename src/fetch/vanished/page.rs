//! The file of vanished entries, a line each, which operators edit.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::{file, keep};

const NAME: &str = "revoked-and-gone";
/// More than a few million lines take.
const MAX_OCTETS: u64 = 512 << 20;

/// Where it is.
#[derive(Debug)]
pub(super) struct Page {
    folder: PathBuf,
    pub(super) path: PathBuf,
}

impl Page {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.to_owned(), path: state_dir.join(NAME) }
    }

    /// What stands in it; nothing where there is none.
    pub(super) fn read(&self) -> io::Result<String> {
        match file::read(&self.path, MAX_OCTETS) {
            // A line that isn't UTF-8 costs itself, not the others.
            Ok((octets, _)) => Ok(String::from_utf8_lossy(&octets).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes what is known `now`. When this returns well, it is there after a power cut too. What an operator has changed in the file since it held `before`, and hasn't had read yet, stays changed.
    pub(super) fn write(&self, before: &str, now: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let found = self.read()?;
        let text = if found == before { now.to_owned() } else { merged(&found, before, now) };
        keep::replace(&self.folder, NAME, text.as_bytes())?;
        keep::sync(&self.folder)
    }
}

/// `found`, with what changes from `before` to `now` changed.
fn merged(found: &str, before: &str, now: &str) -> String {
    let [there, old, new] = [found, before, now].map(|text| text.lines().collect::<HashSet<&str>>());
    let head = now.lines().filter(|line| line.starts_with('#') && !there.contains(line));
    let kept = found.lines().filter(|line| !old.contains(line) || new.contains(line));
    let added = now.lines().filter(|line| !old.contains(line));
    head.chain(kept).chain(added).flat_map(|line| [line, "\n"]).collect()
}
