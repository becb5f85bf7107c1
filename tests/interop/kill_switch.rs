//! An operator's block on real switches: hostapd closes the port, and what comes then is refused, however it comes.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{self, id};
use crate::eapol::{Alert, Login, Tls};
use crate::pki::{Credential, pki};
use crate::process::{Place, Process};
use crate::scratch::Scratch;
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

/// The switch, which tells of its sessions every second, has told of the last login too: whoever has to go is named by the session that the switch has by now.
fn told(server: &Server) {
    let before = server.accounted();
    for _ in 0..900 {
        // The beginning of this one, if it had not been told before, and one more.
        if server.accounted() >= before + 2 {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the switch tells nothing");
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
    told(&site.server);
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
    let path = format!("disconnects/history?certificate={}", id(member));
    let ended = site.server.look_until(&path, |it| it["items"].as_array().is_some_and(|it| !it.is_empty()));
    let ended = &ended["items"][0];
    assert_eq!((&ended["result"], &ended["reason"]), (&json!("ack"), &json!("blocked")), "{ended}");
    assert_eq!((&ended["session"], &ended["by"]), (&session["id"], &Value::Null), "{ended}");

    // By the ticket from before, and without.
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked).assert_by_ticket();
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
    let path = format!("authentications?user={USER}&reason=blocked");
    site.server.look_until(&path, |it| it["items"].as_array().is_some_and(|items| items.len() == 2));
    assert!(is_unconfirmed(&site.server.api("GET", "reports/unconfirmed", None), member));

    site.server.publish_ca16(2, &[&pki().revoked, member]);
    site.server.look_until(&format!("certificates/{}", id(member)), |it| it["status"] == "revoked");
    site.server.look_until("reports/unconfirmed", |report| !is_unconfirmed(report, member));
    assert_eq!(site.server.lift(member)["status"], "revoked", "never the CA's");
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
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
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
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
        switch.refuses(device).assert_alert(Alert::AccessDenied);
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
        let series = format!(
            r#"sekisho_authentications_total{{method="eap-tls",outcome="reject",reason="blocked",service="{service}"}}"#
        );
        site.server.count(&series)
    };
    site.server.assert_rejections("blocked", 2);
    assert_eq!((refused("eduroam"), refused("JAIST")), (1, 1));
}

#[test]
fn a_block_between_accept_and_accounting_start_ends_the_session_that_has_not_begun() {
    let mut site = Site::new();
    // Whose Start never comes.
    let mut switch = site.switch_without_accounting();
    let member = &pki().member_rsa;
    let mut device = switch.plug(&Login::new(member, Tls::V13));
    let mark = switch.mark();
    site.server.block(member);
    switch.wait_closed(mark);
    site.server.wait_for_metric(&format!("{ACK} 1"));
    // Nobody would say that it has ended.
    online(&site.server, 0);
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
}

#[test]
fn a_switch_that_cannot_be_reached_closes_the_port_when_it_can() {
    let mut site = Site::new();
    let mut switch = site.switch();
    let member = &pki().member_rsa;
    let _device = switch.plug(&Login::new(member, Tls::V13));
    online(&site.server, 1);
    switch.cut();
    site.server.block(member);
    site.server.log_with("a live session has to go");
    assert!(switch.is_open());
    let mark = switch.mark();
    switch.mend();
    switch.wait_closed(mark);
    site.server.wait_for_metric(&format!("{ACK} 1"));
}

#[test]
fn a_block_whose_server_was_killed_before_the_switch_was_told_closes_the_port_after_the_restart() {
    let mut site = Site::new();
    let mut switch = site.switch();
    let member = &pki().member_rsa;
    let mut device = switch.plug(&Login::new(member, Tls::V13));
    online(&site.server, 1);
    switch.cut();
    site.server.block(member);
    site.server.kill();
    // Whatever was on its way is lost.
    switch.mend();
    assert!(switch.is_open());
    let mark = switch.mark();
    site.server.start_again();
    switch.wait_closed(mark);
    site.server.wait_for_metric(&format!("{ACK} 1"));
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
}

#[test]
fn a_switch_is_told_by_whatever_name_it_knows() {
    for name in ["acct-session-id", "calling-station-id", "user-name"] {
        let mut site = Site::telling(&format!(", identify-by = [\"{name}\"]"));
        let mut switch = site.switch();
        let member = &pki().member_rsa;
        let _device = switch.plug(&Login::new(member, Tls::V13));
        online(&site.server, 1);
        let mark = switch.mark();
        site.server.block(member);
        switch.wait_closed(mark);
        site.server.wait_for_metric(&format!("{ACK} 1"));
    }
}

