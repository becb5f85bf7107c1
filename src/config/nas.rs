//! `[[nas]]`

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::names::{self, Names};
use super::reader::{Item, Places, Table};
use super::{files, scalar};
use crate::event::Method;
use crate::exchange::{DisconnectSettings, Identify, NasSettings, Peers, Prefix};

/// A way to log in.
pub(super) fn method(item: &Item<'_>) -> Option<Method> {
    let methods = [("eap-tls", Method::EapTls), ("authorize", Method::Authorize), ("otp", Method::Otp)];
    item.choice(&methods)
}

/// What the NAS' tables say.
#[derive(Default)]
pub(super) struct AllNas {
    pub(super) settings: Vec<NasSettings>,
    places: Vec<Places>,
}

pub(super) fn read(root: &mut Table<'_>, names: &Names) -> AllNas {
    let mut all = AllNas::default();
    let tables = root.tables("nas");
    if tables.is_empty() {
        root.error("no [[nas]]: no access point is known, and every request is dropped; add one with name, address and secret-file");
    }
    for table in tables {
        one(table, names, &mut all);
    }
    nested(root, &all);
    all
}

fn one(mut table: Table<'_>, names: &Names, all: &mut AllNas) {
    let name = names::of(&mut table);
    let services = table.take("services").map(|item| services(&item, names));
    let methods = table.take("methods").map_or_else(|| vec![Method::EapTls], |item| methods(&item));
    let require_message_authenticator = message_authenticator(&mut table);
    let limit_proxy_state = table.boolean("limit-proxy-state", true);
    let max_conversations = table.integer("max-conversations", 0..=10_000_000, 0);
    let class = table.boolean("class", true);
    let federation = federation(&mut table, names);
    let disconnect = disconnect(&mut table);
    let peer = match table.take("certificate-name") {
        Some(item) => {
            item.name();
            item.not_built("RADIUS over TLS");
            let _ = (table.take("address"), table.take("secret"), table.take("secret-file"));
            None
        }
        None => Some((addresses(&mut table), files::shared_secret(&mut table))),
    };
    if !require_message_authenticator && !limit_proxy_state {
        table.warning("`limit-proxy-state = false` besides: nothing at all stands against BlastRADIUS (CVE-2024-3596) from this NAS");
    }
    let places = table.finish();
    let (Some(name), Some((address, Some(secret)))) = (name, peer) else { return };
    all.places.push(places);
    all.settings.push(NasSettings {
        name,
        address,
        secret,
        services,
        methods,
        require_message_authenticator,
        limit_proxy_state,
        max_conversations: usize::try_from(max_conversations).unwrap_or(0),
        class,
        federation,
        disconnect,
    });
}

fn services(item: &Item<'_>, names: &Names) -> Vec<Arc<str>> {
    if item.is_empty() {
        item.error("is empty: this NAS could ask for nothing; leave it out for any service");
    }
    names.services.refer_all(item)
}

fn methods(item: &Item<'_>) -> Vec<Method> {
    if item.is_empty() {
        item.error("is empty: everything that this NAS asks would be refused; write [\"eap-tls\"]");
    }
    item.list(|item| method(&item))
}

fn message_authenticator(table: &mut Table<'_>) -> bool {
    let item = table.take("require-message-authenticator");
    let required = item.as_ref().and_then(Item::boolean).unwrap_or(true);
    if let Some(item) = item.filter(|_| !required) {
        item.warning("requests without Message-Authenticator are let in: BlastRADIUS (CVE-2024-3596) lets somebody on the way forge an Accept; update the NAS, then leave this out");
    }
    required
}

/// A federation's requests are for the service "eduroam".
fn federation(table: &mut Table<'_>, names: &Names) -> bool {
    let item = table.take("federation");
    let federation = item.as_ref().and_then(Item::boolean).unwrap_or(false);
    if let Some(item) = item.filter(|_| federation && !names.services.contains("eduroam")) {
        item.error("requests of the federation are for the service \"eduroam\", and no [[service]] has that name: all would be refused; add it");
    }
    federation
}

