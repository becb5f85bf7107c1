//! SHA-256, by which certificates, CAs and distribution points are known; SHA-1 only where others name things by it.

use aws_lc_rs::digest;

/// Of these octets, one after the other.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut output = [0; 32];
    output.copy_from_slice(context.finish().as_ref());
    output
}

/// SHA-1, which OCSP names CAs by: no proof of anything.
pub(super) fn sha1(octets: &[u8]) -> [u8; 20] {
    let mut output = [0; 20];
    output.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref());
    output
}
