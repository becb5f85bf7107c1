//! A CA of the configuration, and its ways to the anchors.

use super::facts::Link;

/// A CA as issuer of certificates or CRLs.
#[derive(Debug)]
pub(super) struct Ca {
    pub(super) id: [u8; 32],
    /// Its subject, DER.
    pub(super) subject: Vec<u8>,
    /// The same as [`super::name::id`] has it.
    pub(super) name: u64,
    /// RFC 4514
    pub(super) text: String,
    /// SubjectPublicKeyInfo, DER.
    pub(super) spki: Vec<u8>,
    /// False: its certificate is there to sign CRLs only.
    pub(super) is_ca: bool,
    pub(super) crl_sign: bool,
    /// Its ways to anchors, one of each table that has it.
    pub(super) paths: Vec<CaPath>,
}

/// A CA's way to an anchor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CaPath {
    /// The anchor's id.
    pub(super) anchor: [u8; 32],
    /// Its own certificate and those above, without the anchor.
    pub(super) links: Vec<Link>,
}

impl Ca {
    /// Its ways to an anchor that the other has, too: who signs CRLs about a CA must be below the same one.
    pub(super) fn paths_beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a CaPath> {
        let shared = |path: &&CaPath| other.paths.iter().any(|others| others.anchor == path.anchor);
        self.paths.iter().filter(shared)
    }

    /// Whether it has issued a certificate that the other CA has.
    pub(super) fn has_certified(&self, other: &Self) -> bool {
        other.paths.iter().filter_map(|path| path.links.first()).any(|link| link.issuer == self.id)
    }
}
