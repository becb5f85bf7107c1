//! What `demo` writes into its directory: certificates, a configuration, supplicants' configurations for eapol_test.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::Error;
use super::campus::{Campus, Credential, p256, rsa};
use crate::admin::hash_token;
use crate::secret::random;

/// Shared secret of the demo's NAS; it guards nothing but loopback.
pub(super) const SECRET: &str = "sekisho-demo-shared-secret";

/// What the demo's concentrator says in place of a password, when it has checked a certificate.
pub(super) const COMMON: &str = "the certificate is checked";
/// The file that it is in.
pub(super) const COMMON_FILE: &str = "secrets/concentrator";

/// The file that an operator's token of the demo is in.
pub(super) const TOKEN: &str = "secrets/operator.token";

/// Host name in the server's certificates.
const HOST: &str = "radius.jaist-look-alike.example";

/// The doors of the demo's server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) radius: u16,
    pub(super) admin: u16,
}

/// Writes a file below the directory.
pub(super) fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = dir.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Error(format!("{}: {error}", parent.display())))?;
    }
    fs::write(&path, text).map_err(|error| Error(format!("{}: {error}", path.display())))?;
    Ok(path)
}

/// Writes a file that only its owner may read.
fn write_secret(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = write(dir, name, "")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
        .map_err(|error| Error(format!("{}: {error}", path.display())))?;
    write(dir, name, text)
}

/// Writes a credential as `certs/NAME.pem` and `certs/NAME.key`.
pub(super) fn write_credential(dir: &Path, name: &str, credential: &Credential) -> Result<(), Error> {
    write(dir, &format!("certs/{name}.pem"), &credential.chain)?;
    write_secret(dir, &format!("certs/{name}.key"), &credential.key)?;
    Ok(())
}

/// Writes everything that the server's configuration names, and the configuration itself.
pub(super) fn write_server(dir: &Path, campus: &mut Campus, ports: Ports, token: &str) -> Result<PathBuf, Error> {
    let seal = random::<32>().map_err(|_| "the system has no randomness".to_owned())?;
    let seal = Zeroizing::new(HEXLOWER.encode(&seal));
    for (name, key) in [("ecdsa", p256()?), ("rsa", rsa()?)] {
        let credential = campus.server(HOST, &key)?;
        write(dir, &format!("tls/server-{name}.pem"), &credential.chain)?;
        write_secret(dir, &format!("tls/server-{name}.key"), &credential.key)?;
    }
    write(dir, "tls/campus-server-ca.pem", &campus.servers.pem())?;
    let authorities = [
        ("ca16", &campus.ca16),
        ("rootca2", &campus.root),
        ("pub-ca8", &campus.pub_ca8),
        ("odca-g4", &campus.odca),
        ("smime-ca", &campus.smime),
    ];
    for (name, authority) in authorities {
        write(dir, &format!("pki/{name}.pem"), &authority.pem())?;
        write(dir, &format!("pki/{name}.crl"), &campus.crl(authority, 1, &[])?)?;
    }
    write_secret(dir, "secrets/nas", &format!("{SECRET}\n"))?;
    write_secret(dir, COMMON_FILE, &format!("{COMMON}\n"))?;
    write_secret(dir, "secrets/otp", &seal)?;
    write(dir, "groups/suspended", "# one user a line\njiro@jaist.ac.jp\n")?;
    fs::create_dir_all(dir.join("state")).map_err(|error| Error(format!("state: {error}")))?;
    write_secret(dir, TOKEN, &format!("{token}\n"))?;
    write(dir, "sekisho.toml", &configuration(ports, &HEXLOWER.encode(&hash_token(token.as_bytes()))))
}

