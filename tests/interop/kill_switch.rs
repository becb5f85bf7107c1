//! An operator's block on real switches: hostapd closes the port, and what comes then is refused, however it comes.

use serde_json::{Value, json};

use crate::api::id;
use crate::eapol::{Alert, Login, Tls};
use crate::pki::{Credential, pki};
use crate::server::Server;
use crate::wire::Site;

const USER: &str = "hanako@jaist.ac.jp";
const ACK: &str = r#"sekisho_disconnects_total{result="ack"}"#;

/// Those that are online.
fn online(server: &Server, count: usize) -> Vec<Value> {
    let listed = |it: &Value| it["items"].as_array().is_some_and(|items| items.len() == count);
    let seen = server.look_until("sessions", listed);
    seen["items"].as_array().cloned().unwrap_or_default()
}

/// What is refused, as the supplicant saw it: by this alert.
#[track_caller]
fn assert_alert(log: &str, alert: Alert) {
    let seen = log.lines().find_map(|line| line.split_once("(remote end reported an error):fatal:"));
    assert_eq!(seen.map(|(_, alert)| alert), Some(alert.text()), "{log}");
}

/// Whether the certificate is among those that are blocked here and not yet on the CA's list.
fn is_unconfirmed(report: &Value, credential: &Credential) -> bool {
    report["items"].as_array().is_some_and(|items| items.iter().any(|it| it["id"] == *id(credential)))
}

fn a_block_closes_the_port_until_the_ca_has_its_say(tls: Tls) {
    let mut site = Site::new();
    let mut switch = site.switch();
    let member = &pki().member_rsa;
    let mut device = switch.plug(&Login::new(member, tls));
    device.resumes();
    let sessions = online(&site.server, 1);
    let session = &sessions[0];
    assert_eq!((&session["user"], &session["certificate"]), (&json!(USER), &json!(id(member))), "{session}");
    assert_eq!((&session["service"], &session["nas"]), (&json!("wired"), &json!("switches")), "{session}");
    assert_eq!(session["mac"], switch.mac.as_str(), "{session}");

    let mark = switch.mark();
    site.server.block(member);
    switch.wait_closed(mark);
    site.server.wait_for_metric(&format!("{ACK} 1"));
    site.server.log_with(" disconnected user=hanako@jaist.ac.jp nas=switches");
    online(&site.server, 0);

    // By the ticket from before, and without.
    let refused = switch.refuses(&mut device);
    assert!(refused.contains("EAP: Using previous method data for fast re-authentication"), "{refused}");
    assert_alert(&refused, Alert::CertificateRevoked);
    assert_alert(&switch.refuses(&mut device), Alert::CertificateRevoked);
    let path = format!("authentications?user={USER}&reason=blocked");
    site.server.look_until(&path, |it| it["items"].as_array().is_some_and(|items| items.len() == 2));
    assert!(is_unconfirmed(&site.server.api("GET", "reports/unconfirmed", None), member));

    site.server.publish_ca16(2, &[&pki().revoked, member]);
    site.server.look_until(&format!("certificates/{}", id(member)), |it| it["status"] == "revoked");
    site.server.look_until("reports/unconfirmed", |report| !is_unconfirmed(report, member));
    assert_eq!(site.server.lift(member)["status"], "revoked", "never the CA's");
    assert_alert(&switch.refuses(&mut device), Alert::CertificateRevoked);
    site.server.assert_rejections("revoked", 1);
    assert_eq!(site.server.count(ACK), 1, "it was told once");
}

#[test]
fn a_block_closes_the_port_until_the_ca_has_its_say_by_tls12() {
    a_block_closes_the_port_until_the_ca_has_its_say(Tls::V12);
}

#[test]
fn a_block_closes_the_port_until_the_ca_has_its_say_by_tls13() {
    a_block_closes_the_port_until_the_ca_has_its_say(Tls::V13);
}

#[test]
fn a_block_that_is_lifted_opens_the_port_again() {
    let mut site = Site::new();
    let mut switch = site.switch();
    let member = &pki().member_p256;
    let mut device = switch.plug(&Login::new(member, Tls::V13));
    let mark = switch.mark();
    site.server.block(member);
    switch.wait_closed(mark);
    assert_alert(&switch.refuses(&mut device), Alert::CertificateRevoked);
    assert_eq!(site.server.lift(member)["status"], "valid");
    switch.lets_in(&mut device);
    online(&site.server, 1);
    // And it is no half measure: it works a second time.
    let mark = switch.mark();
    site.server.block(member);
    switch.wait_closed(mark);
    site.server.wait_for_metric(&format!("{ACK} 2"));
}

#[test]
fn a_person_who_is_blocked_loses_every_port_and_gets_them_back() {
    let mut site = Site::new();
    let mut switches = [site.switch(), site.switch()];
    let certificates = [&pki().member_rsa, &pki().member_rsa_again];
    let mut bystander = site.switch();
    let _taro = bystander.plug(&Login::new(&pki().member_p256, Tls::V13));
    let mut devices: Vec<_> = switches
        .iter_mut()
        .zip(certificates)
        .map(|(switch, certificate)| switch.plug(&Login::new(certificate, Tls::V13)))
        .collect();
    online(&site.server, 3);
    let marks = switches.each_ref().map(|switch| switch.mark());
    let path = format!("users/{USER}/block");
    site.server.api("POST", &path, Some(json!({ "reason": "left" })));
    for (switch, mark) in switches.iter_mut().zip(marks) {
        switch.wait_closed(mark);
    }
    site.server.wait_for_metric(&format!("{ACK} 2"));
    for (switch, device) in switches.iter_mut().zip(&mut devices) {
        assert_alert(&switch.refuses(device), Alert::AccessDenied);
    }
    site.server.assert_rejections("user-blocked", 2);
    site.server.api("DELETE", &path, None);
    for (switch, device) in switches.iter_mut().zip(&mut devices) {
        switch.lets_in(device);
    }
    assert!(bystander.is_open());
    assert_eq!(online(&site.server, 3).iter().filter(|it| it["user"] == USER).count(), 2);
}

#[test]
fn a_certificate_is_blocked_for_every_service() {
    let site = Site::new();
    let mut switch = site.switch();
    let member = &pki().member_rsa;
    let _device = switch.plug(&Login::new(member, Tls::V13));
    let elsewhere = |ssid| Login::new(member, Tls::V13).ssid(ssid).run_in(site.server.place(), site.server.port);
    elsewhere("eduroam").assert_accepted(1);
    site.server.block(member);
    for ssid in ["eduroam", "JAIST"] {
        elsewhere(ssid).assert_refused(Alert::CertificateRevoked);
    }
    let refused = |service: &str| {
        let series = format!(r#"sekisho_authentications_total{{method="eap-tls",outcome="reject",reason="blocked",service="{service}"}}"#);
        site.server.count(&series)
    };
    site.server.assert_rejections("blocked", 2);
    assert_eq!((refused("eduroam"), refused("JAIST")), (1, 1));
}
