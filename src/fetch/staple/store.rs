//! Our certificates' answers on disk: whole or not there, whenever the machine stops.
//!
//! One file a certificate, named by its digest: the OCSPResponse as it came (`openssl ocsp -respin` reads it). Whatever else is known of it is in it, and it is verified again when it is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::super::file;
use super::super::http::MAX_OCSP;
use super::super::keep::{replace, sync};
use crate::lock::lock;

/// How the files' names end.
const ENDING: &str = ".ocsp";

/// Files have their names' temporary ones beside them, so only one writes at a time: what belongs to a configuration that is gone may still be writing.
static WRITING: Mutex<()> = Mutex::new(());

/// A folder of answers.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) folder: PathBuf,
}

impl Store {
    /// In the state directory; nothing is made before there is something to write.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("staple") }
    }

    /// What was kept; `None`: nothing that can be read.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        file::read(&self.folder.join(name), MAX_OCSP).ok().map(|(octets, _)| octets)
    }

    /// Writes an answer, and removes those that aren't among the `wanted`: of certificates that were replaced.
    pub(super) fn write(&self, name: &str, der: &[u8], wanted: &[String]) -> io::Result<()> {
        let _writing = lock(&WRITING);
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder, name, der)?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_ours = |name: &str| name.trim_end_matches(".new").ends_with(ENDING);
            let found = entry.file_name();
            if found.to_str().is_some_and(|name| is_ours(name) && !wanted.iter().any(|wanted| wanted == name)) {
                fs::remove_file(entry.path())?;
            }
        }
        sync(&self.folder)
    }
}

/// The name of a file.
pub(super) fn file_name(digest: &str) -> String {
    format!("{digest}{ENDING}")
}
