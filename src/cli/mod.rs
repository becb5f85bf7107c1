//! The commands. Each prints its result on stdout, what it says to people on stderr, and answers with the exit code of the contract.

mod check;
mod client;
pub(crate) mod credentials;
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "makes certificates of today, watches the server"
)]
mod demo;
mod explain;
mod import;
#[expect(clippy::disallowed_types, reason = "access points have sockets of their own")]
mod load;
mod login;
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an access point has a socket and a clock of its own"
)]
mod nas;
mod otp;
mod serve;
mod ticket_key;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A configuration that no server may start with (`EX_CONFIG` of sysexits).
pub(crate) const BAD_CONFIGURATION: u8 = 78;

/// Arguments that can't be understood (`EX_USAGE`); clap's own 2 is `login`'s "no answer".
const BAD_USAGE: u8 = 64;

/// A RADIUS server that terminates EAP-TLS for a campus.
#[derive(Parser)]
#[command(name = "sekisho", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    /// Say everything that is wrong or odd in a configuration and in the files that it names
    Check(check::Args),
    /// Make a look-alike campus, start the real server on loopback, and log in as all kinds of people
    Demo(demo::Args),
    /// Log in as a supplicant behind an access point, against any RADIUS server
    Login(Box<login::Args>),
    Load(Box<load::Args>),
    /// What the server would decide for a certificate, and why; fetches nothing
    Explain(explain::Args),
    Import(Box<import::Args>),
    Otp(Box<otp::Args>),
    /// Make an admin token, and the table to paste into the configuration
    Token(token::Args),
    /// Keep the keys that seal session tickets
    TicketKey(ticket_key::Args),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody is left to be told when stderr is gone.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match arguments.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Login(args) => login::run(*args),
        Command::Load(args) => load::run(&args),
        Command::Explain(args) => explain::run(args),
        Command::Import(args) => import::run(&args),
        Command::Otp(args) => otp::run(&args),
        Command::Token(args) => token::run(&args),
        Command::TicketKey(args) => ticket_key::run(args),
    }
}
