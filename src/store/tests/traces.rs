//! What logins leave behind: many by one statement come to the same as each by itself.

use sqlx::{Column, Row};

use super::*;
use crate::now::Wall;
use crate::store::rows::pieces;
use crate::store::{Audited, Decided, Decisions, Device, Known, Sighting, Trace};

/// What is refused, and what is left out.
const REFUSED: &str = "CREATE TRIGGER refusal BEFORE INSERT ON authentication WHEN NEW.user = 'nobody' \
     BEGIN SELECT RAISE(ABORT, 'this one is refused'); END";
const LEFT_OUT: &str = "CREATE TRIGGER omission BEFORE INSERT ON authentication WHEN NEW.user = 'nobody' \
     BEGIN SELECT RAISE(IGNORE); END";

fn change(store: &Store, sql: &'static str) {
    let changed =
        store.write(move |connection| Box::pin(async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) }));
    run(changed).expect("a change");
}

/// All that a query finds, as text.
fn rows(store: &Store, sql: &'static str) -> Vec<Vec<String>> {
    let look = store.read(move |connection| {
        Box::pin(async move {
            let rows = sqlx::query(sql).fetch_all(connection).await?;
            rows.iter()
                .map(|row| {
                    let columns = row.columns().iter().map(Column::ordinal);
                    columns.map(|column| Ok(row.try_get::<Option<String>, _>(column)?.unwrap_or_default())).collect()
                })
                .collect()
        })
    });
    run(look).expect("a look")
}

fn decided(at: i64, user: &str) -> Trace {
    let decided = Decided { at: Wall(at), reason: "ok".into(), user: Some(user.into()), ..Decided::default() };
    Trace::Decided(Box::new(decided))
}

/// With this certificate, and where it was seen.
fn seen(at: i64, known: &Known, mac: Option<&str>) -> Trace {
    let device =
        mac.map(|mac| Device { mac: mac.into(), service: "campus".into(), nas: String::new(), last_seen: Wall(at) });
    Trace::Seen(Box::new(Sighting { known: known.clone(), at: Wall(at), device }))
}

fn certificate(number: u8) -> Known {
    Known {
        fingerprint: Some([number; 32]),
        authority: Some("ca".into()),
        serial: Some(format!("{number:02x}")),
        subject: format!("CN={number}"),
        user: Some(format!("user{number}")),
        not_after: Some(Wall(9_000)),
        ..Known::default()
    }
}

/// As a whole chain tells of it.
fn whole(number: u8) -> Known {
    Known {
        facts: Some(vec![number; 8]),
        issuer: Some([200; 32]),
        cn: Some(format!("{number}")),
        mail: Some(format!("{number}@x")),
        not_before: Some(Wall(1)),
        ..certificate(number)
    }
}

#[test]
fn pieces_are_few_of_few_lengths_and_in_order() {
    for length in [0, 1, 2, 31, 127, 128, 300] {
        let all: Vec<usize> = (0..length).collect();
        let pieces: Vec<_> = pieces(&all).collect();
        assert_eq!(pieces.concat(), all);
        assert!(pieces.iter().all(|piece| piece.len().is_power_of_two() && piece.len() <= 128));
        assert!(pieces.len() <= length / 128 + 7, "{length}: {}", pieces.len());
    }
}

#[test]
fn decisions_of_one_statement_stand_in_their_order() {
    let here = Here::new();
    let store = here.store();
    (0..205).for_each(|at| store.trace(decided(at, "hanako")));
    run(store.catch_up()).expect("written");
    let found = run(store.decisions(Decisions::default(), None, 300)).expect("a look");
    let times: Vec<_> = found.iter().rev().map(|one| (one.row, one.at.0)).collect();
    assert_eq!(times, (0..205).map(|at| (at + 1, at)).collect::<Vec<_>>());
}

