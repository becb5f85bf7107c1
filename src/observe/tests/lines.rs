use jiff::tz::TimeZone;
use serde_json::Value;
use tracing::Level;

use super::*;
use crate::event::{CrlName, OcspName, OcspStatus};
use crate::observe::line::Line;
use crate::observe::operational::{self, Style};
use crate::observe::render;
use crate::policy::is_hidden;

fn written(event: &Event, settings: &LogSettings) -> String {
    let style = Style::new(settings);
    render::line(event, 0, &style.explainer).render(style.format, &style.explainer.zone, Some("radius1"))
}

fn text(event: &Event) -> String {
    written(event, &settings(Format::Text))
}

fn json(event: &Event) -> Value {
    serde_json::from_str(&written(event, &settings(Format::Json))).expect("valid JSON")
}

#[test]
fn a_rejection_says_who_where_and_why_on_one_line() {
    assert_eq!(
        text(&rejected(Reason::Revoked)),
        "2026-11-22T09:00:00+09:00  INFO reject revoked service=JAIST method=eap-tls user=hanako@jaist.ac.jp \
         outer_identity=anonymous@jaist.ac.jp mac=02:00:00:00:00:01 ssid=JAIST nas=ap-controllers peer=10.1.2.3:50000 \
         certificate=ca16:4a3f subject=\"CN=Hokuriku Hanako,O=JAIST,C=JP\" tls=1.3 resumed=false rounds=7 duration_ms=42 \
         -- 認証局が失効させた証明書です。 2026-11-22 07:00:00 +09:00 に失効しました（理由: 秘密鍵の漏えい（keyCompromise））。 \
         失効した証明書は元に戻りません。新しい証明書を取得し、古い証明書とプロファイルを端末から削除してください。それまで、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続できます。失効に心当たりがなければ、窓口に問い合わせてください。\n"
    );
}

#[test]
fn json_has_every_field_by_name() {
    let line = json(&rejected(Reason::Revoked));
    for (name, value) in [
        ("time", Value::from("2026-11-22T09:00:00+09:00")),
        ("level", "info".into()),
        ("node", "radius1".into()),
        ("outcome", "reject".into()),
        ("reason", "revoked".into()),
        ("service", "JAIST".into()),
        ("method", "eap-tls".into()),
        ("user", "hanako@jaist.ac.jp".into()),
        ("outer_identity", "anonymous@jaist.ac.jp".into()),
        ("certificate", "ca16:4a3f".into()),
        ("fingerprint", "ab".repeat(32).into()),
        ("subject", "CN=Hokuriku Hanako,O=JAIST,C=JP".into()),
        ("nas", "ap-controllers".into()),
        ("peer", "10.1.2.3:50000".into()),
        ("mac", "02:00:00:00:00:01".into()),
        ("ssid", "JAIST".into()),
        ("tls", "1.3".into()),
        ("resumed", false.into()),
        ("rounds", 7.into()),
        ("duration_ms", 42.into()),
    ] {
        assert_eq!(line.get(name), Some(&value), "{name}");
    }
    assert!(line["explanation"].as_str().is_some_and(|text| text.starts_with("認証局が失効させた証明書です。")));
}

#[test]
fn an_accept_is_short() {
    let line = text(&accepted());
    assert!(line.contains(" accept ok ") && !line.contains(" -- "), "{line}");
}

/// A login that rests on all kinds of revocation data; `text`: what comes from outside in it.
fn grounded(text: &str) -> Event {
    let mut event = accepted();
    event.authentication.as_mut().expect("a decision").evidence = vec![
        Evidence::Crl(CrlName {
            authority: "ca16".into(),
            source: text.into(),
            number: Some("1234".into()),
            this_update: Wall(WALL.0 - 60),
            next_update: Some(Wall(WALL.0 - 1)),
        }),
        Evidence::Ocsp(OcspName {
            authority: "ca16".into(),
            source: text.into(),
            status: OcspStatus::Good,
            this_update: Wall(WALL.0 - 120),
            next_update: Wall(WALL.0 + 3_600),
        }),
        Evidence::NoCrl(text.into()),
        Evidence::NoOcsp(text.into()),
        Evidence::Vanished { source: text.into(), since: Wall(WALL.0 - 30) },
        Evidence::Revoked { at: WALL, reason: None, intermediate: true },
        Evidence::Distrust { from: Wall(WALL.0 + 86_400) },
    ];
    event
}

