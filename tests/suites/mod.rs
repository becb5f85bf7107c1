//! What the foreign suites of certification paths share: how a case is put to `pki`, and the list of cases that it may get wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sekisho::event::Reason;
use sekisho::now::Wall;
use sekisho::pki::{AuthoritySettings, Crl, Purpose, Revocation, RevocationSource, Trust, verdict};
use x509_parser::extensions::X509Extension;
use x509_parser::oid_registry::OID_X509_EXT_CRL_DISTRIBUTION_POINTS;
use x509_parser::prelude::{FromDer, X509Certificate};

/// As many as an authority may have between a user's certificate and its anchor.
const MAX_INTERMEDIATES: usize = 4;
/// Ways of one length that are followed: there are cases made to have more than anybody could try.
const MAX_WAYS: usize = 100;
/// As many intermediates as anybody would allow at once.
const MAX_TOGETHER: usize = 100;

/// A certificate, and what else is there to judge it by; all in DER.
pub(crate) struct Case<'a> {
    pub(crate) leaf: &'a [u8],
    pub(crate) anchors: &'a [Vec<u8>],
    /// Those that may be on the way.
    pub(crate) intermediates: &'a [Vec<u8>],
    /// `None`: revocation is off.
    pub(crate) crls: Option<&'a [Vec<u8>]>,
    /// Extended key usages that must be there.
    pub(crate) purposes: &'a [String],
    pub(crate) now: Wall,
}

impl Case<'_> {
    /// Whether any administrator could let the certificate in: one who allows every intermediate of the case, or those of one
    /// way by the issuers' names, with or without those that sign CRLs beside it.
    pub(crate) fn is_accepted(&self) -> bool {
        let all = || self.intermediates.iter().map(Vec::as_slice).collect();
        (self.intermediates.len() <= MAX_TOGETHER && self.is_accepted_by(all()))
            || self.ways().into_iter().any(|way| {
                let signers = self.crl_signers(&way);
                let with_signers = || [&way[..], &signers].concat();
                self.is_accepted_by(way.clone()) || (!signers.is_empty() && self.is_accepted_by(with_signers()))
            })
    }

    /// Who signs CRLs beside a way: with another key of a name on it, or named in the leaf's distribution points.
    fn crl_signers(&self, way: &[&[u8]]) -> Vec<&[u8]> {
        let on_way: Vec<_> = way.iter().filter_map(|der| Some(names(der)?.1)).collect();
        let points = points(self.leaf).unwrap_or_default();
        let is_named = |subject: &[u8]| points.windows(subject.len()).any(|place| place == subject);
        let signs = |der: &&[u8]| {
            names(der)
                .is_some_and(|(_, subject)| is_named(&subject) || (on_way.contains(&subject) && signs_crls_only(der)))
        };
        self.intermediates.iter().map(Vec::as_slice).filter(|der| !way.contains(der)).filter(signs).collect()
    }

    /// The ways from the leaf to an anchor, the shortest first.
    fn ways(&self) -> Vec<Vec<&[u8]>> {
        let named = |der: &'_ [u8]| names(der).unwrap_or_default();
        let cas: Vec<_> = self.intermediates.iter().map(|der| (der.as_slice(), named(der))).collect();
        let anchors: Vec<_> = self.anchors.iter().map(|der| named(der)).collect();
        let (mut found, mut begun) = (Vec::new(), vec![(named(self.leaf).0, Vec::new())]);
        for _ in 0..=MAX_INTERMEDIATES {
            let mut longer = Vec::new();
            for (issuer, way) in begun {
                if anchors.iter().any(|(_, subject)| *subject == issuer) {
                    found.push(way.clone());
                }
                let next = cas.iter().filter(|(ca, (_, subject))| *subject == issuer && !way.contains(ca));
                longer.extend(next.map(|(ca, (above, _))| (above.clone(), [&way[..], &[*ca]].concat())));
                longer.truncate(MAX_WAYS);
            }
            begun = longer;
        }
        found
    }

    fn is_accepted_by(&self, intermediates: Vec<&[u8]>) -> bool {
        // An anchor is a table of its own: where one can't be used, another may do.
        self.anchors.iter().enumerate().any(|(number, anchor)| {
            let settings = self.authority(number, anchor, &intermediates);
            Trust::new(&[settings], self.now).is_ok_and(|(trust, _)| self.is_accepted_with(&trust))
        })
    }

    fn is_accepted_with(&self, trust: &Trust) -> bool {
        let revocation = self.revocation(trust);
        let facts = trust.facts(&[self.leaf]);
        facts.is_ok_and(|facts| verdict(trust, &revocation, &facts, self.now).finding == Reason::Ok)
    }

    /// Those of its CRLs that a CA of these has signed.
    pub(crate) fn revocation(&self, trust: &Trust) -> Revocation {
        let source: Arc<str> = "suite".into();
        let crls = self.crls.unwrap_or_default().iter().filter_map(|crl| Crl::load(crl, &source, &source, trust).ok());
        Revocation::new(crls.map(Arc::new).collect())
    }

    pub(crate) fn authority(&self, number: usize, anchor: &[u8], intermediates: &[&[u8]]) -> AuthoritySettings {
        AuthoritySettings {
            name: format!("anchor {number}").into(),
            anchor: anchor.to_vec(),
            fingerprint_sha1: None,
            fingerprint_sha256: None,
            intermediates: intermediates.iter().map(|der| der.to_vec()).collect(),
            subject: Vec::new(),
            purpose: Purpose { require: self.purposes.to_vec(), policies: Vec::new(), refuse_policies: Vec::new() },
            revocation: if self.crls.is_some() { RevocationSource::Crl } else { RevocationSource::Off },
            grace: Duration::ZERO,
            distrust: None,
        }
    }
}

