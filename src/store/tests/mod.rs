//! The writer: what is committed, what is refused, and what a bad file leads to.

mod accounting;
mod answering;
mod certificates;
mod disconnects;
mod otp;
mod pressure;
mod standby;
mod traces;
mod unnamed;
mod walks;
mod writing;

use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Failure, Store};
use crate::support::scratch::Scratch;

/// A registry in a directory of its own.
struct Here {
    store: Option<Store>,
    thread: Option<JoinHandle<()>>,
    scratch: Scratch,
}

impl Here {
    fn new() -> Self {
        let scratch = Scratch::new();
        let (store, thread) = Store::open(scratch.path()).expect("a thread");
        Self { store: Some(store), thread: Some(thread), scratch }
    }

    fn store(&self) -> Store {
        self.store.clone().expect("it is open")
    }

    /// Closes it and opens it again.
    fn again(&mut self) {
        self.close();
        let (store, thread) = Store::open(self.scratch.path()).expect("a thread");
        (self.store, self.thread) = (Some(store), Some(thread));
    }

    fn close(&mut self) {
        self.store = None;
        self.thread.take().expect("it is open").join().expect("it ends");
    }
}

/// Runs what has to wait.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Something is being written until [`Busy::end`]: what comes meanwhile waits.
struct Busy {
    go_on: oneshot::Sender<()>,
    writing: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Busy {
    async fn begin(store: &Store) -> Self {
        let (go_on, waits) = oneshot::channel::<()>();
        let (begun, is_busy) = std::sync::mpsc::channel();
        let store = store.clone();
        let writing = tokio::spawn(async move {
            let work = store.write(|_| {
                Box::pin(async move {
                    let _ = begun.send(());
                    let _ = waits.await;
                    Ok(())
                })
            });
            work.await
        });
        tokio::task::yield_now().await;
        is_busy.recv().expect("it is being written");
        Self { go_on, writing }
    }

    async fn end(self) {
        self.go_on.send(()).expect("it waits");
        self.writing.await.expect("no panic").expect("written");
    }
}
