//! A server with concentrators around it, each with a service of its own and an address of its own on loopback.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::api;
use crate::eapol::SECRET;
use crate::pki::Credential;
use crate::radclient::{Answer, Request};
use crate::scratch::free_port;
use crate::server::Server;

pub(crate) const COMMON: &str = "what every ASA says";
/// The only NAS that is no concentrator.
pub(crate) const WIFI: &str = "127.0.0.1";
pub(crate) const ASA: &str = "127.0.0.11";
/// By `authorize-only`, which sends no password.
pub(crate) const ASA_ALONE: &str = "127.0.0.12";
/// That says which certificate it has seen.
pub(crate) const EXACT: &str = "127.0.0.13";
/// Whose users type a code besides.
pub(crate) const ASA_AND_CODE: &str = "127.0.0.14";
pub(crate) const FORTIGATE: &str = "127.0.0.21";
/// By UPN, which is a FortiGate's default, and by DNS name.
pub(crate) const FORTIGATE_UPN: &str = "127.0.0.22";
pub(crate) const FORTIGATE_DNS: &str = "127.0.0.23";
/// That has checked a password.
pub(crate) const PASSWORD_AND_CODE: &str = "127.0.0.31";

/// Each concentrator with its service: name, address, methods, lines of the service.
const CONCENTRATORS: [(&str, &str, &str, &str); 8] = [
    (
        "asa",
        ASA,
        "authorize",
        "authorize = { name = \"san-email\", password = \"common\", password-file = \"asa.secret\" }",
    ),
    (
        "asa-alone",
        ASA_ALONE,
        "authorize",
        "authorize = { name = \"cn\", password = \"none\", service-type = \"authorize-only\" }",
    ),
    (
        "exact",
        EXACT,
        "authorize",
        "authorize = { name = \"san-email\", password = \"username\", certificate-attribute = \"Filter-Id\" }",
    ),
    (
        "asa-and-code",
        ASA_AND_CODE,
        "authorize",
        "authorize = { password = \"common\", password-file = \"asa.secret\" }\nrules = [{ when = {}, otp = true }]",
    ),
    ("fortigate", FORTIGATE, "authorize", "authorize = { name = \"san-email\", password = \"username\" }"),
    ("fortigate-upn", FORTIGATE_UPN, "authorize", "authorize = { name = \"san-upn\", password = \"username\" }"),
    ("fortigate-dns", FORTIGATE_DNS, "authorize", "authorize = { name = \"san-dns\", password = \"username\" }"),
    ("password-and-code", PASSWORD_AND_CODE, "otp", "otp = { after = \"nas-password\" }"),
];

const OTP: &str = "[otp]\nissuer = \"Campus VPN\"\nseal-key-file = \"otp.secret\"\n";

/// The server, and where it is told of sessions.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) accounting: u16,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::telling("")
    }

    /// `more`: lines of each concentrator's `[[nas]]`.
    pub(crate) fn telling(more: &str) -> Self {
        let accounting = free_port();
        let server = Server::changed(|scratch, text| {
            for (name, text) in [("asa.secret", COMMON), ("otp.secret", "what seals the keys of codes")] {
                let secret = scratch.write(name, text);
                fs::set_permissions(secret, Permissions::from_mode(0o600)).expect("ours");
            }
            let doors = format!("accounting = [\"127.0.0.1:{accounting}\"]\nauth = [");
            let concentrators: String = CONCENTRATORS.map(|one| concentrator(one, more)).concat();
            text.replace("auth = [", &doors) + &concentrators + OTP + api::configuration()
        });
        Self { server, accounting }
    }

    pub(crate) fn ask(&self, from: &str, request: &Request) -> Answer {
        request.ask(from, self.server.port)
    }

    #[track_caller]
    pub(crate) fn lets_in(&self, from: &str, request: &Request) -> Answer {
        let answer = self.ask(from, request);
        answer.assert_accepted();
        self.decided(request, "accept", "ok");
        answer
    }

    /// And the API says why.
    #[track_caller]
    pub(crate) fn refuses(&self, from: &str, request: &Request, reason: &str) -> Value {
        let answer = self.ask(from, request);
        assert!(answer.assert_rejected().values("Class").is_empty(), "{answer:?}");
        self.decided(request, "reject", reason)
    }

    /// What was decided last of whoever came from there.
    #[track_caller]
    pub(crate) fn decided(&self, request: &Request, outcome: &str, reason: &str) -> Value {
        let path = format!("authentications?mac={}&limit=1", request.station);
        let seen = self.server.look_until(&path, |it| it["items"].as_array().is_some_and(|items| !items.is_empty()));
        let decision = seen["items"][0].clone();
        assert_eq!((&decision["outcome"], &decision["reason"]), (&json!(outcome), &json!(reason)), "{decision}");
        assert!(decision["explanation"].as_str().is_some_and(|text| !text.is_empty()), "{decision}");
        decision
    }

    /// Somebody who manages certificates has the server know this one.
    pub(crate) fn register(&self, credential: &Credential) {
        self.server.api("POST", "certificates", Some(json!({ "pem": credential.chain })));
    }
}

fn concentrator((name, address, method, how): (&str, &str, &str, &str), more: &str) -> String {
    format!(
        "[[nas]]\nname = \"{name}\"\naddress = [\"{address}\"]\nsecret = \"{SECRET}\"\nservices = [\"{name}\"]\n\
         methods = [\"{method}\"]\nclass = false\n{more}\n\
         [[service]]\nname = \"{name}\"\nmatch = {{ nas = [\"{name}\"], nas-port-type = [\"Virtual\"] }}\n\
         authorities = [\"ca16\", \"pub-ca8\"]\nreply-username = \"outer\"\nsession-timeout = \"12h\"\n\
         attributes = [\"Class=OU=members\", \"ASA-Group-Policy=members\", \"Fortinet-Group-Name=members\"]\n{how}\n"
    )
}
