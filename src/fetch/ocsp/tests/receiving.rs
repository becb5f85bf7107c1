//! Desks that give way to others while people wait.

use super::super::Reception;
use super::*;

#[test]
fn who_waits_is_asked_for_again_at_the_next_desk_also_who_came_while_it_was_made() {
    let campus = Campus::new(&[ONE]);
    let mut reception = Reception::new(campus.desk(0, None));
    assert_eq!(reception.ask(at(0), 1, vec![campus.question(1)]), Asked::Waiting);
    let next = campus.desk(0, Some(reception.desk()));
    assert_eq!(reception.ask(at(0), 2, vec![campus.question(2)]), Asked::Waiting);
    assert_eq!(reception.replace(at(0), next), [0_u32; 0]);
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
    assert_eq!(reception.replace(at(0), campus.desk(0, None)), [1]);
    assert_eq!(reception.ask(at(0), 2, vec![campus.question(1)]), Asked::Nothing);
    assert_eq!(reception.tick(at(9), &campus.trust, &campus.client).ready, [0_u32; 0], "nobody is told twice");
}
