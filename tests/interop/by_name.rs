//! Concentrators that check certificates themselves and ask by name whether the owner may enter: requests of a Cisco ASA and of a FortiGate, sent by radclient.

use std::time::Duration;

use rcgen::{DnType, OtherNameValue, SanType, SerialNumber};
use serde_json::{Value, json};

use crate::api::id;
use crate::certificates::{self, Key};
use crate::concentrators::{ASA, ASA_ALONE, COMMON, EXACT, FORTIGATE, FORTIGATE_DNS, FORTIGATE_UPN, Site, WIFI};
use crate::eapol::{Alert, Login, Tls};
use crate::peers::{self, Peer};
use crate::pki::{CAMPUS, Credential, pki};
use crate::process::{Place, run};
use crate::radclient::{INSIDE, Request};
use crate::scratch::Scratch;
use crate::server::SEKISHO;

const USER: &str = "hanako@jaist.ac.jp";

/// A member's certificate with every kind of name.
fn with_all_names(serial: u64) -> Credential {
    const UPN: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
    let subject =
        [(DnType::CountryName, "JP"), (DnType::OrganizationName, CAMPUS), (DnType::CommonName, "Sakura Mori")];
    let mut params = certificates::client(&subject, "sakura@jaist.ac.jp");
    let upn = OtherNameValue::Utf8String("sakura@ad.jaist.ac.jp".to_owned());
    let dns = "sakura-pc.jaist.ac.jp".try_into().expect("ASCII");
    params.subject_alt_names.extend([SanType::OtherName((UPN.to_vec(), upn)), SanType::DnsName(dns)]);
    params.serial_number = Some(SerialNumber::from(serial));
    let key = Key::P256.make();
    let certificate = params.signed_by(&key, &pki().ca16).expect("a certificate");
    Credential::new(certificate.pem(), key.serialize_pem())
}

#[test]
fn who_has_come_by_the_wifi_comes_in_by_the_asa_with_what_policy_grants() {
    let site = Site::new();
    // Windows users write it so.
    let asked = "Hanako@JAIST.ac.jp";
    let hanako = || Request::asa(asked).password(COMMON);
    let decision = site.refuses(ASA, &hanako(), "no-good-certificate");
    assert_eq!((&decision["service"], &decision["method"]), (&json!("asa"), &json!("authorize")), "{decision}");
    assert_eq!((&decision["nas"], &decision["outer_identity"]), (&json!("asa"), &json!(asked)), "{decision}");

    Login::new(&pki().member_rsa, Tls::V13).run(site.server.port).assert_accepted(1);
    let request = hanako();
    let answer = site.lets_in(ASA, &request);
    assert_eq!(answer.values("User-Name"), [asked]);
    // OU=members
    assert_eq!(answer.values("Class"), ["0x4f553d6d656d62657273"]);
    assert_eq!((answer.values("ASA-Group-Policy"), answer.values("Session-Timeout")), (vec!["members"], vec!["43200"]));
    let decision = site.decided(&request, "accept", "ok");
    assert_eq!((&decision["user"], &decision["certificate"]), (&json!(USER), &json!(id(&pki().member_rsa))));
    // Somebody else is nobody whom the registry knows.
    site.refuses(ASA, &Request::asa("taro@jaist.ac.jp").password(COMMON), "no-good-certificate");
}

#[test]
fn who_was_registered_with_the_certificate_comes_in_by_the_fortigate_without_any_login() {
    let site = Site::new();
    site.register(&pki().member_rsa);
    let answer = site.lets_in(FORTIGATE, &Request::fortigate(USER).password(USER));
    assert_eq!((answer.values("User-Name"), answer.values("Fortinet-Group-Name")), (vec![USER], vec!["members"]));
    // The user's address is the FortiGate's to give: what it has sent is where he comes from.
    assert!(answer.values("Framed-IP-Address").is_empty(), "{answer:?}");
}

