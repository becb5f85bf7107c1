//! Keys of one-time passwords, and that no code of theirs is used twice.

use super::certificates::{NOW, line};
use super::{Here, run};
use crate::store::{Change, Enrolled, Store};

fn enrolled(user: &str, sealed: &[u8]) -> Enrolled {
    Enrolled { user: user.into(), sealed: sealed.to_vec(), last: None, at: NOW, by: "desk".into() }
}

fn enrol(store: &Store, user: &str, sealed: &[u8], replace: bool) -> Change<Enrolled> {
    run(store.enrol(enrolled(user, sealed), replace, line())).expect("it can be written")
}

fn of(store: &Store, user: &str) -> Option<Enrolled> {
    run(store.otp_of(user)).expect("it can be read")
}

fn used(store: &Store, user: &str, step: u64) -> bool {
    let enrolled = of(store, user).expect("enrolled");
    run(store.use_code(&enrolled, step)).expect("it can be written")
}

#[test]
fn a_user_has_one_key_whatever_his_case_and_another_only_where_that_is_wanted() {
    let here = Here::new();
    let store = here.store();
    assert!(matches!(enrol(&store, "Hanako@X", b"one", false), Change::Made(_)));
    assert_eq!(enrol(&store, "HANAKO@x", b"two", false), Change::Held);
    assert_eq!(of(&store, "hanako@X"), Some(enrolled("hanako@x", b"one")));
    assert!(used(&store, "hanako@x", 7));
    assert!(matches!(enrol(&store, "hanako@x", b"two", true), Change::Made(_)));
    assert_eq!(of(&store, "hanako@x"), Some(enrolled("hanako@x", b"two")), "no code of it has been used");
    assert_eq!(of(&store, "taro@x"), None);
    // What was refused isn't in the audit.
    assert_eq!(run(store.audited(None, 10)).expect("it can be read").len(), 2);
    assert_eq!(run(store.unenrol("HANAKO@X", line())), Ok(Change::Made(())));
    assert_eq!(run(store.unenrol("hanako@x", line())), Ok(Change::Missing));
    assert_eq!(of(&store, "hanako@x"), None);
    assert_eq!(run(store.audited(None, 10)).expect("it can be read").len(), 3);
}

#[test]
fn a_step_is_used_once_and_none_before_it_and_that_outlives_the_process() {
    let mut here = Here::new();
    let store = here.store();
    enrol(&store, "hanako@x", b"one", false);
    assert!(used(&store, "hanako@x", 100));
    assert!(!used(&store, "hanako@x", 100) && !used(&store, "hanako@x", 99));
    drop(store);
    here.again();
    let store = here.store();
    assert_eq!(of(&store, "hanako@x").and_then(|it| it.last), Some(100));
    assert!(!used(&store, "hanako@x", 100) && used(&store, "hanako@x", 101));
    assert!(!used(&store, "hanako@x", u64::MAX));
}

#[test]
fn of_many_who_use_a_code_at_the_same_moment_one_wins() {
    let here = Here::new();
    let store = here.store();
    enrol(&store, "hanako@x", b"one", false);
    let enrolled = of(&store, "hanako@x").expect("enrolled");
    let won = run(async {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (store, enrolled) = (store.clone(), enrolled.clone());
            all.spawn(async move { store.use_code(&enrolled, 100).await.expect("it can be written") });
        }
        all.join_all().await.into_iter().filter(|won| *won).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_code_of_a_key_that_has_been_replaced_or_taken_away_meanwhile_is_used_by_nobody() {
    let here = Here::new();
    let store = here.store();
    enrol(&store, "hanako@x", b"one", false);
    let old = of(&store, "hanako@x").expect("enrolled");
    enrol(&store, "hanako@x", b"two", true);
    assert_eq!(run(store.use_code(&old, 100)), Ok(false));
    assert_eq!(of(&store, "hanako@x").and_then(|it| it.last), None);
    run(store.unenrol("hanako@x", line())).expect("it can be written");
    assert_eq!(run(store.use_code(&old, 100)), Ok(false));
}
