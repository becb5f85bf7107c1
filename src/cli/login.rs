//! `sekisho login`: EAP-TLS logins as a supplicant behind an access point, against any RADIUS server.

mod render;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, ValueEnum};

use super::credentials;
use super::nas::{self, Answer, Nas};
use crate::event::TlsVersion;
use crate::exchange::Asker;
use crate::secret::Secret;
use crate::supplicant::{Settings, Station, Supplicant};

/// A command line or a file that can't be used.
const BAD_SETTINGS: u8 = 78;

/// One EAP-TLS login (and more that resume it), as a supplicant behind an access point, against any RADIUS server.
///
/// Exit code: 0 accept; 1 reject; 2 no answer; 3 the server's own certificate is not good; 78 a file can't be used.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("shared secret").required(true).args(["secret", "secret_file"])))]
pub(crate) struct Args {
    /// The server: HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The secret shared with the server; others on this machine can read it from the process list
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    secret: Option<Secret>,
    /// A file whose first line is the secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The client's certificate with its intermediates, in PEM; or PKCS#12
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Its private key in PEM, where it isn't in the same file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Password of the PKCS#12 file
    #[arg(long, value_name = "PASSWORD", value_parser = secret, conflicts_with = "p12_password_file")]
    p12_password: Option<Secret>,
    /// A file whose first line is the password of the PKCS#12 file
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
    /// Further logins, each of which offers to resume the one before
    #[arg(long, value_name = "N", default_value_t = 0)]
    resume: u32,
    /// Octets of TLS data in one fragment that we send
    #[arg(long, value_name = "N", default_value_t = 1200, value_parser = clap::value_parser!(u16).range(1..=3500))]
    fragment_size: u16,
    /// Calling-Station-Id: the station's address
    #[arg(long, value_name = "MAC", default_value = "02-00-00-00-00-02")]
    mac: String,
    /// Framed-MTU: the longest frame that the access point takes
    #[arg(long, value_name = "OCTETS")]
    framed_mtu: Option<u32>,
    /// NAS-Identifier
    #[arg(long, value_name = "NAME", default_value = "sekisho-login")]
    nas_identifier: String,
    /// Seconds after which a login without an answer is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Take EAP-Success of a TLS 1.3 server that doesn't send RFC 9190's protected success
    #[arg(long)]
    unprotected_success: bool,
    /// One JSON object for each login
    #[arg(long)]
    json: bool,
}

/// A TLS version to offer alone.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Tls {
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
pub(super) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Runs the command.
pub(crate) fn run(args: Args) -> ExitCode {
    match logins(&args) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            eprintln!("sekisho login: {error}");
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// Logs in again and again until one login fails; how the last one ended.
fn logins(args: &Args) -> Result<Outcome, String> {
    let supplicant = supplicant(args)?;
    let asker = Arc::new(Asker::new(shared_secret(args)?));
    let mut nas = nas(args)?;
    for number in 0..=args.resume {
        let login = |now| supplicant.login(asker.clone(), station(args), number > 0, now);
        let answer = nas.log_in(login).map_err(|error| format!("{}: {error}", args.server))?;
        let outcome = Outcome::of(&answer, args.unprotected_success);
        if args.json {
            println!("{}", render::json(number, outcome, &answer));
        } else {
            println!("{}", render::line(outcome, &answer));
            render::explain(&answer).iter().for_each(|sentence| eprintln!("  {sentence}"));
        }
        if outcome != Outcome::Accept {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Accept)
}

/// How a login ended, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accept,
    /// Refused, or let in in a way that a supplicant doesn't believe.
    Reject,
    NoAnswer,
    BadServerCertificate,
}

impl Outcome {
    fn of(answer: &Answer, unprotected: bool) -> Self {
        match &answer.report {
            None => Self::NoAnswer,
            Some(report) if report.logged_in || (unprotected && report.is_believed()) => Self::Accept,
            Some(report) if report.server_certificate.is_some() => Self::BadServerCertificate,
            Some(_) => Self::Reject,
        }
    }

    fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Accept => 0,
            Self::Reject => 1,
            Self::NoAnswer => 2,
            Self::BadServerCertificate => 3,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::NoAnswer => "no-answer",
            Self::BadServerCertificate => "bad-server-certificate",
        }
    }
}

fn supplicant(args: &Args) -> Result<Supplicant, String> {
    let password = credentials::secret_or_file(args.p12_password.as_ref(), args.p12_password_file.as_deref())?;
    let credential = credentials::read(&args.cert, args.key.as_deref(), password.as_ref())?;
    Supplicant::new(Settings {
        identity: args.identity.clone().unwrap_or_else(|| credentials::anonymous(&credential)),
        chain: credential.chain,
        key: Some(credential.key),
        anchors: credentials::read_certificates(&args.ca)?,
        version: args.tls.map(TlsVersion::from),
        fragment_size: usize::from(args.fragment_size),
        always_length: false,
        server_names: args.server_name.clone(),
    })
}

fn shared_secret(args: &Args) -> Result<Secret, String> {
    credentials::secret_or_file(args.secret.as_ref(), args.secret_file.as_deref())
        .and_then(|secret| secret.ok_or_else(|| "--secret or --secret-file is missing".to_owned()))
}

fn nas(args: &Args) -> Result<Nas, String> {
    let with_reason = |error: std::io::Error| format!("{}: {error}", args.server);
    let address = nas::address(&args.server)?;
    Nas::connect(nas::any(address), address, Duration::from_secs(args.timeout.into())).map_err(with_reason)
}

fn station(args: &Args) -> Station {
    Station {
        ssid: args.ssid.clone(),
        mac: args.mac.clone(),
        framed_mtu: args.framed_mtu,
        nas_identifier: Some(args.nas_identifier.clone()),
        ..Station::default()
    }
}
