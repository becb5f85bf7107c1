//! The sockets that our own requests leave by: one for each kind of address, opened when the first is sent.
#![expect(clippy::disallowed_types, reason = "sockets are net's")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::poller::Poller;
use crate::engine::Datagram;

/// Longest packet (RFC 2865 section 3), and one octet by which a longer one shows.
const BUFFER: usize = 4_097;
/// Datagrams that are read from one before others have their turn.
const A_ROUND: usize = 64;

/// What the poller calls all of them.
pub(super) const OUTLETS: u64 = u64::MAX - 1;

/// Sockets with ports of their own, so that nobody's requests come in through them.
#[derive(Debug)]
pub(super) struct Outlets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    buffer: Vec<u8>,
    /// Something may lie there.
    readable: bool,
}

impl Outlets {
    /// None is open.
    pub(super) fn new() -> Self {
        Self { v4: None, v6: None, buffer: vec![0; BUFFER], readable: false }
    }

    /// Sends; what comes back is told of by `poller`. Never waits: what the system doesn't take now is lost, and sent again as any that is.
    pub(super) fn send(&mut self, datagram: &Datagram, poller: &Poller) -> io::Result<()> {
        let outlet = if datagram.to.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        let socket = match outlet {
            Some(socket) => socket,
            None => outlet.insert(open(datagram.to, poller)?),
        };
        let send = || socket.send_to(&datagram.octets, datagram.to).map(|_| ());
        // An error that an earlier datagram has met is told now (a NAS that is down refuses by ICMP): once more, for this one.
        send().or_else(|_| send())
    }

    /// Something has come.
    pub(super) fn rung(&mut self) {
        self.readable = true;
    }

    /// Whether something may be received now.
    pub(super) fn is_readable(&self) -> bool {
        self.readable
    }

    /// Hands over what has come back, up to a bound.
    pub(super) fn receive(&mut self, mut take: impl FnMut(SocketAddr, &[u8])) {
        if !std::mem::take(&mut self.readable) {
            return;
        }
        for socket in self.v4.iter().chain(&self.v6) {
            for round in 0..=A_ROUND {
                if round == A_ROUND {
                    self.readable = true;
                    break;
                }
                match socket.recv_from(&mut self.buffer) {
                    Ok((length, from)) => take(from, self.buffer.get(..length).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // Of one that was sent before: nobody listens there.
                    Err(_) => {}
                }
            }
        }
    }
}

fn open(to: SocketAddr, poller: &Poller) -> io::Result<UdpSocket> {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    if to.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SocketAddr::new(any, 0).into())?;
    socket.set_nonblocking(true)?;
    poller.watch(&socket, OUTLETS)?;
    Ok(socket.into())
}
