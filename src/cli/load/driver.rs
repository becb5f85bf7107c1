//! One thread of the load: its part of the crowd, and the sockets of its access points.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use tokio::sync::Notify;

use super::tally::Tally;
use crate::cli::nas;
use crate::net::Clock;
use crate::now::Now;
use crate::supplicant::crowd::{Crowd, Output};

/// Octets of one buffer: with GRO several datagrams come at once, 64 KiB at most.
const BUFFER: usize = 1 << 16;
/// Sockets that are told of in one look.
const EVENTS: usize = 64;
/// Longest sleep, so that somebody who wants to end it is heard.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// What is asked of the kernel to hold for one access point.
const RECEIVE_BUFFER: usize = 1 << 20;

/// What the threads and the one that watches them share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    command: AtomicU8,
    /// Logins to which the server has given its last answer.
    pub(super) answered: AtomicU64,
    /// Logins that have not ended well.
    pub(super) failed: AtomicU64,
    pub(super) underway: AtomicU64,
    /// Datagrams that this machine didn't take.
    pub(super) unsent: AtomicU64,
    /// Threads that have ended.
    pub(super) over: AtomicU64,
    /// Told when one has.
    pub(super) ended: Notify,
}

const STOP: u8 = 1;
const ABANDON: u8 = 2;

impl Shared {
    /// No login begins any more.
    pub(super) fn stop(&self) {
        self.command.fetch_max(STOP, Relaxed);
    }

    /// Nobody waits for those under way.
    pub(super) fn abandon(&self) {
        self.command.fetch_max(ABANDON, Relaxed);
    }
}

/// A thread's part.
pub(super) struct Driver<'a> {
    crowd: Crowd,
    sockets: Vec<Socket>,
    epoll: OwnedFd,
    octets: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    clock: Clock,
    shared: &'a Shared,
    tally: Tally,
    underway: u64,
}

struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// Opens the ports of so many access points.
pub(super) struct Ports {
    sockets: Vec<Socket>,
    epoll: OwnedFd,
}

impl Ports {
    pub(super) fn open(server: SocketAddr, access_points: u16) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut sockets = Vec::new();
        for index in 0..access_points {
            let socket = Socket::open(server)?;
            let data = epoll::EventData::new_u64(index.into());
            epoll::add(&epoll, &socket.socket, data, epoll::EventFlags::IN)?;
            sockets.push(socket);
        }
        Ok(Self { sockets, epoll })
    }
}

impl Socket {
    fn open(server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((nas::any(server), 0))?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        // Less than asked for is no reason not to begin.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state })
    }

    /// A connected socket tells of an earlier datagram's refusal when the next is sent.
    fn send(&self, octets: &[u8]) -> bool {
        self.socket.send(octets).is_ok() || self.socket.send(octets).is_ok()
    }
}

impl<'a> Driver<'a> {
    pub(super) fn new(crowd: Crowd, ports: Ports, clock: Clock, shared: &'a Shared, tally: Tally) -> Self {
        let Ports { sockets, epoll } = ports;
        let (octets, metas) = (vec![0; BUFFER * BATCH_SIZE], [RecvMeta::default(); BATCH_SIZE]);
        Self { crowd, sockets, epoll, octets, metas, clock, shared, tally, underway: 0 }
    }

    /// Drives the crowd until it is over, or nobody waits for it any more.
    pub(super) fn run(mut self) -> io::Result<Tally> {
        let result = self.drive();
        if result.is_err() {
            self.shared.abandon();
        }
        self.tally.late = self.crowd.late(self.clock.mono());
        self.tally.abandoned = u64::try_from(self.crowd.underway()).unwrap_or(u64::MAX);
        self.tally.counts = self.crowd.counts();
        self.shared.over.fetch_add(1, Relaxed);
        self.shared.ended.notify_one();
        result.map(|()| self.tally)
    }

    fn drive(&mut self) -> io::Result<()> {
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; EVENTS];
        loop {
            match self.shared.command.load(Relaxed) {
                ABANDON => return Ok(()),
                STOP => self.crowd.stop(self.clock.mono()),
                _ => {}
            }
            let now = self.clock.now();
            self.crowd.handle_timeout(now);
            self.perform();
            self.tell();
            if self.crowd.is_over() {
                return Ok(());
            }
            let ready = self.wait(&mut events)?;
            for event in events.iter().take(ready) {
                self.receive(usize::try_from(event.data.u64()).unwrap_or(usize::MAX))?;
            }
        }
    }

    /// An epoll's own clock goes by milliseconds, which is too coarse for whoever has to begin in time.
    fn wait(&self, events: &mut [epoll::Event]) -> io::Result<usize> {
        let due = self.crowd.poll_timeout().map_or(LONGEST_SLEEP, |due| due.since(self.clock.mono()));
        let sleep = Timespec { tv_sec: 0, tv_nsec: due.min(LONGEST_SLEEP).subsec_nanos().into() };
        let waited = if due < LONGEST_SLEEP {
            let none = Timespec { tv_sec: 0, tv_nsec: 0 };
            poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&sleep))
                .and_then(|ready| if ready == 0 { Ok(0) } else { epoll::wait(&self.epoll, events, Some(&none)) })
        } else {
            epoll::wait(&self.epoll, events, Some(&sleep))
        };
        match waited {
            Err(rustix::io::Errno::INTR) => Ok(0),
            waited => Ok(waited?),
        }
    }

    /// Takes what has come to one port, a batch at most: the others have their turn, and what is left shows again.
    fn receive(&mut self, index: usize) -> io::Result<()> {
        let Some(socket) = self.sockets.get(index) else { return Ok(()) };
        let mut chunks = self.octets.chunks_exact_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let filled = match socket.state.recv((&socket.socket).into(), &mut slices, &mut self.metas) {
            Ok(filled) => filled,
            // Nobody listens there, as somebody tells us: the requests are repeated.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::WouldBlock) => 0,
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        // That of all of them: how long they wait for us is no time that the server took.
        let now = self.clock.now();
        for number in 0..filled {
            let Some(meta) = self.metas.get(number).copied() else { break };
            let begin = number * BUFFER;
            let mut left = meta.len.min(BUFFER);
            let mut at = begin;
            while left > 0 {
                let length = meta.stride.clamp(1, left);
                self.hear(now, index, at..at + length);
                (at, left) = (at + length, left - length);
            }
        }
        Ok(())
    }

    fn hear(&mut self, now: Now, access_point: usize, datagram: std::ops::Range<usize>) {
        if let Some(octets) = self.octets.get(datagram) {
            self.crowd.handle(now, access_point, octets);
        }
        self.perform();
    }

    fn perform(&mut self) {
        while let Some(output) = self.crowd.poll_output() {
            match output {
                Output::Send { access_point, octets } => {
                    let sent = self.sockets.get(access_point).is_some_and(|socket| socket.send(&octets));
                    self.shared.unsent.fetch_add(u64::from(!sent), Relaxed);
                }
                Output::Ended(ended) => {
                    let good = self.tally.add(&ended);
                    self.shared.answered.fetch_add(u64::from(ended.report.is_some()), Relaxed);
                    self.shared.failed.fetch_add(u64::from(!good), Relaxed);
                }
            }
        }
    }

    fn tell(&mut self) {
        let underway = u64::try_from(self.crowd.underway()).unwrap_or(u64::MAX);
        let before = std::mem::replace(&mut self.underway, underway);
        // Two's complement: the sum over all threads is right.
        self.shared.underway.fetch_add(underway.wrapping_sub(before), Relaxed);
    }
}
