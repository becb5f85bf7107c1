use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::{Bench, SETTINGS, bare_request, drop_of, hop, login, nas, reply, request};
use crate::event::{Listener, MessageAuthenticator, Reason};
use crate::exchange::{NasSettings, Received, Settings};
use crate::now::Mono;
use crate::radius::{Code, Type};

#[test]
fn w10_a_repeat_of_a_request_in_progress_is_dropped() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    assert_eq!(drop_of(&bench.receive(1, &datagram)), (Reason::Duplicate, Some(MessageAuthenticator::Present)));
    assert!(bench.answer(2, id).is_some());
    assert!(bench.answer(3, id).is_none(), "answered once");
}

#[test]
fn w11_a_repeat_after_the_answer_gets_the_same_octets_as_long_as_they_are_kept() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    let first = bench.answer(500, id).unwrap();
    // Each repeat shows that the NAS hasn't got it, and keeps it as long again.
    for now in [501, 5_000, 14_999] {
        match bench.receive(now, &datagram) {
            Received::Repeat { outgoing, .. } => assert_eq!(outgoing.octets, first.octets, "after {now} ms"),
            other => panic!("a repeat, not {other:?}"),
        }
    }
    bench.begin(24_999, &datagram);
}

#[test]
fn the_answer_to_a_repeat_goes_the_way_the_repeat_came() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    bench.answer(1, id).unwrap();
    bench.hop.local = Some("192.0.2.99".parse().unwrap());
    assert!(matches!(bench.receive(2, &datagram), Received::Repeat { outgoing, .. } if outgoing.hop == bench.hop));
}

#[test]
fn w12_a_new_authenticator_supersedes_and_the_late_answer_is_never_sent() {
    let mut bench = Bench::new();
    let old = bench.begin(0, &login(1, 1));
    let new = match bench.receive(1, &login(1, 2)) {
        Received::Request { id, superseded, .. } => {
            assert_eq!(superseded, Some(old));
            id
        }
        other => panic!("a new request, not {other:?}"),
    };
    assert_ne!(old, new);
    assert!(bench.answer(2, old).is_none());
    assert!(bench.answer(3, new).is_some());
}

#[test]
fn w12_an_answered_exchange_is_superseded_without_notice() {
    let mut bench = Bench::new();
    let id = bench.begin(0, &login(1, 1));
    bench.answer(1, id).unwrap();
    assert!(matches!(bench.receive(2, &login(1, 2)), Received::Request { superseded: None, .. }));
    assert!(
        matches!(bench.receive(3, &login(1, 1)), Received::Request { superseded: Some(_), .. }),
        "the old answer is gone"
    );
}

#[test]
fn w13_a_kept_answer_goes_out_at_most_ten_times_in_any_second() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    bench.answer(0, id).unwrap();
    let mut sent = Vec::new();
    for now in (1..10_000).step_by(10) {
        match bench.receive(now, &datagram) {
            Received::Repeat { .. } => sent.push(now),
            other => assert_eq!(drop_of(&other).0, Reason::Duplicate),
        }
    }
    assert_eq!(sent.len(), 100, "ten a second for ten seconds");
    assert!(sent.windows(11).all(|eleven| eleven[10] - eleven[0] >= 1000));
}

#[test]
fn w13_thirty_seconds_of_repeats_are_one_piece_of_work() {
    let settings = Settings { keep_answer: Duration::from_secs(30), ..SETTINGS };
    let mut bench = Bench::with(settings, nas("ap", &["192.0.2.0/24"]));
    let datagram = login(1, 1);
    let mut requests = 0;
    for now in (0..30_000).step_by(10) {
        if let Received::Request { id, .. } = bench.receive(now, &datagram) {
            requests += 1;
            bench.answer(now, id).unwrap();
        }
    }
    assert_eq!(requests, 1);
}

#[test]
fn other_sources_sockets_and_identifiers_are_other_exchanges() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    bench.begin(0, &datagram);
    bench.hop.socket = 1;
    bench.begin(0, &datagram);
    bench.hop = hop(Listener::Auth, "192.0.2.1:5001");
    bench.begin(0, &datagram);
    bench.hop = hop(Listener::Auth, "192.0.2.2:5001");
    bench.begin(0, &datagram);
    bench.hop.listener = Listener::Radsec;
    bench.begin(0, &datagram);
    bench.begin(0, &login(2, 1));
}

#[test]
fn the_same_authenticator_over_other_octets_is_another_request() {
    let mut bench =
        Bench::with(SETTINGS, NasSettings { require_message_authenticator: false, ..nas("old", &["192.0.2.0/24"]) });
    for with in [true, false] {
        let make = |name: &[u8]| match with {
            true => request(Code::ACCESS_REQUEST, 9, 1, &[(Type::USER_NAME, name)]),
            false => bare_request(Code::ACCESS_REQUEST, &[(Type::USER_NAME, name)]),
        };
        let id = bench.begin(0, &make(b"alice"));
        bench.answer(1, id).unwrap();
        bench.begin(2, &make(b"bob"));
    }
}

#[test]
fn an_exchange_nobody_answers_is_forgotten() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    assert_eq!(bench.table.poll_timeout(), Some(Mono(Duration::from_secs(30))));
    assert_eq!(drop_of(&bench.receive(29_999, &datagram)).0, Reason::Duplicate);
    bench.table.handle_timeout(super::at(30_000));
    assert_eq!(bench.table.poll_timeout(), None);
    assert!(bench.answer(30_001, id).is_none());
    bench.begin(30_002, &datagram);
}

