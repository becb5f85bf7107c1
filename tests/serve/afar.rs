//! CRLs from afar: the real program and an HTTP server that goes, comes, keeps silent and lies.

use std::process::{Command, Output};

use rcgen::DnType;

use super::support::campus::list;
use super::support::certificates::{Key, client, crl, day};
use super::support::host::{Answer, Host};
use super::{Campus, Serving, said};

/// What a campus publishes.
fn published(campus: &Campus, number: u64, entries: u64) -> Vec<u8> {
    list(&campus.ca, number, 1..=entries)
}

/// A campus whose CRL comes from there; quick about it unless these lines say otherwise.
pub(super) fn campus(host: &Host, lines: &str) -> Campus {
    let campus = Campus::new();
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let afar = format!("crl = [\"{}\"]\n{lines}", host.url());
    let text = text.replace("crl = [\"ca.crl\"]", &afar).replace(", \"[::1]:0\"", "");
    let fetch = "[fetch]\ntimeout = \"1s\"\nmax-size = \"1MiB\"\nallow = [\"127.0.0.0/8\"]\n";
    campus.write("sekisho.toml", &(text + fetch));
    campus
}

pub(super) const QUICK: &str = "crl-refresh = \"1s\"\nalarm-after = \"3s\"\n";
/// Nothing is fetched twice while a test runs.
pub(super) const SLOW: &str = "crl-refresh = \"1d\"\nalarm-after = \"2d\"\n";

impl Serving {
    pub(super) fn wait_for_entries(&mut self, host: &Host, entries: usize) {
        self.wait_for_metric(&format!(r#"sekisho_crl_entries{{authority="ca",crl="{}"}} {entries}"#, host.url()));
    }

    pub(super) fn wait_for_result(&mut self, result: &str) {
        let labels = format!(r#"authority="ca",kind="crl",result="{result}""#);
        self.wait_for_metric(&format!("sekisho_revocation_fetches_total{{{labels}}}"));
    }

    /// The log is written behind the answers.
    pub(super) fn wait_for_line(&mut self, text: &str) {
        self.process.wait_until(&format!("so far as to say {text:?}"), |process| process.log().contains(text));
    }

    pub(super) fn wait_for_readiness(&mut self, wanted: impl Fn(&str) -> bool) {
        let admin = self.admin;
        let readiness = || super::get(admin, "/readyz").expect("the admin door answers in text");
        self.process.wait_until("as ready as wanted", |_| wanted(&readiness()));
    }
}

pub(super) fn is_ready(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200")
}

/// A member whose certificate has the serial 5, to log in with and to explain.
pub(super) fn member(campus: &Campus) {
    let key = Key::P256.make();
    let mut params = client(&[(DnType::OrganizationName, "Example University")], "hanako@example.ac.jp");
    params.serial_number = Some(5_u64.into());
    let certificate = params.signed_by(&key, &campus.ca).expect("a certificate");
    campus.write("member.pem", &certificate.pem());
    campus.write("member.key", &key.serialize_pem());
}

pub(super) fn login(campus: &Campus, serving: &Serving) -> Output {
    login_at(campus, serving.listening("auth"))
}

pub(super) fn login_at(campus: &Campus, port: u16) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["login", "--server", &format!("127.0.0.1:{port}")]);
    command.args(["--secret", "a secret that is long enough", "--ssid", "campus"]);
    for (option, file) in [("--cert", "member.pem"), ("--key", "member.key"), ("--ca", "ca.pem")] {
        command.arg(option).arg(campus.path(file));
    }
    command.output().expect("the program was built")
}

pub(super) fn explain(campus: &Campus) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(["explain", "--json", "--config"]).arg(campus.path("sekisho.toml"));
    command.arg("--cert").arg(campus.path("member.pem")).output().expect("the program was built")
}

#[test]
fn r01_what_is_published_is_refused_within_a_refresh() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    member(&campus);
    let mut serving = campus.start();
    let ready = serving.get("/readyz");
    assert!(!is_ready(&ready) && ready.contains("no CRL of"), "{ready}");
    serving.wait_for_result("status");
    host.answers(Answer::Crl(published(&campus, 1, 1), "\"one\""));
    serving.wait_for_readiness(|answer| answer.ends_with(r#"{"degraded":[],"ready":true}"#));
    let before = login(&campus, &serving);
    assert_eq!(before.status.code(), Some(0), "{}", said(&before));
    assert_eq!(explain(&campus).status.code(), Some(0));
    serving.wait_for_result("not-modified");
    host.answers(Answer::Crl(published(&campus, 2, 5), "\"two\""));
    serving.wait_for_entries(&host, 5);
    let after = login(&campus, &serving);
    assert_eq!(after.status.code(), Some(1), "{}", said(&after));
    let explained = explain(&campus);
    assert_eq!(explained.status.code(), Some(1));
    assert!(said(&explained).contains("\"revoked\"") && said(&explained).contains(&host.url()), "{}", said(&explained));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r07_an_older_crl_is_refused_and_said() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    host.answers(Answer::Crl(published(&campus, 7, 7), "\"seven\""));
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 7);
    host.answers(Answer::Crl(published(&campus, 6, 6), "\"six\""));
    serving.wait_for_readiness(|answer| is_ready(answer) && answer.contains("older than the CRL in use"));
    serving.wait_for_result("rejected");
    serving.wait_for_entries(&host, 7);
    assert_eq!(serving.end(), Some(0));
    let mut again = campus.start();
    again.wait_for_result("rejected");
    again.wait_for_entries(&host, 7);
    assert_eq!(again.end(), Some(0));
}

