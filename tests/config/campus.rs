//! A folder with every file that the shipped configurations name: a look-alike PKI, secrets, groups, CRLs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use sekisho::config::{Config, Finding, Severity};
use sekisho::now::Wall;

/// 2026-11-22T00:00:00Z
pub(crate) const NOW: Wall = Wall(1_795_305_600);

/// Taken away when dropped.
pub(crate) struct Campus {
    pub(crate) dir: PathBuf,
}

/// A CA that can issue.
pub(crate) struct Ca {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

/// What came of loading.
pub(crate) struct Loaded {
    pub(crate) config: Option<Config>,
    pub(crate) findings: Vec<Finding>,
    text: String,
}

impl Drop for Campus {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Campus {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("sekisho-config-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    /// What the shortest configuration names.
    pub(crate) fn new() -> Self {
        let campus = Self::empty();
        let ca = ca("Campus CA", None);
        campus.write("pki/ca.pem", &ca.pem);
        campus.write("crl/ca.crl", ca.crl());
        campus.write("secrets/ap", "correct horse battery staple\n");
        campus.identity("server", &ca, server());
        campus
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.mode(name, 0o600);
        path
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.dir.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A server certificate and its key under tls/; gives the leaf in PEM.
    pub(crate) fn identity(&self, name: &str, ca: &Ca, params: CertificateParams) -> String {
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &ca.issuer).unwrap().pem();
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

impl Ca {
    pub(crate) fn crl(&self) -> String {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 11, 21),
            next_update: date_time_ymd(2026, 12, 21),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// A root, or an intermediate of `parent`.
pub(crate) fn ca(name: &str, parent: Option<&Ca>) -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = match parent {
        Some(parent) => params.signed_by(&key, &parent.issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Ca { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
}

/// A server certificate that no client complains of.
pub(crate) fn server() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["radius1.campus.example".to_owned()]).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "radius1.campus.example");
    params.not_before = date_time_ymd(2026, 9, 1);
    params.not_after = date_time_ymd(2027, 9, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
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
