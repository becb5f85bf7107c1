use super::*;
use crate::sessions::Tie;

#[test]
fn an_accept_opens_a_session_that_start_confirms_and_stop_ends() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("02:00:00:00:00:01"));
    assert_eq!(bench.only().stage, Stage::Provisional);
    bench.turn(Duration::from_secs(2));
    bench.account(&bench.record(Status::Start, "A", "02:00:00:00:00:01"));
    let session = bench.only();
    assert_eq!((session.id, session.stage, session.acct_session.as_deref()), (id, Stage::Started, Some("A")));
    assert_eq!((session.user.as_deref(), session.service.as_deref()), (Some("user1"), Some("JAIST")));
    bench.turn(HOUR);
    let interim =
        Record { octets_in: Some(7), octets_out: Some(9), ..bench.record(Status::Interim, "A", "02:00:00:00:00:01") };
    bench.account(&interim);
    assert_eq!((bench.only().octets_in, bench.only().octets_out, bench.only().updated), (7, 9, bench.now.wall));
    bench.account(&bench.record(Status::Stop, "A", "02:00:00:00:00:01"));
    assert_eq!(bench.ended(), [(id, End::Stop)]);
    assert!(bench.sessions.is_empty());
}

#[test]
fn a_class_finds_the_certificate_whatever_else_is_said() {
    let mut bench = Bench::new();
    // The same station twice: one that never began at one access point, one at another.
    bench.admit_at("192.0.2.9", 2, &named("02:00:00:00:00:01", "old"));
    let fingerprint = *bench.only().fingerprint().expect("it is tied");
    let record = Record { certificate: Some(fingerprint), ..bench.record(Status::Start, "A", "02:00:00:00:00:01") };
    bench.account(&record);
    assert_eq!(bench.only().user.as_deref(), Some("user2"));
    // A Class of somebody else's is no reason to take over his session.
    let record = Record { certificate: Some([9; 32]), ..bench.record(Status::Start, "B", "02:00:00:00:00:01") };
    bench.account(&record);
    let other = bench.sessions.iter().find(|session| session.acct_session.as_deref() == Some("B")).expect("a session");
    assert_eq!((other.user.as_deref(), other.tie.clone()), (None, Some(Tie::Fingerprint([9; 32]))));
}

#[test]
fn a_record_that_comes_again_changes_nothing() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("02:00:00:00:00:01"));
    let start = bench.record(Status::Start, "A", "02:00:00:00:00:01");
    for _ in 0..3 {
        bench.account(&start);
        bench.turn(Duration::from_secs(1));
    }
    assert_eq!((bench.only().started, bench.only().interims), (start.happened, 0));
    let stop = bench.record(Status::Stop, "A", "02:00:00:00:00:01");
    bench.account(&stop);
    bench.account(&stop);
    assert_eq!(bench.ended().len(), 1);
}

#[test]
fn a_start_that_comes_after_its_stop_brings_nobody_back() {
    let mut bench = Bench::new();
    let start = bench.record(Status::Start, "A", "02:00:00:00:00:01");
    bench.turn(Duration::from_secs(5));
    let interim = bench.record(Status::Interim, "A", "02:00:00:00:00:01");
    bench.account(&bench.record(Status::Stop, "A", "02:00:00:00:00:01"));
    bench.account(&start);
    bench.account(&interim);
    assert!(bench.sessions.is_empty());
    // Later the name may be used again.
    bench.turn(Duration::from_secs(5));
    bench.account(&bench.record(Status::Start, "A", "02:00:00:00:00:02"));
    assert_eq!(bench.sessions.len(), 1);
}

#[test]
fn a_stop_whose_start_was_lost_ends_what_the_accept_opened_and_no_later_one() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("02:00:00:00:00:01"));
    bench.turn(Duration::from_secs(60));
    let stop = bench.record(Status::Stop, "A", "02:00:00:00:00:01");
    // Of a session before: this one began after it.
    let earlier = Record { session_time: Some(3_600), ..stop.clone() };
    bench.account(&earlier);
    bench.account(&stop);
    assert_eq!(bench.only().id, id, "without Acct-Session-Time nobody knows whose it is");
    bench.account(&Record { session_time: Some(59), ..stop });
    assert!(bench.sessions.is_empty());
}

