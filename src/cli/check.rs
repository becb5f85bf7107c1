//! `sekisho check`: everything that is wrong or odd in a configuration and in every file that it names.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::BAD_CONFIGURATION;
use crate::config::{self, Config, Finding, Severity};
use crate::event::Reason;
use crate::fetch;
use crate::net::Clock;
use crate::now::Wall;
use crate::pki::Gap;

/// Say everything that is wrong or odd in a configuration and in the files that it names
///
/// Exit code: 0 good, or warnings only; 78 errors: the server would not start.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All findings and how many there are of each kind.
#[derive(Serialize)]
struct Checked {
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

/// Prints the findings on stdout: they are the result.
#[must_use]
pub(crate) fn run(args: &Args) -> ExitCode {
    let checked = check(args, Clock::start().now().wall);
    let printed = match args.json {
        true => json(&checked),
        false => text(&checked, &args.config),
    };
    match io::stdout().write_all(printed.as_bytes()) {
        Ok(()) if checked.errors == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(BAD_CONFIGURATION),
        Err(_) => ExitCode::FAILURE,
    }
}

fn check(args: &Args, now: Wall) -> Checked {
    let (config, mut findings) = config::load(&args.config, None, now);
    if let Some(config) = config {
        findings.extend(watched(&config, &args.config, now));
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    Checked { errors, warnings: findings.len() - errors, findings }
}

/// The files that the server watches, CRLs and groups, and what their age leads to; where the configuration names them.
fn watched(config: &Config, path: &Path, now: Wall) -> Vec<Finding> {
    let loaded = fetch::load(&config.fetch, &config.trust, now);
    let problems = loaded.problems.iter().map(|problem| {
        let severity = if problem.fatal { Severity::Error } else { Severity::Warning };
        let text = format!("{}: {}", problem.file.display(), problem.text);
        match config.named.iter().find(|named| named.files.contains(&problem.file)) {
            Some(named) => named.finding(severity, path, text),
            None => Finding { severity, file: path.to_owned(), line: 0, column: 0, key: String::new(), text },
        }
    });
    let gaps = config.trust.gaps(&loaded.revocation, now);
    let gaps = gaps.iter().filter_map(|gap| {
        let named = config.named.iter().find(|named| named.table == gap.authority && !named.files.is_empty())?;
        Some(named.finding(Severity::Warning, path, consequence(gap)))
    });
    problems.chain(gaps).collect()
}

/// What a gap leads to.
fn consequence(gap: &Gap) -> String {
    let Gap { authority, issuer, finding, .. } = gap;
    match finding {
        Reason::OkGrace => {
            format!(
                "the CRL of \"{issuer}\" has ended, and only `grace` still lets anybody of {authority} in (\"ok-grace\"); get a new one"
            )
        }
        Reason::RevocationStale => {
            format!(
                "the CRL of \"{issuer}\" has ended: everybody of {authority} below it is refused with \"revocation-stale\"; get a new one"
            )
        }
        _ => format!(
            "there is no good CRL of \"{issuer}\": everybody of {authority} below it is refused with \"revocation-unknown\"; name its file under `crl`"
        ),
    }
}

fn text(checked: &Checked, file: &Path) -> String {
    let mut text: String = checked.findings.iter().map(|finding| format!("{finding}\n")).collect();
    let counts = format!("{}, {}", count(checked.errors, "error"), count(checked.warnings, "warning"));
    let verdict = match checked.errors {
        0 => "the server starts with it",
        _ => "the server would not start",
    };
    text.push_str(&format!("{}: {counts}; {verdict}\n", file.display()));
    text
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn json(checked: &Checked) -> String {
    let json = serde_json::to_string_pretty(checked);
    // A path that is no UTF-8 is the one thing that JSON can't hold.
    json.map_or_else(|error| format!("{{\"error\": \"{error}\"}}\n"), |json| format!("{json}\n"))
}
