//! OCSP: whoever asks is heard in a task of its own, so that no login waits while files are read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::afar::sound;
use super::inquiry::Asking;
use super::live::{Asked as Shown, Live};
use crate::config::Config;
use crate::engine::Ticket;
use crate::fetch::http::Client;
use crate::fetch::learned::{Learned, Place};
use crate::fetch::ocsp::{Askable, Asked, Desk, Finished, Outcome, Reception, Replaced, Tick};
use crate::net::Clock;
use crate::now::Now;
use crate::pki::{Inserted, Question, Trust};

/// Notes that may wait; what finds no room is said again by the next login.
const NOTES: usize = 256;
/// How often responders are looked after when nobody asks.
const BEAT: Duration = Duration::from_secs(1);

/// A desk, and what it asks with.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) desk: Desk<Ticket>,
    trust: Arc<Trust>,
    /// `None`: there is nobody to ask.
    client: Option<Arc<Client>>,
}

impl Office {
    /// Reads what was kept. It reads files.
    pub(super) fn new(
        config: &Config,
        learned: &Learned,
        client: Option<&Arc<Client>>,
        now: Now,
        previous: Option<&Desk<Ticket>>,
    ) -> Self {
        let mut desk = Desk::new(&config.fetch, &config.trust, now, previous);
        learned.responders().rev().for_each(|place| learn(&mut desk, place));
        Self { desk, trust: Arc::clone(&config.trust), client: client.cloned() }
    }
}

/// Of several the last that is told of is asked first.
fn learn(desk: &mut Desk<Ticket>, place: &Place) {
    desk.learn(&place.authority, &place.issuer, &[place.url.to_string()]);
}

/// What the task is told.
#[derive(Debug)]
enum Note {
    Learn(Vec<Place>),
    Seen(Vec<Question>),
    Copy(oneshot::Sender<Desk<Ticket>>),
    Replace(Box<Office>, Exchange),
}

/// The desk that asks and the snapshot that decides are exchanged as one: in between nothing is answered, or what comes then would be known on one side alone.
#[derive(Debug)]
struct Exchange {
    /// Told when the desk is exchanged.
    done: oneshot::Sender<()>,
    /// Told, or dropped, when what is decided by is the new desk's answers.
    swapped: oneshot::Receiver<()>,
}

/// How the task is reached. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Responders {
    notes: mpsc::Sender<Note>,
    /// Told when an answer came for which what was decided must be forgotten.
    pub(super) revoked: Arc<Notify>,
}

impl Responders {
    /// Starts the task.
    pub(super) fn spawn(office: Office, asking: Asking, live: Arc<Live>, clock: Clock) -> Self {
        let (notes, told) = mpsc::channel(NOTES);
        let revoked = Arc::new(Notify::new());
        let Office { desk, trust, client } = office;
        show(&live, &desk, &trust);
        let (reception, under_way) = (Reception::new(desk), JoinSet::new());
        let task =
            Task { reception, trust, client, under_way, asking, told, live, clock, revoked: Arc::clone(&revoked) };
        tokio::spawn(task.run());
        Self { notes, revoked }
    }

    /// Responders that certificates have named.
    pub(super) async fn learn(&self, places: Vec<Place>) {
        if !places.is_empty() {
            self.note(Note::Learn(places)).await;
        }
    }

    /// Somebody whose verdict rests on these has come.
    pub(super) async fn seen(&self, questions: Vec<Question>) {
        if !questions.is_empty() {
            self.note(Note::Seen(questions)).await;
        }
    }

    /// The desk as it is, to make another of it.
    pub(super) async fn copy(&self) -> Option<Desk<Ticket>> {
        let (send, copy) = oneshot::channel();
        self.note(Note::Copy(send)).await;
        copy.await.ok()
    }

