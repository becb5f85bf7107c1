//! One live session.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::{Device, Marks};
use crate::event::{Evidence, Method, Reason};
use crate::now::{Mono, Wall};
use crate::pki::Imprint;

/// Names a session of ours; never used twice, over restarts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Who was let in, and as what: from the Accept.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// What tells the session from others.
    pub marks: Marks,
    /// The certificate; `None`: somebody was let in without one.
    pub imprint: Option<Imprint>,
    /// How.
    pub method: Method,
    /// The user by the certificate.
    pub user: Arc<str>,
    /// User-Name of the Accept: the NAS knows the session by it (RFC 2865 section 5.1).
    pub user_name: Box<str>,
    /// The service.
    pub service: Option<Arc<str>>,
    /// Session-Timeout
    pub timeout: Duration,
    /// Acct-Interim-Interval, where the Accept says one.
    pub interim: Option<Duration>,
}

/// The certificate of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It is known.
    Known(Imprint),
    /// A Class of ours names it, and nobody remembers it.
    Fingerprint([u8; 32]),
}

impl Tie {
    /// SHA-256 of the certificate's DER.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        match self {
            Self::Known(imprint) => imprint.fingerprint(),
            Self::Fingerprint(fingerprint) => fingerprint,
        }
    }
}

/// How far a session has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Let in; its NAS hasn't said that it has begun, and may never.
    Provisional,
    /// Its NAS accounts for it.
    Started,
}

/// What a session deserves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing stands against it.
    #[default]
    Good,
    /// Its certificate or its user has been condemned since it was let in: it has to go.
    Condemned(Box<Condemned>),
}

/// Why a session has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condemned {
    /// As a login would be refused now.
    pub reason: Reason,
    /// On what it rests.
    pub evidence: Vec<Evidence>,
    /// Since when we know.
    pub since: Wall,
    /// An operator's own block stands against it, whatever else does.
    pub own: bool,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Ours.
    pub id: SessionId,
    /// Where it is.
    pub device: Arc<Device>,
    /// How far it has got.
    pub stage: Stage,
    /// Whether it has to go.
    pub state: State,
    /// The service; `None`: we haven't let it in, or have forgotten that we have.
    pub service: Option<Arc<str>>,
    /// The user by the certificate.
    pub user: Option<Arc<str>>,
    /// The certificate.
    pub tie: Option<Tie>,
    /// How it was let in.
    pub method: Method,
    /// User-Name, as the NAS says it.
    pub user_name: Option<Box<str>>,
    /// Acct-Session-Id
    pub acct_session: Option<Box<str>>,
    /// Acct-Multi-Session-Id
    pub multi_session: Option<Box<str>>,
    /// Calling-Station-Id in its normal form.
    pub station: Option<Box<str>>,
    /// Calling-Station-Id as its NAS writes it; no database keeps it.
    pub calling: Option<Box<str>>,
    /// Called-Station-Id in its normal form.
    pub called: Option<Box<str>>,
    /// NAS-Port
    pub nas_port: Option<u32>,
    /// Framed-IP-Address
    pub framed_ip: Option<Ipv4Addr>,
    /// Framed-IPv6-Address
    pub framed_ipv6: Option<Ipv6Addr>,
    /// From the Accept, or from Start if that is all we know.
    pub started: Wall,
    /// When we heard of it last.
    pub updated: Wall,
    /// What the station has sent.
    pub octets_in: u64,
    /// What it was sent.
    pub octets_out: u64,
    /// Session-Timeout, where known.
    pub timeout: Option<Duration>,
    /// How often its NAS tells of it: told by the Accept, or the longest pause seen.
    pub interval: Option<Duration>,
    /// How many Interim-Updates have come.
    pub interims: u32,
    /// When we heard of it last.
    pub(super) heard: Mono,
    /// When it is thought to have ended if nothing is heard of it.
    pub(super) until: Mono,
}

/// Beyond Session-Timeout: the NAS may be busy, and its clock slow.
const OVERTIME: Duration = Duration::from_secs(5 * 60);
/// Without any time-out that we know.
const UNKNOWN_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// Interim-Updates that may be lost in a row, and one.
const INTERIMS: u32 = 3;
/// Nothing is thought to have ended before: a NAS may tell of an address it has learned at once, and then be silent for half an hour.
const LEAST: Duration = Duration::from_secs(30 * 60);

impl Session {
    /// One of which nothing more is known: begun then, and accounted for.
    #[must_use]
    pub fn new(id: SessionId, device: Arc<Device>, started: Wall) -> Self {
        Self {
            id,
            device,
            stage: Stage::Started,
            state: State::Good,
            service: None,
            user: None,
            tie: None,
            method: Method::EapTls,
            user_name: None,
            acct_session: None,
            multi_session: None,
            station: None,
            calling: None,
            called: None,
            nas_port: None,
            framed_ip: None,
            framed_ipv6: None,
            started,
            updated: started,
            octets_in: 0,
            octets_out: 0,
            timeout: None,
            interval: None,
            interims: 0,
            heard: Mono::default(),
            until: Mono::default(),
        }
    }

    /// How long it may be silent.
    pub(super) fn patience(&self) -> Duration {
        let ends = self.timeout.unwrap_or(UNKNOWN_TIMEOUT).saturating_add(OVERTIME);
        match (self.stage, self.interval) {
            (Stage::Started, Some(interval)) if self.interims > 1 => interval.saturating_mul(INTERIMS).max(LEAST),
            _ => ends,
        }
    }

    /// SHA-256 of its certificate's DER.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&[u8; 32]> {
        self.tie.as_ref().map(Tie::fingerprint)
    }

    /// The address that its NAS asked from.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.device.peer
    }
}

/// A session as a database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The session.
    pub session: Session,
    /// When it is thought to have ended if nothing is heard of it.
    pub until: Wall,
}
