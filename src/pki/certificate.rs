//! One certificate, read strictly: what the rest of `pki` looks at, and nothing believed yet.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name, X509Version};

use super::der::{self, BadDer};
use super::digest::sha256;
use super::facts::{AltName, Link};
use super::locations::{Locations, OCSP};
use super::name::{self, BadName};
use super::points::{self, Point};
use super::signature::Signed;
use crate::event::CertificateName;
use crate::now::Wall;

/// Extensions of one certificate, purposes, policies.
const MAX_EXTENSIONS: usize = 64;
const MAX_LIST: usize = 32;
/// Octets of one certificate, as webpki has it.
const MAX_CERTIFICATE: usize = 0xffff;

/// id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1)
const NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];

/// keyUsage, as far as it counts here.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyUsage {
    pub(super) digital_signature: bool,
    pub(super) key_cert_sign: bool,
    pub(super) crl_sign: bool,
}

/// A certificate's fields.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    pub(super) der: &'a [u8],
    pub(super) signed: Signed<'a>,
    pub(super) issuer: X509Name<'a>,
    pub(super) subject: X509Name<'a>,
    pub(super) key: SubjectPublicKeyInfo<'a>,
    /// See [`der::serial`].
    pub(super) serial: Vec<u8>,
    pub(super) not_before: Wall,
    pub(super) not_after: Wall,
    pub(super) is_ca: bool,
    pub(super) path_length: Option<u32>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) alt_names: Vec<AltName>,
    /// Dotted OIDs of extendedKeyUsage.
    pub(super) purposes: Option<Vec<String>>,
    /// Dotted OIDs of certificatePolicies.
    pub(super) policies: Vec<String>,
    /// cRLDistributionPoints, see [`points`].
    pub(super) points: Vec<Point>,
    pub(super) locations: Locations,
    /// Whether it says at all where it is told if it is revoked: cRLDistributionPoints, or a responder in authorityInfoAccess, by whatever scheme.
    pub(super) has_sources: bool,
    /// id-pkix-ocsp-nocheck
    pub(super) no_check: bool,
    pub(super) has_name_constraints: bool,
    /// A critical extension that nobody here knows.
    pub(super) unknown_critical: Option<String>,
}

