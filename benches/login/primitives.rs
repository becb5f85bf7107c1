//! The cryptographic primitives of a login, alone, by the libraries that the server uses.

use std::fmt;
use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, RandomizedNonceKey};
use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey as Theirs, X25519, agree_ephemeral};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use aws_lc_rs::{digest, hkdf, hmac as keyed};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sekisho::event::TlsVersion;

use crate::campus::KeyKind;
use crate::world::SECRET;

/// About what the server signs in a handshake, and in TLS 1.3 the client. With an RSA key it is RSASSA-PSS with SHA-512, the first of what rustls offers and takes.
const SIGNED: [u8; 146] = [7; 146];
/// About what is signed of a certificate, and how long it is.
const TBS: [u8; 700] = [7; 700];
/// Of each packet, what isn't TLS: RADIUS, its other attributes, EAP.
const AROUND: usize = 180;
/// Octets of both hellos, which nothing seals.
const HELLOS: usize = 500;
/// Octets that TLS 1.2's CertificateVerify doesn't sign: itself and what comes after it, but for the ticket.
const UNSIGNED: usize = 380;
/// Octets of a ticket, and of the protected success, each as a record.
const TICKET: usize = 350;
const SUCCESS: usize = 24;
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
    /// Whose key schedule it is, and whether a session is resumed.
    pub(crate) version: TlsVersion,
    pub(crate) resumed: bool,
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
    rsa_on_certificate: Vec<u8>,
    p256_on_certificate: Vec<u8>,
    theirs: Vec<u8>,
    hmac: Hmac<Md5>,
    mac: keyed::Key,
    aes128: RandomizedNonceKey,
    aes256: RandomizedNonceKey,
}

