//! A CA run with `openssl ca`, and its responder, `openssl ocsp`.

use std::fs;
use std::process::Command;

use crate::pki::{CAMPUS, Credential};
use crate::process::{Place, Process, must};
use crate::scratch::{Scratch, free_port};
use crate::server::Server;

/// The CA's folder.
#[derive(Debug)]
pub(crate) struct Ca {
    scratch: Scratch,
    /// Its own certificate, and those above it but the root's, as its members send them.
    chain: String,
}

/// Who signs what a responder says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signer {
    /// The CA itself.
    Issuer,
    /// One to whom the CA has given that job (RFC 6960 section 4.2.2.2).
    Delegate,
}

pub(crate) const SIGNERS: [Signer; 2] = [Signer::Issuer, Signer::Delegate];

impl Ca {
    /// A root of this name.
    pub(crate) fn root(name: &str) -> Self {
        let ca = Self::new();
        let mut request = ca.openssl(&["req", "-x509", "-config", "ca.cnf", "-extensions", "issuer", "-days", "3650"]);
        request.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key"]);
        must(request.args(["-out", "ca.pem", "-subj", &format!("/O=Public CA/CN={name}")]));
        ca
    }

    /// One below this one, whose certificate says that `responder` knows its status.
    pub(crate) fn below(&self, name: &str, responder: Option<&str>) -> Self {
        let mut ca = Self::new();
        let subject = format!("/O=Public CA/CN={name}");
        let certificate = self.sign("issuer", &subject, name, responder);
        ca.scratch.write("ca.key", &certificate.key);
        ca.scratch.write("ca.pem", &certificate.chain);
        ca.chain = certificate.chain;
        ca
    }

    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.write("index", "");
        scratch.write("serial", "1000\n");
        scratch.write("crlnumber", "01\n");
        scratch.write("ca.cnf", CONFIGURATION);
        fs::create_dir(scratch.path().join("issued")).expect("a folder");
        Self { scratch, chain: String::new() }
    }

    /// OpenSSL, at work in the CA's folder; to the names of its configuration that aren't needed it gives a meaning.
    fn openssl(&self, arguments: &[&str]) -> Command {
        let mut command = Place::Host.command("openssl");
        command.current_dir(self.scratch.path()).args(arguments);
        command.env("MAIL", "nobody@jaist.ac.jp").env("RESPONDER", "http://127.0.0.1:9/");
        command
    }

    /// Its certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.read("ca.pem")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.path().join(name)).expect("the CA has made it")
    }

    /// A member's certificate.
    pub(crate) fn member(&self, name: &str) -> Credential {
        self.member_asking(name, None)
    }

    /// The same; it says that `responder` knows its status.
    pub(crate) fn member_asking(&self, name: &str, responder: Option<&str>) -> Credential {
        self.sign("member", &format!("/C=JP/O={CAMPUS}/CN={name}"), name, responder)
    }

    /// A member's certificate of which the CA's own book knows nothing.
    pub(crate) fn unbooked(&self, name: &str) -> Credential {
        let book = ["index", "index.attr"].map(|file| (file, fs::read(self.scratch.path().join(file)).ok()));
        let member = self.member(name);
        for (file, before) in book {
            if let Some(octets) = before {
                self.scratch.replace(file, octets);
            }
        }
        member
    }

    fn sign(&self, section: &str, subject: &str, name: &str, responder: Option<&str>) -> Credential {
        let request = ["req", "-new", "-config", "ca.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        must(self.openssl(&request).args(["-nodes", "-keyout", "new.key", "-out", "new.csr", "-subj", subject]));
        let section = if responder.is_some() { format!("{section}_asking") } else { section.to_owned() };
        let mut sign = self.openssl(&["ca", "-config", "ca.cnf", "-batch", "-notext", "-in", "new.csr"]);
        sign.args(["-extensions", &section, "-out", "new.pem"]).env("MAIL", format!("{name}@jaist.ac.jp"));
        if let Some(responder) = responder {
            sign.env("RESPONDER", responder);
        }
        must(&mut sign);
        Credential::new(self.read("new.pem") + &self.chain, self.read("new.key"))
    }

    /// Takes a certificate back; it is published with the next CRL, and by responders that read the index again.
    pub(crate) fn revoke(&self, pem: &str, reason: &str) {
        self.scratch.write("revoked.pem", pem);
        must(&mut self.openssl(&["ca", "-config", "ca.cnf", "-revoke", "revoked.pem", "-crl_reason", reason]));
    }

    /// The next CRL, in DER.
    pub(crate) fn crl(&self) -> Vec<u8> {
        self.crl_with("crl")
    }

    /// The same with the extensions of this section.
    pub(crate) fn crl_with(&self, section: &str) -> Vec<u8> {
        let gencrl = ["ca", "-config", "ca.cnf", "-gencrl", "-crlexts", section, "-out", "new.crl"];
        must(&mut self.openssl(&gencrl));
        must(&mut self.openssl(&["crl", "-in", "new.crl", "-outform", "DER", "-out", "new.der"]));
        fs::read(self.scratch.path().join("new.der")).expect("the CA has made it")
    }

    /// The number of the CRL made last.
    pub(crate) fn crl_number(&self) -> u64 {
        u64::from_str_radix(self.read("crlnumber").trim(), 16).expect("hexadecimal digits") - 1
    }

    /// Starts a responder whose answers are good for five minutes.
    pub(crate) fn responder(&self, signer: Signer) -> Responder {
        self.responder_at(free_port(), signer)
    }

    /// The same on this port.
    pub(crate) fn responder_at(&self, port: u16, signer: Signer) -> Responder {
        let name = match signer {
            Signer::Issuer => "ca",
            Signer::Delegate => {
                let delegate = self.sign("responder", "/O=Public CA/CN=Responder", "responder", None);
                self.scratch.write("delegate.pem", &delegate.chain);
                self.scratch.write("delegate.key", &delegate.key);
                "delegate"
            }
        };
        let port_text = port.to_string();
        let mut command = self.openssl(&["ocsp", "-ignore_err", "-nmin", "5", "-port", &port_text]);
        command.args(["-index", "index", "-CA", "ca.pem"]);
        command.args(["-rsigner", &format!("{name}.pem"), "-rkey", &format!("{name}.key")]);
        let mut process = Process::start(&format!("openssl-ocsp-{port}"), &mut command, &self.scratch);
        // It answers one at a time: somebody who only tries whether it listens could keep it busy.
        process.wait_until("listening", |process| process.log().contains("waiting for OCSP client"));
        Responder { process, port }
    }

    /// Asks the responder itself until it says that of the certificate: it reads its index again after it has answered.
    pub(crate) fn wait_for_status(&self, responder: &mut Responder, pem: &str, status: &str) {
        let file = self.scratch.write("asked.pem", pem);
        let url = responder.url();
        let (file, wanted) = (file.display().to_string(), format!("{file}: {status}", file = file.display()));
        responder.process.wait_until(&format!("saying {status}"), |_| {
            let ask =
                ["ocsp", "-issuer", "ca.pem", "-CAfile", "ca.pem", "-partial_chain", "-cert", &file, "-url", &url];
            must(&mut self.openssl(&ask)).contains(&wanted)
        });
    }

    /// What a responder said once of a certificate, without a nonce.
    pub(crate) fn recorded(&self, pem: &str) -> Vec<u8> {
        self.scratch.write("asked.pem", pem);
        let files = ["-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key"];
        let about = ["-issuer", "ca.pem", "-cert", "asked.pem", "-no_nonce", "-nmin", "5", "-respout", "recorded"];
        must(self.openssl(&["ocsp"]).args(about).args(["-reqout", "request"]).args(["-noverify"]).args(files));
        fs::read(self.scratch.path().join("recorded")).expect("OpenSSL has written it")
    }
}

