//! `sekisho serve`

use std::path::PathBuf;
use std::process::ExitCode;

use super::BAD_CONFIGURATION;
use crate::config;
use crate::daemon::{self, StartError};
use crate::net::Clock;

/// Run the server in the foreground. SIGHUP reloads everything or keeps the old; SIGTERM drains within 5 s
///
/// Exit code: 0 ended as told; 1 an address can't be bound; 78 the configuration is bad.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// End when standard input does: whoever started this program takes it along
    #[arg(long, hide = true)]
    leash: bool,
}

/// Loads the configuration and runs the server until it is told to stop.
pub(super) fn run(args: &Args) -> ExitCode {
    let path = args.config.as_path();
    let clock = Clock::start();
    let (config, findings) = config::load(path, None, clock.now().wall);
    let Some(config) = config else {
        for finding in &findings {
            eprintln!("{finding}");
        }
        return ExitCode::from(BAD_CONFIGURATION);
    };
    match daemon::serve(path, config, &findings, clock, args.leash) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho: {error}");
            match error {
                StartError::Files(_) => ExitCode::from(BAD_CONFIGURATION),
                StartError::System(_) => ExitCode::FAILURE,
            }
        }
    }
}
