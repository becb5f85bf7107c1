//! What an authority says of revocation, and `[fetch]`.

use crate::base;
use crate::campus::{Campus, intermediate, member, silent_member};
use crate::support::certificates::{Key, authority};

/// With these lines in the place of `revocation` and `crl`.
fn of(lines: &str) -> String {
    base("revocation = \"crl\"\ncrl = [\"crl/ca.crl\"]", lines)
}

#[test]
fn revocation_that_lets_the_first_login_fail_is_said() {
    let campus = Campus::new();
    let first = "the first member is refused with \"revocation-unknown\"";
    for (lines, key, at, named) in [
        ("revocation = \"crl\"\ncrl = []", "authority[0].crl", "[]", "or `crl`"),
        ("revocation = \"ocsp\"\nocsp = []", "authority[0].ocsp", "[]", "or `ocsp`"),
        ("revocation = \"ocsp\"\ncrl = [\"crl/ca.crl\"]", "authority[0]", "[[authority]]", "or `ocsp`"),
        ("revocation = \"crl\"\nsample = \"\"", "authority[0]", "[[authority]]", "or `crl`"),
        ("", "authority[0]", "[[authority]]", "`crl` or `ocsp`"),
    ] {
        campus.load(&of(lines)).warning(key, at, first).warning(key, at, named).only(1);
    }
    campus.load(&of("revocation = \"ocsp-then-crl\"\nocsp = [\"http://ocsp.example\"]")).good();
    campus.load(&of("crl = [\"crl/ca.crl\"]")).good();
}

#[test]
fn a_door_that_is_open_to_the_revoked_is_said() {
    let off = of("revocation = \"off\"");
    let loaded = Campus::new().load(&off);
    loaded.warning("authority[0].revocation", "\"off\"", "revoked certificates are let in").only(1);
}

#[test]
fn every_order_is_taken() {
    let campus = Campus::new();
    let both = "crl = [\"crl/ca.crl\"]\nocsp = [\"http://ocsp.example\", \"https://ocsp.example/two\"]";
    for order in ["ocsp", "crl-then-ocsp", "ocsp-then-crl"] {
        let loaded = campus.load(&of(&format!("revocation = \"{order}\"\n{both}")));
        loaded.good();
        let shown = format!("{:?}", loaded.config.unwrap().fetch);
        assert!(shown.contains("ocsp.example") && shown.contains("/two") && shown.contains("nonce: true"), "{shown}");
    }
}

#[test]
fn responders_that_cannot_be_asked_are_said() {
    let campus = Campus::new();
    let ocsp = |list: &str| of(&format!("crl = [\"crl/ca.crl\"]\nocsp = {list}"));
    for (list, at, text) in [
        ("[\"ldap://ocsp.example\"]", "\"ldap:", "asked by http:// or https://"),
        ("[\"ocsp.example\"]", "\"ocsp.example", "asked by http:// or https://"),
        ("[\"http://a:b@ocsp.example\"]", "\"http://a", "it names a user"),
    ] {
        campus.load(&ocsp(list)).error("authority[0].ocsp[0]", at, text).only(1);
    }
    let twice = ocsp("[\"http://ocsp.example\", \"HTTP://OCSP.example:80/\"]");
    campus.load(&twice).error("authority[0].ocsp[1]", "\"HTTP://", "stands here twice").only(1);
    for order in ["crl", "off"] {
        let never = of(&format!("revocation = \"{order}\"\ncrl = [\"crl/ca.crl\"]\nocsp = [\"http://ocsp.example\"]"));
        campus.load(&never).warning("authority[0].ocsp", "[\"http://ocsp", "is never asked");
    }
}

#[test]
fn hosts_that_nothing_is_fetched_from_are_said() {
    let campus = Campus::new();
    let inside = of("crl = [\"http://127.0.0.1/ca.crl\"]\nocsp = [\"http://[fd00::1]:2560/\", \"http://192.0.2.1/\"]");
    campus
        .load(&inside)
        .warning("authority[0].crl[0]", "\"http://127", "allow = [\"127.0.0.1\"]")
        .warning("authority[0].ocsp[0]", "\"http://[fd00", "allow = [\"fd00::1\"]")
        .only(2);
    campus.load(&(inside + "[fetch]\nallow = [\"127.0.0.0/8\", \"fd00::/8\"]\n")).good();
}

