//! What a look costs doesn't grow with what is kept: counted in steps of SQLite's machine, which no index's name and no plan's text can hide.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::now::Wall;
use crate::sessions::SessionId;
use crate::store::{
    Certificates, Decisions, Distrusted, Endings, Failure, Id, Issued, Owner, Position, Record, State, Wanted,
};

/// Rows of the small registry and of the big one.
const SIZES: [i64; 2] = [1_000, 16_000];
/// Steps that a look may take more in the big one, as a share of what it takes in the small one, and beside that: trees grow by a level.
const GROWTH: f64 = 1.25;
const LEVELS: u64 = 600;
/// In the name of a look for what begins so.
const BEGINS: &str = "q=";
/// Steps that such a look may take where something else is asked for too: so many keys or certificates are looked through.
const LOOKED_THROUGH: u64 = 40_000;
/// Rows of a page.
const PAGE: i64 = 20;
const NOW: Wall = Wall(1_000_000);

/// Looks that grow, and why they may.
const MAY_GROW: [(&str, &str); 4] = [
    (
        "a part distrusted",
        "which of an authority's certificates those are is told by notBefore: they are picked out along its part of the index",
    ),
    ("decisions of any accept, reason revoked", NO_SUCH),
    ("decisions of any drop, reason revoked", NO_SUCH),
    ("decisions of any reject, reason ok", NO_SUCH),
];
const NO_SUCH: &str =
    "no decision is like that: it is looked for along the index of those that were refused, which holds both";

/// A registry in which steps are counted.
struct Counted {
    here: Here,
    /// One for all looks: they share a connection, which goes back to its pool between them.
    runtime: Runtime,
    steps: Arc<AtomicU64>,
}

impl Counted {
    fn new(size: i64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let counted = Self { here: Here::new(), runtime, steps: Arc::default() };
        let store = counted.here.store();
        let text = filling(size);
        let filled = store.write(move |connection| {
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await.map(drop) })
        });
        counted.runtime.block_on(filled).expect("filled");
        let (reads, writes) = (Arc::clone(&counted.steps), Arc::clone(&counted.steps));
        counted.runtime.block_on(store.read(|connection| Box::pin(count(connection, reads)))).expect("counted");
        counted.runtime.block_on(store.write(|connection| Box::pin(count(connection, writes)))).expect("counted");
        counted.give_back();
        counted
    }

    /// What it takes, and what it finds.
    fn steps(&self, look: &Look) -> (u64, usize) {
        let before = self.steps.load(Relaxed);
        let found = look(&self.runtime, &self.here.store()).expect("a look");
        self.give_back();
        let steps = self.steps.load(Relaxed) - before;
        assert!(steps > 0, "it was not counted");
        (steps, found)
    }

    /// Lets the pool take back its connection.
    fn give_back(&self) {
        while self.here.store().readers.num_idle() == 0 {
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
    }
}

async fn count(connection: &mut SqliteConnection, steps: Arc<AtomicU64>) -> Result<(), sqlx::Error> {
    let counting = move || {
        steps.fetch_add(1, Relaxed);
        true
    };
    connection.lock_handle().await?.set_progress_handler(1, counting);
    Ok(())
}

