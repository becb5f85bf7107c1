//! How many certificates can be blocked in a second, where some are blocked already: by one caller after the other, and by many at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::house::{House, Serving};

/// Callers at once.
const AT_ONCE: usize = 16;

/// Blocks in a second, one after the other, then [`AT_ONCE`] at once, with so many there before; and the server's time of the processor for each, ms.
pub(crate) fn measure(house: &House, before: usize, number: usize) -> Vec<(String, String)> {
    let serving = house.start();
    let next = AtomicUsize::new(0);
    round(&serving, &next, before, AT_ONCE);
    let mut lines = Vec::new();
    for callers in [1, AT_ONCE] {
        let used = serving.ticks();
        let begun = Instant::now();
        round(&serving, &next, number, callers);
        let each = number as f64 / begun.elapsed().as_secs_f64();
        let used = (serving.ticks() - used) as f64 * 10.0 / number as f64;
        lines.push((
            format!("blocks a second, {before} there before, {callers} at once; processor for each"),
            format!("{each:.0}; {used:.1} ms"),
        ));
    }
    serving.stop();
    lines
}

fn round(serving: &Serving, next: &AtomicUsize, number: usize, callers: usize) {
    thread::scope(|scope| {
        for caller in 0..callers {
            let share = number / callers + usize::from(caller < number % callers);
            scope.spawn(move || {
                for _ in 0..share {
                    let serial = 0x40_0000 + next.fetch_add(1, Ordering::Relaxed);
                    let path = format!("/api/v1/certificates/campus:{serial:06x}/revocation");
                    assert_eq!(serving.post(&path, &json!({ "note": "of the bench" })).status, 200);
                }
            });
        }
    });
}
