//! What a service or a rule gives.

use std::time::Duration;

use super::reader::{Item, Table};
use crate::policy::Grants;
use crate::radius::{Attributes, Type, dictionary};

/// Reads the keys of a service or a rule that say what is given.
pub(super) fn read(table: &mut Table<'_>) -> Grants {
    Grants {
        vlan: table.take("vlan").and_then(|item| vlan(&item)),
        filter_id: table.take("filter-id").and_then(|item| item.name()).map(str::to_owned),
        session_timeout: table.take("session-timeout").and_then(|item| session_timeout(&item)),
        attributes: table.take("attributes").map(|item| attributes(&item)).unwrap_or_default(),
    }
}

/// An id or a name.
pub(super) fn vlan(item: &Item<'_>) -> Option<String> {
    let text = item.name()?;
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    if is_number && !text.parse().is_ok_and(|id: u16| (1..=4094).contains(&id)) {
        item.error("a VLAN's id is from 1 to 4094");
        return None;
    }
    Some(text.to_owned())
}

/// What a NAS can be told: a 32-bit number of seconds that isn't zero.
pub(super) fn session_timeout(item: &Item<'_>) -> Option<Duration> {
    let timeout = item.duration()?;
    if timeout.is_zero() || u32::try_from(timeout.as_secs()).is_err() {
        item.error("must be from one second to 49710 days: some NAS end a session of \"0s\" at once, others never");
        return None;
    }
    if timeout < Duration::from_secs(60) {
        item.warning("everybody has to log in again within a minute; \"8h\" is usual");
    }
    Some(timeout)
}

/// What must stay free in an Access-Accept for everything else.
const MAX_ATTRIBUTES: usize = 2048;

fn attributes(item: &Item<'_>) -> Attributes {
    let mut attributes = Attributes::default();
    for item in item.items() {
        let before = attributes.octets().len();
        item.parsed(|text| dictionary::push(text, &mut attributes));
        if attributes.octets().get(before) == Some(&Type::REPLY_MESSAGE.0) {
            item.warning("is not sent beside an EAP packet, where RFC 3579 forbids it, and no supplicant would show it: it has no effect on EAP-TLS logins");
        }
    }
    if attributes.octets().len() > MAX_ATTRIBUTES {
        item.error(format!("these attributes take {} octets, and with all the rest of an Access-Accept they wouldn't fit into a packet; {MAX_ATTRIBUTES} are allowed", attributes.octets().len()));
    }
    attributes
}