/// Certificates of every kind, each with a device, decisions, a session and a line of the audit; half of them of an authority that is distrusted, which ended long ago.
fn filling(size: i64) -> String {
    let mut sql = format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size}) SELECT i FROM n;"
    );
    sql.push_str(
        "INSERT INTO certificate (id, fingerprint, authority, serial, subject, cn, mail, user, not_before, not_after, listed, registered, registered_by, requested, requested_by, requested_reason, requested_note, block, revoked, revoked_source, last_seen) \
         SELECT i, CASE WHEN i % 10 THEN unhex(printf('%064x', i)) END, CASE WHEN i % 2 THEN 'old' WHEN i % 1000 = 2 THEN NULL ELSE 'new' END, CASE WHEN i % 100 THEN printf('%04x', i * 7919 % 65536) END, '', 'Member ' || i, printf('s%06d@example.ac.jp', i), 's' || (i / 2), \
         i, CASE WHEN i % 20 THEN CASE WHEN i % 2 THEN 5000 ELSE 999500 END + i % 1000 END, CASE WHEN i % 40 = 0 THEN 'expired' END, 1, 'x', CASE WHEN i % 250 = 4 THEN i END, CASE WHEN i % 250 = 4 THEN 'x' END, '', '', i % 500 = 4, CASE WHEN i % 50 = 8 THEN i END, 'crl', CASE WHEN i % 30 THEN 1 END FROM n;",
    );
    sql.push_str("INSERT INTO search SELECT lower(mail), id FROM certificate UNION SELECT lower(cn), id FROM certificate UNION SELECT serial, id FROM certificate WHERE serial IS NOT NULL;");
    sql.push_str("INSERT INTO device SELECT i, '02:00:00:00:00:01', '', '', 1 FROM n;");
    sql.push_str(
        "INSERT INTO authentication (at, outcome, reason, user, fingerprint, method, peer, mac, resumed, duration_ms, evidence) \
         SELECT i, CASE WHEN i % 20 THEN 'accept' ELSE 'reject' END, CASE WHEN i % 20 THEN 'ok' WHEN i % 40 THEN 'expired' ELSE 'revoked' END, 's' || (i / 2), unhex(printf('%064x', i)), 'eap-tls', '', 'm' || (i / 3), 0, 1, '[]' FROM n;",
    );
    sql.push_str(
        "INSERT INTO session (id, nas, peer, provisional, service, user, fingerprint, started, updated, octets_in, octets_out, interims, until, ended) \
         SELECT i, 'ap', '::1', 0, 'campus', 's' || (i / 2), unhex(printf('%064x', i)), 1, 1, 0, 0, 0, 9, CASE WHEN i % 2 THEN 1 END FROM n;",
    );
    sql.push_str("INSERT INTO audit (at, caller, role, action, target, detail) SELECT i, '', '', '', '', '{}' FROM n;");
    sql.push_str("INSERT INTO accounting (nas, peer, identifier, address, acct_session, status, at, counted_in, counted_out, counted_time, happened) SELECT 'ap', '::1', '', '', i, 1, i, 0, 0, 0, 2000 + i FROM n;");
    write!(
        sql,
        "INSERT INTO person (name, since, reason, by) SELECT 's' || i, 1, '', '' FROM n WHERE i <= 10; DROP TABLE n;"
    )
    .expect("memory");
    sql
}

type Look = Box<dyn Fn(&Runtime, &Store) -> Result<usize, Failure>>;

/// Every look of the API and of the server itself at what grows.
fn looks() -> Vec<(String, Look)> {
    let mut all: Vec<(String, Look)> = Vec::new();
    for (name, which) in lists() {
        for (place, after) in [("first", None), ("deep", Some(deep(&which)))] {
            let which = which.clone();
            let look = move |runtime: &Runtime, store: &Store| {
                runtime.block_on(store.certificates(which.clone(), after.clone(), PAGE)).map(|found| found.len())
            };
            all.push((format!("{name}, {place}"), Box::new(look)));
        }
    }
    for (name, which) in histories() {
        for (place, after) in [("first", None), ("deep", Some((500, 500)))] {
            let which = which.clone();
            let look = move |runtime: &Runtime, store: &Store| {
                runtime.block_on(store.decisions(which.clone(), after, PAGE)).map(|found| found.len())
            };
            all.push((format!("decisions {name}, {place}"), Box::new(look)));
        }
    }
    for (name, wanted) in online() {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.sessions(wanted.clone())).map(|found| found.len())
        };
        all.push((format!("sessions {name}"), Box::new(look)));
    }
    for (name, which) in endings() {
        for (place, after) in [("first", None), ("deep", Some((500, 500)))] {
            let which = which.clone();
            let look = move |runtime: &Runtime, store: &Store| {
                runtime.block_on(store.endings(which.clone(), after, PAGE)).map(|found| found.len())
            };
            all.push((format!("disconnects {name}, {place}"), Box::new(look)));
        }
    }
    for (name, id) in [
        ("fingerprint", Id::Fingerprint(fingerprint(501))),
        ("name", Id::Name("old".into(), format!("{:04x}", 501 * 7919 % 65_536))),
        ("application", Id::Application("none".into())),
    ] {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.certificate(id.clone())).map(|found| usize::from(found.is_some()))
        };
        all.push((format!("one certificate by {name}"), Box::new(look)));
    }
    all.push((
        "devices".into(),
        Box::new(|runtime, store| runtime.block_on(store.devices((1..=PAGE).collect())).map(|it| it.len())),
    ));
    let users = |runtime: &Runtime, store: &Store| {
        runtime.block_on(store.latest((1..=PAGE).map(|user| Owner::User(format!("s{user}"))).collect()))
    };
    all.push(("latest".into(), Box::new(move |runtime, store| users(runtime, store).map(|found| found.len()))));
    for after in ["", "0500"] {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.serials(Some("old".into()), after.into(), PAGE)).map(|found| found.len())
        };
        all.push((format!("serials, after {after:?}"), Box::new(look)));
    }
    let unrevoked = |runtime: &Runtime, store: &Store| {
        let serials = (0..PAGE).map(|number| format!("{:04x}", (500 + number) * 7919 % 65_536)).collect();
        runtime.block_on(store.unrevoked(Some("old".into()), serials)).map(|found| found.len())
    };
    all.push(("not written as revoked, of serials".into(), Box::new(unrevoked)));
    for after in [None, Some((500, 0))] {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.written_revoked(Wall(0), after, PAGE)).map(|(found, _)| found.len())
        };
        all.push((format!("written as revoked, after {after:?}"), Box::new(look)));
    }
    let authorities =
        |runtime: &Runtime, store: &Store| runtime.block_on(store.named_authorities()).map(|found| found.len());
    all.push(("authorities".into(), Box::new(authorities)));
    all.push(("the last row".into(), Box::new(|runtime, store| runtime.block_on(store.last_row()).map(|_| 1))));
    for listed in [false, true] {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.blocked(listed)).map(|found| found.certificates.len())
        };
        all.push((format!("what is blocked, listed: {listed}"), Box::new(look)));
    }
    let forget = |runtime: &Runtime, store: &Store| runtime.block_on(store.forget_decisions(Wall(1))).map(usize::from);
    all.push(("decisions to be forgotten, none".into(), Box::new(forget)));
    let purge = |runtime: &Runtime, store: &Store| runtime.block_on(store.purge_sessions(Wall(1))).map(|_| 0);
    all.push(("sessions to be forgotten, none".into(), Box::new(purge)));
    for below in [None, Some(500)] {
        let look = move |runtime: &Runtime, store: &Store| {
            runtime.block_on(store.audited(below, PAGE)).map(|found| found.len())
        };
        all.push((format!("audit, below {below:?}"), Box::new(look)));
    }
    all
}

