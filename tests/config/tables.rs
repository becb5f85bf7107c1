//! Slips and oddities in NAS, services and authorities.

use std::time::Duration;

use sekisho::engine::Automatic;
use sekisho::exchange::Identify;

use crate::campus::Campus;
use crate::support::certificates::authority;
use crate::{BASE, and, base};

#[test]
fn the_same_network_of_two_nas_is_an_error() {
    let text = and("[[nas]]\nname = \"x\"\naddress = [\"10.3.0.1\", \"10.1.0.0/16\"]\nsecret-file = \"secrets/ap\"\n");
    Campus::new().load(&text).error("nas[1].address", "[\"10.3.0.1\"", "10.1.0.0/16").only(1);
}

#[test]
fn nested_networks_are_warned_of() {
    let second =
        |address: &str| and(&format!("[[nas]]\nname = \"x\"\naddress = [{address}]\nsecret-file = \"secrets/ap\"\n"));
    let campus = Campus::new();
    let loaded = campus.load(&second("\"10.1.2.0/24\""));
    loaded.warning("nas[1].address", "[\"10.1.2.0/24\"]", "lies within 10.1.0.0/16 of the NAS \"ap\"").only(1);
    campus
        .load(&second("\"::ffff:10.1.2.3\""))
        .warning("nas[1].address", "[\"::ffff:10.1.2.3\"]", "lies within")
        .only(1);
    campus.load(&second("\"10.2.0.0/16\", \"2001:db8::/32\"")).good();
    campus.load(&second("\"0.0.0.0/0\"")).warning("nas[1].address[0]", "\"0.0.0.0/0\"", "the whole Internet");
}

#[test]
fn networks_must_be_networks() {
    for bad in ["10.0.0.0/33", "10.0.0/8", "ap.example", "10.0.0.0/", "2001:db8::1/129", "10.0.0.0/-1", "10.0.0.0/+8"] {
        let text = base("10.1.0.0/16", bad);
        let loaded = Campus::new().load(&text);
        assert_eq!(loaded.errors()[0].key, "nas[0].address[0]", "{bad}: {:#?}", loaded.shown());
    }
}

#[test]
fn message_authenticator_that_is_not_required_is_warned_of() {
    let text = base("secret-file", "require-message-authenticator = false\nlimit-proxy-state = false\nsecret-file");
    Campus::new()
        .load(&text)
        .warning("nas[0].require-message-authenticator", "false", "BlastRADIUS")
        .warning("nas[0]", "[[nas]]", "nothing at all stands against BlastRADIUS")
        .only(2);
}

#[test]
fn a_federation_needs_the_service_eduroam() {
    let text = base("secret-file", "federation = true\nsecret-file");
    Campus::new().load(&text).error("nas[0].federation", "true", "\"eduroam\"").only(1);
    Campus::new().load(&text.replace("\"JAIST\"", "\"eduroam\"").replace("match =", "# match =")).good();
}

#[test]
fn a_service_that_is_never_reached_is_found() {
    let campus = Campus::new();
    let text = base("match = { ssid = [\"JAIST\"] }\n", "");
    campus.load(&text).error("service[0]", "[[service]]", "could never be asked for").only(1);
    let second =
        |matches: &str| and(&format!("[[service]]\nname = \"two\"\nmatch = {matches}\nauthorities = [\"ca\"]\n"));
    campus
        .load(&second("{ ssid = [\"JAIST\"], nas = [\"ap\"] }"))
        .warning("service[1].match", "{ ssid = [\"JAIST\"], nas", "never reached")
        .only(1);
    campus.load(&second("[{ ssid = [\"JAIST\"] }, { nas = [\"ap\"] }]")).good();
    campus.load(&second("{}")).good();
    campus
        .load(&second("{ ssid = [\"Jaist\"] }"))
        .warning("service[1].match", "{ ssid = [\"Jaist\"]", "differ in case only")
        .only(1);
    campus.load(&second("{ ssid = [] }")).error("service[1].match.ssid", "[] }", "it never holds").only(1);
}

