//! A desk whose clock is turned by hand: `asking`, `health`, `background`, `keeping` hand over what responders would have said; in `network` there are some.

mod asking;
mod background;
mod health;
mod keeping;
mod network;
mod receiving;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::alarms::Alarms;
use super::super::http::{self, Client, Url};
use super::super::{Settings, remote};
use super::desk::Desk;
use super::job::{Done, Job, Outcome, Work};
use super::query::{Answered, Attempt, Brought, Query};
use super::responder::{Luck, Urgency};
use super::{Asked, AuthoritySettings, Finished, Tick};
use crate::exchange::Prefix;
use crate::now::{Mono, Now, Wall};
use crate::pki::tests::campus::{self, NOW, facts, member};
use crate::pki::tests::make::TestCa;
use crate::pki::tests::ocsp_make::{OcspDraft, Single, cert_id, good, question_of, revoked};
use crate::pki::{OcspAnswer, Origin, Question, Trust};
use crate::support::scratch::Scratch;

const ONE: &str = "http://one.example/ocsp";
const TWO: &str = "http://two.example/ocsp";
const DAY: u64 = 86_400;

/// An authority, a state directory and a clock.
struct Campus {
    ca: TestCa,
    trust: Arc<Trust>,
    issuer: [u8; 32],
    scratch: Scratch,
    client: Arc<Client>,
    settings: Settings,
}

impl Campus {
    /// Whose responders are these.
    fn new(responders: &[&str]) -> Self {
        let ca = campus::Campus::new().ca16;
        let trust = Arc::new(campus::trust(&[campus::settings("ca16", &ca, &[])]));
        let issuer = question_of(&facts(&trust, &ca.issue(&member(&[7])))).issuer;
        let scratch = Scratch::new();
        let authority = AuthoritySettings {
            authority: "ca16".into(),
            responders: responders.iter().map(|url| Url::parse(url).expect("a URL")).collect(),
            nonce: true,
            refresh: Duration::from_secs(300),
            alarm_after: Duration::from_secs(3 * 3_600),
        };
        let allow = vec![Prefix::new([127, 0, 0, 0].into(), 8).expect("loopback")];
        let http = http::Settings { timeout: Duration::from_secs(10), max_size: 1 << 20, proxy: None, allow };
        let client = Arc::new(Client::new(http.clone()).expect("a client"));
        let remote = remote::Settings { crls: Vec::new(), state_dir: scratch.path().to_owned(), http };
        let ocsp = super::Settings { authorities: vec![authority], answers: 100 };
        let settings = Settings { remote, ocsp, ..remote::tests::empty() };
        Self { ca, trust, issuer, scratch, client, settings }
    }

    fn authority(&mut self) -> &mut AuthoritySettings {
        &mut self.settings.ocsp.authorities[0]
    }

    fn desk(&self, seconds: u64, previous: Option<&Desk<u32>>) -> Desk<u32> {
        Desk::new(&self.settings, &self.trust, at(seconds), previous)
    }

    fn question(&self, certificate: u16) -> Question {
        let [high, low] = certificate.to_be_bytes();
        Question { authority: "ca16".into(), issuer: self.issuer, serial: vec![1, high, low] }
    }

    fn tick(&self, desk: &mut Desk<u32>, seconds: u64) -> Tick<u32> {
        self.tick_at(desk, at(seconds))
    }

    fn tick_at(&self, desk: &mut Desk<u32>, now: Now) -> Tick<u32> {
        desk.tick(now, &self.trust, &self.client)
    }

    /// What a tick begins: the queries; what is to be written is, at once.
    fn queries(&self, desk: &mut Desk<u32>, seconds: u64) -> Vec<Query> {
        let jobs = self.tick(desk, seconds).jobs;
        jobs.into_iter().filter_map(|job| written(desk, job, at(seconds))).collect()
    }

    fn query(&self, desk: &mut Desk<u32>, seconds: u64) -> Query {
        let mut queries = self.queries(desk, seconds);
        assert_eq!(queries.len(), 1, "{queries:?}");
        queries.remove(0)
    }

