use std::path::Path;
use std::time::Duration;

use super::report::{Finding, Place, Report, Severity};
use super::scalar;

#[test]
fn durations() {
    for (text, seconds) in [("30s", 30), ("5m", 300), ("8h", 28_800), ("30d", 2_592_000), ("0s", 0), ("3 h", 10_800)] {
        assert_eq!(scalar::duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    for text in ["", "5", "s", "5 minutes", "-5s", "1.5h", "99999999999999999999d", "18446744073709551615d", "40000d"] {
        assert!(scalar::duration(text).is_err(), "{text}");
    }
}

#[test]
fn sizes() {
    for (text, octets) in [("512", 512), ("16KiB", 16_384), ("128MiB", 1 << 27), ("1 GiB", 1 << 30), ("7B", 7)] {
        assert_eq!(scalar::size(text), Ok(octets), "{text}");
    }
    for text in ["", "KiB", "16KB", "16kib", "-1", "99999999999GiB"] {
        assert!(scalar::size(text).is_err(), "{text}");
    }
}

#[test]
fn networks() {
    for (text, shown) in [
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("10.2.0.10", "10.2.0.10/32"),
        ("2001:db8:1::/48", "2001:db8:1::/48"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("::ffff:10.1.0.0/112", "10.1.0.0/16"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
    ] {
        assert_eq!(scalar::prefix(text).map(|prefix| prefix.to_string()).as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn digests() {
    assert_eq!(scalar::hex("DE:AD:be:ef"), Ok([0xde, 0xad, 0xbe, 0xef]));
    assert_eq!(scalar::hex("deadbeef"), Ok([0xde, 0xad, 0xbe, 0xef]));
    assert!(scalar::hex::<4>("deadbe").unwrap_err().contains("these are 6"));
    assert!(scalar::hex::<4>("deadbeeg").is_err());
    assert!(scalar::hex::<4>("dé:ad:be:ef").is_err());
}

#[test]
fn the_nearest_word_is_near() {
    let keys = ["session-timeout", "vlan", "realms"];
    assert_eq!(scalar::nearest("sesion-timeout", keys), Some("session-timeout"));
    assert_eq!(scalar::nearest("VLAN", keys), Some("vlan"));
    assert_eq!(scalar::nearest("zzzz", keys), None);
    assert_eq!(scalar::nearest(&"v".repeat(100_000), keys), None);
}

#[test]
fn a_finding_is_one_line_whatever_stands_in_it() {
    let finding = Finding {
        severity: Severity::Error,
        file: "/etc/sekisho/a.toml".into(),
        line: 3,
        column: 9,
        key: "nas[0].na\nme".to_owned(),
        text: "odd\u{1b}[2J".to_owned(),
    };
    assert_eq!(finding.to_string(), "/etc/sekisho/a.toml:3:9: error: nas[0].na\\nme: odd\\u{1b}[2J");
    let whole = Finding {
        severity: Severity::Warning,
        line: 0,
        column: 0,
        key: String::new(),
        text: "odd".to_owned(),
        ..finding
    };
    assert_eq!(whole.to_string(), "/etc/sekisho/a.toml: warning: odd");
}

#[test]
fn positions_count_characters_and_survive_any_offset() {
    let report = Report::new(Path::new("a.toml"), "é = 1\n\nü = \"ß\"\n");
    for offset in [0, 7, 8, 13, 15, 1000] {
        report.error(&Place { key: String::new(), offset }, offset.to_string());
    }
    let found: Vec<_> = report.into_findings().into_iter().map(|one| (one.text, one.line, one.column)).collect();
    let wanted = [("0", 1, 1), ("7", 2, 1), ("8", 3, 1), ("13", 3, 5), ("15", 3, 7), ("1000", 4, 1)];
    assert_eq!(found, wanted.map(|(text, line, column)| (text.to_owned(), line, column)));
}
