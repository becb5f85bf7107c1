pub(crate) mod server;
mod thrift;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use self::server::{Fault, NOW, Pki, SECRET, STAPLE, Server};
use super::*;
use crate::event::TlsVersion::{self, Tls12, Tls13};
use crate::exchange::{Asker, BadReply};
use crate::now::Wall;
use crate::radius::{Attributes, Type};
use crate::secret::Secret;

fn asker() -> Arc<Asker> {
    Arc::new(Asker::new(Secret::new(SECRET)))
}

fn station() -> Station {
    let mut attributes = Attributes::default();
    attributes.push(Type::PROXY_STATE, b"from afar").unwrap();
    Station {
        ssid: Some("JAIST".to_owned()),
        mac: "02-00-00-00-00-02".to_owned(),
        framed_mtu: Some(1400),
        nas_identifier: Some("ap-1".to_owned()),
        attributes,
    }
}

fn drive(server: &mut Server, mut login: Login, now: Wall) -> Report {
    let mut request = login.begin();
    loop {
        match login.handle(&server.handle(&request), now) {
            Next::Send(next) => request = next,
            Next::Done(report) => return *report,
            Next::Ignored => panic!("ignored: {:?}", login.bad_reply()),
        }
    }
}

pub(crate) fn log_in(server: &mut Server, supplicant: &Supplicant, resume: bool) -> Report {
    drive(server, supplicant.login(asker(), station(), resume, NOW), NOW)
}

/// One login with settings of which something was changed.
fn log_in_with(pki: &Pki, version: TlsVersion, fault: Fault, change: impl FnOnce(&mut Settings)) -> Report {
    let mut settings = pki.settings(version);
    change(&mut settings);
    log_in(&mut Server::new(pki, fault), &Supplicant::new(settings).unwrap(), false)
}

#[test]
fn logs_in_full_and_resumed_and_agrees_on_the_keys() {
    let pki = Pki::new();
    for (version, protected) in [(Tls12, None), (Tls13, Some(true))] {
        let mut server = Server::new(&pki, Fault::Nothing);
        let supplicant = Supplicant::new(pki.settings(version)).unwrap();
        for resumed in [false, true, true] {
            let report = log_in(&mut server, &supplicant, resumed);
            assert!(report.accepted && report.logged_in && report.finished, "{report:?}");
            assert_eq!((report.version, report.resumed), (Some(version), resumed));
            assert_eq!((report.eap_success, report.keys_agree), (Some(true), Some(true)));
            assert_eq!((report.protected_success, report.fault), (protected, None));
            assert_eq!((report.alert_sent, report.alert_received), (None, None));
        }
    }
}

#[test]
fn without_resume_no_session_is_offered() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let mut server = Server::new(&pki, Fault::Nothing);
        let supplicant = Supplicant::new(pki.settings(version)).unwrap();
        for _ in 0..2 {
            assert!(!log_in(&mut server, &supplicant, false).resumed);
        }
        assert!(log_in(&mut server, &supplicant, true).resumed, "it was remembered all the same");
    }
}

#[test]
fn an_ocsp_answer_is_asked_for_and_what_is_stapled_is_told_per_login() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let (mut plain, mut stapling) = (Server::new(&pki, Fault::Nothing), Server::stapling(&pki));
        let supplicant = Supplicant::new(pki.settings(version)).unwrap();
        assert_eq!(log_in(&mut stapling, &supplicant, false).stapled, Some(STAPLE.len()));
        assert_eq!(log_in(&mut plain, &supplicant, false).stapled, Some(0));
        let resumed = log_in(&mut plain, &supplicant, true);
        assert!(resumed.resumed && resumed.stapled.is_none(), "no certificate came: {resumed:?}");
    }
}

#[test]
fn fragments_of_any_size_change_the_requests_and_not_the_messages() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let whole = log_in_with(&pki, version, Fault::Nothing, |settings| settings.fragment_size = 3000);
        for (fragment_size, always_length) in [(50, false), (50, true), (200, true), (1398, true)] {
            let report = log_in_with(&pki, version, Fault::Nothing, |settings| {
                settings.fragment_size = fragment_size;
                settings.always_length = always_length;
            });
            assert!(report.logged_in, "{report:?}");
            assert_eq!(report.messages_sent, whole.messages_sent);
            assert_eq!(report.messages_received, whole.messages_received);
            assert!(report.requests >= whole.requests);
        }
    }
}

