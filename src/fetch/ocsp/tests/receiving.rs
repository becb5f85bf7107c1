//! Desks that give way to others while people wait.

use super::super::{Reception, Replaced};
use super::*;
use crate::fetch::tests as files;

#[test]
fn who_waits_is_asked_for_again_at_the_next_desk_also_who_came_while_it_was_made() {
    let campus = Campus::new(&[ONE]);
    let mut reception = Reception::new(campus.desk(0, None));
    assert_eq!(reception.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    let next = campus.desk(0, Some(reception.desk()));
    assert_eq!(reception.ask(at(0), 2, vec![campus.question(2)]), Asked::Waiting);
    let nothing = Replaced { ready: Vec::new(), revoked: false };
    assert_eq!(reception.replace(at(0), next, &campus.trust), nothing);
    let mut ready = reception.tick(at(1), &campus.trust, &campus.client).ready;
    for second in 2..5 {
        ready.extend(reception.tick(at(second), &campus.trust, &campus.client).ready);
    }
    ready.sort_unstable();
    assert_eq!(ready, [1, 2], "each once, though the desk has taken over who waited");
}

#[test]
fn who_has_nobody_to_ask_any_more_is_told_at_once() {
    let mut campus = Campus::new(&[ONE]);
    let mut reception = Reception::new(campus.desk(0, None));
    assert_eq!(reception.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    campus.authority().responders = Vec::new();
    assert_eq!(reception.replace(at(0), campus.desk(0, None), &campus.trust).ready, [1]);
    assert_eq!(reception.ask(at(0), 2, vec![campus.question(1)]), Asked::Nothing);
    assert_eq!(reception.tick(at(9), &campus.trust, &campus.client).ready, [0_u32; 0], "nobody is told twice");
}

#[test]
fn what_is_revoked_while_the_next_desk_is_made_is_revoked_there() {
    let campus = Campus::new(&[ONE]);
    let mut reception = Reception::new(campus.desk(0, None));
    let next = campus.desk(0, Some(reception.desk()));
    reception.desk_mut().seen(at(0), [campus.question(1)]);
    let query = campus.query(reception.desk_mut(), 0);
    campus.answer(reception.desk_mut(), query, 0, revoked(at(0).wall, Some(1)), 0..DAY);
    assert!(campus.known(&next, 1).is_none(), "it was made before");
    assert!(reception.replace(at(1), next, &campus.trust).revoked);
    assert!(campus.known(reception.desk(), 1).is_some_and(|answer| answer.revokes()));
    let again = campus.desk(1, Some(reception.desk()));
    let strangers = files::trust(&[]);
    assert!(!reception.replace(at(1), again, &strangers).revoked);
}
