//! When a source is asked.

use std::ops::Range;
use std::time::Duration;

use super::super::super::schedule::{Jitter, Schedule};
use super::at;
use crate::now::{Mono, Wall};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn schedule(refresh: u64) -> Schedule {
    Schedule::new(Duration::from_secs(refresh), Mono::default())
}

/// The first of these seconds at which it is due.
fn due(schedule: &Schedule, seconds: Range<u64>) -> Option<u64> {
    seconds.into_iter().find(|second| schedule.is_due(at(*second).mono))
}

fn life(from: u64, to: u64) -> Option<Range<Wall>> {
    Some(at(from).wall..at(to).wall)
}

#[test]
fn at_once_then_every_refresh_give_or_take_a_tenth() {
    let mut schedule = schedule(300);
    assert_eq!(due(&schedule, 0..1), Some(0));
    schedule.succeeded(at(0), life(0, 7 * DAY), Jitter::SHORTEST);
    assert_eq!(due(&schedule, 0..400), Some(270));
    schedule.succeeded(at(300), life(0, 7 * DAY), Jitter::LONGEST);
    assert_eq!(due(&schedule, 300..700), Some(630));
    schedule.succeeded(at(700), None, Jitter::LONGEST);
    assert_eq!(due(&schedule, 700..1_100), Some(1_030), "it never says when the next one comes");
}

#[test]
fn before_next_update_when_a_tenth_is_left_or_an_hour() {
    let mut schedule = schedule(DAY);
    schedule.succeeded(at(0), life(0, 5 * HOUR), Jitter::SHORTEST);
    assert_eq!(due(&schedule, 0..DAY), Some(5 * HOUR - 30 * MINUTE));
    schedule.succeeded(at(0), life(0, 20 * HOUR), Jitter::LONGEST);
    assert_eq!(due(&schedule, 0..DAY), Some(19 * HOUR));
}

#[test]
fn around_next_update_it_is_asked_again_and_again_but_not_without_pause() {
    let mut schedule = schedule(DAY);
    for now in [5 * HOUR - 30 * MINUTE, 5 * HOUR - 1, 5 * HOUR, 90 * DAY] {
        schedule.succeeded(at(now), life(0, 5 * HOUR), Jitter::SHORTEST);
        assert_eq!(due(&schedule, now..now + DAY), Some(now + 3 * MINUTE));
    }
    schedule.succeeded(at(9), life(0, 10), Jitter::SHORTEST);
    assert_eq!(due(&schedule, 9..100), Some(19), "a life of seconds");
    schedule.succeeded(at(9), life(10, 0), Jitter::SHORTEST);
    assert_eq!(due(&schedule, 9..100), Some(19), "a life that ends before it begins");
}

#[test]
fn after_failures_ever_longer_up_to_a_refresh() {
    let mut schedule = schedule(300);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..40 {
        schedule.failed(at(now).mono, Jitter::LONGEST);
        let next = due(&schedule, now..now + 1_000).expect("it never gives up");
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(pauses[..7], [11, 22, 44, 88, 176, 330, 330]);
    assert!(pauses[7..].iter().all(|pause| *pause == 330));
    schedule.succeeded(at(now), None, Jitter::SHORTEST);
    schedule.failed(at(now).mono, Jitter::SHORTEST);
    assert_eq!(due(&schedule, now..now + 100), Some(now + 9), "a success starts afresh");
}

#[test]
fn a_short_refresh_shortens_the_pauses_too() {
    let mut schedule = schedule(1);
    schedule.failed(at(0).mono, Jitter::SHORTEST);
    assert_eq!(due(&schedule, 0..10), Some(1));
}

#[test]
fn jitter_has_its_bounds_whatever_chance_says() {
    for _ in 0..200 {
        let mut schedule = schedule(1_000);
        schedule.succeeded(at(0), None, Jitter::random());
        assert!(due(&schedule, 0..2_000).is_some_and(|second| (900..=1_100).contains(&second)), "{schedule:?}");
    }
}
