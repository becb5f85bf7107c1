//! NIST's PKITS: certificates and CRLs about every rule of path validation. What each case is to show is in a document beside;
//! here those are judged whose name says whether they are valid.

mod suites;

use std::path::{Path, PathBuf};

use sekisho::now::Wall;

use suites::{Case, Tally};

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
    let (anchors, cas): (Vec<_>, Vec<_>) = cas.into_iter().partition(|(name, _)| name == "TrustAnchorRootCertificate");
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
