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

const BOTH: &str = "authorize = { password = \"username\" }\notp = { after = \"nas-password\" }";

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
    assert_eq!((authorize.name, authorize.service_type, authorize.certificate), (UsernameSource::SanEmail, None, None));
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
fn no_password_beside_codes_needs_a_service_type() {
    let otp = "otp = { after = \"nas-password\" }";
    let none = |more: &str| format!("authorize = {{ password = \"none\"{more} }}\n{otp}");
    load(&none(""), OTP).error("service[0]", "[[service]]", "authorize.service-type").only(1);
    load(&none(", service-type = \"authorize-only\""), OTP).good();
    load("authorize = { password = \"none\" }", OTP).config.expect("alone it is told apart");
}

#[test]
fn of_two_services_no_password_beside_codes_is_warned_of() {
    let other = |more: &str| {
        let service = "[[service]]\nname = \"two\"\nmatch = { ssid = [\"two\"] }\nauthorities = [\"ca\"]\n";
        format!("{service}authorize = {{ password = \"none\"{more} }}\n{OTP}")
    };
    let otp = "otp = { after = \"nas-password\" }";
    load(otp, &other("")).warning("", "[listen]", "no code is asked for").only(1);
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
fn a_match_by_method_is_read() {
    let text = text(BOTH, OTP).replace("{ ssid = [\"JAIST\"] }", "{ method = [\"otp\", \"authorize\"] }");
    let loaded = campus().load(&text);
    loaded.good();
    let config = loaded.config.as_ref().expect("it is good");
    assert_eq!(service(config).matches[0].method, Some(vec![Method::Otp, Method::Authorize]));
}
