use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, SerialNumber, date_time_ymd};
use serde_json::Value;

use super::*;
use crate::policy::is_hidden;
use crate::support::certificates::{Authority, Key, authority, client, crl, day, server};
use crate::support::scratch::Scratch;

const CONFIG: &str = r#"
[server]
name = "radius1"
state-dir = "state"
[listen]
auth = ["127.0.0.1:1812"]
[[identity]]
name = "server"
chain = "server.pem"
key = "server.key"
[[authority]]
name = "ca16"
certificate = "ca.pem"
subject = { O = "JAIST" }
revocation = "crl"
crl = ["ca.crl"]
[[nas]]
name = "ap"
address = ["10.0.0.0/8"]
secret = "a secret that is long enough"
[[service]]
name = "JAIST"
match = { ssid = ["JAIST"] }
authorities = ["ca16"]
vlan = "120"
rules = [
  { when = { subject = { OU = ["Staff"] }, nas-port-type = "wireless-802.11" }, vlan = "110" },
  { when = { group = "suspended" }, deny = true },
]
[[service]]
name = "guests"
match = { ssid = ["guests"] }
authorities = ["ca16"]
rules = [{ when = { authority = "ca16" }, deny = true }]
[[group]]
name = "suspended"
file = "suspended"
"#;

/// A folder with a configuration and certificates.
struct Campus {
    scratch: Scratch,
    ca: Authority,
}

fn member(name: &str, organisation: &str, serial: u64) -> CertificateParams {
    let subject = [
        (DnType::CommonName, name),
        (DnType::OrganizationName, organisation),
        (DnType::OrganizationalUnitName, "Staff"),
    ];
    let mut params = client(&subject, &format!("{name}@jaist.ac.jp"));
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_after = date_time_ymd(2038, 1, 1);
    params
}

impl Campus {
    /// Serial 2 is revoked.
    fn new() -> Self {
        let campus = Self { scratch: Scratch::new(), ca: authority("CA16", None) };
        fs::create_dir_all(campus.path("state")).expect("a folder");
        campus.write("ca.pem", campus.ca.pem());
        campus.write("ca.crl", campus.crl());
        campus.write("suspended", "taro@jaist.ac.jp\n");
        let key = Key::P256.make();
        let chain = server("radius1.example").signed_by(&key, &campus.ca).expect("a certificate");
        campus.write("server.pem", chain.pem());
        campus.write("server.key", key.serialize_pem());
        campus.write("sekisho.toml", CONFIG);
        campus
    }

    fn crl(&self) -> String {
        crl(&self.ca, 7, [2], day(2026, 1, 3)..day(2038, 6, 1)).pem().expect("PEM")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.scratch.write(name, text)
    }

    /// A certificate's file.
    fn issue(&self, by: &Authority, params: &CertificateParams) -> PathBuf {
        let key = Key::P256.make();
        self.write("member.pem", params.signed_by(&key, by).expect("a certificate").pem())
    }

    fn args(&self, cert: &Path) -> Args {
        Args {
            config: self.path("sekisho.toml"),
            cert: cert.to_owned(),
            chain: None,
            service: None,
            at: None,
            lang: Some(Lang::En),
            json: true,
        }
    }
}

fn run(args: &Args) -> (ExitCode, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = answer(args, &mut out, &mut err);
    (code, String::from_utf8(out).expect("UTF-8"), String::from_utf8(err).expect("UTF-8"))
}

fn json(args: &Args) -> (ExitCode, Value) {
    let (code, out, err) = run(args);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

fn reasons(answer: &Value) -> Vec<(&str, &str)> {
    let decisions = answer["decisions"].as_array().map(Vec::as_slice).unwrap_or_default();
    decisions.iter().filter_map(|it| Some((it["service"].as_str()?, it["reason"].as_str()?))).collect()
}

#[test]
fn every_service_is_asked_and_one_that_accepts_is_enough() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    let (code, answer) = json(&campus.args(&cert));
    assert_eq!(code, ExitCode::SUCCESS);
    assert_eq!(reasons(&answer), [("JAIST", "ok"), ("guests", "policy")]);
    assert_eq!(answer["accepted"], true);
    assert_eq!(answer["certificate"]["id"], "ca16:01");
    let first = &answer["decisions"][0];
    assert_eq!(first["user"], "hanako@jaist.ac.jp");
    // The rule wants an access point: a request for an SSID is taken to come from one.
    assert_eq!(first["grant"], serde_json::json!({"session_timeout": 28_800, "vlan": "110", "filter_id": null}));
    assert_eq!(answer["decisions"][1]["grant"], Value::Null);
}

#[test]
fn the_service_named_decides_alone() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    let named = |name: &str| Args { service: Some(name.into()), ..campus.args(&cert) };
    assert_eq!(json(&named("JAIST")).0, ExitCode::SUCCESS);
    let (code, answer) = json(&named("guests"));
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(reasons(&answer), [("guests", "policy")]);
    let (code, out, err) = run(&named("eduroam"));
    assert_eq!((code, out.as_str()), (BAD_CONFIGURATION.into(), ""));
    assert_eq!(err, "there is no service \"eduroam\"; there are: JAIST, guests\n");
}

