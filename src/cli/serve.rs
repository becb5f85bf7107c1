//! `sekisho serve`

use std::path::Path;
use std::process::ExitCode;

use super::BAD_CONFIGURATION;
use crate::config;
use crate::daemon::{self, StartError};
use crate::net::Clock;

/// Loads the configuration and runs the server until it is told to stop.
pub(super) fn run(path: &Path) -> ExitCode {
    let clock = Clock::start();
    let (config, findings) = config::load(path, None, clock.now().wall);
    let Some(config) = config else {
        for finding in &findings {
            eprintln!("{finding}");
        }
        return ExitCode::from(BAD_CONFIGURATION);
    };
    match daemon::serve(path, config, &findings, clock) {
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
