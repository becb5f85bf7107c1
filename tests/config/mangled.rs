//! Whatever stands in the file, loading ends with findings and never with a panic.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sekisho::config::load;

use crate::BASE;
use crate::campus::{Campus, NOW};

const REFERENCE: &str = include_str!("reference.toml");

/// One edit of a text: octets cut out at a place, others put in.
fn edit() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..8),
        proptest::sample::select(vec![
            "\"",
            "[",
            "]",
            "{",
            "}",
            "\n[[",
            "=",
            "\\u0000",
            "99999999999999999999",
            "-",
            "''' ",
            "\u{feff}",
            "é"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (0..REFERENCE.len(), 0_usize..40, piece)
}

fn mangle(text: &str, edits: Vec<(usize, usize, Vec<u8>)>) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    for (at, cut, piece) in edits {
        let at = at % (octets.len() + 1);
        let end = (at + cut).min(octets.len());
        octets.splice(at..end, piece);
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mangled_reference_never_panics(edits in proptest::collection::vec(edit(), 1..6)) {
        let campus = Campus::empty();
        let path = campus.write("mangled.toml", mangle(REFERENCE, edits));
        let (config, findings) = load(&path, None, NOW);
        prop_assert!(config.is_none() && !findings.is_empty());
    }
}

#[test]
fn a_mangled_base_never_panics_and_is_refused_or_good() {
    let campus = Campus::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let edits = proptest::collection::vec(edit(), 1..3).new_tree(&mut runner).unwrap().current();
        let path = campus.write("mangled.toml", mangle(BASE, edits));
        let (config, findings) = load(&path, None, NOW);
        let refused = findings.iter().any(|finding| finding.severity == sekisho::config::Severity::Error);
        assert_eq!(config.is_none(), refused);
    }
}

#[test]
fn every_value_of_another_type_is_an_error() {
    let campus = Campus::empty();
    for value in ["1", "\"\"", "2026-01-01", "[[]]", "[{}]"] {
        for section in REFERENCE.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
            let text = REFERENCE.replacen(&format!("\n{section} = "), &format!("\n{section} = {value} # "), 1);
            let path = campus.write("typed.toml", text);
            assert!(load(&path, None, NOW).0.is_none());
        }
    }
}

#[test]
fn a_file_of_nothing_but_mistakes_is_read_in_a_moment() {
    let campus = Campus::empty();
    for line in ["a = 1\n", "[[nas]]\n", "[[service]]\nmatch = {}\n", "= =\n", "[a.b.c]\n", "]"] {
        let many: String = (0..50_000 / line.len()).map(|number| line.replace('a', &format!("a{number}"))).collect();
        let path = campus.write("many.toml", many);
        let (config, findings) = load(&path, None, NOW);
        assert!(config.is_none());
        assert!((1..=1000).contains(&findings.len()));
    }
}
