//! What is asked ahead of need.

use super::*;

/// Answers everything at once, second by second; at which seconds how many queries began.
fn run(campus: &Campus, desk: &mut Desk<u32>, seconds: std::ops::Range<u64>, life: u64) -> Vec<(u64, usize)> {
    let mut began = Vec::new();
    for second in seconds {
        let mut count = 0;
        loop {
            let queries = campus.queries(desk, second);
            if queries.is_empty() {
                break;
            }
            count += queries.len();
            for query in queries {
                campus.answer(desk, query, second, good(), second..second + life);
            }
        }
        if count > 0 {
            began.push((second, count));
        }
    }
    began
}

#[test]
fn who_was_seen_is_asked_about_every_refresh_for_a_day() {
    let mut campus = Campus::new(&[ONE]);
    campus.authority().refresh = Duration::from_secs(3_600);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let began = run(&campus, &mut desk, 0..2 * DAY, 7 * DAY);
    assert!((22..=28).contains(&began.len()), "{began:?}");
    let pauses: Vec<_> = began.windows(2).map(|two| two[1].0 - two[0].0).collect();
    assert!(pauses.iter().all(|pause| (3_239..=3_961).contains(pause)), "{pauses:?}");
    assert!(began.last().is_some_and(|(second, _)| *second < DAY));
}

#[test]
fn an_answer_is_renewed_ahead_of_its_next_update() {
    let mut campus = Campus::new(&[ONE]);
    campus.authority().refresh = Duration::from_secs(DAY);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let began = run(&campus, &mut desk, 0..2_000, 1_000);
    assert_eq!(began, [(0, 1), (900, 1), (1_800, 1)]);
}

#[test]
fn no_responder_gets_more_than_its_share() {
    let mut campus = Campus::new(&[ONE]);
    campus.settings.ocsp.answers = 10_000;
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), (0..500).map(|certificate| campus.question(certificate)));
    let first = campus.queries(&mut desk, 0);
    assert_eq!(first.len(), 4, "at once");
    for query in first {
        campus.good(&mut desk, query, 0);
    }
    let began = run(&campus, &mut desk, 0..20, DAY);
    assert!(began.iter().all(|(_, count)| *count <= 21), "{began:?}");
    let all: usize = began.iter().map(|(_, count)| count).sum();
    assert!((390..=420).contains(&all), "{all}");
}

#[test]
fn those_who_wait_go_first_however_much_is_due() {
    let mut campus = Campus::new(&[ONE]);
    campus.settings.ocsp.answers = 10_000;
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), (0..500).map(|certificate| campus.question(certificate)));
    assert_eq!(campus.queries(&mut desk, 0).len(), 4);
    for certificate in 400..440 {
        assert_eq!(desk.ask(at(0), certificate.into(), vec![campus.question(certificate)]), Asked::Waiting);
    }
    let queries = campus.queries(&mut desk, 0);
    assert_eq!(queries.iter().filter(|query| query.urgency == Urgency::Urgent).count(), 40);
    assert_eq!(queries.len(), 40);
}

#[test]
fn issuers_take_turns_and_thirty_two_queries_are_all() {
    let mut campus = Campus::new(&[]);
    campus.settings.ocsp.answers = 10_000;
    let mut desk = campus.desk(0, None);
    for issuer in 0..20 {
        desk.learn(&"ca16".into(), &[issuer; 32], &[format!("http://{issuer}.example/")]);
        desk.seen(at(0), (0..9).map(|certificate| Question { issuer: [issuer; 32], ..campus.question(certificate) }));
    }
    let queries = campus.queries(&mut desk, 0);
    assert_eq!(queries.len(), 32);
    for issuer in 0..20 {
        let begun = queries.iter().filter(|query| query.question.issuer == [issuer; 32]).count();
        assert!((1..=2).contains(&begun), "{begun}");
    }
}

#[test]
fn the_least_recently_seen_makes_room() {
    let mut campus = Campus::new(&[ONE]);
    campus.settings.ocsp.answers = 3;
    let mut desk = campus.desk(0, None);
    for certificate in 0..3 {
        desk.seen(at(certificate.into()), [campus.question(certificate)]);
    }
    desk.seen(at(4), [campus.question(0)]);
    desk.seen(at(5), [campus.question(3)]);
    assert_eq!(desk.certificates(), 3);
    let mut asked: Vec<_> = campus.queries(&mut desk, 6).into_iter().map(|query| query.question).collect();
    asked.sort_by_key(|question| question.serial.clone());
    assert_eq!(asked, [0, 2, 3].map(|certificate| campus.question(certificate)));
    desk.seen(at(7), (10..60).map(|certificate| campus.question(certificate)));
    assert!(desk.certificates() <= 53, "only those under way stay beyond the bound");
}

#[test]
fn after_a_failure_it_is_asked_again_soon() {
    let campus = Campus::new(&[ONE]);
    let mut desk = campus.desk(0, None);
    desk.seen(at(0), [campus.question(1)]);
    let query = campus.query(&mut desk, 0);
    campus.fails(&mut desk, query, 0);
    assert_eq!(campus.queries(&mut desk, 8).len(), 0);
    assert_eq!(campus.queries(&mut desk, 11).len(), 1);
}