/// OpenSSL's responder at work.
#[derive(Debug)]
pub(crate) struct Responder {
    process: Process,
    port: u16,
}

impl Responder {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on it takes connections and says nothing.
    pub(crate) fn fall_silent(&self) {
        must(Command::new("kill").args(["-STOP", &self.process.id().to_string()]));
    }
}

const CONFIGURATION: &str = r#"
[req]
distinguished_name = req_subject
[req_subject]

[ca]
default_ca = campus
[campus]
database = index
new_certs_dir = issued
certificate = ca.pem
private_key = ca.key
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 365
default_crl_days = 1
policy = anything
unique_subject = no
[anything]
countryName = optional
organizationName = supplied
commonName = supplied

[issuer]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issuer_asking]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
authorityInfoAccess = OCSP;URI:${ENV::RESPONDER}
[member]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = email:${ENV::MAIL}
[member_asking]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = email:${ENV::MAIL}
authorityInfoAccess = OCSP;URI:${ENV::RESPONDER}
[responder]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid

[crl]
authorityKeyIdentifier = keyid
# What has changed since CRL number 1 (RFC 5280 section 5.2.4).
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical, ASN1:INTEGER:1
[users_only]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, @users
[users]
onlyuser = TRUE
[authorities_only]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, @authorities
[authorities]
onlyCA = TRUE
"#;

/// An `[[authority]]` of these tests.
#[derive(Debug)]
pub(crate) struct Authority<'a> {
    pub(crate) name: &'a str,
    pub(crate) root: &'a Ca,
    /// The one that issues, if it isn't the root.
    pub(crate) issuer: Option<&'a Ca>,
    /// Where its revocation data come from, and what else it is to say.
    pub(crate) lines: String,
}

/// A campus that has these authorities beside its others, and its log in JSON.
pub(crate) fn campus(authorities: &[Authority<'_>]) -> Server {
    campus_within("10s", authorities)
}

/// The same; it gives up what it fetches after this time.
pub(crate) fn campus_within(timeout: &str, authorities: &[Authority<'_>]) -> Server {
    Server::changed(|scratch, toml| {
        let mut names = String::new();
        let mut tables = format!("[fetch]\ntimeout = \"{timeout}\"\nmax-size = \"1MiB\"\nallow = [\"127.0.0.0/8\"]\n");
        for Authority { name, root, issuer, lines } in authorities {
            names.push_str(&format!("\"{name}\", "));
            scratch.write(&format!("{name}.pem"), root.pem());
            let below = issuer.map(|issuer| scratch.write(&format!("{name}-issuer.pem"), issuer.pem()));
            let below: Vec<_> = below.iter().map(|file| format!("{:?}", file.display().to_string())).collect();
            tables.push_str(&format!(
                "[[authority]]\nname = \"{name}\"\ncertificate = \"{name}.pem\"\nintermediates = [{}]\n\
                 subject = {{ O = \"{CAMPUS}\" }}\ncrl-refresh = \"1s\"\nalarm-after = \"1h\"\n{lines}\n",
                below.join(", ")
            ));
        }
        toml.replace("authorities = [", &format!("authorities = [{names}")).replace("[log]", "[log]\nformat = \"json\"")
            + &tables
    })
}
