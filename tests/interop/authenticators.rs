//! Real authenticators and proxies between the supplicant and the server.

use crate::eapol::{Alert, BOTH, Login, Tls};
use crate::peers;
use crate::pki::pki;
use crate::server::Server;
use crate::wire::Site;

const PROXY_STATE: u8 = 33;

/// A switch's port: hostapd with the wired driver on one end of a cable, wpa_supplicant on the other.
fn wpa_supplicant_logs_in_over_a_wire(tls: Tls) {
    let mut site = Site::new();
    let mut switch = site.switch_without_accounting();
    let mut device = switch.plug(&Login::new(&pki().member_rsa, tls));

    // The CA revokes the certificate: nobody asks, and the port goes down.
    let mark = switch.mark();
    site.server.publish_ca16(2, &[&pki().revoked, &pki().member_rsa]);
    switch.wait_closed(mark);
    site.server.wait_for_metric(r#"sekisho_disconnects_total{result="ack"} 1"#);
    switch.refuses(&mut device).assert_alert(Alert::CertificateRevoked);
}

#[test]
fn wpa_supplicant_logs_in_through_hostapd_on_a_wire_by_tls12() {
    wpa_supplicant_logs_in_over_a_wire(Tls::V12);
}

#[test]
fn wpa_supplicant_logs_in_through_hostapd_on_a_wire_by_tls13() {
    wpa_supplicant_logs_in_over_a_wire(Tls::V13);
}

#[test]
fn radsecproxy_passes_logins_with_proxy_state_intact() {
    let server = Server::start();
    let proxy = peers::radsecproxy(server.port);
    for tls in BOTH {
        let login = Login::new(&pki().member_rsa, tls).again(1).attribute("33:x:0102").attribute("33:x:7a");
        let outcome = login.run(proxy.port);
        for attempt in &outcome.assert_accepted(2).attempts {
            assert_eq!(attempt.values(PROXY_STATE), ["0102", "7a"], "{outcome}");
        }
    }
}
