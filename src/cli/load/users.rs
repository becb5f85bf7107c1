//! Who logs in: the certificates and keys of a directory.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::credentials::{self, Credential};
use crate::secret::Secret;

/// Most users: a bound for a directory that was named by mistake.
const MOST: usize = 100_000;

/// The credentials of a directory by name, or of one file. In a directory each `NAME.pem` is a certificate with its intermediates, whose key is in the same file or in `NAME.key`, and each `NAME.p12` or `NAME.pfx` is one in PKCS#12;
/// other files are left alone. The error is a sentence.
pub(super) fn read(path: &Path, password: Option<&Secret>) -> Result<Vec<Credential>, String> {
    let with_path = |error: std::io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(with_path)?.is_dir() {
        return Ok(vec![read_one(path, password)?]);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(with_path)? {
        let file = entry.map_err(with_path)?.path();
        if is_credential(&file) {
            files.push(file);
        }
        if files.len() > MOST {
            return Err(format!("{}: more than {MOST} users", path.display()));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: neither NAME.pem with NAME.key, nor NAME.p12, nor NAME.pfx in it", path.display()));
    }
    files.iter().map(|file| read_one(file, password)).collect()
}

fn is_credential(file: &Path) -> bool {
    let extension = file.extension().and_then(OsStr::to_str);
    matches!(extension, Some("pem" | "p12" | "pfx"))
}

fn read_one(file: &Path, password: Option<&Secret>) -> Result<Credential, String> {
    let key = file.with_extension("key");
    let beside = file.extension().is_some_and(|extension| extension == "pem") && key.exists();
    credentials::read(file, beside.then_some(&key), password)
}
