//! More decisions than can be written: what there is no room for is counted, and nothing else is lost.

use super::*;
use crate::now::Wall;
use crate::store::{Decided, Decisions, TRACES, Trace};

/// Decisions for which there is no room.
const TOO_MANY: usize = 7;

#[test]
fn decisions_that_find_no_room_are_counted_and_the_others_are_kept() {
    let mut here = Here::new();
    let store = here.store();
    run(async {
        // Nothing else is written while this is.
        let busy = Busy::begin(&store).await;
        for number in 0..TRACES + TOO_MANY {
            let decided = Decided { at: Wall(number as i64), reason: "ok".into(), ..Decided::default() };
            store.trace(Trace::Decided(Box::new(decided)));
        }
        assert_eq!(store.health().dropped, TOO_MANY as u64);
        busy.end().await;
    });
    drop(store);
    here.again();
    let newest = run(here.store().decisions(Decisions::default(), None, 1)).expect("a look");
    assert_eq!(newest.first().map(|one| one.row), Some(TRACES as i64), "all that there was room for");
    assert_eq!(newest.first().map(|one| one.at), Some(Wall(TRACES as i64 - 1)));
}
