//! Reading the configuration again: all of it counts, or nothing.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::responders::Office;
use super::staples::Stapling;
use super::{Afar, Server, StartError, files, snapshot, systemd, wants_restart};
use crate::config::{self, Config, Finding, Severity};
use crate::fetch::{Loaded, Watcher};

/// Logs findings.
pub(super) fn report(findings: &[Finding]) {
    for finding in findings {
        match finding.severity {
            Severity::Error => tracing::error!("{finding}"),
            Severity::Warning => tracing::warn!("{finding}"),
        }
    }
}

/// All that was read again.
struct Again {
    config: Config,
    watcher: Watcher,
    /// What the watched files hold.
    files: Loaded,
    afar: Afar,
    office: Office,
    stapling: Stapling,
}

impl Server {
    /// Reads everything again, elsewhere, and counts it if all of it is good.
    pub(super) async fn reload(&mut self) {
        systemd::reloading();
        let good = match self.read_again().await {
            Some(again) => {
                self.replace(again).await;
                true
            }
            None => {
                tracing::error!("the configuration was not reloaded; what was in use stays in use");
                false
            }
        };
        self.live.reloaded(good, self.clock.now().wall);
        systemd::ready();
    }

    async fn read_again(&mut self) -> Option<Again> {
        let path = self.path.clone();
        let tls = Arc::clone(&self.config.tls);
        let before = self.watcher.take();
        let (known, staples, desk) = (self.afar.known(), self.stapling.known(), self.responders.copy().await);
        let now = self.clock.now();
        let ledger = Arc::clone(&self.ledger);
        let reading = spawn_blocking(move || {
            let (config, findings) = config::load(&path, Some(&tls), now.wall);
            let read = config.map(|config| {
                let watcher = Watcher::new(&config.fetch, &config.trust, now.wall, before.as_ref());
                let files = watcher.loaded();
                let afar = Afar::new(&config, &ledger, now, Some(&known)).and_then(|afar| {
                    let office = Office::new(&config, &afar.learned, afar.client.as_ref(), now, desk.as_ref());
                    if !files.is_fatal() {
                        let noted = ledger.read_again(&config.fetch);
                        noted.map_err(|problems| StartError::Files(problems).to_string())?;
                        ledger.follow_all(&afar.remote.join(&files).revocation, now.wall);
                    }
                    Ok((afar, office, Stapling::new(&config, now, Some(&staples))))
                });
                (config, watcher, files, afar)
            });
            (read, findings, before)
        });
        let Ok((read, findings, before)) = reading.await else {
            self.watcher = Some(Watcher::unread(&self.config.fetch));
            return None;
        };
        self.watcher = before;
        report(&findings);
        let (config, watcher, files, afar) = read?;
        files::report(&files.problems);
        let (afar, office, stapling) = afar.map_err(|text| tracing::error!("{text}")).ok()?;
        files::report(afar.problems().chain(office.desk.problems()));
        (!files.is_fatal()).then_some(Again { config, watcher, files, afar, office, stapling })
    }

    async fn replace(&mut self, again: Again) {
        let Again { config, watcher, files, afar, office, mut stapling } = again;
        stapling.hand(&config.tls, self.clock.now().wall);
        let loaded = afar.remote.join(&files);
        (self.answers, self.unanswered) = (Arc::clone(office.desk.answers()), Arc::clone(&loaded.revocation));
        let loaded = loaded.with_answers(&self.answers);
        for key in wants_restart(&self.config, &config) {
            tracing::warn!("{key} has changed, which needs a restart: the old value stays in use");
        }
        let exchanged = self.responders.replace(office).await;
        self.force.swap(&snapshot(&config, &loaded, &self.handles)).await;
        drop(exchanged);
        self.force.set_log(&config.log);
        if let Some((registry, settings)) = self.registry.as_ref().zip(config.registry) {
            registry.keeper.set(settings).await;
            registry.keeper.revocation_changed();
        }
        self.otp.store(config.otp.clone().map(Arc::new));
        self.shared.swap(config.admin.clone());
        self.log.tracing.set_log(&config.log);
        self.log.sink.set_log(&config.log);
        self.live.configured(&config, self.clock.now().wall);
        self.live.loaded(&config, &loaded);
        tracing::info!(
            "configuration reloaded: {} identities, {} CRLs, {} groups' files",
            config.identity_ends.len(),
            loaded.crls.len(),
            config.fetch.groups.len()
        );
        self.config = config;
        self.watcher = Some(watcher);
        (self.files, self.afar, self.stapling) = (files, afar, stapling);
        self.looked.forget();
        self.staple();
    }
}
