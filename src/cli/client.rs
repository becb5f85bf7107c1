//! What every client here is told of the server, of who it is, and of the access point before it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, ValueEnum};

use super::credentials::{self, Credential};
use super::nas;
use crate::event::TlsVersion;
use crate::exchange::Asker;
use crate::secret::Secret;
use crate::supplicant::{Settings, Station};

/// Arguments of `login` and `load`.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("shared secret").required(true).args(["secret", "secret_file"])))]
pub(super) struct Client {
    /// The server: HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) server: String,
    /// The secret shared with the server; others on this machine can read it from the process list
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    secret: Option<Secret>,
    /// A file whose first line is the secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Password of PKCS#12 files
    #[arg(long, value_name = "PASSWORD", value_parser = secret, conflicts_with = "p12_password_file")]
    p12_password: Option<Secret>,
    /// A file whose first line is the password of PKCS#12 files
    #[arg(long, value_name = "FILE")]
    p12_password_file: Option<PathBuf>,
    /// Authorities that the server's certificate may come from, in PEM
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Name that the server's certificate must have; may be repeated; without it any name is taken
    #[arg(long, value_name = "NAME")]
    server_name: Vec<String>,
    /// Outer identity; by default "@" and the realm of the certificate's mail address, or "anonymous"
    #[arg(long, value_name = "NAI")]
    identity: Option<String>,
    /// The SSID asked for, sent in Called-Station-Id
    #[arg(long, value_name = "NAME")]
    ssid: Option<String>,
    /// The only TLS version to offer
    #[arg(long, value_name = "VERSION")]
    tls: Option<Tls>,
    /// Octets of TLS data in one fragment that we send
    #[arg(long, value_name = "N", default_value_t = 1200, value_parser = clap::value_parser!(u16).range(1..=3500))]
    fragment_size: u16,
    /// Framed-MTU: the longest frame that the access point takes
    #[arg(long, value_name = "OCTETS")]
    framed_mtu: Option<u32>,
    /// Take EAP-Success of a TLS 1.3 server that doesn't send RFC 9190's protected success
    #[arg(long)]
    pub(super) unprotected_success: bool,
}

/// A TLS version to offer alone.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tls {
    #[value(name = "1.2")]
    V12,
    #[value(name = "1.3")]
    V13,
}

impl From<Tls> for TlsVersion {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::V12 => Self::Tls12,
            Tls::V13 => Self::Tls13,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what clap wants of a parser")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// The errors are sentences.
impl Client {
    pub(super) fn address(&self) -> Result<SocketAddr, String> {
        nas::address(&self.server)
    }

    /// With the shared secret.
    pub(super) fn asker(&self) -> Result<Arc<Asker>, String> {
        let secret = credentials::secret_or_file(self.secret.as_ref(), self.secret_file.as_deref())?;
        Ok(Arc::new(Asker::new(secret.ok_or("--secret or --secret-file is missing")?)))
    }

    pub(super) fn p12_password(&self) -> Result<Option<Secret>, String> {
        credentials::secret_or_file(self.p12_password.as_ref(), self.p12_password_file.as_deref())
    }

    pub(super) fn identity(&self, credential: &Credential) -> String {
        self.identity.clone().unwrap_or_else(|| credentials::anonymous(credential))
    }

    /// Settings of nobody: identity, certificate and key are still to be put in.
    pub(super) fn settings(&self) -> Result<Settings, String> {
        Ok(Settings {
            identity: String::new(),
            chain: Vec::new(),
            key: None,
            anchors: credentials::read_certificates(&self.ca)?,
            version: self.tls.map(TlsVersion::from),
            fragment_size: usize::from(self.fragment_size),
            always_length: false,
            server_names: self.server_name.clone(),
        })
    }

    /// One without names of its own.
    pub(super) fn station(&self) -> Station {
        Station { ssid: self.ssid.clone(), framed_mtu: self.framed_mtu, ..Station::default() }
    }
}
