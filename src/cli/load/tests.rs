//! What is read, counted and told.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;

use super::figures::{Look, Seen};
use super::process::Memory;
use super::*;
use crate::cli::credentials::tests::files;
use crate::exchange::BadReply;
use crate::secret::Secret;
use crate::supplicant::Report;
use crate::supplicant::crowd::Ended;
use crate::supplicant::tests::server::Pki;
use crate::support::scratch::Scratch;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

fn parse(more: &[&str]) -> Result<Args, clap::Error> {
    let fixed = ["load", "--server", "127.0.0.1:1812", "--secret", "s", "--users", "users", "--ca", "ca.pem"];
    Command::try_parse_from(fixed.iter().chain(more)).map(|command| command.args)
}

#[test]
fn what_can_not_be_meant_is_refused() {
    assert!(parse(&[]).is_ok());
    for wrong in [
        &["--resume", "1.1"][..],
        &["--resume", "-1"],
        &["--rate", "0"],
        &["--rate", "NaN"],
        &["--logins", "0"],
        &["--logins", "1", "--duration", "5s"],
        &["--duration", "5"],
        &["--concurrency", "0"],
        &["--threads", "0"],
        &["--tls", "1.1"],
        &["--secret-file", "both"],
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(parse(&["--warm-up", "250ms"]).unwrap().warm_up, Duration::from_millis(250));
}

#[test]
fn a_key_share_is_known_to_everybody_only_where_nobody_can_listen() {
    let known = |server: &str| thrift(server.parse().unwrap()).known_share;
    assert!(known("127.0.0.1:1812") && known("127.9.9.9:1812") && known("[::1]:1812"));
    assert!(!known("192.0.2.1:1812") && !known("[2001:db8::1]:1812") && !known("0.0.0.0:1812"));
}

#[test]
fn the_sizes_follow_from_what_was_said() {
    let sizes = |more: &[&str], users| {
        let Sizes { at_once, devices, access_points } = Sizes::of(&parse(more).unwrap(), users);
        (at_once, devices, access_points)
    };
    assert_eq!(sizes(&[], 1), (64, 64, 4));
    assert_eq!(sizes(&[], 100), (64, 100, 4));
    assert_eq!(sizes(&["--concurrency", "1000"], 1), (1_000, 1_000, 16));
    assert_eq!(sizes(&["--rate", "10"], 1), (1_024, 1_024, 16));
    assert_eq!(sizes(&["--concurrency", "2", "--threads", "8"], 1), (8, 8, 8), "each thread has something to do");
    assert_eq!(sizes(&["--devices", "3", "--access-points", "9"], 7), (64, 3, 9));
}

#[test]
fn the_threads_shares_make_the_whole() {
    for (whole, threads) in [(10, 3), (1, 4), (64, 1), (7, 7)] {
        assert_eq!((0..threads).map(|thread| share(whole, threads, thread)).sum::<u64>(), whole);
    }
    let Pace::Open { every, offset } = pace(100.0, 4, 3) else { panic!("it has a rate") };
    assert_eq!((every, offset), (Duration::from_millis(40), Duration::from_millis(30)));
}

#[test]
fn users_are_read_from_pem_with_the_key_inside_or_beside_and_from_pkcs12() {
    const P12: &[u8] = include_bytes!("../credentials/tests/modern.p12");
    let (pki, folder) = (Pki::new(), Scratch::new());
    let (_both, [credential, ca]) = files(&pki);
    folder.write("a.pem", std::fs::read(&credential).unwrap());
    folder.write("b.p12", P12);
    folder.write("c.pem", std::fs::read(&ca).unwrap());
    folder.write("c.key", std::fs::read(&credential).unwrap());
    folder.write("notes.txt", "no user");
    let password = Secret::new(*b"pencil");
    let users = users::read(folder.path(), Some(&password)).unwrap();
    let chains: Vec<usize> = users.iter().map(|user| user.chain.len()).collect();
    assert_eq!(chains, [1, 2, 1]);
    assert_eq!((&users[0].chain[0], &users[2].chain[0]), (&pki.client, &pki.authority));
    assert_eq!(users::read(&credential, None).unwrap().len(), 1, "one file is one user");

    let refused = users::read(folder.path(), None).unwrap_err();
    assert!(refused.contains("b.p12") && refused.contains("password"), "{refused}");
    assert!(users::read(Scratch::new().path(), None).unwrap_err().contains("NAME.pem"));
    folder.write("d.pem", "no certificate");
    assert!(users::read(folder.path(), Some(&password)).unwrap_err().contains("d.pem"));
}

fn ended(milliseconds: u64, report: Option<Report>) -> Ended {
    let begun = Mono(Duration::from_secs(5));
    Ended {
        intended: begun,
        begun,
        ended: begun + Duration::from_millis(milliseconds),
        offered: true,
        repeats: 1,
        report: report.map(Box::new),
        hint: None,
    }
}

fn good() -> Report {
    Report { accepted: true, logged_in: true, finished: true, requests: 6, ..Report::default() }
}

fn tally() -> Tally {
    let mut tally = Tally::new(Mono(Duration::from_secs(5)), false).unwrap();
    assert!(tally.add(&ended(10, Some(good()))));
    assert!(tally.add(&ended(30, Some(Report { resumed: true, requests: 3, ..good() }))));
    assert!(!tally.add(&ended(9, Some(Report { alert_received: Some(44), ..Report::default() }))));
    assert!(!tally.add(&ended(9, None)));
    tally
}

#[test]
fn each_login_is_counted_as_what_it_was() {
    let mut tally = tally();
    // What should have begun in the warm-up is in no figure but that of the failures.
    let early = |report| Ended { intended: Mono::default(), ..ended(1, report) };
    assert!(tally.add(&early(Some(good()))) && !tally.add(&early(None)));
    assert_eq!((tally.full.latency.len(), tally.resumed.latency.len(), tally.not_resumed), (1, 1, 1));
    assert_eq!((tally.full.requests, tally.resumed.requests, tally.repeats, tally.failed()), (6, 3, 4, 3));
    let wanted = [("no answer", 2), ("refused with TLS alert 44 certificate_revoked", 1)];
    assert_eq!(tally.failures, BTreeMap::from(wanted.map(|(reason, count)| (reason.to_owned(), count))));
    assert!((milliseconds(&tally.full) - 10.0).abs() < 0.1, "counted from when it should have begun");
}

fn milliseconds(kind: &tally::Kind) -> f64 {
    tally::milliseconds(&kind.latency, 50.0)
}

#[test]
fn each_failure_has_its_reason() {
    let reason = |report: Option<Report>, hint| {
        let mut tally = Tally::new(Mono::default(), false).unwrap();
        tally.add(&Ended { hint, ..ended(1, report) });
        tally.failures.into_keys().next().unwrap()
    };
    let accepted = || Report { accepted: true, finished: true, eap_success: Some(true), ..Report::default() };
    for (report, wanted) in [
        (Report::default(), "refused without a reason"),
        (Report { finished: false, ..accepted() }, "accepted before the handshake was finished"),
        (Report { eap_success: None, ..accepted() }, "accepted without EAP-Success"),
        (Report { keys_agree: Some(false), ..accepted() }, "accepted with MPPE keys that are not the handshake's"),
        (Report { protected_success: Some(false), ..accepted() }, "accepted without protected success (RFC 9190)"),
        (
            Report { server_certificate: Some("expired\x1b[2J".to_owned()), ..Report::default() },
            "the server's certificate is not good: expired",
        ),
        (Report { fault: Some("TLS: odd".to_owned()), ..Report::default() }, "TLS: odd"),
    ] {
        let reason = reason(Some(report), None);
        assert!(reason.starts_with(wanted) && !reason.contains('\x1b'), "{reason}");
    }
    assert!(reason(None, Some(BadReply::BadAuthenticator)).contains("secret is probably another"));
    let unprotected = Report { protected_success: Some(false), ..accepted() };
    assert!(Tally::new(Mono::default(), true).unwrap().add(&ended(1, Some(unprotected))));
}

#[test]
fn a_servers_own_words_fill_no_memory() {
    let mut tally = Tally::new(Mono::default(), false).unwrap();
    for number in 0..1_000 {
        tally.add(&ended(1, Some(Report { fault: Some(format!("fault {number}")), ..Report::default() })));
    }
    assert_eq!((tally.failures.len(), tally.failed(), tally.failures["other reasons"]), (33, 1_000, 968));
}

fn figures(mut tally: Tally) -> Figures {
    tally.counts.begun = 4;
    let look = |seconds, answered| Look { at: Mono(Duration::from_secs(seconds)), answered, own: None, server: None };
    let memory = Some(Memory { resident: 12 << 20, peak: 13 << 20 });
    let seen = Seen { from: look(5, 10), to: look(9, 210), memory, unsent: 2, interrupted: false };
    Figures { tally, seen, threads: 1, resume: 0.5 }
}

#[test]
fn a_person_and_a_program_are_told_the_same() {
    let mut both = tally();
    both.merge(tally());
    let figures = figures(both);
    let text = render::text(&figures);
    for line in [
        "200 logins in 4.00 s: 50.0 a second",
        "full            2  6.00 requests each   p50 10.0",
        "resumed         2  3.00 requests each   p50 30.0",
        "        2  offered a session and got a full handshake",
        "        2  datagrams were not taken by this machine",
        "memory of server: 12.0 MiB, 13.0 MiB at most",
        "4 logins failed:",
        "        2  refused with TLS alert 44 certificate_revoked",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
    }
    let object = render::json(&figures);
    assert_eq!((&object["logins_per_second"], &object["logins"]), (&50.0.into(), &200.into()));
    assert_eq!(object["full"]["requests_per_login"], 6.0);
    assert_eq!((&object["failures"]["no answer"], &object["all"]["logins"]), (&2.into(), &4.into()));
    assert_eq!(object["server"], serde_json::Value::Null);
}

#[test]
fn only_when_all_went_well_it_is_good() {
    assert!(!figures(tally()).tally.is_good());
    let mut tally = Tally::new(Mono::default(), false).unwrap();
    assert!(!tally.is_good(), "nobody logged in");
    tally.add(&ended(1, Some(good())));
    assert!(figures(tally).tally.is_good());
}
