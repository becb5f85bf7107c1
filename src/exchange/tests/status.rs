use super::{Bench, bare_request, drop_of, key, login, parse, request};
use crate::event::{Listener, MessageAuthenticator, Reason};
use crate::exchange::{Received, STATUS_PER_SECOND};
use crate::radius::{Code, Type};

#[test]
fn w17_status_server_without_message_authenticator_is_dropped_whatever_the_settings() {
    let mut bench = Bench::with(
        super::SETTINGS,
        super::NasSettings { require_message_authenticator: false, ..super::nas("old", &["192.0.2.0/24"]) },
    );
    let datagram = bare_request(Code::STATUS_SERVER, &[]);
    assert_eq!(
        drop_of(&bench.receive(0, &datagram)),
        (Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent))
    );
}

#[test]
fn w17_status_server_is_answered_on_the_spot_with_proxy_state_and_extra_attributes_are_ignored() {
    for (listener, code) in [
        (Listener::Auth, Code::ACCESS_ACCEPT),
        (Listener::Accounting, Code::ACCOUNTING_RESPONSE),
        (Listener::Radsec, Code::ACCESS_ACCEPT),
    ] {
        let mut bench = Bench::new();
        bench.hop.listener = listener;
        let extra: [(Type, &[u8]); 4] = [
            (Type::EAP_MESSAGE, &[2, 1, 0, 4]),
            (Type::PROXY_STATE, b"p"),
            (Type::USER_NAME, b"a"),
            (Type::PROXY_STATE, b"q"),
        ];
        let datagram = request(Code::STATUS_SERVER, 1, 1, &extra);
        let Received::Status { outgoing, nas } = bench.receive(0, &datagram) else { panic!("an answer") };
        assert_eq!(&*nas.name, "ap");
        assert_eq!(parse(&outgoing).code(), code);
        assert_eq!(parse(&outgoing).attributes().map(|a| a.kind.0).collect::<Vec<_>>(), [80, 33, 33]);
        assert!(key().check_reply(&parse(&outgoing), &[1; 16]).is_ok_and(|found| found.is_some()));
        assert_eq!(bench.table.poll_timeout(), None, "it leaves no trace");
    }
}

#[test]
fn w17_a_flood_of_status_server_is_answered_at_a_bounded_rate() {
    let mut bench = Bench::new();
    let datagram = request(Code::STATUS_SERVER, 1, 1, &[]);
    let mut answers = 0;
    for now in 0..10_000 {
        match bench.receive(now, &datagram) {
            Received::Status { .. } => answers += 1,
            other => assert_eq!(drop_of(&other).0, Reason::Overload),
        }
    }
    let each_second = usize::try_from(STATUS_PER_SECOND).unwrap();
    assert!((10 * each_second..=11 * each_second).contains(&answers), "{answers} answers in ten seconds");
    assert!(matches!(bench.receive(10_001, &login(1, 1)), Received::Request { .. }), "logins aren't counted");
}

#[test]
fn w17_spoofed_status_server_uses_up_nobodys_answers() {
    let mut bench = Bench::new();
    let good = request(Code::STATUS_SERVER, 1, 1, &[]);
    let mut bad = good.clone();
    bad[22] ^= 1;
    for _ in 0..1000 {
        assert_eq!(drop_of(&bench.receive(0, &bad)).0, Reason::BadAuthenticator);
    }
    assert!(matches!(bench.receive(0, &good), Received::Status { .. }));
}
