//! What is deployed: the unit by systemd's own judgement, the alerts against the contract's metrics.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// systemd's score from 0 (shut) to 10 (open), times ten.
const EXPOSURE: &str = "15";

/// The metrics of the contract, and those that were added to it.
const METRICS: &[&str] = &[
    "sekisho_requests_total",
    "sekisho_nas_requests_total",
    "sekisho_authentications_total",
    "sekisho_authentication_seconds",
    "sekisho_conversations",
    "sekisho_crl_this_update_seconds",
    "sekisho_crl_next_update_seconds",
    "sekisho_crl_last_success_seconds",
    "sekisho_crl_entries",
    "sekisho_crl_number",
    "sekisho_revocation_fetches_total",
    "sekisho_crl_vanished_entries",
    "sekisho_ocsp_responder_up",
    "sekisho_ocsp_last_success_seconds",
    "sekisho_ocsp_answers",
    "sekisho_distrust_authentications_total",
    "sekisho_distrust_certificates",
    "sekisho_distrust_from_seconds",
    "sekisho_certificates",
    "sekisho_otp_keys",
    "sekisho_registry_up",
    "sekisho_sessions",
    "sekisho_disconnects_total",
    "sekisho_home_server_up",
    "sekisho_identity_not_after_seconds",
    "sekisho_identity_staple_next_update_seconds",
    "sekisho_identity_revoked",
    "sekisho_identity_staple_fetches_total",
    "sekisho_unconfirmed_blocks_overdue",
];

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).expect("the file is part of the repository")
}

/// Runs `systemd-analyze` on a unit; without the program the test fails.
fn analyze(arguments: &[&str], unit: &Path) -> Output {
    Command::new("systemd-analyze").args(arguments).arg(unit).output().expect("systemd-analyze must be installed")
}

fn said(output: &Output) -> String {
    [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat()
}

/// A copy of the unit whose program exists on this machine, as `verify` wants it.
fn unit_here(folder: &str, change: impl FnOnce(String) -> String) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let path = folder.join("sekisho.service");
    let text = read("sekisho.service").replace("/usr/local/bin/sekisho", env!("CARGO_BIN_EXE_sekisho"));
    std::fs::write(&path, change(text)).expect("the target folder can be written");
    path
}

#[test]
fn the_unit_is_verified_by_systemd() {
    let output = analyze(&["verify", "--man=no", "--recursive-errors=no"], &unit_here("good", |text| text));
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("sekisho.service:"), "{}", said(&output));
}

#[test]
fn verifying_finds_a_key_that_systemd_does_not_know() {
    let misspelt = unit_here("misspelt", |text| text.replace("NoNewPrivileges=", "NoNewPriviledges="));
    let output = analyze(&["verify", "--man=no", "--recursive-errors=no"], &misspelt);
    assert!(said(&output).contains("NoNewPriviledges"), "{}", said(&output));
}

#[test]
fn the_unit_beside_ocserv_is_verified_by_systemd() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ocserv");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let (path, script) = (folder.join("ocserv-disconnect.service"), deploy("ocserv/disconnect"));
    let installed = "/usr/local/sbin/ocserv-disconnect";
    let text = read("ocserv/ocserv-disconnect.service");
    assert!(text.contains(installed), "{text}");
    std::fs::write(&path, text.replace(installed, &script.display().to_string())).expect("the same");
    let output = analyze(&["verify", "--man=no", "--recursive-errors=no"], &path);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("ocserv-disconnect.service:"), "{}", said(&output));
}

#[test]
fn the_unit_is_hardened() {
    let threshold = format!("--threshold={EXPOSURE}");
    let output = analyze(&["security", "--offline=true", "--no-pager", &threshold], &unit_here("hard", |text| text));
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_unit_without_its_system_call_filter_is_not_hardened_enough() {
    let soft = unit_here("soft", |text| text.replace("SystemCallFilter=", "# SystemCallFilter="));
    let threshold = format!("--threshold={EXPOSURE}");
    let output = analyze(&["security", "--offline=true", "--no-pager", &threshold], &soft);
    assert!(!output.status.success(), "{}", said(&output));
}

/// Every word of a text that looks like a metric of ours, without what Prometheus adds to a histogram's name.
fn metrics_named(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_name(c)).filter(|word| word.starts_with("sekisho_"));
    words
        .map(|word| ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word))
        .collect()
}

#[test]
fn every_metric_of_the_alerts_is_one_of_the_contract() {
    let alerts = read("alerts.yml");
    let named = metrics_named(&alerts);
    assert!(named.len() > 10, "the alerts name metrics");
    let unknown: Vec<_> = named.into_iter().filter(|name| !METRICS.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_reason_of_the_alerts_is_one_of_the_contract() {
    let alerts = read("alerts.yml");
    for selector in alerts.split("reason=").skip(1) {
        let quoted = selector.trim_start_matches('~').split('"').nth(1).expect("a label's value is quoted");
        for reason in quoted.split('|') {
            assert!(sekisho::event::Reason::ALL.iter().any(|known| known.name() == reason), "{reason}");
        }
    }
}

#[test]
fn what_ends_logins_in_silence_has_an_alert() {
    let alerts = read("alerts.yml");
    let rules: Vec<&str> = alerts.split("- alert: ").skip(1).collect();
    for metric in [
        "sekisho_ocsp_responder_up",
        "sekisho_ocsp_answers",
        "sekisho_crl_vanished_entries",
        "sekisho_distrust_from_seconds",
        "sekisho_distrust_authentications_total",
        "sekisho_distrust_certificates",
        "sekisho_identity_staple_next_update_seconds",
        "sekisho_identity_revoked",
        "sekisho_registry_up",
        "sekisho_otp_keys",
    ] {
        assert!(rules.iter().any(|rule| metrics_named(rule).contains(&metric)), "{metric}");
    }
    for rule in rules {
        for part in ["expr:", "severity:", "summary:"] {
            assert!(rule.contains(part), "{part} in {rule}");
        }
    }
}

#[test]
fn the_scrape_configuration_names_the_admin_door_and_the_alerts() {
    let text = read("prometheus.yml");
    assert!(text.contains("127.0.0.1:9812") && text.contains("alerts.yml"));
}
