//! What is known of certificates, what is asked about them, and who is blocked.

use super::{Here, run};
use crate::now::Wall;
use crate::store::{
    Audited, Census, Certificates, Change, Distrusted, Failure, Id, Issued, Known, Person, Record, Request, State,
    Store,
};

pub(super) const NOW: Wall = Wall(1_800_000_000);

pub(super) fn line() -> Audited {
    let text = || "x".to_owned();
    Audited { row: 0, at: NOW, caller: text(), role: text(), action: text(), target: text(), detail: "{}".into() }
}

fn named(serial: &str) -> Known {
    Known { authority: Some("ca".into()), serial: Some(serial.into()), ..Known::default() }
}

fn applied(number: &str) -> Known {
    Known { application: Some(number.into()), mail: Some(format!("{number}@x")), ..Known::default() }
}

pub(super) fn register(store: &Store, known: Known) -> Result<(Record, bool), Failure> {
    run(store.register(known, "test", NOW, line()))
}

fn asked(block: bool, at: i64, by: &str) -> Request {
    Request { since: Wall(NOW.0 + at), by: by.into(), reason: "superseded".into(), note: String::new(), block }
}

fn request(store: &Store, serial: &str, request: Request) -> Change<Record> {
    let id = Id::Name("ca".into(), serial.into());
    run(store.request(id, request, Box::new(|_| true), line())).expect("it can be written")
}

fn found(store: &Store, which: Certificates) -> Vec<String> {
    let found = run(store.certificates(which, None, 100)).expect("it can be read");
    found.into_iter().map(|(record, _)| record.known.serial.or(record.known.application).unwrap_or_default()).collect()
}

#[test]
fn an_application_becomes_the_certificate_that_came_of_it_although_that_was_known_before() {
    let here = Here::new();
    let store = here.store();
    register(&store, applied("a1")).expect("new");
    let seen = Known { fingerprint: Some([7; 32]), subject: "CN=Hanako".into(), ..named("05") };
    let (before, _) = register(&store, seen).expect("new");
    assert!(matches!(request(&store, "05", asked(true, 0, "desk")), Change::Made(_)));
    let (record, is_new) =
        register(&store, Known { listed: Some("valid".into()), application: Some("a1".into()), ..named("05") })
            .expect("the list links them");
    assert!(!is_new);
    assert_eq!(record.row, before.row);
    assert_eq!(record.known.mail.as_deref(), Some("a1@x"));
    assert_eq!((record.known.subject.as_str(), record.known.fingerprint), ("CN=Hanako", Some([7; 32])));
    assert!(record.request.is_some_and(|request| request.block), "its block is its block");
    assert_eq!(found(&store, Certificates { prefix: Some("a1@".into()), ..Certificates::default() }), ["05"]);
    let by_number = run(store.certificate(Id::Application("a1".into()))).expect("it can be read");
    assert_eq!(by_number.map(|record| record.row), Some(before.row));
}

#[test]
fn a_number_of_an_application_takes_no_name_and_no_block_away() {
    let here = Here::new();
    let store = here.store();
    register(&store, Known { application: Some("a1".into()), ..named("05") }).expect("new");
    request(&store, "05", asked(true, 0, "desk"));
    for other in [named("06"), Known { authority: Some("another".into()), ..named("05") }] {
        let failure = register(&store, Known { application: Some("a1".into()), ..other }).expect_err("another's");
        assert!(matches!(&failure, Failure::Conflict(why) if why.contains("ca:05")), "{failure}");
    }
    let kept =
        run(store.certificate(Id::Name("ca".into(), "05".into()))).expect("it can be read").expect("it is there");
    assert!(kept.request.is_some_and(|request| request.block));
}

