//! What an administrator may write down as an authority: an anchor and intermediates of any kind.

use sekisho::pki::{Revocation, Trust};

use super::campus::{MEMBER, NOW, ROOT, authority, campus};
use super::der::elements;

/// Prepares an authority: certificates in DER, the first as anchor of the others; then all as intermediates of the campus' root.
pub fn run(data: &[u8]) -> bool {
    let certificates = elements(data);
    let adopted: Vec<_> = certificates.iter().filter_map(|der| campus().adopt(der)).collect();
    let adopted: Vec<_> = adopted.iter().map(Vec::as_slice).collect();
    let alone = certificates.split_first().is_some_and(|(anchor, others)| prepare(anchor, others));
    prepare(ROOT, &adopted) && !adopted.is_empty() || alone
}

fn prepare(anchor: &[u8], intermediates: &[&[u8]]) -> bool {
    let settings = authority("fuzzed", anchor, intermediates);
    match Trust::new(&[settings], NOW.wall) {
        Ok((trust, warnings)) => {
            assert!(warnings.iter().all(|finding| finding.warning), "{warnings:?}");
            assert_eq!(trust.authorities().count(), 1);
            let _ = trust.coverage(&Revocation::default(), &|_, _| false, NOW.wall);
            let _ = trust.locations().count();
            let _ = trust.facts(&[MEMBER]);
            true
        }
        Err(findings) => {
            assert!(findings.iter().any(|finding| !finding.warning), "{findings:?}");
            false
        }
    }
}
