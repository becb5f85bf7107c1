//! Who may ask: NAS by address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::Asker;
use crate::event::Method;
use crate::quick::Map;
use crate::radius::Key;
use crate::secret::Secret;

/// A secret of this many octets or fewer deserves a warning (draft-ietf-radext-deprecating-radius section 5).
pub const SHORT_SECRET: usize = 12;

/// A network: address and prefix length in bits. IPv4-mapped IPv6 addresses count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// Its address, bits after the prefix zero.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub bits: u8,
}

impl Prefix {
    /// The network that an address lies in: bits after the prefix are cleared, an IPv4-mapped one becomes IPv4. `None`: more bits than the address has.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        match address {
            IpAddr::V4(v4) => Self::v4(v4, bits),
            IpAddr::V6(v6) => match (v6.to_ipv4_mapped(), bits.checked_sub(96)) {
                (Some(v4), Some(bits)) => Self::v4(v4, bits),
                _ => Self::v6(v6, bits),
            },
        }
    }

    fn v4(address: Ipv4Addr, bits: u8) -> Option<Self> {
        let address = Ipv4Addr::from_bits(address.to_bits() & mask_v4(bits)?);
        Some(Self { address: IpAddr::V4(address), bits })
    }

    fn v6(address: Ipv6Addr, bits: u8) -> Option<Self> {
        let address = Ipv6Addr::from_bits(address.to_bits() & mask_v6(bits)?);
        Some(Self { address: IpAddr::V6(address), bits })
    }

    /// Whether another network, or address, lies in this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.bits >= self.bits
            && Self::new(other.address, self.bits).is_some_and(|narrowed| narrowed == *self)
            && self.address.is_ipv4() == other.address.is_ipv4()
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn mask_v4(bits: u8) -> Option<u32> {
    let rest = 32_u32.checked_sub(u32::from(bits))?;
    Some(u32::MAX.checked_shl(rest).unwrap_or(0))
}

fn mask_v6(bits: u8) -> Option<u128> {
    let rest = 128_u32.checked_sub(u32::from(bits))?;
    Some(u128::MAX.checked_shl(rest).unwrap_or(0))
}

/// One `[[nas]]`.
#[derive(Clone, Debug)]
pub struct NasSettings {
    /// `name`
    pub name: Arc<str>,
    /// `address`
    pub address: Vec<Prefix>,
    /// `secret`
    pub secret: Secret,
    /// `services`; `None`: any.
    pub services: Option<Vec<Arc<str>>>,
    /// `methods`
    pub methods: Vec<Method>,
    /// `require-message-authenticator`
    pub require_message_authenticator: bool,
    /// `limit-proxy-state`
    pub limit_proxy_state: bool,
    /// `max-conversations`; 0: no cap of its own.
    pub max_conversations: usize,
    /// `class`
    pub class: bool,
    /// `federation`
    pub federation: bool,
    /// `disconnect`; `None`: it can't be told.
    pub disconnect: Option<DisconnectSettings>,
}

impl NasSettings {
    /// A NAS of which no more is said: it logs in by EAP-TLS, for any service.
    #[must_use]
    pub fn new(name: &str, address: Vec<Prefix>, secret: Secret) -> Self {
        Self {
            name: name.into(),
            address,
            secret,
            services: None,
            methods: vec![Method::EapTls],
            require_message_authenticator: true,
            limit_proxy_state: true,
            max_conversations: 0,
            class: true,
            federation: false,
            disconnect: None,
        }
    }
}

/// How a session is named to its NAS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identify {
    /// By Acct-Session-Id.
    AcctSessionId,
    /// By Calling-Station-Id.
    CallingStationId,
    /// By User-Name.
    UserName,
}

/// `disconnect` of a NAS: it can be told to end sessions (RFC 5176).
#[derive(Clone, Debug)]
pub struct DisconnectSettings {
    /// `port`
    pub port: u16,
    /// `secret`; `None`: the NAS's own.
    pub secret: Option<Secret>,
    /// `address`; `None`: that which asked.
    pub address: Option<IpAddr>,
    /// `identify-by`
    pub identify_by: Vec<Identify>,
}

/// How a NAS is told to end a session.
#[derive(Clone, Debug)]
pub struct Disconnect {
    /// With its secret.
    pub asker: Arc<Asker>,
    /// By what it knows its sessions.
    pub identify_by: Vec<Identify>,
    port: u16,
    address: Option<IpAddr>,
}

impl Disconnect {
    fn new(settings: &DisconnectSettings, own: &Secret) -> Self {
        let secret = settings.secret.as_ref().unwrap_or(own);
        Self {
            asker: Arc::new(Asker::new(secret.clone())),
            identify_by: settings.identify_by.clone(),
            port: settings.port,
            address: settings.address,
        }
    }

    /// Where a NAS is told whose request for the session came from `peer`. What its packets say of addresses counts for nothing.
    #[must_use]
    pub fn destination(&self, peer: IpAddr) -> SocketAddr {
        SocketAddr::new(self.address.unwrap_or(peer).to_canonical(), self.port)
    }
}

