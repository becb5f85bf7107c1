//! What is on disk.

use std::fs;

use super::*;
use crate::event::OcspStatus;
use crate::fetch::{load, ocsp::store};

/// Has a certificate asked about and answered, and what is to be written written.
fn keep(campus: &Campus, desk: &mut Desk<u32>, certificate: u16, seconds: u64, status: Vec<u8>, life: u64) {
    assert_eq!(desk.ask(at(seconds), 0, vec![campus.question(certificate)]), Asked::Waiting);
    let query = campus.query(desk, seconds);
    let finished = campus.answer(desk, query, seconds, status, seconds..seconds + life);
    assert_eq!(finished.ready, [0]);
    assert_eq!(campus.queries(desk, seconds).len(), 0);
}

fn status(campus: &Campus, desk: &Desk<u32>, certificate: u16) -> Option<OcspStatus> {
    campus.known(desk, certificate).map(|answer| answer.name().status)
}

fn read(campus: &Campus, certificate: u16) -> store::Sheet {
    let name = store::name(&campus.question(certificate));
    store::Store::new(campus.scratch.path()).read(&name).expect("it was kept")
}

#[test]
fn a_restart_has_what_was_answered_before_it() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    keep(&campus, &mut desk, 1, 5, good(), DAY);
    keep(&campus, &mut desk, 2, 5, revoked(at(0).wall, Some(1)), DAY);
    let again = campus.desk(100, None);
    for certificate in 1..=2 {
        assert_eq!(status(&campus, &again, certificate), status(&campus, &desk, certificate));
    }
    assert_eq!(again.problems(), []);
    let answer = campus.known(&again, 1).expect("it was kept");
    assert_eq!((&*answer.name().source, Some(answer.name().this_update)), (ONE, wall(5)));
    let sheet = read(&campus, 1);
    assert_eq!((&*sheet.url, Some(sheet.fetched), sheet.question), (ONE, wall(5), campus.question(1)));
    let text = fs::read(&campus.kept()[0]).expect("it can be read");
    let header: serde_json::Value =
        serde_json::from_slice(text.split(|octet| *octet == b'\n').next().expect("a line")).expect("JSON");
    assert_eq!(header["authority"], "ca16");
}

#[test]
fn who_has_an_answer_on_disk_is_asked_about_after_a_restart() {
    let campus = Campus::new(&[ONE]);
    keep(&campus, &mut campus.desk(0, None), 1, 5, good(), DAY);
    let mut again = campus.desk(100, None);
    assert_eq!(campus.query(&mut again, 100).question, campus.question(1));
}

#[test]
fn check_and_explain_have_it_and_change_nothing() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    keep(&campus, &mut desk, 1, 5, good(), DAY);
    campus.scratch.write("ocsp/left.ocsp.new", "half");
    campus.scratch.write("ocsp/bad.ocsp", "garbage");
    let before = campus.kept();
    let loaded = load(&campus.settings, &campus.trust, at(60 * DAY).wall);
    let serial = &campus.question(1).serial;
    assert!(loaded.revocation.answers().get(&campus.issuer, serial).is_none(), "it ended long ago");
    let loaded = load(&campus.settings, &campus.trust, at(10).wall);
    assert!(loaded.revocation.answers().get(&campus.issuer, serial).is_some());
    assert!(loaded.problems.iter().any(|problem| problem.text.contains("bad.ocsp")), "{:?}", loaded.problems);
    assert_eq!(campus.kept(), before);
}

#[test]
fn an_answer_is_written_again_when_half_its_life_is_over_or_it_says_something_else() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    for (second, written) in [(0, 0), (1_000, 0), (40_000, 0), (44_000, 44_000), (80_000, 44_000), (90_000, 90_000)] {
        keep(&campus, &mut desk, 1, second, good(), DAY);
        assert_eq!(Some(read(&campus, 1).fetched), wall(written));
    }
    keep(&campus, &mut desk, 1, 90_010, revoked(at(0).wall, Some(1)), DAY);
    assert_eq!(Some(read(&campus, 1).fetched), wall(90_010));
}

#[test]
fn what_was_revoked_stays_so_over_a_restart_whatever_comes_after() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    keep(&campus, &mut desk, 1, 0, revoked(at(0).wall, Some(1)), DAY);
    assert_eq!(desk.ask(at(10), 0, vec![campus.question(1)]), Asked::Waiting);
    let query = campus.query(&mut desk, 10);
    let finished = campus.good(&mut desk, query, 10);
    assert!(matches!(&*finished.news, [Err(news)] if news.contains("stays revoked")), "{:?}", finished.news);
    assert_eq!(campus.queries(&mut desk, 10).len(), 0);
    for desk in [desk, campus.desk(20, None)] {
        assert_eq!(status(&campus, &desk, 1), Some(OcspStatus::Revoked));
    }
}

#[test]
fn what_is_no_good_on_disk_is_told_of_and_the_rest_counts() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    for certificate in 1..=5 {
        keep(&campus, &mut desk, certificate, 0, good(), DAY);
    }
    let path = |certificate| campus.scratch.path().join("ocsp").join(store::name(&campus.question(certificate)));
    let forged = path(1);
    let mut octets = fs::read(&forged).expect("it was kept");
    *octets.last_mut().expect("it isn't empty") ^= 1;
    fs::write(&forged, octets).expect("it can be written");
    fs::copy(path(3), path(2)).expect("it can be copied");
    let whole = fs::read(path(4)).expect("it was kept");
    fs::write(path(4), &whole[..whole.len() / 2]).expect("it can be written");
    campus.scratch.write("ocsp/garbage.ocsp", [0xff; 100]);
    fs::File::create(campus.scratch.path().join("ocsp/big.ocsp"))
        .and_then(|file| file.set_len(1 << 30))
        .expect("sparse");
    fs::create_dir(campus.scratch.path().join("ocsp/folder.ocsp")).expect("a folder");
    campus.scratch.write("ocsp/README", "what is this?");
    let again = campus.desk(10, None);
    let counts: Vec<_> = (1..=5).filter(|certificate| campus.known(&again, *certificate).is_some()).collect();
    assert_eq!(counts, [3, 5]);
    let problems = again.problems();
    assert!(problems.len() == 1 && !problems[0].fatal && problems[0].text.contains("6 answers"), "{problems:?}");
}

