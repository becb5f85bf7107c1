//! `[fetch]`, and what an authority says of fetching: `crl`, `ocsp`, `crl-refresh`, `alarm-after`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::reader::{Item, Table};
use super::scalar;
use crate::exchange::Prefix;
use crate::fetch::http::{self, Proxy, Url};
use crate::fetch::remote::SourceSettings;

/// Longest time that one fetch may be given: whoever is slower is down.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
/// More than any CRL has, and what a fetch may cost in memory.
const LARGEST: u64 = 1 << 30;

/// `[fetch]`
pub(super) struct Fetch {
    pub(super) http: http::Settings,
    /// `ocsp-answers`
    pub(super) answers: u64,
    /// `vanished-entries`
    pub(super) vanished: u64,
}

pub(super) fn fetch(mut table: Table<'_>) -> Fetch {
    let timeout = table.take("timeout").and_then(|item| within(&item, Duration::from_secs(1)..=LONGEST_TIMEOUT));
    let max_size = table.take("max-size").and_then(|item| max_size(&item));
    let proxy = table.take("proxy").filter(|item| !item.is_empty());
    let proxy = proxy.and_then(|item| item.parsed(|text| Proxy::parse(text).map_err(|error| error.to_string())));
    let allow = table.take("allow").map(|item| item.list(|item| item.parsed(scalar::prefix))).unwrap_or_default();
    let answers = table.integer("ocsp-answers", 1_000..=10_000_000, 100_000);
    let vanished = table.integer("vanished-entries", 1_000..=100_000_000, 1_000_000);
    table.finish();
    let http = http::Settings {
        timeout: timeout.unwrap_or(Duration::from_secs(10)),
        max_size: max_size.unwrap_or(128 << 20),
        proxy,
        allow,
    };
    Fetch { http, answers, vanished }
}

fn max_size(item: &Item<'_>) -> Option<u64> {
    let size = item.size()?;
    if !(1 << 10..=LARGEST).contains(&size) {
        item.error("must be from \"1KiB\", which the smallest CRL has, to \"1GiB\", which any host that is asked may make this server hold");
        return None;
    }
    Some(size)
}

fn within(item: &Item<'_>, range: std::ops::RangeInclusive<Duration>) -> Option<Duration> {
    let duration = item.duration()?;
    if !range.contains(&duration) {
        item.error(format!("must be from \"{}s\" to \"{}s\"", range.start().as_secs(), range.end().as_secs()));
        return None;
    }
    Some(duration)
}

/// Where an authority's CRLs come from.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) files: Vec<PathBuf>,
    pub(super) urls: Vec<Url>,
}

impl Sources {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.urls.is_empty()
    }

    /// What problems and findings call them.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let files = self.files.iter().map(|path| path.display().to_string().into());
        files.chain(self.urls.iter().map(|url| url.to_string().into())).collect()
    }
}

/// `crl`
pub(super) fn sources(item: &Item<'_>, allow: &[Prefix]) -> Sources {
    const WANTED: &str = "a CRL comes from http://, https:// or the path of a file";
    let mut sources = Sources::default();
    for item in item.items() {
        let Some(text) = item.text() else { continue };
        if text.contains("://") {
            sources.urls.extend(url(&item, WANTED, &sources.urls, allow));
        } else {
            sources.files.extend(item.path());
        }
    }
    sources
}

/// `ocsp`
pub(super) fn responders(item: &Item<'_>, allow: &[Prefix]) -> Vec<Url> {
    let mut urls = Vec::new();
    for item in item.items() {
        urls.extend(url(&item, "a responder is asked by http:// or https://", &urls, allow));
    }
    urls
}

/// `wanted`: what may stand here, in words. `known`: those that stand above.
fn url(item: &Item<'_>, wanted: &str, known: &[Url], allow: &[Prefix]) -> Option<Url> {
    let text = item.text()?;
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        item.error(format!("\"{text}\": {wanted}"));
        return None;
    }
    let url = item.parsed(|text| Url::parse(text).map_err(|error| format!("\"{text}\": {error}")))?;
    if known.contains(&url) {
        item.error(format!("{url} stands here twice; once is enough"));
        return None;
    }
    if let Some(address) = url.forbidden_address(allow) {
        item.warning(format!(
            "{address} is loopback, link-local, private or the like, so nothing is fetched from it; if it is meant, add allow = [\"{address}\"] to [fetch]"
        ));
    }
    Some(url)
}

/// `crl-refresh` and `alarm-after`
#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) refresh: Duration,
    pub(super) alarm_after: Duration,
}

pub(super) fn timing(table: &mut Table<'_>) -> Timing {
    let day = Duration::from_secs(86_400);
    let second = Duration::from_secs(1);
    let refresh = table.take("crl-refresh").and_then(|item| within(&item, second..=day));
    let refresh = refresh.unwrap_or(Duration::from_secs(300));
    let alarm = table.take("alarm-after");
    let alarm_after = alarm.as_ref().and_then(|item| within(item, second..=30 * day));
    let alarm_after = alarm_after.unwrap_or(Duration::from_secs(3 * 3_600));
    // Refreshes have a jitter of a tenth.
    if alarm_after < refresh.saturating_mul(2) {
        let place = alarm.as_ref().map_or(&table.place, |item| &item.place);
        table.report.error(
            place,
            "`alarm-after` must be at least twice `crl-refresh`: else it would alarm between two fetches that are both good",
        );
    }
    Timing { refresh, alarm_after }
}

impl Timing {
    pub(super) fn of(self, authority: &Arc<str>, url: Url) -> SourceSettings {
        SourceSettings {
            authority: Arc::clone(authority),
            url,
            refresh: self.refresh,
            alarm_after: self.alarm_after,
            by_member: false,
        }
    }
}
