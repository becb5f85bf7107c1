//! One identity: its answer, when it is asked about again, and what of it is stapled.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::super::http::Client;
use super::super::keep;
use super::super::schedule::{Jitter, Schedule};
use super::answer::Staple;
use super::job::{Brought, Job, Outcome};
use super::store::{Store, file_name};
use super::{Finished, Handed, IdentitySettings, News, State, Way};
use crate::now::{Mono, Now, Wall};
use crate::pki::Origin;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// How soon it is asked again at the earliest after an answer.
const SHORTEST_REST: Duration = Duration::from_secs(10);
/// And at the latest, however long an answer lives: within a day a revocation of ours is to be known.
const LONGEST_REST: Duration = Duration::from_secs(86_400);

/// One identity.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    name: Arc<str>,
    chain: Vec<Vec<u8>>,
    /// Its answer's name on disk.
    pub(super) file: String,
    way: Way,
    answer: Option<Arc<Staple>>,
    /// Whether the answer is on disk.
    kept: bool,
    /// What was last handed over; `None`: nobody knows.
    handed: Option<Option<Arc<Staple>>>,
    schedule: Schedule,
    pub(super) in_flight: bool,
    /// Why nothing came of the last attempt.
    failure: Option<String>,
    /// Why it couldn't be written down.
    unkept: Option<String>,
}

impl Identity {
    /// Nothing is known of it, and it is due.
    pub(super) fn new(settings: &IdentitySettings, now: Now) -> Self {
        let leaf = settings.chain.first().map(Vec::as_slice).unwrap_or_default();
        Self {
            name: Arc::clone(&settings.name),
            chain: settings.chain.clone(),
            file: file_name(&keep::sha256(leaf)),
            way: settings.way(),
            answer: None,
            kept: false,
            handed: None,
            schedule: Schedule::new(LONGEST_PAUSE, now.mono),
            in_flight: false,
            failure: None,
            unkept: None,
        }
    }

