//! Real peers against the real binary: Debian's supplicants, authenticators, proxies and servers, over real UDP.
//!
//! - [`logins`], [`resumption`], [`refusals`]: eapol_test logs in, resumes, is refused, and says what it saw.
//! - [`revocation_crl`], [`revocation_ocsp`], [`revocation_distrust`]: what `openssl ca` and its responder say is heeded at once, and nobody else notices.
//! - [`revocation_hosts`], [`revocation_restart`]: hosts that are silent or lie, or are down at a restart.
//! - [`stapling`]: devices that want to know how the server's own certificate stands.
//! - [`contract`]: what stands in an Accept, what isn't EAP, a second node.
//! - [`authenticators`]: wpa_supplicant behind hostapd on a wire; radsecproxy in between.
//! - [`kill_switch`]: who is blocked by the API loses port and login, on real switches.
//! - [`ssl_vpn`]: who comes in by IKEv2 and strongSwan, and how the tunnel ends.
//! - [`by_name`]: concentrators that ask by name, a Cisco ASA and a FortiGate: who is let in, who isn't and why.
//! - [`enrolment`]: one-time passwords, from the QR code that another program reads to the login by its codes.
//! - [`otp`]: who comes in by ocserv, with openconnect, a password or a certificate, and a code.
//! - [`commands`]: `sekisho login` against the servers of others; `sekisho demo` against eapol_test.
//! - [`load`]: `sekisho load` against the server, FreeRADIUS and hostapd.
//! - [`logs`]: what the server writes: no secret, and one line an event whatever a packet says.
//! - [`harness`]: the drivers below against FreeRADIUS and hostapd, so that a case that fails is the server's fault.
//!
//! What the cases share: [`support`] (directories, children, certificates, CRLs),
//! [`server`] (the server under test), [`api`] (its API), [`wire`] (switches and devices around it), [`home`] (people away from the campus), [`vpn`] (a gateway and devices there), [`concentrators`], [`charon`] (strongSwan), [`ocserv`] and [`openconnect`], [`root`] (programs of a newer Debian), [`inside`] (a way into their namespaces), [`peers`] (programs of others), [`openssl`] (a CA), [`eapol`] (the supplicant), [`radclient`] (a concentrator's requests).
//!
//! A peer that isn't installed fails its tests; `tests/run` installs what is needed.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the world outside has clocks and sockets")]

mod api;
mod authenticators;
mod by_name;
mod charon;
mod commands;
mod concentrators;
mod contract;
mod eapol;
mod enrolment;
mod harness;
mod home;
mod inside;
mod kill_switch;
mod load;
mod logins;
mod logs;
mod ocserv;
mod openconnect;
mod openssl;
mod otp;
mod peers;
mod radclient;
mod refusals;
mod resumption;
mod revocation_crl;
mod revocation_distrust;
mod revocation_hosts;
mod revocation_ocsp;
mod revocation_restart;
mod root;
mod server;
mod ssl_vpn;
mod stapling;
mod vpn;
mod wire;

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    pub(crate) mod host;
    #[expect(dead_code, reason = "the same")]
    pub(crate) mod http;
    pub(crate) mod pki;
    pub(crate) mod process;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod responder;
    pub(crate) mod scratch;
}
use support::{certificates, host, http, pki, process, responder, scratch};
