//! Facts at a moment → what may be said of the certificate.

use std::sync::Arc;

use super::crl::reason_name;
use super::facts::{Facts, Link};
use super::imprint::Imprint;
use super::ocsp::{OcspAnswer, Question};
use super::purpose;
use super::revocation::{Covering, Freshness, Revocation};
use super::settings::{RevocationSource, Source};
use super::trust::{Authority, Trust};
use crate::event::{Evidence, OcspStatus, Reason};
use crate::now::Wall;

/// Attributes of which a subject has several by design, so that one of them is enough.
const REPEATED: [&str; 2] = ["OU", "DC"];

/// What may be said of a certificate, whoever asks for whatever service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `Ok`, `OkGrace`, or the first that stands against it: `WrongOrganisation`, `WrongPurpose`, `Revoked`, `NotYetValid`, `Expired`, `DistrustedAuthority`, `RevocationUnknown`, `RevocationStale`; `UntrustedIssuer` when its authority or its CA is no longer configured.
    pub finding: Reason,
    /// On what it rests.
    pub evidence: Vec<Evidence>,
}

/// Judges facts at a moment: subject, purpose, dates of the whole path, distrust, revocation of the whole path but the anchor.
///
/// A certificate that is known to be revoked is `Revoked` whatever its dates and however old the CRL that lists it.
#[must_use]
pub fn verdict(trust: &Trust, revocation: &Revocation, facts: &Facts, now: Wall) -> Verdict {
    let Some(authority) = trust.authority_of(facts) else {
        let gone = Evidence::Path("its authority is no longer configured".to_owned());
        return Verdict { finding: Reason::UntrustedIssuer, evidence: vec![gone] };
    };
    let case = Case { trust, revocation, authority, facts, now };
    case.refused().unwrap_or_else(|| case.not_revoked())
}

/// Whether a certificate that was let in has to go: `Revoked` or `DistrustedAuthority`, with the evidence. Dates, purpose and the age of CRLs end nobody's session: its time-out is never beyond notAfter,
/// and a CA that is late would otherwise end everybody's. Where its issuer isn't configured any more, nothing can be said.
#[must_use]
pub fn condemned(trust: &Trust, revocation: &Revocation, imprint: &Imprint, now: Wall) -> Option<Verdict> {
    let facts = imprint.facts(trust)?;
    let authority = trust.authority_of(&facts)?;
    let case = Case { trust, revocation, authority, facts: &facts, now };
    case.revoked().or_else(|| case.distrusted())
}

/// What a responder could still say about these facts: for every certificate of the path but the anchor, whether OCSP would be consulted before a source that is fresh, and has no fresh answer.
/// Empty where [`verdict`] rests on fresh data in the configured order, where no answer could turn a refusal, or where nobody would answer ([`Answers::nobody_answers`](super::Answers::nobody_answers)).
#[must_use]
pub fn questions(trust: &Trust, revocation: &Revocation, facts: &Facts, now: Wall) -> Vec<Question> {
    let Some(authority) = trust.authority_of(facts) else { return Vec::new() };
    let case = Case { trust, revocation, authority, facts, now };
    if !authority.revocation.consults_ocsp() || case.refused().is_some() {
        return Vec::new();
    }
    let links = facts.links.iter().enumerate();
    links.filter(|(index, link)| case.is_open(link, *index > 0)).map(|(_, link)| case.question(link)).collect()
}

/// What the age of revocation data means; `None`: there is none.
pub(super) fn finding(freshness: Option<Freshness>) -> Reason {
    match freshness {
        Some(Freshness::Fresh) => Reason::Ok,
        Some(Freshness::Grace) => Reason::OkGrace,
        Some(Freshness::Stale) => Reason::RevocationStale,
        None => Reason::RevocationUnknown,
    }
}

struct Case<'a> {
    trust: &'a Trust,
    revocation: &'a Revocation,
    authority: &'a Authority,
    facts: &'a Facts,
    now: Wall,
}

fn against(finding: Reason, evidence: Vec<Evidence>) -> Option<Verdict> {
    Some(Verdict { finding, evidence })
}

