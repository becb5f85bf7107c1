//! A look-alike of the CAs that a campus has to do with, and a member's certificates.

use std::sync::Arc;
use std::time::Duration;

use super::make::*;
use crate::now::Wall;
use crate::pki::{AuthoritySettings, Crl, Facts, Purpose, Revocation, RevocationSource, Trust, Verdict, verdict};

pub(crate) const DAY: i64 = 24 * 3600;
/// 2025-06-01T00:00:00Z
pub(crate) const NOW: Wall = Wall(1_748_736_000);
pub(crate) const OURS: &str = "Japan Advanced Institute of Science and Technology";

pub(crate) fn days(count: i64) -> Wall {
    Wall(NOW.0 + count * DAY)
}

/// The CAs.
pub(crate) struct Campus {
    /// A root that issues to users itself.
    pub(crate) ca16: TestCa,
    pub(crate) root_ca2: TestCa,
    /// Below `root_ca2`, shared with other organisations.
    pub(crate) pub_ca8: TestCa,
    /// Below `root_ca2`, retired.
    pub(crate) odca_g4: TestCa,
    /// Below `root_ca2`, for S/MIME; in nobody's table.
    pub(crate) smime: TestCa,
}

impl Campus {
    pub(crate) fn new() -> Self {
        let root = |cn| TestCa::root(secom(cn), days(-4000), days(4000));
        let root_ca2 = root("Security Communication RootCA2 (look-alike)");
        let below = |cn, serial: u8| root_ca2.intermediate(secom(cn), &[serial], days(-3000), days(3000));
        Self {
            ca16: root("SECOM Passport for Member RSA CA16 (look-alike)"),
            pub_ca8: below("SECOM Passport for Member PUB CA8 (look-alike)", 8),
            odca_g4: below("NII Open Domain CA - G4 (look-alike)", 4),
            smime: below("S/MIME CA (look-alike)", 9),
            root_ca2,
        }
    }

    /// Tables `ca16`, `pub-ca8` and `nii-odca-g4`, all with the campus' `subject`.
    pub(crate) fn settings(&self) -> Vec<AuthoritySettings> {
        vec![
            settings("ca16", &self.ca16, &[]),
            settings("pub-ca8", &self.root_ca2, &[&self.pub_ca8]),
            settings("nii-odca-g4", &self.root_ca2, &[&self.odca_g4]),
        ]
    }

    pub(crate) fn trust(&self) -> Trust {
        trust(&self.settings())
    }

    /// Fresh CRLs without an entry: of CA16, the root and PUB CA8.
    pub(crate) fn fresh_crls(&self, trust: &Trust) -> Revocation {
        let crls = [&self.ca16, &self.root_ca2, &self.pub_ca8].map(|ca| load(&ca.crl(&fresh(1)), trust));
        Revocation::new(crls.to_vec())
    }
}

fn secom(cn: &str) -> Vec<u8> {
    name(&[("C", "JP"), ("O", "SECOM Trust Systems CO.,LTD."), ("CN", cn)])
}

pub(crate) fn settings(name: &str, anchor: &TestCa, intermediates: &[&TestCa]) -> AuthoritySettings {
    AuthoritySettings {
        name: Arc::from(name),
        anchor: anchor.der.clone(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: intermediates.iter().map(|ca| ca.der.clone()).collect(),
        subject: vec![("C".to_owned(), "JP".to_owned()), ("O".to_owned(), OURS.to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    }
}

pub(crate) fn trust(settings: &[AuthoritySettings]) -> Trust {
    Trust::new(settings, NOW).expect("sound settings").0
}

/// A member's certificate that all is right with.
pub(crate) fn member(serial: &[u8]) -> Draft {
    let subject = name(&[("C", "JP"), ("L", "Nomi"), ("O", OURS), ("OU", "No 11"), ("CN", "Hanako Sekino")]);
    Draft::new(subject, serial, Key::p256().spki(), days(-100), days(300))
        .with(key_usage(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT))
        .with(purposes(&[CLIENT_AUTH, EMAIL_PROTECTION]))
        .with(alt_names(&[email("hanako@jaist.example")]))
}

/// A CRL of this number, a day old, good for another week.
pub(crate) fn fresh(number: u8) -> CrlDraft {
    CrlDraft::new(number, days(-1), days(7))
}

pub(crate) fn load(crl: &[u8], trust: &Trust) -> Arc<Crl> {
    Arc::new(try_load(crl, trust).expect("a sound CRL"))
}

pub(crate) fn try_load(crl: &[u8], trust: &Trust) -> Result<Crl, String> {
    Crl::load(crl, &Arc::from("ca16"), &Arc::from("test.crl"), trust).map_err(|bad| bad.text)
}

pub(crate) fn facts(trust: &Trust, leaf: &[u8]) -> Arc<Facts> {
    trust.facts(&[leaf]).expect("a path")
}

/// As a ticket carries them.
pub(crate) fn without_places(facts: &Facts) -> Facts {
    Facts { locations: Arc::default(), ..facts.clone() }
}

/// Facts of this leaf, judged now.
pub(crate) fn judge(trust: &Trust, revocation: &Revocation, leaf: &[u8]) -> Verdict {
    verdict(trust, revocation, &facts(trust, leaf), NOW)
}
