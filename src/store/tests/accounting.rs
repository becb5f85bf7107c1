use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::now::Wall;
use crate::sessions::{Device, End, Kept, Marks, Record, Session, SessionId, Stage, Status, Tie};
use crate::store::{Entry, Failure, Wanted};

fn device() -> Device {
    Device {
        nas: "ap".into(),
        peer: "2001:db8::1".parse().expect("an address"),
        identifier: Some("ap-7".into()),
        address: None,
    }
}

fn record(status: Status, happened: i64) -> Record {
    Record {
        device: device(),
        status,
        marks: Marks { acct_session: Some("A".into()), station: Some("02:00:00:00:00:01".into()), ..Marks::default() },
        certificate: Some([7; 32]),
        user_name: Some("hanako".into()),
        nas_port: Some(u32::MAX),
        framed_ip: Some("198.51.100.1".parse().expect("an address")),
        framed_ipv6: None,
        octets_in: Some(u64::MAX),
        octets_out: Some(0),
        session_time: Some(60),
        terminate_cause: None,
        happened: Wall(happened),
        stamp: None,
    }
}

pub(super) fn kept(id: u64, user: &str) -> Kept {
    let mut session = Session::new(SessionId(id), Arc::new(device()), Wall(1_000));
    session.stage = Stage::Provisional;
    session.user = Some(user.into());
    session.service = Some("JAIST".into());
    session.tie = Some(Tie::Fingerprint([7; 32]));
    session.acct_session = Some("A".into());
    session.station = Some("02:00:00:00:00:01".into());
    session.framed_ip = Some("198.51.100.1".parse().expect("an address"));
    session.framed_ipv6 = Some("2001:db8::2".parse().expect("an address"));
    session.octets_in = 5 << 32;
    session.timeout = Some(Duration::from_secs(3_600));
    session.interval = Some(Duration::from_secs(900));
    session.interims = 3;
    session.method = crate::event::Method::Authorize;
    Kept { session, until: Wall(5_000) }
}

pub(super) fn enter(store: &Store, entries: impl Into<Arc<[Entry]>>) -> Result<(), Failure> {
    run(store.enter(entries.into()))
}

fn records(store: &Store) -> i64 {
    let count = store.read(|connection| {
        Box::pin(async move { sqlx::query_scalar("SELECT count(*) FROM accounting").fetch_one(connection).await })
    });
    run(count).expect("a look")
}

fn live(store: &Store, wanted: Wanted) -> Vec<Kept> {
    run(store.sessions(Wanted { most: 100, ..wanted })).expect("a look")
}

#[test]
fn a_record_that_comes_again_is_there_once() {
    let mut here = Here::new();
    let once = Entry::Record(Box::new(record(Status::Start, 1_000)));
    enter(&here.store(), [once.clone(), once.clone()]).expect("written");
    // Reckoned from another packet, a second off; and after a restart.
    here.again();
    let again = Entry::Record(Box::new(record(Status::Start, 1_001)));
    enter(&here.store(), [again, once]).expect("written");
    assert_eq!(records(&here.store()), 1);
}

#[test]
fn another_session_time_status_or_device_is_another_record() {
    let here = Here::new();
    let start = record(Status::Start, 1_000);
    let others = [
        start.clone(),
        record(Status::Start, 1_011),
        record(Status::Stop, 1_000),
        record(Status::Interim, 1_000),
        Record { octets_out: Some(1), ..record(Status::Interim, 1_000) },
        Record { marks: Marks::default(), ..record(Status::On, 1_000) },
        Record { device: Device { identifier: None, ..device() }, ..start.clone() },
        Record { marks: Marks { acct_session: Some("a".into()), ..start.marks.clone() }, ..start.clone() },
        // Where the NAS says when, a second is a difference.
        Record { stamp: Some(Wall(2_000)), ..start.clone() },
        Record { stamp: Some(Wall(2_001)), ..start },
    ];
    let entries: Vec<_> = others.into_iter().map(|record| Entry::Record(Box::new(record))).collect();
    for _ in 0..2 {
        enter(&here.store(), entries.clone()).expect("written");
        assert_eq!(records(&here.store()), 10);
    }
}

