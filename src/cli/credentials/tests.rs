//! The PKCS#12 files beside this are of one certificate, its intermediate and root, made by OpenSSL 3.0: `openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile above.pem`, `legacy.p12` with `-legacy`.

use std::path::PathBuf;

use super::*;
use crate::supplicant::tests::server::Pki;
use crate::support::scratch::Scratch;

const MODERN: &[u8] = include_bytes!("tests/modern.p12");
const LEGACY: &[u8] = include_bytes!("tests/legacy.p12");
const NO_PASSWORD: &[u8] = include_bytes!("tests/no-password.p12");
const NO_KEY: &[u8] = include_bytes!("tests/no-key.p12");
const LEAF: &[u8] = include_bytes!("tests/leaf.pem");
const ENCRYPTED_KEY: &[u8] = include_bytes!("tests/encrypted-key.pem");

fn pencil() -> Secret {
    Secret::new(*b"pencil")
}

fn armoured(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", data_encoding::BASE64_MIME.encode(der))
}

/// The certificate and key of a PKI in one PEM file, the authority in another.
pub(crate) fn files(pki: &Pki) -> (Scratch, [PathBuf; 2]) {
    let folder = Scratch::new();
    let credential = armoured("CERTIFICATE", &pki.client) + &armoured("PRIVATE KEY", pki.client_key.expose());
    let paths =
        [folder.write("credential.pem", credential), folder.write("ca.pem", armoured("CERTIFICATE", &pki.authority))];
    (folder, paths)
}

#[test]
fn pkcs12_of_both_kinds_gives_leaf_intermediate_and_key_without_the_root() {
    let leaf = pem::certificates(LEAF).unwrap().remove(0);
    for octets in [MODERN, LEGACY] {
        let credential = from_pkcs12(octets, Some(&pencil())).unwrap();
        assert_eq!(credential.chain.len(), 2);
        assert_eq!(credential.chain[0], leaf);
        assert!(belongs(&leaf, credential.key.expose()));
        let intermediate = parse_certificate(&credential.chain[1]).unwrap();
        assert_eq!(parse_certificate(&leaf).unwrap().issuer(), intermediate.subject());
    }
}

#[test]
fn pkcs12_may_have_an_empty_password() {
    assert_eq!(from_pkcs12(NO_PASSWORD, None).unwrap().chain.len(), 2);
}

#[test]
fn pkcs12_with_another_password_or_without_a_key_is_refused_in_a_sentence() {
    for octets in [MODERN, LEGACY] {
        assert_eq!(from_pkcs12(octets, Some(&Secret::new(*b"pen"))).unwrap_err(), "the password is wrong");
        assert_eq!(from_pkcs12(octets, None).unwrap_err(), "the password is wrong");
    }
    assert!(from_pkcs12(NO_KEY, Some(&pencil())).unwrap_err().contains("no private key"));
    assert!(from_pkcs12(b"neither", None).unwrap_err().contains("neither PEM nor PKCS#12"));
}

#[test]
fn pem_holds_chain_and_key_in_one_file_or_two() {
    let pki = Pki::new();
    let certificates = armoured("CERTIFICATE", &pki.client) + &armoured("CERTIFICATE", &pki.authority);
    let key = armoured("PRIVATE KEY", pki.client_key.expose());
    let folder = Scratch::new();
    let together = folder.write("together", certificates.clone() + &key);
    let (apart, key) = (folder.write("apart", certificates), folder.write("key", key));
    for credential in [read(&together, None, None).unwrap(), read(&apart, Some(&key), None).unwrap()] {
        assert_eq!(credential.chain, [pki.client.clone(), pki.authority.clone()]);
        assert_eq!(credential.key, pki.client_key);
    }
    assert!(read(&apart, None, None).unwrap_err().ends_with("in it; --key names its file"));
}

#[test]
fn der_is_read_too() {
    let pki = Pki::new();
    let folder = Scratch::new();
    let (certificate, key) = (folder.write("certificate", &pki.client), folder.write("key", pki.client_key.expose()));
    let credential = read(&certificate, Some(&key), None).unwrap();
    assert_eq!((credential.chain, credential.key), (vec![pki.client.clone()], pki.client_key));
    assert_eq!(read_certificates(&certificate).unwrap(), [pki.client]);
}

#[test]
fn what_can_not_be_read_is_said_with_the_files_name() {
    let folder = Scratch::new();
    let garbage = folder.write("garbage", "garbage");
    let name = garbage.display().to_string();
    assert!(read(&garbage, None, None).unwrap_err().starts_with(&name));
    assert!(read_certificates(&garbage).unwrap_err().starts_with(&name));
    assert!(read_certificates(&garbage.join("missing")).unwrap_err().starts_with(&name));
    assert!(pem::private_key(ENCRYPTED_KEY).unwrap_err().to_string().contains("is encrypted"));
    assert_eq!(pem::certificates(ENCRYPTED_KEY).unwrap_err(), "no certificate in it");
}

#[test]
fn a_secret_is_the_first_line_of_its_file() {
    let folder = Scratch::new();
    for text in ["open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nanother line\n"] {
        assert_eq!(read_secret(&folder.write("secret", text)).unwrap(), Secret::new(*b"open sesame"));
    }
}

#[test]
fn mail_addresses_come_from_the_certificate() {
    assert_eq!(mail_addresses(&Pki::new().client), ["taro@example.ac.jp"]);
    assert_eq!(mail_addresses(b"no certificate"), Vec::<String>::new());
}