/// A NAS as the rest of the core sees it: no secret.
#[derive(Debug)]
pub struct Nas {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// `name`
    pub name: Arc<str>,
    /// `services`; `None`: any.
    pub services: Option<Vec<Arc<str>>>,
    /// `methods`
    pub methods: Vec<Method>,
    /// `max-conversations`; 0: no cap of its own.
    pub max_conversations: usize,
    /// `class`
    pub class: bool,
    /// `federation`
    pub federation: bool,
    /// `disconnect`; `None`: it can't be told.
    pub disconnect: Option<Disconnect>,
}

impl Nas {
    /// Whether it is answered without Message-Authenticator where its settings require none: one that asks for one-time passwords and nothing else. The code that it covers with the secret is of no other use;
    /// a password that says "the certificate was good", a name beside it, or a handshake would be.
    pub(crate) fn may_go_unsigned(&self) -> bool {
        self.methods == [Method::Otp]
    }

    /// Whether it is told by User-Name which session is to end: strongSwan takes that alone, whatever else it is told.
    pub(crate) fn told_by_name(&self) -> bool {
        self.disconnect.as_ref().is_some_and(|it| it.identify_by.contains(&Identify::UserName))
    }
}

/// A NAS with what only the hop may know.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) nas: Arc<Nas>,
    pub(super) key: Key,
    pub(super) require_message_authenticator: bool,
    pub(super) limit_proxy_state: bool,
}

impl Peer {
    fn new(index: usize, settings: &NasSettings) -> Self {
        let nas = Nas {
            index,
            name: settings.name.clone(),
            services: settings.services.clone(),
            methods: settings.methods.clone(),
            max_conversations: settings.max_conversations,
            class: settings.class,
            federation: settings.federation,
            disconnect: settings.disconnect.as_ref().map(|one| Disconnect::new(one, &settings.secret)),
        };
        Self {
            nas: Arc::new(nas),
            key: Key::new(settings.secret.clone()),
            require_message_authenticator: settings.require_message_authenticator,
            limit_proxy_state: settings.limit_proxy_state,
        }
    }
}

/// All NAS with their secrets, immutable; looked up by the longest prefix.
#[derive(Debug)]
pub struct Peers {
    /// Networks by prefix length, the longest first; IPv4 and IPv6 apart, since an IPv4 address is in no IPv6 network.
    v4: Vec<(u8, Map<IpAddr, Arc<Peer>>)>,
    v6: Vec<(u8, Map<IpAddr, Arc<Peer>>)>,
}

impl Peers {
    /// Prepares the keyed HMAC of each. The same prefix in two tables is an error: (index of the second, sentence). So is an empty secret, and a prefix with more bits than its address.
    pub fn new(settings: &[NasSettings]) -> Result<Self, Vec<(usize, String)>> {
        let mut peers = Self { v4: Vec::new(), v6: Vec::new() };
        let mut errors = Vec::new();
        for (index, nas) in settings.iter().enumerate() {
            if nas.secret.is_empty() {
                errors.push((
                    index,
                    format!("the secret of {} is empty: anybody could answer and ask in its name", nas.name),
                ));
            }
            if nas.disconnect.as_ref().and_then(|one| one.secret.as_ref()).is_some_and(Secret::is_empty) {
                errors.push((
                    index,
                    format!("the secret of {}'s `disconnect` is empty: anybody could answer in its name", nas.name),
                ));
            }
            let peer = Arc::new(Peer::new(index, nas));
            for prefix in &nas.address {
                if let Err(sentence) = peers.insert(*prefix, &peer) {
                    errors.push((index, sentence));
                }
            }
        }
        for networks in [&mut peers.v4, &mut peers.v6] {
            networks.sort_by_key(|(bits, _)| std::cmp::Reverse(*bits));
        }
        if errors.is_empty() { Ok(peers) } else { Err(errors) }
    }

    fn insert(&mut self, prefix: Prefix, peer: &Arc<Peer>) -> Result<(), String> {
        let Some(network) = Prefix::new(prefix.address, prefix.bits) else {
            return Err(format!("{prefix} has more bits than its address"));
        };
        let networks = if network.address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        let position = networks.iter().position(|(bits, _)| *bits == network.bits);
        let position = position.unwrap_or_else(|| {
            networks.push((network.bits, Map::default()));
            networks.len() - 1
        });
        let Some((_, table)) = networks.get_mut(position) else { return Ok(()) };
        match table.insert(network.address, peer.clone()) {
            Some(other) if other.nas.index != peer.nas.index => Err(format!(
                "{network} is the address of {} and of {}: which secret would hold is left to chance",
                other.nas.name, peer.nas.name
            )),
            _ => Ok(()),
        }
    }

    /// Who that address is.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Nas>> {
        self.peer(address).map(|peer| &peer.nas)
    }

    pub(super) fn peer(&self, address: IpAddr) -> Option<&Arc<Peer>> {
        let address = address.to_canonical();
        let networks = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        networks.iter().find_map(|(bits, table)| table.get(&Prefix::new(address, *bits)?.address))
    }
}