#[test]
fn a_nas_that_restarts_ends_its_sessions_and_no_other_device_does() {
    let mut bench = Bench::new();
    for (peer, station) in [("192.0.2.1", "a"), ("192.0.2.1", "b"), ("192.0.2.2", "c")] {
        bench.admit_at(peer, 1, &marks(station));
    }
    let off = Record { marks: Marks::default(), ..bench.record(Status::Off, "", "") };
    bench.turn(Duration::from_secs(30));
    // It comes late, and happened before this one was let in.
    bench.admit(1, &marks("d"));
    bench.account(&off);
    let stations: Vec<_> = bench.sessions.iter().filter_map(|session| session.station.as_deref()).collect();
    assert_eq!(stations, ["c", "d"]);
    bench.turn(Duration::from_secs(1));
    let on = Record { marks: Marks::default(), ..bench.record(Status::On, "", "") };
    bench.account(&on);
    assert_eq!(bench.only().station.as_deref(), Some("c"));
    assert!(bench.ended().iter().all(|(_, why)| *why == End::Restart));
}

#[test]
fn one_network_of_an_access_point_that_restarts_ends_no_session_of_another() {
    let mut bench = Bench::new();
    for called in ["02:00:00:00:00:0a", "02:00:00:00:00:0b"] {
        bench.admit(1, &Marks { called: Some(called.into()), ..marks(called) });
    }
    bench.turn(Duration::from_secs(1));
    let on = bench.record(Status::On, "", "");
    bench.account(&Record { marks: Marks { called: Some("02:00:00:00:00:0a".into()), ..Marks::default() }, ..on });
    assert_eq!(bench.only().called.as_deref(), Some("02:00:00:00:00:0b"));
}

#[test]
fn a_station_that_logs_in_again_has_one_session_whoever_it_is_now() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("02:00:00:00:00:01"));
    bench.turn(Duration::from_secs(60));
    bench.admit(2, &marks("02:00:00:00:00:01"));
    assert_eq!((bench.only().user.as_deref(), bench.only().started), (Some("user2"), bench.now.wall));
    bench.account(&bench.record(Status::Start, "A", "02:00:00:00:00:01"));
    // It logs in again in the middle of its session.
    let id = bench.admit(3, &marks("02:00:00:00:00:01"));
    assert_eq!((bench.only().user.as_deref(), bench.only().id), (Some("user3"), id));
    assert_eq!((bench.only().stage, bench.only().acct_session.as_deref()), (Stage::Started, Some("A")));
}

#[test]
fn with_another_certificate_it_is_another_session_that_goes_on_with_what_is_known() {
    let mut bench = Bench::new();
    let first = bench.admit(1, &marks("02:00:00:00:00:01"));
    bench.account(&bench.record(Status::Start, "A", "02:00:00:00:00:01"));
    assert_eq!(bench.admit(1, &marks("02:00:00:00:00:01")), first);
    let second = bench.admit(2, &marks("02:00:00:00:00:01"));
    assert!(second > first && bench.only().id == second);
    assert!(bench.admit(1, &marks("02:00:00:00:00:01")) > second);
    bench.account(&bench.record(Status::Stop, "A", "02:00:00:00:00:01"));
    assert!(bench.sessions.is_empty(), "its NAS speaks of all of them by one name");
}

#[test]
fn a_name_that_is_used_again_for_another_station_is_another_session() {
    let mut bench = Bench::new();
    let first = bench.admit(1, &marks("02:00:00:00:00:01"));
    bench.account(&bench.record(Status::Start, "1", "02:00:00:00:00:01"));
    // The device has lost its power and says nothing of it.
    let second = bench.admit(2, &marks("02:00:00:00:00:02"));
    bench.account(&bench.record(Status::Start, "1", "02:00:00:00:00:02"));
    assert_eq!(bench.ended(), [(first, End::Replaced)]);
    assert_eq!((bench.only().id, bench.only().user.as_deref()), (second, Some("user2")));
}

