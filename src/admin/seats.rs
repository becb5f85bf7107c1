//! Room for so many connections at once. Whoever has waited longest without asking for anything makes room: those who say nothing keep nobody out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::lock::lock;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// All the room there is.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Those that nobody does anything for, in the order in which they began to wait.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    seats: BTreeMap<u64, Arc<Notify>>,
}

impl Waiting {
    fn insert(&mut self, go: &Arc<Notify>) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.seats.insert(number, Arc::clone(go));
        number
    }
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), waiting: Arc::default() }
    }

    /// A seat for one that doesn't wait yet; where none is free, the one that has waited longest is told to go. `None`: never.
    pub(super) async fn take(&self) -> Option<Seat> {
        let place = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                self.free_one();
                Arc::clone(&self.free).acquire_owned().await.ok()?
            }
        };
        let (waiting, number, go) = (Arc::clone(&self.waiting), Mutex::default(), Arc::default());
        Some(Seat { _place: place, waiting, number, go })
    }

    fn free_one(&self) {
        if let Some((_, go)) = lock(&self.waiting).seats.pop_first() {
            go.notify_one();
        }
    }
}

/// One's own.
#[derive(Debug)]
pub(super) struct Seat {
    _place: OwnedSemaphorePermit,
    waiting: Arc<Mutex<Waiting>>,
    /// Among those that wait; `None`: it doesn't.
    number: Mutex<Option<u64>>,
    go: Arc<Notify>,
}

impl Seat {
    /// Something is done for it: it stays.
    pub(super) fn is_busy(&self) {
        let number = lock(&self.number).take();
        if let Some(number) = number {
            lock(&self.waiting).seats.remove(&number);
        }
    }

    /// It waits from now on.
    pub(super) fn waits(&self) {
        self.is_busy();
        let number = lock(&self.waiting).insert(&self.go);
        *lock(&self.number) = Some(number);
    }

    /// Ends when others need its room.
    pub(super) async fn has_to_go(&self) {
        self.go.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.is_busy();
    }
}
