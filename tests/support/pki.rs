//! The campus' certificates, look-alikes of the real ones: made once for all tests, in memory.

use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RevocationReason, RevokedCertParams, RsaKeySize, SanType, SerialNumber, date_time_ymd,
};

/// The campus' own name as customer of a shared CA.
pub(crate) const CAMPUS: &str = "Japan Advanced Institute of Science and Technology";
const OTHER_CUSTOMER: &str = "Another Institute of Technology";

type Ca = CertifiedIssuer<'static, KeyPair>;

/// A certificate with its chain and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// Leaf first, then intermediates, without the root.
    pub(crate) chain: String,
    pub(crate) key: String,
    serial: u64,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa,
    P256,
}

/// Everything that is issued on this campus.
#[derive(Debug)]
pub(crate) struct Pki {
    /// Self-signed, issues members directly, shared with other customers.
    pub(crate) ca16: Ca,
    /// The root above the two intermediates.
    pub(crate) root_ca2: Ca,
    /// Shared intermediate; its certificates live on.
    pub(crate) pub_ca8: Ca,
    /// The intermediate that ended: everything that it issued is distrusted.
    pub(crate) retired: Ca,
    /// Like CA16, but its only CRL is past its nextUpdate.
    pub(crate) stale: Ca,
    /// Like CA16, but there is no CRL of it.
    pub(crate) silent: Ca,
    /// Issues the server's certificates.
    pub(crate) server_ca: Ca,
    pub(crate) server_rsa: Credential,
    pub(crate) server_p256: Credential,
    pub(crate) member_rsa: Credential,
    pub(crate) member_p256: Credential,
    /// Of PUB CA8, with the intermediate in the chain.
    pub(crate) member_pub_ca8: Credential,
    pub(crate) revoked: Credential,
    pub(crate) revoked_pub_ca8: Credential,
    pub(crate) expired: Credential,
    pub(crate) not_yet_valid: Credential,
    /// The shared CAs' other customer, of each of them.
    pub(crate) other_customer: Credential,
    pub(crate) other_customer_pub_ca8: Credential,
    pub(crate) of_retired: Credential,
    pub(crate) smime: Credential,
    pub(crate) stranger: Credential,
    pub(crate) of_stale: Credential,
    pub(crate) of_silent: Credential,
    /// Two mail addresses.
    pub(crate) ambiguous: Credential,
}

/// The one PKI of this run.
pub(crate) fn pki() -> &'static Pki {
    static PKI: LazyLock<Pki> = LazyLock::new(Pki::new);
    &PKI
}

impl Pki {
    fn new() -> Self {
        let ca16 = root("SECOM Passport for Member RSA CA16 (look-alike)", Key::Rsa);
        let root_ca2 = root("Security Communication RootCA2 (look-alike)", Key::Rsa);
        let pub_ca8 = intermediate("SECOM Passport for Member PUB CA8 (look-alike)", &root_ca2);
        let retired = intermediate("NII Open Domain CA - G4 (look-alike)", &root_ca2);
        let stale = root("Stale CA", Key::P256);
        let silent = root("Silent CA", Key::P256);
        let stranger = root("Stranger CA", Key::P256);
        let server_ca = root("Campus Server CA", Key::Rsa);
        let member = |name: &str| Leaf::member(name);
        Self {
            server_rsa: Leaf::server().issue(Key::Rsa, &server_ca),
            server_p256: Leaf::server().issue(Key::P256, &server_ca),
            member_rsa: member("hanako").issue(Key::Rsa, &ca16),
            member_p256: member("taro").issue(Key::P256, &ca16),
            member_pub_ca8: member("yuki").issue(Key::Rsa, &pub_ca8).sent_with(&pub_ca8),
            revoked: member("revoked").issue(Key::Rsa, &ca16),
            revoked_pub_ca8: member("revoked8").issue(Key::P256, &pub_ca8).sent_with(&pub_ca8),
            expired: member("expired").valid(2020..=2021).issue(Key::P256, &ca16),
            not_yet_valid: member("early").valid(2090..=2091).issue(Key::P256, &ca16),
            other_customer: member("other").of(OTHER_CUSTOMER).issue(Key::P256, &ca16),
            other_customer_pub_ca8: member("other8").of(OTHER_CUSTOMER).issue(Key::P256, &pub_ca8).sent_with(&pub_ca8),
            of_retired: member("retired").valid(2019..=2090).issue(Key::P256, &retired).sent_with(&retired),
            smime: member("mail").purpose(ExtendedKeyUsagePurpose::EmailProtection).issue(Key::P256, &ca16),
            stranger: member("stranger").issue(Key::P256, &stranger),
            of_stale: member("stale").issue(Key::P256, &stale),
            of_silent: member("silent").issue(Key::P256, &silent),
            ambiguous: member("two").also_known_as("second").issue(Key::P256, &ca16),
            ca16,
            root_ca2,
            pub_ca8,
            retired,
            stale,
            silent,
            server_ca,
        }
    }
}