#[test]
fn authorities_of_a_service_must_not_be_empty() {
    Campus::new()
        .load(&base("authorities = [\"ca\"]", "authorities = []"))
        .error("service[0].authorities", "[]\n", "is empty")
        .only(1);
}

#[test]
fn what_a_service_grants_is_checked() {
    for (line, key, text) in [
        ("session-timeout = \"0s\"", "session-timeout", "must be from one second"),
        ("vlan = \"0\"", "vlan", "from 1 to 4094"),
        ("vlan = 120", "vlan", "needs a string; this is an integer"),
        ("vlan = \"\"", "vlan", "1 to 253 octets"),
        ("attributes = [\"No-Such-Attribute=1\"]", "attributes[0]", "No-Such-Attribute"),
        ("realms = [\"user@jaist.ac.jp\"]", "realms[0]", "is no realm"),
        ("reply-username = \"inner\"", "reply-username", "there are \"certificate\", \"outer\""),
        ("rules = [{ vlan = \"1\" }]", "rules[0]", "`when` is missing"),
        (
            "rules = [{ when = { subject = { OX = \"x\" } }, deny = true }]",
            "rules[0].when.subject.OX",
            "is no attribute",
        ),
        (
            "rules = [{ when = { policy-oid = [\"any\"] }, deny = true }]",
            "rules[0].when.policy-oid[0]",
            "is no object identifier",
        ),
        ("rules = [{ when = { nas-port-type = \"Wirelss-802.11\" }, deny = true }]", "rules[0].when.nas-port-type", ""),
    ] {
        let loaded = Campus::new().load(&and(line));
        let [only] = loaded.errors()[..] else { panic!("{line}: {:#?}", loaded.shown()) };
        assert_eq!(only.key, format!("service[0].{key}"), "{line}");
        assert!(only.text.contains(text), "{line}: {only}");
    }
}

#[test]
fn rules_without_effect_are_warned_of() {
    let text = and("rules = [{ when = {} }, { when = {}, deny = true, vlan = \"1\" }]\n");
    Campus::new()
        .load(&text)
        .warning("service[0].rules[0]", "{ when = {} }", "it has no effect")
        .warning("service[0].rules[1]", "{ when = {}, deny", "gets nothing")
        .only(2);
}

#[test]
fn a_shared_ca_without_subject_is_warned_of() {
    let campus = Campus::new();
    let text = base("subject = { O = \"Campus\" }\n", "");
    campus.load(&text).good();
    campus.write("pki/ca.pem", authority("SECOM Passport for Member PUB CA8", None).pem());
    campus.load(&text).warning("authority[0]", "[[authority]]", "issues for many organisations").only(1);
    let text = base("{ O = \"Campus\" }", "{}");
    campus.load(&text).warning("authority[0].subject", "{}", "opens the network").only(2);
}

#[test]
fn dates_that_distrust_nobody_are_an_error() {
    let text = base(
        "revocation",
        "distrust = { from = 2026-01-01T00:00:00Z, issued-before = 2020-01-01T00:00:00Z, issued-after = 2021-01-01T00:00:00Z }\nrevocation",
    );
    Campus::new().load(&text).error("authority[0].distrust", "{ from", "issued-before").only(1);
    let text = base("revocation", "distrust = { issued-before = 2020-01-01 }\nrevocation");
    Campus::new()
        .load(&text)
        .error("authority[0].distrust", "{ issued", "`from` is missing")
        .error("authority[0].distrust.issued-before", "2020-01-01", "needs date, time and offset")
        .only(2);
}

