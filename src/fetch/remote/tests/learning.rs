//! Sources that are found while others are fetched.

use super::super::job::Brought;
use super::super::{Remote, SourceSettings};
use super::{Campus, at, settings};

const OTHER: &str = "http://crl.example/other.crl";

fn found(urls: &[&str]) -> Vec<SourceSettings> {
    settings(urls, std::path::PathBuf::new()).crls
}

fn nothing_yet(campus: &Campus) -> Remote {
    Remote::new(&settings(&[], campus.scratch.path().to_owned()), &campus.ledger, &campus.trust, at(0), None)
}

#[test]
fn a_source_that_is_found_is_due_at_once_and_each_url_once() {
    let campus = Campus::new();
    let mut remote = nothing_yet(&campus);
    assert!(remote.tick(at(0), &campus.trust, &campus.client).jobs.is_empty());
    remote.learn(&found(&[super::URL, super::URL]), &campus.trust, at(1));
    remote.learn(&found(&[super::URL]), &campus.trust, at(1));
    assert!(campus.serve(&mut remote, 1, &campus.crl(1, 3), "\"a\"").changed);
    assert_eq!(campus.entries(&remote), [3]);
    assert!(remote.tick(at(1), &campus.trust, &campus.client).jobs.is_empty());
}

#[test]
fn a_place_that_no_certificate_names_any_more_is_no_alarm_and_not_asked_unless_it_has_ever_been_good() {
    const DAY: u64 = 86_400;
    let by_member = |url| SourceSettings { by_member: true, ..found(&[url]).remove(0) };
    for (is_good, configured) in [(false, false), (true, false), (false, true)] {
        let campus = Campus::new();
        let mut remote = nothing_yet(&campus);
        let source = if configured { found(&[super::URL]).remove(0) } else { by_member(super::URL) };
        remote.learn(&[source], &campus.trust, at(0));
        if is_good {
            campus.serve(&mut remote, 0, &campus.crl(1, 3), "\"a\"");
        }
        let look = |remote: &mut Remote, seconds| {
            let tick = remote.tick(at(seconds), &campus.trust, &campus.client);
            let asked = tick.jobs.len();
            for job in tick.jobs {
                let failed = super::Outcome { source: job.source, brought: Err(super::failure("timeout")) };
                remote.finish(failed, at(seconds)).expect("it is this one's");
            }
            (asked, tick.alarms.began.len() + tick.alarms.lasting.len())
        };
        assert_eq!(look(&mut remote, 6 * DAY), (1, 1));
        remote.named("ca16", &[super::URL.to_owned()], at(6 * DAY));
        remote.named("ca16", &[OTHER.to_owned()], at(9 * DAY));
        remote.named("other", &[super::URL.to_owned()], at(9 * DAY));
        assert_eq!(look(&mut remote, 12 * DAY), (1, 1));
        let gone = (usize::from(is_good || configured), usize::from(configured));
        assert_eq!(look(&mut remote, 13 * DAY), gone, "good once: {is_good}, configured: {configured}");
        remote.named("ca16", &[super::URL.to_owned()], at(20 * DAY));
        assert_eq!(look(&mut remote, 20 * DAY), (1, 1), "somebody has come back");
    }
}

#[test]
fn what_is_under_way_belongs_to_its_source_whatever_is_found_meanwhile() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    let job = remote.tick(at(0), &campus.trust, &campus.client).jobs.pop().expect("it is due");
    remote.learn(&found(&[OTHER]), &campus.trust, at(0));
    let brought = job.judge.judge(&campus.crl(1, 3), Default::default());
    assert!(matches!(brought, Ok(Brought::New { .. })));
    let outcome = super::Outcome { source: job.source, brought };
    assert!(remote.finish(outcome, at(0)).is_some_and(|finished| finished.changed));
    let jobs = remote.tick(at(0), &campus.trust, &campus.client).jobs;
    assert_eq!(jobs.iter().map(|job| job.url.to_string()).collect::<Vec<_>>(), [OTHER]);
}

#[test]
fn what_was_kept_of_a_source_that_is_found_again_counts_and_is_not_rolled_back() {
    let campus = Campus::new();
    let mut remote = campus.remote(0, None);
    campus.serve(&mut remote, 0, &campus.crl(7, 3), "\"a\"");
    let mut again = nothing_yet(&campus);
    again.learn(&found(&[super::URL]), &campus.trust, at(0));
    assert_eq!(campus.entries(&again), [3]);
    assert_eq!(campus.serve(&mut again, 0, &campus.crl(6, 9), "\"b\"").result, "rejected");
}
