//! `sekisho explain`: what the server would decide for a certificate, by the very code that serves. It fetches nothing.

mod open;
mod render;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{BAD_CONFIGURATION, credentials};
use crate::config::{self, Config};
use crate::event::{CertificateName, Method};
use crate::fetch::known::Known;
use crate::fetch::{self, Loaded};
use crate::net::Clock;
use crate::now::Wall;
use crate::observe::{Asked, Explainer, Explanation, Language};
use crate::pki::{self, Facts, NoPath};
use crate::policy::{Decision, Hints, Match, ServiceIndex, ServiceSettings};
use open::Open;

/// NAS-Port-Type of an access point: Wireless - IEEE 802.11 (RFC 2865 section 5.41).
const WIRELESS: u32 = 19;

/// What the server would decide for a certificate, and why. Nothing is fetched and nobody is asked: CRLs and groups are read from the files that the configuration names, and CRLs and OCSP answers from what the server has kept. Where a login would ask a responder first, that is said.
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

/// Everything that the decisions rest on.
struct Case {
    config: Config,
    loaded: Loaded,
    /// Facts of the chain, or why there are none.
    facts: Result<Arc<Facts>, Box<NoPath>>,
    /// What a login would ask of OCSP responders.
    open: Vec<Open>,
    at: Wall,
    explainer: Explainer,
}

/// What one service would decide.
struct Answer {
    service: Arc<str>,
    decision: Decision,
    explanation: Explanation,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> ExitCode {
    answer(&args, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
}

fn answer(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let decided = prepare(args).and_then(|case| {
        let answers = answers(&case, args.service.as_deref())?;
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
    let text = if args.json { render::json(&case, &answers) } else { render::text(&case, &answers) };
    // Whoever has closed the other end of a pipe wants no more.
    let _ = out.write_all(text.as_bytes());
    if answers.iter().any(|answer| answer.decision.accepts()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    let loaded = fetch::load(&config.fetch, &config.trust, now);
    let fatal: Vec<_> = loaded.problems.iter().filter(|problem| problem.fatal).collect();
    if !fatal.is_empty() {
        return Err(fatal.iter().map(|problem| format!("{}: {}", problem.source, problem.text)).collect());
    }
    let chain = chain(args).map_err(|problem| vec![problem])?;
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let at = args.at.map_or(now, |at| Wall(at.as_second()));
    let facts = config.trust.facts(&chain);
    let open = match &facts {
        Ok(facts) => {
            let known = Known::new(&config.fetch, &config.trust);
            open::questions(&config.trust, &loaded, &known, facts, at)
        }
        Err(_) => Vec::new(),
    };
    let explainer = Explainer {
        language: args.lang.map_or(config.log.language, Language::from),
        zone: TimeZone::get(&config.log.timezone).unwrap_or(TimeZone::UTC),
    };
    Ok(Case { config, loaded, facts, open, at, explainer })
}

/// Leaf first.
fn chain(args: &Args) -> Result<Vec<Vec<u8>>, String> {
    let mut chain = credentials::read_certificates(&args.cert)?;
    if let Some(more) = &args.chain {
        chain.extend(credentials::read_certificates(more)?);
    }
    Ok(chain)
}

/// What the service named, or each, would decide.
fn answers(case: &Case, service: Option<&str>) -> Result<Vec<Answer>, Vec<String>> {
    let policy = &case.config.policy;
    let services: Vec<_> =
        policy.services().filter(|(_, settings)| service.is_none_or(|name| &*settings.name == name)).collect();
    if let (Some(service), []) = (service, services.as_slice()) {
        let names: Vec<_> = policy.services().map(|(_, settings)| settings.name.to_string()).collect();
        return Err(vec![format!("there is no service {service:?}; there are: {}", names.join(", "))]);
    }
    Ok(services.into_iter().map(|(index, settings)| case.decide(index, settings)).collect())
}

impl Case {
    fn decide(&self, index: ServiceIndex, service: &ServiceSettings) -> Answer {
        let Self { config, loaded, .. } = self;
        let decision = match &self.facts {
            Err(refusal) => Decision::no_path((**refusal).clone()),
            Ok(facts) => {
                let verdict = pki::verdict(&config.trust, &loaded.revocation, facts, self.at);
                config.policy.decide(index, facts, &verdict, &loaded.standing, &hints(service), self.at)
            }
        };
        let user = decision.user().cloned();
        let asked = Asked { at: self.at, user: user.as_deref(), service: Some(&service.name), ..Asked::default() };
        let explanation = self.explainer.explain(decision.reason(), decision.evidence(), &asked);
        Answer { service: service.name.clone(), decision, explanation }
    }

    /// Files that don't count, or not at that time: (file, sentence).
    fn problems(&self) -> impl Iterator<Item = (String, String)> {
        let unusable = self.loaded.problems.iter().map(|it| (it.source.to_string(), it.text.clone()));
        let later = self.loaded.crls.iter().filter(|crl| crl.this_update > self.at).map(|crl| {
            let text =
                "this CRL was issued after the time asked for, and says nothing about it; the one before it is needed";
            (crl.source.to_string(), text.to_owned())
        });
        unusable.chain(later)
    }

    /// What the certificate is called, as far as it can be read.
    fn certificate(&self) -> Option<CertificateName> {
        match &self.facts {
            Ok(facts) => Some(facts.name()),
            Err(refusal) => refusal.claimed.clone(),
        }
    }
}

/// A request as it would usually come for the service: what its first `match` for EAP-TLS asks for, from an access point where that names an SSID. Rules may look at it.
fn hints(service: &ServiceSettings) -> Hints {
    let is_tls = |wanted: &&Match| wanted.method.as_ref().is_none_or(|methods| methods.contains(&Method::EapTls));
    let wanted = service.matches.iter().find(is_tls).cloned().unwrap_or_default();
    let first = |list: Option<Vec<String>>| list.and_then(|list| list.into_iter().next());
    let ssid = first(wanted.ssid);
    let port_type = wanted.nas_port_type.and_then(|list| list.first().copied());
    Hints {
        nas: wanted.nas.and_then(|list| list.first().cloned()).unwrap_or_default(),
        allowed_services: None,
        federation: false,
        nas_port_type: port_type.or(ssid.is_some().then_some(WIRELESS)),
        ssid,
        nas_identifier: first(wanted.nas_identifier),
        method: Some(Method::EapTls),
    }
}
