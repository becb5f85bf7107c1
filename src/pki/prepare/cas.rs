//! The certificates of CAs that a table names.

use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;

use super::Findings;
use crate::now::Wall;
use crate::pki::certificate::Certificate;
use crate::pki::digest::sha256;
use crate::pki::signature::BadSignature;
use crate::pki::{AuthoritySettings, name};

/// How long before its end a CA is worth a warning.
const NEAR: i64 = 60 * 24 * 3600;

pub(super) fn read_anchor<'a>(
    table: &'a AuthoritySettings,
    now: Wall,
    findings: &mut Findings<'_>,
) -> Option<Certificate<'a>> {
    const KEY: &str = "certificate";
    check_fingerprints(table, findings);
    let anchor = Certificate::read(&table.anchor).map_err(|what| findings.error(KEY, what)).ok()?;
    let before = findings.all.len();
    check_ca(&anchor, KEY, now, findings);
    if anchor.key_usage.is_none() {
        findings.warning(KEY, "it has no keyUsage, so nothing limits what it may sign");
    }
    if let Some(oid) = &anchor.unknown_critical {
        findings.warning(KEY, format!("its critical extension {oid} isn't known and isn't looked at"));
    }
    if anchor.issuer.as_raw() == anchor.subject.as_raw() {
        match anchor.signed.verify(anchor.key.raw) {
            Err(BadSignature::Wrong) => findings.error(KEY, "its signature over itself is wrong"),
            Err(BadSignature::Weak) => {
                findings.warning(KEY, "it is signed with an algorithm like SHA-1; as an anchor it may stay")
            }
            Ok(()) => {}
        }
    }
    let sound = findings.all.iter().skip(before).all(|finding| finding.warning);
    sound.then_some(anchor)
}

fn check_fingerprints(table: &AuthoritySettings, findings: &mut Findings<'_>) {
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &table.anchor);
    if table.fingerprint_sha1.is_some_and(|wanted| sha1.as_ref() != wanted) {
        findings.error("fingerprint-sha1", format!("the certificate's is {}", colons(sha1.as_ref())));
    }
    let sha256 = sha256(&[&table.anchor]);
    if table.fingerprint_sha256.is_some_and(|wanted| sha256 != wanted) {
        findings.error("fingerprint-sha256", format!("the certificate's is {}", colons(&sha256)));
    }
}

fn colons(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

/// What holds for every CA's certificate.
fn check_ca(ca: &Certificate<'_>, key: &'static str, now: Wall, findings: &mut Findings<'_>) {
    let text = name::shown(&ca.subject);
    if !ca.is_ca {
        findings.error(key, format!("{text} isn't a CA: basicConstraints doesn't say so"));
    }
    if text.is_empty() {
        findings.error(key, "it is a CA without a name: no certificate could name it as issuer");
    }
    if ca.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
        findings.error(key, format!("{text} may not issue certificates: keyUsage lacks keyCertSign"));
    }
    check_key(ca, key, findings);
    if ca.not_after < now {
        findings.warning(key, format!("{text} has expired: all of its certificates are refused"));
    } else if ca.not_after.0 < now.0.saturating_add(NEAR) {
        let days = now.until(ca.not_after).as_secs() / (24 * 3600);
        findings
            .warning(key, format!("{text} expires in {days} days: all of its certificates are refused from then on"));
    } else if ca.not_before > now {
        findings.warning(key, format!("{text} isn't valid yet: all of its certificates are refused until then"));
    }
    if ca.has_name_constraints {
        let limit = "its nameConstraints are understood for DNS names and addresses only";
        findings.warning(
            key,
            format!("{text}: {limit}; where they concern other names, certificates with such names are refused"),
        );
    }
    if ca.key_usage.is_some_and(|usage| !usage.crl_sign) {
        findings.warning(key, format!("{text} may not sign CRLs: keyUsage lacks cRLSign"));
    }
}

fn check_key(ca: &Certificate<'_>, key: &'static str, findings: &mut Findings<'_>) {
    if !ca.key_is_strong() {
        let text = name::shown(&ca.subject);
        findings.error(
            key,
            format!("{text} has a key that isn't accepted: RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 are"),
        );
    }
}

/// What holds for a certificate that is there to sign CRLs only.
fn check_crl_signer(signer: &Certificate<'_>, key: &'static str, now: Wall, findings: &mut Findings<'_>) {
    let text = name::shown(&signer.subject);
    if text.is_empty() {
        findings.error(key, "it signs CRLs and has no name: no CRL could name it as issuer");
    }
    check_key(signer, key, findings);
    if let Some(oid) = &signer.unknown_critical {
        findings.error(key, format!("{text}: its critical extension {oid} isn't known"));
    }
    if signer.not_after < now {
        findings.warning(key, format!("{text} has expired: its CRLs can only revoke"));
    }
}

pub(super) fn read_intermediates<'a>(
    table: &'a AuthoritySettings,
    now: Wall,
    findings: &mut Findings<'_>,
) -> Option<Vec<Certificate<'a>>> {
    const KEY: &str = "intermediates";
    let before = findings.all.len();
    let mut intermediates: Vec<Certificate<'a>> = Vec::new();
    for (number, der) in table.intermediates.iter().enumerate() {
        let certificate = match Certificate::read(der) {
            Ok(certificate) => certificate,
            Err(what) => {
                findings.error(KEY, format!("number {}: {what}", number + 1));
                continue;
            }
        };
        let text = name::shown(&certificate.subject);
        if certificate.signs_crls_only() {
            check_crl_signer(&certificate, KEY, now, findings);
        } else {
            check_ca(&certificate, KEY, now, findings);
        }
        if certificate.key_usage.is_none() {
            findings.error(KEY, format!("{text} has no keyUsage, so no keyCertSign"));
        }
        // What webpki refuses in an intermediate it would refuse at every login.
        if let Err(error) = webpki::EndEntityCert::try_from(&CertificateDer::from(certificate.der)) {
            findings.error(KEY, format!("{text} can't be used: {error}"));
        }
        if intermediates.iter().any(|other| other.authority_id() == certificate.authority_id()) {
            findings.error(KEY, format!("{text} stands twice with the same key: list the newer one only"));
        }
        intermediates.push(certificate);
    }
    let sound = findings.all.iter().skip(before).all(|finding| finding.warning);
    sound.then_some(intermediates)
}
