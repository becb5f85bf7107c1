//! Full handshakes: every mix of versions and keys, which identity is shown, which keys come out.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::aws_lc_rs::kx_group;

use super::pki::KEYS;
use super::*;

fn shown(run: &Run) -> &[u8] {
    run.client.peer_certificates().unwrap()[0].as_ref()
}

/// A client that can't verify ECDSA at all.
fn rsa_only(version: TlsVersion) -> Ready {
    let mut client = Client::new(version, Key::Rsa);
    let all = client.provider.signature_verification_algorithms;
    let rsa =
        all.mapping.iter().copied().filter(|(scheme, _)| format!("{scheme:?}").starts_with("RSA")).collect::<Vec<_>>();
    let roots = all.all;
    client.provider.signature_verification_algorithms = WebPkiSupportedAlgorithms { all: roots, mapping: rsa.leak() };
    client.build()
}

#[test]
fn every_mix_of_versions_and_keys_agrees_on_the_eap_keys() {
    for version in BOTH {
        for (server_kind, client_kind) in KEYS.into_iter().flat_map(|kind| KEYS.map(|other| (kind, other))) {
            let server = server_with(|settings| settings.identities = vec![pki().server(server_kind).identity("only")]);
            let judge = Verdicts::good();
            let run = Client::new(version, client_kind).build().connect(&server, &judge, START);
            let established = run.established();
            assert_eq!((established.version, established.resumed), (version, false));
            assert_eq!(run.connection.version(), Some(version));
            assert_eq!(established.keys.len(), 128);
            assert!(established.keys == run.client_keys(), "{version:?} {server_kind:?} {client_kind:?}");
            assert_eq!(shown(&run), pki().server(server_kind).chain[0].as_ref());
            assert_eq!(*judge.judged.lock().unwrap(), vec![pki().client(client_kind).ders()]);
        }
    }
}

#[test]
fn method_id_of_tls12_is_both_randoms() {
    let run = Client::new(TlsVersion::Tls12, Key::P256).build().connect(&server(), &Verdicts::good(), START);
    let (hello, answer) = (run.client_hello(), &run.to_client[0]);
    assert_eq!(run.established().method_id, [&hello[11..43], &answer[11..43]].concat());
}

#[test]
fn method_id_of_tls13_is_exported() {
    let run = Client::new(TlsVersion::Tls13, Key::P256).build().connect(&server(), &Verdicts::good(), START);
    let exported = run.client.export_keying_material([0; 64], b"EXPORTER_EAP_TLS_Method-Id", Some(&[0x0d])).unwrap();
    assert_eq!(run.established().method_id, exported);
}

#[test]
fn without_names_ecdsa_is_shown_to_whoever_can_verify_it() {
    for version in BOTH {
        let run = Client::new(version, Key::Rsa).build().connect(&server(), &Verdicts::good(), START);
        assert_eq!(shown(&run), pki().server_ecdsa.chain[0].as_ref());
        let run = rsa_only(version).connect(&server(), &Verdicts::good(), START);
        assert_eq!(shown(&run), pki().server_rsa.chain[0].as_ref());
    }
}

#[test]
fn the_order_of_names_decides_among_identities_that_the_client_can_verify() {
    let named = |client: &Ready, names: &[&str]| {
        let names: Vec<Arc<str>> = names.iter().copied().map(Arc::from).collect();
        let connection = server().accept(&names, b"wifi", Verdicts::good(), START);
        shown(&Run::new(client.start(START), connection).finish(START)).to_vec()
    };
    for version in BOTH {
        let client = || Client::new(version, Key::Rsa).build();
        assert_eq!(named(&client(), &["rsa", "ecdsa"]), pki().server_rsa.chain[0].to_vec());
        assert_eq!(named(&client(), &["ecdsa", "rsa"]), pki().server_ecdsa.chain[0].to_vec());
        assert_eq!(named(&rsa_only(version), &["ecdsa", "rsa"]), pki().server_rsa.chain[0].to_vec());
    }
}

