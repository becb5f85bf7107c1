//! Slips and oddities outside of certificates: each is found, at its place, with what to do.

use std::fs;

use sekisho::config::{Severity, load};

use crate::campus::{Campus, NOW, ca};
use crate::{BASE, and, base};

#[test]
fn the_base_is_good() {
    Campus::new().load(BASE).good();
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let text = base("secret-file", "secret-fill");
    let loaded = Campus::new().load(&text);
    loaded.error("nas[0].secret-fill", "secret-fill", "unknown key \"secret-fill\"; did you mean \"secret-file\"?");
    loaded.error("nas[0]", "[[nas]]", "`secret-file` is missing");
    loaded.only(2);
    let loaded = Campus::new().load(&and("[lgo]\nlevel = \"info\"\n"));
    loaded.error("lgo", "lgo", "did you mean \"log\"?").only(1);
}

#[test]
fn an_unknown_key_with_nothing_near_lists_what_there_is() {
    let loaded = Campus::new().load(&and("[log]\nzzzzzzzzzzzz = 1\n"));
    loaded
        .error("log.zzzzzzzzzzzz", "zzzzzzzzzzzz", "there are \"format\", \"level\", \"language\", \"timezone\"")
        .only(1);
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_file() {
    let text = base("\"10.1.0.0/16\"", "\"10.1.2.3/16\"")
        .replace("ssid = [\"JAIST\"]", "ssid = \"JAIST\", colour = 1")
        .replace("authorities = [\"ca\"]", "authorities = [\"cb\"]\nvlan = \"4095\"\nsession-timeout = \"eight hours\"")
        .replace("[\"127.0.0.1:1812\"]", "[\"localhost\"]")
        + "[eap]\nfragment-size = 10\nmax-message = 5\n";
    let loaded = Campus::new().load(&text);
    loaded
        .error("listen.auth[0]", "\"localhost\"", "is no address to listen on")
        .error("nas[0].address[0]", "\"10.1.2.3/16\"", "is the network 10.1.0.0/16 meant")
        .error("service[0].match.colour", "colour", "unknown key")
        .error("service[0].authorities[0]", "\"cb\"", "no [[authority]] is named \"cb\"; did you mean \"ca\"?")
        .error("service[0].vlan", "\"4095\"", "from 1 to 4094")
        .error("service[0].session-timeout", "\"eight hours\"", "is no duration")
        .error("eap.fragment-size", "10\nmax", "from 50 to 3500")
        .error("eap.max-message", "5\n", "needs a string");
    let lines: Vec<_> = loaded.findings.iter().map(|finding| finding.line).collect();
    assert!(lines.is_sorted());
}

#[test]
fn mistakes_of_toml_itself_come_all_at_once() {
    let text = base("name = \"server\"", "name = \"server").replace("revocation = \"crl\"", "revocation = crl");
    let loaded = Campus::new().load(&text);
    assert!(loaded.errors().len() >= 2, "{:#?}", loaded.shown());
    assert!(loaded.findings.iter().all(|finding| finding.text.starts_with("not TOML: ")));
    let lines: Vec<_> = loaded.findings.iter().map(|finding| finding.line).collect();
    assert!(lines.contains(&5) && lines.contains(&13), "{lines:?}");
}

#[test]
fn a_key_twice_is_found() {
    let loaded = Campus::new().load(&base("name = \"ap\"\n", "name = \"ap\"\nname = \"ap2\"\n"));
    assert!(
        loaded.findings.iter().any(|finding| finding.line == 18 && finding.text.contains("duplicate key")),
        "{:#?}",
        loaded.shown()
    );
}

#[test]
fn columns_count_characters() {
    let loaded =
        Campus::new().load(&base("subject = { O = \"Campus\" }", "subject = { O = \"北陸先端\", OO = \"Campus\" }"));
    loaded.error("authority[0].subject.OO", "\"Campus\"", "is no attribute of a subject").only(1);
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_said_so() {
    let campus = Campus::empty();
    let (config, findings) = load(&campus.dir.join("nowhere.toml"), None, NOW);
    assert!(config.is_none());
    assert!(findings[0].text.contains("No such file"));
    let path = campus.write("latin1.toml", b"[server]\nname = \"caf\xe9\"\n");
    assert!(load(&path, None, NOW).1[0].text.contains("not UTF-8"));
    let path = campus.write("long.toml", "#".repeat(2 << 20));
    assert!(load(&path, None, NOW).1[0].text.contains("longer than"));
    assert!(load(&campus.dir, None, NOW).1[0].text.contains("no regular file"));
}

#[test]
fn nothing_at_all_is_missing_everything() {
    let loaded = Campus::new().load("");
    for text in ["no [[identity]]", "no [[authority]]", "no [[nas]]", "no [[service]]", "`auth` is missing"] {
        assert!(loaded.errors().iter().any(|finding| finding.text.contains(text)), "{text}: {:#?}", loaded.shown());
    }
}

#[test]
fn a_missing_file_is_found_at_its_key() {
    let campus = Campus::new();
    fs::remove_file(campus.dir.join("secrets/ap")).unwrap();
    fs::remove_file(campus.dir.join("tls/server.key")).unwrap();
    campus
        .load(BASE)
        .error("nas[0].secret-file", "\"secrets/ap\"", "No such file")
        .error("identity[0].key", "\"tls/server.key\"", "No such file")
        .only(2);
}

#[test]
fn w19_an_empty_secret_is_refused() {
    let campus = Campus::new();
    campus.write("secrets/ap", "\n");
    campus.load(BASE).error("nas[0].secret-file", "\"secrets/ap\"", "is empty").only(1);
    campus
        .load(&base("secret-file = \"secrets/ap\"", "secret = \"\""))
        .error("nas[0].secret", "\"\"", "is empty")
        .only(1);
}

#[test]
fn w19_a_short_secret_is_warned_of() {
    let campus = Campus::new();
    campus.write("secrets/ap", "twelve chars\n");
    let loaded = campus.load(BASE);
    loaded.warning("nas[0].secret-file", "\"secrets/ap\"", "has 12 octets only").only(1);
    assert!(loaded.config.is_some());
    campus.write("secrets/ap", "thirteen char\n");
    campus.load(BASE).good();
}

#[test]
fn w19_a_long_secret_is_good() {
    Campus::new().load(&base("secret-file = \"secrets/ap\"", &format!("secret = \"{}\"", "s".repeat(128)))).good();
}

#[test]
fn a_secret_stands_in_one_place() {
    let text = base("secret-file", "secret = \"correct horse battery\"\nsecret-file");
    Campus::new().load(&text).error("nas[0].secret-file", "\"secrets/ap\"", "both say it").only(1);
}

#[test]
fn a_finding_never_tells_a_secret() {
    let text = base("secret-file = \"secrets/ap\"", "secret = [\"hunter2 hunter2\"]\nsecrt = \"hunter2 hunter2\"");
    let loaded = Campus::new().load(&text);
    assert!(loaded.errors().len() >= 2);
    assert!(!loaded.shown().concat().contains("hunter2"));
}

#[test]
fn files_that_others_may_read_are_warned_of() {
    let campus = Campus::new();
    campus.write("tls/ticket.keys", "0a".repeat(32));
    for name in ["secrets/ap", "tls/server.key", "tls/ticket.keys"] {
        campus.mode(name, 0o644);
    }
    let text = and("[tls]\nticket-key-file = \"tls/ticket.keys\"\n");
    let loaded = campus.load(&text);
    loaded
        .warning("nas[0].secret-file", "\"secrets/ap\"", "mode 644")
        .warning("identity[0].key", "\"tls/server.key\"", "holds a private key")
        .warning("tls.ticket-key-file", "\"tls/ticket.keys\"", "resume as anybody")
        .only(3);
    assert!(loaded.config.is_some());
}

#[test]
fn ticket_keys_are_read_and_bad_ones_found() {
    let campus = Campus::new();
    let text = and("[tls]\nticket-key-file = \"tls/ticket.keys\"\n");
    campus.write("tls/ticket.keys", format!("# newest\n{}\n\n{} # older\n", "0a".repeat(32), "0b".repeat(32)));
    campus.load(&text).good();
    campus.write("tls/ticket.keys", format!("{}\nxyz\n", "0a".repeat(32)));
    campus.load(&text).error("tls.ticket-key-file", "\"tls/ticket.keys\"", "line 2: neither hex nor base64").only(1);
    campus.write("tls/ticket.keys", "# none\n");
    campus.load(&text).error("tls.ticket-key-file", "\"tls/ticket.keys\"", "there is no key in it").only(1);
}

#[test]
fn s04_resumption_over_seven_days_is_an_error() {
    let campus = Campus::new();
    campus.load(&and("[tls]\nresumption = \"169h\"\n")).error("tls.resumption", "\"169h\"", "over seven days").only(1);
    campus.load(&and("[tls]\nresumption = \"7d\"\n")).good();
    campus.load(&and("[tls]\nresumption = \"0s\"\n")).good();
}

#[test]
fn a09_the_admin_door_opens_on_loopback_only() {
    let campus = Campus::new();
    let text = base("[listen]\n", "[listen]\nadmin = [\"127.0.0.1:9812\", \"[::1]:9812\"]\n");
    let loaded = campus.load(&text);
    loaded.good();
    assert_eq!(loaded.config.unwrap().admin.listen.len(), 2);
    for address in ["\"0.0.0.0:9812\"", "\"[::]:9812\"", "\"192.0.2.1:9812\""] {
        let text = base("[listen]\n", &format!("[listen]\nadmin = [{address}]\n"));
        campus.load(&text).error("listen.admin", &format!("[{address}]"), "in the clear").only(1);
    }
}

#[test]
fn tls_on_the_admin_door_is_not_built() {
    let text = and("[admin]\nchain = \"a.pem\"\nkey = \"a.key\"\nclient-authorities = [ \"ca\" ]\n");
    let loaded = Campus::new().load(&text);
    loaded
        .error("admin.chain", "\"a.pem\"", "not built")
        .error("admin.key", "\"a.key\"", "not built")
        .error("admin.client-authorities", "[ \"ca\" ]", "not built")
        .only(3);
}

#[test]
fn tokens_are_checked() {
    let token = |name: &str, digit: &str, more: &str| {
        format!("[[admin.token]]\nname = \"{name}\"\nsha256 = \"{}\"\nrole = \"viewer\"\n{more}", digit.repeat(64))
    };
    let campus = Campus::new();
    campus.load(&and(&(token("a", "1", "") + &token("b", "2", "expires = 2027-01-01T00:00:00Z\n")))).good();
    let loaded = campus.load(&and(&token("a", "1", "expires = 2026-11-22T00:00:00+09:00\n")));
    loaded.warning("admin.token[0].expires", "2026-11-22T00", "has expired").only(1);
    let loaded = campus.load(&and(&(token("a", "1", "") + &token("a", "1", "expires = 2027-01-01\n"))));
    loaded.error("admin.token[1].expires", "2027-01-01", "needs date, time and offset");
    assert!(loaded.shown().iter().any(|line| line.contains("names must differ")));
    assert!(loaded.shown().iter().any(|line| line.contains("has the same token")));
    let loaded = campus.load(&and(&token("a", "12", "role2 = 1\n")));
    loaded.error("admin.token[0].sha256", &format!("\"{}\"", "12".repeat(64)), "these are 128");
}

#[test]
fn names_must_differ() {
    let text = and("[[nas]]\nname = \"ap\"\naddress = [\"10.9.0.1\"]\nsecret-file = \"secrets/ap\"\n");
    let loaded = Campus::new().load(&text);
    let second = loaded.errors()[0];
    assert_eq!((second.key.as_str(), second.line), ("nas[1].name", 26));
    assert!(second.text.contains("names must differ"));
    loaded.only(1);
}

#[test]
fn names_that_nothing_has_are_found() {
    let text = base("authorities", "identity = [\"sever\"]\nrules = [{ when = { group = \"staff\", nas = [\"app\"] }, vlan = \"1\" }]\nauthorities")
        .replace("secret-file", "services = [\"JAISTT\"]\nsecret-file");
    Campus::new()
        .load(&text)
        .error("service[0].identity[0]", "\"sever\"", "did you mean \"server\"?")
        .error("service[0].rules[0].when.group", "\"staff\"", "no [[group]] is named \"staff\"")
        .error("service[0].rules[0].when.nas[0]", "\"app\"", "did you mean \"ap\"?")
        .error("nas[0].services[0]", "\"JAISTT\"", "did you mean \"JAIST\"?")
        .only(4);
}

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
fn revocation_that_cannot_work_is_said() {
    let campus = Campus::new();
    let of = |text: &str| base("revocation = \"crl\"\ncrl = [\"crl/ca.crl\"]", text);
    campus
        .load(&of("revocation = \"off\""))
        .warning("authority[0].revocation", "\"off\"", "revoked certificates are let in")
        .only(1);
    campus.load(&of("revocation = \"crl\"\ncrl = []")).warning("authority[0].crl", "[]", "revocation-unknown").only(1);
    campus.load(&of("")).warning("authority[0]", "[[authority]]", "revocation-unknown").only(1);
    campus
        .load(&of("revocation = \"ocsp\""))
        .error("authority[0].revocation", "\"ocsp\"", "not built in this version: OCSP")
        .only(1);
    let both = of("revocation = \"ocsp-then-crl\"\ncrl = [\"crl/ca.crl\"]");
    campus.load(&both).warning("authority[0].revocation", "\"ocsp-then-crl\"", "the CRL alone decides").only(1);
    let afar = of("revocation = \"crl\"\ncrl = [\"http://crl.example/ca.crl\", \"crl/ca.crl\", \"ftp://x\"]");
    campus
        .load(&afar)
        .error("authority[0].crl[0]", "\"http://", "not built in this version: fetching")
        .error("authority[0].crl[2]", "\"ftp://", "comes from http://")
        .only(2);
    campus
        .load(&of("crl = [\"crl/ca.crl\"]\nocsp = [\"http://ocsp.example\"]\n"))
        .error("authority[0].ocsp", "[\"http://ocsp", "not built")
        .only(1);
}

#[test]
fn a_shared_ca_without_subject_is_warned_of() {
    let campus = Campus::new();
    let text = base("subject = { O = \"Campus\" }\n", "");
    campus.load(&text).good();
    campus.write("pki/ca.pem", ca("SECOM Passport for Member PUB CA8", None).pem);
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
    campus.write("pki/ca.pem", ca("DER CA", None).der);
    campus.load(BASE).good();
    campus.write("pki/ca.pem", "nothing");
    campus.load(BASE).error("authority[0].certificate", "\"pki/ca.pem\"", "holds no certificate").only(1);
    campus.write("pki/ca.pem", ca("One", None).pem + &ca("Two", None).pem);
    campus.load(BASE).error("authority[0].certificate", "\"pki/ca.pem\"", "several certificates").only(1);
}

#[test]
fn a_log_needs_a_time_zone_that_exists() {
    let loaded = Campus::new().load(&and("[log]\ntimezone = \"Asia/Nomi\"\nlevel = \"loud\"\n"));
    loaded
        .error("log.timezone", "\"Asia/Nomi\"", "no time zone")
        .error("log.level", "\"loud\"", "there are \"error\"")
        .only(2);
}

#[test]
fn bounds_of_eap_are_kept() {
    let campus = Campus::new();
    let (warned, text) = (Severity::Warning, and("[eap]\nfragment-size = 1400\n"));
    let loaded = campus.load(&text);
    assert_eq!(loaded.findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [warned]);
    for line in [
        "fragment-size = 49",
        "fragment-size = 3501",
        "conversation-timeout = \"0s\"",
        "max-conversations = 0",
        "max-message = \"1KiB\"",
        "max-message = \"1GiB\"",
        "fragment-size = -1",
    ] {
        let loaded = campus.load(&and(&format!("[eap]\n{line}\n")));
        assert_eq!(loaded.errors().len(), 1, "{line}: {:#?}", loaded.shown());
    }
}

#[test]
fn a_flight_of_many_fragments_is_warned_of() {
    let text = and("[eap]\nfragment-size = 60\n");
    Campus::new().load(&text).warning("identity[0].chain", "\"tls/server.pem\"", "fragments of 60").only(1);
}

#[test]
fn single_brackets_are_said_to_be_wrong() {
    let loaded = Campus::new().load(&base("[[nas]]", "[nas]"));
    loaded.error("nas", "[nas]", "write [[nas]], not [nas]").only(1);
}

#[test]
fn a_table_without_a_name_is_found() {
    let loaded = Campus::new().load(&base("name = \"JAIST\"\n", ""));
    loaded.error("service[0]", "[[service]]", "`name` is missing").only(1);
    let loaded = Campus::new().load(&base("name = \"JAIST\"", "name = \"none\""));
    loaded.error("service[0]", "[[service]]", "choose another name").only(1);
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
