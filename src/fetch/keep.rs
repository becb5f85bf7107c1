//! Files that are whole or not there, whenever the machine stops.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// Writes a file beside its place and renames it. The name of the temporary one is always the same for it, so that what a killed process left is written over; only one may write at a time.
pub(super) fn replace(folder: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))
}

/// When this returns well, what was renamed and removed in the folder is so after a power cut too.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// In hex.
pub(super) fn sha256(octets: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, octets).as_ref())
}