#[test]
fn an_operator_ends_a_session_and_nobody_is_refused_for_it() {
    let site = Site::new();
    let mut switch = site.switch();
    let mut device = switch.plug(&Login::new(&pki().member_rsa, Tls::V13));
    let session = online(&site.server, 1)[0]["id"].clone();
    let mark = switch.mark();
    let path = format!("sessions/{}/disconnect", session.as_str().expect("an id"));
    let done = site.server.api("POST", &path, None);
    assert_eq!((&done["result"], &done["ended"]), (&json!("ack"), &json!([session])), "{done}");
    switch.wait_closed(mark);
    switch.lets_in(&mut device);
}

#[test]
fn a_switch_tells_of_its_sessions_until_they_end() {
    let site = Site::new();
    let mut switch = site.switch();
    let mut device = switch.plug(&Login::new(&pki().member_rsa, Tls::V13));
    let first = online_and_told_of(&site.server);
    device.log_off();
    online(&site.server, 0);

    // And if it doesn't tell, since it has lost its power, it does when it is back.
    device.log_on();
    assert_ne!(online_and_told_of(&site.server), first);
    switch.restart();
    online(&site.server, 0);
}

/// The one session, once its switch has told of it beyond its beginning, which it does each second.
fn online_and_told_of(server: &Server) -> Value {
    let told_of = |it: &Value| it["last_update"].as_str() > it["started"].as_str();
    server.look_until("sessions", |it| told_of(&it["items"][0]))["items"][0]["id"].clone()
}

/// While devices resume as often as they can: by the order in which the kernel was given the answers to it and to the operator.
fn no_accept_leaves_after_the_answer(tls: Tls) {
    const DEVICES: usize = 4;
    let mut server = Server::changed(|_, text| text + api::configuration());
    let scratch = Scratch::new();
    let member = &pki().member_p256;
    // It is known from here on.
    Login::new(member, tls).run(server.port).assert_accepted(1);
    let trace = scratch.path().join("trace");
    let mut strace = Place::Host.command("strace");
    strace.args(["-f", "-qq", "-s", "16", "-e", "trace=sendmsg,sendmmsg,sendto,write,writev"]);
    strace.arg("-o").arg(&trace).args(["-p", &server.id().to_string()]);
    let mut strace = Process::start("strace", &mut strace, &scratch);
    let login = Login::new(member, tls).again(1_000);
    let mut supplicants: Vec<_> = (0..DEVICES).map(|_| login.begin(server.port, &scratch)).collect();
    let seen = || std::fs::read_to_string(&trace).unwrap_or_default();
    strace.wait_until("seeing logins", |_| seen().lines().filter(|line| is_accept(line)).count() > 5);
    supplicants.iter_mut().for_each(|supplicant| supplicant.wait_for_logins(8));
    server.block(member);
    for supplicant in supplicants {
        supplicant.finish().assert_refused_from_some_time_on(Alert::CertificateRevoked);
    }
    server.kill();
    strace.wait(Duration::from_secs(30));

    let seen = seen();
    let answers = || seen.lines().enumerate().filter(|(_, line)| line.contains("\"HTTP/1.1 200 "));
    let answered = answers().next().expect("the operator was answered").0;
    assert_eq!(answers().count(), 1, "{seen}");
    let late: Vec<_> = seen.lines().skip(answered).filter(|line| is_accept(line)).collect();
    assert!(late.is_empty(), "{late:#?}\n{seen}");
}

/// Whether the line begins to send an Access-Accept: code 2, in octal.
fn is_accept(line: &str) -> bool {
    let octets = line.split_once("iov_base=\"\\").map(|(_, octets)| octets).unwrap_or_default();
    let code: String = octets.chars().take(3).take_while(|digit| digit.is_digit(8)).collect();
    line.contains("send") && u8::from_str_radix(&code, 8) == Ok(2)
}

#[test]
fn no_accept_leaves_after_the_answer_by_tls12() {
    no_accept_leaves_after_the_answer(Tls::V12);
}

#[test]
fn no_accept_leaves_after_the_answer_by_tls13() {
    no_accept_leaves_after_the_answer(Tls::V13);
}
