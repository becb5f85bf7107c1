//! Slips and oddities outside of certificates: each is found, at its place, with what to do.

use std::fs;

use sekisho::config::{Severity, load};

use crate::campus::{Campus, NOW};
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
        .error("log.zzzzzzzzzzzz", "zzzzzzzzzzzz", "there are \"timezone\", \"format\", \"level\", \"language\"")
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
    let (config, findings) = load(&campus.path().join("nowhere.toml"), None, NOW);
    assert!(config.is_none());
    assert!(findings[0].text.contains("No such file"));
    let path = campus.write("latin1.toml", b"[server]\nname = \"caf\xe9\"\n");
    assert!(load(&path, None, NOW).1[0].text.contains("not UTF-8"));
    let path = campus.write("long.toml", "#".repeat(2 << 20));
    assert!(load(&path, None, NOW).1[0].text.contains("longer than"));
    assert!(load(campus.path(), None, NOW).1[0].text.contains("no regular file"));
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
    fs::remove_file(campus.path().join("secrets/ap")).unwrap();
    fs::remove_file(campus.path().join("tls/server.key")).unwrap();
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
fn o02_a_configuration_printed_for_debugging_tells_no_secret() {
    let campus = Campus::new();
    campus.write("secrets/ap", "SSSSSSSSSSSSSSSSSSSS\n");
    campus.write("tls/ticket.keys", "53".repeat(32));
    let loaded = campus.load(&and("[tls]\nticket-key-file = \"tls/ticket.keys\"\n"));
    loaded.good();
    let printed = format!("{:?}", loaded.config);
    // So long that no time, number or key that is printed besides has it by chance.
    for form in ["SSSSSSSS", "5353535353535353", "83, 83, 83, 83, 83, 83", "53, 53, 53, 53, 53, 53"] {
        assert!(!printed.contains(form), "{form}");
    }
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
fn a_configuration_with_a_secret_in_it_is_guarded_like_one() {
    let campus = Campus::new();
    let path = campus.write("sekisho.toml", base("secret-file = \"secrets/ap\"", "secret = \"correct horse battery\""));
    assert_eq!(load(&path, None, NOW).1, []);
    campus.mode("sekisho.toml", 0o640);
    let findings = load(&path, None, NOW).1;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].key == "nas[0].secret" && findings[0].text.contains("mode 640"), "{}", findings[0]);
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
        campus.load(&text).error("listen.admin[0]", address, "in the clear").only(1);
    }
}

#[test]
fn a09_with_a_certificate_the_admin_door_may_listen_anywhere() {
    let listen = base("[listen]\n", "[listen]\nadmin = [\"0.0.0.0:9812\"]\n");
    let tls = "[admin]\nchain = \"tls/server.pem\"\nkey = \"tls/server.key\"\nclient-authorities = [\"ca\"]\n";
    let loaded = Campus::new().load(&(listen + tls));
    loaded.good();
    let admin = loaded.config.unwrap().admin;
    assert!(admin.tls.is_some());
    assert_eq!(admin.client_authorities, ["ca".into()]);
}

#[test]
fn half_of_the_admin_doors_tls_is_none() {
    let campus = Campus::new();
    let loaded = |text: &str| campus.load(&and(&format!("[admin]\n{text}\n")));
    loaded("chain = \"./tls/server.pem\"").error("admin.chain", "\"./tls/server.pem\"", "without `key`").only(1);
    loaded("key = \"./tls/server.key\"").error("admin.key", "\"./tls/server.key\"", "without `chain`").only(1);
    loaded("client-authorities = [ \"ca\" ]")
        .error("admin.client-authorities", "[ \"ca\" ]", "add `chain` and `key`")
        .only(1);
    let pair = "chain = \"./tls/server.pem\"\nkey = \"tls/../tls/server.pem\"";
    loaded(pair).error("admin.key", "\"tls/../tls/server.pem\"", "no private key").only(1);
    let clients = "chain = \"./tls/server.pem\"\nkey = \"./tls/server.key\"\nclient-authorities = [\"cb\"]";
    loaded(clients).error("admin.client-authorities[0]", "\"cb\"", "no [[authority]] is named").only(1);
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
