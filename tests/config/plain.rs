//! Ways in without EAP: `authorize`, `otp`, `[otp]`.

use std::time::Duration;

use sekisho::config::Config;
use sekisho::event::Method;
use sekisho::otp::Attempts;
use sekisho::policy::{AuthorizePassword, OtpAfter, ServiceSettings, UsernameSource};
use sekisho::radius::dictionary::Place;

use crate::base;
use crate::campus::{Campus, Loaded};

const OTP: &str = "[otp]\nseal-key-file = \"secrets/otp\"\n";

fn campus() -> Campus {
    let campus = Campus::new();
    campus.write("secrets/otp", "0123456789abcdef0123456789abcdef\n");
    campus.write("secrets/common", "authorize, please\n");
    campus
}

/// A NAS that may use all, a service with this line, and more sections.
fn text(line: &str, more: &str) -> String {
    let base = base(
        "secret-file = \"secrets/ap\"",
        "methods = [\"eap-tls\", \"authorize\", \"otp\"]\nsecret-file = \"secrets/ap\"",
    );
    format!("{base}{line}\n{more}")
}

const BOTH: &str =
    "authorize = { password = \"username\", service-type = \"authorize-only\" }\notp = { after = \"nas-password\" }";

fn load(line: &str, more: &str) -> Loaded {
    campus().load(&text(line, more))
}

/// Warnings besides: what is wrong isn't there for the NAS.
fn one_error(loaded: Loaded) -> Loaded {
    assert_eq!(loaded.errors().len(), 1, "{:#?}", loaded.shown());
    loaded
}

fn service(config: &Config) -> &ServiceSettings {
    config.policy.service(config.policy.service_named("JAIST").expect("it is there")).expect("it is there")
}

#[test]
fn all_keys_are_read() {
    let line = "authorize = { name = \"cn\", password = \"common\", password-file = \"secrets/common\", \
                service-type = \"authorize-only\", certificate-attribute = \"Connect-Info\" }\n\
                otp = { after = \"certificate\" }\n\
                rules = [{ when = { method = [\"authorize\"] }, otp = true }]";
    let more = format!("{OTP}issuer = \"Campus\"\nwindow = 2\nattempts = {{ each = 3, per = \"10m\" }}\n");
    let loaded = load(line, &more);
    loaded.good();
    let config = loaded.config.as_ref().expect("it is good");
    let service = service(config);
    let authorize = service.authorize.as_ref().expect("it is there");
    assert_eq!((authorize.name, authorize.service_type), (UsernameSource::Cn, Some(17)));
    assert_eq!(authorize.certificate, Some(Place { vendor: 0, kind: 77 }));
    let AuthorizePassword::Common(common) = &authorize.password else { panic!("a common one") };
    assert_eq!(common.expose(), b"authorize, please");
    assert_eq!((service.otp, service.rules[0].otp), (Some(OtpAfter::Certificate), true));
    assert_eq!(service.rules[0].when.method, Some(vec![Method::Authorize]));
    let otp = config.otp.as_ref().expect("it is there");
    let attempts = Attempts { each: 3, per: Duration::from_secs(600) };
    assert_eq!((&*otp.issuer, otp.window, otp.attempts), ("Campus", 2, attempts));
}

#[test]
fn what_is_left_out_has_its_default() {
    let loaded = load(BOTH, OTP);
    loaded.good();
    let config = loaded.config.as_ref().expect("it is good");
    let authorize = service(config).authorize.as_ref().expect("it is there");
    assert_eq!((authorize.name, authorize.certificate), (UsernameSource::SanEmail, None));
    let otp = config.otp.as_ref().expect("it is there");
    let attempts = Attempts { each: 5, per: Duration::from_secs(300) };
    assert_eq!((&*otp.issuer, otp.window, otp.attempts), ("Sekisho", 1, attempts));
    let without = Campus::new().load(crate::BASE);
    let service = service(without.config.as_ref().expect("it is good"));
    assert!(service.otp.is_none() && service.authorize.is_none());
}

