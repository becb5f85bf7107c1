//! The commands. Each prints its result on stdout, what it says to people on stderr, and answers with the exit code of the contract.

mod serve;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A configuration that no server may start with (`EX_CONFIG` of sysexits).
pub(crate) const BAD_CONFIGURATION: u8 = 78;

/// A RADIUS server that terminates EAP-TLS for a campus.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server in the foreground. SIGHUP reloads everything or keeps the old; SIGTERM drains within 5 s.
    Serve {
        /// The configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Make an admin token, and the table to paste into the configuration.
    Token(token::Arguments),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Token(arguments) => token::run(&arguments),
    }
}
