//! What an Access-Request asks for: the packet's attributes → hints for policy.

use crate::event::Method;
use crate::exchange::Nas;
use crate::policy::Hints;
use crate::radius::dictionary::Place;
use crate::radius::station::{self, text};
use crate::radius::{Malformed, Packet, Type, vendor};
use crate::secret::Secret;
use crate::sessions::Marks;

/// The meaning of one Access-Request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The EAP packet; empty for EAP-Start (RFC 3579 section 2.1); `None`: this is no EAP.
    pub eap: Option<Vec<u8>>,
    /// What policy wants to know.
    pub hints: Hints,
    /// Calling-Station-Id as it came: the handle that goes out in Class is bound to it.
    pub calling_station: Vec<u8>,
    /// What tells its session from others.
    pub marks: Marks,
    /// User-Name
    pub user_name: Option<String>,
    /// Framed-MTU
    pub framed_mtu: Option<u32>,
    /// EAP-Key-Name is there: the Accept shall carry it (RFC 4072 section 4.5, RFC 7268 section 2.2).
    pub wants_key_name: bool,
    /// Chargeable-User-Identity is there (RFC 4372 section 2.1).
    pub wants_cui: bool,
    /// Operator-Name (RFC 5580): a CUI is stable for a user and an operator.
    pub operator: Vec<u8>,
    /// What a request without EAP says besides; `None`: it is EAP.
    pub said: Option<Box<Said>>,
}

/// What a request without EAP says besides.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// User-Password, uncovered.
    pub password: Option<Secret>,
    /// It is to be proved in another way than by that password, or by one that can't be uncovered: it isn't without a password.
    pub other_proof: bool,
    /// Service-Type's number (RFC 2865 section 5.6).
    pub service_type: Option<u32>,
    /// Its attributes but those that the secret covers: which of them names a certificate, the service says.
    pub attributes: Vec<(Place, Vec<u8>)>,
}

impl Asked {
    /// Reads a request of a NAS; `password`: its User-Password, uncovered. The error: EAP-Message attributes that are not consecutive (RFC 3579 section 3.1).
    pub fn read(packet: &Packet<'_>, nas: &Nas, password: impl FnOnce() -> Option<Secret>) -> Result<Self, Malformed> {
        let FollowUp { eap, password, user_name, wants_key_name, wants_cui } = FollowUp::read(packet, password)?;
        let is_eap = eap.is_some();
        let said = (!is_eap).then(|| Said::new(packet, password)).map(Box::new);
        let calling_station = packet.first(Type::CALLING_STATION_ID).unwrap_or_default().to_vec();
        Ok(Self {
            eap,
            hints: Hints {
                nas: nas.name.clone(),
                allowed_services: nas.services.clone(),
                federation: nas.federation,
                told_by_name: nas.told_by_name(),
                ssid: ssid(packet),
                nas_port_type: packet.integer(Type::NAS_PORT_TYPE),
                nas_identifier: packet.first(Type::NAS_IDENTIFIER).map(text),
                method: is_eap.then_some(Method::EapTls),
                outer: None,
            },
            marks: Marks::read(packet),
            calling_station,
            user_name: user_name.or_else(|| name(packet)),
            framed_mtu: packet.integer(Type::FRAMED_MTU),
            wants_key_name,
            wants_cui,
            operator: packet.first(Type::OPERATOR_NAME).unwrap_or_default().to_vec(),
            said,
        })
    }

    /// Whose conversations are counted together: a station's, which has one user; without EAP a user's at it, for it may be an address that many come from.
    #[must_use]
    pub fn crowd(&self) -> Option<String> {
        let station = self.marks.station.as_deref()?;
        let user = self.user_name.as_deref().filter(|_| self.said.is_some());
        Some(user.map_or_else(|| station.to_owned(), |user| format!("{station} {user}")))
    }
}

/// User-Password
const COVERED: Place = Place { vendor: 0, kind: Type::USER_PASSWORD.0 };
/// CHAP-Password (RFC 2865 section 5.3), ARAP-Password (RFC 2869 section 5.4), Digest-Response (RFC 5090 section 3.1), MS-CHAP-Response and MS-CHAP2-Response (RFC 2548 sections 2.1.3 and 2.3.2).
const OTHER_PROOFS: [Place; 5] = [
    Place { vendor: 0, kind: 3 },
    Place { vendor: 0, kind: 70 },
    Place { vendor: 0, kind: 103 },
    Place { vendor: vendor::MICROSOFT, kind: 1 },
    Place { vendor: vendor::MICROSOFT, kind: 25 },
];

