//! The SSL-VPN by one-time password: ocserv checks a password or a certificate, PAM asks the server for the code, openconnect shows what the server wants to know and types what its user types.

use serde_json::{Value, json};

use crate::api::id;
use crate::ocserv::{First, PASSWORD, Site, USERS};
use crate::pki::pki;

const HANAKO: &str = USERS[0];
const TARO: &str = USERS[1];
const REVOKED: &str = "revoked@jaist.ac.jp";
/// What the server asks by Access-Challenge, and PAM for itself.
const PROMPT: &str = "One-time password: ";

#[test]
fn password_and_code_open_once() {
    let site = Site::new(First::Password);
    let (mut device, mut app) = (site.device(), site.enrol(HANAKO));
    let code = app.code();
    assert!(!device.place.pings());
    device.connects(HANAKO, None, &[PASSWORD, &code]);
    let session = site.online(1).remove(0);
    assert_eq!((&session["user"], &session["method"]), (&json!(HANAKO), &json!("otp")), "{session}");
    assert_eq!((&session["service"], &session["nas"]), (&json!("ocserv"), &json!("ocserv")), "{session}");
    assert_eq!(session["mac"], json!(device.place.address), "{session}");
    device.leaves();
    site.online(0);
    // Whoever looked over her shoulder.
    let mut other = site.device();
    other.is_refused(HANAKO, None, &[PASSWORD, &code]);
    device.is_refused(HANAKO, None, &[PASSWORD, &code]);
    assert_eq!(site.reasons(HANAKO, 3), ["otp-wrong", "otp-wrong", "ok"]);
    other.is_refused(TARO, None, &[PASSWORD, &app.code()]);
    device.connects(HANAKO, None, &[PASSWORD, &app.code()]);
    site.online(1);
}

#[test]
fn whose_password_is_wrong_is_asked_for_no_code_and_loses_none() {
    let site = Site::new(First::Password);
    let (mut device, mut app) = (site.device(), site.enrol(HANAKO));
    let code = app.code();
    let said = device.is_refused(HANAKO, None, &["guessed", &code]);
    assert!(!said.contains(PROMPT), "{said}");
    device.connects(HANAKO, None, &[PASSWORD, &code]);
    assert_eq!(site.reasons(HANAKO, 1), ["ok"]);
}

#[test]
fn a_code_that_was_not_typed_is_asked_for_by_the_server() {
    let site = Site::new(First::Password);
    let (mut device, mut app) = (site.device(), site.enrol(HANAKO));
    let said = device.connects(HANAKO, None, &[PASSWORD, "", &app.code()]);
    assert_eq!(said.matches(PROMPT).count(), 2, "by PAM, by the server: {said}");
    device.leaves();
    device.is_refused(HANAKO, None, &[PASSWORD, "", &app.wrong()]);
    device.is_refused(HANAKO, None, &[PASSWORD, "", ""]);
    assert_eq!(site.reasons(HANAKO, 3), ["otp-wrong", "otp-wrong", "ok"]);
    device.connects(HANAKO, None, &[PASSWORD, &app.code()]);
}

#[test]
fn certificate_and_the_code_that_the_server_asks_for_open_once() {
    let site = Site::new(First::Certificate);
    let (mut device, mut app) = (site.device(), site.enrol(TARO));
    let member = &pki().member_p256;
    let code = app.code();
    // Nobody has shown it here, nor has it been registered.
    let said = device.is_refused(TARO, Some(member), &[&code]);
    assert!(!said.contains(PROMPT), "{said}");
    site.server.assert_rejections("no-good-certificate", 1);
    site.register(member);
    let said = device.connects(TARO, Some(member), &[&code]);
    assert_eq!(said.matches(PROMPT).count(), 1, "{said}");
    let session = site.online(1).remove(0);
    assert_eq!((&session["user"], &session["certificate"]), (&json!(TARO), &json!(id(member))), "{session}");
    device.leaves();
    site.online(0);
    device.is_refused(TARO, Some(member), &[&code]);
    device.is_refused(TARO, Some(member), &[&app.wrong()]);
    device.is_refused(TARO, Some(member), &[""]);
    device.connects(TARO, Some(member), &[&app.code()]);
    let reasons = ["ok", "otp-wrong", "otp-wrong", "otp-wrong", "ok"];
    assert_eq!(site.reasons(TARO, reasons.len()), reasons);
}

#[test]
fn whose_certificate_is_not_good_is_asked_for_no_code() {
    let site = Site::new(First::Certificate);
    let (mut device, pki) = (site.device(), pki());
    let people = [(TARO, &pki.member_p256), (REVOKED, &pki.revoked)];
    people.iter().for_each(|(_, credential)| site.register(credential));
    site.server.block(&pki.member_p256);
    for (user, credential) in people {
        let mut app = site.enrol(user);
        let said = device.is_refused(user, Some(credential), &[&app.code()]);
        assert!(!said.contains(PROMPT), "{said}");
    }
    assert_eq!(site.reasons(TARO, 1), ["blocked"]);
    assert_eq!(site.reasons(REVOKED, 1), ["revoked"]);
}

