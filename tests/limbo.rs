//! x509-limbo: cases about certification paths that others collected, each with the result that is expected of it.
//!
//! Names of servers are left out: a RADIUS server looks up nobody by a host name.

mod suites;

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use sekisho::now::Wall;
use serde_json::Value;

use suites::{Case, Tally};

/// When cases that name no time are judged: 2026-01-01.
const NOW: Wall = Wall(1_767_225_600);

/// The file, or `None` where the suite is to be left out.
fn file() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/x509-limbo.json");
    let path = std::env::var_os("X509_LIMBO").map_or_else(beside, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    let missing = format!(
        "there is no {}: put x509-limbo's limbo.json there, or name it in X509_LIMBO (no package has it)",
        path.display()
    );
    let without = std::env::var("SEKISHO_WITHOUT_LIMBO").is_ok_and(|value| value == "1");
    assert!(without, "{missing}; with SEKISHO_WITHOUT_LIMBO=1 this suite is left out");
    eprintln!("x509-limbo is NOT tested: {missing}");
    None
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text")).collect()
}

fn certificate(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate in PEM").to_vec()
}

fn crl(pem: &str) -> Vec<u8> {
    CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).expect("a CRL in PEM").to_vec()
}

fn is_accepted(case: &Value) -> bool {
    let certificates = |key: &str| texts(&case[key]).into_iter().map(certificate).collect::<Vec<_>>();
    let crls: Vec<_> = texts(&case["crls"]).into_iter().map(crl).collect();
    let purposes: Vec<_> = texts(&case["extended_key_usage"]).into_iter().map(str::to_owned).collect();
    let time = case["validation_time"].as_str();
    let now = time.map(|text| text.parse::<jiff::Timestamp>().expect("a time"));
    let case = Case {
        leaf: &certificate(case["peer_certificate"].as_str().expect("a text")),
        anchors: &certificates("trusted_certs"),
        intermediates: &certificates("untrusted_intermediates"),
        crls: (!crls.is_empty()).then_some(&crls),
        purposes: &purposes,
        now: now.map_or(NOW, |time| Wall(time.as_second())),
    };
    case.is_accepted()
}

#[test]
fn p01_x509_limbo_comes_out_as_expected_but_for_the_explained_exceptions() {
    let Some(file) = file() else { return };
    let suite: Value = serde_json::from_slice(&suites::read(&file)).expect("x509-limbo is JSON");
    let mut tally = Tally::default();
    for case in suite["testcases"].as_array().expect("a list of cases") {
        let id = case["id"].as_str().expect("a text");
        tally.add(id, case["expected_result"] == "SUCCESS", is_accepted(case));
    }
    tally.compare("x509-limbo", include_str!("limbo.exceptions"));
}