#[test]
fn slips_in_authorize_are_found() {
    let key = |key: &str| format!("service[0].authorize.{key}");
    let one = |keys: &str| one_error(load(&format!("authorize = {{ {keys} }}"), ""));
    one("name = \"cn\"").error("service[0].authorize", "{ name", "`password` is missing");
    one("password = \"any\"").error(&key("password"), "\"any\"", "none of what may stand here");
    one("password = \"common\"").error("service[0].authorize", "{ pass", "`password-file` is missing");
    one("password = \"common\", password-file = \"secrets/nowhere\"").error(
        &key("password-file"),
        "\"secrets/nowhere\"",
        "No such file",
    );
    load("authorize = { password = \"username\", password-file = \"secrets/common\" }", "").warning(
        &key("password-file"),
        "\"secrets/common\"",
        "only",
    );
    one("password = \"username\", name = \"mail\"").error(&key("name"), "\"mail\"", "none of what may");
    one("password = \"username\", service-type = \"authorise\"").error(&key("service-type"), "\"authorise\"", "");
    one("password = \"username\", certificate-attribute = \"Serial\"").error(
        &key("certificate-attribute"),
        "\"Serial\"",
        "Serial",
    );
    one("password = \"username\", passwords = 1").error(&key("passwords"), "passwords", "unknown key");
    let campus = campus();
    campus.write("secrets/empty", "\n");
    let line = "authorize = { password = \"common\", password-file = \"secrets/empty\" }";
    campus.load(&text(line, "")).error(&key("password-file"), "\"secrets/empty\"", "empty");
}

#[test]
fn slips_in_otp_are_found() {
    one_error(load("otp = {}", OTP)).error("service[0].otp", "{}", "never the whole login");
    one_error(load("otp = { after = \"password\" }", OTP)).error(
        "service[0].otp.after",
        "\"password\"",
        "did you mean \"nas-password\"?",
    );
    let otp = |more: &str| one_error(load(BOTH, &format!("{OTP}{more}\n")));
    otp("window = 11").error("otp.window", "11", "from 0 to 10");
    otp("attempts = { each = 0 }").error("otp.attempts.each", "0 }", "from 1 to 1000");
    otp("attempts = { per = \"0s\" }").error("otp.attempts.per", "\"0s\"", "a second at least");
    otp("attempt = 1").error("otp.attempt", "attempt", "did you mean \"attempts\"?");
    let campus = campus();
    campus.write("secrets/otp", "too short\n");
    campus.load(&text(BOTH, OTP)).error("otp.seal-key-file", "\"secrets/otp\"", "9 octets only");
    assert!(load(BOTH, "[otp]\n").config.is_none(), "nothing to seal with");
}

#[test]
fn a_password_that_anybody_may_type_beside_codes_needs_a_service_type() {
    for after in ["nas-password", "certificate"] {
        for password in ["none", "username"] {
            let line = |more: &str| {
                format!("authorize = {{ password = \"{password}\"{more} }}\notp = {{ after = \"{after}\" }}")
            };
            let both = load(&line(""), OTP);
            match password {
                "none" => both.error("service[0]", "[[service]]", "authorize.service-type"),
                _ => both.warning("service[0]", "[[service]]", "authorize.service-type"),
            };
            both.only(1);
            load(&line(", service-type = \"authorize-only\""), OTP).good();
            let alone = load(&format!("authorize = {{ password = \"{password}\" }}"), OTP);
            let config = alone.config.as_ref().expect("alone it is told apart");
            assert_eq!(service(config).authorize.as_ref().and_then(|it| it.service_type), None);
        }
        let common = "password = \"common\", password-file = \"secrets/common\"";
        load(&format!("authorize = {{ {common} }}\notp = {{ after = \"{after}\" }}"), OTP).good();
    }
}

#[test]
fn of_two_services_a_password_that_anybody_may_type_beside_codes_is_warned_of() {
    let two = |password: &str, more: &str| {
        let service = "[[service]]\nname = \"two\"\nmatch = { ssid = [\"two\"] }\nauthorities = [\"ca\"]\n";
        format!("{service}authorize = {{ password = \"{password}\"{more} }}\n{OTP}")
    };
    let other = |more: &str| two("none", more);
    let otp = "otp = { after = \"nas-password\" }";
    load(otp, &other("")).warning("", "[listen]", "no code is asked for").only(1);
    load(otp, &two("username", "")).warning("", "[listen]", "the name as its password").only(1);
    load(otp, &other(", service-type = \"login\"")).good();
    let text = text(otp, &other("")).replace("methods = ", "services = [\"JAIST\"]\nmethods = ");
    assert!(campus().load(&text).shown().iter().all(|shown| !shown.contains("no code is asked for")));
}

