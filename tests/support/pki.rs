//! The campus' certificates, look-alikes of the real ones: made once for all tests, in memory.

use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::SystemTime;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, SanType, SerialNumber, date_time_ymd};

use super::certificates::{self, Authority, Key};
use super::scratch::unique;

/// The campus' own name as customer of a shared CA.
pub(crate) const CAMPUS: &str = "Japan Advanced Institute of Science and Technology";
const HOUR: i64 = 3_600;
const OTHER_CUSTOMER: &str = "Another Institute of Technology";

/// A certificate with its chain and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// Leaf first, then intermediates, without the root.
    pub(crate) chain: String,
    pub(crate) key: String,
    serial: u64,
}

/// Everything that is issued on this campus.
#[derive(Debug)]
pub(crate) struct Pki {
    /// Self-signed, issues members directly, shared with other customers.
    pub(crate) ca16: Authority,
    /// The root above the two intermediates.
    pub(crate) root_ca2: Authority,
    /// Shared intermediate; its certificates live on.
    pub(crate) pub_ca8: Authority,
    /// The intermediate that ended: everything that it issued is distrusted.
    pub(crate) retired: Authority,
    /// Like CA16, but its only CRL is past its nextUpdate.
    pub(crate) stale: Authority,
    /// Like CA16, but there is no CRL of it.
    pub(crate) silent: Authority,
    /// Issues the server's certificates.
    pub(crate) server_ca: Authority,
    pub(crate) server_rsa: Credential,
    pub(crate) server_p256: Credential,
    pub(crate) member_rsa: Credential,
    pub(crate) member_p256: Credential,
    /// Another one of the user of `member_rsa`.
    pub(crate) member_rsa_again: Credential,
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
            member_rsa_again: member("hanako").issue(Key::P256, &ca16),
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
    /// Of a CA that isn't of this PKI, and says itself what is revoked.
    pub(crate) fn new(chain: String, key: String) -> Self {
        Self { chain, key, serial: 0 }
    }

    /// With the issuing intermediate in the chain, as clients send it.
    fn sent_with(mut self, intermediate: &Authority) -> Self {
        self.chain.push_str(&intermediate.pem());
        self
    }
}

/// A CRL (DER) of this issuer with these certificates on it, good from an hour ago until tomorrow.
pub(crate) fn crl(issuer: &Authority, number: u64, revoked: &[&Credential]) -> Vec<u8> {
    let now = now();
    let serials = revoked.iter().map(|credential| credential.serial);
    certificates::crl(issuer, number, serials, now - HOUR..now + 24 * HOUR).der().to_vec()
}

/// A CRL that ended an hour ago.
pub(crate) fn stale_crl(issuer: &Authority) -> Vec<u8> {
    let now = now();
    certificates::crl(issuer, 1, [], now - 25 * HOUR..now - HOUR).der().to_vec()
}

/// Seconds since 1970, by the real clock.
#[expect(clippy::disallowed_methods, reason = "processes can't be told another time")]
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    now.as_secs().cast_signed()
}

fn root(name: &str, key: Key) -> Authority {
    certificates::certified(ca(name), key, None)
}

fn intermediate(name: &str, issuer: &Authority) -> Authority {
    certificates::certified(ca(name), Key::Rsa, Some(issuer))
}

fn ca(name: &str) -> CertificateParams {
    let mut params = certificates::authority_params(&[
        (DnType::CountryName, "JP"),
        (DnType::OrganizationName, "SECOM Trust Systems CO.,LTD. (look-alike)"),
        (DnType::CommonName, name),
    ]);
    params.serial_number = Some(SerialNumber::from(serial()));
    params
}

/// A certificate that is about to be issued.
struct Leaf {
    params: CertificateParams,
}

impl Leaf {
    fn member(name: &str) -> Self {
        let subject = [
            (DnType::CountryName, "JP"),
            (DnType::LocalityName, "Ishikawa"),
            (DnType::OrganizationName, CAMPUS),
            (DnType::OrganizationalUnitName, "Members"),
            (DnType::CommonName, name),
        ];
        Self { params: certificates::client(&subject, &mail(name)) }
    }

    fn server() -> Self {
        Self { params: certificates::server("radius.campus.example") }
    }

    /// One more mail address.
    fn also_known_as(mut self, name: &str) -> Self {
        let mail = mail(name).as_str().try_into().expect("ASCII");
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

    fn issue(mut self, key: Key, issuer: &Authority) -> Credential {
        let serial = serial();
        self.params.serial_number = Some(SerialNumber::from(serial));
        let key = key.make();
        let leaf = self.params.signed_by(&key, issuer).expect("a certificate");
        Credential { chain: leaf.pem(), key: key.serialize_pem(), serial }
    }
}

fn mail(name: &str) -> String {
    format!("{name}@jaist.ac.jp")
}

/// A serial that nobody else has.
fn serial() -> u64 {
    0x1000_0000 + u64::from(unique())
}
