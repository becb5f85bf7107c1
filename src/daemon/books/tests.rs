//! What is written when, without anybody being woken for it.

use super::*;
use crate::sessions::{Device, End, Marks, SessionId, Status};
use crate::store::Wanted;
use crate::support::scratch::Scratch;

fn device() -> Device {
    Device { nas: "ap".into(), peer: "192.0.2.1".parse().expect("an address"), identifier: None, address: None }
}

fn put(id: u64) -> Change {
    let session = Session::new(SessionId(id), Arc::new(device()), Wall(1_000));
    Change::Put(Box::new(crate::sessions::Kept { session, until: Wall(5_000) }))
}

fn ended(id: u64) -> Change {
    Change::Ended(vec![SessionId(id)], End::Replaced, Wall(1_001))
}

fn record() -> Box<Record> {
    Box::new(Record {
        device: device(),
        status: Status::Start,
        marks: Marks::default(),
        certificate: None,
        user_name: None,
        nas_port: None,
        framed_ip: None,
        framed_ipv6: None,
        octets_in: None,
        octets_out: None,
        session_time: None,
        terminate_cause: None,
        happened: Wall(1_000),
        stamp: None,
    })
}

async fn live(store: &Store) -> Vec<u64> {
    let kept = store.sessions(Wanted { most: 100, ..Wanted::default() }).await.expect("a look");
    kept.iter().map(|kept| kept.session.id.0).collect()
}

/// Has something done with a registry of its own.
fn with_store(work: impl AsyncFnOnce(Store)) {
    let scratch = Scratch::new();
    let (store, thread) = Store::open(scratch.path()).expect("a thread");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work(store));
    drop(runtime);
    thread.join().expect("it ends");
}

#[test]
fn a_record_takes_along_what_was_told_before_it() {
    with_store(async |store| {
        let (mut books, _notes, _bookkeeping) = Bookkeeping::begin(Some(store.clone()), 8);
        for (ticket, told) in [(1, vec![put(1), put(2)]), (2, vec![ended(1), put(3)])] {
            told.into_iter().for_each(&mut books.session);
            (books.record)(Ticket(ticket), record());
            assert_eq!(books.written.recv().await, Some((Ticket(ticket), true)));
        }
        assert_eq!(live(&store).await, [2, 3]);
    });
}

#[test]
fn what_nobody_waits_for_is_written_though_nobody_is_woken_for_it() {
    with_store(async |store| {
        let (mut books, _notes, _bookkeeping) = Bookkeeping::begin(Some(store.clone()), 8);
        for id in 1..4 {
            (books.session)(put(id));
            while live(&store).await.len() < usize::try_from(id).expect("few") {
                sleep(Duration::from_millis(5)).await;
            }
        }
    });
}

#[test]
fn all_that_the_hall_has_told_is_written_when_it_has_ended() {
    with_store(async |store| {
        let (mut books, notes, bookkeeping) = Bookkeeping::begin(Some(store.clone()), 8);
        (books.session)(put(1));
        // It has been taken, and more is waited for.
        sleep(Duration::from_millis(1)).await;
        (2..=20).for_each(|id| (books.session)(put(id)));
        (1..20).for_each(|id| (books.session)(ended(id)));
        drop((books, notes));
        bookkeeping.end().await;
        assert_eq!(live(&store).await, [20]);
    });
}
