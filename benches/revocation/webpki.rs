//! webpki's own check, as a rustls server would have it.

use std::hint::black_box;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, BorrowedCertRevocationList, CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder, anchor_from_trusted_cert,
};

use crate::campus::{Campus, since_epoch};
use crate::shortest_of;

/// Microseconds.
pub(crate) struct Checks {
    pub(crate) owned: f64,
    pub(crate) borrowed: f64,
    /// To make an owned CRL.
    pub(crate) parse: f64,
}

pub(crate) fn measure(campus: &Campus, repeats: usize) -> Checks {
    let anchor = CertificateDer::from(campus.anchor());
    let anchor = anchor_from_trusted_cert(&anchor).expect("a good anchor");
    let parse = || OwnedCertRevocationList::from_der(&campus.crl).expect("a good CRL");
    let parsing = shortest_of(repeats.min(3), parse);
    let owned = CertRevocationList::Owned(parse());
    let borrowed = BorrowedCertRevocationList::from_der(&campus.crl).expect("a good CRL");
    let borrowed = CertRevocationList::Borrowed(borrowed);
    Checks {
        owned: shortest_of(repeats, || check(campus, &anchor, &owned)),
        borrowed: shortest_of(repeats, || check(campus, &anchor, &borrowed)),
        parse: parsing,
    }
}

fn check(campus: &Campus, anchor: &TrustAnchor<'_>, crl: &CertRevocationList<'_>) {
    let certificate = CertificateDer::from(campus.member(0));
    let crls = [crl];
    let options = RevocationOptionsBuilder::new(&crls)
        .expect("one CRL")
        .with_depth(RevocationCheckDepth::EndEntity)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(since_epoch().as_secs()));
    let usage = KeyUsage::client_auth();
    let anchors = std::slice::from_ref(anchor);
    let certificate = EndEntityCert::try_from(&certificate).expect("a good certificate");
    let path = certificate.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, &[], now, usage, Some(options), None);
    black_box(path.expect("a member who isn't revoked"));
}
