//! What the API tells of authorities.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use crate::admin::Time;
use crate::admin::authorities::{Authority, Crl, Distrust, Responder, Vanished, VanishedEntry};
use crate::fetch::ocsp::Health;
use crate::fetch::{LastSuccess, Loaded, Problem};
use crate::now::Wall;
use crate::pki::{self, AuthoritySummary, Coverage, CrlSummary, RevocationSource, Trust};

/// Entries that are named; all are counted.
const NAMED: usize = 100;

/// What it is made of.
pub(super) struct Known<'a> {
    pub(super) trust: &'a Trust,
    pub(super) loaded: &'a Loaded,
    /// Every CRL source.
    pub(super) sources: &'a [LastSuccess],
    pub(super) responders: &'a [Health],
    pub(super) coverage: &'a [Coverage],
    pub(super) now: Wall,
}

impl Known<'_> {
    /// All of them, in the configuration's order.
    pub(super) fn authorities(&self) -> Vec<Authority> {
        self.trust.authorities().map(|summary| self.authority(summary)).collect()
    }

    fn authority(&self, summary: AuthoritySummary) -> Authority {
        let AuthoritySummary { name, anchor_not_after, issuers, revocation, distrust } = summary;
        let gaps = self.coverage.iter().filter(|covered| covered.authority == name).flat_map(|covered| &covered.gaps);
        Authority {
            crls: self.crls(&name),
            responders: self.responders(&name),
            vanished: self.vanished(&name),
            problems: gaps.map(|gap| crate::admin::complaint(gap, self.now)).collect(),
            name: name.to_string(),
            issuers,
            anchor_not_after: Time(anchor_not_after),
            revocation: revocation_name(revocation),
            distrust: distrust.map(|distrust| Distrust {
                from: Time(distrust.from),
                issued_before: distrust.issued_before.map(Time),
                issued_after: distrust.issued_after.map(Time),
            }),
        }
    }

    fn crls(&self, authority: &Arc<str>) -> Vec<Crl> {
        let sources = self.sources.iter().filter(|source| source.authority == *authority);
        let in_use = |source: &LastSuccess| {
            self.loaded.crls.iter().find(|crl| crl.authority == source.authority && crl.source == source.source)
        };
        sources.map(|source| self.crl(source, in_use(source))).collect()
    }

    fn crl(&self, source: &LastSuccess, crl: Option<&CrlSummary>) -> Crl {
        let is_about = |problem: &&Problem| problem.source == source.source && names(problem, &source.authority);
        let problem = || self.loaded.problems.iter().find(is_about).map(|problem| problem.text.clone());
        Crl {
            source: source.source.to_string(),
            number: crl.and_then(|crl| crl.number.as_deref()).map(|number| HEXLOWER.encode(number)),
            this_update: crl.map(|crl| Time(crl.this_update)),
            next_update: crl.and_then(|crl| crl.next_update).map(Time),
            entries: crl.map(|crl| crl.entries as u64),
            last_fetch: source.at.map(Time),
            error: source.failure.clone().or_else(problem),
        }
    }

    fn responders(&self, authority: &Arc<str>) -> Vec<Responder> {
        let of = self.responders.iter().filter(|health| health.authority == *authority);
        let responder = |health: &Health| Responder {
            source: health.source.to_string(),
            up: !health.open,
            last_success: health.last_success.map(Time),
        };
        of.map(responder).collect()
    }

    fn vanished(&self, authority: &Arc<str>) -> Vanished {
        let vanished = self.loaded.revocation.vanished();
        let mut found = Vanished::default();
        for entry in vanished.entries().filter(|entry| entry.authority == *authority) {
            found.count = found.count.saturating_add(1);
            if found.first.len() < NAMED {
                found.first.push(named(&entry));
            }
        }
        found
    }
}

/// A problem names the authority that it is about, where a source may belong to several.
fn names(problem: &Problem, authority: &str) -> bool {
    let rest = problem.text.strip_prefix("authority ").and_then(|rest| rest.split_once(':'));
    rest.is_none_or(|(named, _)| named == authority)
}

fn named(entry: &pki::VanishedEntry) -> VanishedEntry {
    VanishedEntry {
        serial: HEXLOWER.encode(&entry.serial),
        revoked: Time(entry.at),
        reason: entry.reason_name().map(str::to_owned),
        source: entry.source.to_string(),
        gone: Time(entry.since),
    }
}

/// As in the configuration.
fn revocation_name(revocation: RevocationSource) -> &'static str {
    match revocation {
        RevocationSource::Crl => "crl",
        RevocationSource::Ocsp => "ocsp",
        RevocationSource::CrlThenOcsp => "crl-then-ocsp",
        RevocationSource::OcspThenCrl => "ocsp-then-crl",
        RevocationSource::Off => "off",
    }
}
