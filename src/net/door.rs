//! The sockets that requests come through.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use socket2::{Domain, Protocol, Socket, Type};

use super::Settings;
use super::poller::Poller;
use crate::event::Listener;
use crate::exchange::{Hop, Outgoing};
use crate::now::Mono;

/// What is asked of the kernel to hold while the hall is busy; it grants less where `net.core.rmem_max` is lower.
const RECEIVE_BUFFER: usize = 8 << 20;
/// With GRO one buffer holds several datagrams, 64 KiB at most.
const BUFFER: usize = 1 << 16;
/// Batches that are read from one door before the others' turn.
const BATCHES: usize = 8;
/// Buffers of the first batch: with one datagram, as most often, the others would be made ready for nothing.
const FIRST: usize = 4;
/// How long a door whose socket fails rests: this, then twice as long each time.
const REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Why a door could not be opened.
#[derive(Debug)]
pub struct BindError {
    /// The door.
    pub listener: Listener,
    /// Its address.
    pub address: SocketAddr,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {} ({}): {}", self.address, self.listener, self.error)?;
        match self.error.kind() {
            io::ErrorKind::AddrInUse => {
                write!(f, "; `ss -ulpn 'sport = :{}'` says which program has it", self.address.port())
            }
            io::ErrorKind::AddrNotAvailable => f.write_str("; no interface of this machine has that address"),
            io::ErrorKind::PermissionDenied => f.write_str("; ports below 1024 want CAP_NET_BIND_SERVICE"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for BindError {}

/// Every door, bound and not yet listened to.
#[derive(Debug)]
pub struct Doors(pub(super) Vec<Bound>);

#[derive(Debug)]
pub(super) struct Bound {
    listener: Listener,
    pub(super) socket: Socket,
    state: UdpSocketState,
    address: SocketAddr,
}

impl Doors {
    /// Binds every address of the settings, or none.
    pub fn bind(settings: &Settings) -> Result<Self, BindError> {
        let auth = settings.auth.iter().map(|address| (Listener::Auth, *address));
        let accounting = settings.accounting.iter().map(|address| (Listener::Accounting, *address));
        let bind =
            |(listener, address)| bind(listener, address).map_err(|error| BindError { listener, address, error });
        auth.chain(accounting).map(bind).collect::<Result<_, _>>().map(Self)
    }

    /// The addresses that were bound, with the ports that the system chose where the settings have port 0.
    pub fn addresses(&self) -> impl Iterator<Item = (Listener, SocketAddr)> {
        self.0.iter().map(|bound| (bound.listener, bound.address))
    }

    /// Listens: `poller` tells of each by its place.
    pub(super) fn open(self, poller: &Poller) -> io::Result<Vec<Door>> {
        self.0.into_iter().zip(0..).map(|(bound, index)| Door::open(bound, index, poller)).collect()
    }
}

fn bind(listener: Listener, address: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Less than asked for is no reason not to start.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    let state = UdpSocketState::new((&socket).into())?;
    allow_fragments(&socket, address)?;
    // `quinn-udp` has the kernel tell when each datagram came, which nobody here asks; without it is as good.
    let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &false);
    let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok(Bound { listener, socket, state, address })
}

/// `quinn-udp` forbids fragments, as QUIC wants it. A RADIUS packet may have 4,096 octets, whatever the MTU is.
fn allow_fragments(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv4() {
        return Ok(set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::WANT)?);
    }
    set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::WANT)?;
    Ok(setsockopt(socket, sockopt::Ipv6DontFrag, &false)?)
}

/// One socket that is listened to.
#[derive(Debug)]
pub(super) struct Door {
    listener: Listener,
    index: u16,
    socket: Socket,
    state: UdpSocketState,
    /// Something may lie there.
    readable: bool,
    /// After an error nothing is received until then.
    rests_until: Option<Mono>,
    rest: Duration,
}

impl Door {
    fn open(Bound { listener, socket, state, .. }: Bound, index: u16, poller: &Poller) -> io::Result<Self> {
        poller.watch(&socket, index.into())?;
        Ok(Self { listener, index, socket, state, readable: true, rests_until: None, rest: REST })
    }

    /// Something has come.
    pub(super) fn rung(&mut self) {
        self.readable = true;
    }

    /// Whether something may be received now.
    pub(super) fn is_readable(&self, now: Mono) -> bool {
        self.readable && self.rests_until.is_none_or(|until| until <= now)
    }

    /// Hands over what has arrived, up to a bound.
    pub(super) fn receive(
        &mut self,
        now: Mono,
        buffers: &mut Buffers,
        mut take: impl FnMut(Hop, &[u8]),
    ) -> io::Result<()> {
        if !self.is_readable(now) {
            return Ok(());
        }
        let mut room = FIRST;
        for _ in 0..BATCHES {
            match buffers.fill(&self.socket, &self.state, room) {
                Ok(filled) => {
                    buffers.datagrams(filled, |meta, octets| take(self.hop(meta), octets));
                    // A batch that isn't full was all there was: whatever comes after it is told of anew, and the system needn't be asked once more.
                    self.readable = filled == room;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.rests_until = Some(now + self.rest);
                    self.rest = self.rest.saturating_mul(2).min(LONGEST_REST);
                    return Err(error);
                }
            }
            if !self.readable {
                break;
            }
            room = BATCH_SIZE;
        }
        self.rested();
        Ok(())
    }

    fn rested(&mut self) {
        self.rests_until = None;
        self.rest = REST;
    }

    fn hop(&self, meta: &RecvMeta) -> Hop {
        // Nothing can be answered from a group's address.
        let own = |ip: &IpAddr| !ip.is_multicast() && *ip != IpAddr::V4(Ipv4Addr::BROADCAST);
        Hop { listener: self.listener, socket: self.index, local: meta.dst_ip.filter(own), peer: meta.addr }
    }

    /// Sends from the address that was asked. Never waits: what the system doesn't take now is lost, as a datagram may be.
    pub(super) fn send(&self, outgoing: &Outgoing) -> io::Result<()> {
        let transmit = Transmit {
            destination: outgoing.hop.peer,
            ecn: None,
            contents: &outgoing.octets,
            segment_size: None,
            src_ip: outgoing.hop.local,
        };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// When the door has rested.
    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        self.rests_until
    }
}

/// Where datagrams are received into.
pub(super) struct Buffers {
    octets: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { octets: vec![0; BUFFER * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }

    /// Receives one batch of at most `room` buffers; how many have been filled.
    fn fill(&mut self, socket: &Socket, state: &UdpSocketState, room: usize) -> io::Result<usize> {
        let mut chunks = self.octets.chunks_exact_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let slices = slices.get_mut(..room).unwrap_or_default();
        state.recv(socket.into(), slices, &mut self.metas)
    }

    /// Every datagram of the first `filled` buffers.
    fn datagrams(&self, filled: usize, mut each: impl FnMut(&RecvMeta, &[u8])) {
        for (meta, buffer) in self.metas.iter().zip(self.octets.chunks_exact(BUFFER)).take(filled) {
            let octets = buffer.get(..meta.len).unwrap_or(buffer);
            if octets.is_empty() {
                each(meta, octets);
            }
            for datagram in octets.chunks(meta.stride.max(1)) {
                each(meta, datagram);
            }
        }
    }
}
