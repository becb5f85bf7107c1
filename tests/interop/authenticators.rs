//! Real authenticators and proxies between the supplicant and the server.

use crate::eapol::{BOTH, Login, SECRET, Tls};
use crate::peers;
use crate::pki::pki;
use crate::process::{Namespace, Place, Process};
use crate::scratch::{Scratch, unique};
use crate::server::Server;

const PROXY_STATE: u8 = 33;
/// Where hostapd is told to end sessions, and with what secret, which isn't that of its requests.
const DAS: u16 = 3799;
const DAS_SECRET: &str = "another secret for disconnecting";

/// A switch's port: hostapd with the wired driver on one end of a cable, wpa_supplicant on the other.
fn wpa_supplicant_logs_in_over_a_wire(tls: Tls) {
    let switch = Namespace::new("switch");
    let device = Namespace::new("device");
    let (near, far) = (format!("sk{}a", unique()), format!("sk{}b", unique()));
    switch.cable(&near, &device, &far);

    let place = Place::Namespace(switch.name());
    let told = format!("disconnect = {{ port = {DAS}, secret = \"{DAS_SECRET}\" }}\n");
    let mut server = Server::changed_in(place, |text| text.replace("[log]\n", &format!("{told}[log]\n")));
    let scratch = Scratch::new();
    let configuration = scratch.write(
        "hostapd.conf",
        format!(
            "driver=wired\ninterface={near}\nieee8021x=1\neap_server=0\nuse_pae_group_addr=1\n\
             nas_identifier=switch\nown_ip_addr=127.0.0.1\nauth_server_addr=127.0.0.1\nauth_server_port={}\n\
             auth_server_shared_secret={SECRET}\n\
             radius_das_port={DAS}\nradius_das_client=127.0.0.1 {DAS_SECRET}\nradius_das_time_window=60\n\
             radius_das_require_event_timestamp=1\nradius_das_require_message_authenticator=1\n",
            server.port
        ),
    );
    let mut command = Place::Namespace(switch.name()).command_by_lines("hostapd");
    let mut authenticator = Process::start("hostapd", command.arg("-dd").arg(configuration), &scratch);
    authenticator.wait_until("enabled", |process| process.log().contains("AP-ENABLED"));

    let configuration = Login::new(&pki().member_rsa, tls).configuration(&scratch);
    let mut command = Place::Namespace(device.name()).command_by_lines("wpa_supplicant");
    command.args(["-Dwired", "-dd", "-i", &far, "-c"]).arg(configuration);
    let mut supplicant = Process::start("wpa_supplicant", &mut command, &scratch);
    supplicant.wait_until("logged in", |process| process.log().contains("CTRL-EVENT-CONNECTED"));
    authenticator.wait_until("told to open the port", |process| process.log().contains("AP-STA-CONNECTED"));

    // The CA revokes the certificate: nobody asks, and the port goes down.
    server.publish_ca16(2, &[&pki().revoked, &pki().member_rsa]);
    authenticator.wait_until("told to close the port", |process| process.log().contains("AP-STA-DISCONNECTED"));
    server.log_with("disconnected");
    assert_eq!(server.count(r#"sekisho_disconnects_total{result="ack"}"#), 1);
    // The next login is refused.
    drop(supplicant);
    let mut supplicant = Process::start("wpa_supplicant-again", &mut command, &scratch);
    supplicant.wait_until("refused", |process| process.log().contains("CTRL-EVENT-EAP-FAILURE"));
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
