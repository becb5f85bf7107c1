//! The reference: every key is known; what isn't built says so.

use std::collections::BTreeSet;

use sekisho::config::Severity;

use crate::campus::Campus;

const REFERENCE: &str = include_str!("reference.toml");

#[test]
fn every_key_of_the_reference_is_known_and_what_is_not_built_says_so() {
    let loaded = Campus::empty().load(REFERENCE);
    assert!(loaded.config.is_none());
    for finding in loaded.errors() {
        let missing_file = finding.text.contains("No such file or directory");
        let not_built = finding.text.starts_with("not built in this version: ");
        // The reference has an ellipsis in the digest's place.
        let digest = finding.key == "admin.token[0].sha256";
        assert!(missing_file || not_built || digest, "{finding}");
    }
}

#[test]
fn what_is_not_built_is_exactly_this() {
    let loaded = Campus::empty().load(REFERENCE);
    let found: BTreeSet<String> = loaded
        .findings
        .iter()
        .filter(|finding| finding.text.starts_with("not built in this version: "))
        .inspect(|finding| assert_eq!(finding.severity, Severity::Error))
        .map(|finding| finding.key.clone())
        .collect();
    let wanted = [
        "federation.blackhole-realms",
        "federation.home-realms",
        "federation.servers",
        "forward[0]",
        "home-server[0]",
        "home-server[1]",
        "home-server[2]",
        "listen.radsec",
        "nas[3].certificate-name",
        "radsec",
        "service[1].visitors",
    ];
    assert_eq!(found, wanted.map(str::to_owned).into());
}

#[test]
fn a_slip_in_a_section_that_is_not_built_shows_too() {
    let text = REFERENCE.replace("home-realms", "home-realm").replace("at-most = 200", "at-most = \"200\"");
    let loaded = Campus::empty().load(&text);
    loaded.error("federation.home-realm", "home-realm", "did you mean \"home-realms\"?");
    loaded.error("disconnect.at-most", "\"200\"", "needs a whole number; this is a string");
}
