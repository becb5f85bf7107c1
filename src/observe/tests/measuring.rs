use std::collections::BTreeSet;

use super::*;
use crate::observe::Metrics;
use crate::pki::CrlSummary;

fn crl(source: &str) -> CrlSummary {
    CrlSummary {
        authority: "ca16".into(),
        source: source.into(),
        number: Some(vec![0x04, 0xd2]),
        this_update: Wall(1_000),
        next_update: Some(Wall(2_000)),
        entries: 7,
    }
}

fn filled() -> Metrics {
    let metrics = Metrics::new();
    metrics.record(&rejected(Reason::Revoked));
    metrics.set_crls(&[crl("a.crl")], [("ca16", "a.crl", Wall(3_000))]);
    metrics.fetched("ca16", "crl", "not-modified");
    metrics.fetched("ca16", "ocsp", "ok");
    metrics.set_vanished([("ca16", 2)]);
    metrics.set_responders([
        ("ca16", "http://one.example/", true, Some(Wall(6_000))),
        ("ca16", "http://two.example/", false, None),
    ]);
    metrics.set_ocsp_answers(11);
    metrics.set_distrust(&[("ca16".into(), Wall(7_000))]);
    metrics.set_identities(&[("rsa".into(), Wall(4_000))]);
    metrics.set_staples([("rsa", None, false), ("p256", Some(Wall(8_000)), true)]);
    metrics.staple_fetched("p256", "ok");
    metrics.set_conversations(3);
    metrics.set_steps_waiting(2);
    metrics.disconnected("nak");
    metrics.set_reload(true, Wall(5_000));
    metrics
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
}

