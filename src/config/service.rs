//! `[[service]]` and its rules.

use std::sync::Arc;
use std::time::Duration;

use super::names::{self, Names};
use super::nas::method;
use super::reader::{Item, Places, Table};
use super::{absent, authority, grants, plain};
use crate::event::Method;
use crate::exchange::{Identify, NasSettings};
use crate::policy::{Match, ReplyUsername, Rule, ServiceSettings, When};
use crate::radius::dictionary;

/// What the services' tables say.
#[derive(Default)]
pub(super) struct Services {
    pub(super) settings: Vec<ServiceSettings>,
    places: Vec<Places>,
}

pub(super) fn read(root: &mut Table<'_>, names: &Names, all_nas: &[NasSettings]) -> Services {
    let mut services = Services::default();
    let tables = root.tables("service");
    if tables.is_empty() {
        root.error("no [[service]]: nothing can be asked for, and everybody is refused with \"no-service\"; add one with name, match and authorities");
    }
    for table in tables {
        one(table, names, all_nas, &mut services);
    }
    shadowed(root, &services, all_nas);
    case(root, &services);
    called_otherwise(root, &services, all_nas);
    services
}

fn one(mut table: Table<'_>, names: &Names, all_nas: &[NasSettings], into: &mut Services) {
    let name = names::of(&mut table);
    if name.as_deref() == Some("none") {
        table.error("\"none\" is what metrics call requests without a service; choose another name");
    }
    let matches = matches(&mut table, names, all_nas);
    let authorities = authorities(&mut table, names);
    let identities = table.take("identity").map(|item| names.identities.refer_all(&item)).unwrap_or_default();
    let realms = table.take("realms").map(|item| realms(&item));
    let reply = [("certificate", ReplyUsername::Certificate), ("outer", ReplyUsername::Outer)];
    let reply_username = table.choice("reply-username", &reply, ReplyUsername::Certificate);
    let mut grants = grants::read(&mut table);
    grants.session_timeout.get_or_insert(Duration::from_secs(8 * 3600));
    let rules = table.take("rules").map(|item| item.list(|item| item.table())).unwrap_or_default();
    let rules = rules.into_iter().map(|table| rule(table, names)).collect();
    let authorize = table.table("authorize").and_then(plain::authorize);
    let otp = table.table("otp").and_then(plain::otp_of_service);
    plain::told_apart(&table, authorize.as_ref(), otp);
    absent::service(&mut table);
    into.places.push(table.finish());
    into.settings.push(ServiceSettings {
        name: name.unwrap_or_default(),
        matches,
        authorities,
        identities,
        realms,
        reply_username,
        grants,
        rules,
        authorize,
        otp,
    });
}

fn authorities(table: &mut Table<'_>, names: &Names) -> Vec<Arc<str>> {
    let item = table.require(
        "authorities",
        "nobody's certificate would be good for this service; name the [[authority]] tables that are",
    );
    if let Some(item) = item.as_ref().filter(|item| item.is_empty()) {
        item.error("is empty: nobody's certificate is good for this service; name the [[authority]] tables that are");
    }
    item.map(|item| names.authorities.refer_all(&item)).unwrap_or_default()
}

fn matches(table: &mut Table<'_>, names: &Names, all_nas: &[NasSettings]) -> Vec<Match> {
    let Some(item) = table.take("match") else {
        let asked_for = table.take("name").and_then(|item| item.name_quietly()) == Some("eduroam");
        if !(asked_for && all_nas.iter().any(|nas| nas.federation)) {
            table.missing("match", "this service could never be asked for; write match = { ssid = [\"…\"] }, or match = {} for every request");
        }
        return Vec::new();
    };
    item.one_or_more_tables().into_iter().map(|table| one_match(table, names)).collect()
}

