//! What came of a job.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::super::super::schedule::Jitter;
use super::super::job::{Done, Outcome};
use super::super::query::{Answered, Attempt, Brought};
use super::super::responder::{Luck, Urgency};
use super::super::source::Source;
use super::super::table::State;
use super::super::{AuthoritySettings, Finished};
use super::Desk;
use crate::now::Now;
use crate::pki::{Inserted, OcspAnswer};

impl<T: Clone> Desk<T> {
    /// Takes what a job of this has brought.
    pub(crate) fn finish(&mut self, outcome: Outcome, now: Now) -> Finished<T> {
        let mut finished = Finished { ready: Vec::new(), results: Vec::new(), news: Vec::new(), changed: None };
        match outcome.done {
            _ if outcome.desk != self.generation => {}
            Done::Query(brought) => self.take(brought, now, &mut finished),
            Done::Write(written) => finished.news.extend(self.shelf.finish(written, now)),
        }
        finished
    }

    fn take(&mut self, brought: Brought, now: Now, finished: &mut Finished<T>) {
        let Brought { number, urgency, first, mut attempts, answer } = brought;
        self.ended(number, urgency);
        if let Some(responder) = first.as_ref().and_then(|url| self.responders.get_mut(url)) {
            responder.end(urgency);
        }
        let Some(authority) = self.table.get(number).and_then(|entry| self.lines.get(entry.line)) else { return };
        let authority = Arc::clone(&authority.authority);
        let answer = answer.and_then(|answered| self.insert(answered, attempts.last_mut(), now, finished));
        for attempt in attempts {
            self.tell(&attempt, number, first.as_ref() == Some(&attempt.url), &authority, now, finished);
        }
        let life = answer.map(|answer| answer.name().this_update..answer.name().next_update);
        self.table.change(number, State::InFlight, |entry| match life {
            Some(life) => {
                entry.answered = Some(now.mono);
                entry.schedule.succeeded(now, Some(life), Jitter::random());
            }
            None => entry.schedule.failed(now.mono, Jitter::random()),
        });
        self.let_go(number, State::Idle, &mut finished.ready);
    }

    /// A query is under way no more.
    fn ended(&mut self, number: u64, urgency: Urgency) {
        let line = self.table.get(number).map(|entry| entry.line);
        match urgency {
            Urgency::Urgent => {
                self.urgent = self.urgent.saturating_sub(1);
                let line = line.and_then(|line| self.lines.get_mut(line));
                line.into_iter().for_each(|line| line.urgent = line.urgent.saturating_sub(1));
            }
            Urgency::Background => self.background = self.background.saturating_sub(1),
        }
    }

    /// Takes an answer into use. `None`: it is older than what is in use, which whoever sent it is told of.
    fn insert(
        &mut self,
        answered: Answered,
        by: Option<&mut Attempt>,
        now: Now,
        finished: &mut Finished<T>,
    ) -> Option<Arc<OcspAnswer>> {
        let answer = Arc::clone(&answered.answer);
        let (name, question) = (answer.name(), &answer.question);
        let before = self.answers.get(&question.issuer, &question.serial);
        let certificate = || {
            let serial = HEXLOWER.encode(&question.serial);
            format!("authority {}: {}: the certificate with the serial {serial}", name.authority, name.source)
        };
        let inserted = self.answers.insert(Arc::clone(&answer));
        finished.changed = Some(inserted);
        match inserted {
            Inserted::Alike => self.shelf.take(answered, now.wall),
            Inserted::NewlyRevoked => {
                finished.news.push(Ok(format!("{} is revoked", certificate())));
                self.shelf.take(answered, now.wall);
            }
            // What is on disk stays, so that it is revoked after a restart too.
            Inserted::Vanished => {
                finished
                    .news
                    .push(Err(format!("{} was revoked and is said to be so no more; it stays revoked", certificate())));
            }
            Inserted::Older if before.is_some_and(|before| before.name().this_update > name.this_update) => {
                if let Some(by) = by {
                    (by.luck, by.label) = (Luck::Odd, "older");
                    by.text = "its answer is older than the one in use".into();
                }
                return None;
            }
            // What is in use says something worse, and stays.
            Inserted::Older => {}
        }
        Some(answer)
    }

    /// Takes note of how a responder was.
    fn tell(
        &mut self,
        attempt: &Attempt,
        number: u64,
        began: bool,
        settings: &AuthoritySettings,
        now: Now,
        finished: &mut Finished<T>,
    ) {
        let Attempt { url, manner, refused, luck, label, text } = attempt;
        finished.results.push((Arc::clone(&settings.authority), label));
        let responder = self.responders.entry(url.clone()).or_default();
        responder.tell(*luck, number, began, now.mono, Jitter::random());
        if *refused {
            responder.manner = manner.reversed();
        }
        let (authority, name): (_, Arc<str>) = (Arc::clone(&settings.authority), url.to_string().into());
        let source = self.sources.entry((Arc::clone(&authority), Arc::clone(&name)));
        let source = source.or_insert_with(|| Source::new(authority, name, settings.alarm_after, now.mono));
        let outcome = if *luck == Luck::Good { Ok(()) } else { Err(text.as_str()) };
        finished.news.extend(source.tell(outcome, now));
    }
}
