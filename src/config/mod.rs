//! TOML → each module's Settings; all findings at once, with their positions. Only `daemon` and `cli` import it.
//!
//! A file's way: `reader` walks TOML's tree and keeps going after a mistake; one module for each part of the file makes that part's Settings;
//! `files` reads what is named; `report` collects what is found. What isn't built yet stands in `absent`.

mod absent;
mod admin;
mod afar;
mod authority;
mod disconnect;
mod federation;
mod files;
mod grants;
mod identity;
mod names;
mod nas;
pub(crate) mod pem;
mod plain;
mod reader;
mod registry;
mod report;
mod revocation;
pub(crate) mod scalar;
mod server;
mod service;
mod tls;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::fetch::{ocsp, remote, staple};
use crate::now::Wall;
use crate::{access, eap, engine, exchange, fetch, net, observe, otp, pki, policy, sessions};
use names::Names;
use reader::Table;
use report::{Place, Report};
use revocation::Revocations;

pub use report::{Finding, Named, Severity};

/// More than any administrator writes.
const MAX_FILE: u64 = 1 << 20;

/// A configuration that has been read, with every file that it names, CRLs and groups excepted: those are `fetch`'s.
#[derive(Debug)]
pub struct Config {
    /// `[server].name`
    pub node: Arc<str>,
    /// `[server].state-dir`
    pub state_dir: PathBuf,
    /// `[listen]`
    pub net: net::Settings,
    /// `[admin]`
    pub admin: crate::admin::Settings,
    /// `[log]`
    pub log: observe::LogSettings,
    /// Watched files, and what is fetched.
    pub fetch: fetch::Settings,
    /// Bounds.
    pub engine: engine::Settings,
    /// `[eap]`
    pub eap: eap::Settings,
    /// `[[nas]]`
    pub peers: Arc<exchange::Peers>,
    /// `[[authority]]`
    pub trust: Arc<pki::Trust>,
    /// `[[service]]`
    pub policy: Arc<policy::Policy>,
    /// `[[identity]]`, `[tls]`
    pub tls: Arc<crate::tls::Server>,
    /// `[registry]`; `None`: nothing is kept, as `database = "none"` wishes.
    pub registry: Option<crate::store::Settings>,
    /// `[disconnect]`
    pub disconnect: sessions::disconnect::Automatic,
    /// `[otp]`; `None`: no code is right.
    pub otp: Option<otp::Settings>,
    /// `[federation]`
    pub cui: access::CuiSettings,
    /// notAfter of the leaf of each identity.
    pub identity_ends: Vec<(Arc<str>, Wall)>,
}

/// Reads a configuration. `Config` is there unless a finding is an error. `previous`: whose random ticket key is taken over.
#[must_use]
pub fn load(path: &Path, previous: Option<&crate::tls::Server>, now: Wall) -> (Option<Config>, Vec<Finding>) {
    let Examined { config, findings, .. } = examine(path, previous, now);
    let good = findings.iter().all(|finding| finding.severity < Severity::Error);
    (config.filter(|_| good), findings)
}

/// All that could be made of a configuration, good or bad.
#[derive(Debug)]
pub(crate) struct Examined {
    config: Option<Config>,
    /// What is watched, where its authorities are good, whatever else is wrong.
    pub(crate) watched: Option<Watched>,
    /// What is wrong or odd.
    pub(crate) findings: Vec<Finding>,
}

/// The files that are watched, for whoever looks at them once.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) fetch: fetch::Settings,
    pub(crate) trust: Arc<pki::Trust>,
    /// Where each is named: each authority's CRLs, then each group.
    pub(crate) named: Vec<Named>,
}

/// As [`load`], for finding everything that is wrong at once.
pub(crate) fn examine(path: &Path, previous: Option<&crate::tls::Server>, now: Wall) -> Examined {
    let text = match text(path) {
        Ok(text) => text,
        Err(text) => {
            let severity = Severity::Error;
            let finding = Finding { severity, file: path.to_owned(), line: 0, column: 0, key: String::new(), text };
            return Examined { config: None, watched: None, findings: vec![finding] };
        }
    };
    let report = Report::new(path, &text);
    let (config, watched) = parse(&report, &text, previous, now);
    Examined { config, watched, findings: report.into_findings() }
}

