//! A folder with every file that the shipped configurations name: a look-alike PKI, secrets, groups, CRLs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, CrlDistributionPoint, DnType, date_time_ymd};
use sekisho::config::{Config, Finding, Severity};
use sekisho::now::Wall;

use crate::support::certificates::{self, Authority, Key, authority, crl, day};
use crate::support::scratch::Scratch;

/// 2026-11-22T00:00:00Z
pub(crate) const NOW: Wall = Wall(1_795_305_600);

/// A folder of one test's own.
pub(crate) struct Campus {
    scratch: Scratch,
}

/// What came of loading.
pub(crate) struct Loaded {
    pub(crate) config: Option<Config>,
    pub(crate) findings: Vec<Finding>,
    text: String,
}

impl Campus {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// What the shortest configuration names.
    pub(crate) fn new() -> Self {
        let campus = Self::empty();
        let ca = authority("Campus CA", None);
        campus.write("pki/ca.pem", ca.pem());
        campus.write("crl/ca.crl", fresh_crl(&ca));
        campus.write("secrets/ap", "correct horse battery staple\n");
        campus.identity("server", &ca, server());
        campus
    }

    pub(crate) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// A file that nobody else may read.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.scratch.write(name, text);
        self.mode(name, 0o600);
        path
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A server certificate and its key under tls/; gives the leaf in PEM.
    pub(crate) fn identity(&self, name: &str, ca: &Authority, params: CertificateParams) -> String {
        let key = Key::P256.make();
        let leaf = params.signed_by(&key, ca).unwrap().pem();
        self.write(&format!("tls/{name}.pem"), &leaf);
        self.write(&format!("tls/{name}.key"), key.serialize_pem());
        leaf
    }

    pub(crate) fn load(&self, text: &str) -> Loaded {
        let path = self.write("sekisho.toml", text);
        let (config, findings) = sekisho::config::load(&path, None, NOW);
        Loaded { config, findings, text: text.to_owned() }
    }
}

/// A CRL without an entry.
pub(crate) fn fresh_crl(ca: &Authority) -> String {
    crl(ca, 1, [], day(2026, 11, 21)..day(2026, 12, 21)).pem().unwrap()
}

/// A member's certificate in PEM, which says where its CRL is.
pub(crate) fn member(ca: &Authority) -> String {
    let mut params = silent_member();
    params.crl_distribution_points = points();
    params.signed_by(&Key::P256.make(), ca).unwrap().pem()
}

/// The same, which says nothing.
pub(crate) fn silent_member() -> CertificateParams {
    certificates::client(&[(DnType::CommonName, "Hokuriku Hanako")], "hanako@campus.example")
}

/// An intermediate whose certificate says where the CRL is that would list it.
pub(crate) fn intermediate(name: &str, above: &Authority) -> Authority {
    let mut params = certificates::authority_params(&[(DnType::CommonName, name)]);
    params.crl_distribution_points = points();
    certificates::certified(params, Key::P256, Some(above))
}

fn points() -> Vec<CrlDistributionPoint> {
    vec![CrlDistributionPoint { uris: vec!["http://crl.example/ca.crl".into()] }]
}

/// A server certificate that no client complains of.
pub(crate) fn server() -> CertificateParams {
    let mut params = certificates::server("radius1.campus.example");
    (params.not_before, params.not_after) = (date_time_ymd(2026, 9, 1), date_time_ymd(2027, 9, 1));
    params
}

impl Loaded {
    /// That nothing was found.
    #[track_caller]
    pub(crate) fn good(&self) {
        assert_eq!(self.shown(), Vec::<String>::new());
        assert!(self.config.is_some());
    }

    pub(crate) fn shown(&self) -> Vec<String> {
        self.findings.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn errors(&self) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).collect()
    }

    /// That an error about `key` says `text` and stands where `at` does in the file; and that there is no configuration.
    #[track_caller]
    pub(crate) fn error(&self, key: &str, at: &str, text: &str) -> &Self {
        assert!(self.config.is_none());
        self.found(Severity::Error, key, at, text)
    }

    /// The same of a warning.
    #[track_caller]
    pub(crate) fn warning(&self, key: &str, at: &str, text: &str) -> &Self {
        self.found(Severity::Warning, key, at, text)
    }

    /// That nothing but `count` findings were made.
    #[track_caller]
    pub(crate) fn only(&self, count: usize) {
        assert_eq!(self.findings.len(), count, "{:#?}", self.shown());
    }

    #[track_caller]
    fn found(&self, severity: Severity, key: &str, at: &str, text: &str) -> &Self {
        let (line, column) = position(&self.text, at);
        let found = self.findings.iter().any(|finding| {
            finding.severity == severity
                && finding.key == key
                && finding.text.contains(text)
                && (finding.line, finding.column) == (line, column)
        });
        assert!(found, "{severity:?} at {line}:{column} of {key}: {text}; there is {:#?}", self.shown());
        self
    }
}

/// Line and column, in characters, of the first `at`.
fn position(text: &str, at: &str) -> (usize, usize) {
    let offset = text.find(at).expect("the text stands in the file");
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// A path of the repository.
pub(crate) fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
