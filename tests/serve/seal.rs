//! Another seal-key for one-time passwords, on the real program: nobody's codes are dead for it.

use sekisho::radius::Code;

use super::Serving;
use super::otp::{App, enrol};
use super::vpn::{HANAKO, Vpn, Wish, accepted, answer, rejected};

/// What [`Vpn`] has written.
const OLD: &str = "a key that is long enough";
const NEW: &str = "another key that is long enough";

/// What is in the file from now on; whether the server has taken it over.
fn reload(vpn: &Vpn, serving: &mut Serving, file: &str, says: &str) {
    vpn.secret("otp.secret", file);
    serving.signal("HUP");
    serving.wait_for("READY=1");
    serving.wait_for_line(says);
}

fn enters(vpn: &Vpn, serving: &Serving, app: &App, step: i64) {
    accepted(&vpn.ocserv, serving, &Wish::of(HANAKO, &app.code(step)));
}

#[test]
fn keys_come_under_the_new_seal_key_while_both_are_there_and_the_old_one_can_go() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    enters(&vpn, &serving, &app, -3);
    serving.wait_for_metric("sekisho_otp_keys{seal=\"first\"} 1");
    reload(&vpn, &mut serving, &format!("{NEW}\n{OLD}\n"), "configuration reloaded");
    // Whether it has been sealed anew already, or not.
    enters(&vpn, &serving, &app, -2);
    serving.wait_for_line("1 keys of one-time passwords were under an older seal-key");
    enters(&vpn, &serving, &app, -1);
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(-1)), "otp-wrong");
    // Used codes stay used, and the new key alone opens it, also in the next process.
    assert_eq!(serving.end(), Some(0));
    vpn.secret("otp.secret", &format!("{NEW}\n"));
    let mut serving = vpn.campus.start();
    serving.wait_for_metric("sekisho_otp_keys{seal=\"first\"} 1");
    serving.wait_for_metric("sekisho_otp_keys{seal=\"none\"} 0");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(-1)), "otp-wrong");
    enters(&vpn, &serving, &app, 0);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_seal_key_that_is_gone_too_early_is_told_of_and_its_codes_come_back_with_it() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    reload(&vpn, &mut serving, NEW, "1 user's one-time passwords are sealed with another seal-key than those in [otp]");
    let last = rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)), "otp-wrong");
    assert!(last["explanation"].as_str().is_some_and(|text| text.contains("seal-keys in [otp]")), "{last}");
    serving.wait_for_metric("sekisho_otp_keys{seal=\"none\"} 1");
    let degraded = serving.get("/readyz");
    assert!(degraded.contains("1 user's one-time passwords") && degraded.contains("\"ready\":true"), "{degraded}");
    // It asks for a code, as for whoever has none.
    let asked = answer(&vpn.ocserv, &serving, &Wish::of(HANAKO, "her own password"));
    assert_eq!(asked.code, Code::ACCESS_CHALLENGE);
    reload(&vpn, &mut serving, &format!("# since today\n{NEW}\n# until today\n{OLD}\n"), "are under the first now");
    serving.wait_for_metric("sekisho_otp_keys{seal=\"none\"} 0");
    assert!(!serving.get("/readyz").contains("one-time"), "{}", serving.get("/readyz"));
    enters(&vpn, &serving, &app, 0);
    for key in [OLD, NEW] {
        assert!(!serving.log().contains(key), "a seal-key was written down");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_seal_key_file_with_a_short_line_keeps_the_old_ones() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    reload(&vpn, &mut serving, &format!("too short\n{OLD}\n"), "line 1: the key has 9 octets only");
    enters(&vpn, &serving, &app, 0);
    assert_eq!(serving.end(), Some(0));
}
