//! The SSL-VPN by EAP-TLS that a gateway passes through: who is let in has a tunnel, who is blocked or revoked loses it, and what comes then is refused. strongSwan resumes no TLS session.

use serde_json::{Value, json};

use crate::api::id;
use crate::eapol::{Alert, BOTH, Tls};
use crate::pki::{Credential, pki};
use crate::server::Server;
use crate::vpn::Site;

const USER: &str = "hanako@jaist.ac.jp";
const ACK: &str = r#"sekisho_disconnects_total{result="ack"}"#;

/// What is kept of a certificate's session that its gateway has ended. That may have said no first, if it was just busy with it.
fn ended(server: &Server, credential: &Credential) -> Value {
    let acked = |it: &Value| it["items"].as_array()?.iter().find(|one| one["result"] == "ack").cloned();
    let path = format!("disconnects/history?certificate={}", id(credential));
    let seen = server.look_until(&path, |it| acked(it).is_some());
    acked(&seen).expect("it is there")
}

fn a_block_ends_the_tunnel_until_it_is_lifted(tls: Tls) {
    let mut site = Site::new();
    let mut home = site.roadwarrior(tls);
    assert!(!home.place.pings());
    let member = &pki().member_rsa;
    home.connects(member, USER);
    let session = site.online(1).remove(0);
    assert_eq!((&session["user"], &session["certificate"]), (&json!(USER), &json!(id(member))), "{session}");
    assert_eq!((&session["service"], &session["nas"]), (&json!("ssl-vpn"), &json!("vpn")), "{session}");
    assert_eq!(session["user_name"], USER, "{session}");
    assert_eq!(session["mac"], format!("{}[4500]", home.place.address), "{session}");

    site.server.block(member);
    site.gateway.wait_connected("without a tunnel", str::is_empty);
    home.wait_disconnected();
    site.server.wait_for_metric(&format!("{ACK} 1"));
    site.online(0);
    let told = ended(&site.server, member);
    assert_eq!((&told["reason"], &told["session"]), (&json!("blocked"), &session["id"]), "{told}");

    home.is_refused(member, USER).assert_alert(Alert::CertificateRevoked);
    site.server.assert_rejections("blocked", 1);
    assert_eq!(site.server.lift(member)["status"], "valid");
    home.connects(member, USER);
    // And it is no half measure: it works a second time.
    site.online(1);
    site.server.block(member);
    home.wait_disconnected();
    site.server.wait_for_metric(&format!("{ACK} 2"));
}

#[test]
fn a_block_ends_the_tunnel_until_it_is_lifted_by_tls12() {
    a_block_ends_the_tunnel_until_it_is_lifted(Tls::V12);
}

#[test]
fn a_block_ends_the_tunnel_until_it_is_lifted_by_tls13() {
    a_block_ends_the_tunnel_until_it_is_lifted(Tls::V13);
}

#[test]
fn a_person_who_is_blocked_loses_the_tunnels_of_every_certificate() {
    let site = Site::new();
    let members = [&pki().member_rsa, &pki().member_rsa_again];
    let mut homes = BOTH.map(|tls| site.roadwarrior(tls));
    for (home, member) in homes.iter_mut().zip(members) {
        home.connects(member, USER);
    }
    let mut bystander = site.roadwarrior(Tls::V13);
    bystander.connects(&pki().member_p256, "taro@jaist.ac.jp");
    site.online(3);
    let path = format!("users/{USER}/block");
    site.server.api("POST", &path, Some(json!({ "reason": "left" })));
    homes.iter_mut().for_each(|home| home.wait_disconnected());
    assert_eq!(site.online(1)[0]["user"], "taro@jaist.ac.jp");
    assert!(bystander.place.pings());
    for (home, member) in homes.iter().zip(members) {
        home.is_refused(member, USER).assert_alert(Alert::AccessDenied);
    }
    site.server.assert_rejections("user-blocked", 2);
    site.server.api("DELETE", &path, None);
    for (home, member) in homes.iter_mut().zip(members) {
        home.connects(member, USER);
    }
    site.online(3);
}

