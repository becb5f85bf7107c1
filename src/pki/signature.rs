//! What a CA has signed: certificate or CRL, taken apart and checked over the raw octets.

use super::der::{BadDer, Reader, SEQUENCE, only_sequence};

/// `SIGNED{}` of X.509: the octets that are signed, by which algorithm, the signature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// The TBS element with its header: what the signature covers.
    pub(super) tbs: &'a [u8],
    /// The TBS element's value.
    pub(super) content: &'a [u8],
    /// Value of the AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// Why a signature counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadSignature {
    /// An algorithm or a key that isn't accepted: MD5, SHA-1, RSA under 2048 or over 8192 bits, a curve that is unknown.
    Weak,
    /// It was made with another key.
    Wrong,
}

impl<'a> Signed<'a> {
    pub(super) fn read(octets: &'a [u8]) -> Result<Self, BadDer> {
        let mut reader = only_sequence(octets)?;
        let signed = Self::read_from(&mut reader)?;
        reader.end()?;
        Ok(signed)
    }

    /// The same where more follows, as in an OCSP response.
    pub(super) fn read_from(reader: &mut Reader<'a>) -> Result<Self, BadDer> {
        let tbs = reader.expect_element(SEQUENCE)?;
        let algorithm = reader.expect(SEQUENCE)?;
        let signature = reader.whole_bits()?;
        Ok(Self { tbs: tbs.raw, content: tbs.value, algorithm, signature })
    }

    /// Checks the signature with a key (SubjectPublicKeyInfo).
    pub(super) fn verify(&self, spki: &[u8]) -> Result<(), BadSignature> {
        let (key_algorithm, key) = split_key(spki).map_err(|BadDer| BadSignature::Weak)?;
        let mut outcome = BadSignature::Weak;
        for algorithm in webpki::ALL_VERIFICATION_ALGS {
            if algorithm.signature_alg_id().as_ref() != self.algorithm
                || algorithm.public_key_alg_id().as_ref() != key_algorithm
            {
                continue;
            }
            if algorithm.verify_signature(key, self.tbs, self.signature).is_ok() {
                return Ok(());
            }
            outcome = BadSignature::Wrong;
        }
        Err(outcome)
    }

    /// Whether the algorithm is one that webpki verifies at all.
    pub(super) fn algorithm_is_strong(&self) -> bool {
        webpki::ALL_VERIFICATION_ALGS.iter().any(|known| known.signature_alg_id().as_ref() == self.algorithm)
    }
}

/// Algorithm and key of a SubjectPublicKeyInfo: the AlgorithmIdentifier's value, and the octets of the BIT STRING.
pub(super) fn split_key(spki: &[u8]) -> Result<(&[u8], &[u8]), BadDer> {
    let mut reader = Reader::new(Reader::new(spki).expect(SEQUENCE)?);
    Ok((reader.expect(SEQUENCE)?, reader.whole_bits()?))
}
