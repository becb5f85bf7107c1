//! Logins that succeed, by every kind of key and in fragments of every size.

use crate::certificates::Key;
use crate::eapol::{BOTH, Login, Tls};
use crate::pki::{Credential, pki};
use crate::server::Server;

/// Tunnel-Private-Group-ID, RFC 2868.
const VLAN: u8 = 81;
const USER_NAME: u8 = 1;
const SESSION_TIMEOUT: u8 = 27;

/// A full login and one that resumes it, by every kind of key on either side.
fn logs_in_and_resumes(tls: Tls, server_key: Key) {
    let server = Server::start();
    let ssid = match server_key {
        Key::Rsa => "by RSA",
        Key::P256 => "by P-256",
    };
    for member in [&pki().member_rsa, &pki().member_p256] {
        let outcome = Login::new(member, tls).ssid(ssid).again(1).run(server.port);
        let [full, resumed] = &outcome.assert_accepted(2).attempts[..] else { panic!("two logins: {outcome}") };
        assert_eq!((full.tls, full.resumed), (Some(tls), false), "{outcome}");
        assert_eq!((resumed.tls, resumed.resumed), (Some(tls), true), "{outcome}");
        assert_eq!(full.server_key.as_deref(), Some(server_key.text()), "{outcome}");
    }
}

#[test]
fn tls12_by_rsa_logs_in_and_resumes_with_equal_keys() {
    logs_in_and_resumes(Tls::V12, Key::Rsa);
}

#[test]
fn tls12_by_p256_logs_in_and_resumes_with_equal_keys() {
    logs_in_and_resumes(Tls::V12, Key::P256);
}

#[test]
fn tls13_by_rsa_logs_in_and_resumes_with_equal_keys() {
    logs_in_and_resumes(Tls::V13, Key::Rsa);
}

#[test]
fn tls13_by_p256_logs_in_and_resumes_with_equal_keys() {
    logs_in_and_resumes(Tls::V13, Key::P256);
}

#[test]
fn p256_certificate_is_shown_where_the_client_can() {
    let server = Server::start();
    let any = Login::new(&pki().member_rsa, Tls::V12);
    let old = any.clone().line("openssl_ciphers=\"ECDHE-RSA-AES128-GCM-SHA256\"");
    for (login, key) in [(any, Key::P256), (old, Key::Rsa)] {
        let outcome = login.run(server.port);
        assert_eq!(outcome.assert_accepted(1).attempts[0].server_key.as_deref(), Some(key.text()), "{outcome}");
    }
}

/// Fragments of this size in both directions, with and without a length on messages that need none.
fn logs_in_by_fragments_of(octets: u32) {
    let server = Server::with_eap(&format!("fragment-size = {octets}"));
    for tls in BOTH {
        // The longest chain: RSA, with its intermediate.
        let login = Login::new(&pki().member_pub_ca8, tls).ssid("by RSA").fragment_size(octets).again(1);
        login.run(server.port).assert_accepted(2);
        login.with_length_flag().run(server.port).assert_accepted(2);
    }
}

#[test]
fn fragments_of_50_octets_carry_a_login() {
    logs_in_by_fragments_of(50);
}

#[test]
fn fragments_of_200_octets_carry_a_login() {
    logs_in_by_fragments_of(200);
}

#[test]
fn fragments_of_500_octets_carry_a_login() {
    logs_in_by_fragments_of(500);
}

#[test]
fn fragments_of_1020_octets_carry_a_login() {
    logs_in_by_fragments_of(1_020);
}

#[test]
fn fragments_of_1398_octets_carry_a_login() {
    logs_in_by_fragments_of(1_398);
}

#[test]
fn ssid_picks_the_service() {
    let server = Server::start();
    for (ssid, vlan) in [("JAIST", "120"), ("eduroam", "200")] {
        let outcome = Login::new(&pki().member_p256, Tls::V13).ssid(ssid).run(server.port);
        let granted = outcome.assert_accepted(1).attempts[0].values(VLAN);
        // eapol_test prints octets; a tag of one octet may stand before.
        let wanted: String = vlan.bytes().map(|octet| format!("{octet:02x}")).collect();
        assert!(matches!(granted[..], [value] if value.ends_with(&wanted)), "VLAN {vlan} ({wanted}): {outcome}");
    }
    let outcome = Login::new(&pki().member_p256, Tls::V13).ssid("jaist").run(server.port);
    assert!(!outcome.success && outcome.attempts[0].failed, "case counts in an SSID: {outcome}");
}

#[test]
fn accept_names_the_user_by_the_certificate() {
    let server = Server::start();
    let pki = pki();
    let members: [(&Credential, &str); 2] =
        [(&pki.member_rsa, "hanako@jaist.ac.jp"), (&pki.member_pub_ca8, "yuki@jaist.ac.jp")];
    for (member, name) in members {
        let outcome = Login::new(member, Tls::V13).run(server.port);
        let login = &outcome.assert_accepted(1).attempts[0];
        assert_eq!(login.values(USER_NAME), [name], "not the outer identity: {outcome}");
        assert_eq!(login.values(SESSION_TIMEOUT), ["28800"], "{outcome}");
    }
}

#[test]
fn login_by_a_two_level_rsa_chain_takes_few_requests() {
    let server = Server::start();
    for (tls, resumed_at_most) in [(Tls::V12, 3), (Tls::V13, 4)] {
        let outcome = Login::new(&pki().member_rsa, tls).ssid("by RSA").again(1).run(server.port);
        let [full, resumed] = &outcome.assert_accepted(2).attempts[..] else { panic!("two logins: {outcome}") };
        assert!(full.requests <= 7, "{} requests for a full login: {outcome}", full.requests);
        assert!(resumed.resumed, "{outcome}");
        assert!(resumed.requests <= resumed_at_most, "{} requests to resume: {outcome}", resumed.requests);
    }
}
