//! NIST's PKITS: certificates and CRLs about every rule of path validation. What each case is to show is in a document beside;
//! here those are judged whose name says whether they are valid.

mod suites;

use std::path::{Path, PathBuf};

use sekisho::now::Wall;
use sekisho::pki::Trust;

use suites::{Case, Tally};

/// The trust anchor of all cases.
const ANCHOR: &str = "TrustAnchorRootCertificate";

/// 2025-01-01: within the suite's 2010 to 2030.
const NOW: Wall = Wall(1_735_689_600);

fn folder() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pkits");
    let folder = std::env::var_os("PKITS_DATA").map_or_else(built, PathBuf::from);
    assert!(
        folder.is_dir(),
        "there is no {}: `tests/run --setup` puts PKITS there, PKITS_DATA names another",
        folder.display()
    );
    folder
}

/// The files of a folder: their names without extension, and what is in them.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("a folder that can be read").path();
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), suites::read(&path))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn p02_pkits_comes_out_as_named_but_for_the_explained_exceptions() {
    let folder = folder();
    let (leaves, cas): (Vec<_>, Vec<_>) =
        files(&folder.join("certs")).into_iter().partition(|(name, _)| name.ends_with("EE"));
    let (anchors, cas): (Vec<_>, Vec<_>) = cas.into_iter().partition(|(name, _)| name == ANCHOR);
    let contents = |files: Vec<(String, Vec<u8>)>| files.into_iter().map(|(_, der)| der).collect::<Vec<_>>();
    let (anchors, cas, crls) = (contents(anchors), contents(cas), contents(files(&folder.join("crls"))));
    let mut tally = Tally::default();
    for (name, leaf) in &leaves {
        let id = name.trim_end_matches("EE");
        if id.starts_with("Valid") || id.starts_with("Invalid") {
            let case =
                Case { leaf, anchors: &anchors, intermediates: &cas, crls: Some(&crls), purposes: &[], now: NOW };
            tally.add(id, id.starts_with("Valid"), case.is_accepted());
        }
    }
    tally.compare("PKITS", include_str!("pkits.exceptions"));
}

/// The leaf of case 4.14.13 is a CA's certificate, so no login shows what the case is about: there, as a CA, the CRL that is about CAs only covers it.
#[test]
fn p02_the_crl_of_the_case_whose_leaf_is_a_ca_covers_that_ca() {
    let folder = folder();
    let certificate = |name: &str| suites::read(&folder.join(format!("certs/{name}.crt")));
    let cas = ["onlyContainsCACertsCACert", "ValidonlyContainsCACertsTest13EE"].map(certificate);
    let crls = ["TrustAnchorRootCRL", "onlyContainsCACertsCACRL"];
    let crls = crls.map(|name| suites::read(&folder.join(format!("crls/{name}.crl"))));
    let anchor = certificate(ANCHOR);
    // Of whose CRLs there is none, where there are these.
    let missing = |crls: &[Vec<u8>]| {
        let case = Case { leaf: &[], anchors: &[], intermediates: &[], crls: Some(crls), purposes: &[], now: NOW };
        let settings = case.authority(0, &anchor, &cas.each_ref().map(Vec::as_slice));
        let (trust, _) = Trust::new(&[settings], NOW).expect("two CAs below the anchor");
        let coverage = trust.coverage(&case.revocation(&trust), &|_, _| false, NOW);
        coverage.into_iter().flat_map(|coverage| coverage.gaps).map(|gap| gap.issuer).collect::<Vec<_>>()
    };
    let is_missing = |gaps: &[String]| gaps.iter().any(|issuer| issuer.starts_with("CN=onlyContainsCACerts CA,"));
    assert!(is_missing(&missing(&crls[..1])), "{:?}", missing(&crls[..1]));
    assert!(!is_missing(&missing(&crls)), "{:?}", missing(&crls));
}