#[test]
fn json_says_of_every_source_how_old_it_is() {
    let line = json(&grounded("x"));
    let wanted = serde_json::json!([
        { "kind": "crl", "authority": "ca16", "source": "x", "number": "1234", "this_update": "2026-11-22T08:59:00+09:00",
          "next_update": "2026-11-22T08:59:59+09:00", "age": 60, "ends_in": -1 },
        { "kind": "ocsp", "authority": "ca16", "source": "x", "status": "good", "this_update": "2026-11-22T08:58:00+09:00",
          "next_update": "2026-11-22T10:00:00+09:00", "age": 120, "ends_in": 3600 },
        { "kind": "no-crl", "issuer": "x" },
        { "kind": "no-ocsp", "issuer": "x" },
        { "kind": "vanished", "source": "x", "since": "2026-11-22T08:59:30+09:00", "age": 30 },
        { "kind": "revoked", "at": "2026-11-22T09:00:00+09:00", "reason": null, "intermediate": true },
    ]);
    assert_eq!(line["revocation"], wanted);
    assert_eq!(line["distrusted_from"], "2026-11-23T09:00:00+09:00");
    assert!(json(&accepted()).get("revocation").is_none(), "where there is nothing, nothing is said");
}

#[test]
fn a_text_line_says_who_will_be_refused_and_nothing_more_of_an_accept() {
    let line = text(&grounded("x"));
    assert!(line.contains(" distrusted_from=2026-11-23T09:00:00+09:00") && !line.contains("ocsp"), "{line}");
}

#[test]
fn o01_sources_are_cut_and_stay_on_their_line() {
    let nasty = format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(100_000));
    let mut event = grounded(&nasty);
    let it = event.authentication.as_mut().expect("a decision");
    it.evidence = it.evidence.iter().cycle().take(600).cloned().collect();
    let line = written(&event, &settings(Format::Json));
    assert!(line.len() < 12_000 && !line.trim_end().contains(is_hidden), "{}", line.len());
}

#[test]
fn an_unknown_nas_is_told_of_with_what_to_add() {
    let line = text(&dropped(Reason::UnknownNas, SocketAddr::from(([192, 0, 2, 7], 1_024)), Duration::ZERO));
    let begin =
        "2026-11-22T09:00:00+09:00  WARN drop unknown-nas peer=192.0.2.7:1024 listener=auth code=access-request -- ";
    assert!(line.starts_with(begin), "{line}");
    assert!(line.contains("address = [\"192.0.2.7\"]"), "{line}");
}

