//! The OCSP answers about our own certificates, which are stapled to their handshakes: a supplicant has no network yet, so it learns from us how our certificate stands, or from nobody (RFC 9190 section 5.4).
//!
//! [`Staples`] knows every identity with its answer. [`Staples::begin`] says who is to be asked now; each [`Job`] asks the responders that a certificate names, verifies what comes and keeps it on disk, and [`Staples::finish`] takes its [`Outcome`].
//! [`Staples::hand`] says what is to be stapled from now on, and what no longer: nothing is stapled past its end.
//!
//! No nonce is sent: the answer goes on to clients whose nonces it couldn't have, and who judge it by its dates. So it may be one that was made ahead and comes out of a cache, as public CAs have them (RFC 5019); replayed, it is
//! at most as old as its nextUpdate allows, and never takes the place of a newer one.
//!
//! "Revoked" is stapled like "good". Whoever asks and insists is to refuse us then as he would without an answer; whoever asks and doesn't insist would go on trusting a key that may be in other hands, if we kept silent about it.
//! "Unknown" isn't: it is what a responder says that hasn't heard of a new certificate yet, and the answer before it stays.

mod answer;
mod identity;
mod job;
mod store;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use super::http::{Client, Url};
use super::schedule::Jitter;
use crate::now::{Now, Wall};
use crate::pki::OwnCertificate;
use identity::Identity;
use store::Store;

pub(crate) use job::{Job, Outcome};

/// Identities asked about at once.
const MAX_IN_FLIGHT: usize = 4;

/// Our own certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Every `[[identity]]`, in the order of the configuration.
    pub(crate) identities: Vec<IdentitySettings>,
}

/// One certificate of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentitySettings {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// DER, the certificate itself first.
    pub(crate) chain: Vec<Vec<u8>>,
}

/// Whether there is somebody to ask about a certificate of ours.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// It names nobody.
    Nobody,
    /// It names these, but no answer could be verified; why, in words.
    Closed(Vec<String>, String),
    /// It names these.
    Open(Arc<OwnCertificate>, Vec<Url>),
}

/// How it stands with an identity's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    /// Whom the certificate names.
    pub(crate) responders: Vec<String>,
    /// Why nobody is asked all the same.
    pub(crate) closed: Option<String>,
    /// Until when what is here can be stapled; `None`: there is nothing.
    pub(crate) end: Option<Wall>,
    /// Whether the last answer says that the certificate is revoked.
    pub(crate) revoked: bool,
    /// What is wrong with it, in sentences.
    pub(crate) complaints: Vec<String>,
}

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Good(String),
    Bad(String),
    /// Somebody must do something now.
    Alarm(String),
}

/// What is to be stapled from now on.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) name: Arc<str>,
    /// An OCSPResponse (DER); `None`: nothing any more.
    pub(crate) staple: Option<Vec<u8>>,
    pub(crate) news: Option<News>,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: Arc<str>,
    /// For the label `result`, one for each time that a responder was asked: of closed lists.
    pub(crate) results: Vec<&'static str>,
    /// What goes on is told once.
    pub(crate) news: Vec<News>,
}

/// Every identity with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Staples {
    identities: Vec<Identity>,
    store: Store,
}

impl Settings {
    /// Whether a responder is asked about any of them.
    pub(crate) fn asks(&self) -> bool {
        self.identities.iter().any(|identity| matches!(identity.way(), Way::Open(..)))
    }
}

impl IdentitySettings {
    /// Whom to ask.
    pub(crate) fn way(&self) -> Way {
        let named = self.chain.first().map(|leaf| OwnCertificate::responders_in(leaf)).unwrap_or_default();
        if named.is_empty() {
            return Way::Nobody;
        }
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let own = match OwnCertificate::read(&chain, &self.name) {
            Ok(own) => own,
            Err(why) => return Way::Closed(named, why),
        };
        let urls: Vec<Url> = named.iter().filter_map(|url| Url::parse(url).ok()).collect();
        match urls.is_empty() {
            true => Way::Closed(named, "no request can be sent to any of these addresses".to_owned()),
            false => Way::Open(Arc::new(own), urls),
        }
    }
}

impl Staples {
    /// Takes up what was kept, verified again; everybody is to be asked at once. `previous`: whose answers count on for the same certificates. It reads files.
    pub(crate) fn new(settings: &Settings, state_dir: &Path, now: Now, previous: Option<&Self>) -> Self {
        let store = Store::new(state_dir);
        let one = |settings: &IdentitySettings| {
            let mut identity = Identity::new(settings, now);
            let before = previous.and_then(|previous| previous.identities.iter().find(|other| other.is(&identity)));
            match before {
                Some(before) => identity.follow(before),
                None => identity.take_up(&store, now.wall),
            }
            identity
        };
        Self { identities: settings.identities.iter().map(one).collect(), store }
    }

    /// What is to be stapled, where that is something else than before. To a new server everything is to be handed, by a new one of these.
    pub(crate) fn hand(&mut self, now: Wall) -> Vec<Handed> {
        self.identities.iter_mut().filter_map(|identity| identity.hand(now)).collect()
    }

    /// Who is to be asked now. About each certificate once at a time, and only so many at once.
    pub(crate) fn begin(&mut self, now: Now, client: &Arc<Client>) -> Vec<Job> {
        let in_flight = self.identities.iter().filter(|identity| identity.in_flight).count();
        let files: Vec<String> = self.identities.iter().map(|identity| identity.file.clone()).collect();
        let due = self.identities.iter_mut().enumerate().filter(|(_, identity)| identity.is_due(now.mono));
        let due = due.take(MAX_IN_FLIGHT.saturating_sub(in_flight));
        due.filter_map(|(index, identity)| identity.job(index, &self.store, &files, now.wall, client)).collect()
    }

    /// Takes what a job of this has brought.
    pub(crate) fn finish(&mut self, outcome: Outcome, now: Now) -> Option<Finished> {
        let identity = self.identities.get_mut(outcome.identity)?;
        Some(identity.finish(outcome, now, Jitter::random()))
    }

    /// How it stands with each.
    pub(crate) fn states(&self, now: Wall) -> Vec<State> {
        self.identities.iter().map(|identity| identity.state(now)).collect()
    }
}
