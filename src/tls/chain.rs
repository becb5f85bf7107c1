//! What a client may send as its chain.

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

/// Most certificates of a client's chain.
pub const MAX_CHAIN: usize = 6;
/// Most octets of a client's chain, all certificates together.
const MAX_CHAIN_OCTETS: usize = 32 * 1024;
/// Longest SubjectPublicKeyInfo of a client: RSA with 8192 bits takes about 1,062 octets. Beyond, one verification costs more than a handshake should.
const MAX_PUBLIC_KEY: usize = 1_100;

/// Why a chain isn't looked at.
#[derive(Debug)]
pub enum Unfit {
    /// It is over a bound.
    TooMuch(String),
    /// Its leaf can't be read.
    Unreadable(rustls::Error),
}

/// A client's chain, leaf first, if it is within its bounds. Nothing of it is believed yet.
///
/// # Errors
/// It is over a bound, or its leaf can't be read.
pub fn client_chain(
    leaf: &CertificateDer<'_>,
    rest: &[CertificateDer<'_>],
) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let certificates = rest.len().saturating_add(1);
    let octets = rest.iter().fold(leaf.len(), |sum, certificate| sum.saturating_add(certificate.len()));
    if certificates > MAX_CHAIN || octets > MAX_CHAIN_OCTETS {
        return Err(Unfit::TooMuch(format!("the client's chain has {certificates} certificates and {octets} octets")));
    }
    let public_key = ParsedCertificate::try_from(leaf).map_err(Unfit::Unreadable)?.subject_public_key_info().len();
    if public_key > MAX_PUBLIC_KEY {
        return Err(Unfit::TooMuch(format!("the client's public key has {public_key} octets")));
    }
    Ok(std::iter::once(leaf).chain(rest).map(|certificate| certificate.clone().into_owned()).collect())
}