#[test]
fn asking_again_makes_no_block_younger_and_takes_none_back() {
    let here = Here::new();
    let store = here.store();
    let shown = |change: Change<Record>| match change {
        Change::Made(record) => record.request.map(|it| (it.since.0 - NOW.0, it.by, it.block)),
        _ => None,
    };
    assert_eq!(shown(request(&store, "05", asked(false, 1, "one"))), Some((1, "one".into(), false)));
    assert_eq!(
        shown(request(&store, "05", asked(true, 2, "two"))),
        Some((2, "two".into(), true)),
        "blocked since then"
    );
    assert_eq!(shown(request(&store, "05", asked(true, 3, "three"))), Some((2, "two".into(), true)));
    assert_eq!(request(&store, "05", asked(false, 4, "four")), Change::Held);
}

fn person(at: i64, until: Option<i64>) -> Person {
    let until = until.map(|until| Wall(NOW.0 + until));
    Person { name: "Hanako".into(), since: Wall(NOW.0 + at), until, reason: String::new(), by: format!("desk{at}") }
}

#[test]
fn a_person_who_is_blocked_again_is_blocked_since_the_first_time_unless_that_had_ended() {
    let here = Here::new();
    let store = here.store();
    let block = |person| match run(store.block_person(person, Box::new(|_| true), line())) {
        Ok(Change::Made(person)) => (person.since.0 - NOW.0, person.by),
        other => panic!("{other:?}"),
    };
    assert_eq!(block(person(1, Some(10))), (1, "desk1".into()));
    assert_eq!(block(person(2, Some(5))), (1, "desk1".into()));
    assert_eq!(block(person(6, None)), (6, "desk6".into()));
    let one = run(store.person("HANAKO")).expect("it can be read").expect("there is one");
    assert_eq!((one.name.as_str(), one.until), ("hanako", None));
    assert_eq!(run(store.people(None, 10)).expect("it can be read"), [one]);
    let stale = Box::new(|person: Option<&Person>| person.is_none());
    assert_eq!(run(store.unblock_person("hanako", stale, line())), Ok(Change::Other));
    assert!(matches!(run(store.unblock_person("hanako", Box::new(|_| true), line())), Ok(Change::Made(_))));
    assert_eq!(run(store.unblock_person("hanako", Box::new(|_| true), line())), Ok(Change::Missing));
}

#[test]
fn a_census_counts_what_the_lists_show() {
    let here = Here::new();
    let store = here.store();
    let ends = |serial: &str, at: i64| Known { not_after: Some(Wall(NOW.0 + at)), ..named(serial) };
    let listed = |known: Known, status: &str| Known { listed: Some(status.into()), ..known };
    let old = Known { authority: Some("old".into()), not_before: Some(Wall(5)), ..ends("10", 9) };
    // A list that is older than the certificate doesn't end it.
    let all = [
        ends("01", 9),
        listed(ends("02", 9), "expired"),
        ends("03", -9),
        listed(named("04"), "expired"),
        listed(named("05"), "revoked"),
        named("06"),
        named("07"),
        applied("a"),
        old,
    ];
    for known in all {
        register(&store, known).expect("new");
    }
    request(&store, "06", asked(true, -100, "desk"));
    request(&store, "07", asked(false, 0, "desk"));
    let distrusts = vec![Distrusted { authority: "old".into(), issued_before: Some(Wall(6)), issued_after: None }];
    let issued = |wanted| State::Issued { now: NOW, distrusts: distrusts.clone(), wanted };
    let list = |state| found(&store, Certificates { state: Some(state), ..Certificates::default() });
    assert_eq!(list(issued(Issued::Valid)), ["01", "02"]);
    assert_eq!(list(issued(Issued::Expired)), ["04", "03"], "by their end, those first whose end only a list knows");
    assert_eq!(list(issued(Issued::Distrusted)), ["10"]);
    assert_eq!(list(State::Requested), ["06", "07"]);
    let census = run(store.census(NOW, distrusts, Wall(NOW.0 - 50))).expect("it can be read");
    let wanted = Census {
        revoked: 1,
        requested: 2,
        distrusted: 1,
        expired: 2,
        valid: 2,
        applied: 1,
        unconfirmed: 1,
        oldest: Some(Wall(NOW.0 - 100)),
        overdue: 1,
    };
    assert_eq!(census, wanted);
}