#[test]
fn o01_whatever_a_client_calls_itself_stays_on_one_line_and_shows() {
    let nasty = "x\" user=admin\n2026-01-01 accept\r\u{1b}[2J\0\u{85}\u{7f}\u{202e}\u{2028}\u{200b}\u{e0041}\\";
    let mut event = rejected(Reason::WrongOrganisation);
    let it = event.authentication.as_mut().expect("a decision");
    it.outer_identity = Some(nasty.into());
    it.user = name(nasty);
    it.mac = Some(nasty.into());
    it.ssid = Some(nasty.into());
    it.certificate.as_mut().expect("one").subject = nasty.into();
    it.evidence = vec![Evidence::Issuer(nasty.into()), Evidence::Realm(nasty.into())];
    for format in [Format::Text, Format::Json] {
        let line = written(&event, &settings(format));
        let (body, end) = line.split_at(line.len() - 1);
        assert_eq!(end, "\n");
        assert!(!body.contains(is_hidden), "{body}");
    }
    let parsed = json(&event);
    for name in ["user", "outer_identity", "mac", "ssid", "subject"] {
        assert_eq!(parsed[name], nasty, "JSON reads back as it came");
    }
    assert!(
        text(&event).contains(r#"outer_identity="x\" user=admin\n2026-01-01 accept\r\u{1b}[2J"#),
        "{}",
        text(&event)
    );
}

#[test]
fn o01_long_values_are_cut() {
    let mut event = rejected(Reason::Revoked);
    let it = event.authentication.as_mut().expect("a decision");
    it.outer_identity = Some("北".repeat(4_096));
    it.certificate.as_mut().expect("one").subject = "x".repeat(65_536);
    it.evidence = vec![Evidence::Names(vec!["n".repeat(65_536); 100]); 50];
    let line = json(&event);
    assert_eq!(line["outer_identity"].as_str().map(|text| text.chars().count()), Some(257));
    for format in [Format::Text, Format::Json] {
        assert!(written(&event, &settings(format)).len() < 12_000);
    }
}

#[test]
fn an_empty_value_and_one_with_an_equals_sign_are_quoted() {
    let mut event = rejected(Reason::Revoked);
    let it = event.authentication.as_mut().expect("a decision");
    it.outer_identity = Some(String::new());
    it.ssid = Some("a=b".into());
    let line = text(&event);
    assert!(line.contains(" outer_identity=\"\" ") && line.contains(" ssid=\"a=b\" "), "{line}");
}

#[test]
fn a_time_beyond_the_calendar_is_written_in_seconds() {
    let line = Line::new(Wall(i64::MAX), Level::INFO, "x").render(Format::Text, &TimeZone::UTC, None);
    assert_eq!(line, "9223372036854775807  INFO x\n");
}

#[test]
fn what_matters_more_has_a_higher_level() {
    let peer = SocketAddr::from(([192, 0, 2, 7], 1_024));
    let level = |event: Event| render::level(&event);
    assert_eq!(level(rejected(Reason::Internal)), Level::ERROR);
    assert_eq!(level(dropped(Reason::UnknownNas, peer, Duration::ZERO)), Level::WARN);
    assert_eq!(level(accepted()), Level::INFO);
    assert_eq!(level(rejected(Reason::Revoked)), Level::INFO);
    assert_eq!(level(Event { authentication: None, ..accepted() }), Level::DEBUG);
    assert_eq!(level(dropped(Reason::Duplicate, peer, Duration::ZERO)), Level::DEBUG);
    assert_eq!(level(Event { outcome: Outcome::Challenge, authentication: None, ..accepted() }), Level::TRACE);
}

#[test]
fn an_unchecked_level_or_zone_still_writes() {
    let odd = LogSettings { level: "loud".into(), timezone: "Nowhere/At_all".into(), ..settings(Format::Text) };
    let style = Style::new(&odd);
    assert!(style.writes(Level::INFO) && !style.writes(Level::DEBUG));
    assert_eq!(style.explainer.zone, TimeZone::UTC);
}

#[test]
fn o01_operational_messages_have_the_same_form() {
    use std::sync::Mutex;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<String>>);
    impl<S: tracing::Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
            let line = operational::line(event).render(Format::Text, &TimeZone::UTC, None);
            self.0.lock().expect("no panic").push_str(&line);
        }
    }

    let kept = Kept::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), || {
        tracing::warn!(file = "a\nb", count = 3_u64, listed = ?["x"], "the file {} is odd", "\u{1b}[31m");
    });
    let line = kept.0.lock().expect("no panic").clone();
    let expected = "  WARN the file \\u{1b}[31m is odd file=\"a\\nb\" count=3 listed=\"[\\\"x\\\"]\"\n";
    assert!(line.ends_with(expected), "{line}");
    assert_eq!(line.lines().count(), 1);
}
