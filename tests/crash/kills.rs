//! Killed at random moments, again and again in one directory, so that damage would add up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::accounts::{Account, Books};
use super::api::Api;
use super::chance::Chance;
use super::changes::{Changes, audit};
use super::database::{assert_sound, count};
use super::place::{Campus, Serving, is_let_in};

const NASES: u8 = 4;
const CALLERS: u64 = 3;
const KILLS: usize = 10;

/// Everybody who asks for something.
struct World {
    accounts: Vec<Account>,
    callers: Vec<Changes>,
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let mut chance = Chance::from_environment();
    let kills = std::env::var("SEKISHO_KILLS").map_or(KILLS, |kills| kills.parse().expect("SEKISHO_KILLS is a number"));
    let campus = Campus::new();
    let mut serving = campus.start();
    let mut world = World {
        accounts: (1..=NASES).map(Account::new).collect(),
        callers: (1..=CALLERS).map(|number| Changes::new(number, &campus, &mut serving.api())).collect(),
    };
    for _ in 0..kills {
        let serving_now = serving;
        world.load_and_kill(serving_now, &mut chance);
        // Sometimes it isn't even up when it is killed again.
        if chance.percent(30) {
            let begun = campus.spawn(&[]);
            pause(chance.millis(1, 150));
            begun.kill();
        }
        serving = campus.start();
        world.check(&campus, &mut serving);
    }
    let records: usize = world.accounts.iter().map(Account::acknowledged).sum();
    let changes: usize = world.callers.iter().map(Changes::told).sum();
    eprintln!("{kills} kills; {records} records acknowledged, {changes} changes told, none lost");
    assert!(records >= kills * 20 && changes >= kills * 10, "hardly anything was asked for");
    assert_eq!(serving.end(), Some(0));
}

impl World {
    /// All ask at once, and in the midst of it the server is killed.
    fn load_and_kill(&mut self, serving: Serving, chance: &mut Chance) {
        let over = &AtomicBool::new(false);
        let port = serving.listening("accounting");
        let moment = chance.millis(200, 1_600);
        thread::scope(|scope| {
            for account in &mut self.accounts {
                let mut chance = Chance::new(chance.next());
                scope.spawn(move || account.load(port, &mut chance, over));
            }
            for caller in &mut self.callers {
                let (mut chance, mut api) = (Chance::new(chance.next()), serving.api());
                scope.spawn(move || caller.load(&mut api, &mut chance));
            }
            pause(moment);
            serving.kill();
            over.store(true, Ordering::Relaxed);
        });
    }

    /// The server that was started again knows everything that the one before has acknowledged.
    fn check(&mut self, campus: &Campus, serving: &mut Serving) {
        let file = campus.registry();
        assert_sound(&file);
        let books = Books::read(&file);
        let live: usize = self.accounts.iter().map(|account| account.check(&books)).sum();
        if live > 0 {
            serving.wait_for_metric(&format!("sekisho_sessions{{service=\"none\"}} {live}"));
        }
        let mut api = serving.api();
        assert_eq!(listed(&mut api), live, "those that the file has");
        let lines = audit(&mut api);
        for caller in &mut self.callers {
            caller.check(&mut api, &lines);
        }
        if let (name, Some(refused)) = self.callers[0].refuses_first() {
            assert_eq!(is_let_in(campus, serving, &name), !refused, "{name}");
        }
        assert_eq!(count(&file, "SELECT count(*) FROM session WHERE ended IS NULL AND provisional = 0"), live as i64);
    }
}

/// How many sessions the API lists that a NAS accounts for.
fn listed(api: &mut Api) -> usize {
    let page = api.ask("GET", "/api/v1/sessions?limit=1000", None, "").expect("it answers").good();
    assert!(page["next"].is_null(), "there are few");
    page["items"].as_array().expect("a list").iter().filter(|it| it["accounted"] == true).count()
}

#[expect(clippy::disallowed_methods, reason = "a random moment is waited for")]
pub(crate) fn pause(time: std::time::Duration) {
    thread::sleep(time);
}