#[test]
fn a_code_opens_nothing_without_the_certificate_that_bears_the_name() {
    let site = Site::new(First::Certificate);
    let (mut device, mut app, pki) = (site.device(), site.enrol(TARO), pki());
    site.register(&pki.member_p256);
    let code = app.code();
    // ocserv lets nobody as far as to the server.
    for credential in [None, Some(&pki.stranger)] {
        let said = device.is_refused(TARO, credential, &[&code]);
        assert!(!said.contains(PROMPT), "{said}");
    }
    // It compares the names last, when the server has been asked.
    device.is_refused(TARO, Some(&pki.member_rsa), &[&code]);
    assert_eq!(site.reasons(TARO, 1), ["ok"]);
    device.connects(TARO, Some(&pki.member_p256), &[&app.code()]);
}

#[test]
fn guessing_is_slowed_where_it_is_done_and_nowhere_else() {
    let few = |text: String| text.replace("window = 10\n", "window = 10\nattempts = { each = 2, per = \"1d\" }\n");
    let site = Site::changed(First::Password, few, |text| text);
    let (mut guesser, mut hers) = (site.device(), site.device());
    let (mut app, mut another) = (site.enrol(HANAKO), site.enrol(TARO));
    for _ in 0..2 {
        guesser.is_refused(HANAKO, None, &[PASSWORD, &app.wrong()]);
    }
    assert_eq!(site.reasons(HANAKO, 2), ["otp-wrong", "otp-wrong"]);
    // Even if it were right, nobody would hear of it.
    let code = app.code();
    guesser.is_refused(HANAKO, None, &[PASSWORD, &code]);
    assert_eq!(site.reasons(HANAKO, 3)[0], "otp-throttled");
    guesser.connects(TARO, None, &[PASSWORD, &another.code()]);
    hers.connects(HANAKO, None, &[PASSWORD, &code]);
    site.online(2);
}

#[test]
fn who_is_blocked_is_thrown_off_by_occtl_and_stays_out() {
    let site = Site::new(First::Password);
    let (mut device, mut bystander) = (site.device(), site.device());
    let (mut app, mut another) = (site.enrol(HANAKO), site.enrol(TARO));
    device.connects(HANAKO, None, &[PASSWORD, &app.code()]);
    bystander.connects(TARO, None, &[PASSWORD, &another.code()]);
    site.online(2);
    let path = format!("users/{HANAKO}/block");
    site.server.api("POST", &path, Some(json!({ "reason": "left" })));
    let untold = |it: &Value| it["items"][0]["result"] == "not-possible";
    let told = site.server.look_until("disconnects/history", untold);
    assert_eq!((&told["items"][0]["user"], &told["items"][0]["reason"]), (&json!(HANAKO), &json!("user-blocked")));
    // ocserv can't be told. She stays until somebody tells it on its own host.
    assert!(device.place.pings() && site.online(2).iter().any(|one| one["condemned"]["reason"] == "user-blocked"));
    let _script = site.disconnects();
    device.wait_disconnected();
    assert_eq!(site.online(1)[0]["user"], TARO);
    assert!(bystander.place.pings());
    let code = app.code();
    device.is_refused(HANAKO, None, &[PASSWORD, &code]);
    assert_eq!(site.reasons(HANAKO, 2), ["user-blocked", "ok"]);
    site.server.api("DELETE", &path, None);
    device.connects(HANAKO, None, &[PASSWORD, &code]);
    site.online(2);
}

#[test]
fn a_certificate_that_is_blocked_loses_its_tunnel_by_occtl() {
    let site = Site::new(First::Certificate);
    let (mut device, mut app) = (site.device(), site.enrol(TARO));
    let member = &pki().member_p256;
    site.register(member);
    device.connects(TARO, Some(member), &[&app.code()]);
    let _script = site.disconnects();
    site.server.block(member);
    device.wait_disconnected();
    site.online(0);
    device.is_refused(TARO, Some(member), &[&app.code()]);
    assert_eq!(site.reasons(TARO, 2), ["blocked", "ok"]);
}

#[test]
fn nobody_stays_longer_than_the_session_lasts() {
    let short = |text: String| text.replace("session-timeout = 43200", "session-timeout = 5");
    let site = Site::changed(First::Password, |text| text, short);
    let (mut device, mut app) = (site.device(), site.enrol(HANAKO));
    device.connects(HANAKO, None, &[PASSWORD, &app.code()]);
    site.online(1);
    // ocserv looks every 40 s.
    device.wait_disconnected();
    site.online(0);
}

#[test]
fn what_goes_through_the_tunnel_is_counted() {
    let often = |text: String| text.replace("stats-report-time = 300", "stats-report-time = 1");
    let site = Site::changed(First::Password, |text| text, often);
    let (mut device, mut app) = (site.device(), site.enrol(HANAKO));
    device.connects(HANAKO, None, &[PASSWORD, &app.code()]);
    let before = site.online(1).remove(0);
    assert!(before["acct_session_id"].is_string() && before["accounted"] == true, "{before}");
    let counted = |it: &Value| it["items"][0]["octets_in"].as_u64() >= Some(84) && it["items"][0]["octets_out"] != 0;
    let after = site.server.look_until("sessions", counted);
    assert_eq!(after["items"][0]["id"], before["id"], "{after}");
    device.leaves();
    site.online(0);
}
