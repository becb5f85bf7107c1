//! What a fetch leads to.

use super::super::job::Brought;
use super::super::{MAX_IN_FLIGHT, MAX_OF_AUTHORITY, Remote};
use super::{Campus, at, failure, wall};

#[test]
fn a_new_crl_counts_and_the_same_again_changes_nothing() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    let first = campus.crl(1, 1);
    let finished = campus.serve(&mut remote, 0, &first, "\"a\"");
    assert_eq!((finished.result, finished.changed), ("ok", true));
    let finished = campus.serve(&mut remote, 400, &first, "\"a\"");
    assert_eq!((finished.result, finished.changed, finished.news), ("ok", false, None));
    let finished = campus.serve(&mut remote, 800, &campus.crl(2, 2), "\"b\"");
    assert_eq!((finished.result, finished.changed), ("ok", true));
    assert_eq!(campus.entries(&remote), [2]);
    assert_eq!(campus.loaded(&remote).last_success[0].at, wall(800));
}

#[test]
fn not_modified_is_a_success() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 1), "\"a\"");
    let finished = campus.answer(&mut remote, 400, Ok(Brought::NotModified));
    assert_eq!((finished.result, finished.changed), ("not-modified", false));
    assert_eq!(campus.loaded(&remote).last_success[0].at, wall(400));
}

#[test]
fn r07_an_older_crl_is_refused_said_and_counted_and_the_newer_one_stays() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(7, 7), "\"a\"");
    let finished = campus.serve(&mut remote, 400, &campus.crl(6, 6), "\"b\"");
    assert_eq!((finished.result, finished.changed), ("rejected", true));
    assert!(matches!(&finished.news, Some(Err(news)) if news.contains("older")), "{finished:?}");
    let loaded = campus.loaded(&remote);
    assert_eq!(campus.entries(&remote), [7]);
    assert!(loaded.problems.len() == 1 && loaded.problems[0].text.contains("older"), "{loaded:?}");
    assert_eq!(loaded.last_success[0].at, wall(0));
    assert_eq!(campus.entries(&campus.remote(0, None)), [7], "and stays on disk");
    let finished = campus.serve(&mut remote, 800, &campus.crl(6, 6), "\"b\"");
    assert_eq!((finished.changed, finished.news), (false, None), "it is said once");
}

#[test]
fn r07_a_restart_does_not_let_an_older_one_in() {
    let campus = Campus::new();
    campus.serve(&mut campus.remote(0, None), 0, &campus.crl(7, 7), "\"a\"");
    let mut again = campus.remote(0, None);
    assert_eq!(campus.serve(&mut again, 0, &campus.crl(6, 6), "\"b\"").result, "rejected");
    assert_eq!(campus.entries(&again), [7]);
}

#[test]
fn r12_a_silent_server_costs_nothing_that_counts_until_the_alarm() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 5), "\"a\"");
    let finished = campus.answer(&mut remote, 400, Err(failure("timeout")));
    assert_eq!((finished.result, finished.changed), ("timeout", false));
    assert!(matches!(finished.news, Some(Err(_))));
    assert_eq!((campus.entries(&remote), campus.loaded(&remote).problems.len()), (vec![5], 0));
    let finished = campus.answer(&mut remote, 800, Err(failure("timeout")));
    assert_eq!(finished.news, None, "what goes on is said once");
    let finished = campus.answer(&mut remote, 2_000, Err(failure("connect")));
    assert!(matches!(finished.news, Some(Err(_))), "another failure is news");
    let finished = campus.answer(&mut remote, 3_000, Ok(Brought::NotModified));
    assert!(matches!(finished.news, Some(Ok(_))), "and so is its end");
}

#[test]
fn a_source_that_never_gave_anything_is_a_problem_at_once() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    assert!(campus.answer(&mut remote, 0, Err(failure("connect"))).changed);
    let problems = campus.loaded(&remote).problems;
    assert!(problems.len() == 1 && problems[0].text.contains("nothing of it counts") && !problems[0].fatal);
}