#[test]
fn e09_repeated_requests_and_answers_change_nothing() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let smooth = log_in_with(&pki, version, Fault::Nothing, |_| {});
        let mut server = Server::new(&pki, Fault::Nothing);
        let supplicant = Supplicant::new(pki.settings(version)).unwrap();
        let mut login = supplicant.login(asker(), station(), false, NOW);
        let mut request = login.begin();
        let report = loop {
            let lost = server.handle(&request);
            let answer = server.handle(&request);
            assert_eq!(lost, answer);
            match login.handle(&answer, NOW) {
                Next::Send(next) => request = next,
                Next::Done(report) => break report,
                Next::Ignored => panic!("ignored: {:?}", login.bad_reply()),
            }
            assert!(matches!(login.handle(&lost, NOW), Next::Ignored));
        };
        assert!(report.logged_in);
        assert_eq!((report.requests, report.messages_sent), (smooth.requests, smooth.messages_sent));
        assert_eq!(report.messages_received, smooth.messages_received);
    }
}

#[test]
fn t02_without_a_certificate_the_alert_is_certificate_required() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let report = log_in_with(&pki, version, Fault::Nothing, |settings| settings.chain.clear());
        assert!(!report.accepted && !report.logged_in);
        assert_eq!((report.alert_received, report.eap_success), (Some(116), Some(false)));
        assert_eq!(report.keys_agree, None);
    }
}

#[test]
fn t03_a_key_that_does_not_fit_the_certificate_is_tried_and_refused() {
    let pki = Pki::new();
    let other = Pki::new();
    for version in [Tls12, Tls13] {
        let report =
            log_in_with(&pki, version, Fault::Nothing, |settings| settings.key = Some(other.client_key.clone()));
        assert_eq!((report.accepted, report.alert_received, report.eap_success), (false, Some(51), Some(false)));
    }
}

#[test]
fn t04_a_stranger_hears_unknown_ca() {
    let pki = Pki::new();
    let other = Pki::of("Another Authority");
    for version in [Tls12, Tls13] {
        let report = log_in_with(&pki, version, Fault::Nothing, |settings| {
            settings.chain = vec![other.client.clone()];
            settings.key = Some(other.client_key.clone());
        });
        assert_eq!((report.accepted, report.alert_received, report.eap_success), (false, Some(48), Some(false)));
        assert_eq!(report.fault.as_deref(), Some("TLS: received fatal alert: UnknownCA"));
        assert_eq!(report.server_certificate, None);
    }
}

#[test]
fn a_server_of_another_authority_is_told_so_and_gets_no_certificate_of_ours() {
    let pki = Pki::new();
    for other in [Pki::of("Another Authority"), Pki::new()] {
        for version in [Tls12, Tls13] {
            let anchors = vec![other.authority.clone()];
            let report = log_in_with(&pki, version, Fault::Nothing, |settings| settings.anchors = anchors);
            assert_eq!((report.accepted, report.alert_sent, report.eap_success), (false, Some(48), Some(false)));
            assert!(report.server_certificate.unwrap().contains("issuer"));
            assert!(!report.finished);
        }
    }
}

#[test]
fn without_anchors_any_server_will_do() {
    let report = log_in_with(&Pki::new(), Tls13, Fault::Nothing, |settings| settings.anchors.clear());
    assert!(report.logged_in);
}

#[test]
fn server_names_are_checked_where_there_are_any() {
    let pki = Pki::new();
    for (names, good) in
        [(vec!["other.example"], false), (vec!["other.example", "radius.example.ac.jp"], true), (vec![], true)]
    {
        let names = names.into_iter().map(str::to_owned).collect();
        let report = log_in_with(&pki, Tls13, Fault::Nothing, |settings| settings.server_names = names);
        assert_eq!(report.logged_in, good);
        assert_eq!(report.server_certificate.is_none(), good);
        assert_eq!(report.alert_sent, if good { None } else { Some(42) });
    }
}