impl Case<'_> {
    /// What stands against it whatever anybody may still say of revocation.
    fn refused(&self) -> Option<Verdict> {
        self.organisation()
            .or_else(|| self.purpose())
            .or_else(|| self.revoked())
            .or_else(|| self.not_yet_valid())
            .or_else(|| self.expired())
            .or_else(|| self.distrusted())
    }

    /// Each attribute of `subject` must be there with exactly the wanted value. Of an attribute that stands there twice every value must be the wanted one, or else a shared CA that lets an applicant add a second `O` would let strangers in; of `OU` and `DC` one is enough.
    fn organisation(&self) -> Option<Verdict> {
        let mismatch = |(attribute, wanted): &(String, String)| {
            let mut values = self.facts.subject.iter().filter(|(name, _)| name == attribute).map(|(_, value)| value);
            let other = values.clone().find(|value| *value != wanted);
            let matches = if REPEATED.contains(&attribute.as_str()) {
                values.any(|value| value == wanted)
            } else {
                values.next().is_some() && other.is_none()
            };
            (!matches).then(|| Evidence::Organisation {
                attribute: attribute.clone(),
                wanted: wanted.clone(),
                found: other.cloned(),
            })
        };
        let evidence: Vec<_> = self.authority.subject.iter().filter_map(mismatch).collect();
        if evidence.is_empty() { None } else { against(Reason::WrongOrganisation, evidence) }
    }

    /// anyExtendedKeyUsage stands for no other usage, and anyPolicy for no other policy: each must be named.
    fn purpose(&self) -> Option<Verdict> {
        let wanted = &self.authority.purpose;
        let has = |usage: &String| self.facts.purposes.as_ref().is_some_and(|purposes| purposes.contains(usage));
        let mut evidence = Vec::new();
        if !wanted.require.iter().all(has) {
            let found = self.facts.purposes.as_ref();
            evidence.push(Evidence::Purposes(found.map(|oids| oids.iter().map(|oid| purpose::name(oid)).collect())));
        }
        let policies = &self.facts.policies;
        if !wanted.policies.is_empty() && !wanted.policies.iter().any(|oid| policies.contains(oid)) {
            let absent = |oid: &String| Evidence::CertificatePolicy { oid: oid.clone(), required: true };
            evidence.extend(wanted.policies.iter().map(absent));
        }
        let refused = wanted.refuse_policies.iter().filter(|oid| policies.contains(oid));
        evidence.extend(refused.map(|oid| Evidence::CertificatePolicy { oid: oid.clone(), required: false }));
        if evidence.is_empty() { None } else { against(Reason::WrongPurpose, evidence) }
    }

    /// The leaf or any CA above it but the anchor.
    fn revoked(&self) -> Option<Verdict> {
        if self.authority.revocation == RevocationSource::Off {
            return None;
        }
        self.facts.links.iter().enumerate().find_map(|(index, link)| {
            let by_crl = self.revocation.revoked(self.trust, link, self.now);
            let (entry, mut evidence) = by_crl
                .map(|(lister, entry)| (entry, lister.evidence(link)))
                .or_else(|| self.revocation.revoked_by_answer(self.trust, link, self.now))?;
            let reason = entry.reason.and_then(reason_name);
            evidence.insert(0, Evidence::Revoked { at: entry.at, reason, intermediate: index > 0 });
            against(Reason::Revoked, evidence)
        })
    }

    fn not_yet_valid(&self) -> Option<Verdict> {
        self.dates(Reason::NotYetValid, |not_before, _, now| now < not_before)
    }

    fn expired(&self) -> Option<Verdict> {
        self.dates(Reason::Expired, |_, not_after, now| now > not_after)
    }

    /// The first certificate of the path, the anchor last, whose dates are against it. Both dates are inclusive (RFC 5280 section 4.1.2.5).
    fn dates(&self, finding: Reason, against_it: fn(Wall, Wall, Wall) -> bool) -> Option<Verdict> {
        let path = self.facts.links.iter().map(|link| (link.not_before, link.not_after));
        let anchor = (self.authority.anchor_not_before, self.authority.anchor_not_after);
        let (index, (not_before, not_after)) = path
            .chain(std::iter::once(anchor))
            .enumerate()
            .find(|(_, (not_before, not_after))| against_it(*not_before, *not_after, self.now))?;
        let mut evidence = vec![Evidence::Validity { not_before, not_after }];
        if let Some(below) = index.checked_sub(1).and_then(|below| self.facts.links.get(below)) {
            evidence.push(Evidence::Path(format!("these are the dates of {}", self.issuer_text(below))));
        }
        against(finding, evidence)
    }

    fn distrusted(&self) -> Option<Verdict> {
        let from = self.distrusted_from().filter(|from| self.now >= *from)?;
        let dates = Evidence::Validity { not_before: self.facts.not_before, not_after: self.facts.not_after };
        against(Reason::DistrustedAuthority, vec![Evidence::Distrust { from }, dates])
    }

    /// From when on the certificate is refused whatever else is said of it.
    fn distrusted_from(&self) -> Option<Wall> {
        let distrust = self.authority.distrust?;
        let issued = self.facts.not_before;
        let concerned = distrust.issued_before.is_none_or(|before| issued < before)
            && distrust.issued_after.is_none_or(|after| issued > after);
        concerned.then_some(distrust.from)
    }

    /// Where nothing stands against it, with the end that is planned.
    fn until_distrusted(&self, finding: Reason, mut evidence: Vec<Evidence>) -> Verdict {
        if let (Reason::Ok | Reason::OkGrace, Some(from)) = (finding, self.distrusted_from()) {
            evidence.push(Evidence::Distrust { from });
        }
        Verdict { finding, evidence }
    }

    /// The worst of what is known of the path's certificates, with the evidence of all.
    fn not_revoked(&self) -> Verdict {
        if self.authority.revocation == RevocationSource::Off {
            return self.until_distrusted(Reason::Ok, Vec::new());
        }
        let mut worst = Some(Freshness::Fresh);
        let mut evidence = Vec::new();
        for (index, link) in self.facts.links.iter().enumerate() {
            let (freshness, found) = self.consult(link, index > 0);
            // Unknown, `None`, is worse than any age.
            worst = worst.zip(freshness).map(|(one, other)| one.max(other));
            for one in found {
                if !evidence.contains(&one) {
                    evidence.push(one);
                }
            }
        }
        self.until_distrusted(finding(worst), evidence)
    }

    /// The first source that is fresh and in scope decides, else the freshest.
    fn consult(&self, link: &Link, is_ca: bool) -> (Option<Freshness>, Vec<Evidence>) {
        let sources = self.authority.revocation.order();
        let mut best: Option<(Freshness, Vec<Evidence>)> = None;
        for answer in sources.iter().filter_map(|source| self.answer(*source, link, is_ca)) {
            if best.as_ref().is_none_or(|(freshness, _)| answer.0 < *freshness) {
                best = Some(answer);
            }
            if best.as_ref().is_some_and(|(freshness, _)| *freshness == Freshness::Fresh) {
                break;
            }
        }
        match best {
            Some((freshness, evidence)) => (Some(freshness), evidence),
            None => (None, sources.iter().map(|source| self.nothing(*source, link)).collect()),
        }
    }

    fn answer(&self, source: Source, link: &Link, is_ca: bool) -> Option<(Freshness, Vec<Evidence>)> {
        match source {
            Source::Crl => {
                let covering = self.covering(link, is_ca)?;
                let evidence = covering.crls.iter().map(|crl| Evidence::Crl(crl.name()));
                Some((covering.freshness, evidence.collect()))
            }
            Source::Ocsp => {
                let (freshness, answer) = self.answered(link)?;
                let name = answer.name();
                (name.status == OcspStatus::Good).then(|| (freshness, vec![Evidence::Ocsp(name.clone())]))
            }
        }
    }

    /// What shows that a source says nothing of a certificate. "unknown" is no more than that.
    fn nothing(&self, source: Source, link: &Link) -> Evidence {
        match (source, self.answered(link)) {
            (Source::Crl, _) => Evidence::NoCrl(self.issuer_text(link)),
            (Source::Ocsp, Some((_, unknown))) => Evidence::Ocsp(unknown.name().clone()),
            (Source::Ocsp, None) => Evidence::NoOcsp(self.issuer_text(link)),
        }
    }

    fn covering(&self, link: &Link, is_ca: bool) -> Option<Covering<'_>> {
        self.revocation.covering(self.trust, link, is_ca, self.authority.grace, self.now)
    }

    fn answered(&self, link: &Link) -> Option<(Freshness, Arc<OcspAnswer>)> {
        self.revocation.answered(self.trust, link, self.authority.grace, self.now)
    }

    /// Whether a responder would be consulted before anything that is fresh, and hasn't answered freshly.
    fn is_open(&self, link: &Link, is_ca: bool) -> bool {
        for source in self.authority.revocation.order() {
            let is_fresh = match source {
                Source::Crl => self.covering(link, is_ca).is_some_and(|found| found.freshness == Freshness::Fresh),
                Source::Ocsp => match self.answered(link) {
                    Some((Freshness::Fresh, answer)) => answer.name().status == OcspStatus::Good,
                    _ if self.revocation.answers().may_come(&self.authority.name, &link.issuer) => return true,
                    _ => false,
                },
            };
            if is_fresh {
                return false;
            }
        }
        false
    }

    fn question(&self, link: &Link) -> Question {
        Question { authority: Arc::clone(&self.authority.name), issuer: link.issuer, serial: link.serial.clone() }
    }

    fn issuer_text(&self, link: &Link) -> String {
        self.trust.ca(&link.issuer).map_or_else(|| "a CA that is no longer configured".to_owned(), |ca| ca.text.clone())
    }
}
