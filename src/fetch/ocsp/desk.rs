//! The desk: who asks, who is asked, and what came of it.

use std::sync::Arc;

use super::super::http::Client;
use super::super::{Problem, Settings};
use super::{Asked, Finished, Health, Tick};
use crate::now::Now;
use crate::pki::{Answers, Question, Trust};

/// Asks responders for whoever wants to know. `T`: what somebody who waits is known by.
#[derive(Clone, Debug)]
pub(crate) struct Desk<T> {
    answers: Arc<Answers>,
    waiting: Vec<T>,
}

/// A query or a piece of writing that is to be done.
#[derive(Debug)]
pub(crate) struct Job {}

/// What a job brought.
#[derive(Debug)]
pub(crate) struct Outcome {}

impl<T: Clone> Desk<T> {
    /// Reads what was kept, verified again. `previous`: what it knows of responders and who waits there goes on here; its answers don't.
    pub(crate) fn new(settings: &Settings, _trust: &Trust, _now: Now, _previous: Option<&Self>) -> Self {
        Self { answers: Arc::new(Answers::new(settings.ocsp.answers)), waiting: Vec::new() }
    }

    /// The answers in use, into which every good one goes.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// Takes note that a verified certificate of this issuer names these responders. Where the configuration names some they are not asked.
    pub(crate) fn learn(&mut self, _authority: &Arc<str>, _issuer: &[u8; 32], _urls: &[String]) {}

    /// Somebody waits until these are answered.
    pub(crate) fn ask(&mut self, _now: Now, _ticket: T, _questions: Vec<Question>) -> Asked {
        Asked::Nothing
    }

    /// Somebody whose verdict rests on these has come.
    pub(crate) fn seen(&mut self, _now: Now, _questions: impl IntoIterator<Item = Question>) {}

    /// Whether there is a responder for an issuer's certificates, in whatever health.
    pub(crate) fn askable(&self, _authority: &str, _issuer: &[u8; 32]) -> bool {
        false
    }

    /// What is to be done now, and who need not wait any longer.
    pub(crate) fn tick(&mut self, _now: Now, _trust: &Arc<Trust>, _client: &Arc<Client>) -> Tick<T> {
        let ready = std::mem::take(&mut self.waiting);
        Tick { jobs: Vec::new(), ready, began: Vec::new(), lasting: Vec::new(), ended: Vec::new() }
    }

    /// Takes what a job of this has brought.
    pub(crate) fn finish(&mut self, _outcome: Outcome, _now: Now) -> Finished<T> {
        Finished { ready: Vec::new(), results: Vec::new(), news: Vec::new(), changed: None }
    }

    /// What of that which is on disk, or should be, isn't good.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// How each responder is that has ever been asked.
    pub(crate) fn health(&self) -> Vec<Health> {
        Vec::new()
    }
}

impl Job {
    /// Does it. Whatever happens in it costs this job alone.
    pub(crate) async fn run(self) -> Outcome {
        Outcome {}
    }
}
