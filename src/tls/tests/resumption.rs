//! What resumes, for how long, for whom, and what makes it a full handshake again.

use super::pki::KEYS;
use super::*;

/// The ways to resume.
const WAYS: [(TlsVersion, bool); 3] =
    [(TlsVersion::Tls12, false), (TlsVersion::Tls12, true), (TlsVersion::Tls13, false)];

fn client(way: (TlsVersion, bool)) -> Ready {
    client_with((way.0, way.1), Key::P256)
}

fn client_with((version, session_ids_only): (TlsVersion, bool), kind: Key) -> Ready {
    Client { session_ids_only, ..Client::new(version, kind) }.build()
}

fn later(seconds: i64) -> Wall {
    Wall(START.0 + seconds)
}

#[test]
fn every_way_resumes_three_times_in_a_chain_with_what_the_judge_kept() {
    for way in WAYS {
        for (server_kind, client_kind) in KEYS.into_iter().flat_map(|kind| KEYS.map(|other| (kind, other))) {
            let server = server_with(|settings| settings.identities = vec![pki().server(server_kind).identity("only")]);
            let (client, judge) = (client_with(way, client_kind), Verdicts::good());
            assert!(!client.connect(&server, &judge, START).established().resumed);
            for minute in 1..=3 {
                let run = client.connect(&server, &judge, later(minute * 60));
                assert!(run.established().resumed, "{way:?} {server_kind:?} {client_kind:?} {minute}");
                assert!(run.established().keys == run.client_keys());
                assert_eq!(run.established().method_id.len(), 64);
            }
            assert_eq!(judge.times_judged(), 1);
            assert_eq!(*judge.resumed.lock().unwrap(), vec![KEPT.to_vec(); 3]);
        }
    }
}

#[test]
fn method_id_of_a_resumed_tls12_session_is_its_own_randoms() {
    for way in [WAYS[0], WAYS[1]] {
        let (server, client) = (server(), client(way));
        client.connect(&server, &Verdicts::good(), START);
        let run = client.connect(&server, &Verdicts::good(), START);
        assert!(run.established().resumed);
        assert_eq!(run.established().method_id, [&run.client_hello()[11..43], &run.to_client[0][11..43]].concat());
    }
}

#[test]
fn tickets_are_small_and_hold_no_certificate() {
    for way in [WAYS[0], WAYS[2]] {
        for kind in KEYS {
            let (server, client) = (server(), client_with(way, kind));
            client.connect(&server, &Verdicts::good(), START);
            for _ in 0..2 {
                let ticket = client.connect(&server, &Verdicts::good(), START).offered_ticket().unwrap();
                assert!(ticket.len() <= 250, "{} octets", ticket.len());
                let leaf = pki().client(kind).chain[0].as_ref();
                assert!(!ticket.windows(16).any(|window| leaf.windows(16).any(|part| part == window)));
                assert!(!ticket.windows(KEPT.len()).any(|window| window == KEPT));
            }
        }
    }
}

#[test]
fn session_ids_only_means_no_ticket_on_the_wire() {
    let (server, client) = (server(), client(WAYS[1]));
    client.connect(&server, &Verdicts::good(), START);
    let run = client.connect(&server, &Verdicts::good(), START);
    assert!(run.established().resumed);
    assert_eq!(run.offered_ticket(), None);
}

#[test]
fn a_client_with_a_ticket_takes_no_room_among_the_session_ids() {
    for (way, ids) in [(WAYS[0], 0), (WAYS[1], 1), (WAYS[2], 0)] {
        let server = server();
        client(way).connect(&server, &Verdicts::good(), START).established();
        assert_eq!(server.session_ids.count(), ids, "{way:?}");
    }
}

#[test]
fn s01_a_session_id_resumes_only_after_the_commit() {
    let (server, client, judge) = (server(), client(WAYS[1]), Verdicts::good());
    let mut first = client.connect_to(&server, b"wifi", &judge, START);
    first.established();
    let second = client.connect_to(&server, b"wifi", &judge, START);
    assert!(!second.established().resumed);
    first.connection.commit();
    assert_eq!(judge.times_judged(), 2);
    let third = client.connect_to(&server, b"wifi", &judge, START);
    assert!(!third.established().resumed, "the client offers the second session, which nobody committed");
    let mut fourth = client.connect_to(&server, b"wifi", &judge, START);
    fourth.connection.commit();
    assert!(client.connect_to(&server, b"wifi", &judge, START).established().resumed);
}

#[test]
fn s01_an_aborted_handshake_leaves_nothing_to_resume() {
    for way in WAYS {
        let (server, client, judge) = (server(), client(way), Verdicts::good());
        let mut run = Run::new(client.start(START), server.accept(&[], b"wifi", Arc::clone(&judge) as _, START));
        for _ in 0..2 {
            let octets = run.take_flight();
            let cut = octets.len().saturating_sub(1);
            run.deliver(if run.to_server.is_empty() { &octets } else { &octets[..cut] }, START);
        }
        assert!(run.end.is_none(), "the last octet of Finished is missing");
        run.connection.commit();
        assert!(!client.connect(&server, &judge, START).established().resumed, "{way:?}");
    }
}

#[test]
fn s02_when_the_judge_refuses_to_resume_it_is_a_full_handshake_judged_anew() {
    for way in WAYS {
        let (server, client, judge) = (server(), client(way), Verdicts::good());
        client.connect(&server, &judge, START);
        judge.refuses_to_resume();
        let run = client.connect(&server, &judge, START);
        assert!(!run.established().resumed, "{way:?}");
        assert!(run.established().keys == run.client_keys());
        assert_eq!(judge.times_judged(), 2);
        *judge.judge.lock().unwrap() = Err(Alert::CertificateRevoked);
        let run = client.connect(&server, &judge, START);
        assert_eq!((run.failure(), run.alert()), (&Failure::Judged(Alert::CertificateRevoked), 44));
    }
}

