use super::*;
use crate::store::{FILE, Failure};

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