#[test]
fn an_answer_too_late_is_not_sent_although_nothing_was_forgotten_yet() {
    let mut bench = Bench::new();
    let id = bench.begin(0, &login(1, 1));
    assert!(bench.answer(30_000, id).is_none());
    assert_eq!(bench.table.poll_timeout(), None);
}

#[test]
fn an_abandoned_exchange_lets_its_repeat_count_as_new() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    bench.table.abandon(id);
    assert!(bench.answer(1, id).is_none());
    assert_ne!(bench.begin(2, &datagram), id);
    let kept = bench.begin(3, &login(2, 1));
    bench.answer(4, kept).unwrap();
    bench.table.abandon(kept);
    assert!(matches!(bench.receive(5, &login(2, 1)), Received::Repeat { .. }), "an answer can't be abandoned");
}

#[test]
fn a_full_table_gives_up_its_oldest_answer_and_drops_when_all_wait() {
    let mut bench = Bench::with(Settings { max_exchanges: 3, ..SETTINGS }, nas("ap", &["192.0.2.0/24"]));
    let ids: Vec<_> = (0..3).map(|identifier| bench.begin(0, &login(identifier, 1))).collect();
    assert_eq!(drop_of(&bench.receive(1, &login(3, 1))).0, Reason::Overload);
    bench.answer(2, ids[1]).unwrap();
    bench.answer(3, ids[0]).unwrap();
    bench.begin(4, &login(3, 1));
    assert!(matches!(bench.receive(5, &login(0, 1)), Received::Repeat { .. }), "the later answer stays");
    bench.begin(6, &login(1, 1));
    assert_eq!(drop_of(&bench.receive(7, &login(0, 1))).0, Reason::Overload);
    assert!(
        matches!(bench.receive(8, &login(2, 2)), Received::Request { superseded: Some(_), .. }),
        "its own slot is room enough"
    );
}

#[test]
fn ends_come_in_their_order_whatever_was_answered_when() {
    let mut bench = Bench::new();
    let first = bench.begin(0, &login(1, 1));
    bench.begin(1_000, &login(2, 1));
    bench.answer(2_000, first).unwrap();
    let mut ends = Vec::new();
    while let Some(end) = bench.table.poll_timeout() {
        ends.push(end.0.as_millis());
        bench.table.handle_timeout(super::at(u64::try_from(end.0.as_millis()).unwrap()));
    }
    assert_eq!(ends, [12_000, 31_000]);
}

#[test]
fn an_answer_is_made_with_the_secret_of_its_request_although_the_settings_were_swapped() {
    let mut bench = Bench::new();
    let datagram = login(1, 1);
    let id = bench.begin(0, &datagram);
    let mut other = nas("ap", &["192.0.2.0/24"]);
    other.secret = crate::secret::Secret::new("another secret");
    bench.peers = std::sync::Arc::new(crate::exchange::Peers::new(&[other]).unwrap());
    let outgoing = bench.table.answer(super::at(1), id, reply(Code::ACCESS_ACCEPT)).unwrap();
    assert!(super::key().check_reply(&super::parse(&outgoing), &[1; 16]).is_ok());
    assert_eq!(drop_of(&bench.receive(2, &datagram)).0, Reason::BadAuthenticator);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Ask(u8, u8),
    Answer(usize),
    Abandon(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..6_u8, 0..3_u8).prop_map(|(identifier, number)| Act::Ask(identifier, number)),
        3 => (0..8_usize).prop_map(Act::Answer),
        1 => (0..8_usize).prop_map(Act::Abandon),
        1 => (0..20_000_u64).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 0..60)
}

proptest! {
    #[test]
    fn whatever_happens_bounds_hold_ids_are_unique_and_no_request_gets_anothers_answer(acts in acts()) {
        let mut bench = Bench::with(Settings { max_exchanges: 4, ..SETTINGS }, nas("ap", &["192.0.2.0/24"]));
        let (mut now, mut begun, mut seen, mut answers) = (0, Vec::new(), HashSet::new(), HashMap::new());
        for act in acts {
            match act {
                Act::Ask(identifier, number) => {
                    let datagram = login(identifier, number);
                    match bench.receive(now, &datagram) {
                        Received::Request { id, .. } => {
                            prop_assert!(seen.insert(id), "an id came twice");
                            answers.remove(&(identifier, number));
                            begun.push((id, identifier, number));
                        }
                        Received::Repeat { outgoing, .. } => {
                            prop_assert_eq!(Some(&outgoing.octets), answers.get(&(identifier, number)));
                        }
                        other => {
                            prop_assert!(matches!(drop_of(&other).0, Reason::Duplicate | Reason::Overload));
                        }
                    }
                }
                Act::Answer(which) => {
                    if let Some((id, identifier, number)) = begun.get(which).copied()
                        && let Some(outgoing) = bench.answer(now, id)
                    {
                        prop_assert_eq!(outgoing.octets[1], identifier);
                        answers.insert((identifier, number), outgoing.octets);
                    }
                }
                Act::Abandon(which) => {
                    if let Some((id, ..)) = begun.get(which) {
                        bench.table.abandon(*id);
                    }
                }
                Act::Pass(time) => {
                    now += time;
                    bench.table.handle_timeout(super::at(now));
                    prop_assert!(bench.table.poll_timeout().is_none_or(|end| end > super::at(now).mono));
                }
            }
            let (waiting, answered) = bench.table.counts();
            prop_assert!(waiting + answered <= 4);
        }
    }
}