impl<'a> Certificate<'a> {
    /// Reads a version 3 certificate. Extensions that are known must be well-formed, and none may stand twice.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, BadName> {
        const NO_CERTIFICATE: BadName = "it isn't a certificate in DER";
        let x509 = parse(der).ok_or(NO_CERTIFICATE)?;
        if x509.version != X509Version::V3 {
            return Err("it isn't a version 3 certificate");
        }
        let signed = Signed::read(der).map_err(|BadDer| NO_CERTIFICATE)?;
        let serial = der::serial(x509.raw_serial()).map_err(|BadDer| "its serial number is over 20 octets")?;
        let mut tbs = x509.tbs_certificate;
        let nobody = || X509Name::new(Vec::new(), &[]);
        let issuer = std::mem::replace(&mut tbs.issuer, nobody());
        let subject = std::mem::replace(&mut tbs.subject, nobody());
        let mut certificate = Self {
            der,
            signed,
            serial: serial.into_owned(),
            not_before: Wall(tbs.validity.not_before.timestamp()),
            not_after: Wall(tbs.validity.not_after.timestamp()),
            is_ca: false,
            path_length: None,
            key_usage: None,
            alt_names: Vec::new(),
            purposes: None,
            policies: Vec::new(),
            points: Vec::new(),
            locations: Locations::default(),
            has_sources: false,
            no_check: false,
            has_name_constraints: false,
            unknown_critical: None,
            issuer,
            subject,
            key: tbs.subject_pki.clone(),
        };
        certificate.read_extensions(tbs.extensions())?;
        Ok(certificate)
    }

    fn read_extensions(&mut self, extensions: &[X509Extension<'_>]) -> Result<(), BadName> {
        if extensions.len() > MAX_EXTENSIONS {
            return Err("it has too many extensions");
        }
        for (index, extension) in extensions.iter().enumerate() {
            if extensions.iter().take(index).any(|earlier| earlier.oid == extension.oid) {
                return Err("an extension stands twice");
            }
            self.read_extension(extension)?;
        }
        Ok(())
    }

    fn read_extension(&mut self, extension: &X509Extension<'_>) -> Result<(), BadName> {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                self.is_ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsage {
                    digital_signature: usage.digital_signature(),
                    key_cert_sign: usage.key_cert_sign(),
                    crl_sign: usage.crl_sign(),
                });
            }
            ParsedExtension::ExtendedKeyUsage(_) => self.purposes = Some(purposes(extension.value)?),
            ParsedExtension::CertificatePolicies(policies) => {
                let oids = policies.iter().take(MAX_LIST + 1).map(|policy| name::oid(&policy.policy_id));
                self.policies = bounded(oids.collect::<Result<_, _>>()?)?;
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.alt_names = name::alt_names(&names.general_names)?;
            }
            ParsedExtension::CRLDistributionPoints(_) => {
                self.points = points::of_certificate(extension.value, self.issuer.as_raw())
                    .map_err(|BadDer| "cRLDistributionPoints is malformed")?;
                self.locations.take_crls(extension.value);
                self.has_sources = true;
            }
            ParsedExtension::AuthorityInfoAccess(access) if !extension.critical => {
                self.locations.take_responders(extension.value);
                self.has_sources |= access.accessdescs.iter().any(|one| one.access_method.as_bytes() == OCSP);
            }
            ParsedExtension::NameConstraints(_) => self.has_name_constraints = true,
            ParsedExtension::ParseError { .. } => return Err("an extension is malformed"),
            _ if extension.critical => self.unknown_critical = Some(name::oid(&extension.oid)?),
            _ => self.no_check |= extension.oid.as_bytes() == NO_CHECK,
        }
        Ok(())
    }

    /// What tells a CA from every other: its name and its key, as [`super::Link::issuer`] has it.
    pub(super) fn authority_id(&self) -> [u8; 32] {
        sha256(&[self.subject.as_raw(), self.key.raw])
    }

    /// As one step of a path. `issuer`: whoever has issued it, as [`Certificate::authority_id`] names a CA.
    pub(super) fn link(&self, issuer: [u8; 32]) -> Link {
        Link {
            issuer,
            serial: self.serial.clone(),
            not_before: self.not_before,
            not_after: self.not_after,
            points: self.points.clone(),
        }
    }

    /// Whether it is no CA's and may sign CRLs.
    pub(super) fn signs_crls_only(&self) -> bool {
        !self.is_ca && self.key_usage.is_some_and(|usage| usage.crl_sign && !usage.key_cert_sign)
    }

    /// RSA of 2,048 to 8,192 bits, P-256, P-384, P-521 or Ed25519.
    pub(super) fn key_is_strong(&self) -> bool {
        match self.key.parsed() {
            Ok(PublicKey::RSA(key)) => (2048..=8192).contains(&bits(key.modulus)),
            Ok(PublicKey::EC(_)) => self.is_on_a_known_curve(),
            Ok(PublicKey::Unknown(_)) => self.key.algorithm.algorithm.as_bytes() == ED25519,
            _ => false,
        }
    }

    fn is_on_a_known_curve(&self) -> bool {
        let curve = self.key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        curve.is_some_and(|curve| CURVES.contains(&curve.as_bytes()))
    }
}

/// 1.3.101.112
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// P-256 (1.2.840.10045.3.1.7), P-384 (1.3.132.0.34), P-521 (1.3.132.0.35).
const CURVES: [&[u8]; 3] =
    [&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], &[0x2b, 0x81, 4, 0, 0x22], &[0x2b, 0x81, 4, 0, 0x23]];

/// What a certificate calls itself, for the log: nothing of it is verified. `None`: it can't be read at all.
#[must_use]
pub fn claimed(leaf: &[u8]) -> Option<CertificateName> {
    let x509 = parse(leaf)?;
    Some(CertificateName {
        fingerprint: sha256(&[leaf]),
        authority: None,
        serial: der::serial(x509.raw_serial()).ok()?.into_owned(),
        subject: name::shown(&x509.subject),
        not_after: Wall(x509.validity.not_after.timestamp()),
    })
}

/// The one door to x509-parser. It recurses and is lenient about lengths, so it only ever sees what the strict reader has walked through.
fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    if der.len() > MAX_CERTIFICATE || der::well_formed(der).is_err() {
        return None;
    }
    let (rest, x509) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(x509)
}

/// extendedKeyUsage in its own order.
fn purposes(value: &[u8]) -> Result<Vec<String>, BadName> {
    let read = || -> Result<Vec<String>, BadDer> {
        let mut reader = der::only_sequence(value)?;
        let mut purposes = Vec::new();
        while !reader.is_empty() && purposes.len() <= MAX_LIST {
            let oid = x509_parser::der_parser::oid::Oid::new(reader.expect(der::OID)?.into());
            purposes.push(name::oid(&oid).map_err(|_| BadDer)?);
        }
        Ok(purposes)
    };
    bounded(read().map_err(|BadDer| "extendedKeyUsage is malformed")?)
}

fn bounded(list: Vec<String>) -> Result<Vec<String>, BadName> {
    if list.len() > MAX_LIST { Err("an extension's list is too long") } else { Ok(list) }
}

fn bits(modulus: &[u8]) -> usize {
    let significant = modulus.iter().skip_while(|&&octet| octet == 0);
    let first = significant.clone().next().map_or(0, |octet| octet.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(first)
}
