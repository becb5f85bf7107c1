//! The desk: who asks and who is asked. What is begun is [`begin`]'s, and what comes of it [`finish`]'s.

mod begin;
mod finish;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::super::http::Url;
use super::super::{Problem, Settings};
use super::line::Line;
use super::responder::Responder;
use super::shelf::Shelf;
use super::source::Source;
use super::store::Store;
use super::table::{State, Table};
use super::{Asked, AuthoritySettings, Health, PATIENCE};
use crate::now::{Mono, Now};
use crate::pki::{Answers, OcspAnswer, Question, Trust, Unanswerable};

/// Most issuers: more than any configuration has CAs.
const MAX_LINES: usize = 4096;

/// Asks responders for whoever wants to know. `T`: what somebody who waits is known by.
#[derive(Clone, Debug)]
pub(crate) struct Desk<T> {
    /// Tells its jobs from those of desks before it.
    generation: u64,
    authorities: Vec<Arc<AuthoritySettings>>,
    timeout: Duration,
    answers: Arc<Answers>,
    shelf: Shelf,
    table: Table,
    lines: Vec<Line>,
    responders: HashMap<Url, Responder>,
    /// By authority and URL.
    sources: BTreeMap<(Arc<str>, Arc<str>), Source>,
    /// Those who wait, by number; numbers grow with time.
    waits: BTreeMap<u64, Wait<T>>,
    next_wait: u64,
    /// Those who wait for nothing any more and haven't been told.
    ready: Vec<T>,
    urgent: usize,
    background: usize,
    /// The line whose turn it is.
    turn: usize,
    /// What `answers` was told last.
    unanswerable: Vec<Unanswerable>,
}

/// Somebody who waits.
#[derive(Clone, Debug)]
struct Wait<T> {
    ticket: T,
    since: Mono,
    /// How many of his questions are open.
    open: usize,
}

impl<T: Clone> Desk<T> {
    /// Reads what was kept, verified again. `previous`: what it knows of responders and who waits there goes on here; its answers don't, unless they verify with this trust.
    pub(crate) fn new(settings: &Settings, trust: &Trust, now: Now, previous: Option<&Self>) -> Self {
        let (most, remote) = (settings.ocsp.answers, &settings.remote);
        let authorities: Vec<_> = settings.ocsp.authorities.iter().cloned().map(Arc::new).collect();
        let is_wanted = |name: &str| authorities.iter().any(|settings| *settings.authority == *name);
        let (shelf, kept) = Shelf::read(Store::new(&remote.state_dir), most, is_wanted, trust, now.wall);
        let mut desk = Self {
            generation: previous.map_or(0, |previous| previous.generation.wrapping_add(1)),
            authorities,
            timeout: remote.http.timeout,
            answers: Arc::new(Answers::new(most)),
            shelf,
            table: Table::new(most),
            lines: Vec::new(),
            responders: HashMap::new(),
            sources: BTreeMap::new(),
            waits: BTreeMap::new(),
            next_wait: 0,
            ready: Vec::new(),
            urgent: 0,
            background: 0,
            turn: 0,
            unanswerable: Vec::new(),
        };
        // Who was seen in the day before the start isn't known: whoever has an answer counts as seen now.
        desk.take_up(&kept, now.mono);
        if let Some(previous) = previous {
            desk.follow(previous, trust, now);
        }
        desk
    }

    fn take_up(&mut self, kept: &[Arc<OcspAnswer>], now: Mono) {
        for answer in kept {
            self.answers.insert(Arc::clone(answer));
            self.see(answer.question.clone(), now);
        }
    }

