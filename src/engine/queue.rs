//! Work that waits: begun conversations first, new ones only as far as they can be done in time.

use std::collections::VecDeque;
use std::time::Duration;

/// What a Step is thought to take before one has been measured.
const GUESS: Duration = Duration::from_micros(300);
/// One new measurement counts for so much of the mean.
const WEIGHT: u32 = 16;
/// A measurement counts for at most so much: a thread that was put aside says nothing of the work.
const MOST: Duration = Duration::from_millis(20);

/// Numbers of conversations that wait for a Step.
#[derive(Debug)]
pub(super) struct Queue {
    begun: VecDeque<u64>,
    fresh: VecDeque<u64>,
    mean_begun: Duration,
    mean_fresh: Duration,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { begun: VecDeque::new(), fresh: VecDeque::new(), mean_begun: GUESS, mean_fresh: GUESS }
    }

    pub(super) fn push(&mut self, number: u64, begun: bool) {
        if begun { self.begun.push_back(number) } else { self.fresh.push_back(number) }
    }

    /// The next, and whether it is of a begun conversation.
    pub(super) fn pop(&mut self) -> Option<(u64, bool)> {
        self.begun
            .pop_front()
            .map(|number| (number, true))
            .or_else(|| self.fresh.pop_front().map(|number| (number, false)))
    }

    pub(super) fn len(&self) -> usize {
        self.begun.len() + self.fresh.len()
    }

    /// How much work waits.
    pub(super) fn waiting(&self) -> Duration {
        let of = |mean: Duration, waiting: usize| mean.saturating_mul(u32::try_from(waiting).unwrap_or(u32::MAX));
        of(self.mean_begun, self.begun.len()).saturating_add(of(self.mean_fresh, self.fresh.len()))
    }

    /// A Step took so long.
    pub(super) fn measured(&mut self, begun: bool, took: Duration) {
        let mean = if begun { &mut self.mean_begun } else { &mut self.mean_fresh };
        *mean = (*mean * (WEIGHT - 1) + took.min(MOST)) / WEIGHT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begun_conversations_go_first_and_work_is_measured_in_time() {
        let mut queue = Queue::new();
        queue.push(1, false);
        queue.push(2, true);
        queue.push(3, false);
        assert_eq!(queue.waiting(), GUESS * 3);
        assert_eq!(
            [queue.pop(), queue.pop(), queue.pop(), queue.pop()],
            [Some((2, true)), Some((1, false)), Some((3, false)), None]
        );
        for _ in 0..200 {
            queue.measured(false, Duration::from_millis(2));
        }
        queue.push(1, false);
        assert!(queue.waiting() > Duration::from_micros(1_900));
        queue.measured(false, Duration::from_secs(3_600));
        assert!(queue.waiting() < Duration::from_millis(4));
    }
}
