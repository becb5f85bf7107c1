//! The mass guard.

use super::*;
use crate::event::Reason;
use crate::sessions::Condemned;
use crate::sessions::disconnect::{Automatic, Batch, BatchId, Guard, Past};

const BY: Automatic = Automatic { enabled: true, at_most: 3, per: HOUR };

struct Gate {
    guard: Guard,
    now: Now,
}

impl Gate {
    fn new() -> Self {
        let now = Now { mono: Mono::default(), wall: campus::NOW };
        Self { guard: Guard::restored(now, Past::default(), |_| true), now }
    }

    /// Sessions of these numbers are condemned; whether each goes at once.
    fn condemned(&mut self, by: Automatic, reason: Reason, ids: std::ops::Range<u64>) -> Vec<bool> {
        let own = matches!(reason, Reason::Blocked | Reason::UserBlocked);
        let why = Condemned { reason, evidence: Vec::new(), since: self.now.wall, own };
        let session = |id| Session::new(SessionId(id), device("192.0.2.1").into(), campus::NOW);
        ids.map(|id| self.guard.condemned(self.now.mono, by, &session(id), &why)).collect()
    }

    /// How many go, and what is held.
    fn settle(&mut self, by: Automatic) -> (usize, Vec<BatchId>) {
        let settled = self.guard.settle(self.now, by);
        (settled.go.iter().map(|(_, sessions)| sessions.len()).sum(), settled.held)
    }

    fn wait(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
    }
}

#[test]
fn a_few_go_and_many_of_one_cause_wait_all_together() {
    let mut gate = Gate::new();
    assert_eq!(gate.condemned(BY, Reason::Revoked, 1..4), [false; 3]);
    assert_eq!(gate.settle(BY), (3, vec![]));
    gate.condemned(BY, Reason::Revoked, 10..510);
    let (go, held) = gate.settle(BY);
    assert_eq!((go, held.len()), (0, 1), "not even the first of them");
    let batch = gate.guard.batch(held[0]).expect("it waits");
    assert_eq!((batch.sessions.len(), batch.cause.reason), (500, Reason::Revoked));
    // The same again.
    gate.condemned(BY, Reason::Revoked, 10..510);
    assert_eq!((gate.settle(BY), gate.guard.batches().count()), ((0, vec![]), 1));
    let released = gate.guard.release(held[0]).expect("it is there");
    assert_eq!(released.sessions.len(), 500);
    assert_eq!((gate.guard.release(held[0]), gate.guard.batches().count()), (None, 0));
}

#[test]
fn so_many_go_in_so_long_and_no_more_whatever_the_cause() {
    let mut gate = Gate::new();
    gate.condemned(BY, Reason::Revoked, 1..3);
    gate.condemned(BY, Reason::DistrustedAuthority, 3..5);
    let (go, held) = gate.settle(BY);
    assert_eq!((go, held.len()), (2, 1), "two and two are more than three");
    gate.wait(HOUR - Duration::from_secs(1));
    gate.condemned(BY, Reason::Revoked, 5..7);
    assert_eq!(gate.settle(BY).1.len(), 1);
    gate.wait(Duration::from_secs(1));
    gate.condemned(BY, Reason::Revoked, 7..10);
    assert_eq!(gate.settle(BY), (3, vec![]));
}

#[test]
fn an_operators_own_block_never_waits_and_counts_for_nothing() {
    let mut gate = Gate::new();
    for reason in [Reason::Blocked, Reason::UserBlocked] {
        assert_eq!(gate.condemned(BY, reason, 0..50), [true; 50]);
    }
    gate.condemned(BY, Reason::Revoked, 100..103);
    assert_eq!(gate.settle(BY), (3, vec![]));
}

#[test]
fn nothing_goes_by_itself_where_it_is_not_wanted_and_everything_waits_where_none_may() {
    let mut gate = Gate::new();
    let off = Automatic { enabled: false, ..BY };
    assert_eq!(gate.condemned(off, Reason::Blocked, 1..2), [false]);
    gate.condemned(off, Reason::Revoked, 2..9);
    assert_eq!((gate.settle(off), gate.guard.poll_timeout()), ((0, vec![]), None));
    let none = Automatic { at_most: 0, ..BY };
    gate.condemned(none, Reason::Revoked, 2..3);
    assert_eq!(gate.settle(none).1.len(), 1);
}

