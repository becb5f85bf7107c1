//! Entries that disappear from a CRL.

use std::fs;

use super::afar::{QUICK, campus, explain, is_ready, login, member};
use super::support::campus::list;
use super::support::host::{Answer, Host};
use super::{Campus, Serving, said};

/// What the host has from now on.
fn publish(campus: &Campus, host: &Host, number: u64, serials: &[u64], tag: &'static str) {
    host.answers(Answer::Crl(list(&campus.ca, number, serials.iter().copied()), tag));
}

fn assert_refused(campus: &Campus, serving: &Serving) {
    let output = login(campus, serving);
    assert_eq!(output.status.code(), Some(1), "{} {}", said(&output), serving.log());
}

const VANISHED: &str = r#"sekisho_crl_vanished_entries{authority="ca"}"#;

#[test]
fn r01_an_entry_that_disappears_stays_revoked_over_a_restart_until_an_operator_says_otherwise() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    member(&campus);
    publish(&campus, &host, 1, &[4, 5], "\"one\"");
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 2);
    assert_refused(&campus, &serving);
    publish(&campus, &host, 2, &[4], "\"two\"");
    serving.wait_for_entries(&host, 1);
    serving.wait_for_metric(&format!("{VANISHED} 1"));
    assert_refused(&campus, &serving);
    serving.wait_for_readiness(|answer| is_ready(answer) && answer.contains("1 entry has disappeared from this CRL"));
    serving.wait_for_line("1 entry has disappeared from the CRL");
    let explained = explain(&campus);
    assert_eq!(explained.status.code(), Some(1), "{}", said(&explained));
    assert_eq!(serving.end(), Some(0));

    let mut again = campus.start();
    again.wait_for_entries(&host, 1);
    again.wait_for_metric(&format!("{VANISHED} 1"));
    assert_refused(&campus, &again);
    let page = campus.path("revoked-and-gone");
    let text = fs::read_to_string(&page).expect("it was written");
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("\t05\t")).collect();
    fs::write(&page, lines.join("\n")).expect("it can be written");
    assert_refused(&campus, &again);
    again.signal("HUP");
    again.wait_for("READY=1");
    let let_in = login(&campus, &again);
    assert_eq!(let_in.status.code(), Some(0), "{} {}", said(&let_in), again.log());
    again.wait_for_readiness(|answer| answer.ends_with(r#"{"degraded":[],"ready":true}"#));
    assert!(!again.get("/metrics").contains(VANISHED));
    assert_eq!(again.end(), Some(0));
}

#[test]
fn entries_disappear_from_files_too() {
    let campus = Campus::new();
    campus.publish(1, 5);
    let mut serving = campus.start();
    campus.publish(2, 2);
    serving.wait_for_metric(&format!("{VANISHED} 3"));
    serving
        .wait_for_readiness(|answer| is_ready(answer) && answer.contains("3 entries have disappeared from this CRL"));
    campus.publish(3, 5);
    serving.wait_for_readiness(|answer| answer.ends_with(r#"{"degraded":[],"ready":true}"#));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r01_with_a_page_that_cannot_be_read_nothing_starts_and_nothing_is_reloaded() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    member(&campus);
    publish(&campus, &host, 1, &[4, 5], "\"one\"");
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 2);
    publish(&campus, &host, 2, &[4], "\"two\"");
    serving.wait_for_metric(&format!("{VANISHED} 1"));
    let page = campus.path("revoked-and-gone");
    let text = fs::read_to_string(&page).expect("it was written");
    fs::write(&page, text.replace("\t05\t", "\t50\t")).expect("it can be written");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    assert!(serving.log().contains("not reloaded") && serving.log().contains("line 3"), "{}", serving.log());
    assert_refused(&campus, &serving);
    assert_eq!(serving.end(), Some(0));
    let output = campus.command().output().expect("the program was built");
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("line 3") && said(&output).contains("revoked-and-gone"), "{}", said(&output));
    fs::write(&page, text).expect("it can be written");
    let again = campus.start();
    assert_refused(&campus, &again);
    assert_eq!(again.end(), Some(0));
}