/// What `disconnect` can name a session by.
const IDENTIFY_BY: [(&str, Identify); 3] = [
    ("acct-session-id", Identify::AcctSessionId),
    ("calling-station-id", Identify::CallingStationId),
    ("user-name", Identify::UserName),
];

fn disconnect(table: &mut Table<'_>) -> Option<DisconnectSettings> {
    let mut table = table.take("disconnect")?.table()?;
    let address = table.take("address").and_then(|item| own_address(&item));
    let port = table.integer("port", 1..=65_535, 3799);
    let secret = files::optional_shared_secret(&mut table);
    let identify_by = table.take("identify-by").map(|item| identify_by(&item));
    table.finish();
    Some(DisconnectSettings {
        port: u16::try_from(port).unwrap_or(3799),
        secret,
        address,
        identify_by: identify_by.unwrap_or_else(|| IDENTIFY_BY.map(|(_, by)| by).to_vec()),
    })
}

fn own_address(item: &Item<'_>) -> Option<IpAddr> {
    let address: IpAddr = item.parsed(|text| {
        text.parse().map_err(|_| format!("\"{text}\" is no IP address; leave it out to tell the address that asked"))
    })?;
    let is_broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    if address.is_unspecified() || address.is_multicast() || is_broadcast {
        item.error(format!("nobody can answer from {address}; write the NAS's own address, or leave it out"));
    }
    Some(address)
}

fn identify_by(item: &Item<'_>) -> Vec<Identify> {
    if item.is_empty() {
        item.error("is empty: no session could be named to this NAS; write [\"acct-session-id\", \"calling-station-id\", \"user-name\"], or less");
    }
    let mut found = Vec::new();
    item.list(|item| {
        let by = item.choice(&IDENTIFY_BY)?;
        if found.contains(&by) {
            item.warning("stands here twice");
        } else {
            found.push(by);
        }
        Some(())
    });
    found
}

fn addresses(table: &mut Table<'_>) -> Vec<Prefix> {
    let Some(item) = table.require("address", "the addresses or networks that it asks from") else { return Vec::new() };
    if item.is_empty() {
        item.error("is empty: this NAS could ask from nowhere; write an address or a network");
    }
    let mut known = Vec::new();
    item.one_or_more(|item| {
        let prefix = item.parsed(scalar::prefix)?;
        if known.contains(&prefix) {
            item.warning(format!("{} stands here twice", prefix));
            return None;
        }
        if prefix.bits == 0 {
            item.warning("is the whole Internet: the shared secret alone stands between anybody and this server; write your own networks");
        }
        known.push(prefix);
        Some(prefix)
    })
}

/// Networks within those of another NAS: legal, and a common slip.
fn nested(root: &Table<'_>, all: &AllNas) {
    for (inner, places) in all.settings.iter().zip(&all.places) {
        for outer in all.settings.iter().filter(|outer| outer.name != inner.name) {
            let pairs = inner.address.iter().flat_map(|small| outer.address.iter().map(move |large| (*small, *large)));
            for (small, large) in pairs.filter(|(small, large)| small != large && large.contains(small)) {
                root.report.warning(
                    places.of("address"),
                    format!(
                        "{} lies within {} of the NAS \"{}\"; the longest prefix wins, so \"{}\" it is there, with its own secret",
                        small,
                        large,
                        outer.name,
                        inner.name
                    ),
                );
            }
        }
    }
}

/// Prepares the peers; what is wrong is reported where it stands.
pub(super) fn peers(root: &Table<'_>, all: &AllNas) -> Option<Peers> {
    let bad = match Peers::new(&all.settings) {
        Ok(peers) => return Some(peers),
        Err(bad) => bad,
    };
    for (index, text) in bad {
        let place = all.places.get(index).map_or(&root.place, |places| places.of("address"));
        root.report.error(place, text);
    }
    None
}
