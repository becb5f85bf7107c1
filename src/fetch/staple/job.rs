//! Asking about one certificate of ours: responders in turn until one has a good answer, which is verified and kept. Whatever happens in it costs this attempt alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::super::http::{Client, FetchError, MAX_OCSP, Method, Url};
use super::answer::Staple;
use super::store::Store;
use crate::event::OcspStatus;
use crate::now::Wall;
use crate::pki::{Origin, OwnCertificate};

/// A certificate that is to be asked about.
#[derive(Debug)]
pub(crate) struct Job {
    pub(super) identity: usize,
    pub(super) own: Arc<OwnCertificate>,
    /// Never none.
    pub(super) urls: Vec<Url>,
    /// The answer until now, and whether it is on disk.
    pub(super) before: Option<Arc<Staple>>,
    pub(super) kept: bool,
    pub(super) file: String,
    /// The names of all answers that are wanted on disk.
    pub(super) files: Vec<String>,
    pub(super) store: Store,
    pub(super) at: Wall,
    pub(super) client: Arc<Client>,
}

/// What a job brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(super) identity: usize,
    /// How each attempt ended: of closed lists.
    pub(super) results: Vec<&'static str>,
    /// `Err`: why there is no answer, for an administrator.
    pub(super) brought: Result<Brought, String>,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Brought {
    pub(super) staple: Staple,
    /// Why it isn't on disk.
    pub(super) unkept: Option<String>,
}

/// What went wrong with an attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) label: &'static str,
    pub(super) text: String,
    /// Whether the server doesn't take that method.
    refused: bool,
}

impl Failure {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), refused: false }
    }

    fn ours() -> Self {
        Self::new("internal", "asking it or reading its answer failed by a fault of ours")
    }
}

fn text(error: &FetchError) -> String {
    match error {
        FetchError::TooLong => format!("what it answers is longer than {} KiB", MAX_OCSP >> 10),
        other => other.to_string(),
    }
}

impl Job {
    /// In a task of its own, so that a panic in it ends there.
    pub(crate) async fn run(self) -> Outcome {
        let identity = self.identity;
        let asking = tokio::spawn(async move { Arc::new(self).ask_all().await });
        let (results, brought) = asking.await.unwrap_or_else(|_| {
            let Failure { label, text, .. } = Failure::ours();
            (vec![label], Err(text))
        });
        Outcome { identity, results, brought }
    }

    async fn ask_all(self: Arc<Self>) -> (Vec<&'static str>, Result<Brought, String>) {
        let (mut results, mut texts) = (Vec::new(), Vec::new());
        let Some(request) = self.own.request(None) else { return (vec!["internal"], Err(Failure::ours().text)) };
        for url in &self.urls {
            // A cache on the way may answer what is in the URL (RFC 5019 section 5).
            let methods: &[Method] = match url.takes_ocsp(&request) {
                true => &[Method::Get, Method::Post],
                false => &[Method::Post],
            };
            for method in methods {
                let failure = match Self::ask(&self, url, *method, &request).await {
                    Ok(brought) => {
                        results.push("ok");
                        return (results, Ok(brought));
                    }
                    Err(failure) => failure,
                };
                results.push(failure.label);
                texts.push(format!("{url}: {}", failure.text));
                if !failure.refused {
                    break;
                }
            }
        }
        (results, Err(texts.join("; ")))
    }

    async fn ask(self: &Arc<Self>, url: &Url, method: Method, request: &[u8]) -> Result<Brought, Failure> {
        let fetched = self.client.ocsp(url, method, request, Duration::MAX).await;
        let der = fetched.map_err(|error| Failure {
            refused: error.refuses_method(),
            ..Failure::new(error.label(), text(&error))
        })?;
        let (job, source) = (Arc::clone(self), url.to_string().into());
        spawn_blocking(move || job.judge(der, &source)).await.unwrap_or_else(|_| Err(Failure::ours()))
    }

    /// Verifies an answer and writes it down.
    pub(super) fn judge(&self, der: Vec<u8>, source: &Arc<str>) -> Result<Brought, Failure> {
        let answer = self.own.load(&der, source, Origin::Fetched { nonce: None }, self.at);
        let answer = answer.map_err(|bad| Failure::new(bad.label, bad.text))?;
        if answer.name().status == OcspStatus::Unknown {
            return Err(Failure::new("unknown", "it doesn't know the server's certificate"));
        }
        let staple = Staple { answer, der };
        if self.before.as_ref().is_some_and(|before| !staple.supersedes(before)) {
            return Err(Failure::new("older", "its answer is older than the one in use"));
        }
        let is_kept = self.kept && self.before.as_ref().is_some_and(|before| before.der == staple.der);
        let unkept = if is_kept { None } else { self.keep(&staple.der) };
        Ok(Brought { staple, unkept })
    }

    fn keep(&self, der: &[u8]) -> Option<String> {
        self.store.write(&self.file, der, &self.files).err().map(|error| error.to_string())
    }
}
