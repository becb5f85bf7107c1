use super::*;
use crate::sessions::{Kept, State};

#[test]
fn without_accounting_a_session_ends_with_its_session_timeout() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("a"));
    bench.wait(8 * HOUR);
    assert_eq!(bench.sessions.len(), 1, "the NAS may be slow");
    bench.wait(Duration::from_secs(301));
    assert_eq!(bench.ended(), [(id, End::Silent)]);
    assert_eq!(bench.sessions.poll_timeout(), None);
}

#[test]
fn who_told_of_itself_every_quarter_of_an_hour_and_falls_silent_has_gone() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    bench.account(&bench.record(Status::Start, "A", "a"));
    for octets in 1..=3 {
        bench.wait(Duration::from_secs(15 * 60));
        bench.account(&Record { octets_in: Some(octets), ..bench.record(Status::Interim, "A", "a") });
    }
    bench.wait(Duration::from_secs(44 * 60));
    assert_eq!(bench.sessions.len(), 1);
    bench.wait(Duration::from_secs(2 * 60));
    assert!(bench.sessions.is_empty());
}

#[test]
fn an_update_at_once_does_not_mean_that_the_next_comes_soon() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    bench.account(&bench.record(Status::Start, "A", "a"));
    // It has learned its address.
    bench.wait(Duration::from_secs(2));
    bench.account(&bench.record(Status::Interim, "A", "a"));
    bench.wait(HOUR);
    bench.account(&bench.record(Status::Interim, "A", "a"));
    assert_eq!(bench.only().user.as_deref(), Some("user1"));
    bench.wait(2 * HOUR);
    assert_eq!(bench.sessions.len(), 1);
}

#[test]
fn what_has_no_room_goes_first_if_no_nas_accounts_for_it() {
    let mut bench = Bench::with(3);
    bench.admit(1, &marks("a"));
    bench.account(&bench.record(Status::Start, "A", "a"));
    let idle = bench.admit(2, &marks("b"));
    bench.admit(3, &marks("c"));
    bench.admit(4, &marks("d"));
    assert_eq!(bench.sessions.len(), 3);
    assert!(bench.sessions.get(idle).is_none());
    for station in 0..100_u32 {
        bench.account(&bench.record(Status::Start, &station.to_string(), &station.to_string()));
        assert!(bench.sessions.len() <= 3);
    }
}

#[test]
fn a_nas_that_makes_up_sessions_pushes_nobody_out_whom_we_let_in() {
    let mut bench = Bench::with(5);
    let accounted = bench.admit(1, &marks("a"));
    bench.account(&bench.record(Status::Start, "A", "a"));
    let waiting = bench.admit(2, &marks("b"));
    for station in 0..100_u32 {
        bench.account(&bench.record(Status::Start, &station.to_string(), &station.to_string()));
    }
    assert_eq!(bench.sessions.len(), 5);
    assert!(bench.sessions.get(accounted).is_some() && bench.sessions.get(waiting).is_some());
    let last = bench.admit(3, &marks("c"));
    assert!(bench.sessions.get(last).is_some() && bench.sessions.len() == 5);
}

#[test]
fn what_was_live_at_the_end_of_a_process_is_live_in_the_next_and_judged_there() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    bench.account(&bench.record(Status::Start, "A", "a"));
    bench.admit(2, &marks("b"));
    let mut kept: Vec<Kept> =
        bench.sessions.iter().map(|session| Kept { session: session.clone(), until: bench.now.wall + HOUR }).collect();
    // Over before the next began.
    let over = Session { id: SessionId(1), ..kept[0].session.clone() };
    kept.push(Kept { session: over, until: bench.now.wall });
    let mut next = Bench::new();
    next.now = Now { mono: Mono::default(), wall: bench.now.wall + Duration::from_secs(60) };
    next.revocation = revoked(&[2]);
    next.sessions.restore(next.now, kept);
    next.wait(Duration::ZERO);
    assert_eq!((next.sessions.len(), next.condemned().len()), (2, 1));
    next.account(&Record { octets_in: Some(1), ..next.record(Status::Interim, "A", "a") });
    let session = next.sessions.iter().next().expect("a session");
    assert_eq!((session.user.as_deref(), session.octets_in, &session.state), (Some("user1"), 1, &State::Good));
    next.account(&next.record(Status::Start, "B", "b"));
    assert_eq!(next.sessions.len(), 2);
}

#[test]
fn the_numbers_by_service_are_those_of_the_table() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    let version = bench.sessions.counts_version();
    bench.account(&bench.record(Status::Start, "X", "x"));
    assert_ne!(bench.sessions.counts_version(), version);
    let mut counts: Vec<_> =
        bench.sessions.counts().map(|(service, count)| (service.map(ToString::to_string), count)).collect();
    counts.sort();
    assert_eq!(counts, [(None, 1), (Some("JAIST".to_owned()), 1)]);
    bench.wait(48 * HOUR);
    assert!(bench.sessions.counts().all(|(_, count)| count == 0), "their gauges go to zero");
}