#[test]
fn r11_r12_r13_a_host_that_is_silent_endless_or_in_circles_costs_nothing_but_an_alarm() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    member(&campus);
    host.answers(Answer::Crl(published(&campus, 1, 1), "\"one\""));
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 1);
    for (answer, result) in
        [(Answer::Silence, "timeout"), (Answer::Endless, "too-long"), (Answer::Elsewhere, "redirect")]
    {
        host.answers(answer);
        serving.wait_for_result(result);
    }
    let alarm = format!("authority ca: no successful fetch of {} for ", host.url());
    serving.wait_for_readiness(|answer| is_ready(answer) && answer.contains(&alarm));
    assert_eq!(login(&campus, &serving).status.code(), Some(0), "{}", serving.log());
    serving.wait_for_entries(&host, 1);
    host.answers(Answer::Crl(published(&campus, 2, 2), "\"two\""));
    serving.wait_for_readiness(|answer| answer.ends_with(r#"{"degraded":[],"ready":true}"#));
    let log = serving.log();
    assert_eq!(log.matches(&alarm).count(), 1, "{log}");
    assert_eq!(log.matches("can be fetched again").count(), 1, "{log}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_restart_with_the_host_down_is_ready_from_disk() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, SLOW);
    host.answers(Answer::Crl(published(&campus, 1, 3), "\"one\""));
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 3);
    assert_eq!(serving.end(), Some(0));
    let (port, url) = (host.port, host.url());
    drop(host);
    let mut again = campus.start();
    let ready = again.get("/readyz");
    assert!(ready.ends_with(r#"{"degraded":[],"ready":true}"#), "{ready}");
    again.wait_for_result("connect");
    again.wait_for_metric(&format!(r#"sekisho_crl_last_success_seconds{{authority="ca",crl="{url}"}} 1"#));
    // It is asked again though its refresh is a day away: a failure is tried again soon.
    let host = Host::at(port, Answer::Crl(published(&campus, 2, 4), "\"two\""));
    again.wait_for_entries(&host, 4);
    assert_eq!(again.end(), Some(0));
}

#[test]
fn r03_a_host_that_goes_on_serving_an_old_crl_is_told_of_in_the_log_and_in_readiness() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    member(&campus);
    let old = crl(&campus.ca, 1, 1..=1, day(2026, 1, 2)..day(2026, 1, 3));
    host.answers(Answer::Crl(old.der().to_vec(), "\"one\""));
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 1);
    serving.wait_for_line("certificates below it are refused, `revocation-stale`");
    serving.wait_for_readiness(|answer| !is_ready(answer) && answer.contains("authority ca: no fresh CRL for "));
    assert_eq!(login(&campus, &serving).status.code(), Some(1));
    host.answers(Answer::Crl(published(&campus, 2, 1), "\"two\""));
    serving.wait_for_line("is fresh again");
    assert_eq!(login(&campus, &serving).status.code(), Some(0));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn sighup_fetches_at_once() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, SLOW);
    host.answers(Answer::Crl(published(&campus, 1, 3), "\"one\""));
    let mut serving = campus.start();
    serving.wait_for_entries(&host, 3);
    host.answers(Answer::Crl(published(&campus, 2, 9), "\"two\""));
    serving.signal("HUP");
    serving.wait_for_entries(&host, 9);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn r13_loopback_is_not_fetched_from_unless_it_is_allowed() {
    let host = Host::new(Answer::Error);
    let campus = campus(&host, QUICK);
    host.answers(Answer::Crl(published(&campus, 1, 3), "\"one\""));
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("allow = [\"127.0.0.0/8\"]", ""));
    let mut serving = campus.start();
    serving.wait_for_result("forbidden-address");
    serving.wait_for_readiness(|answer| !is_ready(answer) && answer.contains("`allow` in [fetch]"));
    assert_eq!(serving.end(), Some(0));
}