/// Every combination of what a list may be asked for.
fn lists() -> Vec<(String, Certificates)> {
    let distrusted = |authority: &str, issued_before| Distrusted {
        authority: authority.to_owned(),
        issued_before,
        issued_after: None,
    };
    let distrusts = vec![distrusted("old", None)];
    let a_part = vec![distrusted("old", None), distrusted("new", Some(Wall(10)))];
    let issued = |wanted| Some(State::Issued { now: NOW, distrusts: distrusts.clone(), wanted });
    let states = [
        ("all", None),
        ("revoked", Some(State::Revoked)),
        ("requested", Some(State::Requested)),
        ("applied", Some(State::Applied)),
        ("distrusted", issued(Issued::Distrusted)),
        ("expired", issued(Issued::Expired)),
        ("valid", issued(Issued::Valid)),
    ];
    let mut all = Vec::new();
    for (state_name, state) in &states {
        for authority in [None, Some("new"), Some("old"), Some("none")] {
            for ends in [None, Some((NOW, Wall(NOW.0 + 50))), Some((NOW, Wall(i64::MAX)))] {
                for prefix in [None, Some("s000"), Some("s"), Some("member 5"), Some("00a")] {
                    let which = Certificates {
                        state: state.clone(),
                        prefix: prefix.map(str::to_owned),
                        authority: authority.map(str::to_owned),
                        ends,
                        ..Certificates::default()
                    };
                    all.push((
                        format!(
                            "{state_name} {authority:?} {ends:?} {}",
                            prefix.map_or(String::new(), |it| format!("{BEGINS}{it}"))
                        ),
                        which,
                    ));
                }
            }
        }
    }
    let unused = Certificates { state: issued(Issued::Valid), unseen: true, ..Certificates::default() };
    let blocked_before = Some(Wall(100_000));
    let unconfirmed = Certificates { state: Some(State::Requested), blocked_before, ..Certificates::default() };
    all.extend([("unused".to_owned(), unused), ("unconfirmed".to_owned(), unconfirmed)]);
    for wanted in [Issued::Distrusted, Issued::Expired, Issued::Valid] {
        let state = Some(State::Issued { now: NOW, distrusts: a_part.clone(), wanted });
        all.push((format!("a part distrusted, {wanted:?}"), Certificates { state, ..Certificates::default() }));
    }
    all
}

/// Where the page before ended, in the order of the list.
fn deep(which: &Certificates) -> Position {
    match which {
        Certificates { prefix: Some(prefix), .. } if prefix == "00a" => ("00a5".into(), 1),
        Certificates { prefix: Some(prefix), .. } if prefix.starts_with('m') => ("member 55".into(), 1),
        Certificates { prefix: Some(_), .. } => ("s000500@example.ac.jp".into(), 500),
        Certificates { ends: Some(_), .. } => ((NOW.0 + 20).to_string(), 20),
        _ => ("999500".into(), 500),
    }
}

