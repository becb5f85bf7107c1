//! `sekisho explain` and `check` from what a server has kept: OCSP answers, places that certificates tell, entries that disappeared.
#![expect(clippy::disallowed_methods, reason = "the program judges by its own clock")]

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{CustomExtension, DnType, SerialNumber};
use sekisho::event::OcspStatus;
use sekisho::now::Wall;
use sekisho::pki::{self, Crl, Facts, Question, Revocation, Trust};
use serde_json::{Value, json};

use crate::base;
use crate::campus::{Campus, NOW, silent_member};
use crate::support::certificates::{Authority, Key, authority, crl, day};
use crate::support::ocsp;

const RESPONDER: &str = "http://ocsp.invalid/";

/// A campus whose one authority consults OCSP, and a member of it.
struct Case {
    campus: Campus,
    ca: Authority,
    trust: Arc<Trust>,
    facts: Arc<Facts>,
}

impl Case {
    /// With these lines about revocation. `told`: the member's certificate names the responder.
    fn new(lines: &str, told: bool) -> Self {
        let (campus, ca) = (Campus::new(), authority("Campus CA", None));
        campus.write("pki/ca.pem", ca.pem());
        let mut params = silent_member();
        params.serial_number = Some(SerialNumber::from(7_u64));
        params.custom_extensions.extend(told.then(information_access));
        params.distinguished_name.push(DnType::OrganizationName, "Campus");
        let member = params.signed_by(&Key::P256.make(), &ca).unwrap();
        campus.write("member.pem", member.pem());
        let text = base("revocation = \"crl\"\ncrl = [\"crl/ca.crl\"]", lines) + "[server]\nstate-dir = \"state\"\n";
        let trust = campus.load(&text).config.unwrap().trust;
        let facts = trust.facts(&[member.der()]).unwrap();
        Self { campus, ca, trust, facts }
    }

    fn question(&self) -> Question {
        pki::questions(&self.trust, &Revocation::default(), &self.facts, NOW).remove(0)
    }

    /// Keeps an answer as the server does; its dates in hours from now.
    fn keep(&self, status: OcspStatus, from: i64, to: i64) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let at = |hours: i64| Wall(i64::try_from(now).unwrap() + hours * 3_600);
        let question = self.question();
        let request = question.request(&self.trust, None).unwrap();
        let answer = ocsp::respond(&request, self.ca.key(), status, (at(from), at(to)));
        let hex = |octets: &[u8]| data_encoding::HEXLOWER.encode(octets);
        let Question { authority, issuer, serial } = &question;
        let header = json!({
            "authority": **authority, "url": RESPONDER, "issuer": hex(issuer), "serial": hex(serial), "fetched": at(from).0,
        });
        let of = [authority.as_bytes(), b"\0", issuer, serial].concat();
        let name = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &of).as_ref());
        let octets = [header.to_string().as_bytes(), b"\n", &answer].concat();
        self.campus.write(&format!("state/ocsp/{name}.ocsp"), octets);
    }

    fn run(&self, more: &[&str]) -> Output {
        let folder = self.campus.path();
        let (config, cert) = (folder.join("sekisho.toml"), folder.join("member.pem"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.arg("explain").arg("--config").arg(config).arg("--cert").arg(cert).args(["--lang", "en"]);
        command.args(more).output().unwrap()
    }

    /// Whether somebody is let in, why, and everything.
    fn json(&self) -> (bool, String, Value) {
        let output = self.run(&["--json"]);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let reason = said["decisions"][0]["reason"].as_str().unwrap().to_owned();
        (output.status.success(), reason, said)
    }

    fn text(&self) -> String {
        String::from_utf8(self.run(&[]).stdout).unwrap()
    }
}

/// authorityInfoAccess that names [`RESPONDER`].
fn information_access() -> CustomExtension {
    let url = RESPONDER.as_bytes();
    let length = |more: usize| u8::try_from(url.len() + more).unwrap();
    let id_ad_ocsp = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let head = [&[0x30, length(14), 0x30, length(12)], &id_ad_ocsp[..], &[0x86, length(0)]].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], [&head, url].concat())
}

fn asked() -> String {
    format!("revocation = \"ocsp\"\nocsp = [\"{RESPONDER}\"]")
}

#[test]
fn what_a_login_would_ask_is_said_and_nothing_is_asked() {
    let case = Case::new(&asked(), false);
    let (accepted, reason, said) = case.json();
    assert_eq!((accepted, reason.as_str()), (false, "revocation-unknown"));
    let question = &said["questions"][0];
    assert_eq!((&question["kept"], &question["certificate"]), (&json!("none"), &said["certificate"]["id"]));
    assert_eq!((&question["responders"], &question["told"]), (&json!([RESPONDER]), &json!([])));
    let text = case.text();
    let sentence = "  ? No OCSP answer about this certificate is kept; the server would ask http://ocsp.invalid/ and wait for 2 s at most.\n";
    assert!(text.contains(sentence), "{text}");
    assert!(!case.campus.path().join("state").exists());
}

