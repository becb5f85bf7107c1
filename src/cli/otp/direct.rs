//! Into the registry of a server that doesn't run.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::json;

use super::Fault;
use crate::config::{self, Config};
use crate::net::Clock;
use crate::now::Wall;
use crate::otp::Key;
use crate::store::{Audited, Change, Enrolled, FILE, Failure, Store};

/// Whom the audit names.
const BY: &str = "command line";

/// Enrols a user; the URI.
pub(super) fn enrol(config: &Path, user: &str, replace: bool) -> Result<String, Fault> {
    let (config, now) = load(config)?;
    let settings = config.otp.as_ref().ok_or_else(|| Fault::Unusable("the configuration has no [otp]".to_owned()))?;
    let no_randomness = |_| Fault::Unusable("the system has no randomness".to_owned());
    let key = Key::random().map_err(no_randomness)?;
    let sealed = settings.sealer.seal(user, &key).map_err(no_randomness)?;
    let enrolled = Enrolled { user: user.to_owned(), sealed, last: None, at: now, by: BY.to_owned() };
    let audited = line("enrol-otp", user, json!({ "replace": replace }), now);
    match with_store(&config, async |store| store.enrol(enrolled, replace, audited).await)? {
        Change::Made(_) => Ok(String::from_utf8_lossy(key.uri(&settings.issuer, user).expose()).into_owned()),
        _ => Err(Fault::Refused(format!("{user} is enrolled already; --replace gives another key"))),
    }
}

/// Takes a user's key away.
pub(super) fn remove(config: &Path, user: &str) -> Result<(), Fault> {
    let (config, now) = load(config)?;
    let audited = line("remove-otp", user, json!({}), now);
    match with_store(&config, async |store| store.unenrol(user, audited).await)? {
        Change::Made(()) => Ok(()),
        _ => Err(Fault::Refused(format!("{user} is not enrolled"))),
    }
}

fn load(path: &Path) -> Result<(Config, Wall), Fault> {
    let now = Clock::start().now().wall;
    let (config, findings) = config::load(path, None, now);
    let lines = || findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    config.map(|config| (config, now)).ok_or_else(|| Fault::Unusable(lines()))
}

fn line(action: &str, user: &str, detail: serde_json::Value, at: Wall) -> Audited {
    let (caller, role) = (BY.to_owned(), "operator".to_owned());
    Audited { row: 0, at, caller, role, action: action.to_owned(), target: user.to_owned(), detail: detail.to_string() }
}

fn with_store<T>(config: &Config, work: impl AsyncFnOnce(&Store) -> Result<T, Failure>) -> Result<T, Fault> {
    if config.registry.is_none() {
        return Err(Fault::Unusable("no registry is kept here: [registry] says database = \"none\"".to_owned()));
    }
    let file = config.state_dir.join(FILE);
    // A server that begins one says so, and knows who is blocked; nobody else begins one.
    if std::fs::metadata(&file).map_or(true, |file| file.len() == 0) {
        let why = "there is no registry yet, or its directory can't be read: start the server once";
        return Err(Fault::Unusable(format!("{}: {why}", file.display())));
    }
    let (store, thread) = Store::open(&config.state_dir).map_err(|error| {
        Fault::Unusable(match error.kind() {
            ErrorKind::WouldBlock => format!("{error}; --api and --token-file reach the one that runs"),
            _ => error.to_string(),
        })
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(work(&store)).map_err(|failure| failure.to_string()),
        Err(error) => Err(error.to_string()),
    };
    store.close();
    drop(store);
    // It has told what it had to.
    let _ = thread.join();
    done.map_err(Fault::Unusable)
}
