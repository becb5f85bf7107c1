//! `[[authority]]`

use std::sync::Arc;

use super::names;
use super::reader::{Item, Places, Table};
use super::report::Named;
use super::revocation::Revocations;
use super::{files, revocation, scalar};
use crate::exchange::Prefix;
use crate::now::Wall;
use crate::pki::{self, AuthoritySettings, Distrust, Purpose, SubjectRule};
use crate::policy::{UsernameRule, UsernameSource};

/// What the authorities' tables say.
#[derive(Default)]
pub(super) struct Authorities {
    settings: Vec<AuthoritySettings>,
    places: Vec<Places>,
    pub(super) usernames: Vec<UsernameRule>,
    pub(super) revocation: Revocations,
    pub(super) named: Vec<Named>,
}

/// `allow`: `[fetch].allow`.
pub(super) fn read(root: &mut Table<'_>, allow: &[Prefix]) -> Authorities {
    let mut authorities = Authorities::default();
    let tables = root.tables("authority");
    if tables.is_empty() {
        root.error("no [[authority]]: no client certificate can be trusted, and nobody can log in; add one with name and certificate");
    }
    for table in tables {
        one(table, allow, &mut authorities);
    }
    authorities
}

fn one(mut table: Table<'_>, allow: &[Prefix], into: &mut Authorities) {
    let name = names::of(&mut table);
    let anchor =
        table.require("certificate", "the file of the anchor, PEM or DER").and_then(|item| files::certificate(&item));
    let intermediates = table.take("intermediates").map(|item| intermediates(&item)).unwrap_or_default();
    let fingerprint_sha1 = table.take("fingerprint-sha1").and_then(|item| item.parsed(scalar::hex));
    let fingerprint_sha256 = table.take("fingerprint-sha256").and_then(|item| item.parsed(scalar::hex));
    let subject = subject(&mut table);
    let username = username(&mut table, name.clone().unwrap_or_default());
    let purpose = purpose(table.section("purpose"));
    let revocation = revocation::read(&mut table, allow);
    let distrust = table.table("distrust").and_then(distrust);
    let report = table.report;
    let places = table.finish();
    let intermediates: Option<Vec<_>> = intermediates.into_iter().collect();
    let (Some(name), Some(anchor), Some(intermediates)) = (name, anchor, intermediates) else { return };
    into.usernames.push(username);
    into.named.push(report.named(name.clone(), true, revocation.crls.names(), places.of("crl")));
    let (source, grace) = (revocation.source, revocation.grace);
    into.revocation.add(&name, revocation, (intermediates.len(), places.of("intermediates")));
    into.places.push(places);
    into.settings.push(AuthoritySettings {
        name,
        anchor,
        fingerprint_sha1,
        fingerprint_sha256,
        intermediates,
        subject,
        purpose,
        revocation: source,
        grace,
        distrust,
    });
}

/// The certificates of all files; a `None` among them couldn't be read.
fn intermediates(item: &Item<'_>) -> Vec<Option<Vec<u8>>> {
    let files = item.items().into_iter().map(|item| files::certificates(&item));
    files.flat_map(|found| found.map_or_else(|| vec![None], |found| found.into_iter().map(Some).collect())).collect()
}

fn subject(table: &mut Table<'_>) -> Vec<SubjectRule> {
    let Some(subject) = table.table("subject") else { return Vec::new() };
    if subject.entries().is_empty() {
        subject.warning("is empty: every certificate that this CA issues to anybody opens the network; leave it out where that is meant");
    }
    let known = subject.entries().into_iter().filter(|(attribute, item)| is_subject_attribute(attribute, item));
    known.filter_map(|(attribute, item)| Some((attribute.to_owned(), item.name()?.to_owned()))).collect()
}

/// Complains about an attribute that no certificate is going to have.
pub(super) fn is_subject_attribute(attribute: &str, item: &Item<'_>) -> bool {
    let known = pki::is_attribute_name(attribute);
    if !known {
        let meant = scalar::did_you_mean(attribute, pki::short_names());
        item.error(format!("\"{attribute}\" is no attribute of a subject{meant}"));
    }
    known
}

/// Dotted numbers.
fn is_oid(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|octet| octet.is_ascii_digit()))
}

/// An object identifier.
pub(super) fn oid(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    if !is_oid(text) {
        item.error(format!("\"{text}\" is no object identifier; write dotted numbers: \"1.3.6.1.4.1.32473.1\""));
        return None;
    }
    Some(text.to_owned())
}

fn oids(item: &Item<'_>) -> Vec<String> {
    item.list(|item| oid(&item))
}

fn username(table: &mut Table<'_>, authority: Arc<str>) -> UsernameRule {
    let choices = [
        ("san-email", UsernameSource::SanEmail),
        ("san-upn", UsernameSource::SanUpn),
        ("cn", UsernameSource::Cn),
        ("san-dns", UsernameSource::SanDns),
        ("san-uri", UsernameSource::SanUri),
    ];
    let default = vec![UsernameSource::SanEmail, UsernameSource::SanUpn, UsernameSource::Cn];
    let item = table.take("username");
    if let Some(item) = item.as_ref().filter(|item| item.is_empty()) {
        item.error("is empty: nobody would have a name, and everybody would be refused; leave it out for the default");
    }
    let sources = item.map_or(default, |item| item.list(|item| item.choice(&choices)));
    let mut form = table.section("username-form");
    let lowercase = form.boolean("lowercase", true);
    let strip_realm = form.boolean("strip-realm", false);
    form.finish();
    UsernameRule { authority, sources, lowercase, strip_realm }
}

fn purpose(mut table: Table<'_>) -> Purpose {
    let require = table.texts("require").unwrap_or_else(|| vec!["clientAuth".to_owned()]);
    let policies = table.take("policies").map(|item| oids(&item)).unwrap_or_default();
    let refuse_policies = table.take("refuse-policies").map(|item| oids(&item)).unwrap_or_default();
    table.finish();
    Purpose { require, policies, refuse_policies }
}

fn distrust(mut table: Table<'_>) -> Option<Distrust> {
    let from = table.require("from", "the date from which its certificates are refused").and_then(|item| item.time());
    let issued_before = table.take("issued-before").and_then(|item| item.time());
    let issued_after = table.take("issued-after").and_then(|item| item.time());
    table.finish();
    Some(Distrust { from: from?, issued_before, issued_after })
}

/// Prepares the authorities; what is wrong is reported where it stands.
pub(super) fn trust(root: &Table<'_>, authorities: &Authorities, now: Wall) -> Option<pki::Trust> {
    let (trust, bad) = match pki::Trust::new(&authorities.settings, now) {
        Ok((trust, odd)) => (Some(trust), odd),
        Err(bad) => (None, bad),
    };
    for finding in bad {
        let place = authorities.places.get(finding.authority).map_or(&root.place, |places| places.of(finding.key));
        match finding.warning {
            true => root.report.warning(place, finding.text),
            false => root.report.error(place, finding.text),
        }
    }
    trust
}
