//! The server's API, asked by whoever has the role for it.

use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use crate::http::ask;
use crate::pki::Credential;
use crate::server::Server;

/// It ends sooner on any machine that works.
const PATIENCE: Duration = Duration::from_secs(30);
const ROLES: [&str; 3] = ["viewer", "registrar", "operator"];

/// A registry, and a token for each role, which is its name: lines of the configuration.
pub(crate) fn configuration() -> &'static str {
    static LINES: LazyLock<String> = LazyLock::new(|| {
        let token = |role: &&str| {
            let hash = HEXLOWER.encode(&sekisho::admin::hash_token(role.as_bytes()));
            format!("[[admin.token]]\nname = \"{role}1\"\nsha256 = \"{hash}\"\nrole = \"{role}\"\n")
        };
        format!("[registry]\n{}", ROLES.iter().map(token).collect::<String>())
    });
    &LINES
}

/// What the API names a certificate by.
pub(crate) fn id(credential: &Credential) -> String {
    let der = CertificateDer::from_pem_slice(credential.chain.as_bytes()).expect("a certificate");
    HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der).as_ref())
}

/// Status and body.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) Value);

impl Server {
    /// Asks.
    pub(crate) fn ask_api(&self, role: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let headers = format!("Authorization: Bearer {role}\r\nContent-Type: application/json\r\n");
        let path = format!("/api/v1/{path}");
        let answer = ask(self.door(), method, &path, &headers, &body).expect("an answer from the API");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer}"));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Answer(status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Has something done, or looks at it.
    #[track_caller]
    pub(crate) fn api(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let Answer(status, body) = self.ask_api("operator", method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    /// Looks until it is as wanted.
    #[track_caller]
    pub(crate) fn look_until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let seen = self.api("GET", path, None);
            if wanted(&seen) {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "GET {path} is not as wanted: {seen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// An operator blocks a certificate.
    #[track_caller]
    pub(crate) fn block(&self, credential: &Credential) {
        let path = format!("certificates/{}/revocation", id(credential));
        let blocked = self.api("POST", &path, Some(serde_json::json!({ "reason": "keyCompromise" })));
        assert_eq!(blocked["status"], "revocation-requested", "{blocked}");
    }

    /// And lifts that; what is known of the certificate then.
    #[track_caller]
    pub(crate) fn lift(&self, credential: &Credential) -> Value {
        self.api("DELETE", &format!("certificates/{}/revocation", id(credential)), None)
    }
}
