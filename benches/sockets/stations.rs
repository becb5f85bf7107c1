//! Stations that log in again and again, each behind a NAS's socket of its own.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;
use sekisho::exchange::Asker;
use sekisho::now::Wall;
use sekisho::secret::Secret;
use sekisho::supplicant::{Next, Station, Supplicant};

use crate::STATIONS;
use crate::campus::{Campus, wall};
use crate::world::SECRET;

/// Until a request is given up: the server answers at once or never.
const PATIENCE: Duration = Duration::from_millis(500);
/// The same while the server is about to start.
const STARTING: Duration = Duration::from_millis(20);
/// Octets of a packet.
const LONGEST: usize = 4_096;

pub(crate) struct Stations {
    stop: Arc<AtomicBool>,
    logins: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Vec<(usize, usize)>>>,
}

impl Stations {
    /// `rate`: logins that all of them begin in a second; `None`: each begins when its last has ended.
    pub(crate) fn start(
        campus: &Campus,
        server: SocketAddr,
        version: TlsVersion,
        resume: bool,
        rate: Option<u32>,
    ) -> Self {
        let apart = rate.map(|rate| Duration::from_secs(1) / rate);
        let begun = Instant::now();
        let (stop, logins) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let start = |number| {
            let supplicant = campus.supplicant(number, version);
            let (stop, logins) = (Arc::clone(&stop), Arc::clone(&logins));
            thread::spawn(move || {
                let socket = socket(server);
                let mut packets = Vec::new();
                let mut first = true;
                let mut turns = (number as u32..).step_by(STATIONS);
                while !stop.load(Relaxed) {
                    if let (Some(apart), Some(turn)) = (apart, turns.next()) {
                        thread::sleep((begun + apart * turn).saturating_duration_since(Instant::now()));
                    }
                    // There is nothing to resume at first.
                    if let Some(sent) = log_in(&supplicant, &socket, number, resume && !first) {
                        packets = sent;
                        logins.fetch_add(1, Relaxed);
                    }
                    first = false;
                }
                packets
            })
        };
        let threads = (0..STATIONS).map(start).collect();
        Self { stop, logins, threads }
    }

    pub(crate) fn logins(&self) -> u64 {
        self.logins.load(Relaxed)
    }

    /// Octets of each request and its answer, of somebody's last login.
    pub(crate) fn stop(self) -> Vec<(usize, usize)> {
        self.stop.store(true, Relaxed);
        let packets = self.threads.into_iter().map(|thread| thread.join().expect("a station"));
        packets.last().unwrap_or_default()
    }
}

pub(crate) fn log_in_once(supplicant: &Supplicant, server: SocketAddr) -> bool {
    let socket = socket(server);
    socket.set_read_timeout(Some(STARTING)).expect("loopback");
    log_in(supplicant, &socket, 0, false).is_some()
}

fn socket(server: SocketAddr) -> UdpSocket {
    // Not the server's address, whose port could be drawn here.
    let socket = UdpSocket::bind("127.0.0.2:0").expect("loopback");
    socket.connect(server).and_then(|()| socket.set_read_timeout(Some(PATIENCE))).expect("loopback");
    socket
}

/// `None`: no answer has come, or not the right ones.
fn log_in(supplicant: &Supplicant, socket: &UdpSocket, number: usize, resume: bool) -> Option<Vec<(usize, usize)>> {
    let asker = Arc::new(Asker::new(Secret::new(SECRET)));
    let station =
        Station { ssid: Some("JAIST".to_owned()), mac: format!("02-00-00-00-00-{number:02x}"), ..Station::default() };
    let now: Wall = wall();
    let mut login = supplicant.login(asker, station, resume, now);
    let (mut request, mut packets, mut buffer) = (login.begin(), Vec::new(), [0; LONGEST]);
    loop {
        socket.send(&request).ok()?;
        loop {
            let length = socket.recv(&mut buffer).ok()?;
            match login.handle(&buffer[..length], now) {
                Next::Ignored => {}
                Next::Send(next) => {
                    packets.push((request.len(), length));
                    request = next;
                    break;
                }
                Next::Done(report) => {
                    packets.push((request.len(), length));
                    return (report.logged_in && report.resumed == resume).then_some(packets);
                }
            }
        }
    }
}
