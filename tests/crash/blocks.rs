//! Many block at once, and the server is killed: what each was told of stands in the database, and beside it in the file that holds when the database can't be read.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sekisho::store::Standby;
use serde_json::json;
use sqlx::Row;

use super::api::Api;
use super::chance::Chance;
use super::database::{assert_sound, rows};
use super::kills::pause;
use super::place::Campus;

const CALLERS: u64 = 16;
const KILLS: u64 = 3;

#[test]
fn blocks_that_many_were_told_of_at_once_survive_kill_9_in_the_database_and_beside_it() {
    let mut chance = Chance::from_environment();
    let campus = Campus::new();
    let told = Mutex::new(BTreeSet::new());
    for round in 0..KILLS {
        let serving = campus.start();
        let over = &AtomicBool::new(false);
        let moment = chance.millis(300, 1_500);
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let (mut api, told, campus) = (serving.api(), &told, &campus);
                scope.spawn(move || {
                    for number in 0.. {
                        let serial = format!("{:06x}", 0x40_0000 + (round * CALLERS + caller) * 4_096 + number);
                        if over.load(Ordering::Relaxed) || !block(&mut api, &serial) {
                            return;
                        }
                        // It stands there by now, not soon.
                        assert!(beside(campus).contains(&serial), "{serial} is not in the file");
                        told.lock().expect("no panic").insert(serial);
                    }
                });
            }
            pause(moment);
            serving.kill();
            over.store(true, Ordering::Relaxed);
        });
        let told = told.lock().expect("no panic");
        assert!(beside(&campus).is_superset(&told));
        assert_sound(&campus.registry());
        let kept = rows(&campus.registry(), "SELECT serial FROM certificate WHERE block = 1", |row| row.get(0));
        assert!(kept.into_iter().collect::<BTreeSet<String>>().is_superset(&told));
    }
    let told = told.into_inner().expect("no panic");
    assert!(told.len() > 50, "only {} were told", told.len());
    // By the file alone, as if the disk had lost the database.
    for entry in fs::read_dir(campus.path("state")).expect("ours").filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with("registry.sqlite") {
            fs::remove_file(entry.path()).expect("ours");
        }
    }
    let serving = campus.start();
    let mut api = serving.api();
    for serial in told.iter().step_by(told.len() / 20) {
        let said = api.ask("GET", &format!("/api/v1/certificates/ca:{serial}"), None, "").expect("it answers").good();
        assert_eq!(said["status"], "revocation-requested", "{serial}");
    }
    assert_eq!(serving.end(), Some(0));
}

/// False: no answer came.
fn block(api: &mut Api, serial: &str) -> bool {
    let path = format!("/api/v1/certificates/ca:{serial}/revocation");
    let Ok(said) = api.ask("POST", &path, Some(json!({ "note": "of many" })), "") else { return false };
    assert!(said.is_good(), "{} {}", said.status, said.text);
    true
}

/// What the file beside the database has.
fn beside(campus: &Campus) -> BTreeSet<String> {
    match Standby::read(&campus.path("state")) {
        Standby::Good(blocked) => blocked.certificates.into_iter().filter_map(|record| record.known.serial).collect(),
        other => panic!("{other:?}"),
    }
}
