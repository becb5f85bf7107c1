//! What is known of each authority's revocation data, without asking anybody: what was read, what was kept, and where more would come from.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::admin::span;
use crate::fetch::known::Known;
use crate::fetch::{Loaded, Settings};
use crate::now::Wall;
use crate::observe::visible;
use crate::pki::{Coverage, CrlSummary, RevocationSource, Trust};

/// One authority.
#[derive(Debug, Serialize)]
pub(super) struct AuthorityState {
    name: String,
    revocation: &'static str,
    /// Whether there is a way to let anybody in: what is known, or whom to ask.
    decides: bool,
    crls: Vec<CrlState>,
    responders: Vec<String>,
    /// Whether certificates name the responders, and not the configuration.
    responders_from_certificates: bool,
    /// Entries that have disappeared from its CRLs.
    vanished: usize,
}

/// One place that a CRL comes from.
#[derive(Debug, Serialize)]
struct CrlState {
    source: String,
    state: State,
    number: Option<String>,
    this_update: Option<String>,
    next_update: Option<String>,
    entries: Option<usize>,
    /// As people read it.
    #[serde(skip)]
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Before its nextUpdate.
    Fresh,
    /// Past it, or it says no end.
    Stale,
    /// Nothing is here, or nothing good.
    Absent,
}

/// All of them, in the order of the configuration.
pub(super) fn authorities(
    settings: &Settings,
    trust: &Trust,
    loaded: &Loaded,
    coverage: &[Coverage],
    now: Wall,
) -> Vec<AuthorityState> {
    let known = Known::new(settings, trust);
    let of = |name: &Arc<str>, revocation| AuthorityState {
        name: name.to_string(),
        revocation: name_of(revocation),
        decides: coverage.iter().any(|one| one.authority == *name && one.decides),
        crls: crls(loaded, name, now),
        responders: known.responders(name, None),
        responders_from_certificates: known.is_told_by_certificates(name),
        vanished: loaded.revocation.vanished().entries().filter(|entry| entry.authority == *name).count(),
    };
    trust.authorities().map(|authority| of(&authority.name, authority.revocation)).collect()
}

/// As the configuration writes it.
fn name_of(revocation: RevocationSource) -> &'static str {
    match revocation {
        RevocationSource::Crl => "crl",
        RevocationSource::Ocsp => "ocsp",
        RevocationSource::CrlThenOcsp => "crl-then-ocsp",
        RevocationSource::OcspThenCrl => "ocsp-then-crl",
        RevocationSource::Off => "off",
    }
}

fn crls(loaded: &Loaded, authority: &str, now: Wall) -> Vec<CrlState> {
    let its = loaded.last_success.iter().filter(|source| &*source.authority == authority);
    its.map(|source| CrlState::new(loaded, authority, &source.source, now)).collect()
}

impl CrlState {
    fn new(loaded: &Loaded, authority: &str, source: &Arc<str>, now: Wall) -> Self {
        let is_it = |crl: &&CrlSummary| &*crl.authority == authority && crl.source == *source;
        let good = loaded.crls.iter().find(is_it);
        let next_update = good.and_then(|crl| crl.next_update);
        Self {
            source: source.to_string(),
            state: match good {
                None => State::Absent,
                Some(_) if next_update.is_some_and(|end| now <= end) => State::Fresh,
                Some(_) => State::Stale,
            },
            number: good.and_then(|crl| crl.number.as_deref()).map(number),
            this_update: good.map(|crl| date(crl.this_update)),
            next_update: next_update.map(date),
            entries: good.map(|crl| crl.entries),
            words: match good {
                Some(crl) => words(crl, now),
                None if source.contains("://") => "nothing good of it is here; the server fetches it".to_owned(),
                None => "nothing good is in it".to_owned(),
            },
        }
    }
}

fn words(crl: &CrlSummary, now: Wall) -> String {
    let end = match crl.next_update {
        Some(end) if now <= end => format!("fresh for {} more", span(now.until(end))),
        Some(end) => format!("ended {} ago", span(end.until(now))),
        None => "says no end, so it never counts as fresh".to_owned(),
    };
    let number = crl.number.as_deref().map(|octets| format!("number {}, ", number(octets))).unwrap_or_default();
    format!("{number}of {}, {} revoked, {end}", date(crl.this_update), crl.entries)
}

/// In decimal; one of more than 16 octets in hex.
fn number(octets: &[u8]) -> String {
    match octets.len() {
        0..=16 => octets.iter().fold(0_u128, |number, octet| number << 8 | u128::from(*octet)).to_string(),
        _ => format!("0x{}", data_encoding::HEXLOWER.encode(octets)),
    }
}

fn date(at: Wall) -> String {
    Timestamp::from_second(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// A few lines for people.
pub(super) fn text(authorities: &[AuthorityState]) -> String {
    let lines = authorities.iter().flat_map(AuthorityState::lines);
    lines.map(|line| format!("{}\n", visible(&line))).collect()
}

impl AuthorityState {
    fn lines(&self) -> Vec<String> {
        let decides = match (self.revocation, self.decides) {
            ("off", _) => "nobody looks whether its certificates are revoked",
            (_, true) => "its certificates can be decided about",
            (_, false) => "all of its certificates are refused as yet",
        };
        let mut lines = vec![format!("authority {} ({}): {decides}", self.name, self.revocation)];
        lines.extend(self.crls.iter().map(|crl| format!("  CRL {}: {}", crl.source, crl.words)));
        let by = if self.responders_from_certificates { "certificates name it" } else { "`ocsp` names it" };
        lines.extend(self.responders.iter().map(|responder| format!("  OCSP responder {responder}: {by}")));
        if self.vanished > 0 {
            let gone = "entries that have disappeared from its CRLs and stay revoked here";
            lines.push(format!("  {gone}: {}; ask the CA why", self.vanished));
        }
        lines
    }
}
