//! What was fetched, on disk: whole or not there, whenever the machine stops.
//!
//! Each source has two files, named by a digest of authority and URL: the CRL as it came (`openssl crl -in` reads it), and what is known about it in JSON, which counts only for the very CRL that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::super::file;
use super::super::keep::{replace, sha256, sync};
use crate::lock::lock;

/// More than any ETag and URL take.
const MAX_ABOUT: u64 = 64 << 10;

/// The temporary file has one name for each source: what a killed process left is written over, not collected. So only one writes at a time.
static WRITING: Mutex<()> = Mutex::new(());

/// A folder of CRLs.
#[derive(Clone, Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

/// What is known about a CRL that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) authority: String,
    pub(super) url: String,
    /// Of the CRL, in hex.
    pub(super) sha256: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// When it was fetched, in seconds since 1970.
    pub(super) fetched: i64,
}

/// A CRL as it was kept; nobody has verified it since.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) octets: Vec<u8>,
    /// `None`: it is about another CRL, or isn't there.
    pub(super) about: Option<About>,
}

impl Store {
    /// In the state directory; nothing is made before there is something to write.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("crl") }
    }

    /// What was kept of a source; `None`: nothing.
    pub(super) fn read(&self, authority: &str, url: &str, limit: u64) -> io::Result<Option<Kept>> {
        let name = name(authority, url);
        let octets = match file::read(&self.folder.join(format!("{name}.crl")), limit) {
            Ok((octets, _)) => octets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file::read(&self.folder.join(format!("{name}.json")), MAX_ABOUT).ok();
        let about: Option<About> = about.and_then(|(json, _)| serde_json::from_slice(&json).ok());
        let sha256 = sha256(&octets);
        Ok(Some(Kept { octets, about: about.filter(|about| about.sha256 == sha256) }))
    }

    /// Keeps a CRL that has been verified. When this returns well, it is there after a power cut too.
    pub(super) fn write(&self, octets: &[u8], about: &About) -> io::Result<()> {
        let _writing = lock(&WRITING);
        fs::create_dir_all(&self.folder)?;
        let name = name(&about.authority, &about.url);
        replace(&self.folder, &format!("{name}.crl"), octets)?;
        replace(&self.folder, &format!("{name}.json"), &serde_json::to_vec_pretty(about)?)?;
        sync(&self.folder)
    }
}

/// Of a source's files, without their ending.
fn name(authority: &str, url: &str) -> String {
    // No authority's name has control characters, so no two sources share one.
    sha256(format!("{authority}\0{url}").as_bytes())
}