#[test]
fn a_sample_must_be_of_its_authority() {
    let campus = Campus::new();
    let (ca, other) = (authority("Campus CA", None), authority("Other CA", None));
    campus.write("pki/ca.pem", ca.pem());
    campus.write("pki/other.pem", other.pem());
    let text = of("sample = \"pki/a-member.pem\"")
        + "[[authority]]\nname = \"other\"\ncertificate = \"pki/other.pem\"\nsubject = { O = \"Campus\" }\ncrl = [\"crl/ca.crl\"]\n";
    let load = |sample: &str| {
        campus.write("pki/a-member.pem", sample);
        campus.load(&text)
    };
    let (key, at) = ("authority[0].sample", "\"pki/a-member.pem\"");
    load(&member(&ca)).good();
    load(&(member(&ca) + &ca.pem())).good();
    load(&member(&other)).error(key, at, "issued by a CA of the authority \"other\"").only(1);
    load(&member(&authority("Stranger", None))).error(key, at, "its issuer, \"CN=Stranger\", is none").only(1);
    load(&member(&authority("Campus CA", None))).error(key, at, "not signed with the key of CN=Campus CA").only(1);
    load("nothing").error(key, at, "neither PEM nor").only(1);
    campus.load(&text.replace("a-member", "nobody")).error(key, "\"pki/nobody.pem\"", "No such file").only(1);
}

