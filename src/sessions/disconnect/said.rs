//! What a NAS is told of a session: what identifies it, and nothing else (RFC 5176 section 3).

use std::net::IpAddr;

use super::super::session::Session;
use crate::exchange::Identify;
use crate::now::Wall;
use crate::policy::is_anonymous;
use crate::radius::{Attributes, TooLong, Type, station};

/// How one session is named to its NAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said<'s> {
    session: &'s Session,
    by: Vec<Identify>,
}

impl<'s> Said<'s> {
    /// By everything of `identify_by` that is known of it. `None`: nothing is, or only a name that says who nobody is, and would end everybody's.
    pub(super) fn of(session: &'s Session, identify_by: &[Identify]) -> Option<Self> {
        let by: Vec<_> = identify_by.iter().copied().filter(|by| name(session, *by).is_some()).collect();
        let is_nobody = by == [Identify::UserName] && session.user_name.as_deref().is_some_and(is_anonymous);
        (!by.is_empty() && !is_nobody).then_some(Self { session, by })
    }

    /// What is said.
    pub(super) fn by(&self) -> &[Identify] {
        &self.by
    }

    /// Whether the same words say another session of the same device too.
    pub(super) fn fits(&self, other: &Session) -> bool {
        self.by.iter().all(|by| name(self.session, *by) == name(other, *by))
    }

    /// In wire form, with the time, by which a NAS knows that nobody has kept the packet to send it again (RFC 5176 section 6.3). NAS-Port is not said:
    /// where one of these names is known it adds nothing, and a NAS that doesn't expect it must refuse the whole (section 3.5, Error-Cause 401), as hostapd does.
    pub(super) fn attributes(&self, now: Wall) -> Result<Attributes, TooLong> {
        let mut attributes = Attributes::default();
        for by in &self.by {
            if let Some(name) = spelling(self.session, *by) {
                attributes.push(kind(*by), name.as_bytes())?;
            }
        }
        let device = &self.session.device;
        match device.address {
            Some(IpAddr::V4(address)) => attributes.push(Type::NAS_IP_ADDRESS, &address.octets())?,
            Some(IpAddr::V6(address)) => attributes.push(Type::NAS_IPV6_ADDRESS, &address.octets())?,
            None => {}
        }
        if let Some(identifier) = &device.identifier {
            attributes.push(Type::NAS_IDENTIFIER, identifier.as_bytes())?;
        }
        attributes.push_integer(Type::EVENT_TIMESTAMP, u32::try_from(now.0).unwrap_or_default());
        Ok(attributes)
    }
}

/// Error-Cause in the words of RFC 5176 section 3.5.
pub(super) fn error_cause(number: u32) -> Option<&'static str> {
    Some(match number {
        201 => "Residual Session Context Removed",
        202 => "Invalid EAP Packet (Ignored)",
        401 => "Unsupported Attribute",
        402 => "Missing Attribute",
        403 => "NAS Identification Mismatch",
        404 => "Invalid Request",
        405 => "Unsupported Service",
        406 => "Unsupported Extension",
        407 => "Invalid Attribute Value",
        501 => "Administratively Prohibited",
        502 => "Request Not Routable (Proxy)",
        503 => "Session Context Not Found",
        504 => "Session Context Not Removable",
        505 => "Other Proxy Processing Error",
        506 => "Resources Unavailable",
        507 => "Request Initiated",
        508 => "Multiple Session Selection Unsupported",
        _ => return None,
    })
}

fn kind(by: Identify) -> Type {
    match by {
        Identify::AcctSessionId => Type::ACCT_SESSION_ID,
        Identify::CallingStationId => Type::CALLING_STATION_ID,
        Identify::UserName => Type::USER_NAME,
    }
}

/// As sessions are compared.
fn name(session: &Session, by: Identify) -> Option<&str> {
    match by {
        Identify::AcctSessionId => session.acct_session.as_deref(),
        Identify::CallingStationId => session.station.as_deref(),
        Identify::UserName => session.user_name.as_deref(),
    }
}

/// As the NAS says it itself: it may compare letter by letter.
fn spelling(session: &Session, by: Identify) -> Option<String> {
    if by == Identify::CallingStationId {
        let own = session.calling.as_deref().map(str::to_owned);
        return own.or_else(|| Some(standard(session.station.as_deref()?)));
    }
    name(session, by).map(str::to_owned)
}

/// A station's address as RFC 3580 section 3.21 writes it, for one whose NAS we have not heard since the start.
fn standard(station: &str) -> String {
    match station::address(station.as_bytes()) {
        Some((_, [])) => station.replace(':', "-").to_ascii_uppercase(),
        _ => station.to_owned(),
    }
}