#[test]
fn a_decision_that_is_refused_takes_no_other_with_it() {
    for trigger in [REFUSED, LEFT_OUT] {
        let here = Here::new();
        let store = here.store();
        change(&store, trigger);
        let user = |at: i64| if at % 50 == 7 { "nobody" } else { "hanako" };
        (0..209).for_each(|at| store.trace(decided(at, user(at))));
        run(store.catch_up()).expect("written");
        let found = run(store.decisions(Decisions::default(), None, 300)).expect("a look");
        let times: Vec<_> = found.iter().rev().map(|one| one.at.0).collect();
        assert_eq!(times, (0..209).filter(|at| at % 50 != 7).collect::<Vec<_>>());
        let health = store.health();
        assert_eq!((health.dropped, health.fault), (5, None), "{trigger}");
    }
}

#[test]
fn certificates_that_are_seen_together_come_to_what_they_would_one_by_one() {
    let line = || Audited {
        row: 0,
        at: Wall(1),
        caller: String::new(),
        role: String::new(),
        action: String::new(),
        target: String::new(),
        detail: "{}".into(),
    };
    let moved = Known { user: Some("other".into()), not_after: Some(Wall(9_500)), ..certificate(3) };
    let applied = Known { application: Some("a7".into()), ..whole(7) };
    let traces = || {
        let mut traces = Vec::new();
        for at in [100, 160, 130] {
            for number in 0..9 {
                let mac = format!("02:00:00:00:00:{:02x}", number / 2 + u8::try_from(at % 7).expect("few"));
                traces.push(seen(at, &certificate(number), Some(&mac)));
                traces.push(seen(at + 1, &whole(number), None));
                traces.push(seen(at + 2, &moved, Some("02:00:00:00:01:00")));
            }
            traces.push(seen(at, &applied, None));
        }
        // Of nobody but by its name.
        traces.push(seen(170, &Known { fingerprint: None, ..certificate(20) }, None));
        traces.push(seen(171, &Known { fingerprint: None, ..certificate(20) }, None));
        traces.push(seen(172, &certificate(20), None));
        traces
    };
    let (together, alone) = (Here::new(), Here::new());
    for here in [&together, &alone] {
        let known = Known { application: Some("a7".into()), mail: Some("7@y".into()), ..Known::default() };
        run(here.store().register(known, "test", Wall(1), line())).expect("registered");
        let known = Known { fingerprint: None, subject: String::new(), ..certificate(2) };
        run(here.store().register(known, "test", Wall(1), line())).expect("registered");
    }
    for trace in traces() {
        alone.store().trace(trace);
        run(alone.store().catch_up()).expect("written");
    }
    // Twice: once nearly all are new, and once none is.
    for _ in 0..2 {
        traces().into_iter().for_each(|trace| together.store().trace(trace));
        run(together.store().catch_up()).expect("written");
        for sql in [
            "SELECT id || '', hex(fingerprint), hex(facts), authority, serial, hex(issuer), application, subject, cn, mail, user, not_before || '', not_after || '', registered || '', first_seen || '', last_seen || '' FROM certificate ORDER BY id",
            "SELECT certificate || '', mac, service, nas, last_seen || '' FROM device ORDER BY certificate, mac",
            "SELECT key, certificate || '' FROM search ORDER BY key, certificate",
        ] {
            assert_eq!(rows(&together.store(), sql), rows(&alone.store(), sql));
        }
    }
    assert_eq!(together.store().health().dropped, 0);
}

#[test]
fn of_a_certificate_the_newest_devices_are_kept() {
    let here = Here::new();
    let store = here.store();
    for at in 0..100 {
        store.trace(seen(at, &certificate(1), Some(&format!("02:00:00:00:00:{at:02x}"))));
        store.trace(seen(at, &certificate(2), Some("02:00:00:00:01:00")));
    }
    run(store.catch_up()).expect("written");
    let found = rows(&store, "SELECT certificate || '', count(*) || '', min(last_seen) || '' FROM device GROUP BY 1");
    assert_eq!(found, [["1", "32", "68"], ["2", "1", "99"]]);
}