#[test]
fn what_a_service_offers_to_no_nas_is_warned_of() {
    let offered = |change: fn(String) -> String| {
        let loaded = campus().load(&change(text(BOTH, OTP)));
        assert!(loaded.config.is_some());
        loaded.shown()
    };
    let shown = offered(|text| text.replace("methods = ", "# methods = "));
    assert!(shown.len() == 2 && shown[0].contains("no NAS") && shown[0].contains("\"authorize\""), "{shown:?}");
    assert!(shown[1].contains("has `otp`, and no NAS"), "{shown:?}");
    let other = "[[service]]\nname = \"other\"\nmatch = {}\nauthorities = [\"ca\"]\n";
    let elsewhere = |text: String| text.replace("methods = ", "services = [\"other\"]\nmethods = ") + other;
    assert_eq!(campus().load(&elsewhere(text(BOTH, OTP))).shown().len(), 2);
}

#[test]
fn codes_need_their_section_and_both_need_the_registry() {
    let loaded = load(BOTH, "");
    assert!(loaded.config.is_none());
    assert!(loaded.errors()[0].text.contains("there is no [otp]"), "{:?}", loaded.shown());
    loaded.only(1);
    let rule = "authorize = { password = \"username\" }\nrules = [{ when = {}, otp = true }]";
    let loaded = load(rule, "");
    assert!(loaded.errors()[0].text.contains("there is no [otp]"), "{:?}", loaded.shown());
    for line in [BOTH, "authorize = { password = \"username\" }"] {
        let loaded = load(line, &format!("{OTP}[registry]\ndatabase = \"none\"\n"));
        assert!(loaded.config.is_none());
        assert!(loaded.errors()[0].text.contains("must not be \"none\""), "{:?}", loaded.shown());
    }
}

#[test]
fn methods_that_no_service_has_are_warned_of() {
    let loaded = load("", "");
    assert!(loaded.config.is_some());
    let shown = loaded.shown();
    assert!(shown.len() == 2 && shown[0].contains("\"authorize\"") && shown[1].contains("\"otp\""), "{shown:?}");
}

#[test]
fn a_wide_window_is_warned_of() {
    let warned = |window: u8| {
        let loaded = load("", &format!("{OTP}window = {window}\n"));
        loaded.shown().iter().any(|text| text.contains("RFC 6238 section 5.2"))
    };
    assert_eq!([0, 1, 3, 4, 10].map(warned), [false, false, false, true, true]);
}

#[test]
fn names_that_may_be_several_peoples_are_warned_of() {
    let warns = |line: &str, what: &str| load(line, OTP).shown().iter().any(|text| text.contains(what));
    let otp = "otp = { after = \"nas-password\" }";
    for (realms, warned) in [
        ("\"\"", false),
        ("\"a.example\", \"b.example\", \"\"", true),
        ("\".example\", \"\"", true),
        ("\"a.example\", \"\"", false),
        ("\"a.example\"", false),
    ] {
        assert_eq!(warns(&format!("realms = [{realms}]\n{otp}"), "takes names without a realm"), warned, "{realms}");
    }
    let cn = "authorize = { name = \"cn\", password = \"common\", password-file = \"secrets/common\"";
    assert!(warns(&format!("{cn} }}"), "a CN is a person's name"));
    assert!(!warns(&format!("{cn}, certificate-attribute = \"Filter-Id\" }}"), "a CN is a person's name"));
}

#[test]
fn a_nas_that_knows_names_alone_and_is_told_others_is_warned_of() {
    let told = |services: &str, by: &str, reply: &str| {
        let nas =
            format!("secret-file = \"secrets/ap\"\n{services}disconnect = {{ port = 3799, identify-by = [{by}] }}");
        let text = base("secret-file = \"secrets/ap\"", &nas) + &format!("reply-username = \"{reply}\"\n");
        let loaded = campus().load(&text);
        loaded.shown().iter().filter(|text| text.contains("told by User-Name alone")).count()
    };
    assert_eq!(told("", "\"user-name\"", "certificate"), 1);
    assert_eq!(told("", "\"user-name\"", "outer"), 0);
    assert_eq!(told("", "\"user-name\", \"acct-session-id\"", "certificate"), 0);
}

#[test]
fn a_match_by_method_is_read() {
    let text = text(BOTH, OTP).replace("{ ssid = [\"JAIST\"] }", "{ method = [\"otp\", \"authorize\"] }");
    let loaded = campus().load(&text);
    loaded.good();
    let config = loaded.config.as_ref().expect("it is good");
    assert_eq!(service(config).matches[0].method, Some(vec![Method::Otp, Method::Authorize]));
}