#[test]
fn the_alarm_begins_and_ends_once() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 1), "\"a\"");
    let tick = |remote: &mut Remote, seconds| {
        let alarms = remote.tick(at(seconds), &campus.trust, &campus.client).alarms;
        (alarms.began.len(), alarms.lasting.len(), alarms.ended.len())
    };
    assert_eq!(tick(&mut remote, 3 * 3_600 - 1), (0, 0, 0));
    assert_eq!(tick(&mut remote, 3 * 3_600), (1, 0, 0));
    assert_eq!(tick(&mut remote, 3 * 3_600 + 1), (0, 1, 0));
    let mut reloaded = campus.remote(3 * 3_600 + 2, Some(&remote));
    assert_eq!(tick(&mut reloaded, 3 * 3_600 + 2), (0, 1, 0), "a reload is no success");
    let outcome = super::Outcome { source: 0, brought: Ok(Brought::NotModified) };
    reloaded.finish(outcome, at(3 * 3_600 + 3)).expect("it is this one's");
    assert_eq!(tick(&mut reloaded, 3 * 3_600 + 4), (0, 0, 1));
    assert_eq!(tick(&mut reloaded, 3 * 3_600 + 5), (0, 0, 0));
}

/// So many sources, so many of each authority.
fn many(campus: &mut Campus, sources: usize, of_each: usize) -> Remote {
    campus.urls = (0..sources).map(|n| format!("http://crl{n}.example/")).collect();
    let mut settings = campus.settings();
    for (place, source) in settings.crls.iter_mut().enumerate() {
        source.authority = format!("ca{}", place / of_each).into();
    }
    Remote::new(&settings, &campus.ledger, &campus.trust, at(0), None)
}

fn begun(campus: &Campus, remote: &mut Remote, seconds: u64) -> Vec<usize> {
    remote.tick(at(seconds), &campus.trust, &campus.client).jobs.iter().map(|job| job.source).collect()
}

fn fail(remote: &mut Remote, source: usize, seconds: u64) {
    let failed = super::Outcome { source, brought: Err(failure("timeout")) };
    remote.finish(failed, at(seconds)).expect("it is this one's");
}

#[test]
fn each_source_is_fetched_once_at_a_time_and_so_many_at_once() {
    let mut campus = Campus::new();
    let mut remote = many(&mut campus, 20, 1);
    let first = begun(&campus, &mut remote, 0);
    assert_eq!(first.len(), MAX_IN_FLIGHT);
    assert!(begun(&campus, &mut remote, 1).is_empty());
    fail(&mut remote, first[3], 1);
    assert_eq!(begun(&campus, &mut remote, 1), [MAX_IN_FLIGHT], "another one's turn");
}

#[test]
fn r12_slow_hosts_keep_nobody_from_his_turn() {
    let mut campus = Campus::new();
    let mut remote = many(&mut campus, 20, 1);
    let mut asked = std::collections::BTreeSet::new();
    // Each fetch takes as long as it may; by then those before it are due again.
    for round in 0..3 {
        for source in begun(&campus, &mut remote, round * 1_000) {
            asked.insert(source);
            fail(&mut remote, source, round * 1_000 + 10);
        }
    }
    assert_eq!(asked.len(), 20);
}

#[test]
fn r12_however_many_silent_hosts_one_authority_names_the_others_crls_are_fetched_at_once() {
    let mut campus = Campus::new();
    let mut remote = many(&mut campus, 65, 64);
    assert_eq!(begun(&campus, &mut remote, 0), [0, 1, 64]);
    fail(&mut remote, 0, 10);
    assert_eq!(begun(&campus, &mut remote, 10).len(), 1);
    assert_eq!(MAX_OF_AUTHORITY, 2);
}

#[test]
fn a_reload_asks_at_once_and_keeps_what_is_good_though_the_disk_has_it_not() {
    let campus = Campus::new();
    campus.scratch.write("crl", "");
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    assert!(remote.tick(at(1), &campus.trust, &campus.client).jobs.is_empty());
    let mut reloaded = campus.remote(1, Some(&remote));
    assert_eq!(campus.entries(&reloaded), [3]);
    assert_eq!(reloaded.tick(at(1), &campus.trust, &campus.client).jobs.len(), 1);
}