#[test]
fn sessions_come_back_as_they_were_until_they_have_ended() {
    let mut here = Here::new();
    let (one, two) = (kept(1, "Hanako"), kept(2, "taro"));
    let put = |kept: &Kept| Entry::Put(Box::new(kept.clone()));
    enter(&here.store(), [put(&two), put(&one)]).expect("written");
    here.again();
    assert_eq!(live(&here.store(), Wanted::default()), [one.clone(), two.clone()]);
    let of_user = |user: &str| Wanted { user: Some(user.to_owned()), ..Wanted::default() };
    assert_eq!(live(&here.store(), of_user("HANAKO")), std::slice::from_ref(&one));
    assert_eq!(live(&here.store(), Wanted { fingerprint: Some([8; 32]), ..Wanted::default() }), []);
    let mut more = Wanted { fingerprint: Some([7; 32]), service: Some("JAIST".to_owned()), ..Wanted::default() };
    more.after = Some(SessionId(1));
    assert_eq!(live(&here.store(), more), std::slice::from_ref(&two));
    let mut later = one;
    later.session.stage = Stage::Started;
    later.session.updated = Wall(2_000);
    let ended = Entry::Ended(vec![SessionId(2), SessionId(3)], End::Stop, Wall(2_000));
    enter(&here.store(), [put(&later), ended]).expect("written");
    assert_eq!(live(&here.store(), Wanted::default()), [later]);
}

#[test]
fn what_is_older_than_is_kept_goes_and_live_sessions_stay() {
    let here = Here::new();
    let store = here.store();
    let put = |id| Entry::Put(Box::new(kept(id, "hanako")));
    let ended = |id, at| Entry::Ended(vec![SessionId(id)], End::Silent, Wall(at));
    let records = [1_000, 3_000].map(|at| Entry::Record(Box::new(record(Status::Start, at))));
    let sessions = [put(1), put(2), put(3), ended(1, 1_000), ended(2, 3_000)];
    enter(&store, records.into_iter().chain(sessions).collect::<Vec<_>>()).expect("written");
    assert_eq!(run(store.purge_sessions(Wall(2_000))), Ok(2));
    assert_eq!(run(store.purge_sessions(Wall(2_000))), Ok(0));
    assert_eq!(live(&store, Wanted::default()).len(), 1);
}

#[test]
fn what_becomes_of_a_session_counts_in_its_order() {
    let put = |id, user: &str| Entry::Put(Box::new(kept(id, user)));
    let ended = |ids: &[u64], why, at| Entry::Ended(ids.iter().copied().map(SessionId).collect(), why, Wall(at));
    let entries = [
        put(1, "before"),
        put(1, "after"),
        put(2, "gone"),
        ended(&[2, 9], End::Replaced, 10),
        ended(&[2], End::Stop, 11),
        put(3, "back"),
        ended(&[3, 4], End::Silent, 12),
        put(3, "again"),
        put(5, "comes"),
        ended(&[5], End::Stop, 13),
    ];
    let (together, alone) = (Here::new(), Here::new());
    for here in [&together, &alone] {
        enter(&here.store(), [put(4, "was here"), put(9, "too"), put(10, "stays")]).expect("written");
    }
    enter(&together.store(), entries.clone()).expect("written");
    for entry in entries {
        enter(&alone.store(), [entry]).expect("written");
    }
    let all = |here: &Here| {
        let store = here.store();
        let look = store.read(|connection| {
            Box::pin(async move {
                let all = "SELECT id, user, ended, end FROM session ORDER BY id";
                sqlx::query_as::<_, (i64, String, Option<i64>, Option<String>)>(all).fetch_all(connection).await
            })
        });
        run(look).expect("a look")
    };
    assert_eq!(all(&together), all(&alone));
    let live: Vec<_> = live(&together.store(), Wanted::default()).into_iter().map(|kept| kept.session.id.0).collect();
    assert_eq!(live, [1, 3, 10]);
}
