//! What is begun: those who wait go first, and nobody gets more than he can bear.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::super::super::alarms::Alarms;
use super::super::super::http::{Client, Url};
use super::super::job::{Job, Work};
use super::super::query::Query;
use super::super::responder::{Manner, Responder, Urgency};
use super::super::table::State;
use super::super::{PATIENCE, Tick};
use super::Desk;
use crate::now::{Mono, Now};
use crate::pki::Trust;

/// Queries under way at once that nobody waits for, and of those that somebody waits for.
const MAX_BACKGROUND: usize = 32;
const MAX_URGENT: usize = 256;
/// Of those that somebody waits for so many may be under way about any issuer's certificates whatever the others have taken: nobody's responders, however many keep silent, hold up those of others.
const RESERVED: usize = 8;
/// Most responders that one query turns to.
const MAX_TRIES: usize = 3;
/// Least time for a query that somebody waits for: he may have given up by then, the next one comes soon.
const LEAST_TIME: Duration = Duration::from_millis(500);

/// Who can be asked now.
enum Route {
    /// These, in this order.
    To(Vec<(Url, Manner)>),
    /// All have as many queries as they get at once.
    Busy,
    Nobody,
}

/// A query that is begun: about whom, and who is asked.
type Begun = (u64, Urgency, Vec<(Url, Manner)>);

impl<T: Clone> Desk<T> {
    /// What is to be done now, and who need not wait any longer.
    pub(crate) fn tick(&mut self, now: Now, trust: &Arc<Trust>, client: &Arc<Client>) -> Tick<T> {
        let mut tick = Tick { jobs: Vec::new(), ready: Vec::new(), alarms: Alarms::default() };
        tick.ready.append(&mut self.ready);
        self.tell_judges(trust);
        self.give_up(now.mono, &mut tick.ready);
        self.table.forget_old(now.mono);
        let mut queries = self.begin_urgent(now, &mut tick.ready);
        queries.extend(self.begin_background(now));
        let job = |(number, urgency, tries)| self.job(number, urgency, tries, now, trust, client);
        tick.jobs.extend(queries.into_iter().filter_map(job));
        let writing = self.shelf.begin(now.mono);
        tick.jobs.extend(writing.map(|writing| Job { desk: self.generation, work: Work::Write(writing) }));
        self.sources.values_mut().for_each(|source| source.look(now.mono, &mut tick.alarms));
        tick
    }

    /// Nobody waits longer than he has patience.
    fn give_up(&mut self, now: Mono, ready: &mut Vec<T>) {
        while let Some(first) = self.waits.first_entry()
            && now.since(first.get().since) >= PATIENCE
        {
            ready.push(first.remove().ticket);
        }
    }

    /// Begins what somebody waits for: of each line one, then again, from the line on whose turn it is. Where nobody can be asked any more they are told.
    fn begin_urgent(&mut self, now: Now, ready: &mut Vec<T>) -> Vec<Begun> {
        let mut begun = Vec::new();
        let lines = self.lines.len();
        let in_turn = (self.turn..lines).chain(0..self.turn.min(lines));
        let mut in_turn: VecDeque<_> = in_turn.filter(|line| !self.lines[*line].waiting.is_empty()).collect();
        while let Some(line) = in_turn.pop_front() {
            let Some(number) = self.lines[line].waiting.front().copied() else { continue };
            if self.urgent >= MAX_URGENT && self.lines[line].urgent >= RESERVED {
                continue;
            }
            let is_waited_for = self.table.get(number).is_some_and(|entry| self.has_waits(&entry.waits));
            let route = if is_waited_for { self.route(line, Urgency::Urgent, now.mono) } else { Route::Nobody };
            match route {
                Route::Busy => continue,
                Route::To(tries) => {
                    self.begin(number, Urgency::Urgent, &tries, now.mono);
                    begun.push((number, Urgency::Urgent, tries));
                    self.turn = line + 1;
                }
                Route::Nobody => self.let_go(number, State::Idle, ready),
            }
            self.lines[line].waiting.pop_front();
            in_turn.push_back(line);
        }
        begun
    }

