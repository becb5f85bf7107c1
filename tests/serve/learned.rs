//! CRLs whose place only certificates tell.

use rcgen::{CrlDistributionPoint, DnType};

use super::afar::{SLOW, is_ready, login};
use super::support::certificates::{Key, client, crl, day};
use super::support::host::{Answer, Host};
use super::{Campus, said};

/// A campus that says nothing of where its CRL is, but for these lines; its member's certificate does.
fn campus(host: &Host, lines: &str) -> Campus {
    let campus = Campus::new();
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let text = text.replace("crl = [\"ca.crl\"]", &format!("{SLOW}{lines}")).replace(", \"[::1]:0\"", "");
    campus.write("sekisho.toml", &(text + "[fetch]\ntimeout = \"1s\"\nallow = [\"127.0.0.0/8\"]\n"));
    let key = Key::P256.make();
    let mut params = client(&[(DnType::OrganizationName, "Example University")], "hanako@example.ac.jp");
    params.serial_number = Some(5_u64.into());
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![host.url()] }];
    let certificate = params.signed_by(&key, &campus.ca).expect("a certificate");
    campus.write("member.pem", &certificate.pem());
    campus.write("member.key", &key.serialize_pem());
    let crl = crl(&campus.ca, 1, [1, 2, 3], day(2026, 1, 2)..day(2038, 1, 1));
    host.answers(Answer::Crl(crl.der().to_vec(), "\"one\""));
    campus
}

#[test]
fn r04_the_first_login_is_refused_and_tells_where_the_crl_is_which_counts_from_then_on() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, "");
    let mut serving = campus.start();
    assert!(!is_ready(&serving.get("/readyz")));
    let first = login(&campus, &serving);
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    serving.wait_for_line("reject revocation-unknown");
    serving.wait_for_entries(&host, 3);
    let second = login(&campus, &serving);
    assert_eq!(second.status.code(), Some(0), "{} {}", said(&second), serving.log());
    serving.signal("HUP");
    serving.wait_for("READY=1");
    serving.wait_for_entries(&host, 3);
    assert_eq!(serving.end(), Some(0));
    drop(host);
    // With nobody to ask it knows where it had asked, and what it was told.
    let again = campus.start();
    let ready = again.get("/readyz");
    assert!(ready.ends_with(r#"{"degraded":[],"ready":true}"#), "{ready}");
    let third = login(&campus, &again);
    assert_eq!(third.status.code(), Some(0), "{} {}", said(&third), again.log());
    assert_eq!(again.end(), Some(0));
}

#[test]
fn with_a_sample_the_first_login_is_let_in() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, "sample = \"member.pem\"\n");
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 3);
    assert!(is_ready(&serving.get("/readyz")));
    let first = login(&campus, &serving);
    assert_eq!(first.status.code(), Some(0), "{} {}", said(&first), serving.log());
    assert!(!campus.path("learned.json").exists(), "what the configuration tells is not learned from members");
    assert_eq!(serving.end(), Some(0));
}