/// The file's text. Secrets may stand in it.
fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let octets = files::octets(path, MAX_FILE)?;
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => Err(format!("is not UTF-8 from octet {} on; save it as UTF-8", error.valid_up_to())),
    }
}

fn parse(
    report: &Report<'_>,
    text: &str,
    previous: Option<&crate::tls::Server>,
    now: Wall,
) -> (Option<Config>, Option<Watched>) {
    let (tree, mistakes) = DeTable::parse_recoverable(text);
    if mistakes.is_empty() {
        return read(Table::new(report, Place::default(), tree.get_ref()), previous, now);
    }
    // What was recovered lacks keys that are there and has some in the wrong table: findings about it would mislead.
    for mistake in mistakes {
        let offset = mistake.span().map_or(0, |span| span.start);
        report.error(&Place { key: String::new(), offset }, format!("not TOML: {}", mistake.message()));
    }
    (None, None)
}

fn read(mut root: Table<'_>, previous: Option<&crate::tls::Server>, now: Wall) -> (Option<Config>, Option<Watched>) {
    let names = Names::collect(&mut root);
    let server = server::server(root.section("server"));
    let mut admin_table = root.section("admin");
    let listen = server::listen(root.section("listen"), admin::has_tls(&mut admin_table));
    let eap = server::eap(root.section("eap"));
    let afar::Fetch { http, answers, vanished } = afar::fetch(root.section("fetch"));
    let identities = tls::identities(&mut root, eap.settings.fragment_size, &http.allow, now);
    let tls = tls::tls(root.section("tls"));
    let mut authorities = authority::read(&mut root, &http.allow);
    let all_nas = nas::read(&mut root, &names);
    let services = service::read(&mut root, &names, &all_nas.settings);
    let mut named = std::mem::take(&mut authorities.named);
    let groups = admin::groups(&mut root, &mut named);
    let (admin, admin_end) = admin::admin(admin_table, listen.admin, &names, now);
    let log = server::log(root.section("log"));
    let cui = federation::federation(&mut root, &names);
    let registry::Registry { settings: registry, max_sessions } =
        registry::registry(root.section("registry"), &listen.accounting);
    let all_mute = all_nas.settings.iter().all(|nas| nas.disconnect.is_none());
    let disconnect = disconnect::disconnect(&mut root, all_mute);
    let (otp, has_otp) = plain::otp(&mut root);
    plain::complete(&root, &services.settings, &all_nas.settings, has_otp, registry.is_some());
    absent::sections(&mut root, &names);

    let identity_ends = identities.iter().filter_map(|one| Some((one.name().clone(), one.end?)));
    // No identity can be called that.
    let identity_ends = identity_ends.chain(admin_end.map(|end| ("[admin]".into(), end))).collect();
    let staple = staple::Settings { identities: identities.iter().map(tls::Identity::staple).collect() };
    let tls = tls::server(&root, tls, identities, eap.max_conversations, previous);
    let trust = authority::trust(&root, &authorities, now);
    let learned = authorities.revocation.learned(root.report, trust.as_ref());
    let peers = nas::peers(&root, &all_nas).map(Arc::new);
    root.finish();
    let trust = trust.map(Arc::new);
    let Revocations { files, urls, ocsp, .. } = authorities.revocation;
    let remote = remote::Settings { crls: urls, state_dir: server.state_dir.clone(), http };
    let ocsp = ocsp::Settings { authorities: ocsp, answers };
    let fetch = fetch::Settings { crls: files, groups, remote, learned, ocsp, staple, vanished };
    let watched = trust.clone().map(|trust| Watched { fetch: fetch.clone(), trust, named });
    let config = peers.zip(trust).zip(tls).map(|((peers, trust), tls)| Config {
        node: server.node,
        state_dir: server.state_dir,
        net: net::Settings { auth: listen.auth, accounting: listen.accounting, workers: server.workers },
        admin,
        log,
        fetch,
        engine: server::engine(&eap, max_sessions),
        eap: eap.settings,
        peers,
        trust,
        policy: Arc::new(policy::Policy::new(services.settings, authorities.usernames)),
        tls: Arc::new(tls),
        registry,
        disconnect,
        otp,
        cui,
        identity_ends,
    });
    (config, watched)
}
