//! `sekisho check`: findings on stdout, exit codes of the contract. Its clock is the real one, so dates in the look-alike PKI may be warned of.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::campus::{Campus, member, server};
use crate::support::certificates::{authority, names_responder};
use crate::{BASE, and, base};

fn check(file: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sekisho")).arg("check").arg("--config").arg(file).args(more).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_good_one_exits_with_0() {
    let campus = Campus::new();
    let output = check(&campus.write("sekisho.toml", BASE), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("no errors, "));
}

#[test]
fn warnings_alone_exit_with_0() {
    let campus = Campus::new();
    campus.write("secrets/ap", "short\n");
    let output = check(&campus.write("sekisho.toml", BASE), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("sekisho.toml:19:15: warning: nas[0].secret-file: "), "{}", stdout(&output));
}

#[test]
fn errors_exit_with_78_and_all_are_printed() {
    let campus = Campus::new();
    let text = base("10.1.0.0/16", "10.1.0.0/99").replace("[\"ca\"]", "[\"cb\"]");
    let output = check(&campus.write("sekisho.toml", text), &[]);
    assert_eq!(output.status.code(), Some(78));
    let printed = stdout(&output);
    assert!(printed.contains("sekisho.toml:18:12: error: nas[0].address[0]: "), "{printed}");
    assert!(printed.contains("sekisho.toml:24:16: error: service[0].authorities[0]: "), "{printed}");
    assert!(printed.contains("2 errors, "), "{printed}");
}

#[test]
fn json_says_the_same() {
    let campus = Campus::new();
    let output = check(&campus.write("sekisho.toml", base("name = \"ap\"", "nam = \"ap\"")), &["--json"]);
    assert_eq!(output.status.code(), Some(78));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["errors"], 2);
    let first = &json["findings"][0];
    assert_eq!((&first["severity"], &first["line"], &first["key"]), (&"error".into(), &16.into(), &"nas[0]".into()));
}