#[test]
fn a_client_that_can_verify_no_identity_gets_handshake_failure() {
    for version in BOTH {
        let server = server_with(|settings| settings.identities = vec![pki().server_ecdsa.identity("ecdsa")]);
        let run = rsa_only(version).connect(&server, &Verdicts::good(), START);
        assert!(matches!(run.failure(), Failure::Protocol(_)));
        assert_eq!(run.alert(), 40);
    }
}

#[test]
fn aes_128_gcm_is_taken_where_the_client_has_it() {
    for version in BOTH {
        let run = Client::new(version, Key::Rsa).build().connect(&server(), &Verdicts::good(), START);
        let suite = run.client.negotiated_cipher_suite().unwrap().suite();
        assert!(format!("{suite:?}").contains("AES_128_GCM"), "{suite:?}");
    }
}

#[test]
fn only_configured_versions_are_spoken() {
    for (version, other) in [(TlsVersion::Tls12, TlsVersion::Tls13), (TlsVersion::Tls13, TlsVersion::Tls12)] {
        let server = server_with(|settings| settings.versions = vec![version]);
        let run = Client::new(other, Key::Rsa).build().connect(&server, &Verdicts::good(), START);
        assert!(matches!(run.failure(), Failure::Protocol(_)));
        assert_eq!(run.alert(), 70);
        Client::new(version, Key::Rsa).build().connect(&server, &Verdicts::good(), START).established();
    }
}

#[test]
fn only_configured_groups_are_used_even_after_a_hello_retry() {
    let server = server_with(|settings| settings.groups = vec![Group::Secp256r1]);
    let mut client = Client::new(TlsVersion::Tls13, Key::P256);
    client.provider.kx_groups = vec![kx_group::X25519, kx_group::SECP256R1];
    let client = client.build();
    let first = client.connect(&server, &Verdicts::good(), START);
    assert!(first.established().keys == first.client_keys());
    assert_eq!(first.client.negotiated_key_exchange_group().unwrap().name(), rustls::NamedGroup::secp256r1);
    assert!(client.connect(&server, &Verdicts::good(), START).established().resumed);
}

#[test]
fn the_hybrid_group_works_where_it_is_configured() {
    let server = server_with(|settings| settings.groups = vec![Group::X25519MlKem768, Group::X25519]);
    let mut client = Client::new(TlsVersion::Tls13, Key::P256);
    client.provider.kx_groups = vec![kx_group::X25519MLKEM768];
    let run = client.build().connect(&server, &Verdicts::good(), START);
    assert!(run.established().keys == run.client_keys());
}

#[test]
fn e15_protected_success_leaves_after_finished_and_tickets_and_only_in_tls13() {
    let client = Client::new(TlsVersion::Tls13, Key::P256).build();
    for resumed in [false, true] {
        let connection = server().accept(&[], b"wifi", Verdicts::good(), START);
        let mut run = Run::new(client.start(START), connection);
        let hello = run.take_flight();
        run.deliver(&hello, START);
        run.deliver(&[], START);
        assert!(run.end.is_none() && run.to_client[1].is_empty(), "an early acknowledgement gives nothing");
        assert_eq!(run.application_data(), b"");
        let mut run = run.finish(START);
        assert_eq!(run.established().resumed, resumed);
        assert_eq!(run.application_data(), [0]);
    }
    let mut run = Client::new(TlsVersion::Tls12, Key::P256).build().connect(&server(), &Verdicts::good(), START);
    run.established();
    assert_eq!(run.application_data(), b"");
}

#[test]
fn a_session_that_the_judge_doesnt_keep_is_not_resumed() {
    for (version, session_ids_only) in
        [(TlsVersion::Tls12, false), (TlsVersion::Tls12, true), (TlsVersion::Tls13, false)]
    {
        let (server, judge) = (server(), Verdicts::new(Ok(None)));
        let client = Client { session_ids_only, ..Client::new(version, Key::Rsa) }.build();
        assert!(!client.connect(&server, &judge, START).established().resumed);
        let again = client.connect(&server, &judge, START);
        assert!(!again.established().resumed);
        assert_eq!(judge.times_judged(), 2);
        assert!(judge.resumed.lock().unwrap().is_empty());
    }
}
