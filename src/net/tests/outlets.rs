//! Requests of our own, over loopback.

use std::net::UdpSocket;
use std::time::Duration;

use super::super::outlets::{OUTLETS, Outlets};
use super::super::poller::Poller;
use crate::engine::Datagram;

fn far_side(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("loopback has room");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    socket
}

#[test]
fn the_first_datagram_leaves_at_once_and_the_answer_comes_back_from_where_it_went() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let nas = far_side(address);
        let to = nas.local_addr().expect("it is bound");
        let (mut outlets, poller) = (Outlets::new(), Poller::new().expect("the system has one"));
        for octets in [[1; 4_096], [2; 4_096]] {
            outlets.send(&Datagram { to, octets: octets.into() }, &poller).expect("loopback takes it");
            let mut received = [0; 5_000];
            let (length, from) = nas.recv_from(&mut received).expect("it has arrived");
            assert_eq!(received[..length], octets);
            nas.send_to(b"answer", from).expect("loopback takes it");
        }
        let mut back = Vec::new();
        while back.len() < 2 {
            poller.wait(None, |name| {
                assert_eq!(name, OUTLETS);
                outlets.rung();
            });
            outlets.receive(|from, octets| back.push((from, octets.to_vec())));
        }
        assert_eq!(back, [(to, b"answer".to_vec()), (to, b"answer".to_vec())]);
    }
}

#[test]
fn a_nas_that_is_down_keeps_no_datagram_from_another() {
    let gone = far_side("127.0.0.1:0").local_addr().expect("it was bound");
    let nas = far_side("127.0.0.1:0");
    let to = nas.local_addr().expect("it is bound");
    let (mut outlets, poller) = (Outlets::new(), Poller::new().expect("the system has one"));
    for round in 0..10_u8 {
        // What comes of it is told by the next.
        let _ = outlets.send(&Datagram { to: gone, octets: [0].into() }, &poller);
        outlets.send(&Datagram { to, octets: [round].into() }, &poller).expect("loopback takes it");
        let mut received = [0; 16];
        let (length, _) = nas.recv_from(&mut received).expect("it has arrived");
        assert_eq!(received[..length], [round]);
        outlets.rung();
        outlets.receive(|from, _| panic!("nothing comes from {from}"));
        assert!(!outlets.is_readable(), "it is seen to be empty");
    }
}
