use super::*;
use crate::store::{Decisions, FILE, Failure, Trace};

async fn count(store: &Store) -> Result<i64, Failure> {
    store
        .read(|connection| {
            Box::pin(async move { sqlx::query_scalar("SELECT count(*) FROM audit").fetch_one(connection).await })
        })
        .await
}

async fn insert(store: &Store, id: i64) -> Result<(), Failure> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let insert = "INSERT INTO audit (id, at, caller, role, action, target, detail) VALUES (?, 0, '', '', '', '', '')";
                sqlx::query(insert).bind(id).execute(connection).await.map(drop)
            })
        })
        .await
}

#[test]
fn what_was_answered_is_there_when_it_is_opened_again() {
    let mut here = Here::new();
    run(insert(&here.store(), 1)).expect("written");
    here.again();
    assert_eq!(run(count(&here.store())), Ok(1));
}

#[test]
fn one_refused_job_spoils_no_other_of_its_batch() {
    let here = Here::new();
    let store = here.store();
    let results = run(async {
        let jobs = [1, 2, 2, 3].map(|id| {
            let store = store.clone();
            tokio::spawn(async move { insert(&store, id).await })
        });
        let mut results = Vec::new();
        for job in jobs {
            results.push(job.await.expect("no panic").is_ok());
        }
        results
    });
    assert_eq!(results, [true, true, false, true]);
    assert_eq!(run(count(&store)), Ok(3));
    assert_eq!(store.health().fault, None);
}

#[test]
fn what_is_refused_first_spoils_no_other_of_its_batch() {
    let here = Here::new();
    let store = here.store();
    run(insert(&store, 1)).expect("written");
    let results = run(async {
        let busy = Busy::begin(&store).await;
        let jobs = [1, 2, 1, 3].map(|id| {
            let store = store.clone();
            tokio::spawn(async move { insert(&store, id).await })
        });
        tokio::task::yield_now().await;
        store.trace(Trace::Decided(Box::default()));
        busy.end().await;
        let mut results = Vec::new();
        for job in jobs {
            results.push(job.await.expect("no panic").is_ok());
        }
        results
    });
    assert_eq!(results, [false, true, false, true]);
    assert_eq!(run(count(&store)), Ok(3));
    assert_eq!(run(store.decisions(Decisions::default(), None, 9)).map(|found| found.len()), Ok(1));
}

#[test]
fn a_damaged_file_is_told_and_stops_nobody() {
    let mut here = Here::new();
    run(insert(&here.store(), 1)).expect("written");
    here.close();
    std::fs::write(here.scratch.path().join(FILE), vec![7; 40_000]).expect("damaged");
    let (store, thread) = Store::open(here.scratch.path()).expect("it starts all the same");
    assert!(store.health().fault.is_some());
    assert!(matches!(run(insert(&store, 2)), Err(Failure::Unusable(_))));
    assert!(run(count(&store)).is_err());
    assert_eq!(store.health().failed, 1);
    drop(store);
    thread.join().expect("it ends");
    (here.store, here.thread) = (None, None);
}

#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let here = Here::new();
    run(insert(&here.store(), 1)).expect("written");
    for file in [FILE.to_owned(), format!("{FILE}-wal")] {
        let mode = std::fs::metadata(here.scratch.path().join(&file)).expect(&file).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_directory_has_one_server() {
    let here = Here::new();
    let refused = Store::open(here.scratch.path()).map(drop).expect_err("it is another's");
    assert!(refused.to_string().contains("another server"), "{refused}");
    run(insert(&here.store(), 1)).expect("nothing has happened to the first");
    let mut here = here;
    here.again();
}

/// 4 KiB.
async fn insert_much(store: &Store) -> Result<(), Failure> {
    store
        .write(|connection| {
            Box::pin(async move {
                let insert = "INSERT INTO audit (at, caller, role, action, target, detail) VALUES (0, '', '', '', '', hex(zeroblob(2048)))";
                sqlx::query(insert).execute(connection).await.map(drop)
            })
        })
        .await
}

/// Looks, and goes on looking for a while.
async fn look_long(store: &Store) {
    let look = store.read(|connection| {
        Box::pin(async move {
            for _ in 0..4 {
                let first: i64 = sqlx::query_scalar("SELECT count(*) FROM probe").fetch_one(&mut *connection).await?;
                assert_eq!(first, 1);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            Ok(())
        })
    });
    look.await.expect("it can be read");
}

#[test]
fn the_log_is_bounded_though_somebody_always_looks() {
    let here = Here::new();
    let store = here.store();
    let log = here.scratch.path().join(format!("{FILE}-wal"));
    let longest = run(async {
        let looking = [0, 20].map(|begin| {
            let store = store.clone();
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(begin)).await;
                loop {
                    look_long(&store).await;
                }
            })
        });
        let mut longest = 0;
        for _ in 0..60 {
            // Not all at once: each its own COMMIT.
            for _ in 0..50 {
                insert_much(&store).await.expect("written");
            }
            longest = longest.max(std::fs::metadata(&log).expect("it is there").len());
        }
        looking.iter().for_each(tokio::task::JoinHandle::abort);
        longest
    });
    assert!(longest < 32 << 20, "{} MiB", longest >> 20);
}

#[test]
fn whoever_catches_up_waits_for_what_is_being_written_too_and_for_nothing_where_there_is_nothing() {
    let here = Here::new();
    let store = here.store();
    run(async {
        for round in 1..=3 {
            for _ in 0..3_000 {
                store.trace(Trace::Decided(Box::default()));
            }
            // The writer has taken what there is, and is at it.
            while store.traces.capacity() < store.traces.max_capacity() {
                tokio::task::yield_now().await;
            }
            store.catch_up().await.expect("it can be written");
            let kept = store.read(|connection| {
                Box::pin(async move {
                    let count = "SELECT count(*) FROM authentication";
                    sqlx::query_scalar::<_, i64>(count).fetch_one(connection).await
                })
            });
            assert_eq!(kept.await, Ok(round * 3_000));
        }
        store.close();
        while store.write(|_| Box::pin(async { Ok(()) })).await.is_ok() {}
        assert_eq!(store.catch_up().await, Ok(()), "nothing waits, so nobody is asked to write");
    });
}
