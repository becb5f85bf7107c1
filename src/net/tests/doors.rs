//! Doors.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu_discover};

use super::super::door::{Buffers, Door, Doors};
use super::super::poller::Poller;
use super::super::{Clock, Settings};
use crate::event::Listener;
use crate::exchange::{Hop, Outgoing};
use crate::now::{Mono, Wall};

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(super) fn bind(addresses: &[&str]) -> Doors {
    let auth = addresses.iter().map(|text| address(text)).collect();
    Doors::bind(&Settings { auth, ..Settings::default() }).expect("the addresses are free")
}

pub(super) fn bound(doors: &Doors) -> Vec<SocketAddr> {
    doors.addresses().map(|(_, address)| address).collect()
}

/// A client of one door; gives up after a while.
pub(super) fn client(from: &str, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(address(from)).expect("a free port");
    socket.connect(to).expect("an address that can be reached");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
    socket
}

/// Opens doors and hands over what arrives until `enough`.
fn receive(doors: Doors, enough: usize, answer: impl Fn(&Hop, &[u8]) -> Option<Vec<u8>>) -> Vec<(Hop, Vec<u8>)> {
    let poller = Poller::new().expect("the system has one");
    let mut doors = doors.open(&poller).expect("they can be waited for");
    let mut buffers = Buffers::new();
    let mut arrived = Vec::new();
    while arrived.len() < enough {
        for door in &mut doors {
            let take = |hop, octets: &[u8]| arrived.push((hop, octets.to_vec()));
            door.receive(Mono::default(), &mut buffers, take).expect("loopback receives");
        }
        if arrived.len() < enough && !doors.iter().any(|door| door.is_readable(Mono::default())) {
            poller.wait(None, |name| doors[name as usize].rung());
        }
    }
    for (hop, octets) in &arrived {
        if let Some(octets) = answer(hop, octets) {
            send(&doors, *hop, &octets);
        }
    }
    arrived
}

fn send(doors: &[Door], hop: Hop, octets: &[u8]) {
    let outgoing = Outgoing { hop, octets: Arc::from(octets) };
    doors[usize::from(hop.socket)].send(&outgoing).expect("loopback takes it");
}

#[test]
fn a_port_of_the_systems_choice_is_told() {
    let doors = bind(&["127.0.0.1:0", "[::1]:0"]);
    assert!(bound(&doors).iter().all(|address| address.port() != 0));
    assert!(doors.addresses().all(|(listener, _)| listener == Listener::Auth));
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let doors = bind(&["127.0.0.1:0"]);
    let taken = bound(&doors)[0];
    let error =
        Doors::bind(&Settings { auth: vec![taken], ..Settings::default() }).expect_err("it is taken").to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("auth") && error.contains("ss -ulpn"), "{error}");
}

#[test]
fn an_address_of_another_machine_is_an_error_that_says_so() {
    let auth = vec![address("192.0.2.1:1812")];
    let error = Doors::bind(&Settings { auth, ..Settings::default() }).expect_err("it isn't ours").to_string();
    assert!(error.contains("192.0.2.1:1812") && error.contains("no interface"), "{error}");
}

#[test]
fn ipv6_never_takes_ipv4_along() {
    let port = bound(&bind(&["[::]:0"]))[0].port();
    let doors = bind(&[&format!("[::]:{port}"), &format!("0.0.0.0:{port}")]);
    assert_eq!(bound(&doors).len(), 2);
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let doors = bind(&["0.0.0.0:0", "[::]:0"]);
    let ports: Vec<u16> = bound(&doors).iter().map(SocketAddr::port).collect();
    // A connected socket takes answers of the address it asked alone.
    let clients = [
        client("127.0.0.1:0", SocketAddr::new(IpAddr::from([127, 0, 0, 9]), ports[0])),
        client("127.0.0.1:0", SocketAddr::new(IpAddr::from([127, 0, 0, 1]), ports[0])),
        client("[::1]:0", SocketAddr::new(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), ports[1])),
    ];
    for (n, client) in clients.iter().enumerate() {
        client.send(&[n as u8]).expect("loopback takes it");
    }
    let arrived = receive(doors, 3, |_, octets| Some(octets.to_vec()));
    assert!(arrived.iter().all(|(hop, _)| hop.local.is_some()));
    for (n, client) in clients.iter().enumerate() {
        let mut answer = [0; 8];
        assert_eq!(client.recv(&mut answer).expect("an answer"), 1);
        assert_eq!(answer[0], n as u8);
    }
}

#[test]
fn many_datagrams_of_one_sender_stay_apart() {
    let doors = bind(&["127.0.0.1:0"]);
    let client = client("127.0.0.1:0", bound(&doors)[0]);
    for n in 0..200_u8 {
        client.send(&vec![n; 20 + usize::from(n % 3)]).expect("loopback takes it");
    }
    let arrived = receive(doors, 200, |_, _| None);
    for (n, (_, octets)) in (0..).zip(arrived) {
        assert_eq!(octets, vec![n; 20 + usize::from(n % 3)]);
    }
}

#[test]
fn an_empty_datagram_arrives_and_harms_nothing() {
    let doors = bind(&["127.0.0.1:0"]);
    let client = client("127.0.0.1:0", bound(&doors)[0]);
    client.send(&[]).expect("loopback takes it");
    client.send(&[7]).expect("loopback takes it");
    let arrived: Vec<_> = receive(doors, 2, |_, _| None).into_iter().map(|(_, octets)| octets).collect();
    assert_eq!(arrived, [vec![], vec![7]]);
}

#[test]
fn an_answer_longer_than_the_mtu_may_be_sent_in_fragments() {
    let Doors(ipv4) = bind(&["127.0.0.1:0"]);
    let mode = ip_mtu_discover(&ipv4[0].socket).expect("the option can be read");
    assert_eq!(mode, Ipv4PathMtuDiscovery::WANT);
    let Doors(ipv6) = bind(&["[::1]:0"]);
    assert!(!getsockopt(&ipv6[0].socket, sockopt::Ipv6DontFrag).expect("the option can be read"));
}

#[test]
fn wall_time_is_seconds_since_1970_and_monotonic_time_begins_at_zero() {
    let clock = Clock::start();
    let now = clock.now();
    assert!(now.wall > Wall(1_700_000_000), "{now:?}");
    assert!(clock.mono() >= now.mono);
    assert_eq!(Clock::with_wall(|| Wall(-5)).now().wall, Wall(-5));
}