    /// Asks at this one from now on. Its answers know by then whoever is known to be revoked; until what this returns is dropped nobody asks and nobody is answered: that belongs after the swap.
    pub(super) async fn replace(&self, office: Office) -> oneshot::Sender<()> {
        let (done, exchanged) = oneshot::channel();
        let (swap, swapped) = oneshot::channel();
        self.note(Note::Replace(Box::new(office), Exchange { done, swapped })).await;
        // Without the task nobody asks.
        let _ = exchanged.await;
        swap
    }

    async fn note(&self, note: Note) {
        // Without the task nobody asks, and what is known decides.
        let _ = self.notes.send(note).await;
    }
}

struct Task {
    reception: Reception<Ticket>,
    trust: Arc<Trust>,
    client: Option<Arc<Client>>,
    /// Dropped with the desk that they are for.
    under_way: JoinSet<Outcome>,
    asking: Asking,
    told: mpsc::Receiver<Note>,
    live: Arc<Live>,
    clock: Clock,
    revoked: Arc<Notify>,
}

impl Task {
    async fn run(mut self) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some((ticket, questions)) = self.asking.next() => self.ask(ticket, questions),
                note = self.told.recv() => match note {
                    Some(note) => self.take(note).await,
                    None => return,
                },
                Some(outcome) = self.under_way.join_next() => self.finish(outcome),
                _ = beat.tick() => self.show(),
            }
            self.tick();
        }
    }

    fn ask(&mut self, ticket: Ticket, questions: Vec<Question>) {
        if self.reception.ask(self.clock.now(), ticket, questions) == Asked::Nothing {
            self.asking.answer(ticket);
        }
    }

    async fn take(&mut self, note: Note) {
        match note {
            Note::Learn(places) => places.iter().rev().for_each(|place| learn(self.reception.desk_mut(), place)),
            Note::Seen(questions) => self.reception.desk_mut().seen(self.clock.now(), questions),
            Note::Copy(copy) => drop(copy.send(self.reception.desk().clone())),
            Note::Replace(office, Exchange { done, swapped }) => {
                let Office { desk, trust, client } = *office;
                (self.trust, self.client, self.under_way) = (trust, client, JoinSet::new());
                let Replaced { ready, revoked } = self.reception.replace(self.clock.now(), desk, &self.trust);
                let _ = done.send(());
                let _ = swapped.await;
                if revoked {
                    self.revoked.notify_one();
                }
                self.answer(ready);
                self.show();
            }
        }
    }

    fn finish(&mut self, outcome: Result<Outcome, JoinError>) {
        let Ok(outcome) = outcome else {
            tracing::error!("asking a responder failed by a fault of ours");
            return;
        };
        let Finished { ready, results, news, changed } = self.reception.finish(outcome, self.clock.now());
        for (authority, result) in results {
            self.live.fetched(&authority, "ocsp", result);
        }
        for line in news {
            match line {
                Ok(good) => tracing::info!("{good}"),
                Err(bad) => tracing::warn!("{bad}"),
            }
        }
        if changed == Some(Inserted::NewlyRevoked) {
            self.revoked.notify_one();
        }
        self.answer(ready);
    }

    fn tick(&mut self) {
        let Some(client) = &self.client else {
            self.live.responders_silent(Vec::new());
            return;
        };
        let Tick { jobs, ready, alarms } = self.reception.tick(self.clock.now(), &self.trust, client);
        for job in jobs {
            self.under_way.spawn(job.run());
        }
        self.live.responders_silent(sound(&alarms, "answers again"));
        self.answer(ready);
    }

    fn answer(&self, ready: Vec<Ticket>) {
        ready.into_iter().for_each(|ticket| self.asking.answer(ticket));
    }

    fn show(&self) {
        show(&self.live, self.reception.desk(), &self.trust);
    }
}

/// Lets others see how responders are.
fn show(live: &Live, desk: &Desk<Ticket>, trust: &Trust) {
    live.asked(Shown { askable: Askable::of(desk, trust), health: desk.health(), problems: desk.problems() });
}
