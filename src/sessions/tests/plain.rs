use super::*;
use crate::event::Reason;
use crate::sessions::State;
use crate::standing::{Block, Blocks};

fn blocked(name: &str) -> Standing {
    let block = Block { since: campus::NOW, until: None, reason: "stolen".into(), by: "desk".into() };
    Standing::default().with_blocks(Blocks::new(Vec::new(), vec![(name.to_owned(), block)]).into())
}

fn judged(bench: &mut Bench, standing: Standing) -> Vec<SessionId> {
    bench.standing = standing;
    bench.sessions.judge_all();
    bench.wait(Duration::ZERO);
    bench.condemned()
}

fn start(bench: &mut Bench, name: &str, user: Option<&str>) {
    let record = Record { user_name: user.map(Into::into), ..bench.record(Status::Start, name, "gateway") };
    bench.account(&record);
}

#[test]
fn somebody_without_a_certificate_goes_by_his_block_in_any_case() {
    let mut bench = Bench::new();
    let [one, _] = ["hanako@x", "taro@x"].map(|user| bench.admit_person(user, &marks(user)));
    assert_eq!(judged(&mut bench, blocked("HANAKO@x")), [one]);
    let State::Condemned(why) = &bench.sessions.get(one).expect("live").state else { panic!("he is blocked") };
    assert_eq!((why.reason, why.own), (Reason::UserBlocked, true));
    assert_eq!(judged(&mut bench, Standing::default()), []);
    assert_eq!(bench.sessions.get(one).expect("live").state, State::Good);
}

#[test]
fn rules_by_group_and_method_end_it_and_none_that_looks_at_a_certificate() {
    for (group, goes) in [("suspended", true), ("no-codes", true), ("no-ca16", false)] {
        let mut bench = Bench::new();
        let (by_code, by_eap) = (bench.admit_person("user1", &marks("a")), bench.admit(1, &marks("b")));
        let gone = judged(&mut bench, Standing::new(&[(group.into(), "user1".to_owned())]));
        assert_eq!(gone.contains(&by_code), goes, "{group}");
        // The same user by EAP-TLS: not by a rule about codes, but by one about his authority.
        assert_eq!(gone.contains(&by_eap), group != "no-codes", "{group}");
    }
}

#[test]
fn accounting_ties_to_it_and_ends_it() {
    let mut bench = Bench::new();
    let id = bench.admit_person("hanako@x", &marks("gateway"));
    start(&mut bench, "A", Some("hanako@x"));
    let session = bench.only();
    assert_eq!((session.id, session.stage, session.acct_session.as_deref()), (id, Stage::Started, Some("A")));
    assert_eq!((session.user.as_deref(), session.method, session.tie.as_ref()), (Some("hanako@x"), Method::Otp, None));
    bench.changes();
    bench.account(&bench.record(Status::Stop, "A", "gateway"));
    assert_eq!(bench.ended(), [(id, End::Stop)]);
}

#[test]
fn many_behind_one_address_have_each_their_own() {
    let mut bench = Bench::new();
    let ids = ["one@x", "two@x", "three@x"].map(|user| bench.admit_person(user, &marks("gateway")));
    assert_eq!(bench.sessions.len(), 3);
    // In another order than they were let in.
    for (name, user) in [("B", "two@x"), ("C", "THREE@x"), ("A", "one@x")] {
        start(&mut bench, name, Some(user));
    }
    assert_eq!(bench.sessions.len(), 3);
    for (id, name) in ids.into_iter().zip(["A", "B", "C"]) {
        assert_eq!(bench.sessions.get(id).expect("live").acct_session.as_deref(), Some(name));
    }
    assert_eq!(judged(&mut bench, blocked("two@x")), [ids[1]]);
    // One of them comes with a second device.
    let second = bench.admit_person("one@x", &marks("gateway"));
    start(&mut bench, "D", Some("one@x"));
    assert_eq!(bench.sessions.get(second).expect("live").acct_session.as_deref(), Some("D"));
    assert_eq!(bench.sessions.len(), 4);
    assert_eq!(judged(&mut bench, blocked("one@x")), [ids[0], second]);
}

#[test]
fn somebody_let_in_again_before_he_began_is_one_session() {
    let mut bench = Bench::new();
    bench.admit_person("one@x", &marks("gateway"));
    bench.admit_person("one@x", &marks("gateway"));
    start(&mut bench, "A", None);
    assert_eq!(bench.only().user.as_deref(), Some("one@x"));
}
