//! Certificates and CRLs of any shape, right and wrong, written octet by octet.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use crate::now::Wall;

pub(crate) const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
pub(crate) const SHA1_WITH_RSA: &str = "1.2.840.113549.1.1.5";
pub(crate) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
pub(crate) const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";

pub(crate) const DIGITAL_SIGNATURE: u16 = 0x8000;
pub(crate) const KEY_ENCIPHERMENT: u16 = 0x2000;
pub(crate) const KEY_CERT_SIGN: u16 = 0x0400;
pub(crate) const CRL_SIGN: u16 = 0x0200;

/// One element of DER around these parts.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut element = vec![tag];
    match value.len() {
        length @ 0..0x80 => element.push(length as u8),
        length => {
            let octets = length.to_be_bytes();
            let octets: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
            element.push(0x80 | octets.len() as u8);
            element.extend(octets);
        }
    }
    element.extend(value);
    element
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut octets = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let digits = (0..10).rev().map(|place| (arc >> (7 * place) & 0x7f) as u8).collect::<Vec<_>>();
        let start = digits.iter().position(|digit| *digit != 0).unwrap_or(9);
        let (last, more) = digits[start..].split_last().unwrap();
        octets.extend(more.iter().map(|digit| digit | 0x80));
        octets.push(*last);
    }
    der(0x06, &[&octets])
}

/// UTCTime until 2049, GeneralizedTime from then on.
pub(crate) fn time(at: Wall) -> Vec<u8> {
    let (year, month, day) = date(at.0.div_euclid(86400));
    let second = at.0.rem_euclid(86400);
    let rest = format!("{month:02}{day:02}{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60);
    if (1950..2050).contains(&year) {
        der(0x17, &[format!("{:02}{rest}", year % 100).as_bytes()])
    } else {
        der(0x18, &[format!("{year:04}{rest}").as_bytes()])
    }
}

/// The date so many days after 1970-01-01, counted out year by year.
fn date(mut days: i64) -> (i64, i64, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (length, month) in lengths.into_iter().zip(1..) {
        if days < length {
            return (year, month, days + 1);
        }
        days -= length;
    }
    unreachable!("a year has twelve months")
}

/// A name of these attributes, one to a relative name, as UTF8String.
pub(crate) fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let oid_of = |short: &str| match short {
        "CN" => "2.5.4.3",
        "C" => "2.5.4.6",
        "L" => "2.5.4.7",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        other => panic!("no attribute {other}"),
    };
    let raw: Vec<_> = attributes.iter().map(|(short, value)| (oid_of(short), 0x0c, value.as_bytes())).collect();
    raw_name(&raw)
}

/// A name of (dotted OID, tag of the value, octets of the value).
pub(crate) fn raw_name(attributes: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let rdns = attributes.iter().map(|(kind, tag, value)| {
        let attribute = der(0x30, &[&oid(kind), &der(*tag, &[value])]);
        der(0x31, &[&attribute])
    });
    der(0x30, &[&rdns.collect::<Vec<_>>().concat()])
}

/// A key to sign with.
pub(crate) enum Key {
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap()))
    }

    /// SubjectPublicKeyInfo
    pub(crate) fn spki(&self) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => rsa_spki(pair.public_key().as_ref()),
        }
    }

    pub(crate) fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::P256(_) => der(0x30, &[&oid("1.2.840.10045.4.3.2")]),
            Self::Rsa(_) => der(0x30, &[&oid(SHA256_WITH_RSA), &der(0x05, &[])]),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// `SIGNED{}` around a TBS element; with an algorithm the signature is made as ever and called that.
    pub(crate) fn signed(&self, tbs: &[u8], algorithm: Option<&[u8]>) -> Vec<u8> {
        let own = self.algorithm();
        let signature = der(0x03, &[&[0], &self.sign(tbs)]);
        der(0x30, &[tbs, algorithm.unwrap_or(&own), &signature])
    }
}