    fn follow(&mut self, previous: &Self, trust: &Trust, now: Now) {
        let unkept = self.shelf.take_over(&previous.shelf, trust, now.wall);
        self.take_up(&unkept, now.mono);
        for line in &previous.lines {
            let Some(index) = self.line(&line.authority.authority, &line.issuer) else { continue };
            line.learned().for_each(|url| self.lines[index].learn(url.clone()));
        }
        self.responders = previous.responders.iter().map(|(url, one)| (url.clone(), one.idle())).collect();
        for (key, source) in &previous.sources {
            let settings = self.authorities.iter().find(|settings| settings.authority == key.0);
            let Some(settings) = settings else { continue };
            self.sources.insert(key.clone(), source.clone().with(settings.alarm_after));
        }
        let mut open: BTreeMap<u64, Vec<Question>> = BTreeMap::new();
        for entry in previous.table.iter() {
            self.see(entry.question.clone(), now.mono);
            for wait in &entry.waits {
                open.entry(*wait).or_default().push(entry.question.clone());
            }
        }
        for (number, wait) in &previous.waits {
            let questions = open.remove(number).unwrap_or_default();
            let unneeded = self.wait(wait.ticket.clone(), wait.since, questions, now.mono);
            self.ready.extend(unneeded);
        }
        self.ready.extend(previous.ready.iter().cloned());
    }

    /// The answers in use, into which every good one goes.
    pub(crate) fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// Takes note that a verified certificate of this issuer names these responders. Where the configuration names some they are not asked. What is no URL that can be fetched from is left out.
    pub(crate) fn learn(&mut self, authority: &Arc<str>, issuer: &[u8; 32], urls: &[String]) {
        let Some(index) = self.line(authority, issuer) else { return };
        let Some(line) = self.lines.get_mut(index) else { return };
        // The first that it names ends up first.
        urls.iter().rev().filter_map(|url| Url::parse(url).ok()).for_each(|url| line.learn(url));
    }

    /// Somebody waits until these are answered.
    pub(crate) fn ask(&mut self, now: Now, ticket: T, questions: Vec<Question>) -> Asked {
        match self.wait(ticket, now.mono, questions, now.mono) {
            None => Asked::Waiting,
            Some(_) => Asked::Nothing,
        }
    }

    /// Gives the ticket back where there is nothing to wait for.
    fn wait(&mut self, ticket: T, since: Mono, questions: Vec<Question>, now: Mono) -> Option<T> {
        let number = self.next_wait;
        self.next_wait += 1;
        let open = questions.into_iter().filter(|question| self.await_answer(question, number, now)).count();
        if open == 0 {
            return Some(ticket);
        }
        self.waits.insert(number, Wait { ticket, since, open });
        None
    }

    /// Whether a question is, or will be, asked while somebody waits.
    fn await_answer(&mut self, question: &Question, wait: u64, now: Mono) -> bool {
        let Some(number) = self.see(question.clone(), now) else { return false };
        let Some(entry) = self.table.get(number) else { return false };
        let line = entry.line;
        // It came between his looking for it and his asking.
        let is_answered = entry.answered.is_some_and(|at| now.since(at) < PATIENCE);
        match self.table.state(number) {
            _ if is_answered => return false,
            Some(state @ (State::InFlight | State::Queued(_))) => {
                self.table.change(number, state, |entry| entry.waits.push(wait));
            }
            _ if !self.somebody_is_well(line) => {
                self.probe_with(number, now);
                return false;
            }
            _ => {
                self.table.change(number, State::Queued(now), |entry| entry.waits.push(wait));
                self.lines[line].waiting.push_back(number);
            }
        }
        true
    }

    /// Tells who judges about whose certificates nobody can be asked now.
    fn tell_judges(&mut self, trust: &Trust) {
        let consulted = self.authorities.iter().flat_map(|settings| {
            trust.consulted(&settings.authority).iter().map(|issuer| (Arc::clone(&settings.authority), *issuer))
        });
        let unanswerable: Vec<_> = consulted.filter(|(name, issuer)| !self.may_answer(name, issuer)).collect();
        if unanswerable != self.unanswerable {
            self.answers.nobody_answers(unanswerable.clone());
            self.unanswerable = unanswerable;
        }
    }

    /// Whether there is a responder for an issuer's certificates that is well.
    fn may_answer(&self, authority: &str, issuer: &[u8; 32]) -> bool {
        match self.find_line(authority, issuer) {
            Some(line) => self.somebody_is_well(line),
            None => {
                let mut named = self.authorities.iter().filter(|settings| *settings.authority == *authority);
                named.any(|settings| settings.responders.iter().any(|url| !self.is_open(url)))
            }
        }
    }

