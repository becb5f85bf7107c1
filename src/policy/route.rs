//! Which service a request asks for.

use std::sync::Arc;

use super::{FEDERATION_SERVICE, Hints, Match, ServiceSettings};

/// NAS-Port-Type of what has stations: Ethernet, Wireless - IEEE 802.11 (RFC 2865 section 5.41).
const STATIONS: [u32; 2] = [15, 19];

impl Hints {
    /// Whether the NAS may ask for the service.
    pub(super) fn may_ask_for(&self, service: &Arc<str>) -> bool {
        self.allowed_services.as_ref().is_none_or(|allowed| allowed.contains(service))
    }

    /// Whether sessions are told apart by something else than names: by the stations' addresses at a Wi-Fi or a switch, our own or one that a federation's other side asks for, or where the NAS is told nothing by names.
    pub(super) fn goes_by_more_than_names(&self) -> bool {
        let has_stations = self.nas_port_type.is_some_and(|kind| STATIONS.contains(&kind));
        self.federation || has_stations || !self.told_by_name
    }
}

impl ServiceSettings {
    /// Whether the request is for this service. A federation's other side says nothing that counts but "eduroam".
    pub(super) fn is_asked_for(&self, hints: &Hints) -> bool {
        if hints.federation {
            return &*self.name == FEDERATION_SERVICE;
        }
        self.matches.iter().any(|wanted| wanted.holds(hints))
    }

    /// Whether an outer identity of this realm may log in here.
    pub(super) fn takes_realm(&self, realm: Option<&str>) -> bool {
        self.realms.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| realm_is(wanted, realm)))
    }
}

impl Match {
    /// Whether every key that is set holds.
    fn holds(&self, hints: &Hints) -> bool {
        any_of(self.ssid.as_deref(), |ssid| hints.ssid.as_ref() == Some(ssid))
            && any_of(self.nas.as_deref(), |nas| hints.nas == *nas)
            && any_of(self.nas_port_type.as_deref(), |kind| hints.nas_port_type == Some(*kind))
            && any_of(self.nas_identifier.as_deref(), |name| hints.nas_identifier.as_ref() == Some(name))
            && any_of(self.method.as_deref(), |method| hints.method == Some(*method))
    }
}

/// A key that isn't set always holds; a list holds when one of it does.
pub(super) fn any_of<T>(list: Option<&[T]>, holds: impl FnMut(&T) -> bool) -> bool {
    list.is_none_or(|list| list.iter().any(holds))
}

fn realm_is(wanted: &str, realm: Option<&str>) -> bool {
    match (wanted, realm) {
        ("", realm) => realm.is_none(),
        (_, None) => false,
        (wanted, Some(realm)) if wanted.starts_with('.') => is_below(realm, wanted),
        (wanted, Some(realm)) => realm.eq_ignore_ascii_case(wanted),
    }
}

/// `suffix` begins with its dot; the label before it must not be empty.
fn is_below(realm: &str, suffix: &str) -> bool {
    let Some(split) = realm.len().checked_sub(suffix.len()).filter(|split| *split > 0) else { return false };
    realm.get(split..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
