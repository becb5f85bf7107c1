//! What a packet says of the session that it belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::radius::{Packet, Type, station};

/// One access point, switch or controller: a `[[nas]]` may be a network of many. Sessions of the one that restarts have ended, and its Acct-Session-Ids are its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device {
    /// Name of the NAS in the configuration.
    pub nas: Arc<str>,
    /// The address that its requests come from: behind a proxy that of many.
    pub peer: IpAddr,
    /// NAS-Identifier
    pub identifier: Option<Box<str>>,
    /// NAS-IP-Address, else NAS-IPv6-Address.
    pub address: Option<IpAddr>,
}

/// What tells a session from others, as its requests say it, for access and accounting alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Acct-Session-Id; what is no UTF-8 as `0x` and hexadecimal digits, so that two never become one.
    pub acct_session: Option<Box<str>>,
    /// Acct-Multi-Session-Id, in the same form.
    pub multi_session: Option<Box<str>>,
    /// Calling-Station-Id in its normal form.
    pub station: Option<Box<str>>,
    /// Calling-Station-Id as the NAS writes it: whoever tells the NAS of it must write it so.
    pub calling: Option<Box<str>>,
    /// Called-Station-Id in its normal form.
    pub called: Option<Box<str>>,
    /// NAS-Identifier
    pub identifier: Option<Box<str>>,
    /// NAS-IP-Address, else NAS-IPv6-Address.
    pub address: Option<IpAddr>,
}

impl Marks {
    /// Reads them.
    #[must_use]
    pub fn read(packet: &Packet<'_>) -> Self {
        let present = |kind| packet.first(kind).filter(|value: &&[u8]| !value.is_empty());
        let normal = |kind| present(kind).map(|value| station::normal(value).into_boxed_str());
        Self {
            acct_session: present(Type::ACCT_SESSION_ID).map(exact),
            multi_session: present(Type::ACCT_MULTI_SESSION_ID).map(exact),
            station: normal(Type::CALLING_STATION_ID),
            calling: present(Type::CALLING_STATION_ID).map(exact),
            called: normal(Type::CALLED_STATION_ID),
            identifier: present(Type::NAS_IDENTIFIER).map(exact),
            address: address(packet),
        }
    }

    /// The device of a NAS that asks from an address.
    #[must_use]
    pub fn device(&self, nas: &Arc<str>, peer: IpAddr) -> Device {
        Device {
            nas: Arc::clone(nas),
            peer: peer.to_canonical(),
            identifier: self.identifier.clone(),
            address: self.address,
        }
    }
}

fn exact(octets: &[u8]) -> Box<str> {
    match str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => format!("0x{}", data_encoding::HEXLOWER.encode(octets)).into(),
    }
}

fn address(packet: &Packet<'_>) -> Option<IpAddr> {
    let v4 = packet.integer(Type::NAS_IP_ADDRESS).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    v4.or_else(|| {
        let octets: [u8; 16] = packet.first(Type::NAS_IPV6_ADDRESS)?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    })
}
