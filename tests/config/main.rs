//! Configurations as administrators write them: the shipped ones load, the reference is understood key by key, and every slip is found at its place.

mod campus;
mod certificates;
mod command;
mod explain;
mod mangled;
mod plain;
mod reference;
mod registry;
mod revocation;
mod shipped;
mod slips;
mod tables;

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    pub(crate) mod ocsp;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}

/// The shortest configuration that is good; its files are made by [`campus::Campus::new`].
const BASE: &str = r#"[listen]
auth = ["127.0.0.1:1812"]

[[identity]]
name = "server"
chain = "tls/server.pem"
key = "tls/server.key"

[[authority]]
name = "ca"
certificate = "pki/ca.pem"
subject = { O = "Campus" }
revocation = "crl"
crl = ["crl/ca.crl"]

[[nas]]
name = "ap"
address = ["10.1.0.0/16"]
secret-file = "secrets/ap"

[[service]]
name = "JAIST"
match = { ssid = ["JAIST"] }
authorities = ["ca"]
"#;

/// [`BASE`] with one passage changed.
fn base(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from} stands in the base");
    BASE.replacen(from, to, 1)
}

/// [`BASE`] with more at its end.
fn and(more: &str) -> String {
    format!("{BASE}{more}")
}