fn configuration(ports: Ports, token: &str) -> String {
    let Ports { radius, admin } = ports;
    let ours = format!("subject = {{ C = \"JP\", O = \"{}\" }}", super::campus::OURS);
    format!(
        r#"# Written by `sekisho demo`: a look-alike of a campus, on loopback only.
[server]
name = "demo"
state-dir = "state"

[listen]
auth = ["127.0.0.1:{radius}"]
admin = ["127.0.0.1:{admin}"]

[[identity]]
name = "ecdsa"
chain = "tls/server-ecdsa.pem"
key = "tls/server-ecdsa.key"

[[identity]]
name = "rsa"
chain = "tls/server-rsa.pem"
key = "tls/server-rsa.key"

# Issues members' certificates today.
[[authority]]
name = "ca16"
certificate = "pki/ca16.pem"
{ours}
revocation = "crl"
crl = ["pki/ca16.crl"]

# Issued them until 2023, and for other customers too: `subject` tells whose are ours.
# The S/MIME CA stands here by mistake, as it may: `purpose` keeps its certificates out.
[[authority]]
name = "pub-ca8"
certificate = "pki/rootca2.pem"
intermediates = ["pki/pub-ca8.pem", "pki/smime-ca.pem"]
{ours}
revocation = "crl"
crl = ["pki/rootca2.crl", "pki/pub-ca8.crl", "pki/smime-ca.crl"]

# Retired: the same anchor, another intermediate.
[[authority]]
name = "odca-g4"
certificate = "pki/rootca2.pem"
intermediates = ["pki/odca-g4.pem"]
{ours}
revocation = "crl"
crl = ["pki/rootca2.crl", "pki/odca-g4.crl"]
distrust = {{ from = 2022-01-17T00:00:00+09:00, issued-before = 2020-12-25T00:00:00+09:00 }}

[[nas]]
name = "access-points"
address = ["127.0.0.1"]
secret-file = "secrets/nas"
services = ["JAIST", "eduroam"]

# Passes EAP through, asks by name for those whose certificate it has checked, and wants a code of those whose password it has.
[[nas]]
name = "vpn"
address = ["127.0.0.2"]
secret-file = "secrets/nas"
services = ["ssl-vpn"]
methods = ["eap-tls", "authorize", "otp"]
class = false

[[service]]
name = "JAIST"
match = {{ ssid = ["JAIST"] }}
authorities = ["ca16", "pub-ca8", "odca-g4"]
identity = ["ecdsa", "rsa"]
realms = ["jaist.ac.jp", ""]
session-timeout = "8h"
vlan = "120"
rules = [
  {{ when = {{ subject = {{ OU = ["Staff"] }} }}, vlan = "110", filter-id = "staff" }},
  {{ when = {{ group = "suspended" }}, deny = true }},
]

[[service]]
name = "eduroam"
match = {{ ssid = ["eduroam"] }}
authorities = ["ca16", "pub-ca8", "odca-g4"]
realms = ["jaist.ac.jp"]
vlan = "120"

[[service]]
name = "ssl-vpn"
match = {{ nas = ["vpn"] }}
authorities = ["ca16"]
reply-username = "outer"
session-timeout = "12h"
attributes = ["Class=OU=members"]
authorize = {{ name = "san-email", password = "common", password-file = "{COMMON_FILE}" }}
otp = {{ after = "nas-password" }}

[otp]
issuer = "sekisho demo"
seal-key-file = "secrets/otp"

[[group]]
name = "suspended"
file = "groups/suspended"

# The token itself is in {TOKEN}.
[[admin.token]]
name = "demo"
sha256 = "{token}"
role = "operator"

[log]
format = "json"
language = "en"
timezone = "Asia/Tokyo"
"#
    )
}

/// A configuration for eapol_test, and the command that uses it.
pub(super) fn write_eapol_test(dir: &Path, name: &str, ssid: &str, tls: &str) -> Result<PathBuf, Error> {
    let path = |file: &str| dir.join(file).display().to_string();
    // Every other version is switched off by name: with a hole between two of them OpenSSL takes the lower.
    let other = if tls == "1.2" {
        "tls_disable_tlsv1_2=0 tls_disable_tlsv1_3=1"
    } else {
        "tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=0"
    };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# eapol_test -c {} -a 127.0.0.1 -p PORT -s {SECRET} -N30:s:02-00-00-00-00-01:{ssid}",
        path(name)
    );
    let _ = write!(
        text,
        "network={{\n  ssid=\"{ssid}\"\n  key_mgmt=WPA-EAP\n  eap=TLS\n  identity=\"@jaist.ac.jp\"\n  ca_cert=\"{}\"\n  client_cert=\"{}\"\n  private_key=\"{}\"\n  phase1=\"tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 {other}\"\n}}\n",
        path("tls/campus-server-ca.pem"),
        path("certs/hanako.pem"),
        path("certs/hanako.key"),
    );
    write(dir, name, &text)
}