/// A SubjectPublicKeyInfo around an RSAPublicKey.
pub(crate) fn rsa_spki(key: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x30, &[&oid("1.2.840.113549.1.1.1"), &der(0x05, &[])]), &der(0x03, &[&[0], key])])
}

/// An RSA key of so many bits that nobody can sign with.
pub(crate) fn hollow_rsa_spki(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xc5; bits / 8];
    modulus.insert(0, 0);
    rsa_spki(&der(0x30, &[&der(0x02, &[&modulus]), &der(0x02, &[&[1, 0, 1]])]))
}

/// One extension.
pub(crate) fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { der(0x01, &[&[0xff]]) } else { Vec::new() };
    der(0x30, &[&oid(kind), &critical, &der(0x04, &[value])])
}

pub(crate) fn basic_constraints(path_length: Option<u8>) -> Vec<u8> {
    let length = path_length.map(|length| der(0x02, &[&[length]])).unwrap_or_default();
    extension("2.5.29.19", true, &der(0x30, &[&der(0x01, &[&[0xff]]), &length]))
}

pub(crate) fn key_usage(bits: u16) -> Vec<u8> {
    let [octet, _] = bits.to_be_bytes();
    extension("2.5.29.15", true, &der(0x03, &[&[octet.trailing_zeros().min(7) as u8, octet]]))
}

pub(crate) fn purposes(oids: &[&str]) -> Vec<u8> {
    extension("2.5.29.37", false, &der(0x30, &[&oids.iter().map(|one| oid(one)).collect::<Vec<_>>().concat()]))
}

pub(crate) fn policies(oids: &[&str]) -> Vec<u8> {
    let list = oids.iter().map(|one| der(0x30, &[&oid(one)])).collect::<Vec<_>>().concat();
    extension("2.5.29.32", false, &der(0x30, &[&list]))
}

/// subjectAltName of GeneralNames.
pub(crate) fn alt_names(names: &[Vec<u8>]) -> Vec<u8> {
    extension("2.5.29.17", false, &der(0x30, &[&names.concat()]))
}

pub(crate) fn email(address: &str) -> Vec<u8> {
    der(0x81, &[address.as_bytes()])
}

pub(crate) fn principal(name: &str) -> Vec<u8> {
    der(0xa0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &der(0xa0, &[&der(0x0c, &[name.as_bytes()])])])
}

/// A DistributionPoint's `distributionPoint` with this address as its full name.
pub(crate) fn point(address: &str) -> Vec<u8> {
    der(0xa0, &[&der(0xa0, &[&der(0x86, &[address.as_bytes()])])])
}

pub(crate) fn distribution_points(addresses: &[&str]) -> Vec<u8> {
    let points = addresses.iter().map(|address| der(0x30, &[&point(address)])).collect::<Vec<_>>().concat();
    extension("2.5.29.31", false, &der(0x30, &[&points]))
}

/// issuingDistributionPoint of these fields.
pub(crate) fn issuing_distribution_point(fields: &[&[u8]]) -> Vec<u8> {
    extension("2.5.29.28", true, &der(0x30, fields))
}

/// A certificate about to be signed; every field may be changed before.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) version: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
    /// AlgorithmIdentifier that it claims instead of the true one.
    pub(crate) algorithm: Option<Vec<u8>>,
}

pub(crate) fn validity(not_before: Wall, not_after: Wall) -> Vec<u8> {
    der(0x30, &[&time(not_before), &time(not_after)])
}