#[test]
fn r16_a_kept_answer_decides_and_is_the_evidence() {
    for (status, reason) in
        [(OcspStatus::Good, "ok"), (OcspStatus::Revoked, "revoked"), (OcspStatus::Unknown, "revocation-unknown")]
    {
        let case = Case::new(&asked(), false);
        case.keep(status, -2, 10);
        let (accepted, found, said) = case.json();
        assert_eq!((accepted, found.as_str()), (status == OcspStatus::Good, reason), "{said:#}");
        let grounds = said["decisions"][0]["revocation"].as_array().unwrap();
        let answer = grounds.iter().find(|one| one["kind"] == "ocsp").unwrap_or_else(|| panic!("{said:#}"));
        assert_eq!((&answer["status"], &answer["source"]), (&json!(status.name()), &json!(RESPONDER)));
        let (age, left) = (answer["age"].as_i64().unwrap(), answer["ends_in"].as_i64().unwrap());
        assert!((7_200..7_300).contains(&age) && (35_900..=36_000).contains(&left), "{answer}");
        let text = case.text();
        assert!(text.contains(&format!("OCSP answer \"{status}\" for authority ca ({RESPONDER}): issued ")), "{text}");
        assert!(text.contains("(2 hours ago), good until "), "{text}");
    }
}

#[test]
fn an_answer_that_has_ended_is_asked_for_again() {
    let case = Case::new(&asked(), false);
    case.keep(OcspStatus::Good, -20, -10);
    let (accepted, reason, said) = case.json();
    assert_eq!((accepted, reason.as_str()), (false, "revocation-stale"), "{said:#}");
    assert_eq!(said["questions"][0]["kept"], "stale");
    assert!(case.text().contains("No OCSP answer that still counts about this certificate is kept"));
}

#[test]
fn a_fresh_answer_leaves_no_question() {
    let case = Case::new(&asked(), false);
    case.keep(OcspStatus::Good, -1, 1);
    assert_eq!(case.json().2["questions"], json!([]));
    assert!(!case.text().contains("  ? "));
}

#[test]
fn whom_the_first_login_tells_to_ask_is_said() {
    let case = Case::new("revocation = \"ocsp\"", true);
    let question = &case.json().2["questions"][0];
    assert_eq!((&question["responders"], &question["told"]), (&json!([]), &json!([RESPONDER])));
    assert!(case.text().contains("learns it from the first login: http://ocsp.invalid/."));
    // The same certificate as a sample: known before anybody has logged in.
    let config = std::fs::read_to_string(case.campus.path().join("sekisho.toml")).unwrap();
    case.campus.write("sekisho.toml", config.replace("\"ocsp\"\n", "\"ocsp\"\nsample = \"member.pem\"\n"));
    assert_eq!(case.json().2["questions"][0]["responders"], json!([RESPONDER]));
    assert!(checked(&case).contains("  OCSP responder http://ocsp.invalid/: certificates name it\n"));
}

fn checked(case: &Case) -> String {
    let config = case.campus.path().join("sekisho.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_sekisho")).arg("check").arg("--config").arg(config).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_entry_that_disappeared_is_told_by_both() {
    let case = Case::new("revocation = \"crl\"\ncrl = [\"crl/ca.crl\"]", false);
    let list = |number, serials: &[u64]| {
        crl(&case.ca, number, serials.iter().copied(), day(2026, 11, 21)..day(2036, 12, 21)).der().to_vec()
    };
    let (name, source) = ("ca".into(), "crl/ca.crl".into());
    let load = |octets: &[u8]| {
        let crl = Crl::load(octets, &name, &source, &case.trust).unwrap_or_else(|bad| panic!("{}", bad.text));
        Revocation::new(vec![Arc::new(crl)])
    };
    let after = list(2, &[]);
    let (revocation, _) = load(&after).succeed(&load(&list(1, &[7])), NOW);
    case.campus.write("crl/ca.crl", &after);
    case.campus.write("state/revoked-and-gone", revocation.vanished().page());
    let (accepted, reason, said) = case.json();
    assert_eq!((accepted, reason.as_str()), (false, "revoked"), "{said:#}");
    let grounds = said["decisions"][0]["revocation"].as_array().unwrap();
    assert!(grounds.iter().any(|one| one["kind"] == "vanished" && one["source"] == "crl/ca.crl"), "{said:#}");
    assert!(case.text().contains("it stays revoked here"), "{}", case.text());
    assert!(
        checked(&case)
            .contains("  entries that have disappeared from its CRLs and stay revoked here: 1; ask the CA why"),
        "{}",
        checked(&case)
    );
}
