//! The drivers against other people's servers: what fails here is a fault of the harness.

use crate::certificates::Key;
use crate::eapol::{BOTH, Login, Tls};
use crate::peers;
use crate::pki::pki;

#[test]
fn driver_logs_in_at_freeradius_and_sees_a_refusal() {
    let server = peers::freeradius(Key::Rsa);
    for tls in BOTH {
        let outcome = Login::new(&pki().member_rsa, tls).run(server.port);
        outcome.assert_accepted(1);
        let login = &outcome.attempts[0];
        assert_eq!((login.tls, login.resumed), (Some(tls), false), "{outcome}");
        assert_eq!(login.server_key.as_deref(), Some(Key::Rsa.text()), "{outcome}");
        assert_eq!(login.values(1), ["anonymous@jaist.ac.jp"], "{outcome}");

        let outcome = Login::new(&pki().stranger, tls).run(server.port);
        assert!(!outcome.success && outcome.attempts[0].failed, "{outcome}");
    }
}

#[test]
fn driver_resumes_at_hostapd() {
    let server = peers::hostapd(Key::P256);
    for tls in BOTH {
        let outcome = Login::new(&pki().member_p256, tls).again(2).run(server.port);
        outcome.assert_accepted(3);
        let resumed: Vec<bool> = outcome.attempts.iter().map(|login| login.resumed).collect();
        assert_eq!(resumed, [false, true, true], "{outcome}");
        assert_eq!(outcome.attempts[0].server_key.as_deref(), Some(Key::P256.text()), "{outcome}");
    }
}

#[test]
fn driver_passes_radsecproxy_and_reads_proxy_state() {
    let server = peers::freeradius(Key::P256);
    let proxy = peers::radsecproxy(server.port);
    let login = Login::new(&pki().member_p256, Tls::V13).attribute("33:x:0102").attribute("33:x:7a");
    let outcome = login.run(proxy.port);
    assert_eq!(outcome.assert_accepted(1).attempts[0].values(33), ["0102", "7a"], "{outcome}");
}
