//! Who still uses an authority that is to end.

use super::*;
use crate::observe::Metrics;

/// A login with a certificate that the authority's `distrust` concerns; `number` tells it from others.
fn concerned(authority: &str, number: u32, event: Event) -> Event {
    let mut event = event;
    let it = event.authentication.as_mut().expect("a decision");
    it.evidence = vec![Evidence::Distrust { from: Wall(WALL.0 + 86_400) }];
    let certificate = it.certificate.as_mut().expect("one");
    certificate.authority = name(authority);
    certificate.fingerprint[..4].copy_from_slice(&number.to_be_bytes());
    event
}

fn metrics(authorities: &[&str]) -> Metrics {
    let metrics = Metrics::new();
    set(&metrics, authorities);
    metrics
}

fn set(metrics: &Metrics, authorities: &[&str]) {
    let from = |authority: &&str| (Arc::from(*authority), Wall(9_000));
    metrics.set_distrust(&authorities.iter().map(from).collect::<Vec<_>>());
}

/// What the series of distrust say of an authority: accepted, refused, certificates, from when.
fn counted(metrics: &Metrics, authority: &str) -> [Option<u64>; 4] {
    let text = metrics.render();
    let value = |series: String| {
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.and_then(|value| value.trim().parse().ok())
    };
    let logins = |outcome| {
        value(format!("sekisho_distrust_authentications_total{{authority=\"{authority}\",outcome=\"{outcome}\"}}"))
    };
    [
        logins("accept"),
        logins("reject"),
        value(format!("sekisho_distrust_certificates{{authority=\"{authority}\"}}")),
        value(format!("sekisho_distrust_from_seconds{{authority=\"{authority}\"}}")),
    ]
}

#[test]
fn logins_and_certificates_are_counted_before_and_after_the_date() {
    let metrics = metrics(&["old", "older"]);
    for number in [1, 1, 2] {
        metrics.record(&concerned("old", number, accepted()));
    }
    metrics.record(&concerned("old", 3, rejected(Reason::DistrustedAuthority)));
    assert_eq!(counted(&metrics, "old"), [3, 1, 3, 9_000].map(Some));
    assert_eq!(counted(&metrics, "older"), [0, 0, 0, 9_000].map(Some));
}

#[test]
fn whom_it_does_not_concern_is_not_counted() {
    let metrics = metrics(&["ca16"]);
    metrics.record(&accepted());
    metrics.record(&rejected(Reason::Revoked));
    let silent = Event { outcome: Outcome::Drop, ..concerned("ca16", 1, rejected(Reason::ConversationExpired)) };
    metrics.record(&silent);
    let mut nobody = concerned("ca16", 1, rejected(Reason::DistrustedAuthority));
    nobody.authentication.as_mut().expect("a decision").certificate = None;
    metrics.record(&nobody);
    assert_eq!(counted(&metrics, "ca16"), [0, 0, 0, 9_000].map(Some));
}

#[test]
fn what_was_counted_outlives_a_reload_as_long_as_the_authority_is_distrusted() {
    let metrics = metrics(&["old", "gone"]);
    metrics.record(&concerned("old", 1, accepted()));
    metrics.record(&concerned("gone", 1, accepted()));
    set(&metrics, &["old", "new"]);
    metrics.record(&concerned("old", 1, accepted()));
    assert_eq!(counted(&metrics, "old"), [2, 0, 1, 9_000].map(Some));
    assert_eq!(counted(&metrics, "gone"), [None; 4]);
    assert_eq!(counted(&metrics, "new"), [0, 0, 0, 9_000].map(Some));
}

#[test]
fn a10_no_certificate_and_no_other_authority_makes_a_series() {
    let metrics = metrics(&["old"]);
    let series = || metrics.render().lines().filter(|line| line.starts_with("sekisho_distrust_")).count();
    let before = series();
    for number in 0..1_000 {
        metrics.record(&concerned("old", number, accepted()));
        metrics.record(&concerned(&format!("authority{number}"), number, accepted()));
    }
    assert_eq!((series(), before), (4, 4));
    assert_eq!(counted(&metrics, "old"), [1_000, 0, 1_000, 9_000].map(Some));
}

#[test]
fn a10_certificates_are_told_apart_up_to_a_bound() {
    let metrics = metrics(&["old"]);
    for number in 0..100_050 {
        metrics.record(&concerned("old", number, accepted()));
    }
    assert_eq!(counted(&metrics, "old"), [100_050, 0, 100_000, 9_000].map(Some));
}
