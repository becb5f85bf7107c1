//! What is on disk.

use std::fs;

use super::super::job::Brought;
use super::{Campus, is_in, wall};
use crate::support::certificates::authority;

#[test]
fn what_was_fetched_counts_after_a_restart_with_its_tag() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 5, &campus.crl(1, 3), "\"a\"");
    assert!(campus.kept().iter().all(|path| is_in(path, &campus.scratch.path().join("crl"))));
    assert_eq!(campus.kept().len(), 2, "{:?}", campus.kept());
    let mut again = campus.remote(100, None);
    assert_eq!(campus.entries(&again), [3]);
    assert_eq!(campus.loaded(&again).last_success[0].at, wall(5));
    let job = again.tick(super::at(100), &campus.trust, &campus.client).jobs.pop().expect("it is fetched at once");
    assert_eq!(job.conditions.etag.as_deref(), Some("\"a\""));
}

#[test]
fn what_is_not_verified_is_not_kept() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    let mut forged = campus.crl(1, 3);
    *forged.last_mut().expect("it isn't empty") ^= 1;
    let finished = campus.serve(&mut remote, 0, &forged, "\"a\"");
    assert_eq!(finished.result, "rejected");
    assert_eq!(campus.kept(), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_half_written_temporary_file_is_nothing() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    let newer = campus.crl(2, 9);
    let temporary = campus.kept_crl().with_extension("crl.new");
    fs::write(&temporary, &newer[..newer.len() / 2]).expect("it can be written");
    let mut again = campus.remote(0, None);
    assert_eq!(campus.entries(&again), [3]);
    assert_eq!(campus.loaded(&again).problems, []);
    campus.serve(&mut again, 0, &newer, "\"b\"");
    assert!(!temporary.exists(), "it was written over and has its name now");
    assert_eq!(campus.entries(&campus.remote(0, None)), [9]);
}

#[test]
fn between_the_two_files_the_new_crl_counts_and_the_old_tag_does_not() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    fs::write(campus.kept_crl(), campus.crl(2, 4)).expect("it can be written");
    let mut again = campus.remote(0, None);
    assert_eq!(campus.entries(&again), [4]);
    let job = again.tick(super::at(0), &campus.trust, &campus.client).jobs.pop().expect("it is due");
    assert_eq!(job.conditions.etag, None, "else the server would say for ever that nothing is new");
}

#[test]
fn a_damaged_crl_on_disk_is_a_problem_and_not_used_until_it_is_fetched_anew() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    let good = campus.crl(1, 3);
    campus.serve(&mut remote, 0, &good, "\"a\"");
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    fs::write(campus.kept_crl(), damaged).expect("it can be written");
    let mut again = campus.remote(0, None);
    assert_eq!(campus.entries(&again), [0; 0]);
    let problems = campus.loaded(&again).problems;
    assert!(problems.len() == 1 && problems[0].text.contains("is not used") && !problems[0].fatal, "{problems:?}");
    assert!(campus.serve(&mut again, 0, &good, "\"a\"").changed);
    assert_eq!(campus.loaded(&again).problems, []);
    assert_eq!(fs::read(campus.kept_crl()).expect("it was written anew"), good);
}

#[test]
fn a_crl_of_another_ca_on_disk_is_not_used() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    let other = super::files::crl(&authority("CA16", None), 2, 1);
    fs::write(campus.kept_crl(), other).expect("it can be written");
    assert_eq!(campus.entries(&campus.remote(0, None)), [0; 0]);
}

#[test]
fn r11_more_than_may_be_fetched_is_not_read_from_disk_either() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    let file = fs::OpenOptions::new().write(true).open(campus.kept_crl()).expect("it is there");
    file.set_len(1 << 40).expect("a sparse file");
    let problems = campus.loaded(&campus.remote(0, None)).problems;
    assert!(problems.len() == 1 && problems[0].text.contains("longer than"), "{problems:?}");
}

#[test]
fn a_disk_that_takes_nothing_costs_keeping_and_not_service() {
    let campus = Campus::new();
    // A file where the folder should be.
    let in_the_way = campus.scratch.write("crl", "");
    let mut remote = campus.remote(0, None);
    let finished = campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
    assert!(finished.changed && matches!(&finished.news, Some(Err(news)) if news.contains("cannot be kept")));
    assert_eq!(campus.entries(&remote), [3]);
    assert!(campus.loaded(&remote).problems.iter().any(|problem| problem.text.contains("cannot be kept")));
    fs::remove_file(in_the_way).expect("it was there");
    let job = remote.tick(super::at(600), &campus.trust, &campus.client).jobs.pop().expect("it is due");
    assert_eq!(job.conditions.etag, None, "it is to come whole, to be written");
    let brought = job.judge.judge(&campus.crl(1, 3), job.conditions).expect("it is the same");
    assert!(matches!(&brought, Brought::Same { unkept: None, .. } | Brought::New { unkept: None, .. }));
    let outcome = super::Outcome { source: 0, brought: Ok(brought) };
    assert!(remote.finish(outcome, super::at(600)).expect("it is this one's").changed);
    assert_eq!(campus.loaded(&remote).problems, []);
    assert_eq!(campus.entries(&campus.remote(0, None)), [3]);
}
