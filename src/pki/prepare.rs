//! Settings → [`Trust`]: everything that is wrong or odd is found before a client is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;

use super::certificate::Certificate;
use super::digest::sha256;
use super::facts::Link;
use super::signature::BadSignature;
use super::signers::{Ca, CaPath};
use super::trust::{Authority, Issuer, Trust};
use super::{AuthoritySettings, BadAuthority, Purpose, RevocationSource, name, purpose};
use crate::now::Wall;

/// Intermediates between a user's certificate and the anchor, so that a path has at most six certificates.
const MAX_INTERMEDIATES: usize = 4;
/// How long before its end a CA is worth a warning.
const NEAR: i64 = 60 * 24 * 3600;

/// Who issues for more than one organisation, as their certificates say: words of the subject, lower case.
const SHARED: [&str; 14] = [
    "secom",
    "security communication",
    "nii open domain",
    "upki",
    "geant",
    "sectigo",
    "digicert",
    "globalsign",
    "cybertrust",
    "quovadis",
    "harica",
    "entrust",
    "usertrust",
    "telesec",
];

static GENERATION: AtomicU64 = AtomicU64::new(1);

pub(super) fn trust(
    settings: &[AuthoritySettings],
    now: Wall,
) -> Result<(Trust, Vec<BadAuthority>), Vec<BadAuthority>> {
    let mut builder =
        Builder { now, findings: Vec::new(), authorities: Vec::new(), issuers: Vec::new(), cas: Vec::new() };
    for (index, table) in settings.iter().enumerate() {
        builder.table(index, table);
    }
    if builder.findings.iter().any(|finding| !finding.warning) {
        return Err(builder.findings);
    }
    let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
    Ok((Trust::prepared(builder.authorities, builder.issuers, builder.cas, generation), builder.findings))
}

struct Builder {
    now: Wall,
    findings: Vec<BadAuthority>,
    authorities: Vec<Arc<Authority>>,
    issuers: Vec<Issuer>,
    cas: Vec<Ca>,
}

/// Findings of one table.
struct Findings<'a> {
    authority: usize,
    all: &'a mut Vec<BadAuthority>,
}

impl Findings<'_> {
    fn add(&mut self, key: &'static str, warning: bool, text: impl Into<String>) {
        self.all.push(BadAuthority { authority: self.authority, key, text: text.into(), warning });
    }

    fn error(&mut self, key: &'static str, text: impl Into<String>) {
        self.add(key, false, text);
    }

    fn warning(&mut self, key: &'static str, text: impl Into<String>) {
        self.add(key, true, text);
    }
}

impl Builder {
    fn table(&mut self, index: usize, table: &AuthoritySettings) {
        let mut findings = Findings { authority: index, all: &mut self.findings };
        if self.authorities.iter().any(|other| other.name == table.name) {
            findings.error("name", format!("another authority is called {:?}", &*table.name));
        }
        check_subject_rules(table, &mut findings);
        let purpose = check_purpose(&table.purpose, &mut findings);
        check_distrust(table, &mut findings);
        if table.revocation == RevocationSource::Off {
            findings.warning("revocation", "revoked certificates are let in");
        }
        let Some(anchor) = read_anchor(table, self.now, &mut findings) else { return };
        let Some(intermediates) = read_intermediates(table, self.now, &mut findings) else { return };
        let Some(paths) = paths(&anchor, &intermediates, &mut findings) else { return };
        warn_shared(table, &anchor, &paths.issuing, &mut findings);
        check_purpose_of_path(&purpose, &paths.issuing, &mut findings);
        self.add(table, purpose, &anchor, &paths, index);
    }

    fn add(
        &mut self,
        table: &AuthoritySettings,
        purpose: Purpose,
        anchor: &Certificate<'_>,
        paths: &Paths<'_, '_>,
        index: usize,
    ) {
        let authority = Arc::new(Authority {
            name: Arc::clone(&table.name),
            subject: table.subject.clone(),
            purpose,
            revocation: table.revocation,
            grace: table.grace,
            distrust: table.distrust,
            anchor_not_before: anchor.not_before,
            anchor_not_after: anchor.not_after,
            issuer_texts: paths
                .issuing
                .iter()
                .map(|path| name::shown(&path.first().unwrap_or(&anchor).subject))
                .collect(),
        });
        self.authorities.push(Arc::clone(&authority));
        self.add_ca(anchor, &[], anchor);
        for path in &paths.all {
            path.iter()
                .enumerate()
                .for_each(|(above, ca)| self.add_ca(ca, path.get(above..).unwrap_or_default(), anchor));
        }
        for path in &paths.issuing {
            self.add_issuer(&authority, anchor, path, index);
        }
    }

