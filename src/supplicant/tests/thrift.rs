//! What a crowd spares itself, and what it must notice all the same.

use super::*;

const BOTH: Thrift = Thrift { trusts_again: true, known_share: true };

fn thrifty(pki: &Pki, version: Option<TlsVersion>, thrift: Thrift) -> Supplicant {
    Supplicant::thrifty(Settings { version, ..pki.settings(Tls13) }, thrift).unwrap()
}

fn log_in_at(server: &Pki, supplicant: &Supplicant, now: Wall) -> Report {
    let login = supplicant.login(asker(), station(), false, now);
    drive(&mut Server::new(server, Fault::Nothing), login, now)
}

fn notices(report: &Report) -> bool {
    !report.accepted && !report.finished && report.server_certificate.is_some() && report.alert_sent.is_some()
}

#[test]
fn a_server_without_its_certificates_key_is_noticed_at_the_first_login() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        for thrift in [Thrift::default(), BOTH] {
            let supplicant = thrifty(&pki, Some(version), thrift);
            for _ in 0..3 {
                let report = log_in(&mut Server::new(&pki.impostor(), Fault::Nothing), &supplicant, false);
                assert!(notices(&report), "{report:?}");
            }
            assert!(log_in(&mut Server::new(&pki, Fault::Nothing), &supplicant, false).logged_in);
        }
    }
}

#[test]
fn what_a_server_has_proved_once_is_believed_for_a_minute_by_the_thrifty_alone() {
    let pki = Pki::new();
    let minute = Duration::from_secs(60);
    for version in [Tls12, Tls13] {
        let trusting = thrifty(&pki, Some(version), BOTH);
        // A crowd's devices share what they know of the server.
        assert!(log_in_at(&pki, &trusting.device(), NOW).logged_in);
        assert!(log_in_at(&pki.impostor(), &trusting.device(), NOW + (minute - Duration::from_secs(1))).logged_in);
        assert!(notices(&log_in_at(&pki.impostor(), &trusting, NOW + minute)));
        assert!(notices(&log_in_at(&Pki::new(), &trusting, NOW)), "another chain proves nothing");

        let strict = Supplicant::new(pki.settings(version)).unwrap();
        assert!(log_in_at(&pki, &strict, NOW).logged_in);
        assert!(notices(&log_in_at(&pki.impostor(), &strict, NOW)));
    }
}

#[test]
fn a_proof_in_one_tls_version_is_none_in_the_other() {
    let pki = Pki::new();
    let supplicant = thrifty(&pki, None, BOTH);
    let log_in = |server: &Pki, version| {
        let login = supplicant.login(asker(), station(), false, NOW);
        drive(&mut Server::speaking(server, version), login, NOW)
    };
    assert!(log_in(&pki, Tls12).logged_in && log_in(&pki.impostor(), Tls12).logged_in);
    assert!(notices(&log_in(&pki.impostor(), Tls13)));
    assert!(log_in(&pki, Tls13).logged_in && log_in(&pki.impostor(), Tls13).logged_in);
}

#[test]
fn several_chains_are_remembered_side_by_side_and_the_oldest_is_forgotten() {
    let pkis: Vec<Pki> = (0..9).map(|number| Pki::of(&format!("Authority {number}"))).collect();
    let anchors = pkis.iter().map(|pki| pki.authority.clone()).collect();
    let supplicant = Supplicant::thrifty(Settings { anchors, ..pkis[0].settings(Tls13) }, BOTH).unwrap();
    // Where others of the servers don't know the client's authority, they have been judged before they say so.
    let is_good = |pki: &Pki| log_in_at(pki, &supplicant, NOW).server_certificate.is_none();
    assert!(pkis.iter().all(is_good));
    assert!(is_good(&pkis[1].impostor()) && is_good(&pkis[8].impostor()) && !is_good(&pkis[0].impostor()));
}

#[test]
fn a_key_share_that_everybody_knows_is_good_tls_full_and_resumed() {
    let pki = Pki::new();
    for version in [Tls12, Tls13] {
        let mut server = Server::new(&pki, Fault::Nothing);
        let supplicant = thrifty(&pki, Some(version), BOTH);
        for resumed in [false, true, true] {
            let report = log_in(&mut server, &supplicant, resumed);
            assert!(report.logged_in && report.keys_agree == Some(true), "{report:?}");
            assert_eq!((report.version, report.resumed), (Some(version), resumed));
        }
    }
}