#[test]
fn a_certificate_on_the_cas_list_loses_its_tunnel() {
    let mut site = Site::new();
    let mut home = site.roadwarrior(Tls::V13);
    let member = &pki().member_rsa;
    home.connects(member, USER);
    site.online(1);
    site.server.publish_ca16(2, &[&pki().revoked, member]);
    home.wait_disconnected();
    site.server.wait_for_metric(&format!("{ACK} 1"));
    assert_eq!(ended(&site.server, member)["reason"], "revoked");
    home.is_refused(member, USER).assert_alert(Alert::CertificateRevoked);
    site.server.assert_rejections("revoked", 1);
}

#[test]
fn an_operator_ends_a_tunnel_and_nobody_is_refused_for_it() {
    let site = Site::new();
    let mut home = site.roadwarrior(Tls::V12);
    home.connects(&pki().member_p256, "taro@jaist.ac.jp");
    let session = site.online(1).remove(0);
    let path = format!("sessions/{}/disconnect", session["id"].as_str().expect("an id"));
    let told = site.server.api("POST", &path, None);
    assert_eq!((&told["result"], &told["ended"]), (&json!("ack"), &json!([session["id"]])), "{told}");
    home.wait_disconnected();
    home.connects(&pki().member_p256, "taro@jaist.ac.jp");
    site.online(1);
}

#[test]
fn what_goes_through_the_tunnel_is_counted_and_who_leaves_is_offline() {
    let site = Site::granting(&["Class=members", "Framed-IP-Address=10.98.7.7", "MS-Primary-DNS-Server=10.99.0.53"]);
    let mut home = site.roadwarrior(Tls::V13);
    home.connects(&pki().member_p256, "taro@jaist.ac.jp");
    assert!(home.charon.tunnels().contains("[10.98.7.7]"), "{}", home.charon.tunnels());
    assert!(home.resolver().contains("nameserver 10.99.0.53"), "{}", home.resolver());
    let session = site.online(1).remove(0);
    assert_eq!((&session["accounted"], &session["framed_ip"]), (&json!(true), &json!("10.98.7.7")), "{session}");
    let counted = |it: &Value| it["items"][0]["octets_in"].as_u64() >= Some(84) && it["items"][0]["octets_out"] != 0;
    site.server.look_until("sessions", counted);
    home.charon.terminate("campus");
    site.online(0);
    let records = r#"sekisho_requests_total{code="accounting-request",listener="accounting",outcome="accept"}"#;
    assert!(site.server.count(records) >= 3, "Start, Interim-Update, Stop");
}

#[test]
fn flights_of_many_fragments_come_through_the_gateway() {
    let small = |text: String| {
        let text = text.replace("[\"p256\", \"rsa\"]", "[\"rsa\"]").replace("[log]\n", "[log]\nformat = \"json\"\n");
        text.replace("[eap]\n", "[eap]\nfragment-size = 300\n")
    };
    let site = Site::changed("{ nas = [\"vpn\"] }", &["Class=members"], small);
    let lengths = ["include_length = yes", "include_length = no"];
    for (tls, length) in BOTH.into_iter().zip(lengths) {
        let settings = format!("plugins {{\n eap-tls {{\n fragment_size = 100\n {length}\n }}\n }}");
        let mut home = site.roadwarrior_with(tls, &settings);
        home.connects(&pki().member_rsa, USER);
    }
    let seen = site.server.decisions(USER, BOTH.len());
    assert!(seen.iter().all(|one| one["rounds"].as_u64() > Some(15)), "{seen:?}");
}