    /// `path`: itself and those above it, without the anchor.
    fn add_ca(&mut self, certificate: &Certificate<'_>, path: &[&Certificate<'_>], anchor: &Certificate<'_>) {
        let id = certificate.authority_id();
        let crl_sign = certificate.key_usage.is_none_or(|usage| usage.crl_sign);
        let way = CaPath { anchor: anchor.authority_id(), links: links(path, anchor) };
        if let Some(known) = self.cas.iter_mut().find(|ca| ca.id == id) {
            // Two certificates of one CA: what either allows, the CA may.
            known.crl_sign |= crl_sign;
            known.is_ca |= certificate.is_ca;
            if !known.paths.contains(&way) {
                known.paths.push(way);
            }
            return;
        }
        self.cas.push(Ca {
            id,
            subject: certificate.subject.as_raw().to_vec(),
            name: name::id(certificate.subject.as_raw()).unwrap_or_default(),
            text: name::shown(&certificate.subject),
            spki: certificate.key.raw.to_vec(),
            is_ca: certificate.is_ca,
            crl_sign,
            paths: vec![way],
        });
    }

    fn add_issuer(
        &mut self,
        authority: &Arc<Authority>,
        anchor: &Certificate<'_>,
        path: &[&Certificate<'_>],
        index: usize,
    ) {
        let issuer = *path.first().unwrap_or(&anchor);
        let key = if path.is_empty() { "certificate" } else { "intermediates" };
        let text = name::shown(&issuer.subject);
        let mut findings = Findings { authority: index, all: &mut self.findings };
        let id = issuer.authority_id();
        if let Some(other) = self.issuers.iter().find(|other| other.id == id) {
            let other = &other.authority.name;
            findings.error(
                key,
                format!("{text} already issues for the authority {other:?}: a certificate belongs to one table"),
            );
            return;
        }
        let der = CertificateDer::from(anchor.der);
        let anchor_key = match webpki::anchor_from_trusted_cert(&der) {
            Ok(anchor) => anchor.to_owned(),
            Err(error) => return findings.error("certificate", format!("it can't be an anchor: {error}")),
        };
        self.issuers.push(Issuer {
            id,
            subject: issuer.subject.as_raw().to_vec(),
            authority: Arc::clone(authority),
            path: path.iter().map(|ca| CertificateDer::from(ca.der.to_vec())).collect(),
            links: links(path, anchor),
            anchor: anchor_key,
        });
    }
}