impl Primitives {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let theirs = EphemeralPrivateKey::generate(&X25519, &random).and_then(|key| key.compute_public_key());
        Self {
            rsa_signature: sign_rsa(&rsa, &RSA_PSS_SHA512, &random, &SIGNED),
            p256_signature: sign_p256(&p256, &random, &SIGNED),
            rsa_on_certificate: sign_rsa(&rsa, &RSA_PKCS1_SHA256, &random, &TBS),
            p256_on_certificate: sign_p256(&p256, &random, &TBS),
            mac: keyed::Key::new(keyed::HMAC_SHA256, &[7; 32]),
            aes128: aead(&AES_128_GCM),
            aes256: aead(&AES_256_GCM),
            theirs: theirs.expect("a key").as_ref().to_vec(),
            hmac: <Hmac<Md5> as KeyInit>::new_from_slice(SECRET).expect("any length"),
            random,
            rsa,
            p256,
        }
    }

    /// Does a login's work.
    pub(crate) fn run(&self, work: &Work) {
        if let Some(kind) = work.sign {
            self.sign(kind);
        }
        for index in 0..work.verifications {
            self.verify(work.verify, index > 0);
        }
        if work.agreement {
            self.agree();
        }
        for (request, answer) in &work.packets {
            self.authenticate(*request, *answer);
        }
        let octets = work.packets.iter().map(|(request, answer)| (request + answer).saturating_sub(2 * AROUND)).sum();
        match work.version {
            TlsVersion::Tls12 => self.tls12(octets, work),
            TlsVersion::Tls13 => self.tls13(octets, work.resumed),
        }
        self.around_the_handshake(work);
    }

    /// Extended master secret, keys, both Finished, the exporter's 128 octets: two HMACs for each 32 octets of the PRF (RFC 5246 section 5).
    fn tls12(&self, octets: usize, work: &Work) {
        for length in [48_usize, 40, 12, 12, 128] {
            for _ in 0..length.div_ceil(32) * 2 {
                black_box(keyed::sign(&self.mac, black_box(&SIGNED[..100])));
            }
        }
        self.transcript(octets, 4);
        if !work.resumed {
            // A session id.
            self.random::<32>();
            self.signed_by_the_client(octets.saturating_sub(UNSIGNED + TICKET), work.verify);
        }
        // Both Finished are all that is sealed.
        self.seal(&self.aes128, 40);
        self.seal(&self.aes128, 40);
        self.random::<32>();
    }

    /// The key schedule of RFC 8446 section 7.1: three secrets extracted; derived twice, the traffic secrets of both sides twice, key and IV of each, both Finished, resumption and its PSK, the exporter's master and two exports of two steps each.
    fn tls13(&self, octets: usize, resumed: bool) {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[7; 32]);
        let secrets = [(); 3].map(|()| salt.extract(black_box(&[7; 32])));
        let binder = if resumed { 3 } else { 0 };
        for _ in 0..2 + 4 + 8 + 2 + 2 + 1 + 2 + binder {
            expand::<32>(&secrets[0]);
        }
        expand::<64>(&secrets[0]);
        expand::<128>(&secrets[0]);
        for _ in 0..2 + binder / 3 {
            black_box(keyed::sign(&self.mac, &SIGNED[..32]));
        }
        self.transcript(octets, 8);
        self.seal(&self.aes128, octets.saturating_sub(HELLOS));
        self.seal(&self.aes128, TICKET);
        self.seal(&self.aes128, SUCCESS);
        self.random::<32>();
        self.random::<32>();
        self.random::<4>();
    }

    /// TLS 1.2's CertificateVerify is over all messages before it (RFC 5246 section 7.4.8), by a hash of its own, which begins when the client has said which.
    fn signed_by_the_client(&self, octets: usize, kind: KeyKind) {
        let algorithm = match kind {
            KeyKind::Rsa => &digest::SHA512,
            KeyKind::P256 => &digest::SHA256,
        };
        let mut hash = digest::Context::new(algorithm);
        hash.update(black_box(&PACKET[..octets.min(PACKET.len())]));
        hash.update(black_box(&PACKET[..octets.saturating_sub(PACKET.len()).min(PACKET.len())]));
        black_box(hash.finish());
    }

    /// A hash over all, and its value so often on the way.
    fn transcript(&self, octets: usize, values: usize) {
        let mut hash = digest::Context::new(&digest::SHA256);
        for _ in 0..values {
            let part = octets / values;
            hash.update(black_box(&PACKET[..part.min(PACKET.len())]));
            black_box(hash.clone().finish());
        }
    }

    /// State and Class, the ticket (sealed, and opened where there was one), the fingerprint of a certificate, the two keys of the Accept hidden (three MD5 each).
    fn around_the_handshake(&self, work: &Work) {
        black_box(keyed::sign(&self.mac, &SIGNED[..28]));
        self.random::<16>();
        self.seal(&self.aes256, 32);
        for _ in 0..=usize::from(work.resumed) {
            self.seal(&self.aes256, TICKET);
        }
        if !work.resumed {
            black_box(digest::digest(&digest::SHA256, black_box(&TBS)));
        }
        for _ in 0..6 {
            black_box(Md5::new().chain_update(SECRET).chain_update(black_box(&SIGNED[..16])).finalize());
        }
        self.random::<2>();
    }

    fn seal(&self, key: &RandomizedNonceKey, octets: usize) {
        let mut sealed = PACKET[..octets.min(PACKET.len())].to_vec();
        key.seal_in_place_append_tag(Aad::empty(), &mut sealed).map(black_box).expect("it seals");
    }

    fn random<const N: usize>(&self) {
        let mut octets = [0; N];
        self.random.fill(&mut octets).expect("random octets");
        black_box(octets);
    }

    fn sign(&self, kind: KeyKind) {
        black_box(match kind {
            KeyKind::Rsa => sign_rsa(&self.rsa, &RSA_PSS_SHA512, &self.random, &SIGNED),
            KeyKind::P256 => sign_p256(&self.p256, &self.random, &SIGNED),
        });
    }

    fn verify(&self, kind: KeyKind, of_certificate: bool) {
        let message: &[u8] = if of_certificate { black_box(&TBS) } else { black_box(&SIGNED) };
        let (rsa, p256) = if of_certificate {
            (&self.rsa_on_certificate, &self.p256_on_certificate)
        } else {
            (&self.rsa_signature, &self.p256_signature)
        };
        match kind {
            KeyKind::Rsa => {
                let algorithm: &'static dyn VerificationAlgorithm =
                    if of_certificate { &RSA_PKCS1_2048_8192_SHA256 } else { &RSA_PSS_2048_8192_SHA512 };
                UnparsedPublicKey::new(algorithm, self.rsa.public_key().as_ref()).verify(message, rsa)
            }
            KeyKind::P256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.p256.public_key().as_ref()).verify(message, p256)
            }
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
            let (sign, verify) = (median(|| self.sign(kind)), median(|| self.verify(kind, false)));
            write!(f, "{kind} sign {sign:.1} µs, verify {verify:.1}; ")?;
        }
        let (agree, packets) = (median(|| self.agree()), median(|| self.authenticate(300, 1_300)));
        writeln!(f, "X25519 {agree:.1}; HMAC-MD5 of 300 octets, HMAC-MD5 and MD5 of 1,300: {packets:.1}")
    }
}

fn aead(algorithm: &'static Algorithm) -> RandomizedNonceKey {
    RandomizedNonceKey::new(algorithm, &[7; 32][..algorithm.key_len()]).expect("a key")
}

/// Octets that HKDF shall give.
struct Octets(usize);

impl hkdf::KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(secret: &hkdf::Prk) {
    let mut octets = [0; N];
    secret.expand(black_box(&[&SIGNED[..50]]), Octets(N)).and_then(|okm| okm.fill(&mut octets)).expect("it fits");
    black_box(octets);
}

fn sign_rsa(key: &RsaKeyPair, how: &'static dyn RsaEncoding, random: &SystemRandom, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(how, random, message, &mut signature).expect("a signature");
    signature
}

fn sign_p256(key: &EcdsaKeyPair, random: &SystemRandom, message: &[u8]) -> Vec<u8> {
    key.sign(random, message).expect("a signature").as_ref().to_vec()
}

fn median(work: impl Fn()) -> f64 {
    let time = |_| {
        let begun = crate::world::cpu();
        work();
        crate::world::cpu() - begun
    };
    crate::median((0..101).map(time).collect())
}
