//! Who tries to log in, and what must come of it.

use std::path::Path;

use jiff::ToSpan;
use jiff::civil::date;
use rcgen::ExtendedKeyUsagePurpose;

use super::Error;
use super::campus::{Campus, Credential, Subject};
use super::files::write_credential;
use crate::event::{Method, Reason, TlsVersion};

/// One login and what must be decided.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// For people: who, in a few words.
    pub(super) who: &'static str,
    /// Name of the credential, and the user's before the @.
    pub(super) credential: &'static str,
    pub(super) service: &'static str,
    pub(super) method: Method,
    /// Without EAP it says nothing.
    pub(super) tls: TlsVersion,
    /// The second login of a supplicant that has just been let in.
    pub(super) resumes: bool,
    /// What happens before this login; to one that resumes, in between.
    pub(super) before: Before,
    /// What must be decided.
    pub(super) expected: Reason,
    /// The alert that the supplicant must see.
    pub(super) alert: Option<u8>,
}

/// What happens to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// Its CA revokes it: it stands on a new CRL.
    Revoked,
    /// An operator blocks it here, by the API.
    Blocked,
    /// An operator lifts that.
    Lifted,
    /// A line of the CA's list is registered, without a certificate.
    Listed,
    /// An operator enrols the user for one-time passwords. Without that, the code of before is typed again.
    Enrolled,
}

impl Case {
    /// As the user is called where no certificate says it.
    pub(super) fn user(&self) -> String {
        format!("{}@jaist.ac.jp", self.credential)
    }

    /// Whether it is the concentrator that asks.
    pub(super) fn by_vpn(&self) -> bool {
        self.service == VPN
    }
}

/// Service of the demo's concentrator.
const VPN: &str = "ssl-vpn";

const MEMBER: Case = Case {
    who: "a member",
    credential: "hanako",
    service: "JAIST",
    method: Method::EapTls,
    tls: TlsVersion::Tls13,
    resumes: false,
    before: Before::Nothing,
    expected: Reason::Ok,
    alert: None,
};

/// A member whom the concentrator asks about by name.
const BY_NAME: Case = Case { who: "a member, by name", service: VPN, method: Method::Authorize, ..MEMBER };
/// One whose password the concentrator has checked.
const BY_CODE: Case = Case { who: "a member, by a code", service: VPN, method: Method::Otp, ..MEMBER };

/// All of them, in their order.
pub(super) fn all() -> Vec<Case> {
    let refused = |who, credential, expected, alert| Case { who, credential, expected, alert: Some(alert), ..MEMBER };
    let by_name = |who, credential, expected| Case { who, credential, expected, ..BY_NAME };
    vec![
        MEMBER,
        Case { who: "the same, on eduroam", service: "eduroam", ..MEMBER },
        Case { who: "the same, on the SSL-VPN", service: VPN, tls: TlsVersion::Tls12, ..MEMBER },
        Case { who: "a member, older CA", credential: "taro", ..MEMBER },
        Case { who: "a member, by TLS 1.2", tls: TlsVersion::Tls12, ..MEMBER },
        Case { who: "a member comes back", resumes: true, ..MEMBER },
        Case { who: "a member comes back", resumes: true, tls: TlsVersion::Tls12, ..MEMBER },
        refused("revoked", "revoked", Reason::Revoked, 44),
        refused("expired", "expired", Reason::Expired, 45),
        refused("S/MIME, for mail only", "smime", Reason::WrongPurpose, 43),
        refused("the CA's other customer", "neighbour", Reason::WrongOrganisation, 49),
        refused("of a CA that has ended", "old-timer", Reason::DistrustedAuthority, 46),
        refused("of nobody's CA", "stranger", Reason::UntrustedIssuer, 48),
        refused("suspended by a group", "jiro", Reason::Policy, 49),
        Case {
            before: Before::Revoked,
            resumes: true,
            ..refused("revoked, comes back", "saburo", Reason::Revoked, 44)
        },
        by_name("the same, by name", "saburo", Reason::Revoked),
        Case {
            before: Before::Blocked,
            resumes: true,
            ..refused("blocked, comes back", "hachiro", Reason::Blocked, 44)
        },
        by_name("the same, by name", "hachiro", Reason::Blocked),
        Case { who: "the same, block lifted", credential: "hachiro", before: Before::Lifted, ..MEMBER },
        by_name("the same, by name", "hachiro", Reason::Ok),
        BY_NAME,
        Case { before: Before::Listed, ..by_name("only on the CA's list", LISTED, Reason::NoGoodCertificate) },
        Case { before: Before::Enrolled, ..BY_CODE },
        Case { who: "the same code again", expected: Reason::OtpWrong, ..BY_CODE },
    ]
}