impl Credential {
    /// With the issuing intermediate in the chain, as clients send it.
    fn sent_with(mut self, intermediate: &Ca) -> Self {
        self.chain.push_str(&intermediate.pem());
        self
    }
}

/// A CRL (DER) of this issuer with these certificates on it, good from an hour ago until tomorrow.
pub(crate) fn crl(issuer: &Ca, number: u64, revoked: &[&Credential]) -> Vec<u8> {
    const HOUR: Duration = Duration::from_secs(3_600);
    crl_at(issuer, number, revoked, since_epoch() - HOUR, 25 * HOUR)
}

/// A CRL that ended an hour ago.
pub(crate) fn stale_crl(issuer: &Ca) -> Vec<u8> {
    const HOUR: Duration = Duration::from_secs(3_600);
    crl_at(issuer, 1, &[], since_epoch() - 25 * HOUR, 24 * HOUR)
}

fn crl_at(issuer: &Ca, number: u64, revoked: &[&Credential], issued: Duration, lifetime: Duration) -> Vec<u8> {
    let epoch = date_time_ymd(1970, 1, 1);
    let revoked = revoked.iter().map(|credential| RevokedCertParams {
        serial_number: SerialNumber::from(credential.serial),
        revocation_time: epoch + issued,
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: epoch + issued,
        next_update: epoch + issued + lifetime,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).expect("a CRL").der().to_vec()
}

fn since_epoch() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    Duration::from_secs(now.as_secs())
}

fn root(name: &str, key: Key) -> Ca {
    CertifiedIssuer::self_signed(ca(name), key.make()).expect("a root")
}

fn intermediate(name: &str, issuer: &Ca) -> Ca {
    let mut params = ca(name);
    params.use_authority_key_identifier_extension = true;
    CertifiedIssuer::signed_by(params, Key::Rsa.make(), issuer).expect("an intermediate")
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2018, 1, 1), date_time_ymd(2098, 12, 31));
    params.serial_number = Some(SerialNumber::from(serial()));
    params.distinguished_name = names(&[
        (DnType::CountryName, "JP"),
        (DnType::OrganizationName, "SECOM Trust Systems CO.,LTD. (look-alike)"),
        (DnType::CommonName, name),
    ]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Key {
    /// As OpenSSL prints the type.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Rsa => "rsaEncryption",
            Self::P256 => "id-ecPublicKey",
        }
    }

    fn make(self) -> KeyPair {
        match self {
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        }
        .expect("a key")
    }
}

/// A certificate that is about to be issued.
struct Leaf {
    params: CertificateParams,
}

impl Leaf {
    fn new(names_in_order: &[(DnType, &str)], purpose: ExtendedKeyUsagePurpose) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = names(names_in_order);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        Self { params }.valid(2023..=2090)
    }

    fn member(name: &str) -> Self {
        let subject = [
            (DnType::CountryName, "JP"),
            (DnType::LocalityName, "Ishikawa"),
            (DnType::OrganizationName, CAMPUS),
            (DnType::OrganizationalUnitName, "Members"),
            (DnType::CommonName, name),
        ];
        Self::new(&subject, ExtendedKeyUsagePurpose::ClientAuth).also_known_as(name)
    }

    fn server() -> Self {
        const NAME: &str = "radius.campus.example";
        let mut leaf = Self::new(&[(DnType::CommonName, NAME)], ExtendedKeyUsagePurpose::ServerAuth);
        leaf.params.subject_alt_names.push(SanType::DnsName(NAME.try_into().expect("ASCII")));
        leaf
    }

    /// One more mail address.
    fn also_known_as(mut self, name: &str) -> Self {
        let mail = format!("{name}@jaist.ac.jp").try_into().expect("ASCII");
        self.params.subject_alt_names.push(SanType::Rfc822Name(mail));
        self
    }

    fn of(mut self, organisation: &str) -> Self {
        self.params.distinguished_name.push(DnType::OrganizationName, organisation);
        self
    }

    fn purpose(mut self, purpose: ExtendedKeyUsagePurpose) -> Self {
        self.params.extended_key_usages = vec![purpose];
        self
    }

    fn valid(mut self, years: RangeInclusive<i32>) -> Self {
        self.params.not_before = date_time_ymd(*years.start(), 1, 1);
        self.params.not_after = date_time_ymd(*years.end(), 12, 31);
        self
    }

    fn issue(mut self, key: Key, issuer: &Ca) -> Credential {
        let serial = serial();
        self.params.serial_number = Some(SerialNumber::from(serial));
        let key = key.make();
        let leaf = self.params.signed_by(&key, issuer).expect("a certificate");
        Credential { chain: leaf.pem(), key: key.serialize_pem(), serial }
    }
}

fn names(in_order: &[(DnType, &str)]) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    for (kind, value) in in_order {
        names.push(kind.clone(), *value);
    }
    names
}

/// A serial that nobody else has.
fn serial() -> u64 {
    0x1000_0000 + u64::from(crate::scratch::unique())
}