fn who_logs_in_again_in_the_middle_is_one_session_and_loses_the_tunnel(settings: &str) {
    let mut site = Site::new();
    let mut home = site.roadwarrior_with(Tls::V13, settings);
    let member = &pki().member_rsa;
    home.connects(member, USER);
    let before = site.online(1).remove(0);
    home.charon.reauthenticate("campus");
    let is_new = |it: &Value| {
        let items = it["items"].as_array().map_or(&[][..], Vec::as_slice);
        matches!(items, [one] if one["acct_session_id"] != before["acct_session_id"] && one["accounted"] == true)
    };
    let after = site.server.look_until("sessions", is_new);
    assert_eq!((&after["items"][0]["user"], &after["items"][0]["certificate"]), (&json!(USER), &json!(id(member))));
    // While the gateway is busy with the session, waiting for the answer to its Start, it says that there is none.
    site.server.block(member);
    home.wait_disconnected();
    site.server.wait_for_metric(&format!("{ACK} 1"));
}

#[test]
fn who_logs_in_again_before_the_tunnel_goes_is_one_session_and_loses_the_tunnel() {
    who_logs_in_again_in_the_middle_is_one_session_and_loses_the_tunnel("make_before_break = yes");
}

#[test]
fn who_logs_in_again_after_the_tunnel_has_gone_is_one_session_and_loses_the_tunnel() {
    who_logs_in_again_in_the_middle_is_one_session_and_loses_the_tunnel("make_before_break = no");
}

#[test]
fn who_moves_to_another_network_is_still_known_and_loses_the_tunnel_there() {
    let mut site = Site::new();
    let mut home = site.roadwarrior(Tls::V13);
    let member = &pki().member_rsa;
    home.connects(member, USER);
    let before = site.online(1).remove(0);
    home.place.moves();
    let station = format!("{}[4500]", home.place.address);
    let seen = site.server.look_until("sessions", |it| it["items"][0]["mac"] == station.as_str());
    let after = &seen["items"][0];
    assert!(home.place.pings());
    assert_eq!((&after["id"], &after["user"]), (&before["id"], &json!(USER)), "{seen}");
    site.server.block(member);
    home.wait_disconnected();
    site.server.wait_for_metric(&format!("{ACK} 1"));
}

#[test]
fn who_must_not_come_in_is_refused_and_told_why() {
    let site = Site::new();
    let pki = pki();
    let refused = [
        ("revoked", &pki.revoked, Alert::CertificateRevoked, "revoked"),
        ("expired", &pki.expired, Alert::CertificateExpired, "expired"),
        ("mail", &pki.smime, Alert::UnsupportedCertificate, "wrong-purpose"),
        ("other", &pki.other_customer, Alert::AccessDenied, "wrong-organisation"),
        ("stranger", &pki.stranger, Alert::UnknownCa, "untrusted-issuer"),
    ];
    for tls in BOTH {
        let home = site.roadwarrior(tls);
        for (name, credential, alert, _) in refused {
            home.is_refused(credential, &format!("{name}@jaist.ac.jp")).assert_alert(alert);
        }
    }
    for (.., reason) in refused {
        site.server.assert_rejections(reason, BOTH.len());
    }
    site.online(0);
}

#[test]
fn what_policy_says_decides_at_the_gateway_too() {
    let site = Site::granting(&["Class=guests"]);
    let home = site.roadwarrior(Tls::V13);
    home.is_refused(&pki().member_p256, "taro@jaist.ac.jp").assert_of_the_gateway();
}

#[test]
fn the_service_is_asked_for_by_what_the_gateway_says_of_itself() {
    for matched in ["{ nas-port-type = [\"Virtual\"] }", "{ nas-identifier = [\"concentrator\"] }"] {
        let site = Site::serving(matched, &["Class=members"]);
        let mut home = site.roadwarrior(Tls::V13);
        home.connects(&pki().member_p256, "taro@jaist.ac.jp");
        assert_eq!(site.online(1)[0]["service"], "ssl-vpn", "{matched}");
    }
}

#[test]
fn a_device_that_says_who_it_is_by_der_is_refused_for_that() {
    // What strongSwan sends if nobody has told it a name.
    let site = Site::new();
    let home = site.roadwarrior(Tls::V13);
    home.is_refused(&pki().member_p256, "").assert_before_tls();
    site.server.assert_rejections("bad-identity", 1);
}