#[test]
fn s04_a_session_older_than_the_setting_is_not_resumed_and_resuming_does_not_prolong_it() {
    for way in WAYS {
        let (server, client, judge) = (server(), client(way), Verdicts::good());
        client.connect(&server, &judge, START);
        for hour in [3, 6, 8] {
            assert!(client.connect(&server, &judge, later(hour * HOUR)).established().resumed, "{way:?} {hour}");
        }
        assert!(!client.connect(&server, &judge, later(8 * HOUR + 1)).established().resumed, "{way:?}");
        assert_eq!(judge.times_judged(), 2);
    }
}

#[test]
fn s04_a_ticket_of_the_future_is_not_resumed() {
    for way in WAYS {
        let (server, client, judge) = (server(), client(way), Verdicts::good());
        client.connect(&server, &judge, later(10));
        let connection = server.accept(&[], b"wifi", Arc::clone(&judge) as _, START);
        let run = Run::new(client.start(later(10)), connection).finish(START);
        assert!(!run.established().resumed, "{way:?}");
    }
}

#[test]
fn s04_no_session_lives_longer_than_seven_days() {
    let facts = session::Facts { issued: START, kept: Vec::new() };
    let year = Duration::from_secs(365 * 86_400);
    assert_eq!(facts.remaining(later(604_800), year), Some(Duration::ZERO));
    assert_eq!(facts.remaining(later(604_801), year), None);
    assert_eq!(facts.remaining(Wall(i64::MIN), year), None);
    let wrong = Server::new(&Settings { resumption: Duration::from_secs(604_801), ..settings() }, None).unwrap_err();
    assert_eq!(wrong[0].key, "resumption");
}

#[test]
fn s04_the_lifetime_that_a_client_is_told_counts_from_the_full_handshake() {
    let (server, client) = (server(), client(WAYS[0]));
    let lifetime = |run: &Run| {
        let flights: Vec<u8> = run.to_client.concat();
        let at = flights
            .windows(4)
            .position(|window| window[0] == 22 && window[1] == 3 && is_ticket(&flights, window))
            .unwrap();
        u32::from_be_bytes(flights[at + 9..at + 13].try_into().unwrap())
    };
    assert_eq!(lifetime(&client.connect(&server, &Verdicts::good(), START)), 8 * 3_600);
    let resumed = client.connect(&server, &Verdicts::good(), later(2 * HOUR));
    assert!(resumed.established().resumed);
    assert_eq!(lifetime(&resumed), 6 * 3_600);
}

/// Whether the record that `window` begins holds NewSessionTicket.
fn is_ticket(flights: &[u8], window: &[u8]) -> bool {
    let at = window.as_ptr().addr() - flights.as_ptr().addr();
    flights.get(at + 5) == Some(&4) && flights.get(at + 6) == Some(&0)
}

#[test]
fn s05_another_service_is_a_full_handshake() {
    for way in WAYS {
        let (server, client, judge) = (server(), client(way), Verdicts::good());
        client.connect_to(&server, b"wifi", &judge, START).connection.commit();
        assert!(!client.connect_to(&server, b"vpn", &judge, START).established().resumed, "{way:?}");
        assert!(judge.resumed.lock().unwrap().is_empty());
    }
}

#[test]
fn zero_resumption_gives_neither_tickets_nor_session_ids() {
    for way in WAYS {
        let server = server_with(|settings| settings.resumption = Duration::ZERO);
        let (client, judge) = (client(way), Verdicts::good());
        for _ in 0..2 {
            assert!(!client.connect(&server, &judge, START).established().resumed);
        }
    }
}

#[test]
fn without_room_for_session_ids_tickets_still_resume() {
    let server = server_with(|settings| settings.max_session_ids = 0);
    for (way, resumes) in [(WAYS[0], true), (WAYS[1], false), (WAYS[2], true)] {
        let client = client(way);
        client.connect(&server, &Verdicts::good(), START);
        assert_eq!(client.connect(&server, &Verdicts::good(), START).established().resumed, resumes);
    }
}

#[test]
fn a_retired_first_key_still_opens_and_a_removed_one_does_not() {
    let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let with =
        |keys: &[&Secret]| server_with(|settings| settings.ticket_keys = keys.iter().copied().cloned().collect());
    for way in [WAYS[0], WAYS[2]] {
        let (client, judge) = (client(way), Verdicts::good());
        client.connect(&with(&[&old]), &judge, START);
        assert!(client.connect(&with(&[&new, &old]), &judge, START).established().resumed);
        assert!(client.connect(&with(&[&new]), &judge, START).established().resumed, "sealed anew by the first key");
        assert!(!client.connect(&with(&[&old]), &judge, START).established().resumed);
    }
}

#[test]
fn a_random_key_and_session_ids_live_on_through_a_reload_but_not_a_restart() {
    let settings = |room| Settings { ticket_keys: Vec::new(), max_session_ids: room, ..settings() };
    for way in WAYS {
        for room in [100, 50] {
            let (client, judge) = (client(way), Verdicts::good());
            let first = Arc::new(Server::new(&settings(100), None).unwrap());
            client.connect(&first, &judge, START);
            let reloaded = Arc::new(Server::new(&settings(room), Some(&first)).unwrap());
            assert!(client.connect(&reloaded, &judge, START).established().resumed, "{way:?} {room}");
            let restarted = Arc::new(Server::new(&settings(room), None).unwrap());
            assert!(!client.connect(&restarted, &judge, START).established().resumed, "{way:?}");
        }
    }
}
