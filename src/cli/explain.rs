//! `sekisho explain`: what the server would decide for a certificate, by the very code that serves. It fetches nothing.

mod render;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{BAD_CONFIGURATION, credentials};
use crate::explain::{self, Answer, Case, Grounds};
use crate::net::Clock;
use crate::now::Wall;
use crate::observe::{Explainer, Language, escape_in_json};
use crate::standing::Blocks;
use crate::store::{self, Standby};
use crate::{admin, config, fetch};

/// What the server would decide for a certificate, and why. Nothing is fetched and nobody is asked: CRLs and groups are read from the files that the configuration names, and CRLs, OCSP answers and blocks from what the server has kept. Where a login would ask a responder first, that is said.
///
/// Exit code: 0 accept (by the service named, or by one at least); 1 reject; 78 the configuration or a file can't be used.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The certificate, PEM or DER; of several the first is the client's, the others are its chain
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// More certificates of the chain, PEM or DER
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    /// The service asked for; without it, each one
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Decide as at this time (RFC 3339), by the CRLs and groups there are now; a CRL issued later says nothing
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// Language of the explanations; without it, the configuration's
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Lang>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    Ja,
    En,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Ja => Self::Ja,
            Lang::En => Self::En,
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{error}; write it like 2027-03-31T23:59:59+09:00"))
}

/// Runs the command.
pub(crate) fn run(args: Args) -> ExitCode {
    answer(&args, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
}

fn answer(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let decided = prepare(args).and_then(|case| {
        let answers = case.answers(args.service.as_deref()).map_err(|problem| vec![problem])?;
        Ok((case, answers))
    });
    let (case, answers) = match decided {
        Ok(decided) => decided,
        Err(problems) => {
            say(err, &problems);
            return BAD_CONFIGURATION.into();
        }
    };
    say(err, &case.problems().map(|(file, text)| format!("{file}: {text}")).collect::<Vec<_>>());
    let text = if args.json { line(&case, &answers) } else { render::text(&case, &answers) };
    // Whoever has closed the other end of a pipe wants no more.
    let _ = out.write_all(text.as_bytes());
    if answers.iter().any(|answer| answer.decision.accepts()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One object, in one line.
fn line(case: &Case, answers: &[Answer]) -> String {
    escape_in_json(&explain::json(case, answers).to_string()) + "\n"
}

fn say(err: &mut dyn Write, lines: &[String]) {
    for line in lines {
        // Nobody is left to be told.
        let _ = writeln!(err, "{}", crate::observe::visible(line));
    }
}

/// Reads everything; the error is a line for each thing that can't be used.
fn prepare(args: &Args) -> Result<Case, Vec<String>> {
    let now = Clock::start().now().wall;
    let (config, findings) = config::load(&args.config, None, now);
    let Some(config) = config else {
        return Err(findings.iter().map(ToString::to_string).collect());
    };
    let mut loaded = fetch::load(&config.fetch, &config.trust, now);
    let fatal: Vec<_> = loaded.problems.iter().filter(|problem| problem.fatal).collect();
    if !fatal.is_empty() {
        return Err(fatal.iter().map(|problem| format!("{}: {}", problem.source, problem.text)).collect());
    }
    if let Some(registry) = &config.registry {
        let blocks = blocked(&config.state_dir, registry).map_err(|why| vec![why])?;
        loaded.standing = Arc::new(loaded.standing.with_blocks(Arc::new(blocks)));
    }
    let chain = chain(args).map_err(|problem| vec![problem])?;
    let at = args.at.map_or(now, |at| Wall(at.as_second()));
    let explainer = Explainer {
        language: args.lang.map_or(config.log.language, Language::from),
        zone: TimeZone::get(&config.log.timezone).unwrap_or(TimeZone::UTC),
    };
    let grounds = Grounds { policy: config.policy, trust: config.trust, loaded };
    Ok(Case::new(grounds, &config.fetch, &chain, at, explainer))
}

/// Who is blocked, by the file that the server keeps beside its registry.
fn blocked(state_dir: &Path, registry: &store::Settings) -> Result<Blocks, String> {
    match Standby::read(state_dir) {
        Standby::Absent => Ok(Blocks::default()),
        Standby::Good(blocked) => Ok(admin::blocks(blocked, registry.blocks_requested)),
        Standby::Bad(why) => Err(format!("{why}, so nobody knows who is blocked")),
    }
}

/// Leaf first.
fn chain(args: &Args) -> Result<Vec<Vec<u8>>, String> {
    let mut chain = credentials::read_certificates(&args.cert)?;
    if let Some(more) = &args.chain {
        chain.extend(credentials::read_certificates(more)?);
    }
    Ok(chain)
}