impl Said {
    fn new(packet: &Packet<'_>, password: Option<Secret>) -> Self {
        let is_other = |place: &Place| OTHER_PROOFS.contains(place) || (password.is_none() && *place == COVERED);
        let other_proof = packet.places().any(|(place, _)| is_other(&place));
        let service_type = packet.integer(Type::SERVICE_TYPE);
        let attributes = packet.places().filter(|(place, _)| *place != COVERED);
        let attributes = attributes.map(|(place, value)| (place, value.to_vec())).collect();
        Self { password, other_proof, service_type, attributes }
    }
}

/// Whether a further request is about the same user: it repeats the first but for the password (RFC 2865 section 4.4), or leaves the name out.
pub(super) fn is_same(first: Option<&str>, again: Option<&str>) -> bool {
    again.is_none_or(|again| first.is_some_and(|first| first.eq_ignore_ascii_case(again)))
}

/// What a further request of a conversation says; the rest was said by the first.
#[derive(Clone, Debug, Default)]
pub struct FollowUp {
    /// As in [`Asked`].
    pub eap: Option<Vec<u8>>,
    /// User-Password of a request without EAP, uncovered.
    pub password: Option<Secret>,
    /// User-Name of a request without EAP.
    pub user_name: Option<String>,
    /// As in [`Asked`].
    pub wants_key_name: bool,
    /// As in [`Asked`].
    pub wants_cui: bool,
}

impl FollowUp {
    /// Reads a request; `password`: its User-Password, uncovered. The error: EAP-Message attributes that are not consecutive (RFC 3579 section 3.1).
    pub fn read(packet: &Packet<'_>, password: impl FnOnce() -> Option<Secret>) -> Result<Self, Malformed> {
        let mut eap = Vec::new();
        let is_eap = packet.join_eap(&mut eap)?;
        let password = if is_eap { None } else { password() };
        // Within EAP it says nothing more.
        let user_name = if is_eap { None } else { name(packet) };
        let mut read = Self { eap: is_eap.then_some(eap), password, user_name, ..Self::default() };
        for attribute in packet.attributes() {
            read.wants_key_name |= attribute.kind == Type::EAP_KEY_NAME;
            read.wants_cui |= attribute.kind == Type::CHARGEABLE_USER_IDENTITY;
        }
        Ok(read)
    }
}

fn name(packet: &Packet<'_>) -> Option<String> {
    packet.first(Type::USER_NAME).map(text)
}

/// The SSID: the vendor's own attribute, else what follows the access point's address in Called-Station-Id (RFC 3580 section 3.20).
fn ssid(packet: &Packet<'_>) -> Option<String> {
    let own = packet
        .first_vendor(vendor::ARUBA, vendor::ARUBA_ESSID_NAME)
        .or_else(|| packet.first_vendor(vendor::RUCKUS, vendor::RUCKUS_SSID))
        .or_else(|| {
            packet.all_vendor(vendor::CISCO, vendor::CISCO_AVPAIR).find_map(|pair| pair.strip_prefix(b"ssid="))
        });
    own.filter(|ssid| !ssid.is_empty()).or_else(|| after_address(packet.first(Type::CALLED_STATION_ID)?)).map(text)
}

/// What follows a MAC address in any notation (`02-00-…`, `02:00:…`, `0200.0000.0001`, `020000000001`) and a colon.
fn after_address(called: &[u8]) -> Option<&[u8]> {
    let (_, rest) = station::address(called)?;
    rest.strip_prefix(b":").filter(|ssid| !ssid.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ssid_follows_the_address_in_any_notation() {
        for called in
            ["02-00-00-00-00-01:JAIST", "02:00:00:00:00:01:JAIST", "0200.0000.0001:JAIST", "020000000001:JAIST"]
        {
            assert_eq!(after_address(called.as_bytes()), Some(&b"JAIST"[..]), "{called}");
        }
        assert_eq!(after_address(b"02-00-00-00-00-01:a:b c"), Some(&b"a:b c"[..]));
        for none in [
            "",
            "02-00-00-00-00-01",
            "02-00-00-00-00-01:",
            "02-00-00-00-00:JAIST",
            "vpn.example",
            "1812",
            "0200000000012:x",
        ] {
            assert_eq!(after_address(none.as_bytes()), None, "{none}");
        }
    }
}
