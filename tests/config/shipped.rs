//! Every file of conf/ loads, with nothing to complain of.

use std::fs;

use sekisho::config::Config;

use crate::campus::{Campus, Loaded, fresh_crl, intermediate, member, repository, server};
use crate::support::certificates::{Authority, authority};

const CA16: &str = "D5:62:97:10:C1:7B:D6:63:91:E8:FC:27:91:9C:E1:41:DA:B4:7A:F8";
const ZEROS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

fn conf(name: &str) -> String {
    fs::read_to_string(repository("conf").join(name)).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

fn sha1(octets: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref())
}

fn sha256(octets: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets).as_ref())
}

/// What all of them name: identities, ticket keys, secrets, groups.
fn common(campus: &Campus) {
    let ca = authority("Server CA", None);
    for name in ["server", "server-ecdsa", "server-rsa"] {
        campus.identity(name, &ca, server());
    }
    campus.write("tls/ticket.keys", format!("# the newest first\n{}\n{}\n", "0a".repeat(32), "f1".repeat(32)));
    for name in ["access-points", "ap", "vpn", "federation", "flr2", "cui", "asa-common", "otp"] {
        campus.write(&format!("secrets/{name}"), format!("a long shared secret of {name}\n"));
    }
    for name in ["guests", "suspended"] {
        campus.write(&format!("groups/{name}"), "somebody@campus.example\n");
    }
}

fn anchor(campus: &Campus, name: &str, ca: &Authority) {
    campus.write(&format!("pki/{name}.pem"), ca.pem());
    campus.write(&format!("crl/{name}.crl"), fresh_crl(ca));
}

fn jaist() -> (Campus, String) {
    let campus = Campus::empty();
    common(&campus);
    let ca16 = authority("SECOM Passport for Member RSA CA16 (look-alike)", None);
    let root = authority("Security Communication RootCA2 (look-alike)", None);
    anchor(&campus, "secom-passport-for-member-rsa-ca16", &ca16);
    anchor(&campus, "security-communication-rootca2", &root);
    let ca8 = intermediate("SECOM Passport for Member PUB CA8", &root);
    anchor(&campus, "secom-passport-for-member-pub-ca8", &ca8);
    let g4 = intermediate("NII Open Domain CA - G4", &root);
    anchor(&campus, "nii-open-domain-ca-g4", &g4);
    campus.write("pki/a-ca16-member.pem", member(&ca16));
    campus.write("pki/a-pub-ca8-member.pem", member(&ca8));
    campus.write("pki/an-odca-g4-member.pem", member(&g4));
    let text = conf("jaist.toml");
    assert!(text.contains(CA16));
    let text = text.replace(CA16, &sha1(ca16.der()));
    (campus, text)
}

fn config(loaded: Loaded) -> Config {
    loaded.good();
    loaded.config.unwrap()
}

#[test]
fn minimal_loads_with_defaults() {
    let campus = Campus::empty();
    common(&campus);
    anchor(&campus, "campus-ca", &authority("Campus CA", None));
    let config = config(campus.load(&conf("minimal.toml")));
    assert_eq!(config.net.auth.len(), 2);
    assert_eq!(config.admin.listen, []);
    assert!(config.admin.open_metrics);
    assert_eq!(config.eap.fragment_size, 1200);
    assert_eq!(config.eap.max_message, 16 << 10);
    assert_eq!(config.engine.max_conversations, 20_000);
    assert_eq!(config.engine.conversation_timeout.as_secs(), 60);
    assert_eq!(config.state_dir.to_str(), Some("/var/lib/sekisho"));
    assert_eq!(config.fetch.crls, [("campus-ca".into(), campus.path().join("crl/campus-ca.crl"))]);
    assert_eq!(config.identity_ends.len(), 1);
    let service = config.policy.service(config.policy.service_named("campus").unwrap()).unwrap();
    assert_eq!(service.grants.session_timeout.unwrap().as_secs(), 8 * 3600);
    assert_eq!(service.realms, None);
}

#[test]
fn full_loads() {
    let campus = Campus::empty();
    common(&campus);
    let root = authority("Members Root", None);
    anchor(&campus, "members-root", &root);
    let issuing = authority("Members Issuing", Some(&root));
    anchor(&campus, "members-issuing", &issuing);
    campus.write("pki/a-member.pem", member(&issuing));
    anchor(&campus, "retired-ca", &authority("Retired CA", None));
    let text = conf("sekisho.toml").replace(ZEROS, &sha256(root.der())).replace("/var/lib/sekisho", "state");
    let config = config(campus.load(&text));
    assert_eq!(&*config.node, "radius1.campus.example");
    assert_eq!(config.admin.tokens.len(), 1);
    assert_eq!(config.fetch.groups.len(), 2);
    let service = config.policy.service(config.policy.service_named("campus").unwrap()).unwrap();
    assert_eq!(service.matches.len(), 2);
    assert_eq!(service.matches[1].nas_port_type, Some(vec![15]));
    assert_eq!(service.rules.len(), 5);
    assert_eq!(service.realms, Some(vec!["campus.example".into(), ".campus.example".into(), String::new()]));
}

#[test]
fn jaist_loads_with_the_look_alikes_fingerprint() {
    let (campus, text) = jaist();
    let config = config(campus.load(&text));
    assert_eq!(config.identity_ends.len(), 2);
    assert_eq!(config.fetch.crls, [], "certificates tell where they are");
    assert!(["JAIST", "eduroam", "ssl-vpn"].iter().all(|name| config.policy.service_named(name).is_some()));
}

#[test]
fn jaist_says_that_the_look_alike_is_not_ca16() {
    let (campus, text) = jaist();
    let pin = text.lines().find_map(|line| line.strip_prefix("fingerprint-sha1 = ")).unwrap();
    let text = text.replace(pin, &format!("\"{CA16}\""));
    let loaded = campus.load(&text);
    loaded.error("authority[0].fingerprint-sha1", &format!("\"{CA16}\""), "");
    loaded.only(1);
}

/// What the reader says that it knows, asked by a key that it doesn't, in every table.
#[test]
fn every_key_that_is_known_stands_in_the_full_one() {
    const ASK: &str = "zzzzzzzzzzzzzzzz = 1";
    let text = conf("sekisho.toml");
    let ask = |line: &str| match line.starts_with('[') {
        true => format!("{line}\n{ASK}\n"),
        false => format!("{}\n", line.replace("{ ", &format!("{{ {ASK}, "))),
    };
    let loaded = Campus::empty().load(&text.lines().map(ask).collect::<String>());
    let unknown = loaded.findings.iter().filter(|finding| finding.text.starts_with("unknown key"));
    let answers: Vec<&str> =
        unknown.filter_map(|finding| finding.text.split_once("; there are ")).map(|(_, keys)| keys).collect();
    assert!(answers.len() >= 25, "{:#?}", loaded.shown());
    for key in answers.iter().flat_map(|keys| keys.split(", ")).map(|key| key.trim_matches('"')) {
        let written = text.contains(&format!("{key} = "))
            || text.contains(&format!("`{key}`"))
            || text.contains(&format!(".{key}]"));
        let in_a_file = text.contains(&format!("{key}-file = "));
        let not_built = text.lines().any(|line| line.contains("ot built yet") && line.contains(key));
        assert!(written || in_a_file || not_built, "{key}");
    }
}