    fn somebody_is_well(&self, line: usize) -> bool {
        self.lines[line].responders().iter().any(|url| !self.is_open(url))
    }

    fn is_open(&self, url: &Url) -> bool {
        self.responders.get(url).is_some_and(Responder::is_open)
    }

    /// Somebody whose verdict rests on these has come.
    pub(crate) fn seen(&mut self, now: Now, questions: impl IntoIterator<Item = Question>) {
        for question in questions {
            let answer = self.answers.get(&question.issuer, &question.serial);
            let is_known = answer.is_some_and(|answer| now.wall <= answer.name().next_update);
            let Some(number) = self.see(question, now.mono) else { continue };
            if !is_known {
                self.probe_with(number, now.mono);
            }
        }
    }

    /// Where nobody is well, the first certificate that is due is asked about as soon as somebody may be tried again.
    fn probe_with(&mut self, number: u64, now: Mono) {
        let Some(line) = self.table.get(number).map(|entry| entry.line) else { return };
        if self.table.state(number) == Some(State::Idle) && !self.somebody_is_well(line) {
            self.table.change(number, State::Idle, |entry| entry.schedule.hasten(now));
        }
    }

    /// The number of a certificate in the table; `None`: its authority consults no OCSP.
    fn see(&mut self, question: Question, now: Mono) -> Option<u64> {
        let line = self.line(&question.authority, &question.issuer)?;
        let refresh = self.lines[line].authority.refresh;
        Some(self.table.see(question, line, refresh, now))
    }

    /// The index of an issuer's line, which is made where there is none.
    fn line(&mut self, authority: &str, issuer: &[u8; 32]) -> Option<usize> {
        if let Some(index) = self.find_line(authority, issuer) {
            return Some(index);
        }
        let settings = self.authorities.iter().find(|settings| *settings.authority == *authority)?;
        if self.lines.len() >= MAX_LINES {
            return None;
        }
        self.lines.push(Line::new(Arc::clone(settings), *issuer));
        Some(self.lines.len() - 1)
    }

    fn find_line(&self, authority: &str, issuer: &[u8; 32]) -> Option<usize> {
        self.lines.iter().position(|line| line.issuer == *issuer && *line.authority.authority == *authority)
    }

    /// Whether there is a responder for an issuer's certificates, in whatever health.
    pub(crate) fn askable(&self, authority: &str, issuer: &[u8; 32]) -> bool {
        match self.find_line(authority, issuer) {
            Some(index) => !self.lines[index].responders().is_empty(),
            None => {
                let mut named = self.authorities.iter().filter(|settings| *settings.authority == *authority);
                named.any(|settings| !settings.responders.is_empty())
            }
        }
    }

    /// Whoever waits for a certificate has one question less.
    fn let_go(&mut self, number: u64, state: State, ready: &mut Vec<T>) {
        let mut waits = Vec::new();
        self.table.change(number, state, |entry| waits = std::mem::take(&mut entry.waits));
        for wait in waits {
            let Some(waiting) = self.waits.get_mut(&wait) else { continue };
            waiting.open = waiting.open.saturating_sub(1);
            if waiting.open == 0 {
                ready.extend(self.waits.remove(&wait).map(|wait| wait.ticket));
            }
        }
    }

    /// What of that which is on disk, or should be, isn't good.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.shelf.problems()
    }

    /// How each responder is that has ever been asked.
    pub(crate) fn health(&self) -> Vec<Health> {
        let open: Vec<String> =
            self.responders.iter().filter(|(_, one)| one.is_open()).map(|(url, _)| url.to_string()).collect();
        let of = |source: &Source| Health {
            authority: Arc::clone(&source.authority),
            source: Arc::clone(&source.name),
            last_success: source.last_success,
            open: open.iter().any(|url| **url == *source.name),
        };
        self.sources.values().map(of).collect()
    }

    #[cfg(test)]
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    #[cfg(test)]
    pub(super) fn certificates(&self) -> usize {
        self.table.len()
    }
}
