//! What an Access-Request asks for: the packet's attributes → hints for policy.

use crate::event::Method;
use crate::exchange::Nas;
use crate::policy::Hints;
use crate::radius::station::{self, text};
use crate::radius::{Malformed, Packet, Type, vendor};
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
}

impl Asked {
    /// Reads a request of a NAS. The error: EAP-Message attributes that are not consecutive (RFC 3579 section 3.1).
    pub fn read(packet: &Packet<'_>, nas: &Nas) -> Result<Self, Malformed> {
        let FollowUp { eap, wants_key_name, wants_cui } = FollowUp::read(packet)?;
        let is_eap = eap.is_some();
        let calling_station = packet.first(Type::CALLING_STATION_ID).unwrap_or_default().to_vec();
        Ok(Self {
            eap,
            hints: Hints {
                nas: nas.name.clone(),
                allowed_services: nas.services.clone(),
                federation: nas.federation,
                ssid: ssid(packet),
                nas_port_type: packet.integer(Type::NAS_PORT_TYPE),
                nas_identifier: packet.first(Type::NAS_IDENTIFIER).map(text),
                method: is_eap.then_some(Method::EapTls),
            },
            marks: Marks::read(packet),
            calling_station,
            user_name: packet.first(Type::USER_NAME).map(text),
            framed_mtu: packet.integer(Type::FRAMED_MTU),
            wants_key_name,
            wants_cui,
            operator: packet.first(Type::OPERATOR_NAME).unwrap_or_default().to_vec(),
        })
    }
}

/// What a further request of a conversation says; the rest was said by the first.
#[derive(Clone, Debug, Default)]
pub struct FollowUp {
    /// As in [`Asked`].
    pub eap: Option<Vec<u8>>,
    /// As in [`Asked`].
    pub wants_key_name: bool,
    /// As in [`Asked`].
    pub wants_cui: bool,
}

impl FollowUp {
    /// Reads a request. The error: EAP-Message attributes that are not consecutive (RFC 3579 section 3.1).
    pub fn read(packet: &Packet<'_>) -> Result<Self, Malformed> {
        let mut eap = Vec::new();
        let is_eap = packet.join_eap(&mut eap)?;
        let mut read = Self { eap: is_eap.then_some(eap), ..Self::default() };
        for attribute in packet.attributes() {
            read.wants_key_name |= attribute.kind == Type::EAP_KEY_NAME;
            read.wants_cui |= attribute.kind == Type::CHARGEABLE_USER_IDENTITY;
        }
        Ok(read)
    }
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