fn histories() -> Vec<(String, Decisions)> {
    let text = |text: &str| Some(text.to_owned());
    let mut all = Vec::new();
    for fingerprint in [None, Some(fingerprint(501))] {
        for user in [None, text("S250")] {
            for mac in [None, text("m167")] {
                for outcome in [None, text("accept"), text("reject"), text("drop")] {
                    for reason in [None, text("ok"), text("revoked"), text("internal")] {
                        let which = Decisions {
                            user: user.clone(),
                            mac: mac.clone(),
                            outcome: outcome.clone(),
                            reason: reason.clone(),
                            fingerprint,
                            since: None,
                        };
                        let whose = [
                            fingerprint.map(|_| "a certificate"),
                            user.as_ref().map(|_| "a user"),
                            mac.as_ref().map(|_| "a device"),
                        ];
                        let whose: Vec<_> = whose.into_iter().flatten().collect();
                        let whose = if whose.is_empty() { "any".to_owned() } else { whose.join(" and ") };
                        let [outcome, reason] = [&outcome, &reason].map(|it| it.as_deref().unwrap_or("any"));
                        all.push((format!("of {whose} {outcome}, reason {reason}"), which));
                    }
                }
            }
        }
    }
    all.push(("to come".to_owned(), Decisions { since: Some(NOW), ..Decisions::default() }));
    all
}

fn online() -> Vec<(&'static str, Wanted)> {
    let all = Wanted { most: PAGE.unsigned_abs() as usize, ..Wanted::default() };
    vec![
        ("all", all.clone()),
        ("all, deep", Wanted { after: Some(SessionId(500)), ..all.clone() }),
        ("of a user", Wanted { user: Some("S250".into()), ..all.clone() }),
        (
            "of a user with a service",
            Wanted { user: Some("S250".into()), service: Some("campus".into()), ..all.clone() },
        ),
        ("with a certificate", Wanted { fingerprint: Some(fingerprint(502)), ..all.clone() }),
        (
            "of a user with a certificate",
            Wanted { user: Some("S251".into()), fingerprint: Some(fingerprint(502)), ..all },
        ),
    ]
}

fn endings() -> Vec<(&'static str, Endings)> {
    let (user, result) = (Some("S250".to_owned()), Some("nak".to_owned()));
    let all = Endings::default();
    vec![
        ("all", all.clone()),
        ("with a result", Endings { result: result.clone(), ..all.clone() }),
        ("of a user", Endings { user: user.clone(), ..all.clone() }),
        ("of a user with a result", Endings { user, result, ..all.clone() }),
        ("of a certificate", Endings { fingerprint: Some(fingerprint(501)), ..all.clone() }),
        ("of a session", Endings { session: Some(SessionId(501)), ..all }),
    ]
}

fn fingerprint(number: u64) -> [u8; 32] {
    let mut octets = [0; 32];
    octets[24..].copy_from_slice(&number.to_be_bytes());
    octets
}

#[test]
fn a_page_costs_the_same_however_much_is_kept() {
    let [small, big] = SIZES.map(Counted::new);
    let mut bad = Vec::new();
    for (name, look) in looks() {
        let ((few, found), (many, found_in_big)) = (small.steps(&look), big.steps(&look));
        let more = found_in_big.max(1) as f64 / found.max(1) as f64;
        let bound = (few as f64 * more * GROWTH) as u64 + LEVELS;
        let bound = if name.contains(BEGINS) { bound.max(LOOKED_THROUGH) } else { bound };
        let (grows, reason) = (many > bound, MAY_GROW.iter().find(|(which, _)| name.starts_with(which)));
        if grows && reason.is_none() {
            bad.push(format!("{name}: {few} steps for {found}, {many} for {found_in_big}"));
        }
    }
    assert!(bad.is_empty(), "{}:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn pages_join_to_the_whole_list_and_every_certificate_has_one_status() {
    let small = Counted::new(SIZES[0]);
    let list = |which: &Certificates, after, most| {
        small.runtime.block_on(small.here.store().certificates(which.clone(), after, most)).expect("a look")
    };
    let mut statuses = Vec::new();
    for (name, which) in lists() {
        let rows = |found: &[(Record, Position)]| -> Vec<i64> { found.iter().map(|(record, _)| record.row).collect() };
        let whole = rows(&list(&which, None, i64::MAX));
        let (mut joined, mut after) = (Vec::new(), None);
        loop {
            let page = list(&which, after.take(), 70);
            let Some((_, last)) = page.last() else { break };
            after = Some(last.clone());
            joined.extend(rows(&page));
        }
        assert_eq!(joined, whole, "{name}");
        let once: BTreeSet<i64> = whole.iter().copied().collect();
        assert_eq!(once.len(), whole.len(), "{name}: each once");
        if let Certificates {
            state: Some(_),
            prefix: None,
            authority: None,
            ends: None,
            unseen: false,
            blocked_before: None,
        } = which
            && !name.starts_with("a part")
        {
            statuses.extend(whole);
        }
    }
    statuses.sort_unstable();
    assert_eq!(statuses, (1..=SIZES[0]).collect::<Vec<_>>());
}
