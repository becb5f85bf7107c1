//! Server certificates that some client refuses: `check` says so before the users do.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, date_time_ymd};

use crate::campus::{Campus, Loaded, server};
use crate::support::certificates::{Authority, authority, names_responder};
use crate::{BASE, and};

/// What is found about a server certificate that differs from a good one.
fn with(change: impl FnOnce(&mut CertificateParams)) -> Loaded {
    let campus = Campus::new();
    let mut params = server();
    change(&mut params);
    campus.identity("server", &authority("Server CA", None), params);
    campus.load(BASE)
}

/// That this one warning comes, and the server starts all the same.
#[track_caller]
fn warns(change: impl FnOnce(&mut CertificateParams), text: &str) {
    let loaded = with(change);
    loaded.warning("identity[0].chain", "\"tls/server.pem\"", text).only(1);
    assert!(loaded.config.is_some());
}

#[test]
fn a_good_one_is_not_complained_of() {
    with(|_| {}).good();
}

#[test]
fn over_397_days_apple() {
    warns(|params| params.not_after = date_time_ymd(2027, 10, 5), "Apple's devices refuse more than 397");
    with(|params| params.not_after = date_time_ymd(2027, 10, 3)).good();
}

#[test]
fn a_wildcard_windows() {
    warns(
        |params| params.subject_alt_names.push(SanType::DnsName("*.campus.example".try_into().unwrap())),
        "the wildcard \"*.campus.example\": Windows",
    );
}

#[test]
fn no_critical_basic_constraints_macos() {
    warns(|params| params.is_ca = IsCa::NoCa, "critical basicConstraints CA:FALSE: macOS");
}

#[test]
fn cn_not_among_the_sans() {
    let other = || SanType::DnsName("radius2.campus.example".try_into().unwrap());
    warns(
        |params| params.subject_alt_names = vec![other()],
        "isn't among its subjectAltNames (radius2.campus.example)",
    );
}

#[test]
fn no_san_at_all() {
    warns(|params| params.subject_alt_names.clear(), "no DNS name in subjectAltName");
}

#[test]
fn no_server_auth() {
    let client = || vec![ExtendedKeyUsagePurpose::ClientAuth];
    warns(|params| params.extended_key_usages = client(), "lacks the extended key usage serverAuth");
    warns(|params| params.extended_key_usages.clear(), "lacks the extended key usage serverAuth");
}

#[test]
fn no_digital_signature() {
    warns(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment], "lacks digitalSignature");
}

#[test]
fn expired_or_soon_or_not_yet() {
    warns(|params| params.not_after = date_time_ymd(2026, 11, 1), "EXPIRED on 2026-11-01");
    warns(|params| params.not_after = date_time_ymd(2026, 12, 1), "within 30 days");
    warns(|params| params.not_before = date_time_ymd(2026, 12, 1), "valid from 2026-12-01 on only");
}

#[test]
fn a_responder_that_cannot_be_asked() {
    let campus = Campus::new();
    let root = authority("Server Root", None);
    let issuing = authority("Server Issuing CA", Some(&root));
    let key = "identity[0].chain";
    let at = "\"tls/server.pem\"";
    let load = |url: &str, ca: &Authority, behind: &[&Authority], fetch: &str| {
        let mut params = server();
        params.custom_extensions = vec![names_responder(url)];
        let leaf = campus.identity("server", ca, params);
        let chain: String = behind.iter().map(|ca| ca.pem()).collect();
        campus.write("tls/server.pem", leaf + &chain);
        campus.load(&and(fetch))
    };
    let public = "http://ocsp.example/";
    load(public, &issuing, &[&issuing], "").good();
    load(public, &issuing, &[], "")
        .warning(key, at, "names an OCSP responder, but the chain holds the server's certificate alone")
        .only(1);
    let inside = "http://10.0.0.1/";
    load(inside, &issuing, &[&issuing], "").warning(key, at, "allow = [\"10.0.0.1\"]").only(1);
    load(inside, &issuing, &[&issuing], "[fetch]\nallow = [\"10.0.0.0/8\"]\n").good();
    load(public, &root, &[&root], "").warning(key, at, "leave it out, unless devices insist").only(1);
}

#[test]
fn a_root_in_the_chain() {
    let campus = Campus::new();
    let root = authority("Server CA", None);
    let leaf = campus.identity("server", &root, server());
    campus.write("tls/server.pem", leaf + &root.pem());
    campus.load(BASE).warning("identity[0].chain", "\"tls/server.pem\"", "is a root").only(1);
}

#[test]
fn a_chain_in_the_wrong_order() {
    let campus = Campus::new();
    let root = authority("Server Root", None);
    let upper = authority("Server Upper CA", Some(&root));
    let lower = authority("Server Lower CA", Some(&upper));
    let leaf = campus.identity("server", &lower, server());
    campus.write("tls/server.pem", format!("{leaf}{}{}", lower.pem(), upper.pem()));
    campus.load(BASE).good();
    campus.write("tls/server.pem", format!("{leaf}{}{}", upper.pem(), lower.pem()));
    campus.load(BASE).warning("identity[0].chain", "\"tls/server.pem\"", "wrong order");
    campus.write("tls/server.pem", format!("{leaf}{}", authority("Stranger", Some(&root)).pem()));
    campus.load(BASE).warning("identity[0].chain", "\"tls/server.pem\"", "is not the issuer").only(1);
}

#[test]
fn a_key_of_another_certificate_is_an_error() {
    let campus = Campus::new();
    let server_ca = authority("Server CA", None);
    let leaf = campus.identity("server", &server_ca, server());
    campus.identity("server", &server_ca, server());
    campus.write("tls/server.pem", leaf);
    let loaded = campus.load(BASE);
    let [only] = loaded.errors()[..] else { panic!("{:#?}", loaded.shown()) };
    assert!(only.key.starts_with("identity[0]."), "{only}");
}

#[test]
fn a_key_that_is_encrypted_or_none_is_an_error() {
    let campus = Campus::new();
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    campus.write("tls/server.key", pem);
    campus.load(BASE).error("identity[0].key", "\"tls/server.key\"", "is encrypted").only(1);
    campus.write("tls/server.key", "");
    campus.load(BASE).error("identity[0].key", "\"tls/server.key\"", "no private key (PKCS#8").only(1);
}

#[test]
fn a_chain_that_is_none_is_an_error() {
    let campus = Campus::new();
    campus.write("tls/server.pem", "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
    campus.load(BASE).error("identity[0].chain", "\"tls/server.pem\"", "can't be read");
}
