//! Clients that cut, mix up or break off.

use super::*;

/// The same handshake octets, each in a record of its own.
fn one_octet_a_record(record: &[u8]) -> Vec<u8> {
    record[5..].iter().flat_map(|octet| [22, 3, 1, 0, 1, *octet]).collect()
}

#[test]
fn t08_a_client_hello_of_one_octet_a_record_finishes() {
    for version in BOTH {
        let client = Client::new(version, Key::P256).build();
        let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
        let hello = run.take_flight();
        run.deliver(&one_octet_a_record(&hello), START);
        let run = run.finish(START);
        assert!(run.established().keys == run.client_keys(), "{version:?}");
        if version == TlsVersion::Tls12 {
            assert_eq!(run.established().method_id, [&hello[11..43], &run.to_client[0][11..43]].concat());
        }
    }
}

#[test]
fn t08_one_octet_a_call_finishes() {
    for version in BOTH {
        let client = Client::new(version, Key::P256).build();
        let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
        for _ in 0..5 {
            for octet in run.take_flight() {
                run.deliver(&[octet], START);
            }
            if run.end.is_some() {
                break;
            }
        }
        assert!(run.established().keys == run.client_keys(), "{version:?}");
    }
}

#[test]
fn t08_close_notify_in_the_middle_fails() {
    for version in BOTH {
        let client = Client::new(version, Key::P256).build();
        for (before, after) in [(false, false), (true, false), (true, true)] {
            let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
            let hello = run.take_flight();
            let close = [21, 3, 3, 0, 2, 1, 0];
            let trailing: &[u8] = if after { &hello } else { &[] };
            let first = if before { hello.as_slice() } else { &[] };
            run.deliver(&[first, &close, trailing].concat(), START);
            let failure = run.failure();
            assert!(after || *failure == Failure::ClientAlert(0), "{version:?} {before} {failure:?}");
        }
    }
}

#[test]
fn t10_a_message_behind_the_client_hello_is_unexpected() {
    // Finished in the same record, before there are any keys for it.
    let client = Client::new(TlsVersion::Tls13, Key::P256).build();
    let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
    let mut hello = run.take_flight();
    hello.extend([20, 0, 0, 32]);
    hello.extend([0; 32]);
    let length = u16::try_from(hello.len() - 5).unwrap().to_be_bytes();
    hello[3..5].copy_from_slice(&length);
    run.deliver(&hello, START);
    assert!(matches!(run.failure(), Failure::Protocol(_)));
    assert_eq!(run.alert(), 10);
}

#[test]
fn t10_a_plain_finished_before_the_certificate_is_unexpected() {
    let client = Client::new(TlsVersion::Tls12, Key::P256).build();
    let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
    let hello = run.take_flight();
    run.deliver(&hello, START);
    let finished = [&[22, 3, 3, 0, 16, 20, 0, 0, 12][..], &[0; 12]].concat();
    run.deliver(&finished, START);
    assert!(matches!(run.failure(), Failure::Protocol(_)));
    assert_eq!(run.alert(), 10);
}

#[test]
fn t10_a_plain_message_after_the_server_hello_of_tls13_is_refused() {
    let client = Client::new(TlsVersion::Tls13, Key::P256).build();
    let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Verdicts::good(), START));
    let hello = run.take_flight();
    run.deliver(&hello, START);
    let finished = [&[22, 3, 3, 0, 36, 20, 0, 0, 32][..], &[0; 32]].concat();
    run.deliver(&finished, START);
    assert!(matches!(run.failure(), Failure::Protocol(_)));
    assert_eq!(run.alert(), 20, "what isn't encrypted can't be decrypted: bad_record_mac");
}

#[test]
fn garbage_fails_without_panic_and_a_failed_connection_stays_failed() {
    for octets in
        [vec![0; 5_000], vec![22; 40_000], vec![0x16, 3, 1, 0xff, 0xff, 1], b"GET / HTTP/1.1\r\n\r\n".to_vec()]
    {
        let mut connection = server().accept(&[], b"wifi", Verdicts::good(), START);
        assert!(matches!(connection.receive(&octets, START), Progress::Failed(Failure::Protocol(_))));
        assert!(matches!(connection.receive(&octets, START), Progress::Failed(Failure::Protocol(_))));
        connection.commit();
    }
}

#[test]
fn every_mangled_octet_of_the_clients_flights_fails_or_goes_on_but_never_lets_in_somebody_else() {
    for version in BOTH {
        let client = Client::new(version, Key::P256).build();
        for seed in 0..150_usize {
            let judge = Verdicts::good();
            let mut run = Run::new(client.start(START), server().accept(&[], b"wifi", Arc::clone(&judge) as _, START));
            for flight in 0..4 {
                let mut octets = run.take_flight();
                if flight == seed % 2 && !octets.is_empty() {
                    let at = (seed * 7_919) % octets.len();
                    octets[at] ^= 1 << (seed % 8);
                }
                run.deliver(&octets, START);
                if run.end.is_some() || run.client_error.is_some() {
                    break;
                }
            }
            if let Some(Progress::Established(established)) = &run.end {
                assert!(established.keys == run.client_keys(), "{version:?} {seed}");
                assert_eq!(judge.times_judged(), 1);
            }
        }
    }
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let server = server();
    let run = Client::new(TlsVersion::Tls13, Key::P256).build().connect(&server, &Verdicts::good(), START);
    let text = format!("{server:?} {:?} {:?}", run.connection, run.end);
    assert!(text.contains("Secret(..)"));
    assert!(!text.contains("[1, 1, 1"), "{text}");
}
