//! The certificates of a small campus, in memory.

use std::fmt;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SanType, SerialNumber,
    date_time_ymd,
};
use sekisho::event::TlsVersion;
use sekisho::now::Wall;
use sekisho::secret::Secret;
use sekisho::supplicant::{self, Supplicant};

use crate::crl;

/// As CRLs of campuses are.
const REVOKED: u32 = 1_000;
const ORGANISATION: &str = "Japan Advanced Institute of Science and Technology";

pub(crate) type Ca = CertifiedIssuer<'static, KeyPair>;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// 2,048 bits
    Rsa,
    /// ECDSA
    P256,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
        })
    }
}

impl KeyKind {
    fn make(self) -> KeyPair {
        match self {
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        }
        .expect("a key")
    }
}

/// A server with an intermediate in its chain, and members whose certificates the anchor itself has issued.
pub(crate) struct Campus {
    pub(crate) server_kind: KeyKind,
    pub(crate) client_kind: KeyKind,
    pub(crate) server_root: Vec<u8>,
    pub(crate) server_chain: Vec<Vec<u8>>,
    pub(crate) server_key: Secret,
    client_ca: Ca,
    /// Of the CA of the members.
    pub(crate) crl: Vec<u8>,
    members: Vec<Vec<u8>>,
    pub(crate) member_key: Secret,
}

impl Campus {
    pub(crate) fn new(server_kind: KeyKind, client_kind: KeyKind, members: usize) -> Self {
        let server_root = CertifiedIssuer::self_signed(ca("Server Root"), server_kind.make()).expect("a root");
        let server_ca = CertifiedIssuer::signed_by(ca("Server CA"), server_kind.make(), &server_root).expect("a CA");
        let client_ca = CertifiedIssuer::self_signed(ca("Member CA"), client_kind.make()).expect("a root");
        let server_key = server_kind.make();
        let server = server().signed_by(&server_key, &server_ca).expect("a certificate");
        // One key for all: it takes long to make one, and nobody here looks at more than the certificate.
        let member_key = client_kind.make();
        let issue = |number| member(number).signed_by(&member_key, &client_ca).expect("a certificate").der().to_vec();
        Self {
            server_kind,
            client_kind,
            server_chain: vec![server.der().to_vec(), server_ca.der().to_vec()],
            server_root: server_root.der().to_vec(),
            server_key: Secret::new(server_key.serialize_der()),
            crl: crl::write(&client_ca, client_kind, REVOKED),
            members: (0..members).map(issue).collect(),
            client_ca,
            member_key: Secret::new(member_key.serialize_der()),
        }
    }

    /// From now on its CRL lists so many certificates, none of them a member's.
    pub(crate) fn publish(&mut self, entries: u32) {
        self.crl = crl::write(&self.client_ca, self.client_kind, entries);
    }

    pub(crate) fn anchor(&self) -> Vec<u8> {
        self.client_ca.der().to_vec()
    }

    /// Who has issued the server's certificates.
    pub(crate) fn server_root(&self) -> &[u8] {
        &self.server_root
    }

    pub(crate) fn member(&self, member: usize) -> &[u8] {
        &self.members[member]
    }

    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn supplicant(&self, member: usize, version: TlsVersion) -> Supplicant {
        let settings = supplicant::Settings {
            identity: "@jaist.ac.jp".to_owned(),
            chain: vec![self.members[member].clone()],
            key: Some(self.member_key.clone()),
            anchors: vec![self.server_root.clone()],
            version: Some(version),
            fragment_size: 1_200,
            always_length: false,
            server_names: Vec::new(),
        };
        Supplicant::new(settings).expect("a good credential")
    }
}

pub(crate) fn wall() -> Wall {
    Wall(i64::try_from(since_epoch().as_secs()).expect("a clock before the end of time"))
}

pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970")
}

fn ca(name: &str) -> CertificateParams {
    let mut params = named(&[(DnType::CountryName, "JP"), (DnType::CommonName, name)]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server() -> CertificateParams {
    const NAME: &str = "radius.campus.example";
    let mut params = leaf(&[(DnType::CommonName, NAME)], ExtendedKeyUsagePurpose::ServerAuth);
    params.subject_alt_names.push(SanType::DnsName(NAME.try_into().expect("ASCII")));
    params
}

fn member(number: usize) -> CertificateParams {
    let name = format!("member{number}");
    let subject = [
        (DnType::CountryName, "JP"),
        (DnType::LocalityName, "Ishikawa"),
        (DnType::OrganizationName, ORGANISATION),
        (DnType::OrganizationalUnitName, "Members"),
        (DnType::CommonName, &name),
    ];
    let mut params = leaf(&subject, ExtendedKeyUsagePurpose::ClientAuth);
    params.serial_number = Some(SerialNumber::from_slice(&crl::stranger(number as u64)));
    params.subject_alt_names.push(SanType::Rfc822Name(format!("{name}@jaist.ac.jp").try_into().expect("ASCII")));
    params
}

fn leaf(subject: &[(DnType, &str)], purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = named(subject);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(subject: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2023, 1, 1), date_time_ymd(2090, 12, 31));
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params
}
