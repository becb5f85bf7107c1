use super::*;
use crate::event::{Evidence, Method, Reason};
use crate::sessions::State;
use crate::standing::{BY_LIST, Block, Blocks};

#[test]
fn a_new_crl_condemns_those_on_it_once() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (1..=5).map(|serial| bench.admit(serial, &marks(&serial.to_string()))).collect();
    bench.revocation = revoked(&[2, 4]);
    for expected in [&[ids[1], ids[3]][..], &[]] {
        bench.sessions.judge_all();
        bench.wait(Duration::ZERO);
        assert_eq!(bench.condemned(), expected);
    }
    let State::Condemned(why) = &bench.sessions.get(ids[1]).expect("live").state else { panic!("it is on the CRL") };
    assert_eq!((why.reason, why.since), (Reason::Revoked, bench.now.wall));
    assert!(why.evidence.iter().any(|evidence| matches!(evidence, Evidence::Revoked { .. })));
}

#[test]
fn revoked_between_accept_and_start_it_is_condemned_when_it_begins() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("a"));
    // The notification is lost.
    bench.revocation = revoked(&[1]);
    bench.account(&bench.record(Status::Start, "A", "a"));
    assert_eq!(bench.condemned(), [id]);
    bench.account(&bench.record(Status::Interim, "A", "a"));
    assert_eq!(bench.condemned(), []);
}

#[test]
fn nobody_goes_because_a_crl_is_old_or_gone() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    for revocation in [Revocation::default(), revoked(&[])] {
        bench.revocation = revocation;
        bench.sessions.judge_all();
        // Past nextUpdate, too.
        bench.wait(Duration::from_secs(60));
    }
    bench.now.wall = campus::days(30);
    bench.sessions.judge_all();
    bench.wait(Duration::ZERO);
    assert_eq!(bench.condemned(), []);
}

#[test]
fn what_only_time_condemns_is_noticed_without_a_new_snapshot() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("a"));
    bench.wait(Duration::from_secs(60));
    bench.revocation = revoked(&[1]);
    bench.wait(Duration::from_secs(600));
    assert_eq!(bench.condemned(), [id]);
}

#[test]
fn many_are_judged_slice_by_slice_and_new_crls_in_between_leave_nobody_out() {
    let mut bench = Bench::with(10_000);
    let law = Law { trust: &WORLD.trust, revocation: &revoked(&[]), standing: &WORLD.standing, policy: &WORLD.policy };
    let serials = [1, 2, 3].map(imprint);
    for number in 0..3_000_usize {
        let admitted = Admitted {
            marks: marks(&number.to_string()),
            imprint: Some(serials[number % 3].clone()),
            method: Method::EapTls,
            user: "user".into(),
            user_name: "user".into(),
            service: None,
            timeout: HOUR,
            interim: None,
        };
        bench.sessions.admit(bench.now, admitted, &device("192.0.2.1"), law);
    }
    bench.changes();
    bench.revocation = revoked(&[2]);
    bench.sessions.judge_all();
    let mut slices = 0;
    let mut condemned = 0;
    while bench.sessions.poll_timeout().is_some_and(|due| due <= bench.now.mono) {
        let law = Law {
            trust: &WORLD.trust,
            revocation: &bench.revocation,
            standing: &WORLD.standing,
            policy: &WORLD.policy,
        };
        bench.sessions.handle_timeout(bench.now, law);
        let now = bench.condemned().len();
        assert!(now <= 512, "a slice is short");
        condemned += now;
        slices += 1;
        if slices == 3 {
            // In the middle: those that have been judged are judged again, and the rest too.
            bench.revocation = revoked(&[2, 3]);
            bench.sessions.judge_all();
        }
    }
    assert_eq!(condemned, 2_000);
    assert!((6..=12).contains(&slices), "{slices}");
}

#[test]
fn whoever_is_let_in_again_with_a_good_certificate_is_good() {
    let mut bench = Bench::new();
    bench.admit(1, &marks("a"));
    bench.revocation = revoked(&[1]);
    bench.account(&bench.record(Status::Start, "A", "a"));
    assert!(matches!(bench.only().state, State::Condemned(_)));
    bench.admit(2, &marks("a"));
    assert_eq!(bench.only().state, State::Good);
}

#[test]
fn somebody_who_comes_into_a_group_that_a_rule_refuses_has_to_go_and_is_good_again_without_it() {
    let mut bench = Bench::new();
    let ids: Vec<_> = (1..=2).map(|serial| bench.admit(serial, &marks(&serial.to_string()))).collect();
    for (suspended, expected) in [("# nobody", &[][..]), ("USER2", &ids[1..]), ("", &[])] {
        bench.standing = Standing::new(&[("suspended".into(), suspended.to_owned())]);
        bench.sessions.judge_all();
        bench.wait(Duration::ZERO);
        assert_eq!(bench.condemned(), expected, "{suspended}");
        if let State::Condemned(why) = &bench.sessions.get(ids[1]).expect("live").state {
            assert_eq!((why.reason, why.own), (Reason::Policy, false));
            assert!(why.evidence.contains(&Evidence::Rule(1)), "{why:?}");
        }
    }
    assert_eq!(bench.sessions.get(ids[1]).expect("live").state, State::Good);
}

#[test]
fn an_operators_own_block_is_news_of_one_that_is_revoked_already() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("a"));
    bench.revocation = revoked(&[1]);
    let by = |by: &str| {
        let block = Block { since: campus::NOW, until: None, reason: "stolen".into(), by: by.into() };
        Standing::default().with_blocks(Blocks::new(Vec::new(), vec![("user1".into(), block)]).into())
    };
    for (standing, expected) in
        [(Standing::default(), &[id][..]), (by(BY_LIST), &[]), (by("desk"), &[id]), (by("desk"), &[])]
    {
        bench.standing = standing;
        bench.sessions.judge_all();
        bench.wait(Duration::ZERO);
        assert_eq!(bench.condemned(), expected);
    }
    let State::Condemned(why) = &bench.only().state else { panic!("it is revoked and blocked") };
    assert_eq!((why.reason, why.own), (Reason::Revoked, true));
}

#[test]
fn one_that_was_condemned_before_it_began_is_news_again_when_it_begins() {
    let mut bench = Bench::new();
    let id = bench.admit(1, &marks("a"));
    bench.revocation = revoked(&[1]);
    bench.sessions.judge_all();
    bench.wait(Duration::ZERO);
    assert_eq!(bench.condemned(), [id], "its NAS may not know of it yet");
    bench.account(&bench.record(Status::Start, "A", "a"));
    assert_eq!(bench.condemned(), [id]);
    bench.account(&bench.record(Status::Interim, "A", "a"));
    assert_eq!(bench.condemned(), []);
}
