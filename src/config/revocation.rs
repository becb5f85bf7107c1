//! What an authority says of revocation: which source is asked first, where each is found, and how old it may grow.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::afar::{self, Sources, Timing};
use super::files;
use super::reader::{Item, Table};
use super::report::{Place, Report};
use crate::exchange::Prefix;
use crate::fetch::http::Url;
use crate::fetch::remote::SourceSettings;
use crate::fetch::{learned, ocsp};
use crate::pki::{Facts, Locations, RevocationSource, Trust};

/// Longer, and the revocation check is one in name only.
const LONG_GRACE: Duration = Duration::from_secs(7 * 86_400);

/// What the table of one authority says.
pub(super) struct Revocation {
    pub(super) source: RevocationSource,
    pub(super) grace: Duration,
    pub(super) crls: Sources,
    responders: Vec<Url>,
    nonce: bool,
    timing: Timing,
    sample: Option<(Place, Vec<u8>)>,
}

/// What all of them say.
#[derive(Default)]
pub(super) struct Revocations {
    pub(super) files: Vec<(Arc<str>, PathBuf)>,
    pub(super) urls: Vec<SourceSettings>,
    learned: Vec<learned::AuthoritySettings>,
    pub(super) ocsp: Vec<ocsp::AuthoritySettings>,
    untold: Vec<Untold>,
    samples: Vec<Sample>,
}

/// An authority of whose consulted sources none is named: certificates must tell.
struct Untold {
    authority: Arc<str>,
    source: RevocationSource,
    intermediates: usize,
    /// Of `intermediates`.
    place: Place,
}

/// A certificate that tells where to fetch from.
struct Sample {
    /// Of this authority, as the configuration says.
    authority: Arc<str>,
    der: Vec<u8>,
    place: Place,
}

/// Everything about revocation in an authority's table. `allow`: `[fetch].allow`.
pub(super) fn read(table: &mut Table<'_>, allow: &[Prefix]) -> Revocation {
    let item = table.take("revocation");
    let choices = [
        ("crl", RevocationSource::Crl),
        ("ocsp", RevocationSource::Ocsp),
        ("crl-then-ocsp", RevocationSource::CrlThenOcsp),
        ("ocsp-then-crl", RevocationSource::OcspThenCrl),
        ("off", RevocationSource::Off),
    ];
    let source = item.and_then(|item| item.choice(&choices)).unwrap_or(RevocationSource::CrlThenOcsp);
    let crl = table.take("crl");
    let ocsp = table.take("ocsp");
    let crls = crl.as_ref().map(|item| afar::sources(item, allow)).unwrap_or_default();
    let responders = ocsp.as_ref().map(|item| afar::responders(item, allow)).unwrap_or_default();
    let sample = table.take("sample").filter(|item| !item.is_empty());
    match &ocsp {
        Some(ocsp) if !ocsp.is_empty() && !source.consults_ocsp() => ocsp.warning(
            "is never asked: `revocation` consults no OCSP; write \"crl-then-ocsp\" or \"ocsp-then-crl\" there, or leave this out",
        ),
        _ => {}
    }
    // Whoever stands here with a mistake in it has been told of that.
    let is_named = |item: &Option<Item<'_>>| item.as_ref().is_some_and(|item| !item.is_empty());
    let is_told = (source.consults_crls() && is_named(&crl)) || (source.consults_ocsp() && is_named(&ocsp));
    if source != RevocationSource::Off && !is_told && sample.is_none() {
        warn_of_the_first_login(table, source, crl.as_ref(), ocsp.as_ref());
    }
    Revocation {
        source,
        crls,
        responders,
        nonce: table.boolean("ocsp-nonce", true),
        timing: afar::timing(table),
        grace: table.take("grace").and_then(|item| grace(&item)).unwrap_or_default(),
        sample: sample.and_then(|item| Some((item.place.clone(), first_certificate(&item)?))),
    }
}

/// Nothing can be fetched before somebody has shown a certificate, and who shows it is refused.
fn warn_of_the_first_login(
    table: &Table<'_>,
    source: RevocationSource,
    crl: Option<&Item<'_>>,
    ocsp: Option<&Item<'_>>,
) {
    let (what, named) = words(source);
    let empty = match source {
        RevocationSource::Crl => crl,
        RevocationSource::Ocsp => ocsp,
        _ => crl.or(ocsp),
    };
    let place = empty.map_or(&table.place, |item| &item.place);
    table.report.warning(
        place,
        format!(
            "nothing says where its {what} is before somebody has logged in: the first member is refused with \"revocation-unknown\", and only then the places that this certificate names are known; add sample = \"pki/a-member.pem\", any certificate of this authority, or {named}"
        ),
    );
}