#[test]
fn who_is_blocked_revoked_or_expired_is_refused_and_the_api_says_why() {
    let mut site = Site::new();
    let (member, again) = (&pki().member_rsa, &pki().member_rsa_again);
    for credential in [member, &pki().expired, &pki().revoked, &pki().member_pub_ca8] {
        site.register(credential);
    }
    let asks =
        |name: &str| [(ASA, Request::asa(name).password(COMMON)), (FORTIGATE, Request::fortigate(name).password(name))];
    let refused = |site: &Site, name: &str, reason: &str| {
        for (from, request) in asks(name) {
            site.refuses(from, &request, reason);
        }
    };
    let let_in = |site: &Site, name: &str| {
        for (from, request) in asks(name) {
            site.lets_in(from, &request);
        }
    };
    refused(&site, "expired@jaist.ac.jp", "expired");
    refused(&site, "revoked@jaist.ac.jp", "revoked");
    let_in(&site, "yuki@jaist.ac.jp");
    let_in(&site, USER);

    site.server.block(member);
    refused(&site, USER, "blocked");
    // She has got a new one: that one answers for her.
    site.register(again);
    let_in(&site, USER);
    site.server.api("POST", &format!("users/{USER}/block"), Some(json!({ "reason": "left" })));
    refused(&site, USER, "user-blocked");
    site.server.api("DELETE", &format!("users/{USER}/block"), None);
    let_in(&site, USER);
    site.server.lift(member);

    site.server.publish_ca16(2, &[&pki().revoked, member, again]);
    site.server.look_until(&format!("certificates/{}", id(again)), |it| it["status"] == "revoked");
    refused(&site, USER, "revoked");
    site.server.wait_for_metric(
        r#"sekisho_authentications_total{method="authorize",outcome="reject",reason="revoked",service="fortigate"} 2"#,
    );
    // What she isn't let in with here, she isn't anywhere.
    Login::new(member, Tls::V13).run(site.server.port).assert_refused(Alert::CertificateRevoked);
}

#[test]
fn a_password_that_was_not_agreed_on_is_refused_whoever_it_is_of() {
    let mut site = Site::new();
    site.register(&pki().member_rsa);
    for password in ["guess", "", USER, "what every ASA say", "what every ASA says "] {
        site.refuses(ASA, &Request::asa(USER).password(password), "password-wrong");
    }
    for password in ["guess", "", COMMON, "HANAKO@jaist.ac.jp"] {
        site.refuses(FORTIGATE, &Request::fortigate(USER).password(password), "password-wrong");
    }
    site.refuses(ASA, &Request::asa(USER), "password-wrong");
    // A FortiGate's `auth-type auto` may try this.
    let chap = Request::fortigate(USER).with(&format!("CHAP-Password = \"{USER}\""));
    site.refuses(FORTIGATE, &chap, "password-wrong");
    // Nobody's password goes into the log, wrong or right.
    let log = site.server.log_with("password-wrong");
    assert!(!log.contains("guess") && !log.contains(COMMON), "{log}");
}

#[test]
fn an_access_point_that_asks_by_name_is_refused() {
    let site = Site::new();
    site.register(&pki().member_rsa);
    for password in [COMMON, USER] {
        site.refuses(WIFI, &Request::asa(USER).password(password), "method-not-allowed");
    }
    site.refuses(WIFI, &Request::asa(USER).with("Service-Type = Authorize-Only"), "method-not-allowed");
}

