//! OCSP with others: `openssl ocsp` reads our requests and answers them, and samples of other responders are about nothing of ours.
#![expect(clippy::disallowed_methods, reason = "openssl answers by the clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sekisho::event::OcspStatus;
use sekisho::now::Wall;
use sekisho::pki::{
    AuthoritySettings, BadOcsp, OcspAnswer, Origin, Purpose, Question, Revocation, RevocationSource, Trust, questions,
};

const NONCE: &[u8] = &[7; 32];

fn pki(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/pki").join(name)
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn now() -> Wall {
    Wall::from(SystemTime::now())
}

/// The fuzzer's root, and the question about a certificate of it.
struct Asking {
    trust: Trust,
    question: Question,
}

impl Asking {
    fn new(leaf: &str) -> Self {
        let settings = AuthoritySettings {
            name: "root".into(),
            anchor: read(&pki("root.der")),
            fingerprint_sha1: None,
            fingerprint_sha256: None,
            intermediates: Vec::new(),
            subject: Vec::new(),
            purpose: Purpose { require: Vec::new(), policies: Vec::new(), refuse_policies: Vec::new() },
            revocation: RevocationSource::Ocsp,
            grace: Duration::ZERO,
            distrust: None,
        };
        let (trust, _) = Trust::new(&[settings], now()).expect("a good authority");
        let facts = trust.facts(&[&read(&pki(leaf))]).expect("a good certificate");
        let question = questions(&trust, &Revocation::default(), &facts, now()).remove(0);
        Self { trust, question }
    }

    fn load(&self, octets: &[u8], origin: Origin<'_>) -> Result<OcspAnswer, BadOcsp> {
        OcspAnswer::load(octets, &self.question, &Arc::from("openssl"), origin, &self.trust, now())
    }
}

/// `openssl ocsp` as responder of the fuzzer's root, on files.
struct Responder {
    folder: PathBuf,
}

impl Responder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ocsp-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder of the test's own");
        let responder = Self { folder };
        let (der, key) = (pki("root.der"), pki("root.key"));
        responder.openssl(&["x509", "-inform", "DER", "-in", &der.display().to_string(), "-out", "root.pem"]);
        responder.openssl(&["pkey", "-inform", "DER", "-in", &key.display().to_string(), "-out", "root.key"]);
        let index = "V\t981231235959Z\t\t1001\tunknown\t/CN=taro\n\
            R\t981231235959Z\t250101000000Z,keyCompromise\t1002\tunknown\t/CN=jiro\n";
        responder.write("index", index.as_bytes());
        responder
    }

    fn write(&self, name: &str, octets: &[u8]) {
        fs::write(self.folder.join(name), octets).expect("a folder that can be written to");
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.folder).output().expect("openssl");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A certificate that may sign the root's answers.
    fn delegate(&self) {
        self.write("delegate.ext", b"keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\n");
        let curve = "ec_paramgen_curve:P-256";
        self.openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", "delegate.key"]);
        self.openssl(&["req", "-new", "-key", "delegate.key", "-subj", "/CN=OCSP", "-out", "delegate.csr"]);
        let issue = "x509 -req -in delegate.csr -CA root.pem -CAkey root.key -set_serial 8193 -days 9 -extfile delegate.ext -out delegate.pem";
        self.openssl(&issue.split(' ').collect::<Vec<_>>());
    }

    fn answer(&self, request: &[u8], signer: &str, index: &str) -> Vec<u8> {
        self.write("request", request);
        let answer = format!(
            "ocsp -index {index} -CA root.pem -rsigner {signer}.pem -rkey {signer}.key -ndays 1 -reqin request -respout response"
        );
        self.openssl(&answer.split(' ').collect::<Vec<_>>());
        read(&self.folder.join("response"))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn r16_r19_openssl_answers_our_requests_itself_and_by_a_delegate() {
    let responder = Responder::new("answers");
    responder.delegate();
    responder.write("empty", b"");
    for (leaf, index, expected) in [
        ("member.der", "index", OcspStatus::Good),
        ("revoked.der", "index", OcspStatus::Revoked),
        ("member.der", "empty", OcspStatus::Unknown),
    ] {
        let asking = Asking::new(leaf);
        for signer in ["root", "delegate"] {
            let request = asking.question.request(&asking.trust, Some(NONCE)).expect("a CA that is configured");
            let response = responder.answer(&request, signer, index);
            let answer = asking.load(&response, Origin::Fetched { nonce: Some(NONCE) }).expect("an answer");
            assert_eq!(answer.name().status, expected, "{leaf} by {signer}");
            assert!(asking.load(&response, Origin::Kept).is_ok());
            let other = asking.load(&response, Origin::Fetched { nonce: Some(&[8; 32]) });
            assert_eq!(other.map_err(|bad| bad.label).err(), Some("other-nonce"));
        }
    }
}

#[test]
fn r20_openssl_without_a_nonce_is_believed_only_where_none_was_sent() {
    let responder = Responder::new("nonce");
    let asking = Asking::new("member.der");
    let request = asking.question.request(&asking.trust, None).expect("a CA that is configured");
    let response = responder.answer(&request, "root", "index");
    assert!(asking.load(&response, Origin::Fetched { nonce: None }).is_ok());
    let bad = asking.load(&response, Origin::Fetched { nonce: Some(NONCE) }).expect_err("no nonce");
    assert_eq!(bad.label, "no-nonce");
}

/// The samples of others, and what is said against each.
const SAMPLES: &[(&str, &str)] = &[
    ("ocsp-army.deps.mil-resp", "signer"),
    ("resp-delegate-unknown-cert", "signer"),
    ("resp-invalid-signature-oid", "signer"),
    ("resp-invalid-version", "unsupported"),
    ("resp-responder-key-hash", "signer"),
    ("resp-response-type-unknown-oid", "unsupported"),
    ("resp-revoked", "signer"),
    ("resp-revoked-no-next-update", "signer"),
    ("resp-revoked-reason", "signer"),
    ("resp-sct-extension", "signer"),
    ("resp-sha256", "signer"),
    ("resp-single-extension-reason", "signer"),
    ("resp-successful-no-response-bytes", "malformed"),
    ("resp-unauthorized", "unauthorized"),
    ("resp-unknown-extension", "signer"),
    ("resp-unknown-hash-alg", "signer"),
    ("resp-unknown-response-status", "unsupported"),
];

fn samples() -> Vec<(String, Vec<u8>)> {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ocsp-samples");
    let folder = std::env::var_os("OCSP_SAMPLES").map_or_else(built, PathBuf::from);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}: `tests/run --setup` puts samples there, OCSP_SAMPLES names another", folder.display())
    });
    let paths = entries.map(|entry| entry.expect("a folder that can be read").path());
    let mut all: Vec<_> = paths
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path)))
        .filter(|(name, _)| name.contains("resp") && !name.starts_with("req-"))
        .collect();
    all.sort();
    all
}

#[test]
fn r19_no_sample_of_another_responder_is_believed_about_our_certificates() {
    let asking = Asking::new("member.der");
    let label = |octets: &[u8], origin| asking.load(octets, origin).map_err(|bad| bad.label).err();
    let found: Vec<_> = samples()
        .iter()
        .map(|(name, octets)| (name.clone(), label(octets, Origin::Kept).unwrap_or("believed")))
        .collect();
    let expected: Vec<_> = SAMPLES.iter().map(|(name, label)| ((*name).to_owned(), *label)).collect();
    assert_eq!(found, expected);
}

#[test]
fn p10_samples_cut_short_or_changed_are_read_without_a_panic() {
    let asking = Asking::new("member.der");
    for (name, octets) in samples() {
        for end in 0..octets.len() {
            assert!(asking.load(&octets[..end], Origin::Kept).is_err(), "{name} cut to {end}");
            let mut changed = octets.clone();
            changed[end] ^= 0x21;
            assert!(asking.load(&changed, Origin::Kept).is_err(), "{name} changed at {end}");
        }
    }
}