    /// Whether the other shows the same certificates, whatever it is called.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.chain == other.chain
    }

    /// The other's answer is this one's.
    pub(super) fn follow(&mut self, other: &Self) {
        (self.answer, self.kept) = (other.answer.clone(), other.kept);
        (self.failure, self.unkept) = (other.failure.clone(), other.unkept.clone());
    }

    /// Reads what was kept. What is no good is asked for anyway, and overwritten.
    pub(super) fn take_up(&mut self, store: &Store, now: Wall) {
        let Way::Open(own, _) = &self.way else { return };
        let Some(der) = store.read(&self.file) else { return };
        let source = store.folder.join(&self.file).display().to_string().into();
        let Ok(answer) = own.load(&der, &source, Origin::Kept, now) else { return };
        (self.answer, self.kept) = (Some(Arc::new(Staple { answer, der })), true);
    }

    pub(super) fn is_due(&self, now: Mono) -> bool {
        matches!(self.way, Way::Open(..)) && !self.in_flight && self.schedule.is_due(now)
    }

    /// `None`: there is nobody to ask. `files`: the names of all identities' answers.
    pub(super) fn job(
        &mut self,
        index: usize,
        store: &Store,
        files: &[String],
        at: Wall,
        client: &Arc<Client>,
    ) -> Option<Job> {
        let Way::Open(own, urls) = &self.way else { return None };
        self.in_flight = true;
        Some(Job {
            identity: index,
            own: Arc::clone(own),
            urls: urls.clone(),
            before: self.answer.clone(),
            kept: self.kept,
            file: self.file.clone(),
            files: files.to_vec(),
            store: store.clone(),
            at,
            client: Arc::clone(client),
        })
    }

    pub(super) fn finish(&mut self, outcome: Outcome, now: Now, jitter: Jitter) -> Finished {
        self.in_flight = false;
        let Outcome { results, brought, .. } = outcome;
        let news = match brought {
            Ok(brought) => self.take(brought, now, jitter),
            Err(text) => {
                self.schedule.failed(now.mono, jitter);
                let is_news = self.failure.is_none();
                let line = News::Bad(format!("identity {}: {text}", self.name));
                self.failure = Some(text);
                is_news.then_some(line).into_iter().collect()
            }
        };
        Finished { name: Arc::clone(&self.name), results, news }
    }

    fn take(&mut self, brought: Brought, now: Now, jitter: Jitter) -> Vec<News> {
        let Brought { staple, unkept } = brought;
        let name = &self.name;
        let mut news = Vec::new();
        if self.failure.take().is_some() {
            news.push(News::Good(format!("identity {name}: {} answers again", staple.answer.name().source)));
        }
        if let (Some(why), None) = (&unkept, &self.unkept) {
            news.push(News::Bad(format!("identity {name}: {}", unkept_text(why))));
        }
        (self.kept, self.unkept) = (unkept.is_none(), unkept);
        self.schedule.rests(now.mono, rest(&staple.life(), now.wall), jitter);
        let was_revoked = self.is_revoked();
        // The very same that was handed over stays that one.
        if self.answer.as_ref().is_none_or(|before| before.der != staple.der) {
            self.answer = Some(Arc::new(staple));
        }
        match (was_revoked, self.is_revoked()) {
            (false, true) => news.push(News::Alarm(format!("identity {name}: {}", self.revoked_text()))),
            (true, false) => news.push(News::Good(format!("identity {name}: the certificate isn't revoked any more"))),
            _ => {}
        }
        news
    }

    /// What is to be stapled, if that isn't what was.
    pub(super) fn hand(&mut self, now: Wall) -> Option<Handed> {
        let wanted = self.answer.clone().filter(|staple| staple.can_be_stapled(now));
        let is_same = match (&self.handed, &wanted) {
            (Some(None), None) => true,
            (Some(Some(handed)), Some(wanted)) => Arc::ptr_eq(handed, wanted),
            _ => false,
        };
        if is_same {
            return None;
        }
        let before = self.handed.replace(wanted.clone());
        let news = match (before, &wanted) {
            (None | Some(None), Some(staple)) => Some(News::Good(format!(
                "identity {}: an OCSP answer of {} octets is stapled, good for {} s more",
                self.name,
                staple.der.len(),
                now.until(staple.answer.end()).as_secs()
            ))),
            (Some(Some(_)), None) => Some(News::Bad(format!(
                "identity {}: the OCSP answer has ended and is stapled no more: devices that insist on one refuse this server",
                self.name
            ))),
            _ => None,
        };
        Some(Handed { name: Arc::clone(&self.name), staple: wanted.map(|staple| staple.der.clone()), news })
    }

    pub(super) fn state(&self, now: Wall) -> State {
        let (responders, closed) = match &self.way {
            Way::Nobody => (Vec::new(), None),
            Way::Closed(responders, why) => (responders.clone(), Some(why.clone())),
            Way::Open(_, urls) => (urls.iter().map(ToString::to_string).collect(), None),
        };
        let end = self.answer.as_ref().filter(|staple| staple.can_be_stapled(now)).map(|staple| staple.answer.end());
        State {
            name: Arc::clone(&self.name),
            responders,
            closed,
            end,
            revoked: self.is_revoked(),
            complaints: self.complaints(end.is_some()),
        }
    }

    fn complaints(&self, has_staple: bool) -> Vec<String> {
        let revoked = self.is_revoked().then(|| self.revoked_text());
        let failure = self.failure.as_ref().filter(|_| !has_staple);
        let failure = failure.map(|why| format!("no OCSP answer can be stapled: {why}"));
        let unkept = self.unkept.as_deref().map(unkept_text);
        let all = revoked.into_iter().chain(failure).chain(unkept);
        all.map(|text| format!("identity {}: {text}", self.name)).collect()
    }

    fn is_revoked(&self) -> bool {
        self.answer.as_ref().is_some_and(|staple| staple.answer.revokes())
    }

    fn revoked_text(&self) -> String {
        let source = self.answer.as_ref().map(|staple| &*staple.answer.name().source).unwrap_or_default();
        format!(
            "the server's certificate is REVOKED, says {source}: devices that look refuse this server; get another certificate, with a new key"
        )
    }
}

fn unkept_text(why: &str) -> String {
    format!("its OCSP answer cannot be kept, and will be missing after a restart: {why}")
}

/// How long an answer is left in peace: until half of its life is over, and then for a quarter of what is left at a time, for there should be a new one any moment.
fn rest(life: &Range<Wall>, now: Wall) -> Duration {
    let half = life.start + life.start.until(life.end) / 2;
    let rest = match now.until(half) {
        Duration::ZERO => now.until(life.end) / 4,
        rest => rest,
    };
    rest.clamp(SHORTEST_REST, LONGEST_REST)
}
