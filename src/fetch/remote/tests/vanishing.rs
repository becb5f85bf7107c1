//! Entries that disappear from what is fetched.

use std::fs;

use super::super::job::Brought;
use super::{Campus, at};
use crate::support::certificates;
use crate::support::certificates::day;

/// A CRL that lists these.
fn crl(campus: &Campus, number: u64, serials: &[u64]) -> Vec<u8> {
    let good = day(2026, 6, 30)..day(2026, 7, 7);
    certificates::crl(&campus.ca, number, serials.iter().copied(), good).der().to_vec()
}

fn vanished(campus: &Campus, remote: &super::Remote) -> Vec<Vec<u8>> {
    campus.loaded(remote).revocation.vanished().entries().map(|entry| entry.serial).collect()
}

#[test]
fn an_entry_that_disappears_is_noted_before_the_crl_without_it_is_kept() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &crl(&campus, 1, &[5, 6]), "\"a\"");
    let page = campus.scratch.path().join("revoked-and-gone");
    // Where it can't be noted, the CRL that lists it stays on disk.
    fs::create_dir(&page).expect("a folder in its way");
    let newer = crl(&campus, 2, &[6]);
    assert!(campus.serve(&mut remote, 1_000, &newer, "\"b\"").changed);
    assert_eq!((campus.entries(&remote), vanished(&campus, &remote)), (vec![1], vec![vec![5]]));
    assert_ne!(fs::read(campus.kept_crl()).expect("it is there"), newer);
    assert_eq!(campus.entries(&campus.remote(1_000, None)), [2]);
    fs::remove_dir(&page).expect("it is empty");
    assert_eq!(campus.serve(&mut remote, 2_000, &newer, "\"b\"").result, "ok");
    assert_eq!(fs::read(campus.kept_crl()).expect("it is there"), newer);
    assert!(page.is_file());
}

#[test]
fn a_crl_whose_job_is_forgotten_over_a_reload_has_been_noted_all_the_same() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &crl(&campus, 1, &[5, 6]), "\"a\"");
    let job = remote.tick(at(1_000), &campus.trust, &campus.client).jobs.pop().expect("it is due");
    let brought = job.judge.judge(&crl(&campus, 2, &[6]), Default::default());
    assert!(matches!(brought, Ok(Brought::New { .. })));
    let reloaded = campus.remote(1_000, Some(&remote));
    assert_eq!((campus.entries(&reloaded), vanished(&campus, &reloaded)), (vec![1], vec![vec![5]]));
}