/// A path's certificates and by whom each was issued.
fn links(path: &[&Certificate<'_>], anchor: &Certificate<'_>) -> Vec<Link> {
    let issuers = path.iter().skip(1).copied().chain(std::iter::once(anchor));
    let link = |(ca, issuer): (&&Certificate<'_>, &Certificate<'_>)| Link {
        issuer: issuer.authority_id(),
        serial: ca.serial.clone(),
        not_before: ca.not_before,
        not_after: ca.not_after,
        points: ca.points.clone(),
    };
    path.iter().zip(issuers).map(link).collect()
}

fn check_subject_rules(table: &AuthoritySettings, findings: &mut Findings<'_>) {
    for (attribute, value) in &table.subject {
        if !name::is_attribute_name(attribute) {
            let known = name::SHORT_NAMES.iter().map(|(short, _)| *short).collect::<Vec<_>>().join(", ");
            findings.error(
                "subject",
                format!("{attribute:?} is neither one of {known} nor a dotted OID without such a name"),
            );
        }
        if value.is_empty() {
            findings.error("subject", format!("{attribute} is empty: no certificate could match"));
        }
    }
}

/// With `require` as dotted OIDs.
fn check_purpose(wanted: &Purpose, findings: &mut Findings<'_>) -> Purpose {
    let mut checked = Purpose { require: Vec::new(), ..wanted.clone() };
    for usage in &wanted.require {
        match purpose::oid(usage) {
            Some(oid) => checked.require.push(oid),
            None => {
                let known = purpose::all_names();
                findings.error("purpose", format!("require: {usage:?} is neither one of {known} nor a dotted OID"));
            }
        }
    }
    for (list, oids) in [("policies", &wanted.policies), ("refuse-policies", &wanted.refuse_policies)] {
        for oid in oids.iter().filter(|oid| !name::is_dotted_oid(oid)) {
            findings.error("purpose", format!("{list}: {oid:?} isn't a dotted OID"));
        }
    }
    checked
}

fn check_distrust(table: &AuthoritySettings, findings: &mut Findings<'_>) {
    let Some(distrust) = table.distrust else { return };
    if let (Some(before), Some(after)) = (distrust.issued_before, distrust.issued_after)
        && before <= after
    {
        findings.error("distrust", "no certificate is issued both before issued-before and after issued-after");
    }
}

fn read_anchor<'a>(table: &'a AuthoritySettings, now: Wall, findings: &mut Findings<'_>) -> Option<Certificate<'a>> {
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

fn read_intermediates<'a>(
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

/// The paths of a table's CAs, each the CA itself first, without the anchor.
struct Paths<'c, 'a> {
    /// Of every intermediate.
    all: Vec<Vec<&'c Certificate<'a>>>,
    /// Of the CAs that issue users' certificates: the intermediates that issued no other CA of the table, or else the anchor.
    issuing: Vec<Vec<&'c Certificate<'a>>>,
}

fn paths<'c, 'a>(
    anchor: &'c Certificate<'a>,
    intermediates: &'c [Certificate<'a>],
    findings: &mut Findings<'_>,
) -> Option<Paths<'c, 'a>> {
    let mut paths = Vec::new();
    for intermediate in intermediates {
        match path(anchor, intermediates, intermediate) {
            Ok(path) => paths.push(path),
            Err(what) => findings.error("intermediates", format!("{}: {what}", name::shown(&intermediate.subject))),
        }
    }
    if paths.len() < intermediates.len() {
        return None;
    }
    let is_issuing = |path: &&Vec<&Certificate<'_>>| path.first().is_some_and(|ca| !ca.signs_crls_only());
    let mut issuing: Vec<_> = paths.iter().filter(is_issuing).cloned().collect();
    let above: Vec<[u8; 32]> =
        issuing.iter().flat_map(|path| path.iter().skip(1)).map(|ca| ca.authority_id()).collect();
    issuing.retain(|path| path.first().is_some_and(|issuer| !above.contains(&issuer.authority_id())));
    if issuing.is_empty() {
        issuing.push(Vec::new());
    }
    Some(Paths { all: paths, issuing })
}

fn path<'c, 'a>(
    anchor: &'c Certificate<'a>,
    intermediates: &'c [Certificate<'a>],
    start: &'c Certificate<'a>,
) -> Result<Vec<&'c Certificate<'a>>, &'static str> {
    let mut path = vec![start];
    let mut top = start;
    while !issued(anchor, top) {
        top = intermediates
            .iter()
            .find(|parent| !parent.signs_crls_only() && issued(parent, top))
            .ok_or("neither the anchor nor another intermediate has signed it, with an algorithm that is accepted")?;
        path.push(top);
        if path.len() > MAX_INTERMEDIATES {
            return Err("its path to the anchor has more than 4 intermediates");
        }
    }
    // The last certificate of a path isn't counted, and a signer of CRLs is the last of its own.
    let counted = path.iter().copied().chain(std::iter::once(anchor)).skip(usize::from(start.signs_crls_only()));
    for (below, ca) in counted.enumerate() {
        if ca.path_length.is_some_and(|allowed| usize::try_from(allowed).is_ok_and(|allowed| below > allowed)) {
            return Err("a CA above it allows fewer intermediates (pathLenConstraint)");
        }
    }
    Ok(path)
}

fn issued(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    issuer.subject.as_raw() == certificate.issuer.as_raw() && certificate.signed.verify(issuer.key.raw).is_ok()
}

fn warn_shared(
    table: &AuthoritySettings,
    anchor: &Certificate<'_>,
    paths: &[Vec<&Certificate<'_>>],
    findings: &mut Findings<'_>,
) {
    if !table.subject.is_empty() {
        return;
    }
    for path in paths {
        let text = name::shown(&path.first().unwrap_or(&anchor).subject);
        if SHARED.iter().any(|word| text.to_lowercase().contains(word)) {
            findings.warning(
                "subject",
                format!("{text} issues for many organisations: without `subject` all of their members are let in"),
            );
        }
    }
}

/// A CA that may not issue for a purpose that is required can't be meant.
fn check_purpose_of_path(wanted: &Purpose, paths: &[Vec<&Certificate<'_>>], findings: &mut Findings<'_>) {
    for ca in paths.iter().flatten() {
        let Some(purposes) = &ca.purposes else { continue };
        let allows =
            |wanted: &String| purposes.contains(wanted) || purposes.iter().any(|purpose| purpose == purpose::ANY);
        if let Some(missing) = wanted.require.iter().find(|wanted| !allows(wanted)) {
            let (text, missing) = (name::shown(&ca.subject), purpose::name(missing));
            findings.error(
                "purpose",
                format!("{text} may not issue certificates for {missing}: no certificate could match"),
            );
        }
    }
}