#[test]
fn a_vpn_user_whose_address_changes_is_the_same_session() {
    let (home, train) = ("192.0.2.7[4500]", "198.51.100.9[1024]");
    let mut bench = Bench::new();
    let id = bench.admit(1, &named(home, "1"));
    let says = |bench: &Bench, status, station, user: &str| Record {
        user_name: Some(user.into()),
        ..bench.record(status, "1", station)
    };
    bench.account(&says(&bench, Status::Start, home, "user1"));
    bench.account(&says(&bench, Status::Interim, train, "user1"));
    assert_eq!((bench.only().id, bench.only().station.as_deref()), (id, Some(train)));
    assert_eq!((bench.only().user.as_deref(), bench.only().tie.is_some()), (Some("user1"), true));
    // It is looked for where it is now.
    assert_eq!(bench.admit(1, &marks(train)), id);
    bench.account(&says(&bench, Status::Stop, home, "user1"));
    assert_eq!(bench.ended(), [(id, End::Stop)]);
}

#[test]
fn another_user_or_a_new_beginning_or_a_mac_at_another_address_is_another_session() {
    let cases = [
        (Status::Interim, "192.0.2.7", "198.51.100.9", Some("user2")),
        (Status::Interim, "192.0.2.7", "198.51.100.9", None),
        (Status::Start, "192.0.2.7", "198.51.100.9", Some("user1")),
        (Status::Interim, "02:00:00:00:00:01", "02:00:00:00:00:02", Some("user1")),
        (Status::Interim, "192.0.2.7", "02:00:00:00:00:02", Some("user1")),
    ];
    for (status, before, after, user) in cases {
        let mut bench = Bench::new();
        let id = bench.admit(1, &named(before, "1"));
        bench.account(&bench.record(Status::Start, "1", before));
        let record = Record { user_name: user.map(Into::into), ..bench.record(status, "1", after) };
        bench.account(&record);
        assert_eq!(bench.ended(), [(id, End::Replaced)], "{record:?}");
        assert_eq!(bench.only().tie, None, "{record:?}");
    }
}

#[test]
fn devices_of_one_nas_may_use_the_same_names() {
    let mut bench = Bench::new();
    for (peer, serial, station) in [("192.0.2.1", 1, "a"), ("192.0.2.2", 2, "b")] {
        bench.admit_at(peer, serial, &marks(station));
        bench.account(&Record { device: device(peer), ..bench.record(Status::Start, "1", station) });
    }
    assert_eq!(bench.sessions.len(), 2);
    bench.account(&Record { device: device("192.0.2.2"), ..bench.record(Status::Stop, "1", "b") });
    assert_eq!(bench.only().user.as_deref(), Some("user1"));
}

#[test]
fn an_acct_session_id_in_the_request_names_the_session_from_the_accept_on() {
    let mut bench = Bench::new();
    let one = bench.admit(1, &named("", "A"));
    let two = bench.admit(2, &named("", "B"));
    bench.account(&bench.record(Status::Start, "B", ""));
    assert_eq!(bench.sessions.get(one).expect("live").stage, Stage::Provisional);
    assert_eq!(bench.sessions.get(two).expect("live").stage, Stage::Started);
    bench.account(&bench.record(Status::Stop, "A", ""));
    assert_eq!(bench.only().id, two);
}

#[test]
fn every_session_has_a_number_that_none_had_before() {
    let mut bench = Bench::new();
    let first = bench.admit(1, &marks("a"));
    bench.account(&Record { marks: Marks::default(), status: Status::Off, ..bench.record(Status::Off, "", "") });
    let mut again = Bench::new();
    again.turn(Duration::from_secs(1));
    again.sessions = Sessions::new(Settings { max_sessions: 10 }, again.now);
    assert!(bench.admit(1, &marks("a")) > first && again.admit(1, &marks("a")) > first);
}
