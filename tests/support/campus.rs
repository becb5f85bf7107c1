//! What small campuses have in common: configuration, and the files that it names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::certificates::{Authority, Key, authority, crl, day, server};
use super::scratch::Scratch;

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

/// Makes the files that [`CAMPUS`] names: an authority, whose CRL lists these, and `server.pem` for this host.
pub(crate) fn files(scratch: &Scratch, host: &str, revoked: &[u64]) -> Authority {
    let ca = authority("Example CA", None);
    scratch.write("ca.pem", ca.pem());
    identity(scratch, &ca, "server", host);
    scratch.write("ca.crl", list(&ca, 1, revoked.iter().copied()));
    ca
}

/// Makes a server's certificate: `NAME.pem` and `NAME.key`.
pub(crate) fn identity(scratch: &Scratch, ca: &Authority, name: &str, host: &str) {
    let key = Key::P256.make();
    let certificate = server(host).signed_by(&key, ca).expect("a certificate");
    scratch.write(&format!("{name}.pem"), certificate.pem());
    private(scratch, &format!("{name}.key"), &key.serialize_pem());
}

/// A file that nobody else may read.
pub(crate) fn private(scratch: &Scratch, name: &str, text: &str) -> PathBuf {
    let path = scratch.write(name, text);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("ours");
    path
}

/// A CRL that lists these, good for years.
pub(crate) fn list(ca: &Authority, number: u64, serials: impl IntoIterator<Item = u64>) -> Vec<u8> {
    crl(ca, number, serials, day(2026, 1, 2)..day(2038, 1, 1)).der().to_vec()
}
