//! A VPN around the server: strongSwan as gateway, strongSwan on the devices of those who work at home. The gateway, and the server beside it, are in one network namespace, each device in another.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::Value;

use crate::api;
use crate::certificates;
use crate::charon::Charon;
use crate::eapol::{Alert, SECRET, Tls};
use crate::home::{self, Home, INSIDE_ALL};
use crate::pki::{Credential, pki};
use crate::process::{Namespace, Place};
use crate::root::seen;
use crate::scratch::free_port;
use crate::server::Server;

/// Where the gateway is told to end sessions, and with what secret, which isn't that of its requests.
const DAE: u16 = 3799;
const DAE_SECRET: &str = "another secret for disconnecting";
/// What the gateway is called by its certificate.
pub(crate) const NAME: &str = "vpn.campus.example";
/// What is given to devices of which the server says nothing.
const POOL: &str = "10.98.0.0/24";
/// The service, but for what it is asked for by and what it grants.
const SERVICE: &str =
    "authorities = [\"ca16\"]\nidentity = [\"p256\", \"rsa\"]\nreply-username = \"outer\"\nsession-timeout = \"12h\"\n";

/// A server and the gateway that asks it.
#[derive(Debug)]
pub(crate) struct Site {
    // Declared before their place, so that they end first.
    pub(crate) server: Server,
    pub(crate) gateway: Charon,
    namespace: Namespace,
}

/// A device at home.
#[derive(Debug)]
pub(crate) struct Roadwarrior {
    pub(crate) charon: Charon,
    pub(crate) place: Home,
}

/// What a device has logged of a login that was refused.
#[derive(Debug)]
pub(crate) struct Refusal(String);

impl Site {
    pub(crate) fn new() -> Self {
        Self::granting(&["Class=members"])
    }

    /// With these attributes for everybody whom the server lets in; to those without `Class=members` the gateway gives nothing.
    pub(crate) fn granting(attributes: &[&str]) -> Self {
        Self::serving("{ nas = [\"vpn\"] }", attributes)
    }

    /// The service is asked for by this.
    pub(crate) fn serving(matched: &str, attributes: &[&str]) -> Self {
        Self::changed(matched, attributes, |text| text)
    }

    /// The same with another configuration of the server.
    pub(crate) fn changed(matched: &str, attributes: &[&str], change: impl FnOnce(String) -> String) -> Self {
        let (namespace, accounting) = (home::site(), free_port());
        let service =
            format!("[[service]]\nname = \"ssl-vpn\"\nmatch = {matched}\n{SERVICE}attributes = {attributes:?}\n");
        let all = |text: String| change(configuration(&text, accounting) + &service + api::configuration());
        let server = Server::changed_in(Place::Namespace(namespace.name()), all);
        let framed = attributes.iter().any(|attribute| attribute.starts_with("Framed-IP-Address"));
        let gateway = gateway(&namespace, server.port, accounting, if framed { "radius" } else { "inside" });
        Self { server, gateway, namespace }
    }

    /// A device that has a way to the gateway.
    pub(crate) fn roadwarrior(&self, tls: Tls) -> Roadwarrior {
        self.roadwarrior_with(tls, "")
    }

    /// The same with more settings of its daemon.
    pub(crate) fn roadwarrior_with(&self, tls: Tls, settings: &str) -> Roadwarrior {
        let place = Home::new(&self.namespace);
        let version = match tls {
            Tls::V12 => "1.2",
            Tls::V13 => "1.3",
        };
        let settings = format!(
            "{settings}\ntls {{\n version_min = {version}\n version_max = {version}\n }}\n\
             plugins {{\n resolve {{\n file = {names}\n }}\n }}\n",
            names = seen("names"),
        );
        let charon = Charon::start(place.name(), "eap-tls resolve", &settings);
        Roadwarrior { charon, place }
    }

    /// Those that are online.
    pub(crate) fn online(&self, count: usize) -> Vec<Value> {
        let listed = |it: &Value| it["items"].as_array().is_some_and(|items| items.len() == count);
        let seen = self.server.look_until("sessions", listed);
        seen["items"].as_array().cloned().unwrap_or_default()
    }
}

impl Roadwarrior {
    /// It connects.
    pub(crate) fn connects(&mut self, credential: &Credential, identity: &str) {
        let said = self.tries(credential, identity);
        assert!(said.contains("initiate completed successfully"), "{said}");
        self.charon.wait_connected("connected", |tunnels| tunnels.contains("INSTALLED"));
        assert!(self.place.pings());
    }