/// Issuer and subject.
fn names(certificate: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some((certificate.issuer.as_raw().to_vec(), certificate.subject.as_raw().to_vec()))
}

fn signs_crls_only(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let usage = certificate.key_usage().ok().flatten();
    usage.is_some_and(|usage| usage.value.crl_sign() && !usage.value.key_cert_sign())
}

/// What stands in a certificate's cRLDistributionPoints, unread: x509-parser misreads those that are named relative to the CRL's issuer.
fn points(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let is_points = |extension: &&X509Extension<'_>| extension.oid == OID_X509_EXT_CRL_DISTRIBUTION_POINTS;
    Some(certificate.extensions().iter().find(is_points)?.value.to_vec())
}

/// What came of a suite's cases.
#[derive(Default)]
pub(crate) struct Tally {
    cases: Vec<Outcome>,
}

struct Outcome {
    id: String,
    is_valid: bool,
    is_accepted: bool,
}

/// A line of a list of exceptions: `id accepts|rejects reason`. An id that ends in `*` stands for every case that begins
/// so and should come out the other way.
struct Exception<'a> {
    id: &'a str,
    accepts: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, id: impl Into<String>, is_valid: bool, is_accepted: bool) {
        self.cases.push(Outcome { id: id.into(), is_valid, is_accepted });
    }

    /// Prints the sums, and fails unless the wrong cases are exactly those of the list.
    pub(crate) fn compare(&self, suite: &str, exceptions: &str) {
        let wrong = |accepted| {
            self.cases.iter().filter(|case| case.is_accepted == accepted && case.is_valid != accepted).count()
        };
        let (cases, accepts, rejects) = (self.cases.len(), wrong(true), wrong(false));
        let right = cases - accepts - rejects;
        println!("{suite}: right in {right} of {cases}; false accepts {accepts}, false rejects {rejects}");
        let differences = self.differences(exceptions);
        assert!(differences.is_empty(), "{suite}:\n{}", differences.join("\n"));
    }

    fn differences(&self, exceptions: &str) -> Vec<String> {
        let exceptions: Vec<Exception<'_>> = exceptions.lines().filter_map(Exception::read).collect();
        let mut differences = Vec::new();
        for case in &self.cases {
            let listed = exceptions.iter().filter(|exception| exception.concerns(case)).count();
            let (id, verb) = (&case.id, if case.is_accepted { "accepts" } else { "rejects" });
            match (case.is_valid == case.is_accepted, listed) {
                (true, 0) | (false, 1) => {}
                (true, _) => differences.push(format!("{id}: {verb}, which is right: take it off the list")),
                (false, 0) => differences.push(format!("{id}: {verb}, which is wrong and not on the list")),
                (false, _) => differences.push(format!("{id}: it stands twice on the list")),
            }
        }
        let idle = exceptions.iter().filter(|exception| !self.cases.iter().any(|case| exception.concerns(case)));
        differences.extend(idle.map(|exception| format!("{}: on the list, but there is no such case", exception.id)));
        differences
    }
}

impl<'a> Exception<'a> {
    /// `None`: an empty line or a comment.
    fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut words = line.split_whitespace();
        let id = words.next().expect("a line that isn't empty");
        let accepts = match words.next() {
            Some("accepts") => true,
            Some("rejects") => false,
            _ => panic!("neither accepts nor rejects: {line}"),
        };
        assert!(words.next().is_some(), "no reason: {line}");
        Some(Self { id, accepts })
    }

    fn concerns(&self, case: &Outcome) -> bool {
        let named = match self.id.strip_suffix('*') {
            Some(beginning) => case.id.starts_with(beginning),
            None => case.id == self.id,
        };
        named && case.is_valid != self.accepts
    }
}

/// Reads a file of a suite.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_list_must_name_exactly_the_wrong_cases() {
    let mut tally = Tally::default();
    for (id, is_valid, is_accepted) in [("a::1", true, true), ("a::2", false, true), ("a::3", false, true)] {
        tally.add(id, is_valid, is_accepted);
    }
    let found = |list: &str| tally.differences(list).join("\n");
    assert_eq!(found("# why\n\na::2  accepts  reason\na::3  accepts  reason\n"), "");
    assert_eq!(found("a::*  accepts  one reason\n"), "");
    assert!(found("a::2 accepts reason").starts_with("a::3: accepts, which is wrong and not on the list"));
    assert!(found("a::* accepts reason\na::1 rejects reason").starts_with("a::1: accepts, which is right"));
    assert!(found("a::* accepts reason\nb rejects reason").ends_with("b: on the list, but there is no such case"));
    assert!(found("a::* accepts reason\na::2 accepts reason").starts_with("a::2: it stands twice"));
}