#[test]
fn an_anchor_that_is_not_the_pinned_one_is_an_error() {
    let campus = Campus::new();
    let pin = "AA:".repeat(31) + "AA";
    let text = base("subject", &format!("fingerprint-sha256 = \"{pin}\"\nsubject"));
    campus.load(&text).error("authority[0].fingerprint-sha256", &format!("\"{pin}\""), "").only(1);
    let text = base("subject", "fingerprint-sha1 = \"AA:BB\"\nsubject");
    campus.load(&text).error("authority[0].fingerprint-sha1", "\"AA:BB\"", "needs 40 hexadecimal digits").only(1);
}

#[test]
fn a_der_file_is_an_anchor_too() {
    let campus = Campus::new();
    campus.write("pki/ca.pem", authority("DER CA", None).der());
    campus.load(BASE).good();
    campus.write("pki/ca.pem", "nothing");
    campus
        .load(BASE)
        .error("authority[0].certificate", "\"pki/ca.pem\"", "neither PEM nor a certificate in DER")
        .only(1);
    campus.write("pki/ca.pem", authority("One", None).pem() + &authority("Two", None).pem());
    campus.load(BASE).error("authority[0].certificate", "\"pki/ca.pem\"", "several certificates").only(1);
}

#[test]
fn what_only_radsec_would_need_is_not_asked_for_twice() {
    let text = base("address = [\"10.1.0.0/16\"]\nsecret-file = \"secrets/ap\"", "certificate-name = \"ap.example\"");
    Campus::new().load(&text).error("nas[0].certificate-name", "\"ap.example\"", "not built").only(1);
}

#[test]
fn doors_are_named_once() {
    let text = base("[\"127.0.0.1:1812\"]", "[\"127.0.0.1:1812\", \"127.0.0.1:1812\"]");
    let loaded = Campus::new().load(&text);
    let [only] = loaded.errors()[..] else { panic!("{:#?}", loaded.shown()) };
    assert_eq!((only.key.as_str(), only.line, only.column), ("listen.auth[1]", 2, 27));
}

#[test]
fn reply_message_is_said_to_have_no_effect_beside_eap() {
    let text = and("attributes = [\"Class=a\", \"Reply-Message=hello\"]");
    let key = "service[0].attributes[1]";
    Campus::new().load(&text).warning(key, "\"Reply-Message", "RFC 3579").only(1);
}

#[test]
fn a_key_of_chargeable_user_identity_is_taken_alone_and_with_our_name() {
    let campus = Campus::new();
    campus.write("secrets/cui", "a key that nobody finds\n");
    let federation = |lines: &str| and(&format!("[federation]\n{lines}"));
    let loaded = campus.load(&federation("cui-key-file = \"secrets/cui\"\noperator-name = \"1jaist.ac.jp\""));
    loaded.good();
    let settings = &loaded.config.as_ref().unwrap().cui;
    assert_eq!(settings.key.as_ref().unwrap().expose(), b"a key that nobody finds");
    assert_eq!(settings.operator, "1jaist.ac.jp");
    campus.load(&federation("operator-name = \"1jaist.ac.jp\"")).good();
}

#[test]
fn what_cannot_be_a_key_or_an_operators_name_is_found() {
    let campus = Campus::new();
    campus.write("secrets/empty", "\n");
    campus.write("secrets/short", "short");
    campus.write("secrets/open", "a key that everybody finds");
    campus.mode("secrets/open", 0o644);
    let load = |line: &str| campus.load(&and(&format!("[federation]\n{line}")));
    let (file, name) = ("federation.cui-key-file", "federation.operator-name");
    load("cui-key-file = \"secrets/empty\"").error(file, "\"secrets/empty\"", "the key is empty").only(1);
    load("cui-key-file = \"secrets/short\"").warning(file, "\"secrets/short\"", "5 octets only").only(1);
    load("cui-key-file = \"secrets/open\"").warning(file, "\"secrets/open\"", "mode 644").only(1);
    load("operator-name = \"jaist.ac.jp\"").error(name, "\"jaist.ac.jp\"", "1jaist.ac.jp").only(1);
    load("operator-name = \"1\"").error(name, "\"1\"", "RFC 5580").only(1);
}

