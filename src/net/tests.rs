//! Sockets and clock.
