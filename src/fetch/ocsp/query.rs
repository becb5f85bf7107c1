//! One query about one certificate: responders are asked in turn until one has a good answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::super::http::{Client, FetchError, MAX_OCSP, Method, Url};
use super::responder::{Luck, Manner, Urgency};
use crate::now::Wall;
use crate::pki::{OcspAnswer, Origin, Question, Trust};

/// Octets of a nonce (RFC 9654 section 2.1).
const NONCE: usize = 32;
/// With less time than this nobody else is asked.
const SHORTEST: Duration = Duration::from_millis(50);

/// A query that is to be made.
#[derive(Debug)]
pub(super) struct Query {
    /// Of the certificate in the table.
    pub(super) number: u64,
    pub(super) urgency: Urgency,
    pub(super) question: Question,
    /// Who is asked, in this order; never none.
    pub(super) tries: Vec<(Url, Manner)>,
    pub(super) nonce: bool,
    /// For all of it.
    pub(super) within: Duration,
    pub(super) at: Wall,
    pub(super) trust: Arc<Trust>,
    pub(super) client: Arc<Client>,
}

/// What a query brought.
#[derive(Debug)]
pub(super) struct Brought {
    pub(super) number: u64,
    pub(super) urgency: Urgency,
    /// Whom the query began with.
    pub(super) first: Option<Url>,
    /// In the order in which they were asked; the last one has brought the answer, if there is one.
    pub(super) attempts: Vec<Attempt>,
    pub(super) answer: Option<Answered>,
}

/// One responder, asked once.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) url: Url,
    pub(super) manner: Manner,
    /// Whether the server doesn't take that manner.
    pub(super) refused: bool,
    pub(super) luck: Luck,
    /// One of a closed list.
    pub(super) label: &'static str,
    /// What went wrong.
    pub(super) text: String,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Arc<OcspAnswer>,
    /// As it came.
    pub(super) der: Vec<u8>,
}

/// What went wrong with an attempt.
struct Failure {
    luck: Luck,
    label: &'static str,
    text: String,
    refused: bool,
}

impl Query {
    /// In a task of its own, so that a panic in it ends there.
    pub(super) async fn run(self) -> Brought {
        let (number, urgency, first) = (self.number, self.urgency, self.tries.first().cloned());
        let url = first.as_ref().map(|(url, _)| url.clone());
        let asking = tokio::spawn(async move { self.ask_all().await });
        let (attempts, answer) = asking.await.unwrap_or_else(|_| {
            let failed = first.map(|(url, manner)| Attempt::new(url, manner, Some(Failure::ours())));
            (failed.into_iter().collect(), None)
        });
        Brought { number, urgency, first: url, attempts, answer }
    }

    async fn ask_all(self) -> (Vec<Attempt>, Option<Answered>) {
        let deadline = Instant::now() + self.within;
        let mut attempts = Vec::new();
        let mut left = self.tries.len();
        for (url, manner) in &self.tries {
            // Nobody may use up all the time while others are left.
            let until = Instant::now() + share(deadline, left);
            left -= 1;
            for manner in [*manner, manner.reversed()] {
                let within = share(until, 1);
                if within < SHORTEST && !attempts.is_empty() {
                    break;
                }
                let (failure, answer) = match self.ask(url, manner, within).await {
                    Ok(answer) => (None, Some(answer)),
                    Err(failure) => (Some(failure), None),
                };
                let attempt = Attempt::new(url.clone(), manner, failure);
                let refused = attempt.refused;
                attempts.push(attempt);
                if answer.is_some() {
                    return (attempts, answer);
                }
                if !refused {
                    break;
                }
            }
        }
        (attempts, None)
    }

    async fn ask(&self, url: &Url, manner: Manner, within: Duration) -> Result<Answered, Failure> {
        let nonce = if self.nonce { Some(nonce()?) } else { None };
        let request = self.question.request(&self.trust, nonce.as_ref().map(<[u8; NONCE]>::as_slice));
        let request = request.ok_or_else(Failure::ours)?;
        let usual = if self.nonce || !url.takes_ocsp(&request) { Method::Post } else { Method::Get };
        let method = match (manner, usual) {
            (Manner::Usual, usual) => usual,
            (Manner::Other, Method::Post) => Method::Get,
            (Manner::Other, Method::Get) => Method::Post,
        };
        let fetched = self.client.ocsp(url, method, &request, within).await;
        let der = fetched.map_err(|error| Failure::fetching(&error, self.client.limit(within)))?;
        let (question, trust, at) = (self.question.clone(), Arc::clone(&self.trust), self.at);
        let source: Arc<str> = url.to_string().into();
        let judging = spawn_blocking(move || {
            let origin = Origin::Fetched { nonce: nonce.as_ref().map(<[u8; NONCE]>::as_slice) };
            let loaded = OcspAnswer::load(&der, &question, &source, origin, &trust, at);
            loaded.map(|answer| Answered { answer: Arc::new(answer), der })
        });
        match judging.await {
            Ok(Ok(answered)) => Ok(answered),
            Ok(Err(bad)) => Err(Failure { luck: luck(bad.label), label: bad.label, text: bad.text, refused: false }),
            Err(_) => Err(Failure::ours()),
        }
    }
}

/// What something that is no good answer says of the responder, by the label of its [`crate::pki::BadOcsp`].
fn luck(label: &str) -> Luck {
    match label {
        "unauthorized" => Luck::Declined,
        "unknown-issuer" => Luck::Ours,
        // Nobody would get anything else.
        "malformed" | "too-large" | "try-later" | "signature-required" | "unsupported" => Luck::Failed,
        _ => Luck::Odd,
    }
}

fn share(until: Instant, among: usize) -> Duration {
    let left = until.saturating_duration_since(Instant::now());
    left / u32::try_from(among).unwrap_or(u32::MAX).max(1)
}

fn nonce() -> Result<[u8; NONCE], Failure> {
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Failure::ours())?;
    Ok(nonce)
}

impl Attempt {
    fn new(url: Url, manner: Manner, failure: Option<Failure>) -> Self {
        match failure {
            None => Self { url, manner, refused: false, luck: Luck::Good, label: "ok", text: String::new() },
            Some(Failure { luck, label, text, refused }) => Self { url, manner, refused, luck, label, text },
        }
    }
}

impl Failure {
    fn fetching(error: &FetchError, within: Duration) -> Self {
        let text = match error {
            // What it was given, give or take the time in which it was decided to ask.
            FetchError::Timeout => format!("no answer within {:.1} s", within.as_secs_f64()),
            FetchError::TooLong => format!("what it answers is longer than {} KiB", MAX_OCSP >> 10),
            other => other.to_string(),
        };
        Self { luck: Luck::Failed, label: error.label(), text, refused: error.refuses_method() }
    }

    /// It is no fault of the responder's.
    fn ours() -> Self {
        let text = "asking it or reading its answer failed by a fault of ours".into();
        Self { luck: Luck::Ours, label: "internal", text, refused: false }
    }
}