#[test]
fn no_answer_outlives_its_ca() {
    let mut campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    keep(&campus, &mut desk, 1, 0, good(), DAY);
    let other = Campus::new(&[ONE]);
    campus.trust = Arc::clone(&other.trust);
    let after = campus.desk(1, Some(&desk));
    assert!(campus.known(&after, 1).is_none());
    assert_eq!(after.problems().len(), 1);
    let mut without = Campus::new(&[ONE]);
    without.settings.ocsp.authorities.clear();
    without.settings.remote = campus.settings.remote.clone();
    let without = without.desk(1, Some(&desk));
    assert!(campus.known(&without, 1).is_none() && without.problems().is_empty(), "it isn't wanted, and no fault");
}

#[test]
fn what_ended_a_month_ago_and_what_is_too_much_is_removed() {
    let mut campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    for certificate in 1..=6 {
        keep(&campus, &mut desk, certificate, 0, good(), u64::from(certificate) * DAY);
    }
    keep(&campus, &mut desk, 7, 0, revoked(at(0).wall, Some(1)), DAY);
    campus.scratch.write("ocsp/left.ocsp.new", "half");
    assert_eq!(campus.kept().len(), 8);
    let of = |certificates: &[u16]| {
        let name = |certificate: &u16| store::name(&campus.question(*certificate));
        let mut names: Vec<_> =
            certificates.iter().map(name).map(|name| campus.scratch.path().join("ocsp").join(name)).collect();
        names.sort();
        names
    };
    let now = 33 * DAY + 1;
    let mut again = campus.desk(now, None);
    assert_eq!(campus.kept().len(), 8, "reading removes nothing");
    campus.queries(&mut again, now);
    assert_eq!(campus.kept(), of(&[4, 5, 6, 7]), "revoked is kept");
    let (four, others) = (of(&[4]), of(&[5, 6, 7]));
    campus.settings.ocsp.answers = 3;
    let mut fewer = campus.desk(now, None);
    assert!(campus.known(&fewer, 4).is_none() && campus.known(&fewer, 7).is_some());
    campus.queries(&mut fewer, now);
    assert_eq!((campus.kept(), four[0].exists()), (others, false));
    keep(&campus, &mut fewer, 8, now, good(), 90 * DAY);
    campus.queries(&mut fewer, now);
    assert_eq!(campus.kept().len(), 3, "the bound holds while it runs");
    assert!(status(&campus, &campus.desk(now, None), 8).is_some());
}

#[test]
fn a_disk_that_takes_nothing_costs_a_restart_and_not_a_reload() {
    let campus = Campus::new(&[ONE]);
    campus.scratch.write("ocsp", "in the way");
    let mut desk = campus.desk(0, None);
    assert_eq!(desk.problems().len(), 1, "it can't be listed");
    let mut news = Vec::new();
    for certificate in 1..=3 {
        desk.ask(at(0), 0, vec![campus.question(certificate)]);
        for job in campus.tick(&mut desk, 0).jobs {
            match job.work {
                Work::Query(query) => drop(campus.good(&mut desk, *query, 0)),
                Work::Write(writing) => {
                    let done = Done::Write(writing.run());
                    news.extend(desk.finish(Outcome { desk: job.desk, done }, at(0)).news);
                }
            }
        }
    }
    assert!(matches!(&*news, [Err(news)] if news.contains("cannot be kept")), "{news:?}");
    assert_eq!(desk.problems().len(), 2);
    let mut reloaded = campus.desk(1, Some(&desk));
    assert!((1..=3).all(|certificate| campus.known(&reloaded, certificate).is_some()));
    fs::remove_file(campus.scratch.path().join("ocsp")).expect("it was there");
    campus.queries(&mut reloaded, 1);
    assert_eq!(campus.kept().len(), 3);
    let mut recovers = desk;
    assert_eq!(campus.queries(&mut recovers, 30).len(), 0);
    let job = campus.tick(&mut recovers, 61).jobs.pop().expect("it is tried again");
    let Work::Write(writing) = job.work else { panic!("only that is to be done") };
    let finished = recovers.finish(Outcome { desk: job.desk, done: Done::Write(writing.run()) }, at(61));
    assert!(matches!(&*finished.news, [Ok(_)]), "{:?}", finished.news);
}

#[test]
fn a_start_has_every_one_of_hundreds() {
    let mut campus = Campus::new(&[ONE]);
    campus.settings.ocsp.answers = 10_000;
    let mut desk = campus.desk(0, None);
    for certificate in 0..300 {
        assert_eq!(desk.ask(at(0), 0, vec![campus.question(certificate)]), Asked::Waiting);
    }
    for _ in 0..300 {
        for query in campus.queries(&mut desk, 0) {
            campus.good(&mut desk, query, 0);
        }
    }
    assert_eq!(campus.kept().len(), 300);
    let again = campus.desk(100, None);
    assert!((0..300).all(|certificate| campus.known(&again, certificate).is_some()));
}