impl Draft {
    pub(crate) fn new(subject: Vec<u8>, serial: &[u8], spki: Vec<u8>, not_before: Wall, not_after: Wall) -> Self {
        Self {
            version: der(0xa0, &[&der(0x02, &[&[2]])]),
            serial: serial.to_vec(),
            validity: validity(not_before, not_after),
            subject,
            spki,
            extensions: Vec::new(),
            algorithm: None,
        }
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Without the extension of this kind.
    pub(crate) fn without(mut self, kind: &str) -> Self {
        let kind = oid(kind);
        self.extensions.retain(|extension| !extension.windows(kind.len()).any(|window| window == kind));
        self
    }

    pub(crate) fn sign(&self, issuer: &[u8], key: &Key) -> Vec<u8> {
        let own = key.algorithm();
        let algorithm = self.algorithm.as_deref().unwrap_or(&own);
        let extensions = match self.extensions.concat() {
            none if none.is_empty() => none,
            some => der(0xa3, &[&der(0x30, &[&some])]),
        };
        let serial = der(0x02, &[&self.serial]);
        let parts: [&[u8]; 8] =
            [&self.version, &serial, algorithm, issuer, &self.validity, &self.subject, &self.spki, &extensions];
        key.signed(&der(0x30, &parts), self.algorithm.as_deref())
    }
}

/// A CA with its key.
pub(crate) struct TestCa {
    pub(crate) name: Vec<u8>,
    pub(crate) key: Key,
    pub(crate) der: Vec<u8>,
}

impl TestCa {
    /// One that signs itself.
    pub(crate) fn root(name: Vec<u8>, not_before: Wall, not_after: Wall) -> Self {
        let key = Key::p256();
        let der = ca_draft(&name, &key, &[1], not_before, not_after).sign(&name, &key);
        Self { name, key, der }
    }

    /// One below this one.
    pub(crate) fn intermediate(&self, name: Vec<u8>, serial: &[u8], not_before: Wall, not_after: Wall) -> Self {
        let key = Key::p256();
        let der = self.issue(&ca_draft(&name, &key, serial, not_before, not_after));
        Self { name, key, der }
    }

    pub(crate) fn issue(&self, draft: &Draft) -> Vec<u8> {
        draft.sign(&self.name, &self.key)
    }

    pub(crate) fn crl(&self, draft: &CrlDraft) -> Vec<u8> {
        draft.sign(&self.name, &self.key)
    }
}

pub(crate) fn ca_draft(name: &[u8], key: &Key, serial: &[u8], not_before: Wall, not_after: Wall) -> Draft {
    Draft::new(name.to_vec(), serial, key.spki(), not_before, not_after)
        .with(basic_constraints(None))
        .with(key_usage(KEY_CERT_SIGN | CRL_SIGN))
}

/// A CRL about to be signed.
#[derive(Clone)]
pub(crate) struct CrlDraft {
    pub(crate) version_2: bool,
    pub(crate) this_update: Wall,
    pub(crate) next_update: Option<Wall>,
    /// Whole entries.
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl CrlDraft {
    pub(crate) fn new(number: u8, this_update: Wall, next_update: Wall) -> Self {
        let number = extension("2.5.29.20", false, &der(0x02, &[&[number]]));
        Self {
            version_2: true,
            this_update,
            next_update: Some(next_update),
            entries: Vec::new(),
            extensions: vec![number],
        }
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn revoke(mut self, serial: &[u8], at: Wall, reason: Option<u8>) -> Self {
        self.entries.push(entry(serial, at, reason.map(|code| extension("2.5.29.21", false, &der(0x0a, &[&[code]])))));
        self
    }

    pub(crate) fn sign(&self, issuer: &[u8], key: &Key) -> Vec<u8> {
        let version = if self.version_2 { der(0x02, &[&[1]]) } else { Vec::new() };
        let next_update = self.next_update.map(time).unwrap_or_default();
        let entries = match self.entries.concat() {
            none if none.is_empty() => none,
            some => der(0x30, &[&some]),
        };
        let extensions = match self.extensions.concat() {
            none if none.is_empty() => none,
            some => der(0xa0, &[&der(0x30, &[&some])]),
        };
        let this_update = time(self.this_update);
        let parts: [&[u8]; 7] = [&version, &key.algorithm(), issuer, &this_update, &next_update, &entries, &extensions];
        key.signed(&der(0x30, &parts), None)
    }
}

/// One of revokedCertificates.
pub(crate) fn entry(serial: &[u8], at: Wall, extension: Option<Vec<u8>>) -> Vec<u8> {
    let extensions = extension.map(|extension| der(0x30, &[&extension])).unwrap_or_default();
    der(0x30, &[&der(0x02, &[serial]), &time(at), &extensions])
}