/// Of whom there is a line on the CA's list, and no certificate.
pub(super) const LISTED: &str = "kuro";

/// Every credential that the cases name, written below the directory. Returns those that a CRL must list.
pub(super) fn certify(dir: &Path, campus: &mut Campus, mut progress: impl FnMut(&str)) -> Result<Certified, Error> {
    let mut make =
        |campus: &mut Campus, name: &str, issuer: fn(&Campus) -> &super::campus::Authority, subject: &Subject<'_>| {
            progress(name);
            let credential = campus.certify(issuer, subject)?;
            write_credential(dir, name, &credential)?;
            Ok::<Credential, Error>(credential)
        };
    let member = campus.member("Hanako Sekiguchi", "Staff", "hanako@jaist.ac.jp")?;
    make(campus, "hanako", |campus| &campus.ca16, &member)?;
    let member = campus.member("Taro Hakone", "Students", "taro@jaist.ac.jp")?;
    make(campus, "taro", |campus| &campus.pub_ca8, &member)?;
    let member = campus.member("Jiro Arai", "Students", "jiro@jaist.ac.jp")?;
    make(campus, "jiro", |campus| &campus.ca16, &member)?;
    let member = campus.member("Saburo Fuwa", "Students", "saburo@jaist.ac.jp")?;
    let saburo = make(campus, "saburo", |campus| &campus.ca16, &member)?;
    let member = campus.member("Hachiro Usui", "Students", "hachiro@jaist.ac.jp")?;
    let hachiro = make(campus, "hachiro", |campus| &campus.ca16, &member)?;
    let member = campus.member("Shiro Nakoso", "Students", "shiro@jaist.ac.jp")?;
    let revoked = make(campus, "revoked", |campus| &campus.ca16, &member)?;

    let mut subject = campus.member("Goro Kiso", "Students", "goro@jaist.ac.jp")?;
    (subject.from, subject.to) = (campus.today.checked_sub(400.days())?, campus.today.checked_sub(2.days())?);
    make(campus, "expired", |campus| &campus.ca16, &subject)?;

    let mut subject = campus.member("Hanako Sekiguchi", "Staff", "hanako@jaist.ac.jp")?;
    subject.purpose = ExtendedKeyUsagePurpose::EmailProtection;
    make(campus, "smime", |campus| &campus.smime, &subject)?;

    let mut subject = campus.member("Rokuro Suzuka", "Staff", "rokuro@another.example")?;
    subject.organisation = "Another Customer of the Shared CA";
    make(campus, "neighbour", |campus| &campus.pub_ca8, &subject)?;

    let mut subject = campus.member("Shichiro Shirakawa", "Staff", "shichiro@jaist.ac.jp")?;
    subject.from = date(2020, 6, 1);
    make(campus, "old-timer", |campus| &campus.odca, &subject)?;

    let member = campus.member("Hanako Sekiguchi", "Staff", "hanako@jaist.ac.jp")?;
    make(campus, "stranger", |campus| &campus.stranger, &member)?;
    Ok(Certified { revoked: revoked.serial, to_be_revoked: saburo.serial, to_be_blocked: hachiro.serial })
}

/// Serials that CRLs will list, and one that is blocked here.
pub(super) struct Certified {
    pub(super) revoked: Vec<u8>,
    pub(super) to_be_revoked: Vec<u8>,
    pub(super) to_be_blocked: Vec<u8>,
}
