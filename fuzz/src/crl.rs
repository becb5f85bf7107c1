//! A CRL: as it is, and as a CA of the campus would have signed it.

use std::sync::Arc;

use sekisho::event::Reason;
use sekisho::now::Wall;
use sekisho::pki::{Crl, Facts, Revocation, Vanished, verdict};
use webpki::{BorrowedCertRevocationList, CertRevocationList};

use super::campus::{MEMBER, NOW, REVOKED, ROOT_CRL, campus, load};

/// Loads a CRL (DER or PEM), and looks certificates up in it.
pub fn run(data: &[u8]) -> bool {
    let adopted = campus().adopt(data);
    let found = [Some(data), adopted.as_deref()].map(|octets| octets.is_some_and(judge));
    found.contains(&true)
}

fn judge(octets: &[u8]) -> bool {
    let campus = campus();
    let Some(crl) = load(octets, &campus.trust).map(Arc::new) else { return false };
    let before = Arc::new(load(ROOT_CRL, &campus.trust).expect("a good CRL"));
    let _ = (crl.summary(), crl.supersedes(&before), before.supersedes(&crl));
    assert!(crl.supersedes(&crl), "a CRL may come twice");
    let alone = Revocation::new(vec![crl.clone()]);
    succeed(octets, &alone, &before);
    let both = Revocation::new(vec![before, crl]);
    let _ = campus.trust.coverage(&alone, &|_, _| false, NOW.wall);
    for leaf in [MEMBER, REVOKED] {
        let facts = campus.trust.facts(&[leaf]).expect("a good certificate");
        for now in [NOW.wall, Wall(i64::MIN), Wall(i64::MAX)] {
            let _ = verdict(&campus.trust, &both, &facts, now);
        }
        if is_listed(octets, &facts) {
            let found = verdict(&campus.trust, &alone, &facts, NOW.wall);
            assert_eq!(found.finding, Reason::Revoked, "what is listed is revoked: {found:?}");
        }
    }
    true
}

/// What follows a CRL: itself, of which nothing has disappeared, and another.
fn succeed(octets: &[u8], alone: &Revocation, other: &Arc<Crl>) {
    let again = load(octets, &campus().trust).map(Arc::new).expect("it has been loaded before");
    let (_, disappeared) = Revocation::new(vec![again]).succeed(alone, NOW.wall);
    assert_eq!(disappeared.count, 0, "{disappeared:?}");
    let (next, disappeared) = Revocation::new(vec![Arc::clone(other)]).succeed(alone, NOW.wall);
    let (back, faults) = Vanished::read(&next.vanished().page(), disappeared.count);
    assert!(faults.is_empty() && back.entries().eq(next.vanished().entries()), "{faults:?}");
}

/// Whether another implementation finds the certificate on the CRL, if it can read it.
fn is_listed(octets: &[u8], facts: &Facts) -> bool {
    let Ok(crl) = BorrowedCertRevocationList::from_der(octets) else { return false };
    matches!(CertRevocationList::from(crl).find_serial(&facts.serial), Ok(Some(_)))
}
