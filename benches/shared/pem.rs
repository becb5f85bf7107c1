//! What files hold: DER in PEM's clothes.

use data_encoding::BASE64;

pub(crate) fn certificate(der: &[u8]) -> String {
    labelled("CERTIFICATE", der)
}

/// PKCS#8.
pub(crate) fn key(der: &[u8]) -> String {
    labelled("PRIVATE KEY", der)
}

pub(crate) fn labelled(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
