use super::{Bench, SETTINGS, bare_request, drop_of, hop, login, nas, request};
use crate::event::{Listener, MessageAuthenticator, Reason, RequestCode};
use crate::exchange::{NasSettings, Received};
use crate::radius::{Code, Type};

/// A NAS that need not send Message-Authenticator.
fn lenient() -> NasSettings {
    NasSettings { require_message_authenticator: false, ..nas("old", &["192.0.2.0/24"]) }
}

#[test]
fn strangers_are_not_even_parsed() {
    let mut bench = Bench::new();
    bench.hop = hop(Listener::Auth, "198.51.100.1:5000");
    for datagram in [&login(1, 1)[..], &[1], &[]] {
        let received = bench.receive(0, datagram);
        assert_eq!(drop_of(&received), (Reason::UnknownNas, None));
        assert!(matches!(received, Received::Dropped { nas: None, .. }));
    }
}

#[test]
fn w01_w02_what_is_no_packet_is_dropped_and_says_what_it_said_it_was() {
    let mut bench = Bench::new();
    for (datagram, wanted) in [
        (&[1, 2, 0, 20][..], RequestCode::AccessRequest),
        (&[], RequestCode::Other),
        (&[12], RequestCode::StatusServer),
    ] {
        let received = bench.receive(0, datagram);
        assert_eq!(drop_of(&received), (Reason::Malformed, None));
        assert!(matches!(received, Received::Dropped { code, nas: Some(_), .. } if code == wanted));
    }
}

#[test]
fn w03_eap_without_message_authenticator_is_dropped_whatever_the_settings() {
    let mut bench = Bench::with(SETTINGS, NasSettings { limit_proxy_state: false, ..lenient() });
    let datagram = bare_request(Code::ACCESS_REQUEST, &[(Type::EAP_MESSAGE, &[2, 1, 0, 4])]);
    assert_eq!(
        drop_of(&bench.receive(0, &datagram)),
        (Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent))
    );
    bench.hop.listener = Listener::Accounting;
    let datagram = bare_request(Code::ACCOUNTING_REQUEST, &[(Type::EAP_MESSAGE, &[2, 1, 0, 4])]);
    assert_eq!(
        drop_of(&bench.receive(0, &datagram)),
        (Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent))
    );
}

#[test]
fn w04_a_wrong_message_authenticator_is_dropped_and_touches_nothing() {
    for settings in [nas("ap", &["192.0.2.0/24"]), lenient()] {
        let mut bench = Bench::with(SETTINGS, settings);
        let good = login(1, 1);
        let id = bench.begin(0, &good);
        let before = bench.table.counts();
        let mut spoofed = login(1, 2);
        spoofed[22] ^= 1;
        assert_eq!(drop_of(&bench.receive(1, &spoofed)), (Reason::BadAuthenticator, Some(MessageAuthenticator::Bad)));
        assert_eq!(bench.table.counts(), before);
        let first = bench.answer(2, id).expect("still waiting");
        let mut repeat_spoofed = good.clone();
        repeat_spoofed[37] ^= 1;
        assert_eq!(drop_of(&bench.receive(3, &repeat_spoofed)).0, Reason::BadAuthenticator);
        assert!(
            matches!(bench.receive(4, &good), Received::Repeat { outgoing, .. } if outgoing.octets == first.octets)
        );
    }
}

#[test]
fn w05_two_message_authenticators_are_dropped() {
    let mut bench = Bench::new();
    let datagram = request(Code::ACCESS_REQUEST, 1, 1, &[(Type::MESSAGE_AUTHENTICATOR, &[0; 16])]);
    assert_eq!(drop_of(&bench.receive(0, &datagram)), (Reason::Malformed, Some(MessageAuthenticator::Bad)));
}

#[test]
fn w06_proxy_state_without_message_authenticator_is_dropped_where_either_setting_says_so() {
    let plain = bare_request(Code::ACCESS_REQUEST, &[(Type::USER_NAME, b"a")]);
    let proxied = bare_request(Code::ACCESS_REQUEST, &[(Type::PROXY_STATE, b"p")]);
    for (require, limit, plain_passes, proxied_passes) in [
        (true, true, false, false),
        (true, false, false, false),
        (false, true, true, false),
        (false, false, true, true),
    ] {
        let settings = NasSettings { require_message_authenticator: require, limit_proxy_state: limit, ..lenient() };
        for (datagram, passes) in [(&plain, plain_passes), (&proxied, proxied_passes)] {
            let mut bench = Bench::with(SETTINGS, settings.clone());
            let received = bench.receive(0, datagram);
            if passes {
                assert!(matches!(
                    received,
                    Received::Request { message_authenticator: MessageAuthenticator::Absent, .. }
                ));
            } else {
                assert_eq!(drop_of(&received), (Reason::MissingAuthenticator, Some(MessageAuthenticator::Absent)));
            }
        }
    }
}

#[test]
fn each_door_takes_its_own_codes() {
    for code in 0..=255 {
        for listener in Listener::ALL {
            let mut bench = Bench::new();
            bench.hop.listener = *listener;
            let datagram = request(Code(code), 1, 1, &[]);
            let received = bench.receive(0, &datagram);
            let right = match code {
                1 => *listener != Listener::Accounting,
                4 => *listener != Listener::Auth,
                12 => true,
                _ => false,
            };
            if right {
                assert!(
                    matches!(received, Received::Request { .. } | Received::Status { .. }),
                    "code {code} at {listener}"
                );
            } else {
                assert_eq!(drop_of(&received).0, Reason::Malformed, "code {code} at {listener}");
            }
        }
    }
}

#[test]
fn an_accounting_request_is_authentic_by_its_request_authenticator() {
    let mut bench = Bench::new();
    bench.hop.listener = Listener::Accounting;
    let mut datagram = bare_request(Code::ACCOUNTING_REQUEST, &[(Type::ACCT_STATUS_TYPE, &[0, 0, 0, 1])]);
    assert!(matches!(bench.receive(0, &datagram), Received::Request { .. }));
    datagram[4] ^= 1;
    assert_eq!(drop_of(&bench.receive(0, &datagram)), (Reason::BadAuthenticator, None));
}

#[test]
fn padding_is_no_part_of_the_request() {
    let mut bench = Bench::new();
    let datagram = [login(1, 1), vec![0; 30]].concat();
    assert!(
        matches!(bench.receive(0, &datagram), Received::Request { packet, .. } if packet.octets().len() == datagram.len() - 30)
    );
    assert_eq!(drop_of(&bench.receive(1, &login(1, 1))).0, Reason::Duplicate);
}
