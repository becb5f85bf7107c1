//! What the hall has looked up: certificates that answer for a name, and one-time passwords. Several at once, so that a slow one delays no other; nothing here makes the hall wait.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::engine::{Attempt, Checked, Found, Lookup, Search, Ticket};
use crate::net::{self, Clock};
use crate::now::Mono;
use crate::otp::{Attempts, Guesses, Key, Settings, Who};
use crate::store::{Enrolled, Failure, Store};

/// Looked up at once; what comes then waits for the first of them. Codes that are used up together share a COMMIT.
const AT_ONCE: usize = 256;
/// Certificates of one name that are handed on; conversations judge no more.
const MOST: i64 = 32;
/// How long it is waited for what logins have left behind, before somebody is said to have no certificate.
const FRESH: Duration = Duration::from_secs(1);
/// How long others who wait for it are gathered: whoever asks for names that there aren't must not have the disk written for each.
const GATHER: Duration = Duration::from_millis(50);
/// Until there is a configuration that says it.
const ATTEMPTS: Attempts = Attempts { each: 5, per: Duration::from_secs(300) };

/// The hall's end; the other ends with it. `most`: how many may wait at once. Without a registry nothing is ever found.
pub(super) fn begin(store: Option<Store>, otp: &Arc<ArcSwapOption<Settings>>, most: usize, clock: Clock) -> net::Desk {
    // As many again: somebody who is told at once may stand beside everybody who waits.
    let answers = most.saturating_mul(2).max(1);
    let Some(store) = store else { return net::Desk::nobody(answers) };
    let (tell, told) = mpsc::channel(most.max(1));
    let (say, found) = mpsc::channel(answers);
    tokio::spawn(serve(Clerk::new(store, otp, clock), told, say.clone()));
    let look = move |ticket, lookup| {
        if tell.try_send((ticket, lookup)).is_err() {
            // If this finds no room either, the hall decides when its time is up.
            let _ = say.try_send((ticket, Found::NoRoom));
        }
    };
    net::Desk { look: Box::new(look), found }
}

/// Until the hall has ended.
async fn serve(clerk: Clerk, mut told: mpsc::Receiver<(Ticket, Lookup)>, say: mpsc::Sender<(Ticket, Found)>) {
    let mut looking = JoinSet::new();
    while let Some((ticket, lookup)) = told.recv().await {
        while looking.try_join_next().is_some() {}
        if looking.len() >= AT_ONCE {
            looking.join_next().await;
        }
        let (clerk, say) = (clerk.clone(), say.clone());
        looking.spawn(async move {
            let found = clerk.look(lookup).await;
            // The hall may have ended, or have stopped waiting.
            let _ = say.try_send((ticket, found));
        });
    }
}

/// Who looks.
#[derive(Clone, Debug)]
struct Clerk {
    store: Store,
    /// `[otp]`
    otp: Arc<ArcSwapOption<Settings>>,
    guesses: Arc<Mutex<Guesses>>,
    /// What logins had left behind by then is written.
    caught_up: Arc<Turn<Mono>>,
    clock: Clock,
}

impl Clerk {
    fn new(store: Store, otp: &Arc<ArcSwapOption<Settings>>, clock: Clock) -> Self {
        let guesses = Arc::new(Mutex::new(Guesses::new(ATTEMPTS)));
        Self { store, otp: Arc::clone(otp), guesses, caught_up: Arc::default(), clock }
    }

    async fn look(&self, lookup: Lookup) -> Found {
        let found = match lookup {
            Lookup::Certificates(search) => self.certificates(&search).await.map(Found::Certificates),
            Lookup::Code(attempt) => self.code(&attempt).await.map(Found::Code),
        };
        found.unwrap_or_else(|why| {
            // A registry that can't be used says so elsewhere, and not for each login.
            tracing::debug!("nothing can be looked up: {why}");
            Found::Nothing
        })
    }

    /// Where there is none, it may have come at a login just now.
    async fn certificates(&self, search: &Search) -> Result<Vec<Vec<u8>>, String> {
        let found = self.facts(search).await.map_err(|failure| failure.to_string())?;
        if !found.is_empty() || timeout(FRESH, self.catch_up()).await.is_err() {
            return Ok(found);
        }
        self.facts(search).await.map_err(|failure| failure.to_string())
    }

    /// Waits until what logins have left behind so far is written, once for all who wait for it together.
    async fn catch_up(&self) {
        let asked = self.clock.mono();
        let mut caught_up = self.caught_up.lock().await;
        if *caught_up > asked {
            return;
        }
        sleep(GATHER).await;
        let begun = self.clock.mono();
        if self.store.catch_up().await.is_ok() {
            *caught_up = begun;
        }
    }

    async fn facts(&self, search: &Search) -> Result<Vec<Vec<u8>>, Failure> {
        match search {
            Search::Name(name) => self.store.facts_of_name(name, MOST).await,
            Search::Fingerprint(fingerprint) => self.store.facts_of_fingerprint(fingerprint).await,
            Search::Serial(serial) => self.store.facts_of_serial(serial, MOST).await,
        }
    }

    /// Counts as a wrong guess until it is known to be right, so that many at once are no more than one after the other. Only of those who are enrolled: others are nothing to guess, and take no place in what is remembered.
    async fn code(&self, attempt: &Attempt) -> Result<Checked, String> {
        let settings = self.otp.load_full().ok_or("a code is asked for, and there is no [otp]")?;
        let Attempt { user, nas, station, .. } = attempt;
        let Some(enrolled) = self.store.otp_of(user).await.map_err(|failure| failure.to_string())? else {
            return Ok(Checked::NotEnrolled);
        };
        let Ok(key) = settings.sealer.open(user, &enrolled.sealed) else { return Ok(Checked::Sealed) };
        let who = Who::new(user, nas, station);
        if !self.guess(|guesses| {
            guesses.set(settings.attempts);
            guesses.may_try(self.clock.now().mono, &who)
        }) {
            return Ok(Checked::Throttled);
        }
        let checked = self.check(&settings, attempt, &key, enrolled).await;
        match checked {
            Ok(true) => self.guess(|guesses| guesses.right(&who)),
            Ok(false) => {}
            Err(_) => self.guess(|guesses| guesses.forgive(&who)),
        }
        checked.map(|right| if right { Checked::Right } else { Checked::Wrong }).map_err(|failure| failure.to_string())
    }

    /// Whether a code is right. Then that it is used up is on disk: no restart makes it good again.
    async fn check(
        &self,
        settings: &Settings,
        attempt: &Attempt,
        key: &Key,
        enrolled: Enrolled,
    ) -> Result<bool, Failure> {
        let now = self.clock.now().wall;
        let Some(step) = key.step(attempt.code.expose(), now, settings.window, enrolled.last) else {
            return Ok(false);
        };
        if self.store.use_code(&enrolled, step).await? {
            return Ok(true);
        }
        // The same key may have been sealed anew just now.
        let again = self.store.otp_of(&enrolled.user).await?.filter(|again| again.sealed != enrolled.sealed);
        let is_it = |again: &Enrolled| settings.sealer.open(&again.user, &again.sealed).as_ref() == Ok(key);
        match again.filter(is_it) {
            Some(again) => self.store.use_code(&again, step).await,
            None => Ok(false),
        }
    }

    fn guess<T>(&self, with: impl FnOnce(&mut Guesses) -> T) -> T {
        with(&mut self.guesses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
