//! `sekisho check`: everything that is wrong or odd in a configuration and in every file that it names.

mod identities;
mod known;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::BAD_CONFIGURATION;
use crate::admin::{complaint, consequence};
use crate::config::{self, Examined, Finding, Named, Severity, Watched};
use crate::fetch::{self, LastSuccess};
use crate::net::Clock;
use crate::now::Wall;
use identities::IdentityState;
use known::AuthorityState;

/// Say everything that is wrong or odd in a configuration and in the files that it names, and what is known of each authority's revocation data and of each identity's; nothing is fetched
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
    /// What is known of revocation data; empty where the authorities themselves can't be used.
    authorities: Vec<AuthorityState>,
    /// What is stapled to our own certificates; empty with the authorities.
    identities: Vec<IdentityState>,
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
    let Examined { watched, mut findings, .. } = config::examine(&args.config, None, now);
    let (mut authorities, mut identities) = (Vec::new(), Vec::new());
    if let Some(watched) = watched {
        let (found, known) = look(&args.config, &watched, now);
        findings.extend(found);
        authorities = known;
        identities = identities::identities(&watched.fetch, now);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    Checked { errors, warnings: findings.len() - errors, findings, authorities, identities }
}

/// The files that the server watches, CRLs and groups, and the authorities that can't be decided about for want of revocation data; where the configuration names them. And what is known of each authority.
fn look(file: &Path, watched: &Watched, now: Wall) -> (Vec<Finding>, Vec<AuthorityState>) {
    let loaded = fetch::load(&watched.fetch, &watched.trust, now);
    let problems = loaded.problems.iter().map(|problem| {
        let severity = if problem.fatal { Severity::Error } else { Severity::Warning };
        let text = format!("{}: {}", problem.source, problem.text);
        finding(watched, file, severity, text, |named| named.sources.contains(&problem.source))
    });
    let askable = |authority: &str, issuer: &[u8; 32]| loaded.askable.contains(authority, issuer);
    let coverage = watched.trust.coverage(&loaded.revocation, &askable, now);
    let gaps = coverage.iter().flat_map(|authority| &authority.gaps).map(|gap| {
        let is_afar = |it: &&LastSuccess| it.authority == gap.authority && it.source.contains("://");
        let until = match loaded.last_success.iter().find(is_afar) {
            Some(_) if gap.wants_crl && gap.next_update.is_none() => " until the server has fetched it",
            _ => "",
        };
        let text = format!("{}: certificates below it are {}{until}", complaint(gap, now), consequence(gap.finding));
        finding(watched, file, Severity::Warning, text, |named| named.is_crl && named.table == gap.authority)
    });
    let authorities = known::authorities(&watched.fetch, &watched.trust, &loaded, &coverage, now);
    (problems.chain(gaps).collect(), authorities)
}

/// A finding at the place that names what it is about.
fn finding(
    watched: &Watched,
    file: &Path,
    severity: Severity,
    text: String,
    is_about: impl FnMut(&&Named) -> bool,
) -> Finding {
    match watched.named.iter().find(is_about) {
        Some(named) => named.finding(severity, file, text),
        None => Finding { severity, file: file.to_owned(), line: 0, column: 0, key: String::new(), text },
    }
}

fn text(checked: &Checked, file: &Path) -> String {
    let mut text: String = checked.findings.iter().map(|finding| format!("{finding}\n")).collect();
    text.push_str(&identities::text(&checked.identities));
    text.push_str(&known::text(&checked.authorities));
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