#[test]
fn each_refusal_has_its_own_reason() {
    let campus = Campus::new();
    let stranger = authority("CA16", None);
    let mut mail = member("hanako", "JAIST", 1);
    mail.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    for (by, params, reason) in [
        (&campus.ca, member("hanako", "JAIST", 2), "revoked"),
        (&campus.ca, member("hanako", "Another University", 1), "wrong-organisation"),
        (&campus.ca, mail, "wrong-purpose"),
        (&stranger, member("hanako", "JAIST", 1), "untrusted-issuer"),
        (&campus.ca, member("taro", "JAIST", 1), "policy"),
    ] {
        let cert = campus.issue(by, &params);
        let (code, answer) = json(&Args { service: Some("JAIST".into()), ..campus.args(&cert) });
        assert_eq!(reasons(&answer), [("JAIST", reason)], "{answer:#}");
        assert_eq!(code, ExitCode::FAILURE, "{reason}");
    }
}

#[test]
fn it_decides_as_at_another_time() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    let at = |text: &str| Args { at: Some(time(text).expect("a time")), ..campus.args(&cert) };
    let (code, answer) = json(&Args { service: Some("JAIST".into()), ..at("2038-01-01T09:00:00+09:00") });
    assert_eq!((code, reasons(&answer)), (ExitCode::SUCCESS, vec![("JAIST", "ok")]));
    assert_eq!(answer["decisions"][0]["grant"]["session_timeout"], 1, "its last second");
    let (code, answer) = json(&at("2038-01-01T09:00:01+09:00"));
    assert_eq!((code, reasons(&answer)), (ExitCode::FAILURE, vec![("JAIST", "expired"), ("guests", "expired")]));
    assert!(time("tomorrow").is_err_and(|error| error.contains("2027-03-31T23:59:59+09:00")));
}

#[test]
fn a_crl_of_a_later_day_is_said_to_say_nothing() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    let at = Some(time("2025-12-31T00:00:00Z").expect("a time"));
    let (code, answer) = json(&Args { at, service: Some("JAIST".into()), ..campus.args(&cert) });
    assert_eq!((code, reasons(&answer)), (ExitCode::FAILURE, vec![("JAIST", "revocation-unknown")]));
    let problem = &answer["problems"][0];
    assert!(problem["file"].as_str().is_some_and(|file| file.ends_with("ca.crl")), "{answer:#}");
    assert!(problem["text"].as_str().is_some_and(|text| text.contains("issued after")), "{answer:#}");
}

#[test]
fn der_counts_too_and_people_read_sentences_in_their_language() {
    let campus = Campus::new();
    let key = Key::P256.make();
    let der = member("hanako", "JAIST", 2).signed_by(&key, &campus.ca).expect("a certificate");
    let cert = campus.write("member.der", der.der());
    let (code, out, _) = run(&Args { json: false, lang: None, ..campus.args(&cert) });
    assert_eq!(code, ExitCode::FAILURE);
    for line in [
        "ca16:02  ",
        "JAIST: reject revoked\n  user: hanako@jaist.ac.jp\n  認証局が失効させた証明書です。\n  - ",
        "2026-01-02 09:00:00 +09:00 に失効しました（理由: 秘密鍵の漏えい（keyCompromise））。",
        "\n  => 失効した証明書は元に戻りません。",
        "guests: reject revoked",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
}

#[test]
fn o01_a_name_that_would_move_the_cursor_is_shown_as_what_it_is() {
    let campus = Campus::new();
    let mut params = member("hanako", "JAIST", 1);
    params.distinguished_name.push(DnType::OrganizationalUnitName, "\u{1b}[2J\n\u{202e}x");
    let cert = campus.issue(&campus.ca, &params);
    for json in [false, true] {
        let (_, out, _) = run(&Args { json, ..campus.args(&cert) });
        assert!(!out.replace('\n', "").contains(is_hidden), "{out:?}");
        assert!(!json || out.lines().count() == 1);
    }
}

#[test]
fn what_cannot_be_used_is_said_and_is_no_rejection() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    let refused = |args: Args, why: &str| {
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str()), (BAD_CONFIGURATION.into(), ""), "{why}");
        assert!(err.contains(why), "{why}: {err}");
    };
    refused(campus.args(&campus.path("nothing.pem")), "nothing.pem");
    refused(campus.args(&campus.write("odd.pem", "odd")), "odd.pem");
    refused(Args { chain: Some(campus.path("none.pem")), ..campus.args(&cert) }, "none.pem");
    refused(Args { config: campus.path("none.toml"), ..campus.args(&cert) }, "none.toml");
    refused(Args { config: campus.write("bad.toml", "[serve]\n"), ..campus.args(&cert) }, "bad.toml:1");
    fs::remove_file(campus.path("suspended")).expect("it is there");
    refused(campus.args(&cert), "suspended");
}

#[test]
fn a_missing_crl_is_a_reason_and_not_a_fault() {
    let campus = Campus::new();
    let cert = campus.issue(&campus.ca, &member("hanako", "JAIST", 1));
    fs::remove_file(campus.path("ca.crl")).expect("it is there");
    let args = Args { service: Some("JAIST".into()), ..campus.args(&cert) };
    let (code, answer) = json(&args);
    assert_eq!((code, reasons(&answer)), (ExitCode::FAILURE, vec![("JAIST", "revocation-unknown")]));
    assert!(answer["problems"][0]["file"].as_str().is_some_and(|file| file.ends_with("ca.crl")), "{answer:#}");
}