#[test]
fn certificates_that_tell_nothing_are_said_where_they_must_tell() {
    let campus = Campus::new();
    let root = authority("Campus Root", None);
    campus.write("pki/ca.pem", root.pem());
    let load = |lines: &str, ca: &crate::support::certificates::Authority, silent: bool| {
        let sample = silent_member().signed_by(&Key::P256.make(), ca).unwrap().pem();
        campus.write("pki/a-member.pem", if silent { sample } else { member(ca) });
        campus.write("pki/issuing.pem", ca.pem());
        campus.load(&of(&format!("intermediates = [\"pki/issuing.pem\"]\nsample = \"pki/a-member.pem\"\n{lines}")))
    };
    let (silent, telling) = (authority("Silent", Some(&root)), intermediate("Telling", &root));
    let (sample, at_sample) = ("authority[0].sample", "\"pki/a-member.pem\"");
    let (list, at_list) = ("authority[0].intermediates", "[\"pki/issuing.pem\"]");
    load("revocation = \"crl\"", &telling, false).good();
    load("revocation = \"crl\"", &telling, true).warning(sample, at_sample, "doesn't say where its CRL is").only(1);
    load("revocation = \"crl\"", &silent, false).warning(list, at_list, "1 of 1 don't say where the CRL is").only(1);
    load("", &silent, true)
        .warning(sample, at_sample, "CRL or responder")
        .warning(list, at_list, "name it in `crl` or `ocsp`")
        .only(2);
    let ocsp = load("revocation = \"ocsp\"", &telling, false);
    ocsp.warning(sample, at_sample, "where its responder is").warning(list, at_list, "name it in `ocsp`").only(2);
    for told in ["crl = [\"crl/ca.crl\"]", "ocsp = [\"http://ocsp.example\"]", "revocation = \"off\""] {
        let loaded = load(told, &silent, true);
        assert!(
            loaded.findings.iter().all(|finding| finding.key == "authority[0].revocation"),
            "{:#?}",
            loaded.shown()
        );
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let campus = Campus::new();
    let fetch = |line: &str| campus.load(&crate::and(&format!("[fetch]\n{line}")));
    for key in ["ocsp-answers", "vanished-entries"] {
        fetch(&format!("{key} = 999")).error(&format!("fetch.{key}"), "999", "must be from 1000 to").only(1);
        fetch(&format!("{key} = 1000000000")).error(&format!("fetch.{key}"), "1000000000", "must be from 1000 to");
        fetch(&format!("{key} = 1000")).good();
    }
    let shown = |loaded: crate::campus::Loaded| format!("{:?}", loaded.config.unwrap().fetch);
    let default = shown(fetch(""));
    assert!(default.contains("answers: 100000 ") && default.contains("vanished: 1000000 "), "{default}");
    let said = shown(fetch("ocsp-answers = 5000\nvanished-entries = 6000"));
    assert!(said.contains("answers: 5000 ") && said.contains("vanished: 6000 "), "{said}");
}

#[test]
fn crls_from_afar_are_taken_with_their_defaults() {
    let loaded = Campus::new().load(&from_afar("[\"http://crl.example/ca.crl\", \"crl/ca.crl\"]", ""));
    loaded.good();
    let config = loaded.config.as_ref().unwrap();
    assert_eq!(config.fetch.crls.len(), 1);
    let shown = format!("{:?}", config.fetch);
    for default in ["refresh: 300s", "alarm_after: 10800s", "timeout: 10s", "max_size: 134217728", "proxy: None"] {
        assert!(shown.contains(default), "{default}: {shown}");
    }
}

#[test]
fn what_is_said_of_fetching_is_taken() {
    let text = from_afar("[\"HTTPS://CRL.example:8443/ca.crl\"]", "crl-refresh = \"1s\"\nalarm-after = \"2s\"\n")
        + "[fetch]\ntimeout = \"3s\"\nmax-size = \"2MiB\"\nproxy = \"http://proxy.example:3128\"\nallow = [\"127.0.0.0/8\"]\n";
    let loaded = Campus::new().load(&text);
    loaded.good();
    let shown = format!("{:?}", loaded.config.as_ref().unwrap().fetch);
    for said in ["refresh: 1s", "alarm_after: 2s", "timeout: 3s", "max_size: 2097152", "3128", "127.0.0.0", "8443"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

#[test]
fn fetching_that_cannot_work_is_said() {
    let campus = Campus::new();
    let one = "[\"http://crl.example/ca.crl\"]";
    let twice = from_afar("[\"http://crl.example/ca.crl\", \"HTTP://crl.example:80/ca.crl\"]", "");
    campus.load(&twice).error("authority[0].crl[1]", "\"HTTP://", "stands here twice").only(1);
    let user = from_afar("[\"http://me:secret@crl.example/ca.crl\"]", "");
    campus.load(&user).error("authority[0].crl[0]", "\"http://me", "it names a user").only(1);
    let never = from_afar(one, "crl-refresh = \"0s\"\n");
    campus.load(&never).error("authority[0].crl-refresh", "\"0s\"", "must be from \"1s\"").only(1);
    let often = from_afar(one, "crl-refresh = \"2h\"\n");
    campus.load(&often).error("authority[0]", "[[authority]]", "at least twice `crl-refresh`").only(1);
    let soon = from_afar(one, "alarm-after = \"5m\"\n");
    campus.load(&soon).error("authority[0].alarm-after", "\"5m\"", "at least twice `crl-refresh`").only(1);
    let fetch = |line: &str| campus.load(&(from_afar(one, "") + "[fetch]\n" + line));
    fetch("timeout = \"1h\"").error("fetch.timeout", "\"1h\"", "must be from").only(1);
    fetch("max-size = \"100GiB\"").error("fetch.max-size", "\"100GiB\"", "must be from").only(1);
    fetch("proxy = \"https://proxy.example\"").error("fetch.proxy", "\"https://proxy", "a proxy is http://").only(1);
    fetch("allow = [\"127.0.0.1/8\"]").error("fetch.allow[0]", "\"127.0.0.1/8\"", "bits beyond its prefix").only(1);
    fetch("time-out = \"1s\"").error("fetch.time-out", "time-out", "did you mean \"timeout\"?").only(1);
}

/// With these CRLs, and more lines in their authority's table.
fn from_afar(crl: &str, lines: &str) -> String {
    base("crl = [\"crl/ca.crl\"]", &format!("crl = {crl}\n{lines}"))
}

#[test]
fn a_long_grace_is_warned_of() {
    Campus::new()
        .load(&base("revocation", "grace = \"8d\"\nrevocation"))
        .warning("authority[0].grace", "\"8d\"", "opens the network")
        .only(1);
    Campus::new().load(&base("revocation", "grace = \"6h\"\nrevocation")).good();
}
