//! Settings → [`Trust`]: everything that is wrong or odd is found before a client is.

mod cas;
mod paths;
mod tables;

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use self::cas::{read_anchor, read_intermediates};
use self::paths::{Paths, paths};
use self::tables::{check_distrust, check_purpose, check_purpose_of_path, check_subject_rules, warn_shared};
use super::ca::{Ca, CaPath};
use super::certificate::Certificate;
use super::facts::Link;
use super::locations::Locations;
use super::trust::{Authority, Issuer, Trust};
use super::{AuthoritySettings, BadAuthority, Purpose, RevocationSource, name};
use crate::now::Wall;

impl Trust {
    /// Checks and prepares the authorities: fingerprints, CA certificates, intermediates below their anchors.
    ///
    /// # Errors
    /// All findings, those that are warnings only included.
    pub fn new(settings: &[AuthoritySettings], now: Wall) -> Result<(Self, Vec<BadAuthority>), Vec<BadAuthority>> {
        let mut builder =
            Builder { now, findings: Vec::new(), authorities: Vec::new(), issuers: Vec::new(), cas: Vec::new() };
        for (index, table) in settings.iter().enumerate() {
            builder.table(index, table);
        }
        if builder.findings.iter().any(|finding| !finding.warning) {
            return Err(builder.findings);
        }
        Ok((Self::prepared(builder.authorities, builder.issuers, builder.cas), builder.findings))
    }
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
            cas: paths.all.iter().flatten().copied().chain([anchor]).map(Certificate::authority_id).collect(),
            consulted: consulted(paths, anchor),
            places: places(paths, anchor),
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

/// Who has issued what must not be revoked: the users' certificates, and those of the table's CAs.
fn consulted(paths: &Paths<'_, '_>, anchor: &Certificate<'_>) -> Vec<[u8; 32]> {
    let to_users = paths.issuing.iter().map(|path| path.first().unwrap_or(&anchor).authority_id());
    let to_cas = paths.all.iter().flat_map(|path| links(path, anchor)).map(|link| link.issuer);
    let mut all = Vec::new();
    for id in to_users.chain(to_cas) {
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

/// Of each intermediate: by whom it was issued, and where it says that data about it is.
fn places(paths: &Paths<'_, '_>, anchor: &Certificate<'_>) -> Vec<([u8; 32], Locations)> {
    let place = |path: &Vec<&Certificate<'_>>| {
        let issuer = path.get(1).unwrap_or(&anchor).authority_id();
        path.first().map(|certificate| (issuer, certificate.locations.clone()))
    };
    paths.all.iter().filter_map(place).collect()
}

/// A path's certificates and by whom each was issued.
fn links(path: &[&Certificate<'_>], anchor: &Certificate<'_>) -> Vec<Link> {
    let issuers = path.iter().skip(1).copied().chain(std::iter::once(anchor));
    path.iter().zip(issuers).map(|(ca, issuer)| ca.link(issuer.authority_id())).collect()
}
