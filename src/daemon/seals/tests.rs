use super::*;
use crate::now::Wall;
use crate::otp::{Attempts, Key, Sealer};
use crate::secret::Secret;
use crate::store::{Audited, Enrolled};
use crate::support::scratch::Scratch;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn settings(keys: &[&str]) -> Settings {
    let keys: Vec<_> = keys.iter().map(|key| Secret::new(*key)).collect();
    let attempts = Attempts { each: 5, per: Duration::from_secs(300) };
    Settings { issuer: "Campus".into(), sealer: Arc::new(Sealer::with(&keys).expect("keys")), window: 1, attempts }
}

async fn enrol(store: &Store, user: &str, by: &Settings) -> Key {
    let key = Key::random().expect("randomness");
    let sealed = by.sealer.seal(user, &key).expect("randomness");
    let enrolled = Enrolled { user: user.into(), sealed, last: None, at: Wall(0), by: "desk".into() };
    let text = || "x".to_owned();
    let line = Audited {
        row: 0,
        at: Wall(0),
        caller: text(),
        role: text(),
        action: text(),
        target: text(),
        detail: "{}".into(),
    };
    store.enrol(enrolled, false, line).await.expect("it can be written");
    key
}

#[test]
fn all_keys_come_under_the_first_and_those_that_none_opens_stay_and_are_told_of() {
    let scratch = Scratch::new();
    let (store, thread) = Store::open(scratch.path()).expect("a thread");
    let (old, both, new) = (settings(&["old"]), settings(&["new", "old"]), settings(&["new"]));
    run(async {
        let mut keys = Vec::new();
        for number in 0..600 {
            let user = format!("user{number}");
            let key = enrol(&store, &user, &old).await;
            keys.push((user, key));
        }
        let used = store.otp_of("user7").await.expect("read").expect("enrolled");
        assert_eq!(store.use_code(&used, 100).await, Ok(true));
        enrol(&store, "lost", &settings(&["lost"])).await;

        let seals = Seals::default();
        assert_eq!(seals.round(&store, &new).await.map(|(moved, _)| moved), Ok(0));
        assert_eq!(seals.0.load_full().as_deref(), Some(&Count { first: 0, older: 0, none: 601 }));
        assert!(seals.complaint().is_some_and(|text| text.starts_with("601 users' ")));
        assert_eq!(seals.round(&store, &both).await.map(|(moved, _)| moved), Ok(600));
        assert_eq!(seals.0.load_full().as_deref(), Some(&Count { first: 600, older: 0, none: 1 }));
        assert!(seals.complaint().is_some_and(|text| text.starts_with("1 user's ")));
        assert_eq!(seals.round(&store, &new).await.map(|(moved, _)| moved), Ok(0), "nothing is left of the old one");
        for (user, key) in &keys {
            let enrolled = store.otp_of(user).await.expect("read").expect("enrolled");
            assert_eq!(new.sealer.open(user, &enrolled.sealed).as_ref(), Ok(key));
            assert!(old.sealer.open(user, &enrolled.sealed).is_err());
        }
        let used = store.otp_of("user7").await.expect("read").expect("enrolled");
        assert_eq!(used.last, Some(100), "no used code is good again");
    });
    store.close();
    thread.join().expect("it ends");
}
