//! Watched files: the first reading, and every look after.

use std::borrow::Borrow;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::{Server, StartError};
use crate::config::Config;
use crate::fetch::{Loaded, Problem, Watcher};
use crate::now::Wall;

/// Reads every file for the first time.
pub(super) fn first(config: &Config, now: Wall) -> Result<(Watcher, Loaded), StartError> {
    let watcher = Watcher::new(&config.fetch, &config.trust, now, None);
    let loaded = watcher.loaded();
    report(&loaded.problems);
    startable(&loaded.problems)?;
    Ok((watcher, loaded))
}

/// Whether a server may begin with these problems.
pub(super) fn startable(problems: &[Problem]) -> Result<(), StartError> {
    let fatal: Vec<Problem> = problems.iter().filter(|problem| problem.fatal).cloned().collect();
    if fatal.is_empty() { Ok(()) } else { Err(StartError::Files(fatal)) }
}

/// Logs what is wrong with files.
pub(super) fn report(problems: impl IntoIterator<Item = impl Borrow<Problem>>) {
    for problem in problems {
        let Problem { source, text, .. } = problem.borrow();
        tracing::warn!("{source}: {text}");
    }
}

impl Server {
    /// Looks at the watched files, elsewhere: neither the hall nor this thread waits for a disk or a big CRL. What changed counts from now on.
    pub(super) async fn look(&mut self) {
        let Some(mut watcher) = self.watcher.take() else { return };
        let trust = Arc::clone(&self.config.trust);
        let now = self.clock.now().wall;
        let (ledger, before) = (Arc::clone(&self.ledger), Arc::clone(&self.files.revocation));
        let looked = spawn_blocking(move || {
            let loaded = watcher.look(&trust, now).then(|| watcher.loaded());
            if let Some(loaded) = &loaded {
                ledger.follow(&before, &loaded.revocation, now);
            }
            (watcher, loaded)
        });
        let (watcher, loaded) = match looked.await {
            Ok(looked) => looked,
            Err(_) => {
                // Nothing that was good is lost: the snapshot in use stays until a new watcher has read everything.
                tracing::error!("looking at watched files failed by a fault of ours; they are all read again");
                let settings = self.config.fetch.clone();
                self.watcher = Some(Watcher::unread(&settings));
                return;
            }
        };
        self.files.last_success = watcher.last_success();
        self.seen();
        self.watcher = Some(watcher);
        if let Some(loaded) = loaded {
            self.swap_files(loaded).await;
        }
    }

    async fn swap_files(&mut self, files: Loaded) {
        report(&files.problems);
        self.files = files;
        let loaded = self.swap_loaded().await;
        let entries: usize = loaded.crls.iter().map(|crl| crl.entries).sum();
        tracing::info!("files changed: {} CRLs with {entries} entries are in use", loaded.crls.len());
    }
}
