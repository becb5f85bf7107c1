//! Sockets, clock and hall, over loopback.
#![expect(clippy::disallowed_types, reason = "these tests are the other side")]

mod doors;
mod outlets;
mod rounds;
