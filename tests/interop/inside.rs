//! Connections to what lives in a network namespace.
#![expect(clippy::disallowed_types, reason = "tests are the other side")]

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::process::Place;

/// Connects to a port of 127.0.0.1, as it is in that place.
pub(crate) fn connect(place: Place<'_>, port: u16) -> io::Result<TcpStream> {
    let connect = || TcpStream::connect(("127.0.0.1", port));
    let Place::Namespace(name) = place else { return connect() };
    let inside = || {
        // What a thread opens belongs to where the thread is then.
        let namespace = File::open(Path::new("/run/netns").join(name))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        connect()
    };
    thread::scope(|scope| scope.spawn(inside).join()).expect("it doesn't panic")
}
