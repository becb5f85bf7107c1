//! One file: how it is told that it changed, and reading it within a bound.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::now::Wall;

/// Tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file at `path` now; links are followed.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    /// When somebody last wrote to it.
    pub(super) fn written(&self) -> Wall {
        Wall(self.modified.0)
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Reads a regular file of at most `limit` octets. The stamp is `None` when somebody wrote to the file meanwhile: it wants to be read again.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<(Vec<u8>, Option<Stamp>)> {
    // Opening a FIFO would wait for a writer for ever.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_long(limit));
    }
    let file = File::open(path)?;
    let before = Stamp::from(&file.metadata()?);
    let mut octets = Vec::new();
    // One octet over the limit tells a file that is too long from one that just fits, whatever its metadata said.
    (&file).take(limit.saturating_add(1)).read_to_end(&mut octets)?;
    if octets.len() as u64 > limit {
        return Err(too_long(limit));
    }
    let after = Stamp::from(&file.metadata()?);
    Ok((octets, (before == after).then_some(after)))
}

fn too_long(limit: u64) -> io::Error {
    io::Error::other(format!("longer than {} MiB", limit >> 20))
}
