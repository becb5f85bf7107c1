//! The least that a packet can cost here: a thread that waits for each, and sends it back. It has a core to itself, and who asks has another, as server and generator have in `benches/peers`:
//! on a virtual machine waking a core is dear.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::world::cpu;

/// Octets of a request and its answer, in the mean of a login's.
const OCTETS: usize = 600;

/// µs of the echoing thread's CPU for each of `packets`, so many of them a second; `None`: the next as soon as the last has come back.
pub(crate) fn cost(packets: u32, rate: Option<u32>) -> f64 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a port on loopback");
    let address = socket.local_addr().expect("it is bound");
    let (ready, is_ready) = sync_channel(1);
    let echo = thread::spawn(move || {
        pin(0);
        let (begun, mut octets) = (cpu(), [0; 2 * OCTETS]);
        ready.send(()).expect("somebody waits");
        for _ in 0..packets {
            let (length, from) = socket.recv_from(&mut octets).expect("a packet");
            socket.send_to(&octets[..length], from).expect("it is taken");
        }
        cpu() - begun
    });
    is_ready.recv().expect("it starts");
    let asks = thread::spawn(move || {
        pin(1);
        ask(address, packets, rate);
    });
    asks.join().expect("it ends");
    echo.join().expect("it ends").as_secs_f64() * 1e6 / f64::from(packets)
}

/// To the one of the cores that this process may use; to none where there are fewer.
fn pin(which: usize) {
    let all = sched_getaffinity(Pid::from_raw(0)).expect("Linux");
    let mut cores = (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap_or(false));
    if let Some(core) = cores.nth(which) {
        let mut one = CpuSet::new();
        one.set(core).expect("a core that there is");
        sched_setaffinity(Pid::from_raw(0), &one).expect("a core that this process may use");
    }
}

fn ask(address: SocketAddr, packets: u32, rate: Option<u32>) {
    let client = UdpSocket::bind(("127.0.0.1", 0)).expect("a port on loopback");
    client.connect(address).expect("it is there");
    let begun = Instant::now();
    let mut back = [0; 2 * OCTETS];
    for number in 0..packets {
        if let Some(rate) = rate {
            let due = begun + Duration::from_secs(number.into()) / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        client.send(&[0; OCTETS]).expect("it is taken");
        client.recv(&mut back).expect("it comes back");
    }
}