    fn single(&self, question: &Question, status: Vec<u8>, life: std::ops::Range<u64>) -> Single {
        Single::new(cert_id(&self.ca, &question.serial), status).dated(at(life.start).wall, at(life.end).wall)
    }

    /// The octets of an answer.
    fn der(&self, question: &Question, status: Vec<u8>, life: std::ops::Range<u64>) -> Vec<u8> {
        OcspDraft::new(&[self.single(question, status, life)]).sign(&self.ca)
    }

    /// The one that was asked first has a good answer, of now, for a day.
    fn good(&self, desk: &mut Desk<u32>, query: Query, seconds: u64) -> Finished<u32> {
        self.answer(desk, query, seconds, good(), seconds..seconds + DAY)
    }

    fn answer(
        &self,
        desk: &mut Desk<u32>,
        query: Query,
        seconds: u64,
        status: Vec<u8>,
        life: std::ops::Range<u64>,
    ) -> Finished<u32> {
        let der = self.der(&query.question, status, life);
        let (url, manner) = query.tries[0].clone();
        let source = url.to_string().into();
        let loaded = OcspAnswer::load(&der, &query.question, &source, Origin::Kept, &self.trust, at(seconds).wall);
        let answered = Answered { answer: Arc::new(loaded.expect("a sound answer")), der };
        let (luck, label, text, refused) = (Luck::Good, "ok", String::new(), false);
        let attempt = Attempt { url, manner, refused, luck, label, text };
        finish(desk, &query, vec![attempt], Some(answered), seconds)
    }

    /// The one that was asked first had none, and nobody else was asked.
    fn fails(&self, desk: &mut Desk<u32>, query: Query, seconds: u64) -> Finished<u32> {
        fails_by(desk, query, seconds, Luck::Failed)
    }

    /// What is said of a certificate from memory.
    fn known(&self, desk: &Desk<u32>, certificate: u16) -> Option<Arc<OcspAnswer>> {
        desk.answers().get(&self.issuer, &self.question(certificate).serial)
    }

    fn kept(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(self.scratch.path().join("ocsp")) else { return Vec::new() };
        let mut kept: Vec<_> = folder.map(|entry| entry.expect("it can be read").path()).collect();
        kept.sort();
        kept
    }
}

fn fails_by(desk: &mut Desk<u32>, query: Query, seconds: u64, luck: Luck) -> Finished<u32> {
    let (url, manner) = query.tries[0].clone();
    let (label, text, refused) = ("timeout", "it failed".into(), false);
    let attempt = Attempt { url, manner, refused, luck, label, text };
    finish(desk, &query, vec![attempt], None, seconds)
}

fn finish(
    desk: &mut Desk<u32>,
    query: &Query,
    attempts: Vec<Attempt>,
    answer: Option<Answered>,
    seconds: u64,
) -> Finished<u32> {
    let first = query.tries.first().map(|(url, _)| url.clone());
    let brought = Brought { number: query.number, urgency: query.urgency, first, attempts, answer };
    desk.finish(Outcome { desk: desk.generation(), done: Done::Query(brought) }, at(seconds))
}

/// Does what is to be written; a query is handed back.
fn written(desk: &mut Desk<u32>, job: Job, now: Now) -> Option<Query> {
    match job.work {
        Work::Query(query) => Some(*query),
        Work::Write(writing) => {
            let finished = desk.finish(Outcome { desk: job.desk, done: Done::Write(writing.run()) }, now);
            assert_eq!(finished.ready, [0_u32; 0]);
            None
        }
    }
}

fn at(seconds: u64) -> Now {
    let passed = Duration::from_secs(seconds);
    Now { mono: Mono(passed), wall: NOW + passed }
}

fn wall(seconds: u64) -> Option<Wall> {
    Some(at(seconds).wall)
}

/// The hosts that a query turns to.
fn hosts(query: &Query) -> Vec<String> {
    query.tries.iter().map(|(url, _)| url.to_string()).collect()
}
