//! Responders that are unwell.

use super::*;

/// Fails so many times, about as many certificates.
fn failing(campus: &Campus, desk: &mut Desk<u32>, certificates: std::ops::Range<u16>, seconds: u64, luck: Luck) {
    for certificate in certificates {
        assert_eq!(desk.ask(at(seconds), 0, vec![campus.question(certificate)]), Asked::Waiting);
        let queries = campus.queries(desk, seconds);
        let urgent = queries.into_iter().find(|query| query.urgency == Urgency::Urgent).expect("it is asked");
        assert_eq!(fails_by(desk, urgent, seconds, luck).ready, [0]);
    }
}

fn is_open(desk: &Desk<u32>) -> bool {
    desk.health().iter().any(|health| health.open)
}

#[test]
fn r21_after_three_failures_nobody_waits_until_a_probe_has_been_answered() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    failing(&campus, &mut desk, 1..3, 0, Luck::Failed);
    assert!(!is_open(&desk));
    failing(&campus, &mut desk, 3..4, 0, Luck::Failed);
    assert!(is_open(&desk));
    for second in 0..9 {
        assert_eq!(desk.ask(at(second), 1, vec![campus.question(9)]), Asked::Nothing);
        assert_eq!(campus.queries(&mut desk, second).len(), 0);
    }
    let probe = campus.query(&mut desk, 12);
    assert_eq!(probe.urgency, Urgency::Background);
    assert_eq!(desk.ask(at(12), 1, vec![campus.question(10)]), Asked::Nothing);
    assert_eq!(campus.queries(&mut desk, 13).len(), 0, "one at a time");
    campus.good(&mut desk, probe, 13);
    assert!(!is_open(&desk));
    assert_eq!(desk.ask(at(13), 1, vec![campus.question(10)]), Asked::Waiting);
}

#[test]
fn r21_who_judges_knows_that_nobody_is_well_so_that_a_refusal_need_not_wait() {
    for named in [vec![ONE], vec![]] {
        let campus = Campus::new(&named);
        let mut desk = campus.desk(0, None);
        let is_asked_about = |desk: &Desk<u32>| desk.answers().may_come("ca16", &campus.issuer);
        campus.tick(&mut desk, 0);
        assert_eq!(is_asked_about(&desk), !named.is_empty());
        desk.learn(&"ca16".into(), &campus.issuer, &[ONE.to_owned()]);
        campus.tick(&mut desk, 0);
        assert!(is_asked_about(&desk));
        failing(&campus, &mut desk, 1..4, 0, Luck::Failed);
        campus.tick(&mut desk, 0);
        assert!(!is_asked_about(&desk));
        // Nobody asks now, but who comes is seen, and soon somebody is asked about him.
        desk.seen(at(1), [campus.question(1)]);
        let probe = campus.query(&mut desk, 12);
        campus.good(&mut desk, probe, 12);
        campus.tick(&mut desk, 12);
        assert!(is_asked_about(&desk));
    }
}

#[test]
fn r21_probes_that_fail_become_rarer_down_to_one_in_five_minutes() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    failing(&campus, &mut desk, 1..4, 0, Luck::Failed);
    let (mut last, mut pauses) = (0, Vec::new());
    for second in 1..4_000 {
        desk.ask(at(second), 1, vec![campus.question(1)]);
        for query in campus.queries(&mut desk, second) {
            pauses.push(second - last);
            last = second;
            campus.fails(&mut desk, query, second);
        }
    }
    for (pause, expected) in pauses.iter().zip([10, 20, 40, 80, 160, 300, 300, 300]) {
        assert!((expected * 9 / 10..=expected * 11 / 10 + 1).contains(pause), "{pauses:?}");
    }
    assert!(pauses.len() > 8 && pauses.iter().all(|pause| *pause <= 331), "{pauses:?}");
}

#[test]
fn r21_queries_that_fail_together_open_it_once() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    for certificate in 0..60 {
        desk.ask(at(0), 0, vec![campus.question(certificate)]);
    }
    for query in campus.queries(&mut desk, 0) {
        campus.fails(&mut desk, query, 2);
    }
    assert_eq!(campus.queries(&mut desk, 10).len(), 0);
    assert_eq!(campus.queries(&mut desk, 14).len(), 1, "the first pause");
}

#[test]
fn what_is_odd_about_one_certificate_takes_the_responder_from_nobody() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    for _ in 0..20 {
        failing(&campus, &mut desk, 1..2, 0, Luck::Odd);
    }
    assert!(!is_open(&desk));
    failing(&campus, &mut desk, 2..12, 0, Luck::Declined);
    assert!(!is_open(&desk));
    failing(&campus, &mut desk, 20..23, 0, Luck::Odd);
    assert!(is_open(&desk), "three certificates");
}

