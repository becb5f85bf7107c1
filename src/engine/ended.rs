//! Last answers of conversations that have ended, for a NAS that hasn't got them and asks again after the hop has forgotten.

use std::collections::VecDeque;
use std::time::Duration;

use crate::access::{Asked, Farewell};
use crate::exchange::Reply;
use crate::now::Mono;
use crate::quick::Map;

/// Last answers by the conversation's number; bounded by age and count.
#[derive(Debug)]
pub(super) struct Ended {
    farewells: Map<u64, Farewell>,
    order: VecDeque<(Mono, u64)>,
    capacity: usize,
    keep: Duration,
}

impl Ended {
    pub(super) fn new(capacity: usize, keep: Duration) -> Self {
        Self { farewells: Map::default(), order: VecDeque::new(), capacity, keep }
    }

    pub(super) fn insert(&mut self, now: Mono, number: u64, farewell: Farewell) {
        self.expire(now);
        if self.order.len() >= self.capacity {
            self.forget_oldest();
        }
        self.order.push_back((now + self.keep, number));
        self.farewells.insert(number, farewell);
    }

    /// The last answer, if this asks for it again.
    pub(super) fn again(&self, number: u64, asked: &Asked) -> Option<Reply> {
        self.farewells.get(&number)?.again(asked)
    }

    /// What was decided rests on what is no longer in force.
    pub(super) fn clear(&mut self) {
        self.farewells.clear();
        self.order.clear();
    }

    pub(super) fn deadline(&self) -> Option<Mono> {
        self.order.front().map(|(until, _)| *until)
    }

    pub(super) fn expire(&mut self, now: Mono) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, number)) = self.order.pop_front() {
            self.farewells.remove(&number);
        }
    }
}
