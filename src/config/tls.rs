//! `[[identity]]` and `[tls]`.

use std::sync::Arc;
use std::time::Duration;

use super::reader::{Item, Places, Table};
use super::{files, identity, names};
use crate::event::TlsVersion;
use crate::exchange::Prefix;
use crate::fetch::http::Url;
use crate::fetch::staple::{self, Way};
use crate::now::Wall;
use crate::tls::{BadSettings, Group, IdentitySettings, Server, Settings};

/// An identity, and where it stands.
pub(super) struct Identity {
    settings: IdentitySettings,
    pub(super) end: Option<Wall>,
    places: Places,
}

impl Identity {
    pub(super) fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// What is asked about it.
    pub(super) fn staple(&self) -> staple::IdentitySettings {
        staple::IdentitySettings { name: Arc::clone(self.name()), chain: self.settings.chain.clone() }
    }
}

/// RFC 9190 section 2.1.2: a ticket lives seven days at most.
const MAX_RESUMPTION: Duration = Duration::from_secs(7 * 86_400);

/// A TLS flight that takes more fragments than this takes more round trips than it should.
const MANY_FRAGMENTS: usize = 4;

/// `allow`: that of `[fetch]`.
pub(super) fn identities(root: &mut Table<'_>, fragment_size: usize, allow: &[Prefix], now: Wall) -> Vec<Identity> {
    let tables = root.tables("identity");
    if tables.is_empty() {
        root.error("no [[identity]]: the server has no certificate to show, and nobody can log in; add one with name, chain and key");
    }
    tables.into_iter().filter_map(|table| one(table, fragment_size, allow, now)).collect()
}

fn one(mut table: Table<'_>, fragment_size: usize, allow: &[Prefix], now: Wall) -> Option<Identity> {
    let name = names::of(&mut table);
    let chain_item = table.require("chain", "the PEM file of the server's certificate, leaf first, then intermediates");
    let chain = chain_item.as_ref().and_then(files::certificates);
    let key =
        table.require("key", "the PEM file of the certificate's private key").as_ref().and_then(files::private_key);
    let mut end = None;
    if let (Some(item), Some(chain)) = (&chain_item, &chain) {
        end = identity::examine(item, chain, now);
        let octets: usize = chain.iter().map(Vec::len).sum();
        let fragments = octets.div_ceil(fragment_size.max(1));
        if fragments > MANY_FRAGMENTS {
            item.warning(format!(
                "the chain of {octets} octets takes {fragments} fragments of {fragment_size}, each a round trip in every login; use a shorter chain, a P-256 certificate or a larger `fragment-size`"
            ));
        }
    }
    let places = table.finish();
    let identity = Identity { settings: IdentitySettings { name: name?, chain: chain?, key: key? }, end, places };
    if let Some(item) = &chain_item {
        stapling(item, &identity.staple().way(), allow);
    }
    Some(identity)
}

/// Warns where the certificate names responders and none can be asked.
fn stapling(item: &Item<'_>, way: &Way, allow: &[Prefix]) {
    const LEADS_TO: &str = "no answer is stapled, and devices that insist on one refuse this server";
    match way {
        Way::Nobody => {}
        Way::Closed(_, why) => {
            item.warning(format!("the certificate names an OCSP responder, but {why}: {LEADS_TO}"));
        }
        Way::Open(_, urls) => {
            let forbidden = |url: &Url| url.forbidden_address(allow);
            if let Some(address) =
                urls.iter().find_map(forbidden).filter(|_| urls.iter().all(|url| forbidden(url).is_some()))
            {
                item.warning(format!(
                    "the certificate's OCSP responder is at {address}, which is loopback, link-local, private or the like, so it isn't asked: {LEADS_TO}; if it is meant, add allow = [\"{address}\"] to [fetch]"
                ));
            }
        }
    }
}

/// Everything that stands in `[tls]`.
pub(super) struct Tls {
    versions: Vec<TlsVersion>,
    groups: Vec<Group>,
    resumption: Duration,
    ticket_keys: Vec<crate::secret::Secret>,
    places: Places,
}

pub(super) fn tls(mut table: Table<'_>) -> Tls {
    let versions = [("1.3", TlsVersion::Tls13), ("1.2", TlsVersion::Tls12)];
    let groups = [
        ("x25519", Group::X25519),
        ("secp256r1", Group::Secp256r1),
        ("secp384r1", Group::Secp384r1),
        ("x25519mlkem768", Group::X25519MlKem768),
    ];
    let default_groups = vec![Group::X25519, Group::Secp256r1, Group::Secp384r1];
    Tls {
        versions: choices(&mut table, "versions", &versions)
            .unwrap_or_else(|| vec![TlsVersion::Tls13, TlsVersion::Tls12]),
        groups: choices(&mut table, "groups", &groups).unwrap_or(default_groups),
        resumption: resumption(&mut table),
        ticket_keys: table.take("ticket-key-file").and_then(|item| files::ticket_keys(&item)).unwrap_or_default(),
        places: table.finish(),
    }
}

/// A list of choices that isn't empty.
fn choices<T: Copy + PartialEq>(table: &mut Table<'_>, key: &'static str, choices: &[(&str, T)]) -> Option<Vec<T>> {
    let item = table.take(key)?;
    let mut found = Vec::new();
    for value in item.list(|item| item.choice(choices)) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if item.is_empty() {
        item.error("is empty: no handshake could succeed; leave it out for the default");
    }
    Some(found)
}

fn resumption(table: &mut Table<'_>) -> Duration {
    let default = Duration::from_secs(8 * 3600);
    let Some(item) = table.take("resumption") else { return default };
    let resumption = item.duration().unwrap_or(default);
    if resumption > MAX_RESUMPTION {
        item.error("is over seven days, which RFC 9190 forbids; write \"7d\" or less, \"0s\" for never");
        return default;
    }
    resumption
}

/// Loads the keys; what is wrong with them is reported where they stand.
pub(super) fn server(
    root: &Table<'_>,
    tls: Tls,
    identities: Vec<Identity>,
    max_session_ids: usize,
    previous: Option<&Server>,
) -> Option<Server> {
    if identities.is_empty() {
        return None;
    }
    let places: Vec<(Arc<str>, Places)> =
        identities.iter().map(|identity| (identity.settings.name.clone(), identity.places.clone())).collect();
    let settings = Settings {
        identities: identities.into_iter().map(|identity| identity.settings).collect(),
        versions: tls.versions,
        groups: tls.groups,
        resumption: tls.resumption,
        ticket_keys: tls.ticket_keys,
        max_session_ids: u64::try_from(max_session_ids).unwrap_or(u64::MAX),
    };
    let bad = match Server::new(&settings, previous) {
        Ok(server) => return Some(server),
        Err(bad) => bad,
    };
    for BadSettings { identity, key, text } in bad {
        let found = identity.and_then(|name| places.iter().find(|(known, _)| *known == name));
        let places = found.map_or(&tls.places, |(_, places)| places);
        root.report.error(places.of(key), text);
    }
    None
}
