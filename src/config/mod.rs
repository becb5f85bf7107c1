//! TOML → each module's Settings; all findings at once, with their positions. Only `daemon`, `cli` and `main` import it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::now::Wall;
use crate::{admin, eap, engine, exchange, fetch, net, observe, pki, policy, tls};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The server starts all the same.
    Warning,
    /// It doesn't.
    Error,
}

/// One thing that is wrong or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The file: the configuration, or one that it names.
    pub file: PathBuf,
    /// Line, from 1; 0: the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0: the line as a whole.
    pub column: usize,
    /// The key's path: `service[1].vlan`.
    pub key: String,
    /// What is wrong, what it leads to, what to do.
    pub text: String,
}

/// A configuration that has been read, with every file that it names, CRLs and groups excepted: those are `fetch`'s.
#[derive(Debug)]
pub struct Config {
    /// `[server].name`
    pub node: Arc<str>,
    /// `[server].state-dir`
    pub state_dir: PathBuf,
    /// `[listen]`
    pub net: net::Settings,
    /// `[admin]`
    pub admin: admin::Settings,
    /// `[log]`
    pub log: observe::LogSettings,
    /// Watched files.
    pub fetch: fetch::Settings,
    /// Bounds.
    pub engine: engine::Settings,
    /// `[eap]`
    pub eap: eap::Settings,
    /// `[[nas]]`
    pub peers: Arc<exchange::Peers>,
    /// `[[authority]]`
    pub trust: Arc<pki::Trust>,
    /// `[[service]]`
    pub policy: Arc<policy::Policy>,
    /// `[[identity]]`, `[tls]`
    pub tls: Arc<tls::Server>,
    /// notAfter of the leaf of each identity.
    pub identity_ends: Vec<(Arc<str>, Wall)>,
}

/// Reads a configuration. `Config` is there unless a finding is an error. `previous`: whose random ticket key is taken over.
#[must_use]
pub fn load(path: &Path, previous: Option<&tls::Server>, now: Wall) -> (Option<Config>, Vec<Finding>) {
    todo!()
}