#[test]
fn the_servers_certificate_is_judged_by_the_time_of_the_call() {
    let pki = Pki::new();
    let supplicant = Supplicant::new(pki.settings(Tls13)).unwrap();
    let late = NOW + Duration::from_secs(30 * 365 * 86_400);
    let login = supplicant.login(asker(), station(), false, NOW);
    let report = drive(&mut Server::new(&pki, Fault::Nothing), login, late);
    assert_eq!((report.accepted, report.alert_sent), (false, Some(45)));
    assert!(report.server_certificate.is_some());
}

#[test]
fn a_chain_that_was_good_makes_no_other_chain_good_and_no_other_time() {
    let (pki, other) = (Pki::new(), Pki::new());
    let supplicant = Supplicant::new(pki.settings(Tls13)).unwrap();
    let login = |from: &Pki, now| {
        let login = supplicant.login(asker(), station(), false, now);
        drive(&mut Server::new(from, Fault::Nothing), login, now)
    };
    assert!(login(&pki, NOW).logged_in && login(&pki, NOW).logged_in);
    assert_eq!(login(&other, NOW).alert_sent, Some(48));
    assert!(login(&pki, NOW).logged_in);
    let decades = Duration::from_secs(30 * 365 * 86_400);
    assert_eq!(login(&pki, NOW + decades).alert_sent, Some(45));
    assert_eq!(login(&pki, Wall(0)).alert_sent, Some(45), "a clock that went back");
}

#[test]
fn another_method_is_declined_for_eap_tls() {
    assert!(log_in_with(&Pki::new(), Tls13, Fault::OtherMethodFirst, |_| {}).logged_in);
}

#[test]
fn e15_success_before_any_handshake_is_not_believed() {
    let report = log_in_with(&Pki::new(), Tls13, Fault::AcceptAtOnce, |_| {});
    assert_eq!((report.accepted, report.eap_success, report.logged_in), (true, Some(true), false));
    assert!(!report.is_believed());
}

#[test]
fn e15_tls_13_without_the_protected_success_is_not_believed() {
    let report = log_in_with(&Pki::new(), Tls13, Fault::NoProtectedSuccess, |_| {});
    assert_eq!((report.accepted, report.protected_success, report.logged_in), (true, Some(false), false));
    assert!(report.is_believed(), "but for that");
}

#[test]
fn keys_that_are_not_the_handshakes_are_noticed() {
    for version in [Tls12, Tls13] {
        let report = log_in_with(&Pki::new(), version, Fault::WrongKeys, |_| {});
        assert_eq!((report.accepted, report.keys_agree, report.logged_in), (true, Some(false), false));
    }
}

#[test]
fn a_reject_without_an_eap_packet_ends_the_login() {
    let report = log_in_with(&Pki::new(), Tls13, Fault::BareReject, |_| {});
    assert_eq!((report.accepted, report.eap_success, report.requests), (false, None, 1));
}

#[test]
fn each_request_says_what_an_access_point_says() {
    let pki = Pki::new();
    let mut server = Server::new(&pki, Fault::Nothing);
    log_in(&mut server, &Supplicant::new(pki.settings(Tls13)).unwrap(), false);
    let values = |kind| {
        server
            .road
            .heard
            .iter()
            .filter(move |(of, _)| *of == kind)
            .map(|(_, value)| value.as_slice())
            .collect::<Vec<_>>()
    };
    let wanted: [(Type, &[u8]); 9] = [
        (Type::USER_NAME, b"@example.ac.jp"),
        (Type::CALLED_STATION_ID, b"02-00-00-00-00-01:JAIST"),
        (Type::CALLING_STATION_ID, b"02-00-00-00-00-02"),
        (Type::NAS_IDENTIFIER, b"ap-1"),
        (Type::NAS_PORT_TYPE, &[0, 0, 0, 19]),
        (Type::SERVICE_TYPE, &[0, 0, 0, 2]),
        (Type::FRAMED_MTU, &[0, 0, 5, 120]),
        (Type::PROXY_STATE, b"from afar"),
        (Type::CONNECT_INFO, b"CONNECT 11Mbps 802.11b"),
    ];
    for (kind, value) in wanted {
        assert_eq!(values(kind), [value], "{kind:?}");
    }
}

