//! What waits for an operator, and what he has decided, over restarts.

use std::collections::BTreeSet;

use super::accounting::{enter, kept};
use super::*;
use crate::event::Reason;
use crate::now::Wall;
use crate::sessions::disconnect::{Batch, BatchId, Cause, Past};
use crate::sessions::{End, SessionId};
use crate::store::{Audited, Decision, Endings, Entry, Settled};

const NOW: Wall = Wall(1_800_000_000);

fn ids(ids: impl IntoIterator<Item = u64>) -> BTreeSet<SessionId> {
    ids.into_iter().map(SessionId).collect()
}

fn batch(id: u64, sessions: std::ops::Range<u64>) -> Batch {
    let cause = Cause { reason: Reason::Revoked, authority: Some("ca16".into()) };
    Batch { id: BatchId(id), cause, since: NOW, sessions: ids(sessions) }
}

fn settle(store: &Store, id: u64, batch: Option<Batch>, decision: Decision) -> Settled {
    let audited = Audited {
        row: 0,
        at: NOW,
        caller: "desk".into(),
        role: "operator".into(),
        action: decision.name().into(),
        target: id.to_string(),
        detail: "{}".into(),
    };
    run(store.settle(BatchId(id), batch, decision, NOW, audited)).expect("it is written")
}

fn past(store: &Store) -> Past {
    run(store.past(Wall(NOW.0 - 60))).expect("a look")
}

fn lines(store: &Store) -> usize {
    run(store.audited(None, 100)).expect("a look").len()
}

/// Ten live sessions, and two batches of them.
fn here() -> Here {
    let here = Here::new();
    let mut entries: Vec<_> = (0..10).map(|id| Entry::Put(Box::new(kept(id, "hanako")))).collect();
    entries.extend([batch(71, 0..3), batch(72, 3..6)].map(|batch| Entry::Held(Box::new(batch))));
    enter(&here.store(), entries).expect("they are written");
    here
}

#[test]
fn what_waits_is_there_again_less_what_has_ended_or_was_pardoned() {
    let mut here = here();
    enter(
        &here.store(),
        [Entry::Ended(vec![SessionId(0)], End::Stop, NOW), Entry::Pardoned(vec![SessionId(1), SessionId(4)])],
    )
    .expect("they are written");
    here.again();
    let past = past(&here.store());
    assert_eq!(past.held, [batch(71, 2..3), Batch { sessions: ids([3, 5]), ..batch(72, 0..0) }]);
    assert!(past.discarded.is_empty() && past.left.is_empty());
}

#[test]
fn the_first_decision_counts_and_is_written_down_once() {
    let mut here = here();
    let store = here.store();
    assert_eq!(settle(&store, 71, None, Decision::Released), Settled::Now(batch(71, 0..3)));
    // One that the hall has told of, and that isn't written yet.
    assert_eq!(settle(&store, 73, Some(batch(73, 6..8)), Decision::Discarded), Settled::Now(batch(73, 6..8)));
    assert_eq!(settle(&store, 70, None, Decision::Released), Settled::Missing);
    assert_eq!(lines(&store), 2);
    enter(&store, [Entry::Held(Box::new(batch(73, 6..8))), Entry::Pardoned(vec![SessionId(0), SessionId(6)])])
        .expect("they are written");
    drop(store);
    here.again();
    let store = here.store();
    assert_eq!(settle(&store, 71, None, Decision::Discarded), Settled::Otherwise);
    assert_eq!(settle(&store, 73, None, Decision::Discarded), Settled::Before(batch(73, 6..8)));
    assert_eq!(lines(&store), 2);
    let past = past(&store);
    assert_eq!((past.held, past.discarded), (vec![batch(72, 3..6)], vec![batch(73, 6..8)]));
    let mut left: Vec<_> = past.left.into_iter().collect();
    left.sort_unstable();
    assert_eq!(left, [(SessionId(1), false), (SessionId(2), false)]);
}

#[test]
fn what_went_by_itself_is_counted_and_forgotten_in_time() {
    let here = here();
    let store = here.store();
    enter(
        &store,
        [Entry::Going(ids([6, 7]), NOW), Entry::Going(ids([8]), Wall(NOW.0 - 60)), Entry::Pardoned(vec![SessionId(9)])],
    )
    .expect("they are written");
    let Past { left, counted, .. } = past(&store);
    assert_eq!((left.len(), counted), (3, vec![(NOW, 2)]));
    assert_eq!(run(store.endings(Endings::default(), None, 10)), Ok(Vec::new()));
    // Whoever is live keeps what was decided about him.
    assert_eq!(run(store.purge_sessions(Wall(NOW.0 + 1))), Ok(0));
    enter(&store, [Entry::Ended((0..10).map(SessionId).collect(), End::Stop, NOW)]).expect("it is written");
    while run(store.purge_sessions(Wall(NOW.0 + 1))).expect("it is written") > 0 {}
    assert_eq!(settle(&store, 71, None, Decision::Released), Settled::Missing);
    assert!(past(&store).counted.is_empty());
}
