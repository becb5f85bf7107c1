//! A client's chain: as it is, and as a CA of the campus would have signed its leaf.

use sekisho::pki::claimed;

use super::campus::campus;
use super::der::elements;

/// Judges certificates in DER, one after the other, leaf first.
pub fn run(data: &[u8]) -> bool {
    let campus = campus();
    let chain = elements(data);
    let mut reached = false;
    let _ = chain.first().map(|leaf| claimed(leaf));
    let adopted = chain.first().and_then(|leaf| campus.adopt(leaf));
    let others = chain.get(1..).unwrap_or_default();
    let chains = [Some(chain.clone()), adopted.as_deref().map(|leaf| [&[leaf], others].concat())];
    for chain in chains.into_iter().flatten() {
        match campus.trust.facts(&chain) {
            Ok(facts) => {
                reached = true;
                assert!(claimed(chain[0]).is_some(), "a certificate that was judged has a name");
                campus.judge(&facts);
                campus.through_a_ticket(&facts);
            }
            Err(no_path) => assert!(!no_path.evidence.is_empty(), "a refusal says why"),
        }
    }
    reached
}
