//! Work that is shared by all who want it while it is done for others.

use std::sync::{Arc, Mutex as Short, OnceLock};

use tokio::sync::Mutex;

use crate::lock::lock;

/// Rounds of the same work, one after the other. Whoever wants it done is told of a round that began after he came: those who come while one is done share the next.
#[derive(Debug)]
pub(super) struct Together<T> {
    /// Held by whoever does the work.
    turn: Mutex<()>,
    /// The round that hasn't begun.
    next: Short<Arc<OnceLock<T>>>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { turn: Mutex::default(), next: Short::default() }
    }
}

impl<T: Clone> Together<T> {
    /// Waits for a round; `work` is done by one of those who want it. Who does it may be dropped meanwhile: then the next does it.
    pub(super) async fn join(&self, work: impl Future<Output = T>) -> T {
        let round = Arc::clone(&lock(&self.next));
        let _turn = self.turn.lock().await;
        if let Some(done) = round.get() {
            return done.clone();
        }
        // It begins: who comes from now on has come too late for it.
        *lock(&self.next) = Arc::default();
        let done = work.await;
        round.get_or_init(|| done).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn many_share_a_round_that_began_after_they_came() {
        let (together, rounds, written) = (Together::default(), Cell::new(0), Cell::new(0));
        run(async {
            // Each changes something, and wants a round that has seen it.
            let one = async |number: usize| {
                for _ in 0..number % 5 {
                    tokio::task::yield_now().await;
                }
                written.set(written.get() + 1);
                let mine = written.get();
                let work = async {
                    let seen = written.get();
                    rounds.set(rounds.get() + 1);
                    tokio::task::yield_now().await;
                    seen
                };
                assert!(together.join(work).await >= mine, "its round knows of it");
            };
            futures_of((0..100).map(one)).await;
        });
        assert!((2..=10).contains(&rounds.get()), "{} rounds", rounds.get());
    }

    #[test]
    fn whoever_is_dropped_while_he_does_it_for_all_leaves_it_to_the_next() {
        let together = Together::default();
        run(async {
            let never = std::future::pending::<u8>();
            let first = tokio::time::timeout(Duration::from_millis(1), together.join(never));
            let (dropped, second, third) = tokio::join!(first, together.join(async { 2 }), together.join(async { 3 }));
            assert!(dropped.is_err());
            assert_eq!((second, third), (2, 2));
        });
    }

    /// All at once.
    async fn futures_of(all: impl Iterator<Item = impl Future<Output = ()>>) {
        let mut all: Vec<_> = all.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            all.retain_mut(|one| one.as_mut().poll(context).is_pending());
            if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}
