//! Those who wait.

use super::*;
use crate::pki::Inserted;

#[test]
fn one_query_for_a_certificate_whoever_asks_and_all_are_told() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    let question = campus.question(1);
    assert_eq!(desk.ask(at(0), 1, vec![question.clone()]), Asked::Waiting);
    assert_eq!(desk.ask(at(0), 2, vec![question.clone()]), Asked::Waiting);
    desk.seen(at(0), [question.clone()]);
    let query = campus.query(&mut desk, 0);
    assert_eq!((query.urgency, query.within), (Urgency::Urgent, Duration::from_secs(2)));
    assert_eq!(desk.ask(at(1), 3, vec![question.clone()]), Asked::Waiting);
    assert_eq!(campus.queries(&mut desk, 1).len(), 0, "it is under way");
    let finished = campus.good(&mut desk, query, 1);
    assert_eq!(finished.ready, [1, 2, 3]);
    assert_eq!((finished.results, finished.changed), (vec![("ca16".into(), "ok")], Some(Inserted::Alike)));
    assert!(campus.known(&desk, 1).is_some());
    assert_eq!(desk.ask(at(1), 4, vec![question]), Asked::Nothing, "it came between his looking and his asking");
}

#[test]
fn who_joins_a_query_that_nobody_waited_for_is_told_with_it() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let query = campus.query(&mut desk, 0);
    assert_eq!((query.urgency, query.within), (Urgency::Background, Duration::from_secs(10)));
    assert_eq!(desk.ask(at(1), 1, vec![campus.question(1)]), Asked::Waiting);
    assert_eq!(campus.fails(&mut desk, query, 2).ready, [1]);
}

#[test]
fn somebody_with_several_questions_is_told_when_the_last_is_answered() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    let (one, two) = (campus.question(1), campus.question(2));
    assert_eq!(desk.ask(at(0), 1, vec![one.clone(), two, one]), Asked::Waiting);
    let mut queries = campus.queries(&mut desk, 0);
    assert_eq!(queries.len(), 2);
    assert_eq!(campus.good(&mut desk, queries.remove(0), 0).ready, [0_u32; 0]);
    assert_eq!(campus.fails(&mut desk, queries.remove(0), 1).ready, [1]);
}

#[test]
fn r21_nobody_waits_longer_than_two_seconds() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    let query = campus.query(&mut desk, 0);
    assert_eq!(desk.ask(at(1), 2, vec![campus.question(1)]), Asked::Waiting);
    assert_eq!(campus.tick(&mut desk, 1).ready, [0_u32; 0]);
    assert_eq!(campus.tick(&mut desk, 2).ready, [1]);
    assert_eq!(campus.good(&mut desk, query, 2).ready, [2], "nobody is told twice");
    assert_eq!(campus.tick(&mut desk, 9).ready, [0_u32; 0]);
}

#[test]
fn r21_a_silent_responder_of_one_authority_costs_another_nothing() {
    let mut campus = Campus::new(&[ONE]);
    let other = AuthoritySettings {
        authority: "other".into(),
        responders: vec![Url::parse(TWO).expect("a URL")],
        ..campus.authority().clone()
    };
    campus.settings.ocsp.authorities.push(other);
    campus.settings.ocsp.answers = 10_000;
    let mut desk = campus.desk(0, None);
    for certificate in 0..1_000 {
        assert_eq!(desk.ask(at(0), certificate.into(), vec![campus.question(certificate)]), Asked::Waiting);
    }
    let begun = campus.queries(&mut desk, 0);
    assert_eq!(begun.len(), 64, "more would not be answered sooner");
    let question = Question { authority: "other".into(), ..campus.question(1) };
    assert_eq!(desk.ask(at(0), 5_000, vec![question]), Asked::Waiting);
    let query = campus.query(&mut desk, 0);
    assert_eq!((hosts(&query), query.urgency), (vec![TWO.to_owned()], Urgency::Urgent));
    assert_eq!(campus.tick(&mut desk, 2).ready.len(), 1_001, "those whose turn never came too");
}

/// A campus of so many authorities, each with so many responders of its own; the last one has one.
fn crowd(authorities: usize, responders: usize) -> Campus {
    let mut campus = Campus::new(&[]);
    let template = campus.authority().clone();
    let url = |one: usize, other: usize| Url::parse(&format!("http://{one}.example/{other}")).expect("a URL");
    let one = |number: usize| AuthoritySettings {
        authority: format!("crowd{number}").into(),
        responders: (0..if number + 1 == authorities { 1 } else { responders })
            .map(|other| url(number, other))
            .collect(),
        ..template.clone()
    };
    campus.settings.ocsp.authorities = (0..authorities).map(one).collect();
    campus.settings.ocsp.answers = 100_000;
    campus
}

fn asks(campus: &Campus, desk: &mut Desk<u32>, authority: usize, certificates: u16, seconds: u64) {
    for certificate in 0..certificates {
        let authority = format!("crowd{authority}").into();
        let question = Question { authority, ..campus.question(certificate) };
        assert_eq!(desk.ask(at(seconds), 0, vec![question]), Asked::Waiting);
    }
}

