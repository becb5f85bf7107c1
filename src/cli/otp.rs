//! `sekisho otp`

mod direct;
mod draw;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Deserialize;

use super::import::{Access, Wish};
use crate::observe::visible;
use crate::policy::is_hidden;

/// Something that was named can't be used (`EX_CONFIG` of sysexits).
const BAD_SETTINGS: u8 = 78;
/// Longest name in octets (RFC 2865 section 5.1).
const LONGEST_NAME: usize = 253;

const EXAMPLE: &str = "\
Examples:
  sekisho otp enrol --api http://127.0.0.1:9812 --token-file operator.token hanako@campus.example
  sekisho otp enrol --config /etc/sekisho/sekisho.toml --replace hanako@campus.example
  sekisho otp remove --api https://radius1.campus.example:9812 --ca door-ca.pem \\
      --token-file operator.token hanako@campus.example

A server that runs is reached by --api: a registry has one writer, and the audit says whose token
it was. Where none runs, --config names its configuration; run it as the server's user.

The user is named as decisions show him: by his certificate (`username` of the [[authority]]), or,
where the concentrator checks passwords, by the name that he types there, with its realm: which
one that is of a bare name, `realms` of the [[service]] says.

Exit code: 0 done; 1 refused (he is enrolled already, or isn't); 78 a file, a URL or the registry
can't be used.";

/// Enrol users for one-time passwords (RFC 6238): draws the QR code that an authenticator app reads
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key and show it this once, as a QR code and as the URI that it holds
    #[command(after_help = EXAMPLE)]
    Enrol {
        #[command(flatten)]
        place: Place,
        /// Give somebody who is enrolled already another key; the old one makes no right codes any more
        #[arg(long)]
        replace: bool,
        /// The URI alone, wherever standard output goes: for whatever hands it to the user
        #[arg(long)]
        uri: bool,
        /// The user
        #[arg(value_name = "USER", value_parser = user)]
        user: String,
    },
    /// Take a user's key away: no code of his is right any more
    #[command(after_help = EXAMPLE)]
    Remove {
        #[command(flatten)]
        place: Place,
        /// The user
        #[arg(value_name = "USER", value_parser = user)]
        user: String,
    },
}

/// Where the registry is.
#[derive(Debug, clap::Args)]
struct Place {
    /// Where the API of a running server is: http (on loopback only) or https, host and port
    #[arg(long, value_name = "URL", requires = "token_file", required_unless_present = "config")]
    api: Option<String>,
    /// A file whose first line is a token with the role `operator`
    #[arg(long, value_name = "FILE", requires = "api")]
    token_file: Option<PathBuf>,
    /// Authorities that the API's certificate may come from, in PEM; without it those that the system trusts
    #[arg(long, value_name = "FILE", requires = "api")]
    ca: Option<PathBuf>,
    /// The configuration of a server that doesn't run
    #[arg(long, value_name = "FILE", conflicts_with = "api")]
    config: Option<PathBuf>,
}

/// Why it was not done.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// It was refused.
    Refused(String),
    /// Something can't be used.
    Unusable(String),
}

/// As people are compared.
fn user(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(is_hidden) {
        return Err("it can't be a user's name");
    }
    Ok(name.to_ascii_lowercase())
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let done = match &args.command {
        Command::Enrol { place, replace, uri, user } => enrol(place, user, *replace, *uri),
        Command::Remove { place, user } => remove(place, user),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Fault::Refused(why)) => {
            eprintln!("sekisho: {}", visible(&why));
            ExitCode::FAILURE
        }
        Err(Fault::Unusable(why)) => {
            eprintln!("sekisho: {}", visible(&why));
            BAD_SETTINGS.into()
        }
    }
}

fn enrol(place: &Place, user: &str, replace: bool, alone: bool) -> Result<(), Fault> {
    // Before anything is changed: what can't be shown can't be had again.
    if !alone && !std::io::stdout().is_terminal() {
        let why = "the key is a secret, and standard output is no terminal; --uri prints it all the same";
        return Err(Fault::Unusable(why.to_owned()));
    }
    let uri = match &place.config {
        Some(config) => direct::enrol(config, user, replace)?,
        None => enrol_by_api(place, user, replace)?,
    };
    let mut out = std::io::stdout().lock();
    let drawn = if alone { String::new() } else { draw::drawn(&uri).unwrap_or_default() };
    let written = writeln!(out, "{drawn}{uri}").and_then(|()| out.flush());
    written.map_err(|error| {
        Fault::Refused(format!(
            "{user} is enrolled, but his key could not be shown ({error}): enrol him again with --replace"
        ))
    })?;
    eprintln!("{user} is enrolled. This is shown once: let him read it with an authenticator app now.");
    Ok(())
}

/// What is told of who was enrolled.
#[derive(Deserialize)]
struct Told {
    uri: String,
}

fn enrol_by_api(place: &Place, user: &str, replace: bool) -> Result<String, Fault> {
    let told = by_api(place, Wish::Enrol { user: user.to_owned(), replace })?;
    read_uri(&told)
        .ok_or_else(|| Fault::Unusable("the API's answer has no URI: it is that of something else".to_owned()))
}

/// The URI in an answer; whatever else it holds would come to a terminal as it is.
fn read_uri(told: &[u8]) -> Option<String> {
    let Told { uri } = serde_json::from_slice(told).ok()?;
    (uri.starts_with("otpauth://") && uri.bytes().all(|octet| octet.is_ascii_graphic())).then_some(uri)
}

fn remove(place: &Place, user: &str) -> Result<(), Fault> {
    match &place.config {
        Some(config) => direct::remove(config, user)?,
        None => drop(by_api(place, Wish::Unenrol { user: user.to_owned() })?),
    }
    eprintln!("{user} is not enrolled any more.");
    Ok(())
}

fn by_api(place: &Place, wish: Wish) -> Result<Vec<u8>, Fault> {
    let (Some(api), Some(token_file)) = (&place.api, &place.token_file) else {
        return Err(Fault::Unusable("--api and --token-file, or --config, are missing".to_owned()));
    };
    let access = Access { api, token_file, ca: place.ca.as_deref() };
    let api = access.open().map_err(Fault::Unusable)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::Unusable(error.to_string()))?;
    match runtime.block_on(api.do_once(&wish)) {
        Ok(Ok(body)) => Ok(body.to_vec()),
        Ok(Err(why)) => Err(Fault::Refused(why)),
        Err(why) => Err(Fault::Unusable(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_people_are_compared() {
        assert_eq!(user(" Hanako@Campus.Example "), Ok("hanako@campus.example".to_owned()));
        for bad in ["", "  ", "a\u{200b}b", "a\nb", &"x".repeat(254)] {
            assert!(user(bad).is_err(), "{bad:?}");
        }
    }
    #[test]
    fn what_is_no_uri_does_not_come_to_a_terminal() {
        let told = |uri: &str| read_uri(serde_json::json!({ "uri": uri, "user": "x" }).to_string().as_bytes());
        let uri = "otpauth://totp/Campus:hanako%40x?secret=GEZDGNBV&issuer=Campus";
        assert_eq!(told(uri).as_deref(), Some(uri));
        for bad in [
            "",
            "https://x/",
            "otpauth://totp/\u{1b}[2J",
            "otpauth://totp/a b",
            "otpauth://totp/\u{9b}31m\n",
            "otpauth://é",
        ] {
            assert_eq!(told(bad), None, "{bad:?}");
        }
        assert_eq!(read_uri(b"{}"), None);
    }
}
