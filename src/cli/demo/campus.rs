//! The look-alike of a campus's certificates: the authorities, their members, the servers.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RevocationReason, RevokedCertParams, RsaKeySize, SanType, SerialNumber, date_time_ymd,
};

use super::Error;

/// The day's first second, in UTC, in the form that rcgen wants (its type is of a crate that nothing else here needs).
macro_rules! midnight {
    ($date:expr) => {{
        let date: Date = $date;
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    }};
}

/// Whose members are ours.
pub(super) const OURS: &str = "Japan Advanced Institute of Science and Technology";

/// Something that issues.
pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate with its key, as PEM.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    /// The certificate and, for those of PUB CA8 and the like, its intermediate.
    pub(super) chain: String,
    pub(super) key: String,
    pub(super) serial: Vec<u8>,
}

/// Who is to be certified.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) unit: &'a str,
    pub(super) organisation: &'a str,
    pub(super) mail: &'a str,
    pub(super) purpose: ExtendedKeyUsagePurpose,
    pub(super) from: Date,
    pub(super) to: Date,
}

/// Every authority of the look-alike campus.
pub(super) struct Campus {
    pub(super) today: Date,
    /// Self-signed, issues members directly.
    pub(super) ca16: Authority,
    /// The root above the three that follow.
    pub(super) root: Authority,
    /// A CA that several customers share.
    pub(super) pub_ca8: Authority,
    /// Retired; its certificates would be good by their own dates.
    pub(super) odca: Authority,
    /// Issues for mail only.
    pub(super) smime: Authority,
    /// Nobody's authority.
    pub(super) stranger: Authority,
    /// Certifies the RADIUS server.
    pub(super) servers: Authority,
    next_serial: u64,
}

impl Campus {
    /// Makes keys and certificates; `progress` is called before each.
    pub(super) fn make(now: Timestamp, mut progress: impl FnMut(&str)) -> Result<Self, Error> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let mut authority = |name: &str, above: Option<&Authority>| {
            progress(name);
            let params = authority_params(name, today);
            let key = rsa()?;
            Ok::<_, Error>(match above {
                Some(above) => CertifiedIssuer::signed_by(params, key, above)?,
                None => CertifiedIssuer::self_signed(params, key)?,
            })
        };
        let ca16 = authority("SECOM Passport for Member RSA CA16 (look-alike)", None)?;
        let root = authority("Security Communication RootCA2 (look-alike)", None)?;
        Ok(Self {
            pub_ca8: authority("SECOM Passport for Member PUB CA8 (look-alike)", Some(&root))?,
            odca: authority("NII Open Domain CA - G4 (look-alike)", Some(&root))?,
            smime: authority("S/MIME CA (look-alike)", Some(&root))?,
            stranger: authority("Somebody's own CA", None)?,
            servers: authority("Campus Server CA (look-alike)", None)?,
            today,
            ca16,
            root,
            next_serial: 0x5ec0_0000_0000_0001,
        })
    }

    /// A member of ours, good for a year.
    pub(super) fn member<'a>(&self, name: &'a str, unit: &'a str, mail: &'a str) -> Result<Subject<'a>, Error> {
        let from = self.today.checked_sub(30.days())?;
        let to = self.today.checked_add(365.days())?;
        Ok(Subject { name, unit, organisation: OURS, mail, purpose: ExtendedKeyUsagePurpose::ClientAuth, from, to })
    }

    fn serial(&mut self) -> Vec<u8> {
        self.next_serial += 1;
        self.next_serial.to_be_bytes().to_vec()
    }

    /// Certifies somebody by one of our authorities; `above` tells which, and whether it is sent along.
    pub(super) fn certify(
        &mut self,
        issuer: impl Fn(&Self) -> &Authority,
        subject: &Subject<'_>,
    ) -> Result<Credential, Error> {
        let key = rsa()?;
        let serial = self.serial();
        let mut params = CertificateParams::default();
        params.distinguished_name = subject_name(subject);
        params.subject_alt_names = vec![SanType::Rfc822Name(subject.mail.try_into()?)];
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = midnight!(subject.from);
        params.not_after = midnight!(subject.to);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![subject.purpose.clone()];
        params.use_authority_key_identifier_extension = true;
        let issuer = issuer(self);
        let mut chain = params.signed_by(&key, issuer)?.pem();
        if [&self.pub_ca8, &self.odca, &self.smime].into_iter().any(|sent| std::ptr::eq(sent, issuer)) {
            chain.push_str(&issuer.pem());
        }
        Ok(Credential { chain, key: key.serialize_pem(), serial })
    }

    /// The server's own certificate.
    pub(super) fn server(&mut self, host: &str, key: &KeyPair) -> Result<Credential, Error> {
        let serial = self.serial();
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = midnight!(self.today.checked_sub(1.day())?);
        params.not_after = midnight!(self.today.checked_add(300.days())?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let chain = params.signed_by(key, &self.servers)?.pem();
        Ok(Credential { chain, key: key.serialize_pem(), serial })
    }

    /// A CRL of an authority.
    pub(super) fn crl(&self, issuer: &Authority, number: u64, revoked: &[&[u8]]) -> Result<String, Error> {
        let yesterday = midnight!(self.today.checked_sub(1.day())?);
        let entry = |serial: &&[u8]| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: yesterday,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: midnight!(self.today),
            next_update: midnight!(self.today.checked_add(7.days())?),
            crl_number: SerialNumber::from_slice(&number.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(issuer)?.pem()?)
    }
}

/// A P-256 key.
pub(super) fn p256() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

/// An RSA-2048 key, as members' certificates have.
pub(super) fn rsa() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn authority_params(name: &str, today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "JP");
    params.distinguished_name.push(DnType::OrganizationName, "Look-alike for sekisho demo");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2015, 1, 1);
    params.not_after = date_time_ymd(i32::from(today.year()) + 10, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn subject_name(subject: &Subject<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "JP");
    name.push(DnType::LocalityName, "Nomi");
    name.push(DnType::OrganizationName, subject.organisation);
    name.push(DnType::OrganizationalUnitName, subject.unit);
    name.push(DnType::CommonName, subject.name);
    name
}