fn told(disconnect: &str) -> String {
    base("secret-file", &format!("disconnect = {disconnect}\nsecret-file"))
}

#[test]
fn how_a_nas_is_told_to_end_sessions_is_read_with_its_defaults() {
    let campus = Campus::new();
    campus.load(&told("{}")).good();
    let text =
        "{ port = 1700, secret = \"0123456789abcdef\", address = \"2001:db8::7\", identify-by = [\"user-name\"] }";
    let config = campus.load(&told(text)).config.expect("a good configuration");
    let asked_from = "10.1.2.3".parse().expect("an address");
    let nas = config.peers.find(asked_from).expect("it is known");
    let disconnect = nas.disconnect.as_ref().expect("it can be told");
    assert_eq!(disconnect.destination(asked_from).to_string(), "[2001:db8::7]:1700");
    assert_eq!(disconnect.identify_by, [Identify::UserName]);
    let config = campus.load(&told("{}")).config.expect("a good configuration");
    let nas = config.peers.find(asked_from).expect("it is known");
    let disconnect = nas.disconnect.as_ref().expect("it can be told");
    assert_eq!(disconnect.destination(asked_from).to_string(), "10.1.2.3:3799");
    assert_eq!(disconnect.identify_by.len(), 3);
}

#[test]
fn slips_in_how_a_nas_is_told_are_found() {
    let campus = Campus::new();
    let key = |key: &str| format!("nas[0].disconnect.{key}");
    campus.load(&told("{ port = 0 }")).error(&key("port"), "0 }", "1 to 65535").only(1);
    campus
        .load(&told("{ address = \"nas.example\" }"))
        .error(&key("address"), "\"nas.example\"", "no IP address")
        .only(1);
    for nobody in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"] {
        let loaded = campus.load(&told(&format!("{{ address = \"{nobody}\" }}")));
        loaded.error(&key("address"), &format!("\"{nobody}\""), "nobody can answer from").only(1);
    }
    campus.load(&told("{ identify-by = [] }")).error(&key("identify-by"), "[]", "no session could be named").only(1);
    campus
        .load(&told("{ identify-by = [\"username\"] }"))
        .error(&key("identify-by[0]"), "\"username\"", "did you mean \"user-name\"?")
        .only(1);
    campus.load(&told("{ secret = \"\" }")).error(&key("secret"), "\"\"", "is empty").only(1);
    campus.load(&told("{ secret = \"short\" }")).warning(&key("secret"), "\"short\"", "5 octets only").only(1);
    campus.load(&told("{ ports = 1 }")).error(&key("ports"), "ports", "did you mean \"port\"?").only(1);
}

#[test]
fn what_is_disconnected_by_itself_is_read_and_where_nobody_can_be_told_that_is_said() {
    let campus = Campus::new();
    let guard = |text: &str| format!("{}\n[disconnect]\n{text}\n", told("{}"));
    let config = campus.load(&guard("automatic = false\nat-most = 7\nper = \"5m\"")).config.expect("it is good");
    let wanted = Automatic { enabled: false, at_most: 7, per: Duration::from_secs(300) };
    assert_eq!(config.disconnect, wanted);
    assert_eq!(campus.load(&guard("")).config.expect("it is good").disconnect, Automatic::default());
    campus.load(&guard("per = \"0s\"")).error("disconnect.per", "\"0s\"", "longer than nothing").only(1);
    campus.load(&guard("at-most = -1")).error("disconnect.at-most", "-1", "must be from 0").only(1);
    campus.load(&guard("at-most = 0 # none")).warning("disconnect.at-most", "0 # none", "for an operator").only(1);
    campus.load(&and("[disconnect]\n")).warning("disconnect", "[disconnect]", "no [[nas]] has `disconnect`").only(1);
}
