//! Watched files (CRLs, groups; later CRLs and OCSP answers from afar) → verified snapshots.

use std::path::PathBuf;
use std::sync::Arc;

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// CRL files: (authority, path).
    pub crls: Vec<(Arc<str>, PathBuf)>,
    /// Group files: (group, path).
    pub groups: Vec<(Arc<str>, PathBuf)>,
}