#[test]
fn a_crl_that_is_none_is_warned_of_and_a_group_that_is_missing_is_an_error() {
    let campus = Campus::new();
    fs::write(campus.path().join("crl/ca.crl"), "nothing").unwrap();
    let output = check(&campus.write("sekisho.toml", BASE), &[]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let line = text.lines().find(|line| line.contains("crl/ca.crl: ")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("sekisho.toml:14:7: warning: authority[0].crl: "), "{line}");
    assert!(text.contains("certificates below it are refused, `revocation-unknown`"), "{text}");
    let text = and("[[group]]\nname = \"guests\"\nfile = \"groups/guests\"\n");
    let output = check(&campus.write("sekisho.toml", text), &[]);
    assert_eq!(output.status.code(), Some(78));
    let text = stdout(&output);
    assert!(text.contains(": error: group[0].file: ") && text.contains("groups/guests: cannot be read"), "{text}");
}

#[test]
fn the_shipped_files_are_checked_by_the_same_code() {
    for name in ["minimal.toml", "sekisho.toml", "jaist.toml"] {
        let output = check(&crate::campus::repository("conf").join(name), &[]);
        // Their certificates aren't there.
        assert_eq!(output.status.code(), Some(78), "{name}");
        for line in stdout(&output).lines().filter(|line| line.contains(": error: ")) {
            assert!(line.contains("No such file"), "{line}");
        }
    }
}

#[test]
fn watched_files_are_looked_at_although_the_configuration_has_errors() {
    let campus = Campus::new();
    fs::write(campus.path().join("crl/ca.crl"), "nothing").unwrap();
    let output = check(&campus.write("sekisho.toml", base("name = \"ap\"", "nam = \"ap\"")), &[]);
    assert_eq!(output.status.code(), Some(78));
    let text = stdout(&output);
    assert!(text.contains(": error: nas[0]: ") && text.contains("warning: authority[0].crl: "), "{text}");
}

/// With these lines in the place of `revocation` and `crl`, and a folder of its own for what is kept.
fn of(lines: &str) -> String {
    let text = base("revocation = \"crl\"\ncrl = [\"crl/ca.crl\"]", lines);
    format!("{text}[server]\nstate-dir = \"state\"\n")
}

#[test]
fn it_says_what_is_known_of_each_authority_and_fetches_nothing() {
    let campus = Campus::new();
    let file = campus.write(
        "sekisho.toml",
        of("crl = [\"crl/ca.crl\", \"http://crl.invalid/ca.crl\"]\nocsp = [\"http://ocsp.invalid/\"]"),
    );
    let text = stdout(&check(&file, &[]));
    for line in [
        "authority ca (crl-then-ocsp): its certificates can be decided about",
        "  CRL http://crl.invalid/ca.crl: nothing good of it is here; the server fetches it",
        "  OCSP responder http://ocsp.invalid/: `ocsp` names it",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("/crl/ca.crl: number 1, of 2026-11-21T00:00:00Z, 0 revoked, "), "{text}");
    let json: Value = serde_json::from_slice(&check(&file, &["--json"]).stdout).unwrap();
    let authority = &json["authorities"][0];
    assert_eq!(authority["revocation"], "crl-then-ocsp");
    assert_eq!(authority["responders"], serde_json::json!(["http://ocsp.invalid/"]));
    let [first, second] = [0, 1].map(|index| &authority["crls"][index]);
    assert_eq!((&first["number"], &first["entries"]), (&"1".into(), &0.into()));
    assert_eq!((&second["state"], &second["next_update"]), (&"absent".into(), &Value::Null));
    assert!(!campus.path().join("state").exists(), "what is looked at is left as it is");
}

#[test]
fn it_says_of_each_identity_what_can_be_stapled() {
    let campus = Campus::new();
    let file = campus.write("sekisho.toml", of("crl = [\"crl/ca.crl\"]"));
    let shown = |wanted: &str| {
        let text = stdout(&check(&file, &[]));
        assert!(text.lines().any(|line| line == format!("identity server: its certificate names {wanted}")), "{text}");
        let json: Value = serde_json::from_slice(&check(&file, &["--json"]).stdout).unwrap();
        json["identities"][0].clone()
    };
    let none = shown("no OCSP responder, so nothing is stapled");
    assert_eq!((&none["responders"], &none["issuer_in_chain"]), (&serde_json::json!([]), &Value::Null));
    let issuing = authority("Server Issuing CA", Some(&authority("Server Root", None)));
    let mut params = server();
    params.custom_extensions = vec![names_responder("http://ocsp.invalid/")];
    let leaf = campus.identity("server", &issuing, params);
    let alone = shown(
        "the OCSP responder http://ocsp.invalid/, but the chain holds the server's certificate alone: without its issuer's, which belongs behind it, no OCSP answer could be verified",
    );
    assert_eq!(alone["issuer_in_chain"], false);
    campus.write("tls/server.pem", leaf + &issuing.pem());
    let whole = shown(
        "the OCSP responder http://ocsp.invalid/, and its issuer is in the chain: no good answer is here yet; the server asks for one",
    );
    assert_eq!((&whole["issuer_in_chain"], &whole["stapled_until"]), (&true.into(), &Value::Null));
    assert!(!campus.path().join("state").exists(), "what is looked at is left as it is");
}

#[test]
fn a_fresh_install_is_no_error() {
    let campus = Campus::new();
    let ca = authority("Campus CA", None);
    campus.write("pki/ca.pem", ca.pem());
    campus.write("pki/a-member.pem", member(&ca));
    let file = campus.write("sekisho.toml", of("revocation = \"crl\"\nsample = \"pki/a-member.pem\""));
    let output = check(&file, &[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("  CRL http://crl.example/ca.crl: nothing good of it is here; the server fetches it\n"),
        "{text}"
    );
    assert!(text.contains("refused, `revocation-unknown` until the server has fetched it"), "{text}");
    assert!(!campus.path().join("state").exists());
}

#[test]
fn an_authority_that_nothing_is_known_of_is_said_to_refuse() {
    let campus = Campus::new();
    let output = check(&campus.write("sekisho.toml", of("revocation = \"ocsp\"")), &[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("authority ca (ocsp): all of its certificates are refused as yet\n"), "{text}");
    assert!(text.contains("no OCSP responder is known for CN=Campus CA"), "{text}");
}
