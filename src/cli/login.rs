//! `sekisho login`: EAP-TLS logins as a supplicant behind an access point, against any RADIUS server.

mod render;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::client::Client;
use super::credentials;
use super::nas::{self, Answer, Nas};
use crate::supplicant::{Settings, Station, Supplicant};

/// A command line or a file that can't be used.
const BAD_SETTINGS: u8 = 78;

/// One EAP-TLS login (and more that resume it), as a supplicant behind an access point, against any RADIUS server.
///
/// Exit code: 0 accept; 1 reject; 2 no answer; 3 the server's own certificate is not good; 78 a file can't be used.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: Client,
    /// The client's certificate with its intermediates, in PEM; or PKCS#12
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Its private key in PEM, where it isn't in the same file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Further logins, each of which offers to resume the one before
    #[arg(long, value_name = "N", default_value_t = 0)]
    resume: u32,
    /// Calling-Station-Id: the station's address
    #[arg(long, value_name = "MAC", default_value = "02-00-00-00-00-02")]
    mac: String,
    /// NAS-Identifier
    #[arg(long, value_name = "NAME", default_value = "sekisho-login")]
    nas_identifier: String,
    /// Seconds after which a login without an answer is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// One JSON object for each login
    #[arg(long)]
    json: bool,
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
    let asker = args.client.asker()?;
    let mut nas = nas(args)?;
    for number in 0..=args.resume {
        let login = |now| supplicant.login(asker.clone(), station(args), number > 0, now);
        let answer = nas.log_in(login).map_err(|error| format!("{}: {error}", args.client.server))?;
        let outcome = Outcome::of(&answer, args.client.unprotected_success);
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
    let password = args.client.p12_password()?;
    let credential = credentials::read(&args.cert, args.key.as_deref(), password.as_ref())?;
    let identity = args.client.identity(&credential);
    let (chain, key) = (credential.chain, Some(credential.key));
    Supplicant::new(Settings { identity, chain, key, ..args.client.settings()? })
}

fn nas(args: &Args) -> Result<Nas, String> {
    let with_reason = |error: std::io::Error| format!("{}: {error}", args.client.server);
    let address = args.client.address()?;
    Nas::connect(nas::any(address), address, Duration::from_secs(args.timeout.into())).map_err(with_reason)
}

fn station(args: &Args) -> Station {
    let nas_identifier = Some(args.nas_identifier.clone());
    Station { mac: args.mac.clone(), nas_identifier, ..args.client.station() }
}