/// The first certificate of a file: the leaf, where others follow it.
fn first_certificate(item: &Item<'_>) -> Option<Vec<u8>> {
    files::certificates(item)?.into_iter().next()
}

fn grace(item: &Item<'_>) -> Option<Duration> {
    let grace = item.duration()?;
    if grace > LONG_GRACE {
        item.warning("for that long after its CRL or OCSP answer has ended, a certificate that was revoked meanwhile opens the network; hours are usual");
    }
    Some(grace)
}

impl Revocations {
    /// `intermediates`: how many the table has, and where.
    pub(super) fn add(&mut self, authority: &Arc<str>, one: Revocation, intermediates: (usize, &Place)) {
        let Revocation { source, crls, responders, nonce, timing, sample, .. } = one;
        let is_told =
            (source.consults_crls() && !crls.is_empty()) || (source.consults_ocsp() && !responders.is_empty());
        if source != RevocationSource::Off && !is_told {
            let (intermediates, place) = (intermediates.0, intermediates.1.clone());
            self.untold.push(Untold { authority: Arc::clone(authority), source, intermediates, place });
        }
        let Timing { refresh, alarm_after } = timing;
        if source.consults_crls() && crls.is_empty() {
            self.learned.push(learned::AuthoritySettings { authority: Arc::clone(authority), refresh, alarm_after });
        }
        if source.consults_ocsp() {
            let authority = Arc::clone(authority);
            self.ocsp.push(ocsp::AuthoritySettings { authority, responders, nonce, refresh, alarm_after });
        }
        let sample = sample.map(|(place, der)| Sample { authority: Arc::clone(authority), der, place });
        self.samples.extend(sample);
        self.files.extend(crls.files.into_iter().map(|path| (Arc::clone(authority), path)));
        self.urls.extend(crls.urls.into_iter().map(|url| timing.of(authority, url)));
    }

    /// Whose places are learned, and the samples that say so at the start: each must be one of its authority's. What it says of dates and revocation doesn't matter.
    pub(super) fn learned(&self, report: &Report<'_>, trust: Option<&Trust>) -> learned::Settings {
        let mut settings = learned::Settings { authorities: self.learned.clone(), samples: Vec::new() };
        // Why there is none has been said.
        let Some(trust) = trust else { return settings };
        for sample in &self.samples {
            match trust.sample(&sample.der, &sample.authority) {
                Ok(facts) => {
                    self.warn_of_a_silent_sample(report, sample, &facts);
                    settings.samples.push(facts);
                }
                Err(why) => report.error(&sample.place, why),
            }
        }
        for untold in &self.untold {
            untold.warn_of_silent_intermediates(report, trust);
        }
        settings
    }

    fn warn_of_a_silent_sample(&self, report: &Report<'_>, sample: &Sample, facts: &Facts) {
        let untold = self.untold.iter().find(|untold| untold.authority == sample.authority);
        if let Some(untold) = untold.filter(|untold| !untold.is_told_by(&facts.locations)) {
            let text = format!(
                "this certificate doesn't say where its {} is: everybody is refused with \"revocation-unknown\"; name it in {}",
                untold.what(),
                untold.keys()
            );
            report.warning(&sample.place, text);
        }
    }
}

impl Untold {
    fn is_told_by(&self, locations: &Locations) -> bool {
        (self.source.consults_crls() && !locations.crls.is_empty())
            || (self.source.consults_ocsp() && !locations.ocsp.is_empty())
    }

    /// Whether a CA is revoked says the CA above it, and where that says so stands in the intermediate's certificate or nowhere.
    fn warn_of_silent_intermediates(&self, report: &Report<'_>, trust: &Trust) {
        let own = trust.locations().filter(|(authority, _, _)| **authority == self.authority);
        let told = own.filter(|(_, _, locations)| self.is_told_by(locations)).count();
        if let Some(silent @ 1..) = self.intermediates.checked_sub(told) {
            let text = format!(
                "{silent} of {} don't say where the {} is that tells whether they are revoked: everybody below them is refused with \"revocation-unknown\", unless `crl` of another authority has it; name it in {}",
                self.intermediates,
                self.what(),
                self.keys()
            );
            report.warning(&self.place, text);
        }
    }

    fn what(&self) -> &'static str {
        words(self.source).0
    }

    fn keys(&self) -> &'static str {
        words(self.source).1
    }
}

/// What is looked for, and the keys that name it.
fn words(source: RevocationSource) -> (&'static str, &'static str) {
    match source {
        RevocationSource::Crl => ("CRL", "`crl`"),
        RevocationSource::Ocsp => ("responder", "`ocsp`"),
        _ => ("CRL or responder", "`crl` or `ocsp`"),
    }
}