#[test]
fn a_row_of_an_imported_list_lets_nobody_in() {
    let site = Site::new();
    let list = "申請番号\tシリアル番号\t主体者DN\tメールアドレス\t申請状況\n\
                A-7\t0a0b0c\tCN=hanako,O=Japan Advanced Institute of Science and Technology,C=JP\thanako@jaist.ac.jp\t有効\n";
    let scratch = Scratch::new();
    let mut import = Place::Host.command(SEKISHO);
    import.args(["import", "--api", &site.server.url(), "--authority", "ca16", "--token-file"]);
    import.arg(scratch.write("token", "registrar\n")).arg(scratch.write("list.tsv", list));
    let output = run(&mut import, Duration::from_secs(60));
    assert!(output.status.success(), "{output:?}");
    let row = site.server.api("GET", "certificates/ca16:0a0b0c", None);
    assert_eq!((&row["status"], &row["mail"]), (&json!("valid"), &json!(USER)), "{row}");
    site.refuses(ASA, &Request::asa(USER).password(COMMON), "no-good-certificate");
    site.refuses(FORTIGATE, &Request::fortigate(USER).password(USER), "no-good-certificate");
    for named in ["0a0b0c", "0A:0B:0C"] {
        let exact = Request::asa(USER).password(USER).with(&format!("Filter-Id = \"{named}\""));
        site.refuses(EXACT, &exact, "no-good-certificate");
    }
}

#[test]
fn what_nobody_has_signed_is_dropped_even_where_the_nas_need_not_sign() {
    for more in ["", "require-message-authenticator = false"] {
        let mut site = Site::telling(more);
        site.register(&pki().member_rsa);
        let mut dropped = 0;
        for (name, from, request) in [
            ("asa", ASA, Request::asa(USER).password(COMMON)),
            ("fortigate", FORTIGATE, Request::fortigate(USER).password(USER)),
        ] {
            request.clone().unsigned().ask_in_vain(from, site.server.port).assert_silence();
            dropped += 1;
            let absent = format!("sekisho_nas_requests_total{{message_authenticator=\"absent\",nas=\"{name}\"}} 1");
            site.server.wait_for_metric(&absent);
            site.server.log_with("missing-authenticator");
            site.lets_in(from, &request);
        }
        let series = r#"sekisho_requests_total{code="access-request",listener="auth",outcome="drop"}"#;
        assert_eq!(site.server.count(series), dropped, "{more}");
    }
}

#[test]
fn each_name_of_a_certificate_is_known_where_the_concentrator_sends_that_one() {
    const NAMES: [&str; 4] = ["sakura@jaist.ac.jp", "sakura@ad.jaist.ac.jp", "sakura-pc.jaist.ac.jp", "Sakura Mori"];
    let site = Site::new();
    site.register(&with_all_names(0x77_0001));
    let asks = |from: &str, name: &str| match from {
        ASA_ALONE => Request::asa(name).with("Service-Type = Authorize-Only"),
        _ => Request::fortigate(name).password(name),
    };
    let concentrators = [FORTIGATE, FORTIGATE_UPN, FORTIGATE_DNS, ASA_ALONE];
    for (expected, from) in concentrators.into_iter().enumerate() {
        for (number, name) in NAMES.into_iter().enumerate() {
            if number == expected {
                let request = asks(from, name);
                assert_eq!(site.lets_in(from, &request).values("User-Name"), [name]);
                assert_eq!(
                    site.decided(&request, "accept", "ok")["user"],
                    NAMES[0],
                    "one person, whatever is asked for"
                );
            } else {
                site.refuses(from, &asks(from, name), "no-good-certificate");
            }
        }
    }
    // A person is blocked by the name that decisions show.
    site.server.api("POST", &format!("users/{}/block", NAMES[0]), Some(json!({ "reason": "left" })));
    for (from, name) in concentrators.into_iter().zip(NAMES) {
        site.refuses(from, &asks(from, name), "user-blocked");
    }
}

#[test]
fn without_a_password_the_service_type_alone_says_that_it_is_asked_by_name() {
    let site = Site::new();
    site.register(&pki().member_rsa);
    let hanako = || Request::asa("hanako");
    site.lets_in(ASA_ALONE, &hanako().with("Service-Type = Authorize-Only"));
    for other in ["Framed-User", "Outbound-User"] {
        site.refuses(ASA_ALONE, &hanako().with(&format!("Service-Type = {other}")), "method-not-allowed");
    }
    site.refuses(ASA_ALONE, &hanako(), "method-not-allowed");
    site.refuses(ASA_ALONE, &hanako().password("hers").with("Service-Type = Authorize-Only"), "password-wrong");
}

