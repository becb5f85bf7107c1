//! An Accounting-Request, read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{Device, Marks};
use crate::now::Wall;
use crate::radius::{Malformed, Packet, Type, station};

/// Where a NAS doesn't say when something happened, it is reckoned from when the packet came and its Acct-Delay-Time, both in whole seconds and after a way of unknown length:
/// of one Acct-Session-Id, what happened within this of the same is the same.
pub const SLACK: Duration = Duration::from_secs(10);

/// Acct-Status-Type (RFC 2866 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// A session begins.
    Start,
    /// It has ended.
    Stop,
    /// It goes on.
    Interim,
    /// The NAS has started, or starts accounting: what it had before has ended.
    On,
    /// The NAS is about to stop.
    Off,
    /// Of tunnels (RFC 2867) and what else there is: written down, and no more.
    Other(u32),
}

impl Status {
    fn new(number: u32) -> Self {
        match number {
            1 => Self::Start,
            2 => Self::Stop,
            3 => Self::Interim,
            7 => Self::On,
            8 => Self::Off,
            other => Self::Other(other),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Start => 1,
            Self::Stop => 2,
            Self::Interim => 3,
            Self::On => 7,
            Self::Off => 8,
            Self::Other(number) => number,
        }
    }
}

/// What one Accounting-Request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub device: Device,
    /// What happened.
    pub status: Status,
    /// To which session.
    pub marks: Marks,
    /// The fingerprint of the certificate that a Class of ours was made for.
    pub certificate: Option<[u8; 32]>,
    /// User-Name
    pub user_name: Option<Box<str>>,
    /// NAS-Port
    pub nas_port: Option<u32>,
    /// Framed-IP-Address
    pub framed_ip: Option<Ipv4Addr>,
    /// Framed-IPv6-Address (RFC 6911).
    pub framed_ipv6: Option<Ipv6Addr>,
    /// Acct-Input-Octets with its Gigawords (RFC 2869 section 5.1).
    pub octets_in: Option<u64>,
    /// Acct-Output-Octets with its Gigawords.
    pub octets_out: Option<u64>,
    /// Acct-Session-Time in seconds.
    pub session_time: Option<u32>,
    /// Acct-Terminate-Cause
    pub terminate_cause: Option<u32>,
    /// When it happened, by our clock: the packet came so much later as its Acct-Delay-Time says.
    pub happened: Wall,
    /// Event-Timestamp: when it happened, by the NAS's clock.
    pub stamp: Option<Wall>,
}

/// What two records have in common that are one: a NAS that asks again, with another Acct-Delay-Time, asks by another packet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose.
    pub device: Device,
    /// Acct-Session-Id; empty where there is none.
    pub acct_session: Box<str>,
    /// Acct-Status-Type's number.
    pub status: u32,
    /// When: Event-Timestamp, else [`Record::happened`].
    pub at: Wall,
    /// How far `at` may be from that of the same record.
    pub slack: Duration,
    /// Octets in, octets out and session time: two Interim-Updates with other counters are two.
    pub counters: [u64; 3],
}

impl Record {
    /// Reads a request of a NAS that came now from an address. `open`: the fingerprint in a Class of ours, for a Calling-Station-Id as it came.
    /// The error: it doesn't say what happened, or not to which session (RFC 2866 section 4.1).
    pub fn read(
        packet: &Packet<'_>,
        nas: &Arc<str>,
        peer: IpAddr,
        now: Wall,
        open: impl Fn(&[u8], &[u8]) -> Option<[u8; 32]>,
    ) -> Result<Self, Malformed> {
        let status = Status::new(packet.integer(Type::ACCT_STATUS_TYPE).ok_or(Malformed::Attribute)?);
        let marks = Marks::read(packet);
        if marks.acct_session.is_none() && !matches!(status, Status::On | Status::Off) {
            return Err(Malformed::Attribute);
        }
        let calling = packet.first(Type::CALLING_STATION_ID).unwrap_or_default();
        let delay = packet.integer(Type::ACCT_DELAY_TIME).unwrap_or(0);
        Ok(Self {
            device: marks.device(nas, peer),
            status,
            certificate: packet.all(Type::CLASS).find_map(|class| open(class, calling)),
            user_name: packet.first(Type::USER_NAME).map(|name| station::text(name).into()),
            nas_port: packet.integer(Type::NAS_PORT),
            framed_ip: packet.integer(Type::FRAMED_IP_ADDRESS).map(Ipv4Addr::from_bits),
            framed_ipv6: framed_ipv6(packet),
            octets_in: counter(packet, Type::ACCT_INPUT_OCTETS, Type::ACCT_INPUT_GIGAWORDS),
            octets_out: counter(packet, Type::ACCT_OUTPUT_OCTETS, Type::ACCT_OUTPUT_GIGAWORDS),
            session_time: packet.integer(Type::ACCT_SESSION_TIME),
            terminate_cause: packet.integer(Type::ACCT_TERMINATE_CAUSE),
            happened: Wall(now.0.saturating_sub(i64::from(delay))),
            stamp: packet.integer(Type::EVENT_TIMESTAMP).map(|seconds| Wall(i64::from(seconds))),
            marks,
        })
    }

    /// What it is known by again.
    #[must_use]
    pub fn key(&self) -> Key {
        let counters = [self.octets_in, self.octets_out, self.session_time.map(u64::from)];
        let is_interim = self.status == Status::Interim;
        Key {
            device: self.device.clone(),
            acct_session: self.marks.acct_session.clone().unwrap_or_default(),
            status: self.status.number(),
            at: self.stamp.unwrap_or(self.happened),
            slack: if self.stamp.is_some() { Duration::ZERO } else { SLACK },
            counters: if is_interim { counters.map(Option::unwrap_or_default) } else { [0; 3] },
        }
    }
}

/// Gigawords say how often the counter has gone round 2^32.
fn counter(packet: &Packet<'_>, octets: Type, gigawords: Type) -> Option<u64> {
    let low = u64::from(packet.integer(octets)?);
    Some(u64::from(packet.integer(gigawords).unwrap_or(0)) << 32 | low)
}

/// The address; of a prefix of 128 bits (RFC 3162 section 2.3) too.
fn framed_ipv6(packet: &Packet<'_>) -> Option<Ipv6Addr> {
    let whole = |octets: &[u8]| <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from);
    packet.first(Type::FRAMED_IPV6_ADDRESS).and_then(whole).or_else(|| {
        match packet.first(Type::FRAMED_IPV6_PREFIX)? {
            [_, 128, octets @ ..] => whole(octets),
            _ => None,
        }
    })
}
