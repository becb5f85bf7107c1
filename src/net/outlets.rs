//! The sockets that our own requests leave by: one for each kind of address, opened when the first is sent.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::engine::Datagram;

/// Longest packet (RFC 2865 section 3), and one octet by which a longer one shows.
const BUFFER: usize = 4_097;
/// Datagrams that are read from one before others have their turn.
const A_ROUND: usize = 64;

/// Sockets with ports of their own, so that nobody's requests come in through them.
#[derive(Debug)]
pub(super) struct Outlets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    buffer: Vec<u8>,
}

impl Outlets {
    /// None is open.
    pub(super) fn new() -> Self {
        Self { v4: None, v6: None, buffer: vec![0; BUFFER] }
    }

    /// Sends; to be called inside of the hall's runtime. Never waits: what the system doesn't take now is lost, and sent again as any that is.
    pub(super) fn send(&mut self, datagram: &Datagram) -> io::Result<()> {
        let outlet = if datagram.to.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        let socket = match outlet {
            Some(socket) => socket,
            None => outlet.insert(open(datagram.to)?),
        };
        // Past the runtime, which doesn't know yet that a new socket may be written to.
        let socket = SockRef::from(&*socket);
        let send = || socket.send_to(&datagram.octets, &datagram.to.into()).map(|_| ());
        // An error that an earlier datagram has met is told now (a NAS that is down refuses by ICMP): once more, for this one.
        send().or_else(|_| send())
    }

    /// Hands over what has come back, up to a bound; whether there may be more.
    pub(super) fn receive(&mut self, mut take: impl FnMut(SocketAddr, &[u8])) -> bool {
        let mut more = false;
        for socket in self.v4.iter().chain(&self.v6) {
            for round in 0..=A_ROUND {
                if round == A_ROUND {
                    more = true;
                    break;
                }
                match socket.try_recv_from(&mut self.buffer) {
                    Ok((length, from)) => take(from, self.buffer.get(..length).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // Of one that was sent before: nobody listens there.
                    Err(_) => {}
                }
            }
        }
        more
    }

    /// Whether something may be read; the task is woken when that changes.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Each is polled, so that each wakes the task.
        let sockets = self.v4.iter().chain(&self.v6);
        match sockets.filter(|socket| socket.poll_recv_ready(cx).is_ready()).count() {
            0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }
}

fn open(to: SocketAddr) -> io::Result<UdpSocket> {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    if to.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SocketAddr::new(any, 0).into())?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}
