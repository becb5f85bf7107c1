//! What the configurations of a small campus have in common.

/// Its identity, authority, access point and service; lines of the service may follow.
pub(crate) const CAMPUS: &str = r#"[[identity]]
name = "server"
chain = "server.pem"
key = "server.key"
[[authority]]
name = "ca"
certificate = "ca.pem"
subject = { O = "Example University" }
revocation = "crl"
crl = ["ca.crl"]
[[nas]]
name = "ap"
address = ["127.0.0.0/8"]
secret = "a secret that is long enough"
[[service]]
name = "campus"
match = { ssid = ["campus"] }
authorities = ["ca"]
"#;