#[test]
fn the_next_is_asked_while_the_first_is_unwell_and_the_first_is_tried_again() {
    let campus = Campus::new(&[ONE, TWO]);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let query = campus.query(&mut desk, 0);
    assert_eq!(hosts(&query), [ONE, TWO]);
    campus.fails(&mut desk, query, 0);
    failing(&campus, &mut desk, 2..4, 0, Luck::Failed);
    assert_eq!(desk.ask(at(0), 1, vec![campus.question(4)]), Asked::Waiting);
    let query = campus.query(&mut desk, 0);
    assert_eq!(hosts(&query), [TWO]);
    campus.good(&mut desk, query, 0);
    assert!(is_open(&desk));
    let probe = campus.queries(&mut desk, 12).remove(0);
    assert_eq!(hosts(&probe), [ONE, TWO], "nobody loses by a probe");
    campus.good(&mut desk, probe, 12);
    assert!(!is_open(&desk));
}

#[test]
fn who_refuses_post_is_asked_by_get_from_then_on() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let query = campus.query(&mut desk, 0);
    let (url, manner) = query.tries[0].clone();
    let (luck, label) = (Luck::Failed, "status");
    let attempt = Attempt { url, manner, refused: true, luck, label, text: "the server answers 405".into() };
    finish(&mut desk, &query, vec![attempt], None, 0);
    desk.seen(at(0), [campus.question(2)]);
    assert_eq!(campus.query(&mut desk, 0).tries[0].1, manner.reversed());
}

#[test]
fn an_alarm_begins_lasts_and_ends() {
    const HOUR: u64 = 3_600;
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    let mut told = Vec::new();
    for second in (0..6 * HOUR).step_by(60) {
        if second == HOUR {
            desk.seen(at(second), [campus.question(1)]);
        }
        let Tick { jobs, alarms: Alarms { began, lasting, ended }, .. } = campus.tick(&mut desk, second);
        for (what, alarm) in [("began", began), ("lasting", lasting), ("ended", ended)] {
            assert!(alarm.iter().all(|alarm| (&*alarm.authority, &*alarm.source) == ("ca16", ONE)));
            if !alarm.is_empty() && told.last().is_none_or(|(last, _)| *last != what) {
                told.push((what, second / HOUR));
            }
        }
        for query in jobs.into_iter().filter_map(|job| written(&mut desk, job, at(second))).collect::<Vec<_>>() {
            match second < 5 * HOUR {
                true => campus.fails(&mut desk, query, second),
                false => campus.good(&mut desk, query, second),
            };
        }
    }
    // Nobody wanted it in the first hour.
    assert_eq!(told, [("began", 4), ("lasting", 4), ("ended", 5)]);
    assert!(desk.health()[0].last_success.is_some());
}

#[test]
fn who_is_wanted_no_more_has_no_alarm() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let mut told = Vec::new();
    for second in (0..3 * DAY).step_by(60) {
        let Tick { jobs, alarms: Alarms { began, ended, .. }, .. } = campus.tick(&mut desk, second);
        told.extend(began.iter().map(|_| ("began", second / DAY)));
        told.extend(ended.iter().map(|_| ("ended", second / DAY)));
        for query in jobs.into_iter().filter_map(|job| written(&mut desk, job, at(second))).collect::<Vec<_>>() {
            campus.fails(&mut desk, query, second);
        }
    }
    assert_eq!((told, desk.certificates()), (vec![("began", 0), ("ended", 1)], 0));
}

#[test]
fn a_failure_that_goes_on_is_told_once_and_its_end_too() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    let mut news = Vec::new();
    desk.seen(at(0), [campus.question(1)]);
    for second in 0..2_000 {
        for query in campus.queries(&mut desk, second) {
            let finished = if second < 1_000 {
                campus.fails(&mut desk, query, second)
            } else {
                campus.good(&mut desk, query, second)
            };
            news.extend(finished.news);
        }
    }
    let expected =
        [Err(format!("authority ca16: {ONE}: it failed")), Ok(format!("authority ca16: {ONE}: answers again"))];
    assert_eq!(news, expected);
}

#[test]
fn how_responders_are_outlives_a_reload() {
    let campus = Campus::new(&[ONE]);
    let mut old = campus.desk(0, None);
    failing(&campus, &mut old, 1..4, 0, Luck::Failed);
    let mut desk = campus.desk(1, Some(&old));
    assert!(is_open(&desk));
    assert_eq!(desk.ask(at(1), 1, vec![campus.question(1)]), Asked::Nothing);
    assert_eq!(campus.queries(&mut desk, 12).len(), 1);
    let mut during_the_probe = campus.desk(13, Some(&desk));
    assert_eq!(campus.queries(&mut during_the_probe, 13).len(), 1, "that probe never comes back");
}
