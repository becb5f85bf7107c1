//! One fetch: asked for, verified, kept. Whatever happens in it costs this fetch alone.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::super::http::{Client, Conditions, Fetched, Url};
use super::super::keep;
use super::super::vanished::Ledger;
use super::store::{About, Store};
use crate::now::Wall;
use crate::pki::{Crl, Trust};

/// A fetch that is to be made.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) source: usize,
    pub(super) client: Arc<Client>,
    pub(super) url: Url,
    pub(super) conditions: Conditions,
    pub(super) judge: Judge,
}

/// What a job brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(super) source: usize,
    pub(super) brought: Result<Brought, Failure>,
}

/// Something good.
#[derive(Debug)]
pub(super) enum Brought {
    /// The server says that what is here is what there is.
    NotModified,
    /// The same CRL as before came again.
    Same { conditions: Conditions, unkept: Option<String> },
    /// Another CRL.
    New { crl: Arc<Crl>, sha256: String, conditions: Conditions, unkept: Option<String> },
}

/// Nothing good.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// One of a closed list.
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// What a CRL is judged by when it has come.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) authority: Arc<str>,
    /// The URL.
    pub(super) name: Arc<str>,
    pub(super) trust: Arc<Trust>,
    pub(super) store: Store,
    pub(super) ledger: Arc<Ledger>,
    /// What counts until now, and the digest of its octets where it is on disk too.
    pub(super) good: Option<Arc<Crl>>,
    pub(super) sha256: Option<String>,
    pub(super) kept: bool,
    pub(super) at: Wall,
}

impl Job {
    /// Fetches; a CRL is verified and kept on another thread.
    pub(crate) async fn run(self) -> Outcome {
        let Self { source, client, url, conditions, judge } = self;
        // A task of its own, so that a panic in it ends there.
        let fetching = tokio::spawn(async move { client.get(&url, &conditions).await });
        let brought = match fetching.await {
            Ok(Ok(Fetched::NotModified)) => Ok(Brought::NotModified),
            Ok(Ok(Fetched::Body { octets, etag, last_modified })) => {
                let conditions = Conditions { etag, last_modified };
                spawn_blocking(move || judge.judge(&octets, conditions)).await.unwrap_or_else(|_| Err(Failure::ours()))
            }
            Ok(Err(error)) => Err(Failure { label: error.label(), text: error.to_string() }),
            Err(_) => Err(Failure::ours()),
        };
        Outcome { source, brought }
    }
}

impl Failure {
    pub(super) const REJECTED: &'static str = "rejected";

    fn ours() -> Self {
        Self { label: "internal", text: "fetching or reading it failed by a fault of ours".into() }
    }

    fn rejected(text: impl Into<String>) -> Self {
        Self { label: Self::REJECTED, text: text.into() }
    }
}

impl Judge {
    pub(super) fn judge(&self, octets: &[u8], conditions: Conditions) -> Result<Brought, Failure> {
        let sha256 = keep::sha256(octets);
        if self.good.is_some() && self.sha256.as_ref() == Some(&sha256) {
            let unkept = if self.kept {
                None
            } else {
                self.ledger.settle().err().or_else(|| self.keep(octets, sha256, &conditions))
            };
            return Ok(Brought::Same { conditions, unkept });
        }
        let crl =
            Crl::load(octets, &self.authority, &self.name, &self.trust).map_err(|bad| Failure::rejected(bad.text))?;
        if self.good.as_ref().is_some_and(|good| !crl.supersedes(good)) {
            return Err(Failure::rejected("what came is older than the CRL in use"));
        }
        let crl = Arc::new(crl);
        // Before the CRL that counts until now is written over: what it alone lists would be forgotten with it.
        let noted = self.ledger.exchange(self.good.as_slice(), std::slice::from_ref(&crl), self.at);
        let unkept = noted.err().or_else(|| self.keep(octets, sha256.clone(), &conditions));
        Ok(Brought::New { crl, sha256, conditions, unkept })
    }

    /// Writes it down; why that failed, which costs a fetch after the next start and nothing else.
    fn keep(&self, octets: &[u8], sha256: String, conditions: &Conditions) -> Option<String> {
        let about = About {
            authority: self.authority.to_string(),
            url: self.name.to_string(),
            sha256,
            etag: conditions.etag.clone(),
            last_modified: conditions.last_modified.clone(),
            fetched: self.at.0,
        };
        self.store.write(octets, &about).err().map(|error| error.to_string())
    }
}