    fn has_waits(&self, numbers: &[u64]) -> bool {
        numbers.iter().any(|number| self.waits.contains_key(number))
    }

    /// Begins what nobody waits for: of each line one, those first that have been due for longest, then again.
    fn begin_background(&mut self, now: Now) -> Vec<Begun> {
        let mut begun = Vec::new();
        let due = (0..self.lines.len()).filter_map(|line| Some((self.table.first_due(line, now.mono)?.0, line)));
        let mut due: VecDeque<_> = {
            let mut due: Vec<_> = due.collect();
            due.sort();
            due.into_iter().map(|(_, line)| line).collect()
        };
        while self.background < MAX_BACKGROUND
            && let Some(line) = due.pop_front()
        {
            let Some((_, number)) = self.table.first_due(line, now.mono) else { continue };
            let Route::To(tries) = self.route(line, Urgency::Background, now.mono) else { continue };
            self.begin(number, Urgency::Background, &tries, now.mono);
            begun.push((number, Urgency::Background, tries));
            due.push_back(line);
        }
        begun
    }

    /// Those who are well, in order, the first of them one that has room. Who isn't is asked by one query that nobody waits for, with the others behind him.
    fn route(&self, line: usize, urgency: Urgency, now: Mono) -> Route {
        let well = Responder::default();
        let of = |url: &Url| self.responders.get(url).unwrap_or(&well);
        let is_asked = |url: &&Url| match of(url).is_open() {
            false => true,
            true => urgency == Urgency::Background && of(url).may_be_probed(now),
        };
        let asked: Vec<&Url> = self.lines[line].responders().iter().filter(is_asked).collect();
        if asked.is_empty() {
            return Route::Nobody;
        }
        let Some(first) = asked.iter().position(|url| of(url).has_room(urgency, now)) else { return Route::Busy };
        let (first, rest) = (asked[first], &asked[first + 1..]);
        let rest = rest.iter().filter(|url| !of(url).is_open());
        let tries = std::iter::once(first).chain(rest.copied()).take(MAX_TRIES);
        Route::To(tries.map(|url| (url.clone(), of(url).manner)).collect())
    }

    fn begin(&mut self, number: u64, urgency: Urgency, tries: &[(Url, Manner)], now: Mono) {
        if let Some((url, _)) = tries.first() {
            self.responders.entry(url.clone()).or_default().begin(urgency, now);
        }
        let line = self.table.get(number).map(|entry| entry.line);
        match urgency {
            Urgency::Urgent => {
                self.urgent += 1;
                line.and_then(|line| self.lines.get_mut(line)).into_iter().for_each(|line| line.urgent += 1);
            }
            Urgency::Background => self.background += 1,
        }
        self.table.change(number, State::InFlight, |_| ());
    }

    fn job(
        &self,
        number: u64,
        urgency: Urgency,
        tries: Vec<(Url, Manner)>,
        now: Now,
        trust: &Arc<Trust>,
        client: &Arc<Client>,
    ) -> Option<Job> {
        let entry = self.table.get(number)?;
        let since = entry.waits.iter().filter_map(|wait| self.waits.get(wait)).map(|wait| wait.since).min();
        let within = match urgency {
            Urgency::Background => self.timeout,
            Urgency::Urgent => {
                let waited = since.map_or(Duration::ZERO, |since| now.mono.since(since));
                PATIENCE.saturating_sub(waited).max(LEAST_TIME)
            }
        };
        let query = Query {
            number,
            urgency,
            question: entry.question.clone(),
            tries,
            nonce: self.lines.get(entry.line)?.authority.nonce,
            within,
            at: now.wall,
            trust: Arc::clone(trust),
            client: Arc::clone(client),
        };
        Some(Job { desk: self.generation, work: Work::Query(Box::new(query)) })
    }
}