#[test]
fn what_is_discarded_stays_until_something_else_stands_against_it() {
    let mut gate = Gate::new();
    gate.condemned(BY, Reason::Revoked, 0..10);
    let held = gate.settle(BY).1[0];
    assert_eq!(gate.guard.discard(held).map(|batch| batch.sessions.len()), Some(10));
    assert_eq!(gate.guard.discard(held), None);
    gate.condemned(BY, Reason::Revoked, 0..10);
    assert_eq!(gate.settle(BY), (0, vec![]));
    gate.condemned(BY, Reason::DistrustedAuthority, 0..2);
    assert_eq!(gate.settle(BY), (2, vec![]));
    assert_eq!(gate.condemned(BY, Reason::Blocked, 5..6), [true]);
}

#[test]
fn those_that_end_leave_their_batch_and_an_empty_one_is_none() {
    let mut gate = Gate::new();
    gate.condemned(BY, Reason::Revoked, 0..10);
    let held = gate.settle(BY).1[0];
    gate.guard.ended(&[SessionId(0), SessionId(1), SessionId(77)]);
    assert_eq!(gate.guard.batch(held).map(|batch| batch.sessions.len()), Some(8));
    gate.condemned(BY, Reason::Revoked, 20..21);
    gate.guard.ended(&(0..21).map(SessionId).collect::<Vec<_>>());
    assert_eq!((gate.guard.batches().count(), gate.guard.poll_timeout()), (0, None));
    assert_eq!(gate.settle(BY), (0, vec![]));
}

#[test]
fn it_is_due_when_all_are_judged_and_in_five_seconds_at_the_latest() {
    let mut gate = Gate::new();
    assert!(!gate.guard.is_due(gate.now.mono, true));
    gate.condemned(BY, Reason::Revoked, 0..1);
    assert!(gate.guard.is_due(gate.now.mono, true) && !gate.guard.is_due(gate.now.mono, false));
    assert_eq!(gate.guard.poll_timeout(), Some(Mono(Duration::from_secs(5))));
    gate.wait(Duration::from_secs(5));
    assert!(gate.guard.is_due(gate.now.mono, false));
}

#[test]
fn a_restart_holds_what_was_held_lets_go_what_was_let_go_and_leaves_alone_what_was_told_or_discarded() {
    let mut gate = Gate::new();
    gate.condemned(BY, Reason::Revoked, 0..10);
    let held = gate.settle(BY).1[0];
    let batch = gate.guard.batch(held).expect("it waits").clone();
    let discarded = Batch { sessions: (30..40).map(SessionId).collect(), id: BatchId(1), ..batch.clone() };
    let left = (10..12).map(|id| (SessionId(id), id == 11)).collect();
    let counted = vec![(campus::NOW, 2)];
    let past = Past { held: vec![batch], discarded: vec![discarded], left, counted };
    gate.guard = Guard::restored(gate.now, past, |id| id != SessionId(0));
    assert_eq!(gate.guard.batches().map(|batch| (batch.id, batch.sessions.len())).collect::<Vec<_>>(), [(held, 9)]);
    assert_eq!(gate.condemned(BY, Reason::Revoked, 0..10), [false; 10]);
    assert_eq!(gate.condemned(BY, Reason::Revoked, 10..12), [true, false], "one waits for its NAS, one's has answered");
    gate.condemned(BY, Reason::Revoked, 30..40);
    // The guard itself begins where it left off: two have gone within the hour.
    gate.condemned(BY, Reason::DistrustedAuthority, 50..52);
    gate.guard.ended(&[SessionId(0)]);
    let (go, new) = gate.settle(BY);
    assert_eq!((go, new.len()), (0, 1));
    assert!(new[0] > held);
    assert_eq!(gate.guard.batches().count(), 2);
    assert_eq!(gate.guard.forget_past(), []);
    // Whoever is blocked from now on goes, told before or not.
    assert_eq!(gate.condemned(BY, Reason::Blocked, 11..12), [true]);
}
