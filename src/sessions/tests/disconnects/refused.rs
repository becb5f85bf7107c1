//! NAS that say no.

use super::*;

#[test]
fn one_that_its_nas_does_not_find_by_its_own_name_has_ended_and_one_that_has_not_begun_may_still_come() {
    let mut desk = Desk::new(by(&ALL));
    let begins = |desk: &mut Desk, name: &str, station: &str| {
        let id = desk.bench.admit(1, &named(station, name));
        desk.bench.account(&desk.bench.record(Status::Start, name, station));
        id
    };
    let (gone, there, heard) =
        (begins(&mut desk, "s1", "a"), begins(&mut desk, "s2", "b"), begins(&mut desk, "s3", "c"));
    let waits = desk.bench.admit(2, &named("d", "s4"));
    for (id, cause) in [(gone, 503), (there, 504), (heard, 503), (waits, 503)] {
        desk.want(id, order(1));
        let sent = only(desk.sent());
        desk.bench.turn(Duration::from_secs(1));
        if id == heard {
            desk.bench.account(&desk.bench.record(Status::Interim, "s3", "c"));
        }
        desk.answer(&sent, Code::DISCONNECT_NAK, Some(cause));
        let done = only(desk.results());
        let now = desk.bench.now;
        desk.bench.sessions.disconnected(now, &done);
    }
    let live: Vec<_> = desk.bench.sessions.iter().map(|session| session.id).collect();
    assert_eq!(live, [there, heard, waits]);
    desk.bench.sessions.check();

    // Without its name nobody knows whom the NAS has looked for.
    let mut desk = Desk::new(by(&[Identify::UserName]));
    let id = begins(&mut desk, "s1", "a");
    desk.want(id, order(1));
    let sent = only(desk.sent());
    desk.answer(&sent, Code::DISCONNECT_NAK, Some(503));
    let (now, done) = (desk.bench.now, only(desk.results()));
    desk.bench.sessions.disconnected(now, &done);
    assert_eq!(desk.bench.sessions.len(), 1);
}

fn has_to_go(desk: &mut Desk, id: SessionId, serial: u8) {
    desk.bench.revocation = revoked(&[serial]);
    desk.bench.sessions.judge_all();
    desk.bench.wait(Duration::ZERO);
    desk.want(id, Wish::Condemned);
}

#[test]
fn a_nas_that_cannot_select_several_is_told_one_name_after_the_other_that_nobody_else_has() {
    let all = [Type::ACCT_SESSION_ID, Type::CALLING_STATION_ID, Type::USER_NAME];
    let names = |sent: &Datagram| kinds(sent).into_iter().filter(|kind| all.contains(kind)).collect::<Vec<_>>();
    let mut desk = Desk::new(by(&ALL));
    let id = desk.bench.admit(1, &named("a", "s1"));
    desk.want(id, order(1));
    for expected in [&all[..], &all[..1], &all[1..2], &all[2..]] {
        let sent = only(desk.sent());
        assert_eq!(names(&sent), expected);
        desk.answer(&sent, Code::DISCONNECT_NAK, Some(508));
    }
    assert_eq!((only(desk.results()).told, desk.sent().len()), (Told::Nak(Some(508)), 0), "nothing is left");

    // Another of the same name would go with it.
    let other = desk.bench.admit(1, &named("b", "s2"));
    desk.want(other, order(2));
    for _ in 0..3 {
        let sent = only(desk.sent());
        desk.answer(&sent, Code::DISCONNECT_NAK, Some(508));
    }
    assert_eq!((only(desk.results()).told, desk.sent().len()), (Told::Nak(Some(508)), 0));

    // Where it isn't found by what is not its own name, it may be by less.
    let mut desk = Desk::new(by(&ALL[1..]));
    let id = desk.bench.admit(1, &named("a", "s1"));
    desk.want(id, order(1));
    let sent = only(desk.sent());
    assert_eq!(names(&sent), all[1..]);
    desk.answer(&sent, Code::DISCONNECT_NAK, Some(503));
    let sent = only(desk.sent());
    assert_eq!(names(&sent), all[1..2]);
    desk.ack(&sent);
    let done = only(desk.results());
    assert_eq!((done.told, done.ended), (Told::Ack, vec![id]));
}

#[test]
fn a_nas_that_says_no_is_told_again_of_who_has_to_go_and_is_believed_in_the_end() {
    let mut desk = Desk::new(by(&[Identify::UserName]));
    let id = desk.bench.admit(1, &named("a", "s1"));
    has_to_go(&mut desk, id, 1);
    let mut naks = Vec::new();
    for second in 0..3 * 3_600 {
        for sent in desk.sent() {
            desk.answer(&sent, Code::DISCONNECT_NAK, Some(508));
            assert_eq!(only(desk.results()).told, Told::Nak(Some(508)));
            naks.push(second);
        }
        desk.wait(1);
    }
    assert_eq!(naks[..6], [0, 2, 6, 14, 30, 62], "it may only have been busy");
    assert_eq!((naks.len(), desk.disconnects.poll_timeout()), (17, None));
    assert!(naks.last().is_some_and(|last| (6_600..7_800).contains(last)), "{naks:?}");

    // It has learned better meanwhile.
    desk.want(id, Wish::Condemned);
    let sent = only(desk.sent());
    desk.answer(&sent, Code::DISCONNECT_NAK, Some(506));
    desk.wait(3);
    let again = only(desk.sent());
    desk.ack(&again);
    assert_eq!(desk.results().last().map(|done| done.told), Some(Told::Ack));

    // What it doesn't find by the name that it gave it is not asked for again.
    let mut desk = Desk::new(by(&ALL));
    let id = desk.bench.admit(1, &named("a", "s1"));
    has_to_go(&mut desk, id, 1);
    let sent = only(desk.sent());
    desk.answer(&sent, Code::DISCONNECT_NAK, Some(503));
    assert_eq!((only(desk.results()).told, desk.disconnects.poll_timeout()), (Told::Nak(Some(503)), None));
}
