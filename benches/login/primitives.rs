//! The cryptographic primitives of a login, alone, by the libraries that the server uses.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey as Theirs, X25519, agree_ephemeral};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use crate::campus::KeyKind;
use crate::world::SECRET;

/// About what is signed in a handshake.
const SIGNED: [u8; 146] = [7; 146];
/// Longest packet.
const PACKET: [u8; 4_096] = [7; 4_096];

/// Which primitives a login performs on the server's side, and how often.
pub(crate) struct Work {
    /// The server's signature.
    pub(crate) sign: Option<KeyKind>,
    /// The client's key, and that of its issuer.
    pub(crate) verify: KeyKind,
    pub(crate) verifications: usize,
    /// An X25519 key made and agreed with.
    pub(crate) agreement: bool,
    /// Octets of each request and its answer.
    pub(crate) packets: Vec<(usize, usize)>,
}

/// Keys and signatures to work with.
pub(crate) struct Primitives {
    random: SystemRandom,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    rsa_signature: Vec<u8>,
    p256_signature: Vec<u8>,
    theirs: Vec<u8>,
    hmac: Hmac<Md5>,
}

impl Primitives {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let theirs = EphemeralPrivateKey::generate(&X25519, &random).and_then(|key| key.compute_public_key());
        Self {
            rsa_signature: sign_rsa(&rsa, &random),
            p256_signature: sign_p256(&p256, &random),
            theirs: theirs.expect("a key").as_ref().to_vec(),
            hmac: <Hmac<Md5> as KeyInit>::new_from_slice(SECRET).expect("any length"),
            random,
            rsa,
            p256,
        }
    }

    /// Does a login's work; how long it took.
    pub(crate) fn run(&self, work: &Work) -> Duration {
        let begun = Instant::now();
        if let Some(kind) = work.sign {
            self.sign(kind);
        }
        for _ in 0..work.verifications {
            self.verify(work.verify);
        }
        if work.agreement {
            self.agree();
        }
        for (request, answer) in &work.packets {
            self.authenticate(*request, *answer);
        }
        begun.elapsed()
    }

    fn sign(&self, kind: KeyKind) {
        black_box(match kind {
            KeyKind::Rsa => sign_rsa(&self.rsa, &self.random),
            KeyKind::P256 => sign_p256(&self.p256, &self.random),
        });
    }

    fn verify(&self, kind: KeyKind) {
        let message = black_box(&SIGNED);
        match kind {
            KeyKind::Rsa => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.rsa.public_key().as_ref())
                .verify(message, &self.rsa_signature),
            KeyKind::P256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.p256.public_key().as_ref())
                .verify(message, &self.p256_signature),
        }
        .expect("its own signature");
    }

    fn agree(&self) {
        let ours = EphemeralPrivateKey::generate(&X25519, &self.random).expect("a key");
        black_box(ours.compute_public_key().expect("its public half"));
        let secret = agree_ephemeral(ours, Theirs::new(&X25519, &self.theirs), (), |secret| Ok(secret[0]));
        black_box(secret).expect("a secret");
    }

    /// Message-Authenticator of both, Response Authenticator of the answer.
    fn authenticate(&self, request: usize, answer: usize) {
        let [request, answer] = [request, answer].map(|length| black_box(&PACKET[..length]));
        black_box(self.hmac.clone().chain_update(request).finalize());
        black_box(self.hmac.clone().chain_update(answer).finalize());
        black_box(Md5::new().chain_update(answer).chain_update(SECRET).finalize());
    }
}

impl fmt::Display for Primitives {
    /// One by one, in µs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in [KeyKind::Rsa, KeyKind::P256] {
            let (sign, verify) = (median(|| self.sign(kind)), median(|| self.verify(kind)));
            write!(f, "{kind} sign {sign:.1} µs, verify {verify:.1}; ")?;
        }
        let (agree, packets) = (median(|| self.agree()), median(|| self.authenticate(300, 1_300)));
        writeln!(f, "X25519 {agree:.1}; HMAC-MD5 of 300 octets, HMAC-MD5 and MD5 of 1,300: {packets:.1}")
    }
}

fn sign_rsa(key: &RsaKeyPair, random: &SystemRandom) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, random, &SIGNED, &mut signature).expect("a signature");
    signature
}

fn sign_p256(key: &EcdsaKeyPair, random: &SystemRandom) -> Vec<u8> {
    key.sign(random, &SIGNED).expect("a signature").as_ref().to_vec()
}

fn median(work: impl Fn()) -> f64 {
    let time = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    crate::median((0..101).map(time).collect())
}
