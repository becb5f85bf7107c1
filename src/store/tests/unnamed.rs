//! What an older version has written comes to be found by all the names that it bears.

use std::sync::Arc;

use super::certificates::{NOW, line, register};
use super::{Here, run};
use crate::pki::{AltName, Facts};
use crate::store::{Known, Store, serial_text};

fn known(number: u16) -> Known {
    let [high, low] = number.to_be_bytes();
    let mut fingerprint = [0; 32];
    (fingerprint[0], fingerprint[1]) = (high, low);
    let facts = Facts {
        fingerprint,
        authority: "ca".into(),
        serial: vec![1, high, low],
        subject: vec![("CN".into(), format!("Member {number}"))],
        alt_names: vec![AltName::Email(format!("m{number}@x")), AltName::Upn(format!("U{number}@CORP"))],
        not_before: NOW,
        not_after: NOW,
        path_not_after: NOW,
        purposes: None,
        policies: Vec::new(),
        locations: Arc::default(),
        links: Vec::new(),
    };
    Known {
        fingerprint: Some(fingerprint),
        facts: Some(facts.encode()),
        authority: Some("ca".into()),
        serial: Some(serial_text(&facts.serial)),
        mail: Some(format!("m{number}@x")),
        ..Known::default()
    }
}

fn do_to(store: &Store, statement: &'static str) {
    let done = store
        .write(move |connection| Box::pin(async move { sqlx::query(statement).execute(connection).await.map(drop) }));
    run(done).expect("it can be written");
}

fn is_found(store: &Store, name: &str) -> bool {
    !run(store.facts_of_name(name, 2)).expect("it can be read").is_empty()
}

#[test]
fn piece_by_piece_over_restarts_and_what_comes_meanwhile_is_none_of_it() {
    let mut here = Here::new();
    let store = here.store();
    for number in 0..100 {
        register(&store, known(number)).expect("new");
    }
    let by_list = Known { authority: Some("ca".into()), serial: Some("77".into()), ..Known::default() };
    run(store.register(by_list, "desk", NOW, line())).expect("a line of a list");
    // As an older version has left it.
    do_to(&store, "DELETE FROM search WHERE key LIKE '%@corp'");
    do_to(&store, "UPDATE unnamed SET done = 0, last = (SELECT max(id) FROM certificate)");
    register(&store, known(1_000)).expect("new");
    assert!(is_found(&store, "m7@x") && !is_found(&store, "u7@corp") && is_found(&store, "u1000@corp"));

    assert_eq!(run(store.name_more()), Ok(true));
    assert!(is_found(&store, "u7@CORP") && !is_found(&store, "u99@corp"));
    drop(store);
    here.again();
    let store = here.store();
    do_to(&store, "DELETE FROM search WHERE key = 'u7@corp'");
    assert_eq!(run(store.name_more()), Ok(false));
    assert!(is_found(&store, "u99@corp") && !is_found(&store, "u7@corp"), "it goes on where it was");
    assert_eq!(run(store.name_more()), Ok(false));
}

#[test]
fn in_a_new_registry_there_is_nothing_to_do() {
    let here = Here::new();
    register(&here.store(), known(1)).expect("new");
    assert_eq!(run(here.store().name_more()), Ok(false));
}