#[test]
fn a_reply_under_another_secret_is_ignored_and_says_why() {
    let pki = Pki::new();
    let supplicant = Supplicant::new(pki.settings(Tls13)).unwrap();
    let mut login = supplicant.login(asker(), station(), false, NOW);
    let mut answer = Server::new(&pki, Fault::Nothing).handle(&login.begin());
    answer[4] ^= 1;
    assert!(matches!(login.handle(&answer, NOW), Next::Ignored));
    assert_eq!(login.bad_reply(), Some(BadReply::BadAuthenticator));
}

#[test]
fn settings_that_can_not_work_are_refused_in_a_sentence() {
    let pki = Pki::new();
    let refused = |change: &dyn Fn(&mut Settings)| {
        let mut settings = pki.settings(Tls13);
        change(&mut settings);
        Supplicant::new(settings).unwrap_err()
    };
    assert_eq!(refused(&|settings| settings.key = None), "the certificate has no private key");
    assert!(refused(&|settings| settings.key = Some(Secret::new(*b"no key"))).contains("private key"));
    assert!(refused(&|settings| settings.anchors.push(b"no anchor".to_vec())).contains("anchor"));
    assert!(refused(&|settings| settings.server_names.push("no name".to_owned())).contains("no name"));
}

#[test]
fn what_does_not_fit_into_a_packet_is_not_sent() {
    let pki = Pki::new();
    let supplicant = Supplicant::new(Settings { identity: "x".repeat(300), ..pki.settings(Tls13) }).unwrap();
    assert!(supplicant.login(asker(), station(), false, NOW).begin().is_empty());
}

#[test]
fn o02_nothing_secret_is_printed() {
    let pki = Pki::new();
    let supplicant = Supplicant::new(pki.settings(Tls13)).unwrap();
    let mut login = supplicant.login(asker(), station(), false, NOW);
    let mut server = Server::new(&pki, Fault::Nothing);
    let mut request = login.begin();
    let report = loop {
        match login.handle(&server.handle(&request), NOW) {
            Next::Send(next) => request = next,
            Next::Done(report) => break report,
            Next::Ignored => panic!("ignored"),
        }
    };
    let printed = format!("{supplicant:?} {login:?} {report:?}");
    let key = format!("{:?}", pki.client_key.expose());
    assert!(!printed.contains(key.trim_matches(['[', ']'])), "the private key");
    assert!(!printed.contains("reply"), "the reply with the sealed keys");
}

proptest! {
    #[test]
    fn no_datagram_makes_a_login_panic(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5)) {
        let supplicant = Supplicant::new(Settings { chain: Vec::new(), anchors: Vec::new(), ..bare() }).unwrap();
        let mut login = supplicant.login(asker(), station(), false, NOW);
        prop_assert!(!login.begin().is_empty());
        for datagram in datagrams {
            prop_assert!(matches!(login.handle(&datagram, NOW), Next::Ignored));
        }
    }
}

proptest! {
    #[test]
    fn t08_no_octets_of_a_server_make_a_handshake_panic(flights in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..5)) {
        let mut handshake = Supplicant::new(bare()).unwrap().handshake();
        prop_assert_eq!(handshake.begin()[0], 22);
        for flight in flights {
            // Half of them as they are, half as a record of a handshake.
            handshake.receive(&flight, NOW);
            let length = u16::try_from(flight.len()).unwrap().to_be_bytes();
            handshake.receive(&[&[22, 3, 3], &length[..], &flight].concat(), NOW);
            prop_assert!(!handshake.is_finished() && handshake.msk().is_none());
        }
    }
}

#[test]
fn t08_a_server_hello_one_octet_at_a_time_is_read() {
    let pki = Pki::new();
    let mut settings = pki.settings(Tls13);
    settings.fragment_size = 3000;
    let mut server = Server::new(&pki, Fault::Nothing);
    server.road.fragment_size = 1;
    let report = log_in(&mut server, &Supplicant::new(settings).unwrap(), false);
    assert!(report.logged_in && report.requests > 500, "{report:?}");
}

/// Settings of somebody who has nothing.
fn bare() -> Settings {
    Settings {
        identity: String::new(),
        chain: Vec::new(),
        key: None,
        anchors: Vec::new(),
        version: None,
        fragment_size: 1000,
        always_length: true,
        server_names: Vec::new(),
    }
}
