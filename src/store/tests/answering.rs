//! Which certificates answer for a name.

use std::sync::Arc;

use super::certificates::{NOW, line, register};
use super::{Here, run};
use crate::now::Wall;
use crate::pki::{AltName, Facts, Link};
use crate::store::{Certificates, Id, Known, Sighting, Store, Trace, serial_text};

fn facts(number: u8, names: Vec<AltName>) -> Facts {
    Facts {
        fingerprint: [number; 32],
        authority: "ca".into(),
        serial: vec![number],
        subject: vec![("O".into(), "X".into()), ("CN".into(), "First".into()), ("CN".into(), "Second Name".into())],
        alt_names: names,
        not_before: NOW,
        not_after: Wall(NOW.0 + i64::from(number)),
        path_not_after: NOW,
        purposes: None,
        policies: Vec::new(),
        locations: Arc::default(),
        links: vec![Link::default()],
    }
}

/// As a chain that was verified says it.
fn known(facts: &Facts, user: &str) -> Known {
    Known {
        fingerprint: Some(facts.fingerprint),
        facts: Some(facts.encode()),
        authority: Some(facts.authority.to_string()),
        serial: Some(serial_text(&facts.serial)),
        cn: Some("First".into()),
        user: Some(user.into()),
        not_after: Some(facts.not_after),
        ..Known::default()
    }
}

fn named(store: &Store, name: &str) -> Vec<u8> {
    let found = run(store.facts_of_name(name, 32)).expect("it can be read");
    // Its fingerprint begins in the second octet.
    found.iter().map(|facts| facts[1]).collect()
}

#[test]
fn a_certificate_is_found_by_each_of_its_names_by_its_user_its_serial_and_its_fingerprint() {
    let here = Here::new();
    let store = here.store();
    let names = vec![
        AltName::Email("One@x".into()),
        AltName::Email("two@x".into()),
        AltName::Upn("Hanako@CORP".into()),
        AltName::Dns("host.x".into()),
        AltName::Uri("urn:x:Hanako".into()),
    ];
    let facts = facts(7, names);
    register(&store, known(&facts, "hanako")).expect("new");
    let names = ["one@X", "TWO@x", "hanako@corp", "HOST.x", "urn:X:hanako", "first", "second name", "HANAKO"];
    for name in names {
        assert_eq!(named(&store, name), [7], "{name}");
    }
    for name in ["", "one", "x", "hanako@x", "one@x%", "First, Second Name"] {
        assert!(named(&store, name).is_empty(), "{name}");
    }
    let kept = vec![facts.encode()];
    assert_eq!(run(store.facts_of_serial(&[7], 32)), Ok(kept.clone()));
    assert_eq!(run(store.facts_of_fingerprint(&[7; 32])), Ok(kept));
    assert_eq!(run(store.facts_of_serial(&[8], 32)), Ok(Vec::new()));
    assert_eq!(run(store.facts_of_fingerprint(&[8; 32])), Ok(Vec::new()));
    // Whoever adds to it later, and knows less, takes none of its names away.
    let less = Known { fingerprint: Some([7; 32]), subject: "CN=x".into(), ..Known::default() };
    store.trace(Trace::Seen(Box::new(Sighting { known: less, at: NOW, device: None })));
    run(store.catch_up()).expect("it can be written");
    assert_eq!(named(&store, "hanako@corp"), [7]);
    let by_prefix = Certificates { prefix: Some("hanako@c".into()), ..Certificates::default() };
    assert_eq!(run(store.certificates(by_prefix, None, 9)).map(|found| found.len()), Ok(1), "people look so, too");
}

#[test]
fn a_row_of_a_list_answers_for_nobody_until_a_chain_has_said_it() {
    let here = Here::new();
    let store = here.store();
    let facts = facts(7, vec![AltName::Email("hanako@x".into())]);
    let listed = Known {
        authority: Some("ca".into()),
        serial: Some("07".into()),
        mail: Some("hanako@x".into()),
        cn: Some("hanako@x".into()),
        listed: Some("valid".into()),
        ..Known::default()
    };
    register(&store, listed.clone()).expect("new");
    register(&store, Known { application: Some("a1".into()), serial: None, authority: None, ..listed }).expect("new");
    assert!(named(&store, "hanako@x").is_empty());
    assert_eq!(run(store.facts_of_serial(&[7], 32)), Ok(Vec::new()));
    let record =
        run(store.certificate(Id::Name("ca".into(), "07".into()))).expect("it can be read").expect("it is there");
    assert_eq!(record.known.facts, None);
    register(&store, known(&facts, "hanako")).expect("the same row");
    assert_eq!(named(&store, "hanako@x"), [7]);
}

#[test]
fn of_many_the_last_to_end_come_first_and_no_more_than_wanted() {
    let here = Here::new();
    let store = here.store();
    for number in [3, 9, 5, 7] {
        let facts = facts(number, vec![AltName::Email("hanako@x".into())]);
        run(store.register(known(&facts, "hanako"), "test", NOW, line())).expect("new").1.then_some(()).expect("new");
    }
    assert_eq!(named(&store, "hanako@x"), [9, 7, 5, 3]);
    assert_eq!(run(store.facts_of_name("hanako@x", 2)).map(|found| found.len()), Ok(2));
}