#[test]
fn r21_however_many_authorities_have_silent_responders_another_is_asked_at_once() {
    for (silent, responders) in [(4, 1), (1, 4), (60, 4)] {
        let campus = crowd(silent + 1, responders);
        let mut desk = campus.desk(0, None);
        for authority in 0..silent {
            asks(&campus, &mut desk, authority, 300, 0);
        }
        let held = campus.queries(&mut desk, 0).len();
        assert!(held <= 256 + 4 * silent, "{held} at once");
        asks(&campus, &mut desk, silent, 4, 1);
        let urgent = campus.queries(&mut desk, 1);
        assert_eq!(urgent.len(), 4, "{silent} authorities with {responders} silent responders each");
        assert!(urgent.iter().all(|query| *query.question.authority == *format!("crowd{silent}")));
    }
}

#[test]
fn r21_one_that_is_slow_does_not_get_every_place_that_becomes_free() {
    let campus = crowd(6, 1);
    let mut desk = campus.desk(0, None);
    for authority in 0..6 {
        asks(&campus, &mut desk, authority, 300, 0);
    }
    let mut begun = std::collections::BTreeMap::<Arc<str>, usize>::new();
    for query in campus.queries(&mut desk, 0) {
        *begun.entry(query.question.authority).or_default() += 1;
    }
    assert_eq!(begun.len(), 6);
    assert!(begun.values().all(|count| *count >= 42), "{begun:?}");
}

#[test]
fn with_nobody_to_ask_nobody_waits() {
    let mut campus = Campus::new(&[]);
    let mut desk = campus.desk(0, None);
    assert!(!desk.askable("ca16", &campus.issuer));
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(1)]), Asked::Nothing);
    let foreign = Question { authority: "nobody's".into(), ..campus.question(1) };
    assert_eq!(desk.ask(at(0), 2, vec![foreign]), Asked::Nothing);
    assert_eq!(desk.ask(at(0), 3, Vec::new()), Asked::Nothing);
    assert_eq!(campus.queries(&mut desk, 0).len(), 0);
    campus.authority().responders = vec![Url::parse(ONE).expect("a URL")];
    let desk = campus.desk(0, None);
    assert!(desk.askable("ca16", &[9; 32]) && !desk.askable("other", &campus.issuer));
}

#[test]
fn what_certificates_name_is_asked_where_the_configuration_names_nobody() {
    let campus = Campus::new(&[]);
    let mut desk = campus.desk(0, None);
    let name: Arc<str> = "ca16".into();
    let bad = ["ldap://x/", "http://", "http://user@host/"].map(String::from);
    desk.learn(&name, &campus.issuer, &bad);
    assert!(!desk.askable("ca16", &campus.issuer));
    desk.learn(&name, &campus.issuer, &[ONE, TWO].map(String::from));
    assert!(desk.askable("ca16", &campus.issuer) && !desk.askable("ca16", &[9; 32]));
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    assert_eq!(hosts(&campus.query(&mut desk, 0)), [ONE, TWO]);
    for more in 0..10 {
        desk.learn(&name, &campus.issuer, &[format!("http://more.example/{more}")]);
    }
    desk.seen(at(0), [campus.question(2)]);
    assert_eq!(
        hosts(&campus.query(&mut desk, 0)),
        ["http://more.example/9", "http://more.example/8", "http://more.example/7"]
    );
    let configured = Campus::new(&[ONE]);
    let mut desk = configured.desk(0, None);
    desk.learn(&name, &configured.issuer, &[TWO.to_owned()]);
    desk.seen(at(0), [configured.question(1)]);
    assert_eq!(hosts(&configured.query(&mut desk, 0)), [ONE]);
}

#[test]
fn a_reload_forgets_nobody_who_waits_nor_what_was_learned() {
    let mut campus = Campus::new(&[]);
    let mut old = campus.desk(0, None);
    old.learn(&"ca16".into(), &campus.issuer, &[ONE.to_owned()]);
    assert_eq!(old.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    assert_eq!(old.ask(at(0), 2, vec![campus.question(2)]), Asked::Waiting);
    let under_way = campus.queries(&mut old, 0);
    assert_eq!(under_way.len(), 2);
    let mut desk = campus.desk(1, Some(&old));
    let again = campus.queries(&mut desk, 1);
    assert_eq!(
        again.iter().map(|query| (query.urgency, query.within)).collect::<Vec<_>>(),
        [(Urgency::Urgent, Duration::from_secs(1)); 2]
    );
    for query in under_way {
        let first = query.tries.first().map(|(url, _)| url.clone());
        let brought =
            Brought { number: query.number, urgency: query.urgency, first, attempts: Vec::new(), answer: None };
        let finished = desk.finish(Outcome { desk: old.generation(), done: Done::Query(brought) }, at(1));
        assert_eq!(finished.ready, [0_u32; 0], "what was asked for another desk means nothing");
    }
    let mut told: Vec<_> = again.into_iter().flat_map(|query| campus.good(&mut desk, query, 1).ready).collect();
    told.sort();
    assert_eq!(told, [1, 2]);
    assert_eq!(old.ask(at(2), 3, vec![campus.question(3)]), Asked::Waiting);
    campus.settings.ocsp.authorities.clear();
    let mut without = campus.desk(2, Some(&old));
    let mut told = campus.tick(&mut without, 2).ready;
    told.sort();
    assert_eq!(told, [1, 2, 3], "nobody is asked any more");
}