    /// It tries to, and is refused.
    pub(crate) fn is_refused(&self, credential: &Credential, identity: &str) -> Refusal {
        let said = self.tries(credential, identity);
        assert!(said.contains("initiate failed") && self.charon.tunnels().is_empty() && !self.place.pings(), "{said}");
        Refusal(said)
    }

    /// Waits until it has lost its tunnel.
    pub(crate) fn wait_disconnected(&mut self) {
        self.charon.wait_connected("without a tunnel", str::is_empty);
        assert!(!self.place.pings());
    }

    /// What it says of a try to connect.
    fn tries(&self, credential: &Credential, identity: &str) -> String {
        let member = self.charon.has_certificate("member", credential);
        let server_ca = self.charon.has("server-ca.pem", &pki().server_ca.pem());
        self.charon.load(&format!(
            "connections {{\n campus {{\n version = 2\n remote_addrs = {gateway}\n vips = 0.0.0.0\n\
             local {{\n auth = eap-tls\n certs = {member}\n {identity}\n aaa_id = radius.campus.example\n }}\n\
             remote {{\n auth = pubkey\n id = {NAME}\n cacerts = {server_ca}\n }}\n\
             children {{\n inside {{\n remote_ts = {INSIDE_ALL}\n }}\n }}\n }}\n}}\n",
            gateway = self.place.gateway,
            identity = if identity.is_empty() { String::new() } else { format!("id = {identity}") },
        ));
        let mark = self.charon.mark();
        self.charon.initiate("inside") + &self.charon.since(mark)
    }

    /// Where it looks for names.
    pub(crate) fn resolver(&self) -> String {
        self.charon.wrote("names")
    }
}

impl Refusal {
    /// It came with this alert.
    #[track_caller]
    pub(crate) fn assert_alert(&self, alert: Alert) {
        // As RFC 5246 writes it.
        let alert = alert.text().to_lowercase();
        assert!(self.0.contains(&format!("received fatal TLS alert '{alert}'")), "{alert}: {}", self.0);
    }

    /// There was no handshake.
    #[track_caller]
    pub(crate) fn assert_before_tls(&self) {
        assert!(self.0.contains("received EAP_FAILURE") && !self.0.contains("[TLS]"), "{}", self.0);
    }

    /// The server had let it in.
    #[track_caller]
    pub(crate) fn assert_of_the_gateway(&self) {
        assert!(self.0.contains("EAP method EAP_TLS succeeded") && !self.0.contains("TLS alert"), "{}", self.0);
    }
}

/// That of the campus, with the gateway as its only NAS.
fn configuration(text: &str, accounting: u16) -> String {
    let nas = format!(
        "name = \"vpn\"\nmethods = [\"eap-tls\"]\nclass = false\n\
         disconnect = {{ port = {DAE}, secret = \"{DAE_SECRET}\", identify-by = [\"user-name\"] }}\n"
    );
    let doors = format!("accounting = [\"127.0.0.1:{accounting}\"]\nauth = [");
    text.replace("name = \"access-points\"\n", &nas).replace("auth = [", &doors)
}

/// A gateway's own.
pub(crate) fn certificate() -> Credential {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let certificate = certificates::server(NAME).signed_by(&key, &pki().server_ca).expect("a certificate");
    Credential::new(certificate.pem(), key.serialize_pem())
}

/// `pool`: where it has the addresses from that it gives.
fn gateway(namespace: &Namespace, auth: u16, accounting: u16, pool: &str) -> Charon {
    // Who is refused leaves a login behind that is half open: a few in a row are an attack by default.
    let radius = format!(
        "dos_protection = no\nplugins {{\n eap-radius {{\n accounting = yes\n accounting_interval = 1\n class_group = yes\n nas_identifier = concentrator\n\
         servers {{\n campus {{\n address = 127.0.0.1\n secret = {SECRET}\n auth_port = {auth}\n acct_port = {accounting}\n }}\n }}\n\
         dae {{\n enable = yes\n listen = 127.0.0.1\n port = {DAE}\n secret = {DAE_SECRET}\n }}\n }}\n }}\n"
    );
    let gateway = Charon::start(namespace.name(), "eap-radius", &radius);
    let certificate = gateway.has_certificate("gateway", &certificate());
    gateway.load(&format!(
        "connections {{\n ssl-vpn {{\n version = 2\n pools = {pool}\n send_certreq = no\n unique = never\n\
         local {{\n auth = pubkey\n certs = {certificate}\n id = {NAME}\n }}\n\
         remote {{\n auth = eap-radius\n id = %any\n eap_id = %any\n groups = members\n }}\n\
         children {{\n inside {{\n local_ts = {INSIDE_ALL}\n }}\n }}\n }}\n}}\n\
         pools {{\n inside {{\n addrs = {POOL}\n }}\n}}\n"
    ));
    gateway
}
