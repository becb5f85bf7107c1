//! Refusals: which failure we report, which alert the client gets, and that it gets nothing else.

use super::pki::KEYS;
use super::*;

const ALERTS: [(Alert, u8); 6] = [
    (Alert::UnsupportedCertificate, 43),
    (Alert::CertificateRevoked, 44),
    (Alert::CertificateExpired, 45),
    (Alert::CertificateUnknown, 46),
    (Alert::UnknownCa, 48),
    (Alert::AccessDenied, 49),
];

/// A fatal alert as TLS 1.2 sends it before ChangeCipherSpec.
fn alert_record(number: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, number]
}

#[test]
fn e16_each_verdict_reaches_the_client_as_its_alert() {
    for version in BOTH {
        for (alert, number) in ALERTS {
            let run = Client::new(version, Key::P256).build().connect(&server(), &Verdicts::new(Err(alert)), START);
            assert_eq!(*run.failure(), Failure::Judged(alert));
            assert_eq!(run.alert(), number, "{version:?}");
            if version == TlsVersion::Tls12 {
                assert_eq!(*run.to_client.last().unwrap(), alert_record(number));
            }
        }
    }
}

#[test]
fn t04_an_unknown_authority_is_refused_and_the_next_client_is_let_in() {
    let server = server();
    for version in BOTH {
        let run = Client::new(version, Key::Rsa).build().connect(&server, &Verdicts::new(Err(Alert::UnknownCa)), START);
        assert_eq!(run.alert(), 48);
        Client::new(version, Key::Rsa).build().connect(&server, &Verdicts::good(), START).established();
    }
}

#[test]
fn t02_no_client_certificate_is_certificate_required() {
    for version in BOTH {
        let client = Client { certificate: None, ..Client::new(version, Key::Rsa) };
        let judge = Verdicts::good();
        let run = client.build().connect(&server(), &judge, START);
        assert_eq!(*run.failure(), Failure::NoCertificate);
        assert_eq!(run.alert(), 116, "{version:?}");
        assert_eq!(judge.times_judged(), 0);
    }
}

#[test]
fn t03_a_copied_certificate_without_its_key_is_decrypt_error_and_never_judged() {
    let pki = pki();
    let stranger = &pki.server_rsa;
    for version in BOTH {
        for (certificate, key) in [
            (&pki.client_rsa, stranger),
            (&pki.client_ecdsa, &pki.server_ecdsa),
            (&pki.client_rsa, &pki.client_ecdsa),
            (&pki.client_ecdsa, &pki.client_rsa),
        ] {
            let client = Client { certificate: Some(with_key_of(certificate, key)), ..Client::new(version, Key::Rsa) };
            let judge = Verdicts::good();
            let run = client.build().connect(&server(), &judge, START);
            assert_eq!(*run.failure(), Failure::BadSignature);
            assert_eq!(run.alert(), 51);
            assert_eq!(judge.times_judged(), 0);
        }
    }
}

#[test]
fn t07_a_chain_of_a_hundred_certificates_is_refused_unread() {
    for version in BOTH {
        let own = &pki().client_ecdsa;
        let chain = vec![own.chain[0].clone(); 100];
        refused_unread(version, chain, &own.key);
    }
}

#[test]
fn t07_a_chain_of_seven_certificates_is_refused_and_one_of_six_is_judged() {
    let own = &pki().client_ecdsa;
    let with = |count| Pair { chain: vec![own.chain[0].clone(); count], key: own.key.clone() };
    for version in BOTH {
        refused_unread(version, with(7).chain, &own.key);
        let judge = Verdicts::good();
        let client = Client { certificate: Some(with(6).certified()), ..Client::new(version, Key::Rsa) }.build();
        client.connect(&server(), &judge, START).established();
        assert_eq!(judge.judged.lock().unwrap()[0].len(), 6);
        assert!(client.connect(&server(), &judge, START).established().resumed);
    }
}

#[test]
fn t07_a_chain_of_too_many_octets_is_refused_unread() {
    let own = &pki().client_ecdsa;
    let mut fat = own.chain.clone();
    fat.push(vec![0x30; 33_000].into());
    for version in BOTH {
        refused_unread(version, fat.clone(), &own.key);
    }
}

#[test]
fn t07_an_rsa_key_of_16384_bits_is_refused_unread() {
    for version in BOTH {
        let leaf = pki::certificate_with_long_key(16_384 / 8);
        refused_unread(version, vec![leaf], &pki().client_rsa.key);
    }
}

/// Neither judged nor its signature looked at: the alert isn't decrypt_error.
fn refused_unread(version: TlsVersion, chain: Vec<rustls::pki_types::CertificateDer<'static>>, key: &[u8]) {
    let pair = Pair { chain, key: key.to_vec() };
    let client = Client { certificate: Some(with_key_of(&pair, &pair)), ..Client::new(version, Key::Rsa) };
    let judge = Verdicts::good();
    let run = client.build().connect(&server(), &judge, START);
    assert!(
        matches!(run.failure(), Failure::Protocol(text) if text.starts_with("the client's")),
        "{:?}",
        run.failure()
    );
    assert_eq!(run.alert(), 43);
    assert_eq!(judge.times_judged(), 0);
}

#[test]
fn a_leaf_that_is_no_certificate_is_bad_certificate() {
    for version in BOTH {
        let garbage = Pair { chain: vec![vec![0x30, 0x03, 1, 2, 3].into()], key: pki().client_rsa.key.clone() };
        let client = Client { certificate: Some(with_key_of(&garbage, &garbage)), ..Client::new(version, Key::Rsa) };
        let run = client.build().connect(&server(), &Verdicts::good(), START);
        assert!(matches!(run.failure(), Failure::Protocol(_)));
        assert_eq!(run.alert(), 42);
    }
}

#[test]
fn a_client_that_distrusts_our_certificate_says_which_alert() {
    for version in BOTH {
        let mut client = Client::new(version, Key::Rsa);
        client.roots = RootCertStore::empty();
        client.roots.add(pki().client_rsa.chain[1].clone()).unwrap();
        let run = client.build().connect(&server(), &Verdicts::good(), START);
        assert_eq!(*run.failure(), Failure::ClientAlert(48));
    }
}

#[test]
fn s01_a_refused_client_gets_nothing_that_resumes() {
    for (version, session_ids_only) in
        [(TlsVersion::Tls12, false), (TlsVersion::Tls12, true), (TlsVersion::Tls13, false)]
    {
        for kind in KEYS {
            let server = server();
            let client = Client { session_ids_only, ..Client::new(version, kind) }.build();
            let refused = client.connect(&server, &Verdicts::new(Err(Alert::CertificateRevoked)), START);
            assert_eq!(*refused.failure(), Failure::Judged(Alert::CertificateRevoked));
            let judge = Verdicts::good();
            assert!(!client.connect(&server, &judge, START).established().resumed);
            assert_eq!(judge.times_judged(), 1);
        }
    }
}