fn one_match(mut table: Table<'_>, names: &Names) -> Match {
    let found = Match {
        ssid: any_of(&mut table, "ssid", |item| ssid(&item)),
        nas: any_of(&mut table, "nas", |item| names.nas.refer(&item)),
        nas_port_type: any_of(&mut table, "nas-port-type", |item| port_type(&item)),
        nas_identifier: any_of(&mut table, "nas-identifier", |item| item.name().map(str::to_owned)),
        method: any_of(&mut table, "method", |item| method(&item)),
    };
    table.finish();
    found
}

/// A list of which one must hold; an empty one never does.
fn any_of<'a, T>(table: &mut Table<'a>, key: &'static str, read: impl FnMut(Item<'a>) -> Option<T>) -> Option<Vec<T>> {
    let item = table.take(key)?;
    if item.is_empty() {
        item.error("is empty: it never holds; leave it out, or write what may be there");
    }
    Some(item.one_or_more(read))
}

/// IEEE 802.11: at most 32 octets.
fn ssid(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    if text.is_empty() || text.len() > 32 {
        item.error("an SSID has 1 to 32 octets");
        return None;
    }
    Some(text.to_owned())
}

/// NAS-Port-Type by number or by RFC 2865's name.
fn port_type(item: &Item<'_>) -> Option<u32> {
    if item.is_integer() {
        return item.integer(0..=u64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok());
    }
    item.parsed(|name| dictionary::value("NAS-Port-Type", name))
}

/// Lower case; "" none at all, ".x" everything below x.
fn realms(item: &Item<'_>) -> Vec<String> {
    item.list(|item| {
        let realm = item.text()?.to_lowercase();
        let labels = realm.strip_prefix('.').unwrap_or(&realm);
        let good = |label: &str| {
            !label.is_empty() && label.len() <= 63 && !label.chars().any(|c| c.is_control() || c.is_whitespace() || "@*/".contains(c))
        };
        if !(realm.is_empty() || labels.split('.').all(good)) {
            item.error(format!("\"{}\" is no realm; write what follows the @: \"jaist.ac.jp\"; \".jaist.ac.jp\" for everything below it; \"\" for none at all", realm.escape_default()));
            return None;
        }
        Some(realm)
    })
}

fn rule(mut table: Table<'_>, names: &Names) -> Rule {
    let when =
        table.require("when", "to whom the rule applies; `when = {}` is everybody").and_then(|item| item.table());
    let when = when.map(|table| self::when(table, names)).unwrap_or_default();
    let grants = grants::read(&mut table);
    let deny = table.boolean("deny", false);
    let otp = table.boolean("otp", false);
    let grants_nothing = grants.vlan.is_none()
        && grants.filter_id.is_none()
        && grants.session_timeout.is_none()
        && grants.attributes.octets().is_empty()
        && !otp;
    match (deny, grants_nothing) {
        (true, false) => table.warning("whoever is denied gets nothing: what else stands in this rule has no effect"),
        (false, true) => table.warning("grants nothing and denies nobody: it has no effect"),
        _ => {}
    }
    table.finish();
    Rule { when, grants, deny, otp }
}

fn when(mut table: Table<'_>, names: &Names) -> When {
    let found = When {
        subject: table.table("subject").map(subject).unwrap_or_default(),
        san: any_of(&mut table, "san", |item| item.name().map(str::to_owned)),
        authority: any_of(&mut table, "authority", |item| names.authorities.refer(&item)),
        group: any_of(&mut table, "group", |item| names.groups.refer(&item)),
        nas: any_of(&mut table, "nas", |item| names.nas.refer(&item)),
        nas_port_type: any_of(&mut table, "nas-port-type", |item| port_type(&item)),
        policy_oid: table.take("policy-oid").map(|item| item.one_or_more(|item| authority::oid(&item))),
        method: any_of(&mut table, "method", |item| method(&item)),
    };
    table.finish();
    found
}

fn subject(table: Table<'_>) -> Vec<(String, Vec<String>)> {
    let entries = table.entries().into_iter();
    entries
        .map(|(attribute, item)| {
            authority::is_subject_attribute(attribute, &item);
            if item.is_empty() {
                item.error("is empty: it never holds");
            }
            (attribute.to_owned(), item.one_or_more(|item| item.name().map(str::to_owned)))
        })
        .collect()
}