#[test]
fn the_certificate_that_the_concentrator_has_seen_is_judged_and_no_other_of_its_owner() {
    let site = Site::new();
    let (one, other) = (with_all_names(0x77_0011), with_all_names(0x77_0012));
    for credential in [&one, &other, &pki().member_rsa] {
        site.register(credential);
    }
    let names = |named: &str| {
        let user = "sakura@jaist.ac.jp";
        Request::asa(user).password(user).with(&format!("Filter-Id = \"{named}\""))
    };
    let (fingerprint, serial) = (id(&one), "770011");
    let apart = "00:77:00:11";
    for named in [serial, apart, &fingerprint, &fingerprint.to_uppercase()] {
        site.lets_in(EXACT, &names(named));
    }
    // Somebody else's, and nobody's.
    for named in [id(&pki().member_rsa).as_str(), "770013", &"0".repeat(64), "sakura"] {
        site.refuses(EXACT, &names(named), "no-good-certificate");
    }
    site.refuses(EXACT, &Request::asa("sakura@jaist.ac.jp").password("sakura@jaist.ac.jp"), "no-good-certificate");
    site.server.block(&one);
    for named in [serial, apart, &fingerprint] {
        site.refuses(EXACT, &names(named), "blocked");
    }
    site.lets_in(EXACT, &names("770012"));
    site.lets_in(EXACT, &names(&id(&other)));
    site.lets_in(FORTIGATE, &Request::fortigate("sakura@jaist.ac.jp").password("sakura@jaist.ac.jp"));
}

/// The concentrator, as far as it is told to end sessions: FreeRADIUS, which knows how such a request has to be.
/// `asks`: from another place each time.
fn a_block_ends_the_session(from: &str, asks: impl Fn() -> Request) {
    const DAE_SECRET: &str = "another secret for disconnecting";
    let mut dae: Peer = peers::freeradius_for_disconnects(from, DAE_SECRET);
    let site = Site::telling(&format!("disconnect = {{ port = {}, secret = \"{DAE_SECRET}\" }}", dae.port));
    let member = &pki().member_rsa;
    Login::new(member, Tls::V12).run(site.server.port).assert_accepted(1);
    let request = asks();
    site.lets_in(from, &request);
    request.accounting("Start").tell(from, site.accounting).assert_acknowledged();
    let path = format!("sessions?user={USER}");
    let accounted = |it: &Value| it["items"].as_array()?.iter().find(|it| it["accounted"] == true).cloned();
    let seen = site.server.look_until(&path, |it| accounted(it).is_some());
    let session = accounted(&seen).expect("it is there");
    assert_eq!((&session["user"], &session["certificate"]), (&json!(USER), &json!(id(member))), "{session}");
    assert_eq!((&session["mac"], &session["framed_ip"]), (&json!(request.station), &json!(INSIDE)), "{session}");

    site.server.block(member);
    let told = dae.wait_for("Received Disconnect-Request", "Sent Disconnect-ACK");
    for (name, value) in
        [("Acct-Session-Id", request.session.as_str()), ("Calling-Station-Id", &request.station), ("User-Name", USER)]
    {
        assert!(told.contains(&format!("{name} = \"{value}\"")), "{name}: {told}");
    }
    site.server.look_until(&format!("disconnects/history?certificate={}", id(member)), |it| {
        it["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|it| it["session"] == session["id"] && it["result"] == "ack"))
    });
    site.refuses(from, &asks(), "blocked");
    // Then the concentrator says itself that it has ended.
    request.accounting("Stop").tell(from, site.accounting).assert_acknowledged();
    site.server.look_until(&path, |it| accounted(it).is_none());
}

#[test]
fn a_block_ends_the_session_at_the_asa() {
    a_block_ends_the_session(ASA, || Request::asa(USER).password(COMMON));
}

#[test]
fn a_block_ends_the_session_at_the_fortigate() {
    a_block_ends_the_session(FORTIGATE, || Request::fortigate(USER).password(USER));
}