#[test]
fn every_family_of_the_contract_appears_as_it_stands_there() {
    let text = filled().render();
    for line in [
        r#"sekisho_requests_total{code="access-request",listener="auth",outcome="reject"} 1"#,
        r#"sekisho_requests_total{code="status-server",listener="auth",outcome="accept"} 0"#,
        r#"sekisho_nas_requests_total{message_authenticator="present",nas="ap-controllers"} 1"#,
        r#"sekisho_nas_requests_total{message_authenticator="absent",nas="ap-controllers"} 0"#,
        r#"sekisho_authentications_total{method="eap-tls",outcome="reject",reason="revoked",service="JAIST"} 1"#,
        r#"sekisho_authentication_seconds_count{resumed="false",service="JAIST",tls="1.3"} 1"#,
        r#"sekisho_authentication_seconds_bucket{resumed="false",service="JAIST",tls="1.3",le="0.025"} 0"#,
        r#"sekisho_authentication_seconds_bucket{resumed="false",service="JAIST",tls="1.3",le="0.05"} 1"#,
        "sekisho_conversations 3",
        "sekisho_steps_waiting 2",
        r#"sekisho_disconnects_total{result="ack"} 0"#,
        r#"sekisho_disconnects_total{result="nak"} 1"#,
        r#"sekisho_crl_this_update_seconds{authority="ca16",crl="a.crl"} 1000"#,
        r#"sekisho_crl_next_update_seconds{authority="ca16",crl="a.crl"} 2000"#,
        r#"sekisho_crl_last_success_seconds{authority="ca16",crl="a.crl"} 3000"#,
        r#"sekisho_crl_entries{authority="ca16",crl="a.crl"} 7"#,
        r#"sekisho_crl_number{authority="ca16",crl="a.crl"} 1234"#,
        r#"sekisho_revocation_fetches_total{authority="ca16",kind="crl",result="not-modified"} 1"#,
        r#"sekisho_revocation_fetches_total{authority="ca16",kind="ocsp",result="ok"} 1"#,
        r#"sekisho_crl_vanished_entries{authority="ca16"} 2"#,
        r#"sekisho_ocsp_responder_up{authority="ca16",responder="http://one.example/"} 1"#,
        r#"sekisho_ocsp_responder_up{authority="ca16",responder="http://two.example/"} 0"#,
        r#"sekisho_ocsp_last_success_seconds{authority="ca16",responder="http://one.example/"} 6000"#,
        "sekisho_ocsp_answers 11",
        r#"sekisho_distrust_authentications_total{authority="ca16",outcome="accept"} 0"#,
        r#"sekisho_distrust_authentications_total{authority="ca16",outcome="reject"} 0"#,
        r#"sekisho_distrust_certificates{authority="ca16"} 0"#,
        r#"sekisho_distrust_from_seconds{authority="ca16"} 7000"#,
        r#"sekisho_identity_not_after_seconds{identity="rsa"} 4000"#,
        r#"sekisho_identity_staple_next_update_seconds{identity="rsa"} 0"#,
        r#"sekisho_identity_staple_next_update_seconds{identity="p256"} 8000"#,
        r#"sekisho_identity_revoked{identity="rsa"} 0"#,
        r#"sekisho_identity_revoked{identity="p256"} 1"#,
        r#"sekisho_identity_staple_fetches_total{identity="p256",result="ok"} 1"#,
        "sekisho_config_last_reload_successful 1",
        "sekisho_config_last_reload_success_timestamp_seconds 5000",
        "sekisho_log_dropped_total 0",
        concat!(r#"sekisho_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        "# TYPE sekisho_authentication_seconds histogram",
        "# TYPE sekisho_requests_total counter",
        "# TYPE sekisho_conversations gauge",
    ] {
        has(&text, line);
    }
}

#[test]
fn the_usual_metrics_of_a_process_are_there() {
    let text = filled().render();
    for name in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "process_threads",
    ] {
        assert!(text.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
    }
}

#[test]
fn every_request_and_reason_is_counted_in_its_own_place() {
    let metrics = Metrics::new();
    for listener in Listener::ALL.iter().copied() {
        for code in RequestCode::ALL.iter().copied() {
            for outcome in Outcome::ALL.iter().copied() {
                for reason in Reason::ALL.iter().copied() {
                    metrics.record(&Event {
                        listener,
                        code: Some(code),
                        outcome,
                        ..dropped(reason, ([192, 0, 2, 1], 1).into(), Duration::ZERO)
                    });
                }
            }
        }
    }
    let text = metrics.render();
    for listener in Listener::ALL {
        for code in RequestCode::ALL {
            for outcome in Outcome::ALL {
                let labels = format!(r#"{{code="{code}",listener="{listener}",outcome="{outcome}"}}"#);
                has(&text, &format!("sekisho_requests_total{labels} {}", Reason::ALL.len()));
            }
        }
    }
    for reason in Reason::ALL {
        let each = Listener::ALL.len() * RequestCode::ALL.len();
        has(&text, &format!(r#"sekisho_drops_total{{reason="{reason}"}} {each}"#));
    }
}

#[test]
fn a10_nothing_out_of_a_packet_makes_a_series() {
    let metrics = Metrics::new();
    let series = |metrics: &Metrics| metrics.render().lines().filter(|line| !line.starts_with('#')).count();
    metrics.record(&rejected(Reason::Revoked));
    let before = series(&metrics);
    for n in 0..100_000 {
        let mut event = rejected(Reason::Revoked);
        event.peer = SocketAddr::from(([10, (n >> 16) as u8, (n >> 8) as u8, n as u8], 1_024));
        let it = event.authentication.as_mut().expect("a decision");
        it.user = name(&format!("user{n}"));
        it.outer_identity = Some(format!("user{n}@realm{n}"));
        it.mac = Some(format!("mac{n}"));
        it.ssid = Some(format!("ssid{n}"));
        it.certificate.as_mut().expect("one").subject = format!("CN={n}");
        metrics.record(&event);
    }
    assert_eq!(series(&metrics), before);
}

#[test]
fn a10_names_over_the_bound_share_one_series() {
    let metrics = Metrics::new();
    for n in 0..1_000 {
        let mut event = accepted();
        event.authentication.as_mut().expect("a decision").service = name(&format!("service{n}"));
        metrics.record(&event);
    }
    let text = metrics.render();
    let services: BTreeSet<_> =
        text.lines().filter(|line| line.starts_with("sekisho_authentications_total{")).collect();
    assert_eq!(services.len(), 257);
    has(&text, r#"sekisho_authentications_total{method="eap-tls",outcome="accept",reason="ok",service="other"} 744"#);
}

#[test]
fn an_unmatched_service_is_none() {
    let metrics = Metrics::new();
    let mut event = rejected(Reason::NoService);
    let it = event.authentication.as_mut().expect("a decision");
    it.service = None;
    it.tls = None;
    metrics.record(&event);
    let text = metrics.render();
    has(
        &text,
        r#"sekisho_authentications_total{method="eap-tls",outcome="reject",reason="no-service",service="none"} 1"#,
    );
    has(&text, r#"sekisho_authentication_seconds_count{resumed="false",service="none",tls="none"} 1"#);
}

#[test]
fn a_crl_or_identity_that_is_gone_leaves_no_series() {
    let metrics = filled();
    let without = CrlSummary { number: None, next_update: None, ..crl("b.crl") };
    metrics.set_crls(&[without], []);
    metrics.set_identities(&[("ecdsa".into(), Wall(9))]);
    metrics.set_staples([("ecdsa", None, false)]);
    metrics.set_reload(false, Wall(6_000));
    let text = metrics.render();
    assert!(!text.contains("a.crl") && !text.contains("\"rsa\""), "{text}");
    for gone in ["sekisho_crl_number", "sekisho_crl_next_update_seconds", "sekisho_crl_last_success_seconds"] {
        assert!(!text.contains(gone), "{gone}");
    }
    has(&text, r#"sekisho_crl_entries{authority="ca16",crl="b.crl"} 7"#);
    has(&text, "sekisho_config_last_reload_successful 0");
    has(&text, "sekisho_config_last_reload_success_timestamp_seconds 5000");
}

#[test]
fn a_responder_that_is_gone_leaves_no_series() {
    let metrics = filled();
    metrics.set_responders([("pub-ca8", "http://one.example/", true, None)]);
    metrics.set_vanished([]);
    let text = metrics.render();
    assert!(!text.contains("two.example") && !text.contains("sekisho_ocsp_last_success_seconds{"), "{text}");
    assert!(!text.contains("sekisho_crl_vanished_entries{"), "{text}");
    has(&text, r#"sekisho_ocsp_responder_up{authority="pub-ca8",responder="http://one.example/"} 1"#);
}

#[test]
fn a10_responders_over_the_bound_make_no_series() {
    let metrics = Metrics::new();
    let names: Vec<_> = (0..10_000).map(|n| format!("http://{n}.example/")).collect();
    metrics.set_responders(names.iter().map(|name| ("ca16", name.as_str(), true, Some(Wall(1)))));
    let text = metrics.render();
    for family in ["sekisho_ocsp_responder_up{", "sekisho_ocsp_last_success_seconds{"] {
        assert_eq!(text.lines().filter(|line| line.starts_with(family)).count(), 1_024, "{family}");
    }
}