/// Services that an earlier one takes every request from.
fn shadowed(root: &Table<'_>, services: &Services, all_nas: &[NasSettings]) {
    for (index, (later, places)) in services.settings.iter().zip(&services.places).enumerate() {
        let earlier = services.settings.iter().take(index).find(|earlier| {
            everybody_may(all_nas, later, earlier)
                && !later.matches.is_empty()
                && later.matches.iter().all(|narrow| earlier.matches.iter().any(|wide| covers(wide, narrow)))
        });
        if let Some(earlier) = earlier {
            root.report.warning(
                places.of("match"),
                format!("whatever matches here matches the service \"{}\" above already: this one is never reached; put it first or narrow the other", earlier.name),
            );
        }
    }
}

/// Whether every NAS that may ask for the later service may ask for the earlier one.
fn everybody_may(all_nas: &[NasSettings], later: &ServiceSettings, earlier: &ServiceSettings) -> bool {
    let may = |nas: &NasSettings, service: &ServiceSettings| {
        nas.services.as_ref().is_none_or(|all| all.contains(&service.name))
    };
    all_nas.iter().all(|nas| !may(nas, later) || may(nas, earlier))
}

/// Whether `wide` holds wherever `narrow` does.
fn covers(wide: &Match, narrow: &Match) -> bool {
    list_covers(wide.ssid.as_ref(), narrow.ssid.as_ref())
        && list_covers(wide.nas.as_ref(), narrow.nas.as_ref())
        && list_covers(wide.nas_port_type.as_ref(), narrow.nas_port_type.as_ref())
        && list_covers(wide.nas_identifier.as_ref(), narrow.nas_identifier.as_ref())
        && list_covers(wide.method.as_ref(), narrow.method.as_ref())
}

fn list_covers<T: PartialEq>(wide: Option<&Vec<T>>, narrow: Option<&Vec<T>>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => !narrow.is_empty() && narrow.iter().all(|value| wide.contains(value)),
    }
}

/// NAS that know sessions by names alone, and are told another than the one that they may go by: strongSwan takes the outer identity, whatever the Accept says.
fn called_otherwise(root: &Table<'_>, services: &Services, all_nas: &[NasSettings]) {
    let by_name = |nas: &&NasSettings| {
        let by = nas.disconnect.as_ref().map(|disconnect| disconnect.identify_by.as_slice());
        by == Some(&[Identify::UserName]) && nas.methods.contains(&Method::EapTls)
    };
    for nas in all_nas.iter().filter(by_name) {
        let may = |service: &&ServiceSettings| {
            let is_listed = nas.services.as_ref().is_none_or(|names| names.contains(&service.name));
            is_listed && service.reply_username == ReplyUsername::Certificate
        };
        if let Some(service) = services.settings.iter().find(may) {
            root.warning(format!(
                "\"{}\" is told by User-Name alone who has to go, and \"{}\" answers with the certificate's name: a concentrator that goes by the outer identity, as strongSwan does, ends nobody's session, or another's who is called so; say reply-username = \"outer\", or services = [...] of the NAS",
                nas.name, service.name
            ));
        }
    }
}

/// SSIDs that differ in case only: one of them is probably a slip, since case counts.
fn case(root: &Table<'_>, services: &Services) {
    let ssids = |service: &ServiceSettings| -> Vec<String> {
        service.matches.iter().flat_map(|found| found.ssid.iter().flatten().cloned()).collect()
    };
    let mut known: Vec<String> = Vec::new();
    for (service, places) in services.settings.iter().zip(&services.places) {
        for ssid in ssids(service) {
            if let Some(other) =
                known.iter().find(|other| **other != ssid && other.to_lowercase() == ssid.to_lowercase())
            {
                root.report.warning(places.of("match"), format!("the SSIDs \"{ssid}\" and \"{other}\" differ in case only, and case counts: is one of them a slip?"));
            }
            known.push(ssid);
        }
    }
}
